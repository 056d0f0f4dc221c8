"""Which channels play drums, and when: percussion is what the file says is percussion.

Of itself that is channel 10. The part modes of GS and XG make any channel a drum kit or channel 10 an instrument, and
so do bank selects: 126 and 127 (XG) and 120 (GM2) choose drums, 121 (GM2), and on an XG synth any other, instruments.
A reset (GM, GM2, GS, XG) puts channel 10 back.
"""

from bisect import bisect_right
from collections.abc import Iterable

from core.midi import messages as midi
from core.midi.messages import Mode, PartMode
from core.midi.score import PERCUSSION_CHANNEL

_XG_KITS, _GM2_KITS, _GM2_INSTRUMENTS = (126, 127), 120, 121


class DrumChannels:
    """What of one port's channels play drums at each tick, from its messages in order of time."""

    def __init__(self, messages: Iterable[tuple[int, bytes]]) -> None:
        """`messages` are (tick, channel message or system exclusive as in a file)."""
        self._changes: dict[int, tuple[list[int], list[bool]]] = {}  # by channel: from which tick on, whether drums
        mode = Mode.NONE
        for tick, message in messages:
            if message[0] == midi.SYSEX:
                for setting in midi.read_sysex(sysex_data(message)):
                    if isinstance(setting, Mode):
                        mode = setting
                        for channel in range(16):
                            self._set(channel, tick, channel == PERCUSSION_CHANNEL)
                    elif isinstance(setting, PartMode):
                        self._set(setting.channel, tick, setting.is_drums)
            elif midi.is_control(message, midi.BANK_MSB):
                drums = _bank_drums(message[2], mode)
                if drums is not None:
                    self._set(midi.channel_of(message), tick, drums)

    def at(self, channel: int, tick: int) -> bool:
        """Whether a channel plays drums for a note that begins at a tick."""
        ticks, drums = self._changes.get(channel, ([], []))
        i = bisect_right(ticks, tick) - 1
        return drums[i] if i >= 0 else channel == PERCUSSION_CHANNEL

    def mostly(self, channel: int, starts: Iterable[int]) -> bool:
        """Whether a channel plays drums for most of the notes that begin at these ticks."""
        if channel not in self._changes:
            return channel == PERCUSSION_CHANNEL
        told = [self.at(channel, tick) for tick in starts]
        return 2 * sum(told) > len(told)

    def _set(self, channel: int, tick: int, drums: bool) -> None:
        ticks, states = self._changes.setdefault(channel, ([], []))
        ticks.append(tick)
        states.append(drums)


def _bank_drums(bank: int, mode: Mode) -> bool | None:
    """Whether a bank (the upper part of its number) holds drums; None where it says nothing about that."""
    if mode is Mode.GS:  # there banks are variations, and 127 the sounds of the MT-32
        return None
    if bank == _GM2_KITS or bank in _XG_KITS:
        return True
    return False if bank == _GM2_INSTRUMENTS or mode is Mode.XG else None


def sysex_data(message: bytes) -> bytes:
    """The bytes of a file's system exclusive between its length and its F7."""
    start = 1
    while start < len(message) and message[start] & 0x80:
        start += 1
    data = message[start + 1 :]
    return data[:-1] if data[-1:] == b"\xf7" else data
