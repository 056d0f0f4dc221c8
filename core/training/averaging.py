"""Weights of several models of one beginning -> one model that is often better than each of them.

Networks that were trained further from the same weights lie in one valley of the loss, and their average deeper in it
(Wortsman et al., Model soups, 2022). A share below 0 takes away what training has added: new + concert - old goes on
from what both learned beside each other (Ilharco et al., Editing Models with Task Arithmetic, 2023).
"""

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from core.errors import UsageError
from core.model.checkpoint import ModelInfo
from core.model.transformer import MusicTransformer
from core.training.data.sources import UNKNOWN_LICENCE, combined_licence

_OFF = 1e-6  # that shares may be from 1 together
_ROWS = ("transformer.wte.weight", "lm_head.weight")  # a row each id, symbols last


def average(parts: Sequence[tuple[MusicTransformer, ModelInfo, float]]) -> tuple[MusicTransformer, dict[str, str]]:
    """The network of the shares of some networks' weights, and its provenance.

    It knows symbols where all of them do. Raises UsageError for shares that are not 1 together, and for networks of
    different shapes.
    """
    if not abs(sum(share for *_, share in parts) - 1) <= _OFF:  # nor NaN
        raise UsageError("The shares of the models must be 1 together, such as a=0.5 b=0.5, or new=1 concert=1 old=-1.")
    size = min(network.config.vocab_size for network, *_ in parts)
    config = replace(parts[0][0].config, vocab_size=size)
    if any(replace(network.config, vocab_size=size) != config for network, *_ in parts):
        raise UsageError("Only models of one shape can be averaged, such as those that were trained on from one model.")
    total: dict[str, Tensor] = {}
    for network, _, share in parts:
        for name, weight in network.state_dict().items():
            some = weight[:size] if name in _ROWS else weight
            total[name] = total.get(name, torch.zeros(())) + share * some.double()
    averaged = MusicTransformer(config)
    averaged.load_state_dict({name: weight.float() for name, weight in total.items()})
    return averaged.eval(), _provenance([(info, share) for _, info, share in parts])


def _provenance(parts: Sequence[tuple[ModelInfo, float]]) -> dict[str, str]:
    """What all of them say of what they are from, each thing once: also of one whose share is below 0."""

    def each(key: str, between: str) -> list[str]:
        told = (part for info, _ in parts for part in info.provenance.get(key, "").split(between))
        return list(dict.fromkeys(filter(None, told)))

    return {
        "licence": combined_licence({info.provenance.get("licence", UNKNOWN_LICENCE) for info, _ in parts}),
        "data": "; then ".join(each("data", "; then ")) or "not stated",
        "credit": "; ".join(each("credit", "; ")),
        "averaged": ", ".join(f"{share:g} {info.name}" for info, share in parts),
    }
