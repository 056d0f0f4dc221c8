"""LaneDisplay: keeps the lanes under the roll showing pedals, controllers and tempo, and makes what is drawn edits."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from PySide6.QtCore import QObject, Signal

from core.midi.controllers import BEND, BEND_CENTRE, Point, most
from core.midi.score import TrackKey
from core.session import edits_controls as edits
from core.session.edits_controls import Owner
from core.session.edits_song import with_tempo
from core.session.session import Session, TakeRecord
from desktop.controllers.commands import Commands
from desktop.controllers.document import Document
from desktop.controllers.preferences import Preferences
from desktop.controllers.roll_parts import session_part
from desktop.dialogs.questions import Dialogs
from desktop.piano_roll.lanes.curve import CurveLane, line
from desktop.piano_roll.lanes.kinds import LAST_CONTROLLER, controller_lane
from desktop.piano_roll.lanes.lane import Lane
from desktop.piano_roll.lanes.lanes import LaneHeight, Lanes
from desktop.piano_roll.lanes.pedal import PedalLane
from desktop.piano_roll.lanes.tempo import TempoChange, TempoLane
from desktop.piano_roll.view import PianoRoll
from desktop.widgets.theme import OWN, PartKind, track_colours

_LINE_STEP = 0.01  # seconds from one value of a line that a command draws to the next


class LaneDisplay(QObject):
    """From the document to the lanes, and back.

    The lanes show the controllers of one track or take: of the notes that are selected, or that was chosen last.
    """

    message = Signal(str)

    def __init__(
        self,
        roll: PianoRoll,
        lanes: Lanes,
        document: Document,
        commands: Commands,
        preferences: Preferences,
        dialogs: Callable[[], Dialogs],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._roll, self._lanes, self._document, self._commands = roll, lanes, document, commands
        self._preferences, self._dialogs = preferences, dialogs
        self._wanted: Owner | None = None  # chosen last
        self._shown: dict[str, tuple[object, ...]] = {}  # what each lane was made of
        self._owners: tuple[object, ...] = ()
        lanes.made.connect(self._connect)
        lanes.changed.connect(self._keep)
        lanes.other_requested.connect(self._choose_other)
        lanes.owner_chosen.connect(self.choose_owner)
        roll.selection_changed.connect(self._follow_selection)
        commands.refused.connect(self._show_again)
        commands.rereading.connect(self._follow_rereading)

    def restore(self) -> None:
        """Show the lanes that were shown last."""
        self._lanes.show_lanes(self._preferences.now.lanes)
        self.show_document()

    def _keep(self, choices: Sequence[LaneHeight]) -> None:
        self._preferences.change(lanes=tuple(choices))
        self.show_document()

    # Whose controllers

    @property
    def owner(self) -> Owner | None:
        """The track or take whose controllers are shown; None where there is none."""
        owners = [owner for owner, _ in self.owners()]
        if self._wanted in owners:
            return self._wanted
        return owners[0] if owners else None

    @property
    def owner_on_view(self) -> Owner | None:
        """The same, if a lane of controllers is shown."""
        return self.owner if any(isinstance(lane, CurveLane | PedalLane) for lane in self._lanes.shown) else None

    def owners(self) -> list[tuple[Owner, str]]:
        """The tracks, and the parts of the take, whose controllers can be shown, with their names."""
        session = self._document.session
        owners = [(Owner(i), track.name) for i, track in enumerate(session.tracks)]
        take = session.current_take
        if take is not None:
            names = {track.key: track.name for track in session.tracks}
            for key in _tracks_of(take):
                words = f"{take.name}: {names[key]}" if key in names else take.name
                owners.append((Owner(take.id, key if key in names else None), words))
        return owners

    def choose_owner(self, owner: Owner) -> None:
        """Show the controllers of a track or take."""
        self._wanted = owner
        self.show_document()

    def bring_forward(self, key: TrackKey | None) -> None:
        """A track was brought to the front: its controllers are shown."""
        index = self._document.session.find_track(key)
        if index is not None:
            self.choose_owner(Owner(index))

    def _follow_selection(self) -> None:
        """Notes of one track or take were selected: its controllers are shown."""
        selected = list(self._roll.selection.indices.items())
        if len(selected) != 1:
            return
        part = session_part(selected[0][0])
        owner = Owner(part)
        take = self._document.session.find_take(part) if isinstance(part, str) else None
        if take is not None:
            notes = [take.notes[i] for i in selected[0][1][:1].tolist() if i < len(take.notes)]
            owner = Owner(part, notes[0].track if notes else None)
        if owner != self._wanted:
            self.choose_owner(owner)

    # Showing

    def show_document(self) -> None:
        """Show what the lanes that are shown are about, where that has changed."""
        session, owner = self._document.session, self.owner
        owners = self.owners()
        self._lanes.show_owners(owners, owner, self._names)
        for lane in self._lanes.shown:
            self._show(lane, session, owner, dict(owners).get(owner, "") if owner else "")

    def _names(self) -> list[str]:
        """The lanes of the controllers that are there."""
        owner = self.owner
        numbers = sorted(edits.used_numbers(self._document.session, owner)) if owner else []
        return [controller_lane(number) for number in numbers]

    def _show_again(self) -> None:
        """An edit was refused: show what there is, not what was drawn."""
        self._shown.clear()
        self.show_document()

    def _follow_rereading(self, is_on: bool) -> None:
        """While the song's file is read anew, keys in lanes wait for what it will have."""
        if not is_on:
            self.show_document()  # where nothing has changed, too
        self._lanes.set_waiting(is_on)

    def _show(self, lane: Lane, session: Session, owner: Owner | None, words: str) -> None:
        if isinstance(lane, TempoLane):
            lane.follow_tempo()
            return
        if not isinstance(lane, CurveLane | PedalLane):
            return
        look = _look(session, owner)
        made_of = (owner, session.tempo_map, look, words, *_controls_of(session, owner))
        old = self._shown.get(lane.name, ())
        is_same = len(old) == len(made_of) and all(a is b or a == b for a, b in zip(made_of, old, strict=True))
        if is_same and not lane.is_changing:
            return
        self._shown[lane.name] = made_of
        lane.owner, lane.look = words, look
        if isinstance(lane, PedalLane):
            lane.show_spans(edits.pedals(session, owner) if owner else [])
        else:
            lane.show_points(edits.curve(session, owner, lane.number) if owner else [])

    # What is drawn

    def _connect(self, lane: Lane) -> None:
        if isinstance(lane, CurveLane):
            lane.drawn.connect(lambda start, end, points: self._draw(lane, start, end, points))
            lane.moved.connect(lambda at, to: self._move(lane, at, to))
        elif isinstance(lane, PedalLane):
            change = partial(self._change, lane)
            lane.pressed.connect(lambda start, end: self._press(lane, start, end))
            lane.moved.connect(lambda at, start, end: change("Move pedal", edits.move_pedal, at, start, end))
            lane.deleted.connect(lambda at: change("Delete pedal", edits.delete_pedal, at))
            lane.erased.connect(lambda start, end: change("Delete pedals", edits.erase_pedals, start, end))
        elif isinstance(lane, TempoLane):
            lane.tempo_set.connect(lambda changes: self._set_tempo(lane, changes))

    def _draw(self, lane: CurveLane, start: float, end: float, points: Sequence[Point]) -> None:
        name = self.tr("Draw {0}") if points else self.tr("Erase {0}")
        self._change(lane, name.format(lane.title), edits.draw_curve, lane.number, start, end, list(points))

    def _move(self, lane: CurveLane, at: float, to: Point) -> None:
        name = self.tr("Move {0}").format(lane.title)
        self._change(lane, name, edits.draw_curve, lane.number, min(at, to.at), max(at, to.at), [to])

    def _press(self, lane: PedalLane, start: float, end: float) -> None:
        self._change(lane, "Draw pedal", edits.draw_pedal, start, end)

    def _change(self, lane: Lane, name: str, edit: Callable[..., Session], *values: Any) -> None:
        """Make an edit of the controllers that are shown one step."""
        owner = self.owner
        if owner is None:
            self.message.emit(self.tr("There is no track or take yet whose controllers could be drawn."))
            self._show_again()
        elif isinstance(owner.part, str):
            self._commands.change(self.tr(name), lambda session: edit(session, owner, *values), lane.run)
            self.show_document()  # where nothing has changed, too
        else:
            self._commands.change_song(self.tr(name), lambda session: edit(session, owner, *values), lane.run)

    def _set_tempo(self, lane: TempoLane, changes: Sequence[TempoChange]) -> None:
        def change(session: Session) -> Session:
            for tick, bpm in changes:
                session = with_tempo(session, tick, bpm)
            return session

        self._commands.change_song(self.tr("Tempo"), change, lane.run)

    # By commands

    def draw_line(self) -> None:
        """Draw a straight line over the selected span in the lane drawn in last; of the pedal: press it."""
        lane, span = self._lane_and_span()
        if lane is None or span is None:
            return
        if isinstance(lane, PedalLane):
            self._press(lane, *span)
            return
        middle = BEND_CENTRE if lane.number == BEND else 0
        first = self._ask(lane, self.tr("From:"), lane.value_at(span[0]), middle)
        last = None if first is None else self._ask(lane, self.tr("To:"), first, middle)
        if first is not None and last is not None:
            points = line(Point(span[0], first), Point(span[1], last), _LINE_STEP)
            self._draw(lane, *span, points if first != last else points[:1])

    def _ask(self, lane: CurveLane, words: str, value: int | None, middle: int) -> int | None:
        shown = (middle if value is None else value) - middle
        number = self._dialogs().number(lane.title, words, shown, -middle, most(lane.number) - middle)
        return None if number is None else number + middle

    def erase(self) -> None:
        """Erase what the lane drawn in last has in the selected span."""
        lane, span = self._lane_and_span()
        if lane is None or span is None:
            return
        if isinstance(lane, PedalLane):
            self._change(lane, "Delete pedals", edits.erase_pedals, *span)
        else:
            self._draw(lane, *span, [])

    def _lane_and_span(self) -> tuple[CurveLane | PedalLane | None, tuple[float, float] | None]:
        lanes = [self._lanes.touched, *self._lanes.shown]
        lane = next((lane for lane in lanes if isinstance(lane, CurveLane | PedalLane)), None)
        if lane is None:
            self.message.emit(self.tr("Show a lane first: the pedal or a controller, by View, Lanes."))
        elif self._roll.span is None:
            self.message.emit(
                self.tr("Select the span first: drag in the lower half of the ruler, or press I and O at its ends.")
            )
        return lane, self._roll.span

    def _choose_other(self, instead_of: str) -> None:
        """Ask for a controller by its number, and show it."""
        number = self._dialogs().number(
            self.tr("Lane of a Controller"), self.tr("Controller, 0 to 119:"), 74, 0, LAST_CONTROLLER
        )
        if number is None:
            return
        if self._lanes.lane(controller_lane(number)) is None:
            self.message.emit(self.tr("Controller {0} chooses a sound: it has no lane.").format(number))
        else:
            self._lanes.replace(instead_of, controller_lane(number))


def _tracks_of(take: TakeRecord) -> list[TrackKey | None]:
    """The tracks that a take plays on, or has controllers for, the busiest first; None for its own."""
    counts: dict[TrackKey | None, int] = {}
    for note in take.notes:
        counts[note.track] = counts.get(note.track, 0) + 1
    for control in take.controls:
        counts.setdefault(control.track, 0)
    return sorted(counts, key=lambda key: -counts[key]) or [None]


def _look(session: Session, owner: Owner | None) -> tuple[PartKind, int]:
    """What an owner's controllers are drawn as: kind of part, and colour."""
    colours = track_colours([track.key for track in session.tracks], session.chosen_colours)
    if owner is None:
        return "prompt", OWN
    if isinstance(owner.part, str):
        return "take", OWN if owner.track is None else colours.get(owner.track, OWN)
    return "prompt", colours[session.tracks[owner.part].key]


def _controls_of(session: Session, owner: Owner | None) -> list[object]:
    """What the controllers of an owner are read from: others are other objects."""
    if owner is None:
        return []
    if isinstance(owner.part, str):
        take = session.take(owner.part)
        return [take.controls, take.marker]
    place = session.tracks[owner.part].place
    return [track.controls for track in session.tracks if track.place == place]
