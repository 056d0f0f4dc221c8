"""The knobs: what they aim at, and that a take sampled with one really moves that way."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from core.codec.events import Conventions, GridNote, Prompt, encode_grid
from core.codec.vocabulary import to_bin
from core.errors import UsageError
from core.generation.continuation import Continuation
from core.generation.engine import Engine
from core.generation.knobs import LOUDER, aim, brightness
from core.generation.logits_processors import chord_onsets, chord_sizes
from core.generation.options import Options
from core.generation.prompt_summary import PromptSummary, summarize
from core.midi.key import Key
from core.midi.score import TakeNote
from core.midi.statistics import music
from core.model.transformer import ModelConfig, MusicTransformer
from core.session.knobs import MOST_STEPS, WORDS, Knobs, parse_knobs
from core.training.evaluation.knobs import STATISTICS

some_knobs = st.builds(Knobs, **{name: st.integers(-MOST_STEPS, MOST_STEPS) for name in WORDS})


def tune(velocities: tuple[int, ...] = (60, 70, 80)) -> Prompt:
    """Twenty seconds in C major: a chord of two and two single notes a second."""
    notes: list[GridNote] = []
    for i in range(60):
        at = 33 * i
        pitch = 60 + (0, 2, 4, 5, 7, 9, 11)[i % 7]
        velocity = to_bin(velocities[i % len(velocities)])
        notes.append(GridNote(at, pitch, at + 30, velocity))
        if i % 3 == 0:
            notes.append(GridNote(at, pitch - 12, at + 30, velocity))
    levels = velocities if len(velocities) == 1 else ()
    return Prompt(tuple(encode_grid(notes, Conventions())), 20.0, levels=levels)


SUMMARY = summarize(tune())


@pytest.fixture(scope="module")
def engine() -> Engine:
    """A network that knows nothing, so that what pulls its takes is the processors alone."""
    torch.manual_seed(0)
    model = MusicTransformer(ModelConfig(n_layer=1, n_head=2, n_embd=16, block_size=512)).eval()
    return Engine(model, torch.device("cpu"), "small", lambda text: None)


def sampled(engine: Engine, knobs: Knobs, prompt: Prompt | None = None, seconds: float = 20.0) -> tuple[TakeNote, ...]:
    continuation = Continuation(engine, engine.prepare(prompt or tune()), Options(seed=3, seconds=seconds, knobs=knobs))
    for _ in continuation:
        pass
    return continuation.takes[0].notes


def test_at_zero_they_change_nothing() -> None:
    assert aim(SUMMARY, Knobs()) is SUMMARY
    assert not Knobs().turned()
    assert Knobs().words == ""


def test_what_they_aim_at() -> None:
    def length(summary: PromptSummary) -> float:
        return float(np.mean([note.end - note.start for note in summary.notes]))

    assert aim(SUMMARY, Knobs(busy=1)).density == pytest.approx(1.4 * SUMMARY.density)
    assert aim(SUMMARY, Knobs(busy=-2)).density == pytest.approx(SUMMARY.density / 1.96)
    assert SUMMARY.mean_pitch is not None
    assert aim(SUMMARY, Knobs(high=-1)).mean_pitch == pytest.approx(SUMMARY.mean_pitch - 4)
    assert aim(SUMMARY, Knobs(loud=2)).notes == SUMMARY.notes  # added to what is played, not to what is sampled
    assert length(aim(SUMMARY, Knobs(long=1))) == pytest.approx(2.2 * length(SUMMARY))
    assert not aim(SUMMARY, Knobs(bright=-1)).outside_key[63]  # E flat, in C major
    assert SUMMARY.outside_key[63]


@given(some_knobs)
def test_no_bound_is_narrower_than_the_prompts(knobs: Knobs) -> None:
    before, after = SUMMARY.bounds, aim(SUMMARY, knobs).bounds
    assert before is not None
    assert after is not None
    assert after.longest_note >= before.longest_note
    assert after.lowest <= before.lowest
    assert after.highest >= before.highest
    assert after.most_at_once >= before.most_at_once
    assert after.most_in_window >= before.most_in_window


@given(some_knobs)
def test_their_words_say_them_all(knobs: Knobs) -> None:
    words = [
        word.removeprefix("much ") + ("=2" if word.startswith("much ") else "") for word in knobs.words.split(", ")
    ]
    assert parse_knobs(word for word in words if word) == knobs


@pytest.mark.parametrize("words", [["loud"], ["busier=x"], ["busier", "calmer"], ["busier=3"], [""]])
def test_words_that_are_no_knob_are_told(words: list[str]) -> None:
    with pytest.raises(UsageError, match=r"knob|steps"):
        parse_knobs(words)


def test_chords_and_brightness() -> None:
    assert chord_onsets(np.array([300, 0, 2, 3, 4, 100, 101])).tolist() == [0, 4, 100, 300]
    assert chord_onsets(np.array([4, 4, 0]), 0).tolist() == [0, 4]
    assert chord_sizes(np.array([0, 2, 3, 4, 100, 101, 300])).tolist() == [3, 1, 2, 1]
    assert chord_sizes(np.array([], int)).tolist() == []
    assert brightness(np.array([60, 67, 65]), 0) == 0  # what major and minor share
    assert brightness(np.array([64, 69, 71]), 0) == 1
    assert brightness(np.array([65, 70, 72]), 2) == -1  # minor third, sixth and seventh of D


def _density(notes: tuple[TakeNote, ...]) -> float:
    return len(notes)


def _pitch(notes: tuple[TakeNote, ...]) -> float:
    return float(np.mean([note.pitch for note in notes]))


def _velocity(notes: tuple[TakeNote, ...]) -> float:
    return float(np.mean([note.velocity for note in notes]))


def _length(notes: tuple[TakeNote, ...]) -> float:
    return float(np.mean([note.end - note.start for note in notes]))


def _chord(notes: tuple[TakeNote, ...]) -> float:
    return float(chord_sizes(np.array([round(100 * note.start) for note in notes])).mean())


def _bright(notes: tuple[TakeNote, ...]) -> float:
    return brightness(np.array([note.pitch for note in notes]), 0)


def _variety(notes: tuple[TakeNote, ...]) -> float:
    return STATISTICS["free"](music(notes, 30.0), Key(0, "major"))


@pytest.mark.parametrize(
    ("name", "statistic"),
    [
        ("busy", _density),
        ("high", _pitch),
        ("loud", _velocity),
        ("long", _length),
        ("full", _chord),
        ("bright", _bright),
    ],
)
def test_takes_move_the_way_a_knob_says(
    engine: Engine, name: str, statistic: Callable[[tuple[TakeNote, ...]], float]
) -> None:
    down, centre, up = (
        statistic(sampled(engine, Knobs(**{name: steps}), seconds=30.0)) for steps in (-MOST_STEPS, 0, MOST_STEPS)
    )
    assert down < centre < up


def test_a_take_gets_steadier(engine: Engine) -> None:
    steadier, centre = (_variety(sampled(engine, Knobs(free=steps), seconds=30.0)) for steps in (-MOST_STEPS, 0))
    assert steadier < centre - 0.2


@pytest.mark.parametrize("velocities", [(60, 70, 80), (64,)])
def test_a_louder_take_plays_the_same_notes(engine: Engine, velocities: tuple[int, ...]) -> None:
    plain, louder = (sampled(engine, Knobs(loud=steps), tune(velocities), 8.0) for steps in (0, 1))
    assert [(n.pitch, n.start, n.end, min(n.velocity + LOUDER, 127)) for n in plain] == [
        (n.pitch, n.start, n.end, n.velocity) for n in louder
    ]


def test_a_flat_prompt_gets_louder_too(engine: Engine) -> None:
    flat = tune((64,))
    assert {note.velocity for note in sampled(engine, Knobs(), flat, 3.0)} == {64}
    assert {note.velocity for note in sampled(engine, Knobs(loud=1), flat, 3.0)} == {64 + LOUDER}


def test_knobs_turn_while_a_take_is_sampled(engine: Engine) -> None:
    continuation = Continuation(engine, engine.prepare(tune((64,))), Options(seed=3, seconds=20.0))
    turned = None
    for step in continuation:
        if turned is None and step.head > 8:
            turned = step.head
            continuation.turn(Knobs(high=2, loud=-2))
    assert turned is not None
    notes = continuation.takes[0].notes
    early, late = ([note for note in notes if (note.start > turned) == is_late] for is_late in (False, True))
    assert {note.velocity for note in early} == {64}
    assert {note.velocity for note in late} == {64 - 2 * LOUDER}
    assert _pitch(tuple(late)) > _pitch(tuple(early)) + 2


def turned_at_eight(engine: Engine, knobs: Knobs | None) -> tuple[TakeNote, ...]:
    """The notes of a take of 24 seconds whose knobs turn after 8."""
    continuation = Continuation(engine, engine.prepare(tune((60, 70, 80))), Options(seed=3, seconds=24.0))
    for step in continuation:
        if knobs and step.head > 8:
            continuation.turn(knobs)
            knobs = None
    return continuation.takes[0].notes


def test_a_take_that_turns_louder_has_the_same_notes(engine: Engine) -> None:
    plain, louder = (turned_at_eight(engine, knobs) for knobs in (None, Knobs(loud=1)))
    assert [(n.pitch, n.start, n.end) for n in plain] == [(n.pitch, n.start, n.end) for n in louder]
    assert [n.velocity for n in plain] != [n.velocity for n in louder]


@pytest.mark.parametrize("steps", [-2, 2])
def test_a_take_that_turns_busier_or_calmer_soon_is_so(engine: Engine, steps: int) -> None:
    notes = turned_at_eight(engine, Knobs(busy=steps))
    wanted = 100 * summarize(tune((60, 70, 80))).density * 1.4**steps
    assert sum(note.start >= 10 for note in notes) / 14 == pytest.approx(wanted, rel=0.3)


def test_further_parts_of_a_take_have_knobs_of_their_own(engine: Engine) -> None:
    options = Options(seed=3, seconds=12.0, then=(Knobs(loud=1), Knobs(loud=-2)))
    continuation = Continuation(engine, engine.prepare(tune((64,))), options)
    for _ in continuation:
        pass
    (take,) = continuation.takes
    assert (take.options.knobs, take.options.then) == (options.knobs, options.then)
    for part, velocity in enumerate((64, 64 + LOUDER, 64 - 2 * LOUDER)):
        inside = {note.velocity for note in take.notes if 4 * part + 1.1 < note.start < 4 * part + 3.9}
        assert inside == {velocity}


def test_the_streamed_notes_are_those_of_the_take(engine: Engine) -> None:
    """Also after a turn: what is heard is what is kept."""
    continuation = Continuation(engine, engine.prepare(tune((64,))), Options(seed=5, seconds=6.0))
    heard = []
    for step in continuation:
        heard += [(m.pitch, m.velocity) for m in step.messages if m.velocity]
        if step.head > 2:
            continuation.turn(Knobs(loud=1))
    kept = sorted(continuation.takes[0].notes, key=lambda note: (note.start, note.pitch))
    assert sorted(heard) == sorted((note.pitch, note.velocity) for note in kept)
