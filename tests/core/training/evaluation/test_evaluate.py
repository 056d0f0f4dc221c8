"""Likelihood, statistics of music, copies, and the whole evaluation."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from core.codec.vocabulary import BOUNDARY, PADDING
from core.errors import NotFound, UnreadableInput, UsageError
from core.midi.key import Key
from core.midi.score import TakeNote
from core.midi.statistics import (
    density,
    distance,
    excerpt,
    histograms,
    key_of,
    music,
    polyphony,
    self_similarity,
    share_in_key,
)
from core.model.checkpoint import save_model
from core.model.transformer import MusicTransformer, with_symbols
from core.training.data.notes import NOTE, TICKS, Notes
from core.training.evaluation.comparison import compare, fifths_apart
from core.training.evaluation.evaluate import Asked, evaluate, save_evaluation
from core.training.evaluation.nll import nll_per_event, windows
from core.training.evaluation.originality import CopyIndex
from tests.core.training.tunes import TINY, tiny_corpus, tune_pitches, write_songs, write_tune


def line(pitches: list[int], each: float = 0.5, start: float = 0.0, velocity: int = 80) -> list[TakeNote]:
    return [TakeNote(p, velocity, start + i * each, start + (i + 1) * each) for i, p in enumerate(pitches)]


def piece_of(pitches: list[int], each: float = 0.5) -> Notes:
    notes = np.zeros(len(pitches), NOTE)
    notes["start"] = (np.arange(len(pitches)) * each * 100 * TICKS).astype(np.uint32)
    notes["end"] = notes["start"] + int(each * 100 * TICKS)
    notes["pitch"] = pitches
    notes["velocity"] = 80
    return notes


@pytest.mark.parametrize("length", [2, 5, 16, 17, 18, 40, 200])
def test_every_event_is_scored_once_with_context(length: int) -> None:
    events = np.arange(1, length + 1, dtype=np.uint16)
    events[length // 2] = BOUNDARY
    scored: list[int] = []
    for inputs, targets in windows(events, 16):
        for place in np.flatnonzero(targets != PADDING).tolist():
            scored.append(int(targets[place]))
            first = int(inputs[0])
            assert first == 1 or place >= 7  # half a window before it, or all there is
    assert scored == [e for e in events[1:].tolist() if e != BOUNDARY]


def test_nll_is_the_networks(tmp_path: Path) -> None:
    torch.manual_seed(0)
    model = MusicTransformer(TINY)
    events = np.random.default_rng(0).integers(0, 388, 40).astype(np.uint16)
    nll, count = nll_per_event(model, [events], torch.device("cpu"))
    ids = torch.from_numpy(events.astype(np.int64))[None]
    with torch.no_grad():
        expected = torch.nn.functional.cross_entropy(model(ids[:, :-1])[0], ids[0, 1:])
    assert count == 39
    assert nll == pytest.approx(float(expected), rel=1e-5)


def test_scalars() -> None:
    scale = music(line([60, 62, 64, 65, 67, 69, 71, 72]), 4.0)
    assert density(scale) == 2.0
    assert polyphony(scale) == 1.0
    assert share_in_key(scale, Key(0, "major")) == 1.0
    assert share_in_key(scale, Key(6, "major")) == pytest.approx(2 / 8)
    assert key_of(scale) is not None
    assert key_of(music([], 1.0)) is None
    chord = music([TakeNote(p, 80, 0.0, 2.0) for p in (60, 64, 67)], 2.0)
    assert polyphony(chord) == 3.0
    assert len(excerpt(scale, 1.0, 2.0).pitch) == 2


def test_histograms() -> None:
    counts = histograms(music([*line([60, 62, 60], 0.25), TakeNote(84, 127, 0.75, 1.0)], 1.0))
    assert counts["pitch class"][0] == 3
    assert counts["pitch class"][2] == 1
    assert counts["interval"][[22, 26, 48]].tolist() == [1, 1, 1]
    assert counts["velocity"][[20, 31]].tolist() == [3, 1]
    assert counts["rhythm"].sum() == 3
    assert np.count_nonzero(counts["rhythm"]) == 1


def test_self_similarity_tells_repetition_from_change() -> None:
    same = music(line([60, 64, 67, 72] * 8), 16.0)
    changing = music(line([60 + i * 7 % 12 for i in range(32)]), 16.0)
    same_value, changing_value = self_similarity(same), self_similarity(changing)
    assert same_value == pytest.approx(1.0)
    assert changing_value is not None
    assert changing_value < 0.5
    assert self_similarity(music(line([60]), 1.0)) is None


def test_distances() -> None:
    assert fifths_apart(Key(0, "major"), Key(9, "minor")) == 0
    assert fifths_apart(Key(0, "major"), Key(7, "major")) == 1
    assert fifths_apart(Key(0, "major"), Key(6, "major")) == 6
    a, b = np.array([1.0, 1.0, 0.0]), np.array([0.0, 0.0, 5.0])
    assert distance(a, a * 7) == 0
    assert distance(a, b) == 1
    assert distance(a, np.zeros(3)) == 1


def test_drift_at_two_minutes() -> None:
    c_major, f_sharp = [60, 62, 64, 65, 67, 69, 71, 72], [66, 68, 70, 71, 73, 75, 77, 78]
    prompt = music(line(c_major * 5), 20.0)
    true = music(line(c_major * 32), 128.0)
    astray = music([*line(c_major * 15), *line(f_sharp * 34, 0.25, 60.0)], 128.0)
    comparison = compare([(prompt, true, astray)])

    assert comparison.true["key drift at 2 min"] == 0
    assert comparison.model["key drift at 2 min"] == 6
    assert comparison.true["density against prompt at 2 min"] == pytest.approx(1.0)
    assert comparison.model["density against prompt at 2 min"] == pytest.approx(2.0)
    assert comparison.model["key drift at 5 min"] is None
    assert comparison.distances["pitch class"] > 0.2
    assert compare([(prompt, true, true)]).distances == dict.fromkeys(comparison.distances, 0.0)


def test_copies_are_found_in_any_key_and_told_in_seconds() -> None:
    data = [tune_pitches(seed, 200) for seed in range(20)]
    index = CopyIndex([piece_of(pitches) for pitches in data])
    stolen = [p + 3 for p in data[7][50:90]]
    mixed = music(line([*tune_pitches(500, 30), *stolen, *tune_pitches(501, 30)], 0.25), 25.0)
    copy = index.longest_copy(mixed)

    assert copy is not None
    assert copy.piece == 7
    assert 40 <= copy.notes <= 44  # neighbours may fit by chance
    assert copy.seconds == pytest.approx(0.25 * (copy.notes - 1))
    assert 7.0 <= copy.start <= 7.5


def test_no_copy() -> None:
    rng = np.random.default_rng(0)
    index = CopyIndex([piece_of(rng.integers(36, 96, 100).tolist()) for _ in range(5)])
    fresh = music(line(rng.integers(36, 96, 60).tolist()), 30.0)
    assert index.longest_copy(fresh) is None
    assert index.longest_copy(music(line([60, 62]), 1.0)) is None
    assert CopyIndex([]).longest_copy(fresh) is None


def test_whole_evaluation(tmp_path: Path) -> None:
    corpus = tiny_corpus(tmp_path)
    long = write_tune(tmp_path / "long.mid", tune_pitches(77, 130))
    torch.manual_seed(0)
    path = tmp_path / "tiny.safetensors"
    save_model(path, MusicTransformer(TINY), {"name": "tiny"})
    asked = Asked(continuations=1, seconds=3.0, training=corpus.folder, device="cpu")
    said: list[str] = []
    result = evaluate(str(path), [corpus.folder, long], asked, said.append)
    written = save_evaluation(result, tmp_path / "out")

    assert set(result.nll) == {"midi", "long"}
    assert result.nll["midi"] == pytest.approx(6.0, abs=0.3)
    test_events = sum(p.events for p in corpus.of_split("test"))
    assert result.events["midi"] == test_events
    assert [p.name for p in written] == ["evaluation.json", "histograms.png", "rolls.png"]
    assert written[2].read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    assert result.criteria is not None
    assert result.criteria.takes == len(result.examples) == 1
    saved = json.loads(written[0].read_text())
    assert saved["nll"] == result.nll
    assert set(saved["statistics"]["model"]) == set(saved["statistics"]["true"])
    assert saved["originality"]["longest_copy_seconds"] >= 0
    assert said
    again = evaluate(str(path), [corpus.folder, long], asked)
    assert again.as_dict() == result.as_dict()


def test_middles_are_told_apart_by_models_that_know_symbols_alone(tmp_path: Path) -> None:
    midi = tmp_path / "midi"
    for i in range(3):
        write_tune(midi / f"long{i}.mid", tune_pitches(i, 200))
    torch.manual_seed(0)
    network, asked = MusicTransformer(TINY), Asked(continuations=0, device="cpu", middles=4)
    plain, wide = tmp_path / "plain.safetensors", tmp_path / "wide.safetensors"
    save_model(plain, network, {}, torch.float32)
    save_model(wide, with_symbols(MusicTransformer(replace(TINY, block_size=256))), {}, torch.float32)

    with pytest.raises(UsageError, match="knows no symbols"):
        evaluate(str(plain), [midi], asked)
    result = evaluate(str(wide), [midi], asked)
    assert result.middles is not None
    assert result.middles.regions == 4
    assert result.as_dict()["middles"]["likelier"] == result.middles.likelier

    short = write_songs(tmp_path / "short", 1)
    said: list[str] = []
    assert evaluate(str(wide), [short], asked, said.append).middles is None
    assert any("too few regions" in sentence for sentence in said)


def test_a_damaged_file_of_a_folder_is_left_out(tmp_path: Path) -> None:
    midi = write_songs(tmp_path / "midi", 2)
    (midi / "text.mid").write_bytes(b"no MIDI at all")
    path = tmp_path / "tiny.safetensors"
    save_model(path, MusicTransformer(TINY), {"name": "tiny"})
    said: list[str] = []
    assert evaluate(str(path), [midi], Asked(continuations=0, device="cpu"), said.append).events["midi"]
    assert any("text.mid" in sentence for sentence in said)
    with pytest.raises(UnreadableInput, match=r"text\.mid"):
        evaluate(str(path), [midi / "text.mid"], Asked(continuations=0, device="cpu"))


def test_nothing_to_evaluate(tmp_path: Path) -> None:
    tiny_corpus(tmp_path)
    path = tmp_path / "tiny.safetensors"
    save_model(path, MusicTransformer(TINY), {})
    with pytest.raises(NotFound, match="no file or folder"):
        evaluate(str(path), [tmp_path / "nowhere"])
    corpus_without_test = tmp_path / "without"
    from core.training.data.prepare import prepare

    prepare([tmp_path / "midi"], corpus_without_test, splits=_all_train(tmp_path), jobs=1)
    with pytest.raises(UsageError, match="nothing to evaluate on"):
        evaluate(str(path), [corpus_without_test])


def _all_train(folder: Path) -> Path:
    rows = [f"train,midi/{file.name}" for file in (folder / "midi").iterdir()]
    table = folder / "all-train.csv"
    table.write_text("\n".join(["split,path", *rows]))
    return table
