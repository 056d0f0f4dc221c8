"""The lanes that there are, by name."""

from core.midi.controllers import BEND
from core.midi.messages import BANK_LSB, BANK_MSB, EXPRESSION, MODULATION, PAN, SUSTAIN, VOLUME
from desktop.piano_roll.lanes.curve import CurveLane
from desktop.piano_roll.lanes.lane import Lane
from desktop.piano_roll.lanes.pedal import PedalLane
from desktop.piano_roll.lanes.tempo import TempoLane
from desktop.piano_roll.lanes.velocity import VelocityLane
from desktop.piano_roll.view import PianoRoll

# Those of the General MIDI specification, and those that its instruments commonly obey.
# Each with what fits on a button.
_TITLES = {
    MODULATION: ("Modulation", "Mod."),
    2: ("Breath", "Breath"),
    4: ("Foot Pedal", "Foot"),
    5: ("Glide Time", "Glide t."),
    VOLUME: ("Volume", "Volume"),
    PAN: ("Pan", "Pan"),
    EXPRESSION: ("Expression", "Expr."),
    65: ("Glide", "Glide"),
    66: ("Sostenuto", "Sost."),
    67: ("Soft Pedal", "Soft"),
    71: ("Resonance", "Reson."),
    72: ("Release", "Rel."),
    73: ("Attack", "Attack"),
    74: ("Brightness", "Bright."),
    91: ("Reverb", "Reverb"),
    93: ("Chorus", "Chorus"),
    BEND: ("Pitch Bend", "Bend"),
}
_CONTROLLER = "cc"
LAST_CONTROLLER = 119  # those behind it are no controllers but commands
_BANKS = (BANK_MSB, BANK_LSB)  # they choose a sound, which is no line


def controller_lane(number: int) -> str:
    """The name of the lane of a controller."""
    return "bend" if number == BEND else "pedal" if number == SUSTAIN else f"{_CONTROLLER}{number}"


USUAL_LANES = (
    "velocity", "pedal", *map(controller_lane, (BEND, MODULATION, VOLUME, PAN, EXPRESSION)), "tempo",
)  # fmt: skip


def make_lane(roll: PianoRoll, name: str) -> Lane | None:
    """The lane of a name; None if there is none."""
    if name == "velocity":
        return VelocityLane(roll)
    if name == "pedal":
        return PedalLane(roll)
    if name == "tempo":
        return TempoLane(roll)
    number = BEND if name == "bend" else _number(name.removeprefix(_CONTROLLER))
    if number is None or controller_lane(number) != name:
        return None
    title, label = map(roll.tr, _TITLES.get(number, ("Controller {0}", "CC {0}")))
    lane = CurveLane(name, title.format(number), number, roll)
    lane.label = label.format(number)
    return lane


def _number(digits: str) -> int | None:
    number = int(digits) if digits.isdecimal() and len(digits) < 4 else -1
    return number if 0 <= number <= LAST_CONTROLLER and number not in _BANKS else None
