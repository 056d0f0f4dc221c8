"""Banks before, under and behind a take: a program counts with the bank that it was chosen in."""

import io
from collections.abc import Iterable
from typing import Any

import mido
import pytest
from mido import Message, MetaMessage

from core.midi.score import TakeNote, TrackKey
from core.session.export import midi_bytes
from core.session.forks import accept_take
from core.session.session import RestOfSong, Session, TakeRecord, session_from_midi
from core.session.timeline import timeline
from tests.core.midi.builders import control, file_of, off, on

BAR = 1920  # two seconds
METRE = MetaMessage("time_signature", numerator=4, denominator=4)
Sound = tuple[int, int, int]  # bank (its two parts) and program


def bars(pitch: int, count: int) -> list[Message]:
    """A note a bar."""
    return [m for _ in range(count) for m in (on(pitch), off(pitch, BAR))]


def bank(number: int, fine: int = 0) -> list[Message]:
    return [control(0, number), control(32, fine)]


def program(number: int) -> Message:
    return Message("program_change", program=number)


def with_take(data: bytes, key: TrackKey | None = (0, 0), rest: RestOfSong = "stretch") -> Session:
    """Bars 3 and 4, a note in each."""
    notes = tuple(TakeNote(74, 70, 2.0 * i, 2.0 * i + 1, key) for i in range(2))
    session = session_from_midi(data, "x.mid").with_marker(4.0)
    return session.with_take(TakeRecord(notes, marker=4.0, end=4.0, rest=rest))


def sounds(messages: Iterable[Any]) -> list[tuple[int, Sound]]:
    """(pitch, sound) of the notes, as a synth plays them: a bank waits for the next program."""
    banks, sounding, notes = [[0, 0] for _ in range(16)], [(0, 0, 0)] * 16, []
    for message in messages:
        if message.type == "control_change" and message.control in (0, 32):
            banks[message.channel][message.control // 32] = message.value
        elif message.type == "program_change":
            sounding[message.channel] = (*banks[message.channel], message.program)
        elif message.type == "note_on" and message.velocity:
            notes.append((message.note, sounding[message.channel]))
    return notes


def heard(session: Session) -> list[list[tuple[int, Sound]]]:
    """What sounds in the song with the take beside its tracks, merged into them, accepted, and played."""
    files = [midi_bytes(session, "score and take", is_merged=is_merged) for is_merged in (False, True)]
    files.append(midi_bytes(accept_take(session, session.current), "score"))
    found = [sounds(mido.merge_tracks(mido.MidiFile(file=io.BytesIO(data)).tracks)) for data in files]
    return [*found, sounds(Message.from_bytes(message) for _, message in timeline(session, "both"))]


def test_the_same_program_of_another_bank_returns_as_that() -> None:
    data = file_of([METRE, *bank(1), program(5), *bars(60, 2), *bank(8, 3), program(5), *bars(60, 4)])
    for found in heard(with_take(data)):
        assert found == [(60, (1, 0, 5))] * 2 + [(74, (1, 0, 5))] * 2 + [(60, (8, 3, 5))] * 2


@pytest.mark.parametrize("rest", ["stretch", "rest", "beside"])
@pytest.mark.parametrize("key", [None, (0, 0)])
def test_a_bank_that_is_chosen_behind_the_program_waits_for_the_next(rest: RestOfSong, key: TrackKey | None) -> None:
    data = file_of([METRE, program(48), *bank(8), *bars(60, 4), program(50), *bars(62, 2)])
    for found in heard(with_take(data, key, rest)):
        assert {sound for pitch, sound in found if pitch != 62} == {(0, 0, 48)}
        assert [sound for pitch, sound in found if pitch == 62] == [(8, 0, 50)] * (0 if rest == "rest" else 2)


def test_a_bank_that_was_chosen_under_a_take_waits_behind_it() -> None:
    track = [METRE, *bank(1), program(5), *bars(60, 2), program(7), *bank(4), *bars(60, 3), program(6), *bars(62, 1)]
    for found in heard(with_take(file_of(track))):
        assert [each for each in found if each[0] != 74] == [(60, (1, 0, 5))] * 2 + [(60, (1, 0, 7)), (62, (4, 0, 6))]


def test_from_the_middle_a_program_is_told_with_its_own_bank() -> None:
    session = session_from_midi(
        file_of([METRE, *bank(1), program(5), *bank(8), *bars(60, 2), program(6), *bars(62, 1)]), "x"
    )
    found = sounds(Message.from_bytes(message) for _, message in timeline(session, "prompt", 2.0))
    assert found == [(60, (1, 0, 5)), (62, (8, 0, 6))]
