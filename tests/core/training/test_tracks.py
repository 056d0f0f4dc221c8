"""The weights that give notes to tracks are learned from songs whose tracks are known."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mido import MetaMessage

from core.midi.read import read_score
from core.tracks.evaluation import measure, passage_at
from core.tracks.features import FEATURES
from core.tracks.track_assignment import TrackAssigner, load_weights
from core.training.run.run_folder import RunFolder
from core.training.tracks import Examples, choose_passages, examples, fit, joined, joined_pairs, learn, save_weights
from tests.core.midi.builders import file_of, off, on

TWO_VOICES = [(36, 43), (40, 55), (72, 76), (74, 88)]  # of four songs: low against high, and what each plays


@pytest.fixture
def songs(tmp_path: Path) -> Path:
    folder = tmp_path / "songs"
    folder.mkdir()
    for k, (low, high) in enumerate(TWO_VOICES):
        bass = [m for i in range(96) for m in (on(low + i % 3, velocity=90), off(low + i % 3, 480))]
        lead = [m for i in range(192) for m in (on(high + 2 + i % 5, channel=1), off(high + 2 + i % 5, 240, channel=1))]
        (folder / f"{k}.mid").write_bytes(file_of(bass, lead))
    (folder / "broken.mid").write_bytes(b"no music")
    return folder


def test_what_was_learned_tells_voices_apart(songs: Path, tmp_path: Path) -> None:
    paths = sorted(songs.glob("*.mid"))
    passages = choose_passages(paths, 600, 2, seed=1)
    assert 600 <= sum(len(passage.notes) for passage in passages) < 1200
    said: list[str] = []
    with ThreadPoolExecutor(1) as pool:
        weights = learn(passages, 2, 0, pool, said.append)
    assert [words.split(":")[0] for words in said] == ["Round 1 of 2", "Round 2 of 2"]
    save_weights(weights, tmp_path / "weights.npz")
    read = load_weights(tmp_path / "weights.npz")
    assert np.allclose(read.hidden[0][0], weights.hidden[0][0], atol=1e-6)
    assert np.allclose(read.out, weights.out, atol=1e-6)
    found = [measure(passage, partial(TrackAssigner, weights=read)) for passage in passages]
    assert sum(f.right for f in found) / sum(f.notes for f in found) > 0.97


def test_the_same_seed_learns_the_same(songs: Path) -> None:
    passage = choose_passages(sorted(songs.glob("*.mid")), 100, 1, seed=3)[0]
    told = examples(passage, None, 0)
    assert told.counts.tolist() == [2] * len(passage.notes)
    assert told.owners.reshape(-1, 2).sum(1).tolist() == [len(note.tracks) for note in passage.notes]
    assert told.tables.shape == (2 * len(passage.notes), FEATURES)
    with ThreadPoolExecutor(1) as pool:
        one, other = (learn([passage], 1, 5, pool, lambda words: None) for _ in range(2))
    assert np.array_equal(one.hidden[0][0], other.hidden[0][0])


class Stopped(Exception):
    pass


@pytest.mark.parametrize("passages_before", [1, 4, 7])  # in each round
def test_what_was_broken_off_goes_on_and_learns_the_same(songs: Path, tmp_path: Path, passages_before: int) -> None:
    passages = choose_passages(sorted(songs.glob("*.mid")), 600, 1, seed=1)
    hours = iter(range(100))
    run = RunFolder(tmp_path / "run")

    class StoppingPool(ThreadPoolExecutor):
        left = passages_before

        def map(self, fn: Any, *iterables: Any, **options: Any) -> Iterator[Any]:
            for found in super().map(fn, *iterables, **options):
                if not self.left:
                    raise Stopped
                self.left -= 1
                yield found

    with StoppingPool(1) as pool, pytest.raises(Stopped):
        learn(passages, 3, 5, pool, lambda words: None, run, lambda: 3600.0 * next(hours))
    said: list[str] = []
    with ThreadPoolExecutor(1) as pool:
        going_on = learn(passages, 3, 5, pool, said.append, run)
        at_once = learn(passages, 3, 5, pool, lambda words: None)
    assert said[0].startswith("Going on from round")
    assert np.array_equal(going_on.hidden[1][0], at_once.hidden[1][0])
    assert np.array_equal(going_on.straight, at_once.straight)


def test_songs_of_different_numbers_of_tracks_are_learned_from_together() -> None:
    rng = np.random.default_rng(0)
    counts = rng.integers(2, 6, 9000)
    owner = rng.integers(0, counts)
    tables = rng.normal(size=(counts.sum(), FEATURES)).astype(np.float32)
    owners = np.zeros(counts.sum(), bool)
    owners[counts.cumsum() - counts + owner] = True
    tables[:, 7] = owners  # the one that tells
    weights, loss, right = fit(Examples(tables, owners, counts), 0)
    assert (right, loss < 0.3) == (1.0, True)
    first = tables[: counts[0]].astype(float)
    assert weights.scores(first).argmax() == owner[0]


def test_two_songs_are_joined_beat_upon_beat(songs: Path) -> None:
    fast = [m for i in range(160) for m in (on(60 + i % 4), off(60 + i % 4, 480))]
    chords = [m for i in range(160) for m in (on(84, channel=1), off(84, 480, channel=1))]
    (songs / "fast.mid").write_bytes(file_of([MetaMessage("set_tempo", tempo=250_000), *fast], chords))
    one, other = passage_at(read_score(songs / "0.mid"), 4), passage_at(read_score(songs / "fast.mid"), 8)
    assert one is not None
    assert other is not None
    both = joined(one, other)
    assert (len(both.tracks), both.marker) == (4, one.marker)
    beats = {i: [n.onset - both.marker for n in both.notes if i in n.tracks] for i in range(4)}
    assert beats[2] == pytest.approx(beats[0], abs=0.006)  # a note to the beat each, now in one tempo
    assert [n.pitch for n in both.notes if n.tracks == (3,)][:2] == [84, 84]
    before = [sum(note.start < both.marker for note in track.notes) for track in both.tracks]
    assert before == [16, 32, 16, 16]  # four bars of the slow song, and as many of the other
    assert [len(pair.tracks) for pair in joined_pairs([one, other, one, other, one], 0)] == [4]
