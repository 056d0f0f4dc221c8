"""Chasing: what the controls that came before a place still mean there."""

from collections.abc import Iterable

from core.midi.messages import (
    ALL_NOTES_OFF,
    ALL_SOUND_OFF,
    BANK_LSB,
    BANK_MSB,
    CHANNEL_PRESSURE,
    CONTROL,
    EXPRESSION,
    KEY_PRESSURE,
    PAN,
    PITCH_BEND,
    PROGRAM,
    RESET_CONTROLLERS,
    VOLUME,
    channel_of,
    is_control,
    kind,
)

_BANK = (BANK_MSB, BANK_LSB)
PARAMETERS = frozenset((6, 38, *range(96, 102)))  # registered parameters: a sequence, told whole
# What "reset all controllers" leaves alone (MIDI recommended practice RP-015).
_LASTING = frozenset((*_BANK, VOLUME, PAN, *range(70, 80), *range(91, 96))) | PARAMETERS
_FULL = 127
_CENTRE = b"\x00\x40"  # of the pitch bend

# What tells one state of a channel from the others: (channel, kind of message, number or None, ...).
StateKey = tuple[object, ...]


def held(messages: Iterable[bytes]) -> dict[StateKey, bytes]:
    """What of these channel messages still holds after them, by what it sets, in the order of the last changes.

    That is the last program, pressure, bend and value of each controller of each channel. A program holds with the bank
    that it was chosen in; one that is chosen behind it waits for the next. Notes, the pressure of single notes and
    messages that end notes hold nothing.
    """
    state: dict[StateKey, bytes] = {}
    for i, message in enumerate(messages):
        status, channel = kind(message), channel_of(message)
        if is_control(message, RESET_CONTROLLERS):
            state = {key: m for key, m in state.items() if key[0] != channel or key[1] == PROGRAM or key[2] in _LASTING}
            continue
        if status <= KEY_PRESSURE or ends_notes(message):
            continue
        if status == PROGRAM:
            for number in _BANK:
                bank = state.pop((channel, CONTROL, number), b"") or state.get((channel, PROGRAM, number))
                if bank:
                    state[channel, PROGRAM, number] = bank
        elif is_control(message, *_BANK) and (channel, PROGRAM, None) in state:
            state.setdefault((channel, PROGRAM, message[1]), bytes((*message[:2], 0)))  # what it was chosen in
        key: StateKey
        if is_control(message, *PARAMETERS):
            key = (channel, status, message[1], i)
        elif status == CONTROL:
            key = (channel, status, message[1])
        else:
            key = (channel, status, None)
        state.pop(key, None)  # so that the order is that of the last changes
        state[key] = message
    return state


def chased(messages: Iterable[bytes]) -> list[bytes]:
    """The messages that bring about what `held` tells; a bank comes before the program of it."""
    return _banks_first(held(messages))


def difference(now: dict[StateKey, bytes], wanted: dict[StateKey, bytes]) -> list[bytes]:
    """The messages that lead from one state (of `held`) to another; what the other does not tell is reset."""
    resets = [_reset(message) for key, message in now.items() if key not in wanted]
    changed = {key for key, message in wanted.items() if now.get(key) != message}
    # Who is to have another bank needs the program anew, and who is told a program, the bank that waits.
    sounds = {key[0] for key in changed if key[1] == PROGRAM}
    changes = {key: m for key, m in wanted.items() if key in changed or (key[0] in sounds and chooses_sound(m))}
    return [*(message for message in resets if message), *_banks_first(changes)]


def _banks_first(state: dict[StateKey, bytes]) -> list[bytes]:
    """The messages of a state, the banks that programs were chosen in before all others."""
    return [state[key] for key in sorted(state, key=lambda key: key[1] != PROGRAM or key[2] is None)]


def chooses_sound(message: bytes) -> bool:
    """Whether a message is a program change or chooses a bank."""
    return kind(message) == PROGRAM or is_control(message, *_BANK)


def ends_notes(message: bytes) -> bool:
    """Whether a control silences its channel: all sound off, all notes off, and the modes that imply it."""
    return kind(message) == CONTROL and (message[1] == ALL_SOUND_OFF or message[1] >= ALL_NOTES_OFF)


def resting_value(number: int) -> int | None:
    """What "reset all controllers" gives a controller; None where it leaves it alone."""
    return None if number in _LASTING else _FULL if number == EXPRESSION else 0


def _reset(message: bytes) -> bytes:
    """The message that undoes a state as "reset all controllers" does; empty where that resets nothing."""
    status = kind(message)
    if status == PITCH_BEND:
        return bytes((message[0], *_CENTRE))
    if status == CHANNEL_PRESSURE:
        return bytes((message[0], 0))
    if status == CONTROL and (value := resting_value(message[1])) is not None:
        return bytes((message[0], message[1], value))
    return b""
