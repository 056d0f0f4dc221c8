"""The weights that give notes to tracks are learned from songs whose tracks are known."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from core.arrangement.evaluation import measure
from core.arrangement.track_assignment import TrackAssigner, load_weights
from core.training.tracks import choose_passages, examples, learn, save_weights
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
    assert told.owners.sum(1).min() >= 1
    assert (told.tables[:, 2:] == 0).all()
    assert told.there.sum(1).tolist() == [2] * len(passage.notes)
    with ThreadPoolExecutor(1) as pool:
        one, other = (learn([passage], 1, 5, pool, lambda words: None) for _ in range(2))
    assert np.array_equal(one.hidden[0][0], other.hidden[0][0])
