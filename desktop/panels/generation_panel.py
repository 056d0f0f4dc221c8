"""GenerationPanel: what to sample next, and the button that starts and stops it."""

import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import PurePath
from typing import Any, Literal

from PySide6.QtCore import QEvent, QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import (
    QAbstractSpinBox,
    QComboBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from core.midi.grid import GRID_CHOICES, GRIDS
from core.midi.key import Key
from core.session.knobs import Knobs, knobs_words
from core.session.session import AT_FIRST, DEFAULTS, LATEST, USUAL_BARS, USUAL_SECONDS, GenerationSettings
from desktop.panels.feel_panel import FeelPanel
from desktop.panels.generation_tips import DRUMS, DYNAMICS_CHOICES, ENDINGS, INTO, REST_CHOICES, TIPS
from desktop.widgets import icons
from desktop.widgets.buttons import BigButton, Fold, icon_button
from desktop.widgets.fields import (
    FaintLabel,
    NumberEdit,
    PitchSpin,
    PlainSpin,
    SliderSpin,
    UprightScroll,
    WheelGuard,
    show_number,
)
from desktop.widgets.palettes import DropDown

SEEDS = 1_000_000  # how many the dice chooses from: few enough to read out
_LENGTHS = {"seconds": (1.0, 5.0), "bars": (1.0, 1.0)}  # least and step of each unit
_BUNDLED = ""  # the settings' name for the bundled model
_MODES: tuple[Literal["major", "minor"], ...] = ("major", "minor")

_Row = tuple[str, QWidget, list[tuple[QWidget, int]]]  # words, the field they stand for, fields and their stretch


class GenerationPanel(QWidget):
    """The settings of the next continuation; says what the user changed and pressed.

    What is shown is kept as it is until the user changes it, even where a field shows fewer digits.
    """

    settings_changed = Signal(object)  # GenerationSettings
    unfolded_changed = Signal(object)  # the names of the parts that stand open
    continue_clicked = Signal()
    stop_clicked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(self.tr("Generation"))
        self._settings = DEFAULTS
        self._missing = ""  # a model that another stands in for
        self._running = self._ready = False
        self._reason = self._plan = ""
        self.button = BigButton()
        self.reason = FaintLabel()
        self.reason.setAlignment(Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignVCenter)
        self._build_fields()
        self._name_fields()
        self._lay_out()
        self._connect()
        self._wheel_guard = WheelGuard(self)
        self._wheel_guard.watch(self)
        self.show_models([(_BUNDLED, self.tr("Bundled model"), "")])
        self.show_settings(DEFAULTS)
        self.set_running(False)
        self.set_ready(False, self.tr("Load a file or start from nothing"))

    # What it is told

    def show_settings(self, settings: GenerationSettings) -> None:
        """Show settings; emits nothing."""
        self._settings = settings
        fields = (self.model, self.length, self.unit, self.takes, self.seed, self.lock, self.scale, self.low, self.high)
        fields += (self.grid, self.dynamics, self.into, self.rest, self.drums, self.ends)
        blockers = [QSignalBlocker(field) for field in fields]
        self._choose_model(settings.model)
        self.unit.setCurrentIndex(self.unit.findData(settings.unit))
        self.length.setVisible(settings.unit != "auto")
        least, step = _LENGTHS.get(settings.unit, _LENGTHS["seconds"])
        least = min(least, settings.length)
        if (self.length.minimum(), self.length.singleStep()) != (least, step):  # setting them undoes what is typed
            self.length.setMinimum(least)
            self.length.setSingleStep(step)
        show_number(self.length, settings.length)
        show_number(self.takes, settings.takes)
        if not self.seed.text() or int(self.seed.text()) != settings.seed:
            self.seed.setText(str(settings.seed))
            self.seed.setCursorPosition(0)  # show where it begins, if it is too long to be seen
        self.lock.setChecked(settings.seed_locked)
        icons.set_icon(self.lock, "locked" if settings.seed_locked else "unlocked")
        self.feelings.show_feel((settings.knobs, *settings.then))
        self.feel.setText(
            self.tr("Feel: {0}").format(knobs_words((settings.knobs, *settings.then)) or self.tr("as in the prompt"))
        )
        self.temperature.show_value(settings.temperature)
        self.top_p.show_value(settings.top_p)
        self._choose_scale(settings.scale)
        self.key_strength.show_value(settings.key_strength)
        show_number(self.low, settings.low)
        show_number(self.high, settings.high)
        self.grid.setCurrentIndex(self.grid.findData(settings.grid))
        self.dynamics.setCurrentIndex(self.dynamics.findData(settings.dynamics))
        self.ends.setCurrentIndex(self.ends.findData(settings.ends))
        self._choose_into(settings.into)
        self.rest.setCurrentIndex(self.rest.findData(settings.rest))
        self.drums.setCurrentIndex(self.drums.findData(settings.drums))
        folded = ("temperature", "top_p", "key_strength", "seed_locked")
        is_usual = all(getattr(settings, name) == getattr(DEFAULTS, name) for name in folded)
        self.more.setText(self.tr("More") if is_usual else self.tr("More (changed)"))
        self.reset.setEnabled(replace(AT_FIRST, model=settings.model, seed=settings.seed) != settings)
        del blockers

    def show_unfolded(self, names: Collection[str]) -> None:
        """Open these parts, "feel" and "more", and close the others."""
        for name, fold in self._folds.items():
            fold.setChecked(name in names)

    def settings(self) -> GenerationSettings:
        """The settings as they stand."""
        return self._settings

    def show_models(self, models: Sequence[tuple[str, str, str]]) -> None:
        """The models to choose from: (name as settings keep it, words for the user, licence)."""
        with QSignalBlocker(self.model):
            self.model.clear()
            for name, words, licence in models:
                self.model.addItem(words, name)
                under = self.tr("\nLicence: {0}").format(licence) if licence else ""
                tip = f"{words}\n{self.tr(TIPS['model'])}{under}"
                self.model.setItemData(self.model.count() - 1, tip, Qt.ItemDataRole.ToolTipRole)
            self._choose_model(self._settings.model)

    def show_tracks(self, tracks: Sequence[tuple[str, str]]) -> None:
        """The tracks that a take can play into alone: (key as settings keep it, name)."""
        known = [(self.into.itemData(i), self.into.itemText(i)) for i in range(len(INTO), self.into.count())]
        wanted = [(key, self.tr("Only {0}").format(name)) for key, name in tracks]
        if known != wanted:
            with QSignalBlocker(self.into):
                while self.into.count() > len(INTO):
                    self.into.removeItem(len(INTO))
                for key, words in wanted:
                    self.into.addItem(words, key)
                self._choose_into(self._settings.into)

    def show_missing_model(self, name: str) -> None:
        """Mark a model as missing, another playing in its place; "" for none."""
        self._missing = name
        self._choose_model(self._settings.model)

    def set_running(self, running: bool) -> None:
        """Whether the button says Stop."""
        self._running = running
        self.button.setText(self.tr("Stop") if running else self.tr("Continue"))
        icons.set_icon(self.button, "stop" if running else "play")
        self.button.setToolTip(
            self.tr("Stop; what is there is kept.") if running else self.tr("Continue from the marker.")
        )
        self._tell_state()

    def set_ready(self, ready: bool, reason: str = "") -> None:
        """Whether Continue can be pressed, and the sentence under it."""
        self._ready, self._reason = ready, reason
        self._tell_state()

    def show_plan(self, words: str) -> None:
        """What Continue would do, in a few words."""
        self._plan = words
        self._tell_state()

    def show_detected_key(self, key: str | None) -> None:
        """The key of the prompt, such as "D minor"."""
        self._show_found(self.scale, key)

    def show_detected_grid(self, grid: str | None) -> None:
        """The grid that the prompt is continued on, such as "1/16"; shown beside Auto if that is what is chosen."""
        is_auto = self._settings.grid == "auto"
        self._show_found(self.grid, (grid or self.tr("none")) if is_auto else "")

    def changeEvent(self, event: QEvent) -> None:
        """Icons follow the palette."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            icons.refresh(self)

    def take_typed(self) -> None:
        """Take over what is typed and not told yet: a click on a button does not take the keys from the field."""
        for field in self.findChildren(QAbstractSpinBox):
            field.interpretText()

    # Building

    def _build_fields(self) -> None:
        self.model = DropDown()
        self.model.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.length = PlainSpin()
        self.length.setMaximum(LATEST)
        self.unit = DropDown()
        for unit in _LENGTHS:
            self.unit.addItem(self.tr(unit), unit)
        self.unit.addItem(self.tr("{0:g} bars, or {1:g} seconds").format(USUAL_BARS, USUAL_SECONDS), "auto")
        self.takes = QSpinBox()
        self.takes.setRange(1, 16)
        for number in (self.length, self.takes):
            number.setKeyboardTracking(False)  # said once typed, not digit by digit
        self.seed = NumberEdit()
        self.dice, self.lock = icon_button("dice"), icon_button("unlocked")
        self.lock.setCheckable(True)
        self.temperature = SliderSpin(0, 10, 2, 0.05, self.tr("Temperature"), self.tr(TIPS["temperature"]))
        self.top_p = SliderSpin(0.01, 1, 1, 0.01, self.tr("Top-p"), self.tr(TIPS["top_p"]))
        self.scale = DropDown()
        self.scale.addItem(self.tr("Off"), "off")
        self.scale.addItem(self.tr("Auto"), "auto")
        for mode in _MODES:
            self.scale.insertSeparator(self.scale.count())
            for tonic in range(12):
                name = Key(tonic, mode).name
                self.scale.addItem(name, name)
        self.key_strength = SliderSpin(0, 20, 4, 0.1, self.tr("Key strength"), self.tr(TIPS["key_strength"]))
        self.low, self.high = PitchSpin(), PitchSpin()
        self.grid = DropDown()
        for grid in GRID_CHOICES:
            words = grid.capitalize()
            self.grid.addItem(words.replace("t", self.tr(" triplets")) if grid in GRIDS else self.tr(words), grid)
        self.dynamics, self.ends = self._choice(DYNAMICS_CHOICES), self._choice(ENDINGS)
        self.into, self.rest, self.drums = (self._choice(words) for words in (INTO, REST_CHOICES, DRUMS))
        self.feel, self.feelings = Fold(self.tr("Feel")), FeelPanel()
        self.knobs = self.feelings.knobs
        self.more = Fold(self.tr("More"))
        self._folds = {"feel": self.feel, "more": self.more}
        self.reset = QPushButton(self.tr("Reset"))
        self.reset.setAutoDefault(False)
        icons.set_icon(self.reset, "reset")
        boxes = (self.model, self.unit, self.scale, self.grid, self.dynamics, self.into, self.rest, self.drums)
        for box in (*boxes, self.ends):
            box.setMinimumContentsLength(4)
            box.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.length.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.unit.setMinimumContentsLength(6)

    def _name_fields(self) -> None:
        for field, key, name in (
            (self.model, "model", self.tr("Model")),
            (self.length, "length", self.tr("Length")),
            (self.unit, "unit", self.tr("Unit of the length")),
            (self.takes, "takes", self.tr("Number of takes")),
            (self.seed, "seed", self.tr("Seed")),
            (self.dice, "dice", self.tr("New seed")),
            (self.lock, "lock", self.tr("Keep the seed")),
            (self.scale, "scale", self.tr("Scale lock")),
            (self.low, "low", self.tr("Lowest note")),
            (self.high, "high", self.tr("Highest note")),
            (self.grid, "grid", self.tr("Grid")),
            (self.dynamics, "dynamics", self.tr("Dynamics")),
            (self.ends, "ends", self.tr("Ending")),
            (self.into, "into", self.tr("Plays on")),
            (self.rest, "rest", self.tr("The rest of the song")),
            (self.drums, "drums", self.tr("Drums")),
            (self.feel, "feel", ""),  # what stands on it says more
            (self.more, "more", self.tr("More settings")),
            (self.reset, "reset", self.tr("Reset the settings")),
        ):
            field.setToolTip(self.tr(TIPS[key]))
            (self.unit.set_name if field is self.unit else field.setAccessibleName)(name)
            field.setAccessibleDescription(self.tr(TIPS[key]))

    def _lay_out(self) -> None:
        form = QWidget()
        grid = QGridLayout(form)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(6)
        grid.setColumnStretch(1, 1)
        to = QLabel(self.tr("to"))
        rows: list[_Row] = [
            (self.tr("Model"), self.model, [(self.model, 1)]),
            (self.tr("Length"), self.length, [(self.length, 1), (self.unit, 1)]),
            (self.tr("Takes"), self.takes, [(self.takes, 0), (QWidget(), 1)]),
            (self.tr("Plays on"), self.into, [(self.into, 1)]),
            (self.tr("Rest of song"), self.rest, [(self.rest, 1)]),
            (self.tr("Drums"), self.drums, [(self.drums, 1)]),
            (self.tr("Scale lock"), self.scale, [(self.scale, 1)]),
            (self.tr("Range"), self.low, [(self.low, 1), (to, 0), (self.high, 1)]),
            (self.tr("Grid"), self.grid, [(self.grid, 1)]),
            (self.tr("Dynamics"), self.dynamics, [(self.dynamics, 1)]),
            (self.tr("Ends"), self.ends, [(self.ends, 1)]),
        ]
        folded: list[_Row] = [
            (self.tr("Seed"), self.seed, [(self.seed, 1), (self.dice, 0), (self.lock, 0)]),
            (self.tr("Temperature"), self.temperature, [(self.temperature, 1)]),
            (self.tr("Top-p"), self.top_p, [(self.top_p, 1)]),
            (self.tr("Key strength"), self.key_strength, [(self.key_strength, 1)]),
        ]
        for row in rows:
            _add_row(grid, row)
        for widget in (self.feel, self.feelings, self.more):
            grid.addWidget(widget, grid.rowCount(), 0, 1, 2)
        self.feelings.hide()
        self.feel.toggled.connect(self.feelings.setVisible)
        inside = [widget for row in folded for widget in _add_row(grid, row)]
        for widget in inside:
            widget.hide()
            self.more.toggled.connect(widget.setVisible)
        last = QHBoxLayout()
        last.addStretch(1)
        last.addWidget(self.reset)
        grid.addLayout(last, grid.rowCount(), 0, 1, 2)
        grid.setRowStretch(grid.rowCount(), 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 8, 8, 8)
        layout.setSpacing(4)
        layout.addWidget(self.button)
        layout.addWidget(self.reason)
        layout.addSpacing(4)
        scroll = UprightScroll(form)
        layout.addWidget(scroll, 1)
        scroll.follow(self.feel, self.feelings)

    def _connect(self) -> None:
        for button in (self.button, self.reset):
            button.pressed.connect(self.take_typed)
        self.button.clicked.connect(lambda: (self.stop_clicked if self._running else self.continue_clicked).emit())
        self.model.currentIndexChanged.connect(lambda: self._change(model=self.model.currentData()))
        self.length.valueChanged.connect(lambda value: self._change(length=round(value, 2)))
        self.unit.currentIndexChanged.connect(self._change_unit)
        self.takes.valueChanged.connect(lambda value: self._change(takes=value))
        self.seed.textEdited.connect(lambda text: text and self._change(seed=int(text)))
        self.seed.editingFinished.connect(lambda: self.seed.setText(str(self._settings.seed)))
        self.dice.clicked.connect(lambda: self._change(seed=secrets.randbelow(SEEDS)))
        self.lock.toggled.connect(lambda locked: self._change(seed_locked=locked))
        self.temperature.value_changed.connect(lambda value: self._change(temperature=value))
        self.top_p.value_changed.connect(lambda value: self._change(top_p=value))
        self.key_strength.value_changed.connect(lambda value: self._change(key_strength=value))
        self.scale.currentIndexChanged.connect(lambda: self._change(scale=self.scale.currentData()))
        self.low.valueChanged.connect(lambda low: self._change(low=low, high=max(low, self._settings.high)))
        self.high.valueChanged.connect(lambda high: self._change(high=high, low=min(high, self._settings.low)))
        self.grid.currentIndexChanged.connect(lambda: self._change(grid=self.grid.currentData()))
        self.dynamics.currentIndexChanged.connect(lambda: self._change(dynamics=self.dynamics.currentData()))
        self.ends.currentIndexChanged.connect(lambda: self._change(ends=self.ends.currentData()))
        self.into.currentIndexChanged.connect(lambda: self._change(into=self.into.currentData()))
        self.rest.currentIndexChanged.connect(lambda: self._change(rest=self.rest.currentData()))
        self.drums.currentIndexChanged.connect(lambda: self._change(drums=self.drums.currentData()))
        self.feelings.knobs_changed.connect(self.set_feel)
        self.reset.clicked.connect(self._reset)
        for fold in self._folds.values():
            fold.toggled.connect(
                lambda: self.unfolded_changed.emit(tuple(n for n, f in self._folds.items() if f.isChecked()))
            )

    # What the user does

    def _change(self, **values: Any) -> None:
        """Take over what the user has set, and say so if it is something else."""
        new = replace(self._settings, **values)
        if new != self._settings:
            self.show_settings(new)
            self.settings_changed.emit(new)

    def _change_unit(self) -> None:
        unit = self.unit.currentData()
        length = self._settings.length
        if "auto" in (unit, self._settings.unit):
            self._change(unit=unit, length=USUAL_BARS if unit == "bars" else USUAL_SECONDS)
            return
        # Two seconds a bar, as at 120 bpm: near enough to start from.
        self._change(unit=unit, length=max(1.0, round(length / 2) if unit == "bars" else min(length * 2, LATEST)))

    def set_feel(self, knobs: Knobs, then: tuple[Knobs, ...] = ()) -> None:
        """Set the knobs, and those of further parts of a take, as the user does."""
        self._change(knobs=knobs, then=then)

    def _reset(self) -> None:
        self.feelings.forget_words()
        self._change(**{name: getattr(AT_FIRST, name) for name in AT_FIRST.__slots__ if name not in ("model", "seed")})

    # What it shows

    def _tell_state(self) -> None:
        self.button.setEnabled(self._running or self._ready)
        self.reason.setText(self.tr("Stopping keeps what is there") if self._running else self._reason or self._plan)
        self.button.setAccessibleName(self.button.text())
        self.button.setAccessibleDescription(self.reason.text() or self.button.toolTip())

    def _choose_model(self, name: str) -> None:
        index = self.model.findData(name)
        if index < 0:
            self.model.addItem(name or self.tr("Bundled model"), name)
            index = self.model.count() - 1
        if name and name == self._missing:
            self.model.setItemText(index, self.tr("{0} (missing)").format(PurePath(name).stem))
            self.model.setItemData(
                index, self.tr("{0}\nis missing: the bundled model plays.").format(name), Qt.ItemDataRole.ToolTipRole
            )
        else:
            self.model.setItemText(index, self.model.itemText(index).removesuffix(" (missing)"))
        self.model.setCurrentIndex(index)
        tip = self.model.itemData(index, Qt.ItemDataRole.ToolTipRole)
        self.model.setToolTip(tip or self.tr(TIPS["model"]))

    def _show_found(self, box: QComboBox, found: str | None) -> None:
        """Beside Auto, what that is at present."""
        box.setItemText(box.findData("auto"), self.tr("Auto ({0})").format(found) if found else self.tr("Auto"))

    def _choice(self, options: Mapping[str, Any]) -> QComboBox:
        """A list to choose from: words for the user -> value of the setting."""
        box = DropDown()
        for words, value in options.items():
            box.addItem(self.tr(words), value)
        return box

    def _choose_into(self, into: str) -> None:
        """A track that is gone stands for the prompt's tracks, as in `core.session.arrangement`."""
        self.into.setCurrentIndex(max(self.into.findData(into), 0))

    def _choose_scale(self, scale: str) -> None:
        index = self.scale.findData(scale)
        if index < 0:  # spelled as in a file: "Gb major"
            self.scale.addItem(scale, scale)
            index = self.scale.count() - 1
        self.scale.setCurrentIndex(index)


def _add_row(grid: QGridLayout, row: "_Row") -> list[QWidget]:
    """Put a label and its fields into the grid's next row; returns them."""
    words, buddy, fields = row
    label = QLabel(words)
    label.setBuddy(buddy)
    label.setToolTip(buddy.toolTip() or fields[0][0].toolTip())
    line = QHBoxLayout()
    line.setSpacing(4)
    for field, stretch in fields:
        line.addWidget(field, stretch)
    place = grid.rowCount()
    grid.addWidget(label, place, 0)
    grid.addLayout(line, place, 1)
    return [label, *(field for field, _ in fields)]
