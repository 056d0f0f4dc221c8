"""The thread that owns the model, without the thread: what is due is done when the test says so."""

import gc
import weakref
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from core.errors import UsageError
from core.generation import engine
from core.generation.options import Options
from core.midi.key import Key
from core.model import checkpoint
from core.model.checkpoint import save_model
from core.model.transformer import ModelConfig, MusicTransformer
from core.performance.generation import CALM, Generation, GenerationEvents
from core.performance.prompts import PromptRequest
from core.performance.run import Run
from core.performance.take_plan import plan_take
from core.tracks import prompt_model
from tests.core.performance.fakes import session
from tests.core.performance.test_take_plan import BASS, MELODY, message, song


class Told:
    """What was told, by name, in order."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.values: dict[str, Any] = {}

    def events(self) -> GenerationEvents:
        def on(name: str) -> Callable[..., None]:
            def tell(*values: Any) -> None:
                self.names.append(name)
                self.values[name] = values

            return tell

        return GenerationEvents(
            **{name: on(name) for name in ("model_ready", "preparing", "prepared", "ended", "message", "failed")}
        )


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> str:
    torch.manual_seed(5)
    path = tmp_path_factory.mktemp("models") / "tiny.safetensors"
    save_model(path, MusicTransformer(ModelConfig(n_layer=1, n_head=2, n_embd=16, block_size=256)), {"name": "tiny"})
    return str(path)


@pytest.fixture
def told() -> Told:
    return Told()


def request(marker: float = 2.0) -> PromptRequest:
    of = session()
    return PromptRequest(of.prompt_tracks, marker, 0.0, of.tempo_map, "off")


def options(key: Key | None) -> Options:
    return Options(events=5)


def do_all(generation: Generation) -> None:
    while generation.do_due():
        pass


def test_a_prompt_is_read_once_nothing_newer_comes(told: Told, tiny: str) -> None:
    now = 0.0
    generation = Generation(told.events(), clock=lambda: now)
    generation.want_model(tiny)
    generation.want_prompt(request(1.0))
    do_all(generation)
    assert told.names == ["model_ready"]
    now = CALM - 0.01
    generation.want_prompt(newer := request(1.5))
    now = CALM + 0.01
    do_all(generation)
    assert told.names == ["model_ready"]
    now = 3 * CALM
    do_all(generation)
    assert told.names == ["model_ready", "preparing", "prepared"]
    assert told.values["prepared"] == (newer, "C major", "")
    rate = generation.rate(1)
    assert rate
    assert generation.rate(2) == rate / 2


def test_a_prompt_that_is_wanted_again_before_another_was_read_is_told_of_again(told: Told, tiny: str) -> None:
    now = 0.0
    generation = Generation(told.events(), clock=lambda: now)
    generation.want_model(tiny)
    generation.want_prompt(first := request(1.0))
    now = 2 * CALM
    do_all(generation)
    assert told.names == ["model_ready", "preparing", "prepared"]
    generation.want_prompt(replace(first, marker=1.5))
    generation.want_prompt(replace(first))
    assert told.names[3:] == ["prepared"]
    generation.want_model("another")
    generation.want_model(tiny)
    now = 4 * CALM
    do_all(generation)
    assert told.names[4:] == ["model_ready", "prepared"]
    assert told.values["prepared"] == (first, "C major", "")


def test_a_run_waits_for_no_calm(told: Told, tiny: str) -> None:
    generation = Generation(told.events(), clock=lambda: 0.0)
    generation.want_model(tiny)
    run = Run()
    generation.want_run(run, request(), options)
    do_all(generation)
    assert told.names == ["model_ready", "preparing", "prepared", "ended"]
    assert (run.events, len(run.takes), run.ranking, run.fault) == (5, 1, [0], None)


def test_a_run_that_was_stopped_before_has_no_take(told: Told, tiny: str) -> None:
    generation = Generation(told.events(), clock=lambda: 0.0)
    generation.want_model(tiny)
    run = Run()
    run.stop()
    generation.want_run(run, request(), options)
    do_all(generation)
    assert told.names[-1] == "ended"
    assert (run.events, run.takes, run.fault) == (0, [], None)


def test_options_that_cannot_be_are_the_runs_fault(told: Told, tiny: str) -> None:
    def refuse(key: Key | None) -> Options:
        raise UsageError("There is no such key.")

    generation = Generation(told.events(), clock=lambda: 0.0)
    generation.want_model(tiny)
    run = Run()
    generation.want_run(run, request(), refuse)
    do_all(generation)
    assert told.values["ended"] == (run,)
    assert str(run.fault) == "There is no such key."


def test_the_bundled_model_takes_the_place_of_one_that_is_gone(
    told: Told, tiny: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    find = checkpoint.find_model
    monkeypatch.setattr(engine, "find_model", lambda name: find(name or tiny))
    gone = str(tmp_path / "gone.safetensors")
    generation = Generation(told.events(), clock=lambda: 0.0)
    generation.want_model(gone)
    run = Run()
    generation.want_run(run, request(), options)
    do_all(generation)
    assert told.names == ["message", "model_ready", "preparing", "prepared", "ended"]
    assert told.values["message"] == (f"There is no model file {gone}. tiny takes its place.",)
    facts = told.values["model_ready"][0]
    assert (facts.name, facts.missing) == ("tiny", gone)
    assert run.fault is None
    generation.want_model(tiny)
    do_all(generation)
    assert told.values["model_ready"][0].missing == ""


def test_a_model_wanted_again_before_another_was_loaded_is_ready_at_once(told: Told, tiny: str) -> None:
    generation = Generation(told.events(), clock=lambda: 0.0)
    generation.want_model(tiny)
    do_all(generation)
    generation.want_model("other")
    generation.want_model(tiny)
    assert told.names == ["model_ready", "model_ready"]
    assert not generation.do_due()


def test_a_model_that_another_replaced_is_freed(told: Told, tiny: str) -> None:
    """At once, for in the window nobody looks for cycles while a model is loaded."""
    gc.collect()
    gc.disable()
    try:
        generation = Generation(told.events(), clock=lambda: 0.0)
        alive: list[weakref.ref[Any]] = []
        for name in (tiny, "continuo-base"):
            generation.want_model(name)
            generation.want_run(Run(), request(), options)
            do_all(generation)
            assert [ref() for ref in alive] == [None] * len(alive)
            assert generation._engine is not None
            alive += [weakref.ref(thing) for thing in (generation._engine, generation._engine._inference)]
    finally:
        gc.enable()


def test_without_any_model_the_run_fails_too(told: Told, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    find = checkpoint.find_model
    monkeypatch.setattr(engine, "find_model", lambda name: find(str(tmp_path / "none.safetensors")))
    generation = Generation(told.events(), clock=lambda: 0.0)
    generation.want_model("")
    run = Run()
    generation.want_run(run, request(), options)
    do_all(generation)
    assert told.names == ["ended", "failed"]
    assert "no model" in str(run.fault)


def test_the_thread_ends(told: Told, tiny: str) -> None:
    generation = Generation(told.events())
    generation.start()
    generation.want_model(tiny)
    generation.close()
    assert not generation.is_alive


def test_once_it_is_closed_nothing_is_told_any_more(told: Told, tiny: str) -> None:
    generation = Generation(told.events(), clock=lambda: 0.0)
    generation.want_model(tiny)
    generation.close()
    do_all(generation)  # as on a thread that nobody could wait for any longer
    assert told.names == []


def test_what_tracks_play_is_learned_before_a_take_begins(
    told: Told, tiny: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 0.0
    of = song()
    tracks = of.prompt_tracks
    generation = Generation(told.events(), clock=lambda: now)
    generation.want_model(tiny)
    generation.want_prompt(PromptRequest(tracks, 8.0, 0.0, of.tempo_map, "off"))
    now = 2 * CALM
    do_all(generation)
    assert told.names[-1] == "prepared"
    monkeypatch.delattr(prompt_model, "merged_notes")  # without it nothing can be learned
    first, second = plan_take(of, 8.0, 4.0).note_routers(2)
    again = plan_take(of, 8.0, 4.0).note_routers(1)[0]
    for router in (first, second, again):  # each goes on from the marker by itself
        assert [m.track for m in router.route([message(0, 38), message(0, 74)])] == [BASS, MELODY]
    monkeypatch.undo()
    assert plan_take(of, 6.0, 4.0).note_routers(1)
