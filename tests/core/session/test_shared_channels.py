"""What a channel sounds like that tracks outside of the prompt play on too, before, under and behind a take."""

import io
from collections.abc import Iterable, Sequence
from typing import Any

import mido
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mido import Message, MetaMessage

from core.midi.score import TakeNote, TrackKey
from core.session.export import midi_bytes
from core.session.forks import accept_take
from core.session.session import RestOfSong, Session, TakeRecord, session_from_midi
from core.session.timeline import timeline
from tests.core.midi.builders import control, file_of, off, on

BAR = 1920
METRE = MetaMessage("time_signature", numerator=4, denominator=4)
Written = list[tuple[int, int, int, int]]  # (tick, pitch, program, volume) of the notes


def bars(pitch: int, count: int = 8, channel: int = 0) -> list[Message]:
    """A note a bar."""
    return [m for _ in range(count) for m in (on(pitch, 0, channel), off(pitch, BAR, channel))]


def program(number: int, channel: int = 0) -> Message:
    return Message("program_change", program=number, channel=channel)


def with_take(
    data: bytes,
    notes: Sequence[tuple[int, TrackKey | None]],
    rest: RestOfSong = "stretch",
    outside: Sequence[int] = (),
    marker: int = 4,
) -> Session:
    """A take of two bars, a note a bar, from bar `marker` on; tracks that are `outside` of the prompt."""
    session = session_from_midi(data, "x.mid")
    for track in outside:
        session = session.with_flags(track, in_prompt=False)
    session = session.with_marker(2.0 * marker)
    record = TakeRecord(
        tuple(TakeNote(pitch, 70, 2.0 * i, 2.0 * i + 1, key) for i, (pitch, key) in enumerate(notes)),
        marker=session.marker,
        end=4.0,
        rest=rest,
    )
    return session.with_take(record)


def heard(data: bytes) -> Written:
    """The notes of a file, as another reader plays it through."""
    messages, tick = [], 0
    for message in mido.merge_tracks(mido.MidiFile(file=io.BytesIO(data)).tracks):
        tick += message.time
        messages.append((tick, message))
    return sounding(messages)


def played(session: Session) -> Written:
    """The notes of the song with its take, as they are sent."""
    return sounding((round(time * BAR / 2), Message.from_bytes(message)) for time, message in timeline(session, "both"))


def sounding(messages: Iterable[tuple[int, Any]]) -> Written:
    """The notes, and what their channels have when they begin."""
    programs, volumes = [0] * 16, [100] * 16
    notes: Written = []
    for tick, message in messages:
        if message.type == "program_change":
            programs[message.channel] = message.program
        elif message.type == "control_change" and message.control == 7:
            volumes[message.channel] = message.value
        elif message.type == "note_on" and message.velocity:
            notes.append((tick, message.note, programs[message.channel], volumes[message.channel]))
    return notes


def written(session: Session) -> list[Written]:
    """What is heard in the song with the take beside its tracks, merged into them, and accepted."""
    files = [midi_bytes(session, "score and take", is_merged=is_merged) for is_merged in (False, True)]
    return [heard(data) for data in (*files, midi_bytes(accept_take(session, session.current), "score"))]


def notes_of(found: Written, pitch: int) -> list[tuple[int, int]]:
    """(bar, program) of a pitch."""
    return [(tick // BAR, number) for tick, note, number, _ in found if note == pitch]


def test_a_sound_that_a_replaced_track_chooses_for_another_stays() -> None:
    """Two tracks on one channel; the one that is replaced to the end says what both sound like."""
    lead = [METRE, program(40), *bars(72, 5), program(41), *bars(72, 3)]
    session = with_take(file_of(lead, bars(60)), [(74, (0, 0))], "rest", outside=[1])
    for found in written(session):
        assert notes_of(found, 60) == [*((bar, 40) for bar in range(5)), *((bar, 41) for bar in range(5, 8))]


@pytest.mark.parametrize("rest", ["stretch", "beside"])
def test_a_kit_that_changes_at_the_marker_is_the_songs(rest: RestOfSong) -> None:
    """The drums of the file play on in a new kit; the take repeats them when they stop."""
    drums = [program(8, 9), *bars(36, 4, 9), program(25, 9), *bars(36, 1, 9)]
    session = with_take(file_of([METRE, *bars(72)], drums), [(74, (0, 0)), (38, (1, 9))], rest)
    for found in written(session):
        assert notes_of(found, 36)[-2:] == [(3, 8), (4, 25)]
        assert notes_of(found, 38) == [(5, 25)]
    kits = [(time, m[1]) for time, m in timeline(session, "both") if m[0] == 0xC9]
    assert kits == [(0.0, 8), (8.0, 25)]
    assert bytes((0xC9, 8)) in [m for _, m in timeline(session, "take")]


def test_where_no_channel_is_free_a_track_that_plays_on_keeps_its_new_sound() -> None:
    tracks = [[program(c, c), *bars(40 + c, 8, c)] for c in range(1, 16)]
    data = file_of([METRE, program(3), *bars(72, 4), program(5), *bars(72, 4)], *tracks)
    for found in written(with_take(data, [(74, (0, 0)), (76, None)], "beside")):
        assert notes_of(found, 72) == [*((bar, 3) for bar in range(4)), *((bar, 5) for bar in range(4, 8))]


def test_what_the_original_says_where_it_returns_is_not_undone() -> None:
    """Of two tracks on one channel the first changes the sound at the very end of the take, the second before."""
    first = [METRE, program(40), *bars(72, 6), program(41), *bars(72, 2)]
    second = [*bars(60, 3), control(7, 90), control(1, 5), *bars(60, 2), program(42), *bars(60, 3)]
    for found in written(with_take(file_of(first, second), [(74, (0, 0))])):
        assert notes_of(found, 72) == [*((bar, 40) for bar in range(4)), (6, 41), (7, 41)]
        assert notes_of(found, 60) == [*((bar, 40) for bar in range(4)), (6, 41), (7, 41)]


def test_what_had_faded_out_is_as_soft_again_where_it_returns() -> None:
    fade = [control(7, value, 0) for value in (80, 60, 40, 20, 0)]
    data = file_of([METRE, program(48), control(7, 100), *bars(72, 3), *fade, *bars(72, 5)])
    for found in written(with_take(data, [(74, (0, 0))])):
        volumes = [(pitch, tick // BAR, volume) for tick, pitch, _, volume in found]
        assert volumes == [(72, 0, 100), (72, 1, 100), (72, 2, 100), (72, 3, 0), (74, 4, 100), (72, 6, 0), (72, 7, 0)]


def test_drums_that_fade_as_they_play_on_are_not_made_louder() -> None:
    fade = [control(7, value, 0, 9) for value in (80, 60, 40)]
    drums = [*bars(36, 3, 9), *fade, *bars(36, 2, 9), control(7, 20, 0, 9), *bars(36, 1, 9)]
    for found in written(with_take(file_of([METRE, *bars(72)], drums), [(74, (0, 0)), (38, (1, 9))])):
        assert [volume for _, pitch, _, volume in found if pitch == 36] == [100, 100, 100, 40, 40, 20]


def test_a_pedal_is_up_before_a_merged_take_begins_whichever_track_pressed_it() -> None:
    """Of two tracks on one channel the second presses the pedal; the take plays on the first."""
    session = with_take(file_of([METRE, *bars(72, 4)], [control(64, 127), *bars(60, 4)]), [(74, (0, 0))])
    data = midi_bytes(session, "score and take", is_merged=True)
    told = [m for m in mido.merge_tracks(mido.MidiFile(file=io.BytesIO(data)).tracks) if not m.is_meta]
    pedals = [m.value for m in told[: [getattr(m, "note", 0) for m in told].index(74)] if m.type == "control_change"]
    assert pedals == [127, 0]


@pytest.mark.parametrize("change", [program(41), control(7, 41)])
def test_what_a_track_says_where_the_original_returns_holds_from_its_place_in_the_file_on(change: Message) -> None:
    """What another track of the channel plays there comes before."""
    data = file_of([METRE, *bars(72)], [*bars(60, 6), change, *bars(60, 2)])
    session = with_take(data, [(74, (0, 0))])
    for found in (*written(session), played(session)):
        changed = [(tick // BAR, pitch) for tick, pitch, *sound in found if 41 in sound]
        assert changed == [(6, 60), (7, 72), (7, 60)]


@pytest.mark.parametrize("place", [0, 1, 2])
def test_nor_is_undone_what_a_chunk_of_controls_says_there(place: int) -> None:
    chunks = [[METRE, *bars(72)], bars(60)]
    chunks.insert(place, [program(7), program(41).copy(time=6 * BAR)])
    for found in written(with_take(file_of(*chunks), [(74, (int(place == 0), 0))])):
        for position, pitch in enumerate((72, 60)):
            told = 41 if place <= position else 7
            assert notes_of(found, pitch)[-2:] == [(6, told), (7, 41)]


changes = st.tuples(st.integers(0, 8), st.sampled_from([program(1), program(2), control(7, 30), control(7, 60)]))
tracks = st.lists(st.tuples(st.lists(changes), st.sets(st.integers(0, 7), min_size=1)), min_size=2, max_size=3)


@given(tracks, st.sampled_from([(), (0,), (1,)]), st.sampled_from(["stretch", "rest"]))
def test_whichever_track_says_it_notes_that_are_kept_sound_as_they_did(
    tracks: list[tuple[list[tuple[int, Message]], set[int]]], outside: tuple[int, ...], rest: RestOfSong
) -> None:
    """Tracks of one channel, each with notes in some bars, and before those changes of its sound."""
    data = file_of([METRE], *(chunk(60 + k, *track) for k, track in enumerate(tracks)))
    session = with_take(data, [(74, (2 if 0 in outside else 1, 0))], rest, outside)
    expected = [
        (tick, pitch, *sound)
        for tick, pitch, *sound in heard(data)
        if tick < 4 * BAR or pitch - 60 in outside or (rest == "stretch" and tick >= 6 * BAR)
    ]
    for found in (*written(session), played(session)):
        assert [note for note in found if note[1] != 74] == expected


def chunk(pitch: int, said: Sequence[tuple[int, Message]], bars_played: Iterable[int]) -> list[Message]:
    """Half notes on the first beats of bars, and what is said in front of them."""
    events = [(BAR * bar, 0, message) for bar, message in said]
    for bar in bars_played:
        events += [(BAR * bar, 1, on(pitch)), (BAR * bar + BAR // 2, 0, off(pitch))]
    events.sort(key=lambda event: event[:2])
    ticks = [0, *(tick for tick, _, _ in events)]
    return [message.copy(time=tick - last) for (tick, _, message), last in zip(events, ticks, strict=False)]


def test_a_channel_is_the_takes_alone_where_a_track_beside_the_prompt_has_ended() -> None:
    """The track that is no prompt has no more notes; the other changes its sound under the take."""
    lead = [METRE, program(40), *bars(72, 5), program(41), *bars(72, 3)]
    session = with_take(file_of(lead, bars(60, 2)), [(74, (0, 0)), (76, (0, 0))], outside=[1])
    for found in (*written(session), played(session)):
        assert [number for _, pitch, number, _ in found if pitch in (74, 76)] == [40, 40]
        assert notes_of(found, 72)[-2:] == [(6, 41), (7, 41)]
        assert notes_of(found, 60) == [(0, 40), (1, 40)]
