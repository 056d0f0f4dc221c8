"""What each bundled model plays after one prompt with one seed: it changes only on purpose.

After such a change, `python -m tests.core.generation.test_golden` writes golden.json anew; say why in the commit.
"""

import json
from pathlib import Path

import pytest
import torch

from core.codec.events import encode_prompt
from core.generation.continuation import Continuation
from core.generation.engine import Engine
from core.generation.options import Options
from core.midi.read import read_score
from core.model.checkpoint import find_model, load_model
from core.model.inference import Inference
from core.resources import bundled

GOLDEN = Path(__file__).with_name("golden.json")
MODELS = ("continuo-base", "continuo-concert")


def continuation(name: str) -> list[int]:
    """The first events that a model plays after the nocturne, in float32, which all CPUs round nearly alike."""
    model, info = load_model(find_model(name))
    engine = Engine(model, torch.device("cpu"), info.name)
    engine._inference = Inference(model, "cpu", int8=False)
    score = read_score(bundled("examples", "nocturne.mid"))
    prepared = engine.prepare(encode_prompt(score.tracks, score.end, engine.config.conventions))
    sampling = Continuation(engine, prepared, Options(seed=14, events=64))
    for _ in sampling:
        pass
    return list(sampling.takes[0].events[:64])


@pytest.mark.parametrize("name", MODELS)
def test_a_seed_gives_the_take_it_always_gave(name: str) -> None:
    assert continuation(name) == json.loads(GOLDEN.read_text(encoding="utf-8"))[name]


if __name__ == "__main__":
    GOLDEN.write_text(json.dumps({name: continuation(name) for name in MODELS}) + "\n", encoding="utf-8")
