"""Lanes: the lanes at the foot of the roll, one below the other, and the menu that chooses them."""

from collections.abc import Callable, Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QMenu, QVBoxLayout, QWidget

from desktop.piano_roll.lanes.accessible import install
from desktop.piano_roll.lanes.lane import Lane
from desktop.piano_roll.lanes.row import LaneRow
from desktop.piano_roll.view import PianoRoll
from desktop.widgets.menu_words import add_named

_LEAST, _MOST = 40, 400  # height of a lane
LOW, USUAL, TALL = 50, 90, 180
_SHARE = 0.6  # of the roll's height that lanes may take

LaneHeight = tuple[str, int]  # name of a lane, and its height


class Lanes(QWidget):
    """The lanes that are shown. `make` makes one by its name, or None if there is none of that name."""

    made = Signal(object)  # Lane, when it is shown first
    changed = Signal(object)  # the choices: tuple of (name, height)
    other_requested = Signal(str)  # a controller that is not in the menu, in place of the lane of that name or of none
    owner_chosen = Signal(object)  # one of the owners that were shown

    def __init__(self, roll: PianoRoll, names: Sequence[str], make: Callable[[str], Lane | None]) -> None:
        super().__init__(roll)
        self._roll, self._names, self._make = roll, list(names), make
        self._more: Callable[[], Sequence[str]] = lambda: ()  # those that the music at hand has besides
        self._lanes: dict[str, Lane] = {}
        self._rows: list[LaneRow] = []
        self._heights: dict[str, int] = {}  # as wished; less where there is no room
        self._owners: list[tuple[object, str]] = []
        self._owner: object = None
        self._touched = ""
        self._waits = False
        self._height = 0
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(0)
        self.menu = QMenu(self.tr("L&anes"), self)
        self.menu.aboutToShow.connect(lambda: self._fill(self.menu))
        roll.view_changed.connect(self._on_view)
        roll.notes_changed.connect(self._on_notes)
        roll.notes_appended.connect(self._on_appended)
        roll.selection_changed.connect(self._on_notes)
        roll.span_changed.connect(self._update)
        roll.playhead_moved.connect(self._on_playhead)
        roll.modifiers_changed.connect(self._on_modifiers)
        self.setVisible(False)
        install()

    # What is shown

    @property
    def rows(self) -> tuple[LaneRow, ...]:
        """The rows, from top to bottom."""
        return tuple(self._rows)

    @property
    def shown(self) -> tuple[Lane, ...]:
        """The lanes that are shown, from top to bottom."""
        return tuple(row.lane for row in self._rows)

    @property
    def touched(self) -> Lane | None:
        """The lane that was drawn in last, if it is shown."""
        return next((lane for lane in self.shown if lane.name == self._touched), None)

    def lane(self, name: str) -> Lane | None:
        """The lane of a name, made if it is not there yet; None if there is none."""
        if name not in self._lanes:
            lane = self._make(name)
            if lane is None:
                return None
            self._lanes[name] = lane
            self.made.emit(lane)
        return self._lanes[name]

    def show_lanes(self, choices: Sequence[LaneHeight]) -> None:
        """Show these lanes at these heights, and no others; names that are none are left out."""
        for row in self._rows:
            row.end_gesture()
        wanted = {name: min(max(height, _LEAST), _MOST) for name, height in choices if self.lane(name) is not None}
        self._heights.update(wanted)
        kept = {row.lane.name: row for row in self._rows}
        for name, row in kept.items():
            self._layout.removeWidget(row)
            if name not in wanted:
                row.hide()
                row.deleteLater()
        self._rows = [kept.get(name) or self._row(self._lanes[name]) for name in wanted]
        before: QWidget = self._roll
        for row in self._rows:
            self._layout.addWidget(row)
            for widget in (row, row.button) if row.lane.has_items else (row.button,):
                self.setTabOrder(before, widget)  # Tab from the notes comes to them, from top to bottom
                before = widget
        self.setVisible(bool(self._rows))
        self._fill(self.menu)
        self._lay_out()
        self._update()

    @property
    def choices(self) -> tuple[LaneHeight, ...]:
        """What is shown: names and heights."""
        return tuple((row.lane.name, self._heights[row.lane.name]) for row in self._rows)

    def switch(self, name: str) -> None:
        """Show a lane below the others, or no more."""
        choices = [choice for choice in self.choices if choice[0] != name]
        if len(choices) == len(self._rows):
            choices.append((name, self._heights.get(name, USUAL)))
        self._choose(choices)

    def replace(self, old: str, new: str) -> None:
        """Show a lane in place of another; empty: no lane, or in no one's place."""
        if not old:
            if all(name != new for name, _ in self.choices):
                self.switch(new)
            return
        rest = [(name, height) for name, height in self.choices if name != new or name == old]
        self._choose([(new if name == old else name, height) for name, height in rest if new or name != old])

    def show_owners(
        self, owners: Sequence[tuple[object, str]], owner: object, names: Callable[[], Sequence[str]]
    ) -> None:
        """Whose controllers can be shown, whose are, and the lanes that there are for them besides the usual."""
        self._owners, self._owner, self._more = list(owners), owner, names

    def set_waiting(self, waits: bool) -> None:
        """Let keys wait until what lanes show is what it will be, or come all that have waited."""
        self._waits = waits
        for row in self._rows:
            row.keys.waits = waits
        for row in self._rows:
            row.keys.go_on()

    def _choose(self, choices: Sequence[LaneHeight]) -> None:
        self.show_lanes(choices)
        self.changed.emit(self.choices)

    def _row(self, lane: Lane) -> LaneRow:
        row = LaneRow(self._roll, lane, self)
        row.keys.waits = self._waits
        row.height_asked.connect(lambda height: self._ask_height(lane.name, height))
        row.height_changed.connect(lambda: self.changed.emit(self.choices))
        row.touched.connect(lambda: self._touch(lane.name))
        row.menu.aboutToShow.connect(lambda: self._fill(row.menu, lane.name))
        row.show()
        return row

    def _touch(self, name: str) -> None:
        self._touched = name

    def _ask_height(self, name: str, height: int) -> None:
        others = sum(row.height() for row in self._rows if row.lane.name != name)
        self._heights[name] = min(max(height, _LEAST), _MOST, max(self._room - others, _LEAST))
        self._lay_out()

    @property
    def _room(self) -> int:
        return round(self._roll.height() * _SHARE)

    def _lay_out(self) -> None:
        """Give the rows their heights, less where there is no room for all."""
        self._height = self._roll.height()
        wished = [self._heights[row.lane.name] for row in self._rows]
        share = min(self._room / sum(wished), 1.0) if wished else 1.0
        heights = [max(int(height * share), _LEAST) for height in wished]
        for row, height in zip(self._rows, heights, strict=True):
            row.setFixedHeight(height)
        self._roll.set_foot(self, sum(heights))

    # The menus

    def _fill(self, menu: QMenu, row: str = "") -> None:
        """The lanes that can be shown; in the menu of a row, in its place."""
        menu.clear()
        shown = [lane.name for lane in self.shown]
        names = [*self._names, *(n for n in dict.fromkeys((*self._more(), *shown)) if n not in self._names)]
        for name in names:
            lane = self.lane(name)
            if lane is None:
                continue
            action = menu.addAction(lane.title)
            action.setCheckable(True)
            action.setObjectName(name)
            action.setChecked(name == row if row else name in shown)
            if row:
                action.setEnabled(name == row or name not in shown)
                action.triggered.connect(lambda _=False, name=name: self.replace(row, name))
            else:
                action.triggered.connect(lambda _=False, name=name: self.switch(name))
        menu.addAction(self.tr("&Other Controller …"), lambda: self.other_requested.emit(row))
        menu.addSeparator()
        if row:
            self._fill(menu.addMenu(self.tr("&Another Lane")))
            self._fill_heights(menu.addMenu(self.tr("&Height")), row)
            menu.addAction(self.tr("&Close This Lane"), lambda: self.replace(row, ""))
        if self._owners:
            owners = menu.addMenu(self.tr("Of &Track or Take"))
            for owner, words in self._owners:
                action = add_named(owners, words)
                action.setCheckable(True)
                action.setChecked(owner == self._owner)
                action.triggered.connect(lambda _=False, owner=owner: self.owner_chosen.emit(owner))

    def _fill_heights(self, menu: QMenu, row: str) -> None:
        """What dragging the lane's upper edge does, by keys."""
        for words, height in ((self.tr("&Low"), LOW), (self.tr("&Usual"), USUAL), (self.tr("&Tall"), TALL)):
            action = menu.addAction(words)
            action.setCheckable(True)
            action.setChecked(height == self._heights[row])
            action.triggered.connect(lambda _=False, height=height: self._choose_height(row, height))

    def _choose_height(self, row: str, height: int) -> None:
        self._ask_height(row, height)
        self.changed.emit(self.choices)

    # Following the roll

    def _update(self) -> None:
        for row in self._rows:
            row.update()

    def _on_view(self) -> None:
        if self._rows and self._roll.height() != self._height:
            self._lay_out()
        for row in self._rows:
            row.follow_view()

    def _on_playhead(self, before: float | None, after: float | None) -> None:
        for row in self._rows:
            row.follow_playhead(before, after)

    def _on_notes(self) -> None:
        for row in self._rows:
            row.follow_notes()

    def _on_appended(self, first: float, last: float) -> None:
        for row in self._rows:
            row.follow_appended(first, last)

    def _on_modifiers(self, modifiers: Qt.KeyboardModifier) -> None:
        for row in self._rows:
            row.follow_modifiers(modifiers)
