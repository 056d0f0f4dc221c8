from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch

from core.codec.events import GridNote, encode_grid, grid_notes
from core.codec.gap import Gap, make_gap, placed_notes
from core.codec.steps import gridded_steps
from core.generation.engine import Cancelled
from core.generation.filling.fill_rounds import FillStep
from core.generation.filling.fill_row import FillRow
from core.generation.filling.filler import Candidate, LeftToRightFiller, choose
from core.generation.knobs import LOUDER
from core.generation.options import Options, Sampling
from core.generation.prompt_summary import summarize
from core.midi.grid import Grid
from core.midi.region import Region
from core.midi.score import Note, Pedal, TakeNote, Track
from core.model.transformer import ModelConfig
from core.session.knobs import Knobs
from tests.core.generation.test_continuation import small_engine

ENGINE = small_engine(ModelConfig(n_layer=1, n_head=2, n_embd=16, block_size=512))
CONVENTIONS = ENGINE.config.conventions


def track_of(*notes: tuple[int, float, float], velocity: int = 80, pedals: tuple[Pedal, ...] = ()) -> Track:
    """(pitch, start, end) in seconds, at 480 ticks of 120 bpm."""
    rows = sorted(notes, key=lambda note: (note[1], note[0]))
    return Track(
        "", 0, 0, tuple(Note(p, velocity, s, e, round(s * 960), round(e * 960)) for p, s, e in rows), pedals, (), 0
    )


MELODY = track_of(*((60 + i % 7, i / 4, i / 4 + 0.2) for i in range(40)), velocity=90)
BASS = track_of((36, 0.0, 2.5), (38, 2.5, 4.6), (40, 4.6, 9.0), velocity=60)
REGION = Region(2.0, 4.0)


def gap_of(kept: tuple[Track, ...], rings_to: float = 0.0, grid: Grid | None = None) -> Gap:
    return make_gap(kept, REGION, CONVENTIONS, grid, rings_to)


def around(track: Track) -> Track:
    kept, _ = REGION.divided(track.notes)
    return track_of(*((n.pitch, n.start, n.end) for n in kept), velocity=track.notes[0].velocity)


def test_what_sounds_into_a_gap_is_not_let_go_before_it() -> None:
    gap = gap_of((around(MELODY), BASS))
    assert gap.kept[0] == GridNote(-200, 36, 50, 15)
    assert (gap.end, gap.rings_to) == (200, 200)
    assert [(n.start, n.pitch) for n in gap.kept[1:4]] == [(50, 38), (200, 62), (225, 63)]
    everything = encode_grid(grid_notes([MELODY, BASS]), CONVENTIONS)
    assert gap.prompt.events == tuple(everything[: len(gap.prompt.events)])
    assert gap_of((around(MELODY), BASS), rings_to=4.31).rings_to == 231


def test_the_pedal_holds_what_is_kept() -> None:
    held = track_of((50, 1.0, 1.5), (52, 5.0, 5.5), pedals=(Pedal(1.2, 2.7, 0, 0),))
    assert gap_of((held,)).kept == (GridNote(-100, 50, 70, 20), GridNote(300, 52, 350, 20))


def test_steps_follow_the_tempo_behind_the_gap() -> None:
    grid = Grid(0.5, 0.0, (4,), ((2.0, 1.0),))  # half as fast from a second behind the marker on
    steps = gridded_steps(grid, 2.0)
    for step in (0, 40, 100, 101, 260):
        assert steps.place(steps.seconds(step)) == pytest.approx(step)
    half_as_fast = track_of((60, 2.0, 2.5), (62, 3.0, 4.0))
    assert [(n.start, n.end) for n in placed_notes([half_as_fast], REGION, steps)] == [
        (round(steps.place(0.0)), round(steps.place(0.5))),
        (round(steps.place(1.0)), round(steps.place(2.0))),
    ]


def test_a_given_middle_is_read_as_the_music_is_written_and_scored_as_the_network_does() -> None:
    gap = gap_of((around(MELODY), BASS), rings_to=4.0)
    steps = gap.prompt.steps
    whole = placed_notes([MELODY, BASS], REGION, steps)
    given = LeftToRightFiller(ENGINE).candidates(gap, Options(takes=1), [whole]).given[0]
    assert [(n.pitch, n.start, n.end) for n in given.notes] == [
        (n.pitch, pytest.approx(n.start - 2, abs=0.006), pytest.approx(n.end - 2, abs=0.006))
        for n in REGION.divided(MELODY.notes)[1]
    ]
    # The network by itself, over the piece's events up to the last note that is read.
    events = encode_grid(grid_notes([MELODY, BASS]), CONVENTIONS)
    last = max(i for i, e in enumerate(events) if e < 128) + 1
    ids = torch.tensor([events[:last]])
    with torch.inference_mode():
        logs = ENGINE._model(ids).log_softmax(-1)[0, :-1].gather(1, ids[0, 1:, None])[:, 0]
    tick, follow, seam, inside = 0, 0.0, 0.0, 0.0
    for event, log in zip(events[1:last], logs.tolist(), strict=True):
        before = tick
        tick += event - 255 if 256 <= event < 356 else 0
        if before >= 400:
            follow += log
        elif tick >= 400:
            seam += log
        elif event == 38 or (tick == 250 and event == 356 + 15):
            inside += log
    assert given.scores["follow"] == pytest.approx(follow, rel=0.05)
    assert given.scores["seam"] == pytest.approx(seam, rel=0.05, abs=0.1)
    assert given.scores["inside"] == pytest.approx(inside, rel=0.05, abs=0.1)


def test_where_the_notes_of_a_given_middle_end_is_no_part_of_what_follows() -> None:
    gap = gap_of((around(MELODY), BASS), rings_to=4.6)
    scored = []
    for end in (3.9, 4.13, 4.55):
        notes = placed_notes([around(MELODY), BASS, track_of((90, 3.0, end))], REGION, gap.prompt.steps)
        row = FillRow(gap, Options(), 0, summarize(gap.prompt), CONVENTIONS, notes)
        while not row.is_over:
            row.next(np.zeros(390, np.float32))
        scored.append(len(row.scores["follow"]))
    assert len(set(scored)) == 1


@pytest.mark.parametrize("grid", [None, Grid(0.5, 0.0, (4,))])
def test_kept_notes_are_read_at_their_times_and_new_ones_keep_clear_of_them(grid: Grid | None) -> None:
    gap = gap_of((around(MELODY), BASS), rings_to=4.3, grid=grid)
    heard: dict[int, list[FillStep]] = {}
    made = LeftToRightFiller(ENGINE).candidates(
        gap, Options(Sampling(1.5), seed=5, takes=4), (), lambda step: heard.setdefault(step.candidate, []).append(step)
    )
    assert len(made.sampled) == len(made.ended) == len(heard) == 4
    assert sum(len(c.notes) for c in made.sampled) > 10
    for candidate in (*made.sampled, *made.ended):
        for note in candidate.notes:
            assert 0 <= note.start < 2.0
            assert note.start < note.end <= 2.3 + 0.011
            assert note.pitch != 36 or note.start >= 0.5
            assert note.pitch != 38 or note.end <= 0.5 + 0.006
            if grid:
                assert note.start * 8 == pytest.approx(round(note.start * 8), abs=0.01)
    for i, candidate in enumerate(made.sampled):
        assert candidate.seed == 5 + i
        steps = heard[i]
        assert [step.is_filled for step in steps] == [False] * (len(steps) - 1) + [True]
        begun = [m.pitch for step in steps for m in step.messages if m.velocity]
        assert sorted(begun) == sorted(n.pitch for n in candidate.notes)


def test_the_best_candidates_keep_the_best_of_several_endings() -> None:
    gap = gap_of((around(MELODY), BASS), rings_to=4.3)
    made = LeftToRightFiller(ENGINE).candidates(gap, Options(Sampling(1.5), seed=5, takes=6))
    pairs = list(zip(made.sampled, made.ended, strict=True))
    changed = [(old, new) for old, new in pairs if new != old]
    assert changed
    best = sorted(made.sampled, key=lambda candidate: -candidate.score)[:4]
    for old, new in changed:
        assert new.score > old.score
        assert new.seed == old.seed
        assert old in best
        first = min({*old.notes} ^ {*new.notes}, key=lambda note: note.end)
        assert first.end > 0.5  # of two seconds: what comes before is the same
        assert [n for n in old.notes if n.end < first.end] == [n for n in new.notes if n.end < first.end]


def test_knobs_go_on_their_curve_over_the_gap() -> None:
    fading = Options(Sampling(1.5), takes=6, seconds=2.0, dynamics="flat", knobs=Knobs(loud=-2, gradual=("loud",)))
    made = LeftToRightFiller(ENGINE).candidates(gap_of((around(track_of((60, 0.0, 1.0), (62, 1.0, 2.0))),)), fading)
    notes = [note for candidate in made.sampled for note in candidate.notes]
    assert max(abs(note.velocity - 80 + LOUDER * note.start) for note in notes) < LOUDER
    assert min(note.velocity for note in notes) < 80 - LOUDER / 2


def test_a_candidate_that_has_come_to_the_end_at_once_has_no_other_endings() -> None:
    gap = replace(gap_of((around(MELODY),)), end=1, rings_to=1)
    made = LeftToRightFiller(ENGINE).candidates(gap, Options(Sampling(1.5), takes=1))
    assert made.ended == made.sampled


def test_new_notes_ring_on_over_the_end_until_the_model_lets_them_go() -> None:
    gap = gap_of((around(MELODY), BASS), rings_to=6.0)
    made = LeftToRightFiller(ENGINE).candidates(gap, Options(Sampling(1.5), seed=1, takes=8))
    ends = {note.end for candidate in (*made.sampled, *made.ended) for note in candidate.notes if note.end > 2.0}
    assert len(ends) > 2
    assert max(ends) <= 4.0
    # Nothing of it tells: the seam is the time shift over the end.
    rows = [FillRow(gap, Options(Sampling(1.5), seed=1), i, summarize(gap.prompt), CONVENTIONS) for i in range(4)]
    for row in rows:
        while not row.is_over:
            row.next(np.zeros(390, np.float32))
        assert len(row.scores["seam"]) == 1


def test_what_is_read_at_once_counts_as_what_is_read_event_by_event() -> None:
    gap = gap_of((around(MELODY), BASS), rings_to=4.0)

    def logits(count: int) -> np.ndarray:
        return np.random.default_rng(count).normal(size=390).astype(np.float32)

    def read(first: int, events: Sequence[int]) -> np.ndarray:
        return np.array([logits(first + i) for i in range(1, len(events) + 1)])

    for seed in range(4):
        one, other = (FillRow(gap, Options(seed=seed), 0, summarize(gap.prompt), CONVENTIONS) for _ in range(2))
        while not one.is_over:
            one.next(logits(len(one.events)))
        while not other.is_settled:
            other.next(logits(len(other.events)))
        assert not other.is_over
        first = len(other.events)
        other.finish(logits(first), partial(read, first))
        assert other.is_over
        assert (other.events, other.notes, other.scores) == (one.events, one.notes, one.scores)


def test_a_full_window_is_read_on_in() -> None:
    """Far more follows and stands in the gap than a window holds."""
    engine = small_engine(ModelConfig(n_layer=1, n_head=2, n_embd=16, block_size=64))
    gap = gap_of((around(MELODY), BASS))
    whole = placed_notes([MELODY, BASS], REGION, gap.prompt.steps)
    made = LeftToRightFiller(engine).candidates(gap, Options(Sampling(1.5), seed=5, takes=3), [whole])
    assert len(made.given[0].notes) == 8
    wide = LeftToRightFiller(ENGINE).candidates(gap, Options(takes=1), [whole]).given[0]
    assert made.given[0].scores["follow"] == pytest.approx(wide.scores["follow"], rel=0.2)


def test_a_time_shift_leads_over_the_start_of_a_gap_as_far_as_the_model_wants() -> None:
    early = track_of(*((60, i / 4, i / 4 + 0.2) for i in range(8)), (60, 6.0, 6.2))  # let go 0.05 s before the gap
    gap = gap_of((early,))
    assert gap.prompt.events[-1] == 256 + 4
    row = FillRow(gap, Options(), 0, summarize(gap.prompt), CONVENTIONS)
    logits = np.zeros(390, np.float32)
    logits[256 + 2], logits[256 + 34] = 60.0, 30.0  # 0.03 s would end before the gap; 0.35 s
    assert row.next(logits) == []
    assert row.events == [256 + 34]
    assert row.head == pytest.approx(0.3)
    logits[70] = 90.0
    [struck] = row.next(logits)
    assert (struck.pitch, struck.time) == (70, pytest.approx(0.3))


def test_a_time_shift_over_the_start_of_a_gap_ends_where_a_kept_note_begins() -> None:
    early = track_of(*((60, i / 4, i / 4 + 0.2) for i in range(8)), (60, 2.1, 2.3))
    kept = (replace(early, notes=early.notes[:8]), track_of((40, 2.1, 2.3)))
    gap = gap_of(kept)
    for given, seen in ((None, [256 + 14]), (gap.kept, [256 + 14])):
        row = FillRow(gap, Options(), 0, summarize(gap.prompt), CONVENTIONS, given)
        logits = np.zeros(390, np.float32)
        logits[256 + 99] = 60.0  # a whole second
        row.next(logits)
        assert row.events == seen
        assert row.head == pytest.approx(0.1)


def test_each_velocity_is_said_where_the_model_wants_it_so() -> None:
    config = ModelConfig(n_layer=1, n_head=2, n_embd=16, block_size=512, velocity="each")
    engine = small_engine(config)
    gap = make_gap((around(MELODY), BASS), REGION, engine.config.conventions)
    whole = placed_notes([MELODY, BASS], REGION, gap.prompt.steps)
    given = LeftToRightFiller(engine).candidates(gap, Options(takes=1), [whole]).given[0]
    assert len(given.notes) == 8
    assert all(n.velocity == 90 for n in given.notes)


def test_nothing_around_gives_new_notes_all_the_same() -> None:
    gap = make_gap((track_of(),), Region(0.0, 2.0), CONVENTIONS)
    made = LeftToRightFiller(ENGINE).fill(gap, Options(Sampling(1.5), takes=3))
    assert any(candidate.notes for candidate in made)
    assert [c.score for c in made] == sorted((c.score for c in made), reverse=True)


def test_a_fill_that_is_no_longer_wanted_ends_at_once() -> None:
    count = 0

    def cancelled() -> bool:
        nonlocal count
        count += 1
        return count > 10

    with pytest.raises(Cancelled):
        LeftToRightFiller(ENGINE).fill(gap_of((BASS,)), Options(takes=2), cancelled=cancelled)
    assert count == 11


def test_the_chosen_are_apart_as_far_as_there_are_such() -> None:
    def candidate(score: float, *pitches: int) -> Candidate:
        notes = tuple(TakeNote(pitch, 80, i / 4, i / 4 + 0.2) for i, pitch in enumerate(pitches))
        return Candidate(notes, 0, {"inside": 0.0, "seam": 0.0, "follow": score}, 0.0, score)

    best, like, other = candidate(-1, 60, 62, 64, 65), candidate(-2, 60, 62, 64, 65), candidate(-3, 84, 30)
    assert choose([best, like, other], 2, 2.0) == [best, other]
    assert choose([best, like, other], 3, 2.0) == [best, like, other]
    assert choose([best, like], 2, 2.0) == [best, like]


def test_what_is_like_the_music_around_is_judged_better() -> None:
    gap = gap_of((around(MELODY), BASS))
    steps = gap.prompt.steps
    like = placed_notes([MELODY, BASS], REGION, steps)
    # As much before and behind the gap as in it, and twice as many notes, two octaves higher.
    other = track_of(*((84 + i % 7, 2 + i / 8, 2 + i / 8 + 0.1) for i in range(16)), velocity=90)
    unlike = placed_notes([around(MELODY), other, BASS], REGION, steps)
    near, far = LeftToRightFiller(ENGINE).candidates(gap, Options(takes=1), [like, unlike]).given
    assert near.apart < 0.1 < 0.3 < far.apart
    assert near.score == pytest.approx(
        near.scores["inside"] + 0.3 * near.scores["seam"] + near.scores["follow"] - 35 * near.apart
    )


def test_an_onset_close_before_the_end_does_not_count_against_a_candidate() -> None:
    gap = gap_of((around(MELODY), BASS))
    given = [
        placed_notes([around(MELODY), BASS, track_of((60, start, 4.2))], REGION, gap.prompt.steps)
        for start in (3.96, 3.98)
    ]
    for candidate, nats in zip(
        LeftToRightFiller(ENGINE).candidates(gap, Options(takes=1), given).given, (0, 3), strict=True
    ):
        scores = candidate.scores["inside"] + 0.3 * candidate.scores["seam"] + candidate.scores["follow"]
        assert candidate.score == pytest.approx(scores - 35 * candidate.apart + nats)


def test_a_rest_before_a_gap_counts_as_rest() -> None:
    early = track_of(*((60, i / 4, i / 4 + 0.2) for i in range(4)), (60, 4.0, 4.2))  # silent from 1 s to the gap at 2 s
    gap = gap_of((early,))
    sparse = placed_notes([early, track_of((60, 2.0, 2.2), (60, 3.0, 3.2))], REGION, gap.prompt.steps)
    dense = placed_notes(
        [early, track_of(*((60, 2 + i / 8, 2.1 + i / 8) for i in range(16)))], REGION, gap.prompt.steps
    )
    few, many = LeftToRightFiller(ENGINE).candidates(gap, Options(takes=1), [sparse, dense]).given
    assert few.apart < many.apart
