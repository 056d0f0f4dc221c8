"""Filling by models that are told what follows: what they read, and what holds of what they make."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from core.codec.events import GridNote, encode_grid
from core.codec.gap import Gap, make_gap
from core.codec.vocabulary import SUFFIX, TIME_SHIFT, VELOCITY, middle, shift_steps
from core.generation.engine import Cancelled, Engine
from core.generation.filling.fill_rounds import FillStep
from core.generation.filling.filler import Candidates, LeftToRightFiller
from core.generation.filling.middle_filler import MiddleFiller, encode_gap, filler_for
from core.generation.filling.middle_row import MiddleRow
from core.generation.options import Options, Sampling
from core.generation.prompt_summary import summarize
from core.midi.grid import Grid
from core.midi.region import Region
from core.midi.score import Score
from core.midi.tempo_map import TempoMap
from core.model.transformer import ModelConfig, with_symbols
from core.training.data.middles import divide, span_of
from core.training.data.notes import score_notes
from tests.core.generation.filling.test_filler import BASS, CONVENTIONS, ENGINE, MELODY, around, gap_of, track_of
from tests.core.generation.test_continuation import small_engine

CONFIG = ModelConfig(n_layer=1, n_head=2, n_embd=16, block_size=512, vocab_size=462)
FILLER = MiddleFiller(Engine(with_symbols(ENGINE._model), torch.device("cpu")))


def test_the_filler_is_chosen_by_what_the_model_knows() -> None:
    assert isinstance(filler_for(small_engine(CONFIG)), MiddleFiller)
    assert isinstance(filler_for(small_engine(replace(CONFIG, vocab_size=390))), LeftToRightFiller)


def test_what_is_read_before_a_gap_is_laid_out_as_in_training() -> None:
    score = Score("", 1, TempoMap(480, (), ()), (MELODY, BASS), (), ())
    notes = score_notes(score)
    parts = divide(notes, 0.0, span_of(notes, 3208, 6408), CONVENTIONS, 10_000)
    assert parts is not None
    assert parts.seam == 200
    window = parts.window(CONVENTIONS, 10_000, 0.4)
    assert window is not None
    gap = gap_of((around(MELODY), around(BASS)))
    assert encode_gap(gap, CONVENTIONS, 10_000) == window[: -len(parts.new) - 1].tolist()

    short = encode_gap(gap, CONVENTIONS, 60)
    shorter = parts.window(CONVENTIONS, 60 + len(parts.new) + 1, 0.4)
    assert short is not None
    assert shorter is not None
    assert len(short) == 60
    assert short == shorter[:60].tolist()
    assert encode_gap(gap, CONVENTIONS, 20) is None


def test_what_is_kept_in_a_gap_is_told_before_it_is_filled() -> None:
    context = encode_gap(gap_of((around(MELODY), BASS)), CONVENTIONS, 10_000)
    assert context is not None
    at = context.index(SUFFIX)
    # The bass changes half a second into the gap; the melody goes on behind it, 2 seconds later.
    assert context[at + 1 : at + 6] == [305, 128 + 36, 356 + 15, 38, 355]
    assert context[-1] == middle(2.0)


def sampled(gap: Gap, ids: list[int]) -> MiddleRow:
    """A row whose model expects just these events."""
    row = MiddleRow(gap, Options(Sampling(0.0)), 0, summarize(gap.prompt))
    for event in ids:
        assert not row.is_over
        logits = np.zeros(390, np.float32)
        logits[event] = 50
        row.next(logits)
    return row


def test_the_true_middle_can_be_sampled_event_by_event() -> None:
    true = [note for note in gap_of((MELODY,)).kept if 0 <= note.start < 200]
    # The last one rings on over the gap's end.
    true[-1] = true[-1]._replace(end=230)
    ids = encode_grid(true, CONVENTIONS, starts_piece=False, seam=200)
    row = sampled(gap_of((around(MELODY), BASS), rings_to=4.5), ids)
    assert row.is_over
    assert row.events == ids
    assert row.on_grid == true
    assert [(n.pitch, n.start, n.end) for n in row.notes] == [(n.pitch, n.start / 100, n.end / 100) for n in true]


def test_a_new_note_ends_where_a_kept_one_of_its_pitch_begins_and_none_begins_over_it() -> None:
    row = sampled(gap_of((BASS,)), [356 + 20, 38, 355])  # on 38, a second long; the bass plays it after half of one
    assert row.on_grid == []
    assert shift_steps(row.events[-1]) == 50
    row.next(np.zeros(390, np.float32))
    assert row.on_grid == [GridNote(0, 38, 50, 20)]
    assert 38 in row._grammar.held
    assert not row._grammar.allowed()[38]


def lively(gap: Gap, seed: int) -> MiddleRow:
    """A row of a model that expects anything, time shifts less than notes."""
    row = MiddleRow(gap, Options(Sampling(1.0), seed=seed), 0, summarize(gap.prompt))
    random, bias = np.random.default_rng(seed), np.zeros(390, np.float32)
    bias[TIME_SHIFT.first : TIME_SHIFT.end] = -3
    while not row.is_over:
        row.next(random.standard_normal(390).astype(np.float32) + bias)
    return row


@pytest.mark.parametrize("grid", [None, Grid(0.5, 0.0, (4,))])
@pytest.mark.parametrize("rings_to", [0.0, 4.3])
def test_new_notes_keep_clear_of_what_is_kept(grid: Grid | None, rings_to: float) -> None:
    gap = gap_of((around(MELODY), BASS), rings_to, grid)
    made = [lively(gap, seed).notes for seed in range(6)]
    assert all(len(notes) > 4 for notes in made)
    latest = max(rings_to - 2.0, 2.0) + 0.011
    for note in (note for notes in made for note in notes):
        assert 0 <= note.start < 2.0
        assert note.start < note.end <= latest
        assert note.pitch != 36 or note.start >= 0.5
        assert note.pitch != 38 or note.end <= 0.5 + 0.006
        if grid:
            assert note.start * 8 == pytest.approx(round(note.start * 8), abs=0.01)
    assert rings_to == 0.0 or any(note.end > 2.02 for notes in made for note in notes)


def test_each_event_is_told_as_it_comes() -> None:
    heard: dict[int, list[FillStep]] = {}
    made = FILLER.candidates(
        gap_of((around(MELODY), BASS), rings_to=4.3),
        Options(Sampling(1.5), seed=5, takes=8),
        on_step=lambda step: heard.setdefault(step.candidate, []).append(step),
    )
    assert made.ended == made.sampled
    assert len(made.sampled) == len(heard) == 8
    assert sum(len(candidate.notes) for candidate in made.sampled) > 8
    for i, candidate in enumerate(made.sampled):
        assert candidate.seed == 5 + i
        steps = heard[i]
        assert [step.is_filled for step in steps] == [False] * (len(steps) - 1) + [True]
        assert steps[-1].head >= 2.0
        messages = [m for step in steps for m in step.messages]
        assert len(messages) == 2 * len(candidate.notes)
        assert sorted(m.pitch for m in messages if m.velocity) == sorted(n.pitch for n in candidate.notes)


def test_every_row_follows_the_grammar_of_middles() -> None:
    gap = gap_of((around(MELODY), BASS), rings_to=6.0)
    for seed in range(20):
        row = lively(gap, seed)
        step, steps, sounding = 0, [0], set[int]()
        for i, event in enumerate(row.events):
            if VELOCITY.first <= event:
                assert row.events[i + 1] < 128
            elif event < 128:
                assert step < 200
                assert any(VELOCITY.first <= e for e in row.events[:i])
                assert event not in sounding
                sounding.add(event)
            elif event < 256:
                sounding.remove(event - 128)
            else:
                step += shift_steps(event)
                steps.append(step)
        assert not sounding
        assert 200 in steps
        assert step <= 400


def test_the_same_seed_gives_the_same_notes() -> None:
    gap, options = gap_of((around(MELODY), BASS)), Options(Sampling(1.0), seed=3, takes=2)
    assert FILLER.fill(gap, options) == FILLER.fill(gap, options)


def test_candidates_are_judged_as_from_left_to_right() -> None:
    gap, options = gap_of((around(MELODY), BASS)), Options(Sampling(1.5), seed=1, takes=8)
    made = FILLER.candidates(gap, options)
    whole = gap_of((MELODY, BASS)).kept
    judged = LeftToRightFiller(FILLER.engine).candidates(gap, options, [whole]).given
    assert FILLER.candidates(gap, options, [whole]).given[0].score == pytest.approx(judged[0].score, abs=0.5)
    assert len({candidate.score for candidate in made.sampled}) > 2
    best_first = FILLER.fill(gap, options)
    assert [c.score for c in best_first] == sorted((c.score for c in made.sampled), reverse=True)


@pytest.mark.parametrize(("end", "most"), [(60.0, 512), (4.0, 32)])
def test_what_is_too_long_or_holds_too_much_is_filled_from_left_to_right(
    end: float, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    filler = MiddleFiller(small_engine(replace(CONFIG, block_size=most)))
    gap = make_gap((BASS, around(MELODY)), Region(2.0, end), CONVENTIONS)
    asked: list[Gap] = []

    def candidates(self: LeftToRightFiller, gap: Gap, *rest: object) -> Candidates:
        asked.append(gap)
        return Candidates([], [], [])

    monkeypatch.setattr(LeftToRightFiller, "candidates", candidates)
    assert filler.fill(gap, Options(takes=1)) == []
    assert asked == [gap]


def test_nothing_around_gives_new_notes_all_the_same() -> None:
    gap = make_gap((track_of(),), Region(0.0, 2.0), CONVENTIONS)
    assert any(candidate.notes for candidate in FILLER.fill(gap, Options(Sampling(1.5), takes=3)))


def test_a_candidate_without_notes_is_judged_as_one_where_nothing_is_kept_either() -> None:
    gap = make_gap((track_of(),), Region(0.0, 2.0), CONVENTIONS)
    [judged] = LeftToRightFiller(FILLER.engine).judge(gap, Options(Sampling(1.5), takes=1), [()])
    assert judged.notes == ()
    assert set(judged.scores.values()) == {0.0}


def test_a_window_that_is_full_goes_on() -> None:
    filler = MiddleFiller(small_engine(replace(CONFIG, block_size=128)))
    made = filler.fill(gap_of((around(MELODY), BASS), rings_to=6.0), Options(Sampling(2.0), seed=2, takes=2))
    assert all(0 <= note.start < 2.0 for candidate in made for note in candidate.notes)


def test_a_fill_that_is_no_longer_wanted_ends_at_once() -> None:
    count = 0

    def cancelled() -> bool:
        nonlocal count
        count += 1
        return count > 10

    with pytest.raises(Cancelled):
        FILLER.fill(gap_of((BASS,)), Options(takes=2), cancelled=cancelled)
    assert count == 11
