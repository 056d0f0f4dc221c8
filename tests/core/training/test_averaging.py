"""Averages of networks: which weights, what is known of them, and which cannot be averaged."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from core.errors import UsageError
from core.model.checkpoint import ModelInfo
from core.model.transformer import MusicTransformer, with_symbols
from core.training.averaging import average
from tests.core.training.tunes import TINY

Part = tuple[MusicTransformer, ModelInfo]


def part(seed: int, name: str = "", **provenance: str) -> Part:
    torch.manual_seed(seed)
    return MusicTransformer(TINY), ModelInfo(name, Path(name), TINY, provenance)


def test_shares_of_weights_are_added() -> None:
    one, two, three = (part(seed) for seed in range(3))
    averaged, _ = average([(*one, 1.0), (*two, 0.5), (*three, -0.5)])
    parts = [network.state_dict() for network, _ in (one, two, three)]
    for name, weight in averaged.state_dict().items():
        expected = parts[0][name] + 0.5 * (parts[1][name] - parts[2][name])
        torch.testing.assert_close(weight, expected, atol=1e-6, rtol=1e-5)


def test_one_network_alone_is_itself() -> None:
    network, info = part(0)
    ids = torch.randint(0, 388, (1, 16))
    with torch.no_grad():
        assert torch.allclose(average([(network, info, 1.0)])[0](ids), network.eval()(ids), atol=1e-5)


def test_symbols_are_left_where_all_know_them() -> None:
    (plain, info), (other, _) = part(0), part(1)
    knowing = [with_symbols(network) for network in (plain, other)]
    both, _ = average([(knowing[0], info, 0.5), (knowing[1], info, 0.5)])
    assert both.config.has_symbols
    one, _ = average([(knowing[0], info, 0.5), (other, info, 0.5)])
    assert one.config == TINY
    expected = (plain.lm_head.weight + other.lm_head.weight) / 2
    torch.testing.assert_close(one.lm_head.weight, expected)


def test_what_is_known_of_them_is_known_of_the_average() -> None:
    one = part(0, "One", licence="CC BY-SA 4.0", data="a; then b", credit="A; B", events_seen="3")
    two = part(1, "Two", licence="CC BY-NC-SA 4.0", data="a; then c", credit="A; C")
    _, provenance = average([(*one, 0.6), (*two, 0.6), (*one, -0.2)])
    assert provenance == {
        "licence": "CC BY-NC-SA 4.0",
        "data": "a; then b; then c",
        "credit": "A; B; C",
        "averaged": "0.6 One, 0.6 Two, -0.2 One",
    }


def test_an_unknown_licence_stays_unknown() -> None:
    one, two = part(0, licence="CC BY-SA 4.0"), part(1)
    assert average([(*one, 0.5), (*two, 0.5)])[1]["licence"] == "not stated"


@pytest.mark.parametrize("shares", [(0.5, 0.4), (1.0, 1.0), (float("nan"), 1.0)])
def test_shares_that_are_not_one_together(shares: tuple[float, float]) -> None:
    with pytest.raises(UsageError, match="1 together"):
        average([(*part(0), shares[0]), (*part(1), shares[1])])


def test_networks_of_other_shapes_have_no_average() -> None:
    network, info = part(0)
    other = MusicTransformer(replace(TINY, n_layer=TINY.n_layer + 1))
    with pytest.raises(UsageError, match="one shape"):
        average([(network, info, 0.5), (other, info, 0.5)])
