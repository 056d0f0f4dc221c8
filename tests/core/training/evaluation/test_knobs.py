"""The figures of the knobs, of a network that knows nothing."""

from pathlib import Path

import numpy as np
import torch

from core.generation.engine import Engine
from core.midi.key import Key
from core.midi.read import read_score
from core.midi.statistics import Music
from core.model.transformer import ModelConfig, MusicTransformer
from core.resources import bundled
from core.session.knobs import WORDS
from core.training.data.notes import score_notes
from core.training.evaluation.continuations import HeldOut, PromptPlace
from core.training.evaluation.knobs import STATISTICS, evaluate_knobs, table


def test_each_statistic_follows_what_it_is_named_for() -> None:
    def music(starts: list[float], length: float, pitch: int, velocity: int) -> Music:
        start = np.array(starts)
        each = np.ones(len(starts), int)
        return Music(start, start + length, each * pitch, each * velocity, 10.0)

    few, many = music([0, 1, 2, 3], 0.5, 60, 50), music([0, 0, 1, 1, 1.5, 1.5, 1.6, 1.6], 1.0, 64, 90)
    assert set(STATISTICS) == set(WORDS)
    for statistic in STATISTICS.values():
        assert statistic(few, Key(0, "major")) < statistic(many, Key(0, "major"))


def test_a_chord_that_is_spread_is_one_onset() -> None:
    start = np.arange(8) / 2
    spread = np.sort(np.concatenate([start, start + 0.02, start + 0.03]))
    each = np.full(len(spread), 60)
    assert STATISTICS["free"](Music(spread, spread + 0.1, each, each, 4.0), Key(0, "major")) == 0


def test_a_report_for_every_knob() -> None:
    torch.manual_seed(0)
    model = MusicTransformer(ModelConfig(n_layer=1, n_head=2, n_embd=16, block_size=512)).eval()
    engine = Engine(model, torch.device("cpu"), "small", lambda text: None)
    notes = score_notes(read_score(Path(bundled("examples", "bwv846.mid"))))
    piece = HeldOut("prelude", notes, 0.0)
    reports = evaluate_knobs(engine, [PromptPlace(piece, 0.0), PromptPlace(piece, 5.0)], 3.0)
    assert set(reports) == set(WORDS)
    assert all(0 <= report.kept <= 1 and report.spread >= 0 and report.in_key_error >= 0 for report in reports.values())
    assert (reports["loud"].in_key, reports["loud"].in_key_error) == (0, 0)  # the notes are the same
    assert reports["high"].up > 0 > reports["high"].down
    assert len(table(reports)) == 1 + len(WORDS)
