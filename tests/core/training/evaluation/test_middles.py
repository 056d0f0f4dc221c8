import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn.functional import one_hot

from core.codec.vocabulary import SYMBOLS_SIZE
from core.model.transformer import ModelConfig, MusicTransformer
from core.training.data.notes import NOTE, Notes
from core.training.evaluation.continuations import HeldOut
from core.training.evaluation.middles import tell_middles

CONFIG = ModelConfig(n_layer=1, n_head=2, n_embd=16, block_size=512, vocab_size=462)


def tune(lowest: int, seed: int) -> Notes:
    """A minute of quavers of 0.25 s within a fourth."""
    notes = np.zeros(240, NOTE)
    notes["start"] = np.arange(240) * 400 + 8
    notes["end"] = notes["start"] + 390
    notes["pitch"] = lowest + np.random.default_rng(seed).integers(0, 6, 240)
    notes["velocity"] = 80
    return notes


PIECES = {"tunes": [HeldOut(f"tune {i}", tune(40 + 8 * i, i), 0.0) for i in range(4)]}


class Echo(MusicTransformer):
    """Expects what it has read before."""

    def forward(self, events: Tensor) -> Tensor:
        return one_hot(events, SYMBOLS_SIZE).cumsum(1).float().add(0.1).log()


def test_a_model_that_follows_what_is_around_tells_the_true_middle() -> None:
    figures = tell_middles(Echo(CONFIG), torch.device("cpu"), PIECES, 12)
    assert figures is not None
    assert figures.regions == 12
    assert figures.true < figures.other - 0.5
    assert (figures.likelier, figures.error) == (1.0, 0.0)


def test_a_model_that_expects_everything_alike_does_not() -> None:
    class Deaf(MusicTransformer):
        def forward(self, events: Tensor) -> Tensor:
            return torch.zeros(*events.shape, SYMBOLS_SIZE)

    figures = tell_middles(Deaf(CONFIG), torch.device("cpu"), PIECES, 8)
    assert figures is not None
    assert [figures.true, figures.other] == pytest.approx([np.log(SYMBOLS_SIZE)] * 2, rel=1e-5)
    assert figures.likelier < 1


def test_of_one_piece_alone_nothing_can_be_told() -> None:
    assert tell_middles(Echo(CONFIG), torch.device("cpu"), {"tunes": PIECES["tunes"][:1]}, 8) is None
