"""KnobSliders: how takes are to differ from the prompt, a slider for each knob between its two words."""

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QGridLayout, QLabel, QSlider, QWidget

from core.session.knobs import MOST_STEPS, UNTURNED, WORDS, Knobs
from desktop.widgets.announce import announce

_TIPS = {
    "busy": "Fewer or more notes a second than in the prompt.",
    "high": "Lower or higher than the prompt, by about a third a step.",
    "loud": "Softer or louder than the prompt.",
    "long": "Notes held shorter or longer than in the prompt.",
    "full": "Fewer or more notes struck together than in the prompt.",
    "bright": "Darker, towards minor, or brighter, towards major.",
    "free": "Times between notes more alike than in the prompt, or more varied.",
}


class KnobSliders(QWidget):
    """A slider for each knob. In the middle: as in the prompt."""

    knob_turned = Signal(str, int)  # its name and steps, by the user

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.sliders = {name: self._slider(name) for name in WORDS}
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(4)
        grid.setColumnStretch(1, 1)
        for row, (name, slider) in enumerate(self.sliders.items()):
            for column, word in zip((0, 2), WORDS[name], strict=True):
                label = QLabel(self.tr(word.capitalize()))
                label.setToolTip(self.tr(_TIPS[name]))
                grid.addWidget(label, row, column)
            grid.addWidget(slider, row, 1)

    def show_knobs(self, knobs: Knobs) -> None:
        """Show where they stand; emits nothing."""
        for name, slider in self.sliders.items():
            with QSignalBlocker(slider):
                slider.setValue(round(getattr(knobs, name)))

    def _slider(self, name: str) -> QSlider:
        low, high = WORDS[name]
        slider = QSlider(Qt.Orientation.Horizontal)
        slider.setRange(-MOST_STEPS, MOST_STEPS)
        slider.setPageStep(1)
        slider.setTickPosition(QSlider.TickPosition.TicksBelow)
        slider.setTickInterval(1)
        slider.setMinimumWidth(60)
        slider.setToolTip(self.tr(_TIPS[name]))
        slider.setAccessibleName(self.tr("{0} or {1}").format(self.tr(low.capitalize()), self.tr(high)))
        slider.setAccessibleDescription(self.tr(_TIPS[name]))
        slider.valueChanged.connect(lambda steps: self._turn(name, steps))
        return slider

    def _turn(self, name: str, steps: int) -> None:
        self.knob_turned.emit(name, steps)
        announce(self.sliders[name], Knobs().with_steps(name, steps).words or UNTURNED)  # a reader says the number
