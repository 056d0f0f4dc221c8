"""Held-out prompts and what becomes of them."""

from collections import Counter

import numpy as np
import pytest
import torch

from core.generation.engine import Engine
from core.generation.options import Options
from core.model.checkpoint import find_model, load_model
from core.training.data.notes import NOTE, TICKS, Notes
from core.training.evaluation.continuations import PROMPT_SECONDS, HeldOut, PromptPlace, choose_places, continue_place


def chords(seconds: float, each: float, lead_in: float = 0.0) -> Notes:
    """A chord every `each` seconds, as the corpus keeps notes: half a step late."""
    count = int(seconds / each)
    notes = np.zeros(3 * count, NOTE)
    times = np.repeat(np.arange(count), 3) * each + lead_in
    notes["start"] = (times * 100 + 0.5) * TICKS
    notes["end"] = ((times + each) * 100 + 0.5) * TICKS
    notes["pitch"] = np.tile([60, 64, 67], count) + np.repeat(np.arange(count) % 4, 3)
    notes["velocity"] = 80
    return notes


@pytest.fixture(scope="module")
def engine() -> Engine:
    model, info = load_model(find_model(None))
    return Engine(model, torch.device("cpu"), info.name)


def test_sources_share_the_prompts_and_no_prompt_comes_twice() -> None:
    def pieces(source: str, count: int, seconds: float) -> list[HeldOut]:
        return [HeldOut(f"{source}/{i}", chords(seconds, 0.5), 0.5) for i in range(count)]

    many, few = pieces("many", 30, 90), pieces("few", 2, 200)
    found = choose_places({"many": many, "few": few, "none": []}, 40)
    assert len(found) == len({(p.piece.title, p.start) for p in found}) == 40
    assert Counter(p.piece.title[:3] for p in found) == {"man": 34, "few": 6}  # few have no more
    assert Counter(p.piece.title[:3] for p in choose_places({"many": many, "few": few}, 12)) == {"man": 6, "few": 6}
    assert {p.start for p in found if p.piece.title.startswith("few")} == {0.0, 60.0, 120.0}
    assert all(p.start + PROMPT_SECONDS < p.piece.seconds for p in found)
    assert choose_places({"short": pieces("short", 3, 22)}, 5) == []


def test_a_place_gives_prompt_true_music_and_take(engine: Engine) -> None:
    piece = HeldOut("tune", chords(40, 0.45, lead_in=0.003), 0.45)
    example = continue_place(engine, PromptPlace(piece, 0.0), Options(seconds=3.0))
    marker = 0.45 * 45  # the first quarter from 20 s on
    assert example.prompt.seconds == pytest.approx(marker)
    assert example.true.seconds == example.sampled.seconds == 3.0
    assert example.true.start[:4].tolist() == pytest.approx([0, 0, 0, 0.45])
    assert example.grid == (pytest.approx(0.45 / 4),)
    assert np.abs(example.sampled.start / 0.1125 - np.rint(example.sampled.start / 0.1125)).max() < 0.01

    free = continue_place(engine, PromptPlace(piece._replace(quarter=0.0), 10.0), Options(seconds=3.0))
    assert free.grid == ()
    assert free.prompt.seconds == PROMPT_SECONDS
    assert free.prompt.start.min() == pytest.approx(0.35, abs=0.006)  # the first chord after 10 s, at 10.353
