"""The array encoding against the codec's, and augmentation on notes."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.codec.events import Conventions, decode, encode_grid, grid_notes
from core.midi.read import parse_score
from core.midi.score import Note, Pedal, Score, Track
from core.midi.tempo_map import TempoMap
from core.training.data.notes import NOTE, note_events, score_notes
from tests.core.midi.builders import control, file_of, off, on

TIMES = st.floats(0, 30, allow_nan=False, width=32)


@st.composite
def tracks(draw: st.DrawFn) -> Track:
    notes = []
    for start, length, pitch, velocity in draw(
        st.lists(st.tuples(TIMES, st.floats(0, 8), st.integers(40, 60), st.integers(1, 127)), min_size=1, max_size=40)
    ):
        notes.append(Note(pitch, velocity, start, start + length, 0, 0))
    bounds = sorted(draw(st.lists(TIMES, max_size=8, unique=True)))
    pedals = [Pedal(a, b, 0, 0) for a, b in pairwise(bounds)][::2]
    notes.sort(key=lambda n: n.start)
    return Track("", draw(st.sampled_from((0, 1, 9))), 0, tuple(notes), tuple(pedals), (), 0)


@given(st.lists(tracks(), min_size=1, max_size=3), st.sampled_from([Conventions(), Conventions("each", False)]))
def test_events_are_the_codecs(parts: list[Track], conventions: Conventions) -> None:
    score = Score("", 1, TempoMap(480, (), ()), tuple(parts), (), ())
    grid = grid_notes(score.tracks)
    first = grid[0].start if grid else 0
    grid = [note._replace(start=note.start - first, end=note.end - first) for note in grid]

    events = note_events(score_notes(score), conventions, boundary=True)

    assert events.tolist() == encode_grid(grid, conventions)
    assert events.dtype == np.uint16


def test_tempo_acts_before_the_grid() -> None:
    # Quavers of 0.25 s at 1.1 times the tempo last 0.2272... s: rounded one by one they would drift.
    score = parse_score(file_of([m for _ in range(200) for m in (on(60), off(60, 240))]), "quavers")
    onsets = [note.start for note in decode(note_events(score_notes(score), tempo=1.1).tolist())]

    assert np.abs(np.array(onsets) - np.arange(200) * 0.25 / 1.1).max() <= 0.0056


def test_transposition_and_velocity() -> None:
    score = parse_score(file_of([on(60, velocity=40), off(60, 240), on(64, velocity=120), off(64, 240)]), "two")
    notes = decode(note_events(score_notes(score), transpose=5, louder=12).tolist())

    assert [(n.pitch, n.velocity) for n in notes] == [(65, 54), (69, 126)]


def test_lead_in_silence_is_left_out_and_the_pedal_is_capped() -> None:
    score = parse_score(file_of([control(64, 127), on(60, 4800), off(60, 480), on(62, 48000), off(62, 480)]), "late")
    first = decode(note_events(score_notes(score)).tolist())[0]

    assert first.start == 0
    assert first.end == pytest.approx(0.5 + 5.0)


def test_no_notes() -> None:
    assert note_events(np.empty(0, NOTE), boundary=True).tolist() == [388]
    assert score_notes(parse_score(file_of([on(60, channel=9), off(60, 10, channel=9)]), "drums")).size == 0
