"""Tiny corpora: a few short tunes as MIDI files, and recipes small enough to train in a test."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from core.model.transformer import ModelConfig
from core.training.data.corpus import Corpus
from core.training.data.prepare import prepare
from core.training.recipes import SMALL, Recipe
from tests.core.midi.builders import control, file_of, off, on

TINY = ModelConfig(n_layer=2, n_head=2, n_embd=32, block_size=48)
TINY_RECIPE: Recipe = replace(SMALL, config=TINY, batch=4, dropout=0.1, epochs=2)


def tune_pitches(seed: int, notes: int = 48) -> list[int]:
    """A random walk on the white keys, different for every seed."""
    rng = np.random.default_rng(seed)
    white = [p for p in range(36, 96) if p % 12 in (0, 2, 4, 5, 7, 9, 11)]
    places = np.clip(20 + np.cumsum(rng.integers(-3, 4, notes)), 0, len(white) - 1)
    return [white[i] for i in places.tolist()]


def write_tune(path: Path, pitches: Sequence[int], *, length: int = 240, pedal: bool = False) -> Path:
    """One note after the other, 250 ms each at length 240; with a pedal over the first half if wanted."""
    path.parent.mkdir(parents=True, exist_ok=True)
    messages = [
        message for i, pitch in enumerate(pitches) for message in (on(pitch, velocity=40 + i % 40), off(pitch, length))
    ]
    if pedal:
        messages = [control(64, 127), *messages[: len(pitches)], control(64, 0), *messages[len(pitches) :]]
    path.write_bytes(file_of(messages))
    return path


def write_songs(folder: Path, songs: int = 12) -> Path:
    """Songs of one version each, and of the first also a second version."""
    for song in range(songs):
        write_tune(folder / f"song{song}.mid", tune_pitches(song), pedal=song % 2 == 1)
    first = tune_pitches(0)
    write_tune(folder / "song0-v2.mid", [*first[:40], *tune_pitches(99, 8)], length=200)
    return folder


def splits_for(folder: Path, validation: Sequence[str], test: Sequence[str] = ()) -> Path:
    """A CSV that puts these file names into validation and test, all others into training."""
    rows = ["split,path"]
    for file in sorted(folder.rglob("*.mid")):
        split = "validation" if file.name in validation else "test" if file.name in test else "train"
        rows.append(f"{split},{folder.name}/{file.relative_to(folder).as_posix()}")
    table = folder.parent / "splits.csv"
    table.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return table


def tiny_corpus(folder: Path, songs: int = 12) -> Corpus:
    """A prepared corpus of `write_songs`, of which two songs are for validation and one for test."""
    midi = write_songs(folder / "midi", songs)
    splits = splits_for(midi, ["song3.mid", "song4.mid"], ["song5.mid"])
    prepare([midi], folder / "corpus", splits=splits, jobs=1)
    return Corpus(folder / "corpus")
