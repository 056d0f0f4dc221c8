"""The codec's rules, for any score: compared with a plain statement of them, note by note."""

import itertools
from collections import defaultdict
from dataclasses import replace

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from core.codec.events import (
    LONG_REST,
    Conventions,
    StreamingDecoder,
    decode,
    encode_grid,
    encode_prompt,
    grid_notes,
)
from core.codec.vocabulary import BOUNDARY, NOTE_ON, VELOCITY, VOCABULARY_SIZE, shift_steps
from core.midi.score import PERCUSSION_CHANNEL, Note, Pedal, TakeNote, Track
from tests.core.codec.scores import note, track, tracks

BOTH = [Conventions(), Conventions("each", False)]


def as_track(notes: list[TakeNote]) -> Track:
    return track([note(n.pitch, n.start, n.end, n.velocity) for n in notes])


def test_a_pause_of_years_fills_no_memory() -> None:
    hour = 3600
    events = encode_grid(grid_notes([track([note(60, 0, 1), note(62, 1e9, 1e9 + 0.5), note(64, 1e9 + hour, 1e10)])]))
    assert len(events) < 3 * hour + 20
    kept = encode_grid(grid_notes([track([note(60, 0, 1), note(62, hour, hour + 1)])]))
    assert [n.start for n in decode(kept)] == [0, hour]


def released(played: Note, pedals: tuple[Pedal, ...]) -> float:
    """When a note falls silent, as the design says it."""
    for pedal in pedals:
        if pedal.start <= played.end < pedal.end:
            return min(pedal.end, played.end + 5)
    return played.end


@pytest.mark.parametrize("conventions", BOTH)
@given(played=tracks())
def test_every_note_comes_back_within_5_ms_and_with_its_end(conventions: Conventions, played: Track) -> None:
    back = decode(encode_grid(grid_notes([played]), conventions))
    by_pitch: dict[int, list[TakeNote]] = defaultdict(list)
    for n in back:
        by_pitch[n.pitch].append(n)
    groups: dict[tuple[int, int], list[Note]] = defaultdict(list)
    for n in played.notes:
        groups[n.pitch, round(n.start * 100 + 1e-9)].append(n)
        assert any(abs(b.start - n.start) <= 0.005 + 1e-9 for b in by_pitch[n.pitch])
    for (pitch, _), group in groups.items():
        first = min(group, key=lambda n: n.start)
        b = min(by_pitch[pitch], key=lambda b: abs(b.start - first.start))
        assert b.velocity in {v // 4 * 4 + 2 for v in (n.velocity for n in played.notes if n.pitch == pitch)}
        silent = max(released(n, played.pedals) for n in group)
        following = [o.start for o in by_pitch[pitch] if o.start > b.start]
        expected = min([max(silent, b.start + 0.01), *following])
        assert abs(b.end - expected) <= 0.0101  # half a step at each end, and groups at a step's edge
    # Nothing is invented, nothing overlaps itself.
    for ns in by_pitch.values():
        for a, b in itertools.pairwise(ns):
            assert a.end <= b.start
    assert len(back) <= len(played.notes)


@pytest.mark.parametrize("conventions", BOTH)
@given(played=tracks())
@example(played=track([note(60, 0.0, 0.0), note(60, 0.004, 9.0)]))
def test_encoding_what_was_decoded_changes_nothing(conventions: Conventions, played: Track) -> None:
    events = encode_grid(grid_notes([played]), conventions)
    again = encode_grid(grid_notes([as_track(decode(events))]), conventions)
    assert again == events


def test_notes_of_one_step_become_one_with_the_louder_velocity_and_the_later_end() -> None:
    notes = decode(encode_grid(grid_notes([track([note(60, 1.0, 1.2, 40), note(60, 1.003, 1.1, 101)])])))
    assert notes == [TakeNote(60, 102, 1.0, 1.2)]


def test_a_restrike_ends_the_note_that_sounds() -> None:
    notes = decode(encode_grid(grid_notes([track([note(60, 0.0, 2.0), note(60, 1.0, 1.5)])])))
    assert [(n.start, n.end) for n in notes] == [(0.0, 1.0), (1.0, 1.5)]


def test_the_pedal_holds_until_it_lifts_but_five_seconds_at_most() -> None:
    def end(pedal: Pedal) -> float:
        return decode(encode_grid(grid_notes([track([note(60, 0.0, 1.0)], [pedal])])))[0].end

    assert end(Pedal(0.5, 3.0, 0, 0)) == 3.0
    assert end(Pedal(1.0, 3.0, 0, 0)) == 3.0
    assert end(Pedal(1.01, 3.0, 0, 0)) == 1.0
    assert end(Pedal(0.5, 900.0, 0, 0)) == 6.0


def test_the_order_within_a_step_and_the_velocity_on_change() -> None:
    played = track([note(64, 0.0, 1.0, 80), note(60, 0.0, 1.0, 80), note(62, 1.0, 2.0, 81), note(50, 1.0, 2.0, 20)])
    ours = encode_grid(grid_notes([played]))
    assert ours == [388, 376, 60, 64, 355, 188, 192, 361, 50, 376, 62, 355, 178, 190]
    each = encode_grid(grid_notes([played]), Conventions("each", False))
    assert each == [376, 60, 376, 64, 355, 188, 192, 361, 50, 376, 62, 355, 178, 190]


def test_nothing_drifts_in_an_hour_of_thirds_of_a_second() -> None:
    played = track([note(60 + n % 2, n / 3, n / 3 + 0.1) for n in range(10_800)])
    back = decode(encode_grid(grid_notes([played])))
    assert len(back) == 10_800
    assert max(abs(b.start - n.start) for b, n in zip(back, played.notes, strict=True)) <= 0.005 + 1e-9


def test_drums_stay_out() -> None:
    drums = track([note(36, 0.0, 0.1)], channel=PERCUSSION_CHANNEL)
    assert encode_grid(grid_notes([drums])) == [BOUNDARY]


def steps_of(events: tuple[int, ...]) -> int:
    return sum(map(shift_steps, events))


@given(played=tracks(), marker=st.floats(0.02, 32), start=st.none() | st.floats(0, 20))
def test_a_prompt_ends_at_its_marker_with_open_what_sounds_on(
    played: Track, marker: float, start: float | None
) -> None:
    prompt = encode_prompt([played], marker, Conventions(), start)
    heard = [n for n in played.notes if n.start < marker and (start is None or n.start >= start)]
    decoder = StreamingDecoder()
    for event in prompt.events:
        decoder.feed(event)
    assert {pitch: decoder.step + onset for pitch, onset in prompt.sounding} == decoder.sounding
    if not heard:
        assert prompt.events == (BOUNDARY,)
        return
    whole = [(n.pitch, n.end / 100 - marker) for n in grid_notes([replace(played, notes=tuple(heard))])]
    assert {pitch for pitch, more in whole if more > 0.02} <= {pitch for pitch, _ in prompt.sounding}
    assert {pitch for pitch, _ in prompt.sounding} <= {pitch for pitch, more in whole if more > -0.02}
    first = min(n.start for n in heard)
    onsets = sorted(n.start for n in heard)
    assume(all(after - before < LONG_REST for before, after in itertools.pairwise([*onsets, marker])))
    assert abs(steps_of(prompt.events) / 100 - (marker - first)) <= 0.01
    # Seen from the marker, onsets lie where they lie in the score.
    for n in decode(prompt.events):
        from_marker = n.start - steps_of(prompt.events) / 100
        assert any(
            (h.pitch == n.pitch and abs(h.start - marker - from_marker) <= 0.005 + 1e-6)
            or (marker - h.start < 0.02 and from_marker >= -0.02)  # an onset within a step of the marker gives way
            for h in heard
        )
    assert (prompt.events[0] == BOUNDARY) == (first == played.notes[0].start)


def test_a_note_that_sounds_across_the_marker_stays_open() -> None:
    played = track([note(60, 0.0, 5.0), note(62, 0.5, 2.0), note(64, 1.0, 1.5)], [Pedal(1.4, 2.2, 0, 0)])
    assert encode_prompt([played], 2.0, Conventions()).sounding == ((60, -200), (62, -150), (64, -100))
    prompt = encode_prompt([track([note(60, 0.0, 5.0), note(64, 1.0, 9.0)])], 2.0, Conventions())
    assert prompt.events[-3:] == (355, 64, 355)
    assert decode(prompt.events) == [TakeNote(60, 66, 0.0, 2.0), TakeNote(64, 66, 1.0, 2.0)]


def test_a_cut_prompt_has_no_boundary_and_states_its_velocity() -> None:
    played = track([note(60, 0.0, 1.0, 30), note(62, 1.0, 2.0, 30), note(64, 2.0, 3.0, 30)])
    whole = encode_prompt([played], 3.0, Conventions())
    cut = encode_prompt([played], 3.0, Conventions(), start=0.5)
    assert whole.events[:3] == (BOUNDARY, VELOCITY.first + 7, 60)
    assert cut.events[:2] == (VELOCITY.first + 7, 62)


def test_a_prompt_of_very_many_notes_is_cut_to_its_last_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    most = 40
    played = track([note(60 + i % 7, i * 0.37, i * 0.37 + 0.5) for i in range(3 * most)])
    whole = encode_prompt([played], 50.0, Conventions())
    monkeypatch.setattr("core.codec.events.MOST_NOTES", most)
    cut = encode_prompt([played], 50.0, Conventions())
    assert cut.events[0] == VELOCITY.first + 16  # restated, and no boundary before it
    assert len(decode(cut.events)) == most
    # Seen from the marker, its end lies where it lay.
    assert cut.events[20:] == whole.events[-len(cut.events) + 20 :]
    assert encode_prompt([played], played.notes[most].start, Conventions()).events[0] == BOUNDARY


def test_lead_in_silence_is_left_out_and_the_tail_up_to_the_marker_is_not() -> None:
    prompt = encode_prompt([track([note(60, 7.0, 7.5)])], 9.0, Conventions())
    assert steps_of(prompt.events) == 200
    assert shift_steps(prompt.events[-1]) == 50


@given(st.lists(st.integers(0, VOCABULARY_SIZE - 1), max_size=300))
def test_any_events_stream_as_playable_messages_that_equal_the_batch(events: list[int]) -> None:
    decoder = StreamingDecoder()
    messages = []
    sounding: dict[int, int] = {}
    for event in [*events, None]:
        for m in decoder.close() if event is None else decoder.feed(event):
            if m.velocity:
                assert m.pitch not in sounding
                sounding[m.pitch] = m.step
            else:
                assert m.step > sounding.pop(m.pitch)  # it sounded, and for a step at least
            messages.append(m)
        if event is not None and shift_steps(event):
            # Between shifts a note let go at once still counts as sounding.
            assert set(decoder.sounding) == set(sounding)
    assert not sounding
    assert not decoder.sounding
    assert [m.step for m in messages] == sorted(m.step for m in messages)
    onsets = [(m.time, m.pitch, m.velocity) for m in messages if m.velocity]
    ends = sorted((m.time, m.pitch) for m in messages if not m.velocity)
    batch = decode(events)
    assert [(n.start, n.pitch, n.velocity) for n in batch] == sorted(onsets)
    assert sorted((n.end, n.pitch) for n in batch) == ends


def test_a_note_on_for_a_sounding_pitch_ends_it_first() -> None:
    decoder = StreamingDecoder()
    decoder.feed(NOTE_ON.first + 60)
    decoder.feed(265)
    assert [(m.step, m.velocity) for m in decoder.feed(60)] == [(10, 0), (10, 66)]


def test_a_prompt_is_flat_if_it_has_no_more_velocities_than_tracks() -> None:
    def flat(velocities: list[list[int]], marker: float = 100.0) -> tuple[int, tuple[int, ...]]:
        played = [track([note(60, i, i + 0.5, v) for i, v in enumerate(some)]) for some in velocities]
        prompt = encode_prompt(played, marker, Conventions())
        return prompt.velocity, prompt.levels

    assert flat([[90] * 8]) == (90, (90,))
    assert flat([[90] * 7]) == (90, ())  # too few to tell
    assert flat([[90] * 5, [], [64] * 4]) == (90, (64, 90))
    assert flat([[90] * 8 + [91]]) == (90, ())
    assert flat([[90] * 8 + [91]], marker=8.0) == (90, (90,))
    assert flat([[90, 64] * 4, [64, 90] * 4]) == (64, (64, 90))
    assert flat([[90] * 8, [64, 70] * 4]) == (70, ())
    drums = track([note(36, 0, 1, 127)], channel=PERCUSSION_CHANNEL)
    assert encode_prompt([drums, track([note(60, i, i + 1, 80) for i in range(9)])], 9.0, Conventions()).levels == (80,)


def test_a_long_rest_is_told_as_a_short_one() -> None:
    played = [note(60 + n % 5, n / 4, n / 4 + 0.2) for n in range(32)]
    stray = note(62, 600.0, 600.2)
    prompt = encode_prompt([track([*played, stray])], 601.0, Conventions())
    assert steps_of(prompt.events) <= (8 + 3 + 1) * 100
    assert len(decode(prompt.events)) == 33
    late = encode_prompt([track(played)], 600.0, Conventions())
    assert steps_of(late.events) <= (8 + 3) * 100
