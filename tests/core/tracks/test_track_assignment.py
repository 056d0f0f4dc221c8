"""Notes go to the track that they belong to; what tracks are in the prompt they stay in a take."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.midi.score import Track
from core.midi.tempo_map import Metre, Tempo, TempoMap
from core.tracks.evaluation import Passage, are_lowest, measure, play
from core.tracks.note_stream import MetricPosition, StreamNote, merged_notes
from core.tracks.prompt_model import MOST_LEARNED, PromptModel
from core.tracks.track_assignment import TrackAssigner
from core.tracks.track_state import TrackState
from tests.core.tracks.songs import Row, band, drums, track

FOUR = TempoMap(480, (Tempo(0, 500_000),), (Metre(0, 4, 4),))
BAR = 2.0  # seconds
BASS: list[Row] = [(beat, 0.9, 36 + beat % 5, 100) for beat in range(32)]
PIANO: list[Row] = [(beat / 2, 0.5, pitch, 70) for beat in range(64) for pitch in (60, 64, 67)]
LEAD: list[Row] = [(beat + 0.5, 0.5, 79 + beat % 6, 90) for beat in range(32)]


def trio() -> list[Track]:
    return [track(rows, FOUR, channel=i, chunk=i) for i, rows in enumerate((LEAD, PIANO, BASS))]


def assigner(tracks: list[Track], bars: int = 8, only: int | None = None) -> TrackAssigner:
    return TrackAssigner(tracks, bars * BAR, None, FOUR, only=only)


def test_bass_chords_and_lead_stay_where_they_are() -> None:
    one = assigner(trio())
    for beat in range(8):
        now = 8 * BAR + beat * 0.5
        assert one.assign(now, 36 + beat % 5, 100, is_last=False).tracks == (2,)
        chord = [one.assign(now, pitch, 70, is_last=pitch == 67).tracks for pitch in (60, 64, 67)]
        assert chord == [(1,)] * 3
        for pitch in (60, 64, 67):
            one.release(now, pitch)
        assert one.assign(now + 0.25, 79 + beat % 6, 90, is_last=True).tracks == (0,)
        assert one.release(now + 0.4, 36 + beat % 5) == (2,)
        assert one.release(now + 0.4, 79 + beat % 6) == (0,)


def test_a_song_of_many_tracks_is_told_apart() -> None:
    tracks = [one for one in band(FOUR, 24) if not one.is_percussion]
    notes = tuple(merged_notes(tracks, 16 * BAR, 24 * BAR))
    result = measure(Passage(tuple(tracks), FOUR, 16 * BAR, notes))
    assert result.right / result.notes > 0.9
    assert result.bass_right == result.bass_notes > 0


def test_the_bass_line_is_what_nothing_sounds_below() -> None:
    rows = [
        (0.0, 40, 1.0),
        (0.0, 60, 2.0),
        (0.5, 50, 0.6),
        (1.0, 55, 1.2),
        (1.5, 52, 2.0),
        (1.5, 58, 2.0),
        (2.0, 70, 3),
    ]
    assert are_lowest([StreamNote(at, pitch, 80, end, (0,), True) for at, pitch, end in rows]) == [
        True,
        False,
        False,  # over what is held
        True,  # what was below has ended at this very moment
        True,
        False,  # in its chord another is lower
        True,
    ]


def test_the_notes_of_the_lowest_track_that_lie_above_others_are_no_bass_line() -> None:
    left: list[Row] = [(beat, 0.9, pitch, 90) for beat in range(96) for pitch in (40 + beat % 3, 52 + beat % 3)]
    right: list[Row] = [(beat + 0.5, 0.4, 76 + beat % 5, 90) for beat in range(96)]
    tracks = tuple(track(rows, FOUR, channel=i, chunk=i) for i, rows in enumerate((right, left)))
    notes = tuple(merged_notes(tracks, 8 * BAR, 16 * BAR))
    result = measure(Passage(tracks, FOUR, 8 * BAR, notes))
    assert (result.bass_notes, result.line_notes, result.lowest_notes) == (64, 32, 32)
    assert result.line_right == result.lowest_right == 32


def test_what_tracks_double_is_doubled_again() -> None:
    tracks = [one for one in band(FOUR, 16) if not one.is_percussion]
    lead, double = 2, 3
    one = assigner(tracks, 16)
    found = one.assign(16 * BAR, 73, 90, is_last=False).tracks  # the strings are above
    assert set(found) == {lead, double}
    assert set(one.release(9 * BAR, 73)) == {lead, double}


def test_a_monophonic_track_ends_its_note_when_it_is_given_a_second() -> None:
    one = assigner(trio(), only=0)
    assert one.assign(8 * BAR, 79, 90, is_last=True) == ((0,), ())
    assert one.assign(8 * BAR + 0.5, 81, 90, is_last=True) == ((0,), ((0, 79),))
    assert one.release(9 * BAR, 79) == ()  # it has ended
    assert one.release(9 * BAR, 81) == (0,)
    chords = assigner(trio(), only=1)
    assert chords.assign(8 * BAR, 60, 70, is_last=False) == ((1,), ())
    assert chords.assign(8 * BAR, 64, 70, is_last=True) == ((1,), ())


def test_a_restruck_note_ends_the_one_that_sounds() -> None:
    one = assigner(trio())
    first = one.assign(8 * BAR, 36, 100, is_last=True).tracks
    assert one.assign(8 * BAR + 0.5, 36, 100, is_last=True).tracks == first
    assert one.release(9 * BAR, 36) == first
    assert one.release(9 * BAR, 36) == ()


def test_a_copy_goes_on_by_itself() -> None:
    one = assigner(trio())
    main = one.assign(8 * BAR, 36, 100, is_last=True).tracks
    other = one.copy()
    assert one.release(9 * BAR, 36) == main
    assert other.release(9 * BAR, 36) == main
    assert other.release(9 * BAR, 36) == ()


def test_tracks_that_cannot_be_chosen() -> None:
    with pytest.raises(ValueError, match="not drums"):
        assigner([])
    with pytest.raises(ValueError, match="not drums"):
        assigner([*trio(), drums([(0, 0.1, 36, 100)], FOUR)])
    with pytest.raises(ValueError, match="no track 3"):
        assigner(trio(), only=3)


def test_a_prompt_without_notes_and_one_of_a_single_track_work() -> None:
    silent = [track([], FOUR), track([], FOUR)]
    assert len(assigner(silent).assign(16.0, 60, 80, is_last=True).tracks) == 1
    assert assigner(trio()[:1]).assign(16.0, 60, 80, is_last=True).tracks == (0,)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 60), st.integers(0, 127), st.integers(1, 127), st.booleans(), st.booleans()),
        min_size=1,
        max_size=60,
    )
)
def test_whatever_is_played_every_note_has_a_track_and_ends(events: list[tuple[int, int, int, bool, bool]]) -> None:
    """Monophonic tracks sound one note at most, and each note-off finds the tracks that sound its note."""
    one = assigner(trio())
    now, sounding = 8 * BAR, [set[int]() for _ in range(3)]
    for step, pitch, velocity, strikes, is_last in events:
        now += step / 100
        for i in one.release(now, pitch):
            sounding[i].remove(pitch)
        if strikes:
            found = one.assign(now, pitch, velocity, is_last)
            assert len(set(found.tracks)) == len(found.tracks) >= 1
            for i, ended in found.ended:
                sounding[i].remove(ended)
            for i in found.tracks:
                sounding[i].add(pitch)
        assert len(sounding[0]) <= 1
        assert len(sounding[2]) <= 1
    for pitch in range(128):
        for i in one.release(now, pitch):
            sounding[i].remove(pitch)
    assert not any(sounding)


def test_what_sounds_around_a_pitch_is_counted_once_whoever_plays_it() -> None:
    state = TrackState(3)
    where = MetricPosition(0.0, 0.0, 4.0)
    for pitch, tracks in ((40, [0]), (52, [0, 1]), (60, [1]), (61, [2]), (62, [2]), (63, [2])):
        state.strike(pitch, where, tracks)
    assert state.around(52) == (1, 4)
    assert state.around(30) == (0, 4)
    state.release(0.0, 63)
    assert state.around(61) == (3, 1)
    assert TrackState(2).around(60) == (0, 0)


def test_of_a_long_prompt_the_last_notes_are_learned() -> None:
    tracks = [one for one in band(FOUR, 120) if not one.is_percussion]
    notes = PromptModel(tracks, 120 * BAR, None, FOUR).notes
    assert notes == merged_notes(tracks, None, 120 * BAR)[-MOST_LEARNED:]
    assert len(notes) == MOST_LEARNED


def test_features_are_finite() -> None:
    seen = []

    class Watched(TrackAssigner):
        def choose(self, table: np.ndarray) -> int:
            seen.append(table)
            return super().choose(table)

    one = Watched(trio(), 8 * BAR, None, FOUR)
    play(one, merged_notes(trio(), 0.0, 2 * BAR))
    assert all(np.isfinite(table).all() for table in seen)
