"""The knobs: what they aim at, and that a take sampled with one really moves that way."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from core.codec.events import Conventions, GridNote, NoteMessage, Prompt, encode_grid
from core.codec.vocabulary import LONGEST_SHIFT, NOTE_OFF, TIME_SHIFT, VOCABULARY_SIZE, to_bin
from core.errors import UsageError
from core.generation.continuation import Continuation
from core.generation.engine import Engine
from core.generation.knobs import LOUDER, KeyShare, ShorterNotes, aim, brightness, knob_processors, knobs_at
from core.generation.logits_processors import Logits, chord_onsets, chord_sizes
from core.generation.options import Options
from core.generation.prompt_summary import PromptSummary, summarize
from core.midi.key import Key
from core.midi.score import TakeNote
from core.midi.statistics import music
from core.model.transformer import ModelConfig, MusicTransformer
from core.session.knobs import MOST_STEPS, WORDS, Knobs, parse_knobs
from core.training.evaluation.knobs import STATISTICS
from tests.core.generation.tunes import SCALE, line, position

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
HALVES = summarize(Prompt(tuple(line(list(SCALE) * 5, 50)), 20.0))  # notes of half a second each
C_MAJOR = Key(0, "major").pitch_classes
SHIFTS = slice(TIME_SHIFT.first, TIME_SHIFT.end)


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
    assert length(aim(SUMMARY, Knobs(long=1))) == pytest.approx(2 * length(SUMMARY))
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


@given(hnp.arrays(np.float32, LONGEST_SHIFT, elements=st.floats(-20, 20, width=32)), st.integers(0, 60))
def test_time_stops_where_a_note_is_to_end_sooner_and_goes_on_as_often(shifts: Logits, lasted: int) -> None:
    """Half a second each, asked for two steps shorter: some 20 steps."""
    notes = ShorterNotes(aim(HALVES, Knobs(long=-2)))
    logits = np.zeros(VOCABULARY_SIZE, np.float32)
    logits[SHIFTS] = shifts
    processed = notes.process(logits, position(1000, {60: 1000 - lasted}))
    before, after = logits[SHIFTS].astype(float), processed[SHIFTS].astype(float)
    assert np.isfinite(processed).all()
    assert np.logaddexp.reduce(after) == pytest.approx(np.logaddexp.reduce(before), abs=1e-3)
    assert (np.delete(processed, np.arange(SHIFTS.start, SHIFTS.stop)) == 0).all()
    if lasted < 15:  # what goes on past 22 steps is no likelier, whatever the model says
        past = 22 - lasted
        assert np.logaddexp.reduce(after[past:]) <= np.logaddexp.reduce(before[past:]) + 1e-3


def test_where_time_has_been_stopped_for_an_end_an_onset_is_less_likely() -> None:
    logits = np.zeros(VOCABULARY_SIZE, np.float32)
    logits[SHIFTS.start + 49] = 8.0  # the model lets the note go where the next begins

    def onset(shift: int) -> float:
        """What an onset so many steps later is leaned by."""
        notes = ShorterNotes(aim(HALVES, Knobs(long=-2)))
        stopped = notes.process(logits, position(1000, {60: 1000}))[SHIFTS]
        assert np.exp(np.logaddexp.reduce(stopped[:30]) - np.logaddexp.reduce(stopped)) > 0.3  # it was 0.01
        later = notes.process(logits, position(1000 + shift, {60: 1000}))
        assert later[NOTE_OFF.first + 60] == logits[NOTE_OFF.first + 60]
        return float(later[60])

    assert onset(20) < -3
    assert onset(50) > -1
    assert onset(7) == 0


@given(st.lists(st.integers(40, 90), max_size=60))
def test_what_strays_from_the_key_is_led_back_and_begins_as_many_notes(pitches: list[int]) -> None:
    key = KeyShare(SUMMARY)
    for step, pitch in enumerate(pitches):
        key.observe(NoteMessage(step, pitch, 66, step / 100))
    logits = np.zeros(VOCABULARY_SIZE, np.float32)
    processed = key.process(logits, position(len(pitches)))
    inside, outside = ([note for note in pitches if (note % 12 in C_MAJOR) is is_in] for is_in in (True, False))
    if outside:  # of the prompt's notes there is none
        assert processed[61] < 0 < processed[60]
        assert np.logaddexp.reduce(processed[:128]) == pytest.approx(np.log(128), abs=1e-4)
        key.observe(NoteMessage(len(pitches), 61, 66, 0))
        assert key.process(logits, position(len(pitches)))[61] <= processed[61]
    elif inside:
        assert not processed.any()
    assert not processed[128:].any()


def test_only_who_is_leaned_away_from_the_prompt_is_led_back_to_its_key() -> None:
    for knobs, keys in ((Knobs(high=-1), 1), (Knobs(free=1), 1), (Knobs(full=1), 1), (Knobs(bright=2, loud=1), 0)):
        assert sum(isinstance(each, KeyShare) for each in knob_processors(aim(SUMMARY, knobs))) == keys
    assert not knob_processors(SUMMARY)


def test_only_shorter_notes_stop_time() -> None:
    for knobs, stops in ((Knobs(long=-1), 1), (Knobs(busy=2), 1), (Knobs(long=1), 0), (Knobs(high=1), 0)):
        assert sum(isinstance(each, ShorterNotes) for each in knob_processors(aim(SUMMARY, knobs))) == stops


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
        ("full", _chord),
        ("bright", _bright),
    ],
)
def test_takes_move_the_way_a_knob_says(
    engine: Engine, name: str, statistic: Callable[[tuple[TakeNote, ...]], float]
) -> None:
    down, centre, up = (
        statistic(sampled(engine, Knobs().with_steps(name, steps), seconds=30.0))
        for steps in (-MOST_STEPS, 0, MOST_STEPS)
    )
    assert down < centre < up


@pytest.mark.parametrize("steps", [-2, -1, 1, 2])
def test_notes_get_as_long_as_asked_for(engine: Engine, steps: int) -> None:
    asked = 0.3 * (2.0 if steps > 0 else 1.6) ** steps
    assert 0.6 * asked < _length(sampled(engine, Knobs(long=steps), seconds=30.0)) < 1.6 * asked


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
    take = continuation.takes[0]
    assert (take.options.knobs, take.options.then) == (Knobs(), (Knobs(high=2, loud=-2),))
    notes = take.notes
    early, late = ([note for note in notes if (note.start > turned) == is_late] for is_late in (False, True))
    assert {note.velocity for note in early} == {64}
    assert {note.velocity for note in late} == {64 - 2 * LOUDER}
    assert _pitch(tuple(late)) > _pitch(tuple(early)) + 2


def test_a_take_says_the_knobs_that_had_time_to_be_heard(engine: Engine) -> None:
    options = Options(seed=3, seconds=20.0, knobs=Knobs(busy=1, loud=-1))
    continuation = Continuation(engine, engine.prepare(tune((64,))), options)
    for step in continuation:
        if step.head > 6:
            continuation.turn(Knobs(high=-2))  # and stopped at once
            continuation.stop()
    assert (continuation.takes[0].options.knobs, continuation.takes[0].options.then) == (options.knobs, ())


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


def test_knobs_go_from_the_middle_of_a_part_to_that_of_the_next() -> None:
    parts = (Knobs(busy=1), Knobs(busy=-1, loud=2), Knobs(busy=-1))
    assert [knobs_at(parts, share / 12).busy for share in range(13)] == [
        1,
        1,
        1,
        0.5,
        0,
        -0.5,
        -1,
        -1,
        -1,
        -1,
        -1,
        -1,
        -1,
    ]
    assert [knobs_at(parts, share / 6).loud for share in range(7)] == [0, 0, 1, 2, 1, 0, 0]
    assert knobs_at(parts[:1], 0.9) is parts[0]


def test_gradual_knobs_go_from_the_start_of_their_part_to_its_end() -> None:
    louder = Knobs(busy=-1, loud=2, gradual=("loud",))
    shares = (0, 0.25, 0.5, 0.75, 1, 1.5)
    assert [knobs_at((louder,), share).loud for share in shares] == [0, 0.5, 1, 1.5, 2, 2]
    assert {knobs_at((louder,), share).busy for share in shares} == {-1}
    fading = (Knobs(loud=1), Knobs(loud=-2, gradual=("loud",)))
    assert [knobs_at(fading, share).loud for share in shares] == [1, 1, 1, -0.5, -2, -2]
    assert [knobs_at((*fading, Knobs()), share).loud for share in (1 / 3, 0.5, 2 / 3, 0.75, 5 / 6, 1)] == [
        1,
        -0.5,
        -2,
        -1,
        0,
        0,
    ]


def distance(engine: Engine, options: Options, times: tuple[float, ...], steps: tuple[float, ...]) -> float:
    """How far the velocities of a take's notes, after a flat prompt, lie at most from a curve of `steps` at `times`."""
    continuation = Continuation(engine, engine.prepare(tune((64,))), options)
    for _ in continuation:
        pass
    (take,) = continuation.takes
    assert (take.options.knobs, take.options.then) == (options.knobs, options.then)
    assert {int(note.start) for note in take.notes} >= set(range(7))
    return max(abs(n.velocity - 64 - LOUDER * np.interp(n.start, times, steps)) for n in take.notes)


def test_parts_of_a_take_follow_a_curve(engine: Engine) -> None:
    options = Options(seed=3, seconds=12.0, then=(Knobs(loud=1), Knobs(loud=-2)))
    assert distance(engine, options, (2, 6, 10), (0, 1, -2)) < 0.7 * LOUDER
    fading = Options(seed=3, seconds=8.0, knobs=Knobs(loud=-2, gradual=("loud",)))
    assert distance(engine, fading, (0, 8), (0, -2)) < 0.7 * LOUDER


def test_a_take_that_was_begun_before_goes_on_its_curve(engine: Engine) -> None:
    options = Options(seed=3, seconds=8.0, before=8.0, then=(Knobs(loud=1), Knobs(loud=-2), Knobs(loud=-1)))
    assert distance(engine, options, (-2, 2, 6), (1, -2, -1)) < 0.7 * LOUDER


def test_knobs_turned_while_a_take_is_sampled_go_on_their_curve_over_all_of_it(engine: Engine) -> None:
    continuation = Continuation(engine, engine.prepare(tune((64,))), Options(seed=3, seconds=12.0))
    for step in continuation:
        if step.head > 4:
            continuation.turn(Knobs(loud=-1), Knobs(loud=2, gradual=("loud",)))
    (take,) = continuation.takes
    assert (take.options.knobs, take.options.then) == (Knobs(), (Knobs(loud=-1), Knobs(loud=2, gradual=("loud",))))
    wanted = [LOUDER * np.interp(n.start, (0, 4, 5.5, 6, 12), (0, 0, -1, -1, 2)) for n in take.notes]
    assert max(abs(n.velocity - 64 - w) for n, w in zip(take.notes, wanted, strict=True) if not 3.9 < n.start < 6) < 7


def test_without_an_end_a_gradual_knob_is_turned_at_once(engine: Engine) -> None:
    continuation = Continuation(
        engine, engine.prepare(tune((64,))), Options(events=40, knobs=Knobs(loud=1, gradual=("loud",)))
    )
    assert {m.velocity for step in continuation for m in step.messages} == {64 + LOUDER, 0}


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
