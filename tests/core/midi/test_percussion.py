"""Percussion is what the file says is percussion."""

import pytest
from mido import Message, MetaMessage

from core.midi.read import parse_score
from tests.core.midi.builders import control, file_of, scale


def sysex(text: str) -> Message:
    return Message("sysex", data=bytes.fromhex(text))


GS_RESET, XG_ON, GM_ON = sysex("41 10 42 12 40 00 7F 00 41"), sysex("43 10 4C 00 00 7E 00"), sysex("7E 7F 09 01")


def gs_part(block: int, drums: int) -> Message:
    return sysex(f"41 10 42 12 40 1{block:x} 15 {drums:02x} 00")


def are_drums(*setup: Message, channel: int) -> bool:
    notes = [message.copy(channel=channel) for message in scale()]
    return parse_score(file_of([*setup], notes), "x").tracks[0].is_percussion


@pytest.mark.parametrize(
    ("setup", "channel", "drums"),
    [
        ((), 9, True),
        ((), 0, False),
        ((gs_part(1, 1),), 0, True),  # Roland's block 1 is channel 1
        ((gs_part(1, 2),), 0, True),
        ((gs_part(0, 0),), 9, False),  # and block 0 is channel 10
        ((gs_part(0xA, 1),), 10, True),
        ((gs_part(1, 1), gs_part(1, 0)), 0, False),
        ((gs_part(1, 1), GS_RESET), 0, False),
        ((sysex("41 10 42 12 40 1B 13 00 00 02 00"),), 11, True),  # written from an address before it
        ((sysex("43 10 4C 08 0B 07 01"),), 11, True),
        ((sysex("43 10 4C 08 09 07 00"),), 9, False),
        ((sysex("43 10 4C 08 0B 07 02"), XG_ON), 11, False),
        ((control(0, 127, channel=3),), 3, True),
        ((XG_ON, control(0, 126, channel=3)), 3, True),
        ((XG_ON, control(0, 0, channel=9)), 9, False),
        ((control(0, 0, channel=9),), 9, True),
        ((GM_ON, control(0, 0, channel=9)), 9, True),
        ((GS_RESET, control(0, 127, channel=3)), 3, False),  # there it is the bank of the MT-32
        ((control(0, 120, channel=3),), 3, True),
        ((control(0, 121, channel=9),), 9, False),
        ((control(0, 127, channel=3), GM_ON.copy(time=10)), 3, False),
    ],
)
def test_which_channels_are_drum_kits(setup: tuple[Message, ...], channel: int, drums: bool) -> None:
    assert are_drums(*setup, channel=channel) is drums


def test_what_most_notes_of_a_track_play_counts() -> None:
    late = gs_part(1, 1).copy(time=480)
    data = file_of([late], scale())
    assert parse_score(data, "x").tracks[0].is_percussion
    late = gs_part(1, 1).copy(time=7 * 240)
    assert not parse_score(file_of([late], scale()), "x").tracks[0].is_percussion


def test_a_drum_kit_on_another_channel_has_its_name() -> None:
    score = parse_score(file_of([gs_part(1, 1)], scale()), "x")
    assert [track.name for track in score.tracks] == ["Drums"]


def test_each_port_has_its_own_drum_channels() -> None:
    first = [MetaMessage("midi_port", port=0), gs_part(1, 1), *scale()]
    second = [MetaMessage("midi_port", port=1), *scale()]
    assert [track.is_percussion for track in parse_score(file_of(first, second), "x").tracks] == [True, False]
    everywhere = [gs_part(1, 1)]  # no port is named
    assert [t.is_percussion for t in parse_score(file_of(everywhere, first, second), "x").tracks] == [True, True]
