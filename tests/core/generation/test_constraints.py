"""Every rule of the grammar, held against takes drawn from random logits of any shape."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from core.codec.events import NoteMessage, Prompt, decode
from core.codec.steps import PLAIN, Steps, gridded_steps
from core.codec.vocabulary import (
    BOUNDARY,
    NOTE_OFF,
    NOTE_ON,
    PADDING,
    TIME_SHIFT,
    VELOCITY,
    note_off,
    note_on,
    shift_steps,
    time_shift,
)
from core.errors import UsageError
from core.generation.constraints import WINDOW, Bounds, Grammar, Rules, bounds_of
from core.generation.continuation import Continuation
from core.generation.options import Options, Sampling
from core.generation.sampler import sample
from core.midi.grid import Grid
from tests.core.generation.test_continuation import ENGINE

rules_of = st.builds(
    Rules,
    scale=st.none() | st.frozensets(st.integers(0, 11), min_size=1),
    low=st.integers(0, 50),
    high=st.integers(62, 127),
    longest_silence=st.floats(0.01, 4),
    longest_note=st.floats(0.01, 12),
    ends=st.booleans(),
)


grids_of = st.builds(
    Grid,
    quarter=st.floats(0.15, 2),
    line=st.floats(0, 2),
    parts=st.sampled_from([(1,), (2,), (3,), (4,), (8,), (4, 6), (8, 6)]),
)
steps_of = st.just(PLAIN) | st.builds(gridded_steps, grids_of, st.floats(0, 5))
held_over = st.dictionaries(st.integers(0, 127), st.integers(-700, -1), max_size=8)


def drawn(
    rules: Rules,
    seed: int,
    bias: float,
    count: int = 250,
    steps: Steps = PLAIN,
    bounds: Bounds | None = None,
    before: dict[int, int] | None = None,
) -> tuple[list[int], list[NoteMessage], Grammar]:
    """A take from random logits; `bias` favours note-ons and velocities (or, below 0, time shifts)."""
    random = np.random.default_rng(seed)
    grammar = Grammar(rules, steps=steps, bounds=bounds, sounding=(before or {}).items())
    events, messages = [], []
    for _ in range(count):
        event = grammar.forced_event()
        if event is None:
            logits = random.standard_normal(390) * 3
            logits[NOTE_ON.first : NOTE_ON.end] += bias
            logits[VELOCITY.first : VELOCITY.end] += bias
            logits[TIME_SHIFT.first : TIME_SHIFT.end] -= bias
            allowed = grammar.allowed()
            assert allowed.any()
            event = grammar.fit(sample(logits, allowed, Sampling(top_p=1.0), random.random()))
        events.append(event)
        messages += grammar.accept(event)
        if event == BOUNDARY:
            break
    return events, messages, grammar


@given(rules_of, st.integers(0, 10**6), st.sampled_from([-4.0, 0.0, 4.0]), steps_of, held_over)
def test_no_take_breaks_a_rule(rules: Rules, seed: int, bias: float, steps: Steps, before: dict[int, int]) -> None:
    events, messages, grammar = drawn(rules, seed, bias, steps=steps, before=before)
    longest_note, longest_silence = steps.span(rules.longest_note), steps.span(rules.longest_silence)
    sounding = dict(before)
    unheard = set(before)
    step = silent_since = struck_at = 0
    for place, event in enumerate(events):
        if NOTE_ON.first <= event < NOTE_ON.end:
            assert event not in sounding
            assert rules.low <= event <= rules.high
            assert rules.scale is None or event % 12 in rules.scale
            assert steps.to_line(step) == 0
            sounding[event] = step
        elif NOTE_OFF.first <= event < NOTE_OFF.end:
            struck_at = sounding.pop(event - NOTE_OFF.first)  # a KeyError: it did not sound
            assert struck_at < step
            if event - NOTE_OFF.first not in unheard:
                silent_since = step
            unheard.discard(event - NOTE_OFF.first)
        elif shift_steps(event):
            step += shift_steps(event)
            for onset in sounding.values():
                assert step - onset <= longest_note
            if len(sounding) == len(unheard) and step - silent_since > longest_silence:
                # No line came sooner, and this is the first.
                assert steps.to_line(silent_since + 1) + silent_since + 1 >= step
        elif VELOCITY.first <= event < VELOCITY.end:
            assert place + 1 == len(events) or NOTE_ON.first <= events[place + 1] < NOTE_ON.end
        else:
            assert event == BOUNDARY
            assert rules.ends
    assert grammar.step == step
    assert set(grammar.decoder.sounding) == set(sounding)
    assert grammar.decoder.unheard == unheard
    # What streams out is what the events mean.
    messages += grammar.decoder.close()
    assert sorted((n.start, n.pitch) for n in decode(events, steps=steps)) == sorted(
        (m.time, m.pitch) for m in messages if m.velocity
    )
    assert sorted((n.end, n.pitch) for n in decode(events, steps=steps)) == sorted(
        (m.time, m.pitch) for m in messages if not m.velocity
    )


bounds_of_takes = st.builds(
    Bounds,
    longest_note=st.floats(1, 6),
    lowest=st.integers(-5, 60),
    highest=st.integers(60, 140),
    most_at_once=st.integers(3, 8),
    most_in_window=st.integers(2, 12),
)


@given(bounds_of_takes, st.integers(0, 10**6), st.sampled_from([0.0, 4.0]), steps_of)
@example(Bounds(1.0, 0, 60, 3, 2), 1, 4.0, gridded_steps(Grid(1.75, 0.0, (1,)), 0.0))  # lines nearly two seconds apart
def test_no_take_goes_beyond_its_bounds(bounds: Bounds, seed: int, bias: float, steps: Steps) -> None:
    _, messages, _ = drawn(Rules(), seed, bias, steps=steps, bounds=bounds)
    longest_silence = steps.span(Rules().longest_silence)
    struck: dict[int, int] = {}
    onsets: list[int] = []
    silent_since = 0
    for message in messages:
        if not message.velocity:
            assert message.step - struck.pop(message.pitch) <= steps.span(bounds.longest_note)
            silent_since = message.step
            continue
        next_line = message.step + 1 + steps.to_line(message.step + 1)
        ends_a_silence = not struck and next_line - silent_since > longest_silence  # which could last no longer
        struck[message.pitch] = message.step
        onsets.append(message.step)
        assert bounds.lowest <= message.pitch <= bounds.highest
        assert len(struck) <= bounds.most_at_once
        in_window = sum(onset > message.step - steps.span(WINDOW) for onset in onsets)
        assert in_window <= bounds.most_in_window or ends_a_silence


def test_a_range_that_is_asked_for_counts_and_not_the_prompts() -> None:
    bounds = Bounds(1.0, 40, 60, 4, 9)
    allowed = Grammar(Rules(low=70), bounds=bounds).allowed()[NOTE_ON.first : NOTE_ON.end]
    assert np.flatnonzero(allowed).tolist() == list(range(70, 128))


def test_boundary_and_padding_are_never_drawn_unasked() -> None:
    assert not Grammar(Rules()).allowed()[[BOUNDARY, PADDING]].any()
    assert Grammar(Rules(ends=True)).allowed()[[BOUNDARY, PADDING]].tolist() == [True, False]


def test_a_note_held_its_longest_is_let_go_before_anything_else() -> None:
    grammar = Grammar(Rules(longest_note=1.5))
    for event in (60, 64, 355):
        grammar.accept(event)
    assert grammar.forced_event() is None
    assert grammar.fit(355) == TIME_SHIFT.first + 49  # half a second is left
    grammar.accept(grammar.fit(355))
    assert grammar.forced_event() == NOTE_OFF.first + 60
    assert [(m.time, m.pitch, m.velocity) for m in grammar.accept(NOTE_OFF.first + 60)] == [(1.5, 60, 0)]
    assert grammar.forced_event() == NOTE_OFF.first + 64


def test_silence_that_has_lasted_its_longest_ends_with_a_note() -> None:
    grammar = Grammar(Rules(longest_silence=0.3))
    grammar.accept(grammar.fit(355))
    assert grammar.step == 30
    allowed = grammar.allowed()
    assert not allowed[TIME_SHIFT.first : TIME_SHIFT.end].any()
    assert allowed[NOTE_ON.first : NOTE_ON.end].all()


def test_what_sounds_from_before_is_let_go_unheard_and_breaks_no_silence() -> None:
    grammar = Grammar(Rules(longest_silence=0.3), sounding=[(60, -50), (64, -1000)])
    assert grammar.forced_event() == note_off(64)  # held its longest before the take began
    assert grammar.accept(note_off(64)) == []
    assert not grammar.allowed()[60]  # it must be let go before it can be struck anew
    assert grammar.allowed()[note_off(60)]
    grammar.accept(grammar.fit(355))
    assert grammar.step == 30
    assert not grammar.allowed()[TIME_SHIFT.first : TIME_SHIFT.end].any()
    assert grammar.accept(note_off(60)) == []
    assert grammar.accept(60) != []
    grammar.accept(time_shift(9))
    assert [(m.step, m.pitch) for m in grammar.accept(note_off(60))] == [(39, 60)]


def test_a_shift_does_not_pass_the_end_of_the_take() -> None:
    grammar = Grammar(Rules())
    assert shift_steps(grammar.fit(355, until=37)) == 37
    assert shift_steps(grammar.fit(260, until=37)) == 5


@pytest.mark.parametrize(
    "wrong",
    [
        {"low": 61, "high": 60},
        {"low": -1},
        {"high": 128},
        {"scale": frozenset()},
        {"scale": frozenset({1}), "low": 60, "high": 60},
        {"longest_silence": 0.0},
        {"longest_note": float("nan")},
    ],
)
def test_rules_that_leave_nothing_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        Rules(**wrong)  # type: ignore[arg-type]


SIXTEENTHS = gridded_steps(Grid(0.5, 0.0, (4,)), 0.0)  # twelve steps each


def test_a_note_between_two_lines_waits_for_the_second() -> None:
    grammar = Grammar(Rules(), steps=SIXTEENTHS)
    for event in (time_shift(5), *([60] * 2)):
        grammar.accept(grammar.fit(event))
    assert grammar.step == 12
    assert grammar.decoder.sounding == {60: 12}
    assert grammar.fit(VELOCITY.first + 9) == VELOCITY.first + 9  # on a line
    grammar.accept(time_shift(7))
    assert grammar.fit(VELOCITY.first + 9) == time_shift(5)
    assert grammar.fit(NOTE_OFF.first + 60) == NOTE_OFF.first + 60  # notes end where they like
    assert grammar.fit(64, until=21) == time_shift(2)


def test_a_shift_to_a_little_past_a_line_ends_on_it() -> None:
    grammar = Grammar(Rules(), steps=SIXTEENTHS)
    assert [shift_steps(grammar.fit(time_shift(n))) for n in (5, 11, 12, 13, 16, 17, 23, 25)] == [
        5, 11, 12, 12, 12, 17, 23, 24,
    ]  # fmt: skip
    close = Grammar(Rules(), steps=gridded_steps(Grid(0.5, 0.0, (4, 6)), 0.0))  # lines at 8, 12, 16, 24
    assert [shift_steps(close.fit(time_shift(n))) for n in (8, 9, 10, 13, 14, 15, 18, 19)] == [
        8, 8, 10, 12, 14, 15, 16, 19,
    ]  # fmt: skip


def test_what_comes_a_little_after_a_line_comes_on_it() -> None:
    grammar = Grammar(Rules(), steps=SIXTEENTHS)

    def soonest() -> int:
        return int(grammar.allowed()[TIME_SHIFT.first :].argmax()) + 1

    assert soonest() == 5
    grammar.accept(60)
    assert soonest() == 5
    grammar.accept(time_shift(10))
    assert soonest() == 1
    assert Grammar(Rules()).allowed()[TIME_SHIFT.first]
    held = Grammar(Rules(longest_note=0.03), steps=SIXTEENTHS)
    held.accept(60)
    assert held.allowed()[TIME_SHIFT.first]  # else nothing could come


@pytest.mark.parametrize(("longest", "step"), [(0.01, 12), (0.2, 12), (0.25, 24), (0.3, 24), (3.0, 288)])
def test_a_silence_ends_on_a_line(longest: float, step: int) -> None:
    grammar = Grammar(Rules(longest_silence=longest), steps=SIXTEENTHS)
    while grammar.allowed()[TIME_SHIFT.end - 1]:
        grammar.accept(grammar.fit(TIME_SHIFT.end - 1))
    assert grammar.step == step
    assert grammar.allowed()[60]


def chords(count: int, seconds: float, size: int) -> Prompt:
    """Chords of so many notes from middle C up, one after the other."""
    pitches = range(60, 60 + size)
    chord = [*map(note_on, pitches), time_shift(round(seconds * 100)), *map(note_off, pitches)]
    return Prompt((VELOCITY.first + 20, *chord * count), count * seconds)


def test_bounds_lie_beyond_the_prompt() -> None:
    # Eight chords begin within two seconds, the first just not.
    assert bounds_of(chords(20, 0.25, 7)) == Bounds(2.0, 48, 78, 9, 84)
    assert bounds_of(chords(9, 1.0, 1)) == Bounds(2.0, 48, 72, 6, 16)
    assert bounds_of(chords(2, 4.0 / 5, 1)) == Bounds(2.0, 48, 72, 6, 16)
    assert bounds_of(Prompt((), 0.0)) is None


@pytest.mark.parametrize(("held", "longest"), [(1, 2.0), (4, 6.0), (5, 7.5), (7, 7.5), (9, 9.0)])
def test_very_long_notes_come_only_where_the_prompt_has_them(held: int, longest: float) -> None:
    bounds = bounds_of(Prompt((note_on(60), *[time_shift(100)] * held, note_off(60)), held))
    assert bounds is not None
    assert bounds.longest_note == longest


def test_a_take_keeps_within_them() -> None:
    prepared = ENGINE.prepare(chords(9, 0.5, 2))
    longest = []
    for seed in range(4):
        continuation = Continuation(ENGINE, prepared, Options(seed=seed, events=300, rules=Rules(longest_silence=1.0)))
        for _ in continuation:
            pass
        notes = continuation.takes[0].notes
        longest.append(max(note.end - note.start for note in notes))
        assert {note.pitch for note in notes} <= set(range(48, 74))
    assert max(longest) == pytest.approx(2.0)  # the network of the tests hardly lets go by itself
