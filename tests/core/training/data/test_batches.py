"""Crops, plans and batches."""

import pickle
from contextlib import closing
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import torch

from core.codec.events import Conventions, decode, encode
from core.codec.vocabulary import BOUNDARY, PADDING, VELOCITY
from core.midi.read import read_score
from core.training.data.batches import epoch_plan, held_out_batches, parts, stack
from core.training.data.corpus import Corpus
from core.training.data.crops import LEVELS, first_events, random_crop
from core.training.data.feed import Feed, batches
from core.training.recipes import BOOK_RECIPE, Augmentation
from tests.core.training.tunes import TINY_RECIPE, tiny_corpus


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    return tiny_corpus(tmp_path_factory.mktemp("batches"))


def test_one_version_of_a_song_per_epoch_and_sources_by_weight(corpus: Corpus) -> None:
    pieces = [replace(p, events=40) for p in corpus.of_split("train")]
    for epoch in range(8):
        plan = epoch_plan(pieces, TINY_RECIPE, {}, 0, epoch)
        assert len({p.song for p in plan}) == len(plan) == len({p.song for p in pieces})
    versions = {p.path for e in range(8) for p in epoch_plan(pieces, TINY_RECIPE, {}, 0, e) if p.song == "midi/song0"}
    assert len(versions) == 2
    assert len(epoch_plan(pieces, TINY_RECIPE, {"midi": 3.0}, 0, 0)) == 3 * len({p.song for p in pieces})
    assert epoch_plan(pieces, TINY_RECIPE, {"midi": 0.0}, 0, 0) == []


def test_crops_without_augmentation_are_stretches_of_the_piece(corpus: Corpus) -> None:
    # Songs without pedal: notes held into a crop from before it are let go in the file only.
    for piece in (p for p in corpus.pieces if int(p.song[-1]) % 2 == 0):
        whole = [BOUNDARY, *corpus.events(piece).tolist(), BOUNDARY]
        for seed in range(40):
            rng = np.random.default_rng(seed)
            crop = random_crop(corpus.notes(piece), piece, Conventions(), 49, None, rng).tolist()
            assert 30 <= len(crop) <= 49
            if crop[0] == BOUNDARY:
                assert crop == whole[:49]
                continue
            # A restated velocity, then events as they stand.
            assert VELOCITY.first <= crop[0] < VELOCITY.end
            tail = crop[1:]
            assert any(whole[i : i + len(tail)] == tail for i in range(len(whole)))


def test_crops_reach_both_ends(corpus: Corpus) -> None:
    piece = corpus.pieces[0]
    rng = np.random.default_rng(0)
    crops = [random_crop(corpus.notes(piece), piece, Conventions(), 49, None, rng).tolist() for _ in range(300)]
    starts = sum(crop[0] == BOUNDARY for crop in crops)
    ends = sum(crop[-1] == BOUNDARY for crop in crops)
    assert 15 < starts < 90
    assert ends > 5


def test_augmentation_stays_in_its_bounds(corpus: Corpus) -> None:
    piece = replace(corpus.pieces[2], quarter=0.0)
    true = decode(corpus.events(piece).tolist())
    heard = set()
    for seed in range(60):
        rng = np.random.default_rng(seed)
        crop = random_crop(corpus.notes(piece), piece, Conventions(), 10_000, Augmentation(), rng)
        if crop[0] != BOUNDARY:
            continue
        notes = decode(crop.tolist())
        up = notes[0].pitch - true[0].pitch
        stretch = notes[-1].start / true[-1].start
        assert -6 <= up <= 6
        assert 1 / 1.11 <= stretch <= 1 / 0.89
        assert [n.pitch - up for n in notes] == [n.pitch for n in true]
        heard.add(up)
    assert len(heard) > 8


def test_pieces_on_a_grid_get_tempi_at_which_it_falls_on_steps(corpus: Corpus) -> None:
    piece = corpus.pieces[2]
    assert piece.quarter == 0.5  # the tune's notes last an eighth
    on_steps, tempi = 0, set()
    for seed in range(200):
        rng = np.random.default_rng(seed)
        crop = random_crop(corpus.notes(piece), piece, Conventions(), 10_000, Augmentation(), rng)
        steps = np.rint(np.array([n.start for n in decode(crop.tolist())]) * 100)
        eighths = set(np.diff(steps).tolist())
        on_steps += len(eighths) == 1 and (2 * min(eighths)) % 4 == 0
        tempi.add(min(eighths))
        assert 25 / 1.4 - 3 <= min(eighths) <= max(eighths) <= 25 * 1.4 + 3
    assert 0.6 * 200 < on_steps < 0.95 * 200
    assert len(tempi) > 6


def test_music_of_one_level_gets_any_level(corpus: Corpus) -> None:
    piece = corpus.pieces[2]
    flat = corpus.notes(piece).copy()
    flat["velocity"] = 90
    levels = set()
    for seed in range(60):
        crop = random_crop(flat, piece, Conventions(), 10_000, Augmentation(), np.random.default_rng(seed))
        (level,) = {n.velocity for n in decode(crop.tolist())}
        levels.add(level)
    assert len(levels) > 10
    assert LEVELS[0] - 4 < min(levels) < 50
    assert 90 < max(levels) < LEVELS[1] + 4


def test_book_sees_the_first_events_and_an_end(corpus: Corpus) -> None:
    piece = corpus.pieces[0]
    conventions = BOOK_RECIPE.config.conventions
    events = encode(read_score(corpus.folder.parent / piece.path), conventions)
    inputs, targets = stack([first_events(corpus.notes(piece), conventions, 2049)], 1, 2048)

    n = len(events)
    assert inputs[0].tolist() == events + [PADDING] * (2048 - n)
    assert targets[0].tolist() == [*events[1:], BOUNDARY] + [PADDING] * (2048 - n)
    inputs, targets = stack([first_events(corpus.notes(piece), conventions, 31)], 1, 30)
    assert inputs[0].tolist() == events[:30]
    assert targets[0].tolist() == events[1:31]


def test_processes_share_the_global_batch(corpus: Corpus) -> None:
    whole = Feed(corpus, corpus.of_split("train"), TINY_RECIPE, {}, 0)
    shares = [Feed(corpus, corpus.of_split("train"), TINY_RECIPE, {}, 0, rank=r, world=2) for r in range(2)]

    assert whole.steps(0) == shares[0].steps(0) == shares[1].steps(0) > 1
    for step in range(whole.steps(0)):
        both = [row.tolist() for share in shares for row in share[0, step].inputs]
        assert sorted(whole[0, step].inputs.tolist()) == sorted(both)


def test_batches_go_on_from_any_place_and_into_the_next_epoch(corpus: Corpus) -> None:
    feed = Feed(corpus, corpus.of_split("train"), TINY_RECIPE, {}, 0)
    n = feed.steps(0)
    with closing(batches(feed, 0, 0, torch.device("cpu"))) as all_:
        whole = list(islice(all_, n + 2))
    assert [batch[:2] for batch in whole] == [*((0, i) for i in range(n)), (1, 0), (1, 1)]
    with closing(batches(feed, 0, n - 1, torch.device("cpu"))) as some:
        late = list(islice(some, 3))
    assert all(a[:2] == b[:2] and torch.equal(a.inputs, b.inputs) for a, b in zip(whole[n - 1 :], late, strict=True))
    with closing(batches(feed, 0, n, torch.device("cpu"))) as some:  # a run that stood at an epoch's end
        assert next(some)[:2] == (1, 0)


@pytest.mark.filterwarnings("ignore:'pin_memory' argument")  # where there is no GPU
def test_batches_made_ahead_for_a_gpu_are_the_same_in_the_same_order(corpus: Corpus) -> None:
    feed = Feed(corpus, corpus.of_split("train"), TINY_RECIPE, {}, 0)
    with (
        closing(batches(feed, 0, 1, torch.device("cuda"))) as ahead,
        closing(batches(feed, 0, 1, torch.device("cpu"))) as at_once,
    ):
        for a, b in islice(zip(ahead, at_once, strict=True), 2 * feed.steps(0)):
            assert a[:2] == b[:2]
            assert torch.equal(a.inputs, b.inputs)
            assert torch.equal(a.targets, b.targets)


def test_another_process_makes_the_same_batch(corpus: Corpus) -> None:
    feed = Feed(corpus, corpus.of_split("train"), TINY_RECIPE, {}, 0)
    data = pickle.dumps(feed)
    assert len(data) < (corpus.folder / "notes.u16").stat().st_size  # the arrays are not sent along
    assert torch.equal(pickle.loads(data)[0, 1].inputs, feed[0, 1].inputs)


def test_validation_is_the_same_each_time(corpus: Corpus) -> None:
    pieces = corpus.of_split("validation")
    windows = sum(-(-piece.events // TINY_RECIPE.config.block_size) for piece in pieces)
    assert windows > 2
    for most in (2, 100):
        first, second = (held_out_batches(corpus, pieces, TINY_RECIPE, most) for _ in range(2))
        assert sum(len(x) for x, _ in first) == min(most, windows)  # no song is read twice
        assert all((a == b).all() for (a, _), (b, _) in zip(first, second, strict=True))
    assert held_out_batches(corpus, [], TINY_RECIPE, 10) == []


def test_parts_are_the_batch_without_padding_at_its_end() -> None:
    crops = [np.arange(length, dtype=np.uint16) for length in (7, 3, 2, 5, 1)]
    inputs, targets = stack(crops, 9, 6)
    cut = parts(inputs, targets, 2)
    assert [x.shape for x, _ in cut] == [(2, 6), (2, 6)]  # the fifth crop's one event is no target
    for which, whole in enumerate((inputs, targets)):
        np.testing.assert_array_equal(np.concatenate([part[which].numpy() for part in cut]), whole[:4])
    assert [len(x) for x, _ in parts(inputs, targets, 3)] == [3, 3]
    assert [len(x) for x, _ in parts(inputs[:4], targets[:4], 3)] == [3, 1]
    assert [len(x) for x, _ in parts(*stack([], 9, 6), 4)] == [4]  # a process without a share takes part


def test_files_of_the_corpus_are_uint16(corpus: Corpus, tmp_path: Path) -> None:
    events = np.fromfile(corpus.folder / "events.u16", np.uint16)
    assert events.max() < BOUNDARY
    assert len(events) == sum(p.events for p in corpus.pieces)
