import gc
import threading
import tracemalloc
import weakref
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from core.codec.events import Conventions, GridNote, Prompt, decode, encode_grid
from core.codec.steps import PLAIN, Steps, gridded_steps
from core.codec.vocabulary import BOUNDARY, VELOCITY, from_bin, note_off
from core.errors import ContinuoError, NotFound, UsageError
from core.generation.constraints import Rules
from core.generation.continuation import Continuation, rank
from core.generation.engine import Cancelled, Engine, choose_device, cut_window
from core.generation.options import Options, Sampling, Take
from core.midi.grid import Grid
from core.midi.score import TakeNote
from core.midi.statistics import apart, music
from core.model.int8 import Int8Ops
from core.model.kv_cache import KVCache
from core.model.transformer import ModelConfig, MusicTransformer

CONFIG = ModelConfig(n_layer=1, n_head=2, n_embd=16, block_size=64)
PROMPT = Prompt((BOUNDARY, VELOCITY.first + 20, 60, 355, 188, 280), 1.25)
GRIDS = (Grid(0.5, 0.0, (4,)), Grid(0.41, 1.1, (4, 6)), Grid(1.3, 1.25, (1,)))


def small_engine(config: ModelConfig = CONFIG, say: Callable[[str], None] = lambda _: None) -> Engine:
    torch.manual_seed(0)
    model = MusicTransformer(config).eval()
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.4)
    return Engine(model, torch.device("cpu"), "small", say)


ENGINE = small_engine()


def continued(options: Options, engine: Engine = ENGINE, prompt: Prompt = PROMPT) -> list[Take]:
    continuation = Continuation(engine, engine.prepare(prompt), options)
    for _ in continuation:
        pass
    return continuation.takes


options_of = st.builds(
    Options,
    sampling=st.builds(Sampling, temperature=st.sampled_from([0.0, 1.0, 3.0]), top_p=st.sampled_from([0.5, 1.0])),
    rules=st.builds(Rules, longest_note=st.sampled_from([0.5, 10.0]), ends=st.booleans()),
    seed=st.integers(0, 1000),
    seconds=st.floats(0.01, 3.0),
    takes=st.integers(1, 3),
)


@settings(max_examples=40)
@given(options_of, st.sampled_from([PLAIN, *(gridded_steps(grid, PROMPT.marker) for grid in GRIDS)]))
def test_what_streams_is_what_the_take_holds_and_all_is_closed_within_its_length(
    options: Options, timing: Steps
) -> None:
    continuation = Continuation(ENGINE, ENGINE.prepare(replace(PROMPT, steps=timing)), options)
    steps = list(continuation)
    for index, take in enumerate(continuation.takes):
        mine = [step for step in steps if step.take == index]
        messages = [m for step in mine for m in step.messages]
        assert sorted((n.start, n.pitch, n.velocity) for n in take.notes) == sorted(
            (m.time, m.pitch, m.velocity) for m in messages if m.velocity
        )
        assert sorted((n.end, n.pitch) for n in take.notes) == sorted(
            (m.time, m.pitch) for m in messages if not m.velocity
        )
        assert [m.step for m in messages] == sorted(m.step for m in messages)
        assert tuple(decode(take.events, from_bin(20), timing)) == take.notes
        assert mine[-1].event is None
        assert all(step.event is not None for step in mine[:-1])
        assert [step.head for step in mine] == sorted(step.head for step in mine)
        if BOUNDARY not in take.events:
            shortest = timing.seconds(1)
            assert take.seconds == pytest.approx(max(shortest, options.seconds or 0), abs=0.5001 / timing.rate)
        assert all(0 <= n.start < n.end <= take.seconds + 1e-9 for n in take.notes)


@settings(max_examples=30)
@given(st.sampled_from(GRIDS), st.floats(0.0, 3.0), st.integers(0, 1000))
def test_a_take_on_a_grid_begins_its_notes_on_lines_of_the_score(grid: Grid, marker: float, seed: int) -> None:
    prompt = replace(PROMPT, marker=marker, steps=gridded_steps(grid, marker))
    options = Options(Sampling(temperature=2.0, top_p=1.0), seed=seed, seconds=8.0)
    (take,) = continued(options, prompt=prompt)
    assert take.notes
    for n in take.notes:
        quarters = (marker + n.start - grid.line) / grid.quarter
        assert min(abs(quarters * count - round(quarters * count)) for count in grid.parts) < 1e-6
        assert n.end - n.start <= 10.0 + 1 / prompt.steps.rate


def test_what_sounds_across_the_marker_stays_open_for_the_model_and_its_end_is_not_heard() -> None:
    sustained = Prompt((BOUNDARY, VELOCITY.first + 20, 60, 48, 355, 280), 1.25, sounding=((60, -125), (48, -125)))
    for seed in range(6):
        continuation = Continuation(ENGINE, ENGINE.prepare(sustained), Options(seed=seed, seconds=4.0))
        messages = [message for step in continuation for message in step.messages]
        (take,) = continuation.takes
        on = {pitch: take.events.index(pitch) for pitch in (60, 48) if pitch in take.events}
        for pitch in (60, 48):
            assert note_off(pitch) in take.events[: on.get(pitch)]  # let go by the model, or at the take's end
        assert sorted((n.start, n.end, n.pitch) for n in take.notes) == sorted(
            (n.start, n.end, n.pitch) for n in decode(take.events)
        )
        assert len(messages) == 2 * len(take.notes)
        ringing = Continuation(ENGINE, ENGINE.prepare(sustained), Options(seed=seed, seconds=1.0, ring=3.0))
        last = max((m.time for step in ringing for m in step.messages), default=1.0)
        assert ringing.takes[0].seconds == pytest.approx(max(1.0, last))  # nobody waits for what is not heard


def test_the_last_notes_ring_out_as_long_as_the_model_holds_them_and_nothing_begins_any_more() -> None:
    last = []
    for seed in range(8):
        plain, ringing = (continued(Options(seed=seed, seconds=2.0, ring=ring))[0] for ring in (0.0, 1.5))
        assert [(n.start, n.pitch, n.velocity) for n in ringing.notes] == [
            (n.start, n.pitch, n.velocity) for n in plain.notes
        ]
        assert all(n.end == m.end for n, m in zip(ringing.notes, plain.notes, strict=True) if m.end < 2.0)
        assert ringing.seconds <= 3.5 + 1e-9
        last.append(max((n.end for n in ringing.notes), default=0.0))
    assert max(last) > 2.0
    assert len(set(last)) > 2


def test_the_same_seed_gives_the_same_take_and_another_another() -> None:
    first, again, other = (continued(Options(seed=seed, seconds=5)) for seed in (1, 1, 2))
    assert first[0].events == again[0].events
    assert first[0].events != other[0].events


@pytest.fixture
def in_float32(monkeypatch: pytest.MonkeyPatch) -> None:
    """Engines decode in float32: a batch decodes like each of its takes alone, but for rounding."""
    monkeypatch.setattr(Int8Ops, "is_there", lambda: False)


def exact_engine() -> Engine:
    """One whose logits have the same bits in a batch as alone: added to them are zeros only, in whatever order.

    An event is as many 1 as -1, so that its norm is exact; blocks add nothing; each logit is one of them, scaled.
    """
    torch.manual_seed(0)
    model = MusicTransformer(CONFIG).eval()
    vocab, width = model.lm_head.weight.shape
    signs = torch.tensor([1.0, -1.0]).repeat(width // 2)
    with torch.no_grad():
        for block in model.transformer.h:
            for layer in (block.attn.c_proj, block.mlp.c_proj):  # type: ignore[union-attr]
                layer.weight.zero_()  # type: ignore[union-attr, operator]
        for row in model.transformer.wte.weight:
            row.copy_(signs[torch.randperm(width)])
        model.lm_head.weight.zero_()
        model.lm_head.weight[torch.arange(vocab), torch.randint(width, (vocab,))] = torch.rand(vocab)
    return Engine(model, torch.device("cpu"))


@pytest.mark.usefixtures("in_float32")
def test_each_take_of_a_batch_has_its_own_random_numbers() -> None:
    engine = exact_engine()
    batch = continued(Options(seed=7, events=40, takes=3), engine)
    assert [take.seed for take in batch] == [7, 8, 9]
    assert len({take.events for take in batch}) == 3
    for take in batch:
        assert continued(Options(seed=take.seed, events=40), engine)[0].events == take.events


@pytest.mark.usefixtures("in_float32")
def test_takes_of_different_lengths_in_one_batch_do_not_disturb_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is expected of each is, but for rounding, what is expected of it alone."""
    engine = small_engine(replace(CONFIG, block_size=512))  # no take is longer
    decode_one = engine.decode_one
    expected: list[tuple[list[int], torch.Tensor]] = []
    batches = set()

    def spy(events: list[int], cache: KVCache, histories: Callable[[], list[list[int]]]) -> object:
        logits, cache = decode_one(events, cache, histories)
        expected.extend(zip(histories(), logits, strict=True))
        batches.add(len(events))
        return logits, cache

    monkeypatch.setattr(engine, "decode_one", spy)
    takes = continued(Options(seed=3, seconds=2, takes=4), engine)
    assert max(len(take.events) for take in takes) < 500
    assert len(batches) > 1  # some ended before others
    for history, logits in expected:
        torch.testing.assert_close(logits, engine.prefill([history])[0][0], atol=2e-4, rtol=1e-4)


def test_a_length_in_events_counts_what_was_sampled() -> None:
    continuation = Continuation(ENGINE, ENGINE.prepare(PROMPT), Options(events=33))
    assert sum(step.event is not None for step in continuation) == 33


def test_a_stop_from_another_thread_ends_within_one_event_and_closes_the_takes() -> None:
    continuation = Continuation(ENGINE, ENGINE.prepare(PROMPT), Options(takes=2))
    steps = iter(continuation)
    for _ in range(51):
        next(steps)
    thread = threading.Thread(target=continuation.stop)
    thread.start()
    thread.join()
    rest = list(steps)
    assert [step.event for step in rest] == [None, None]
    for take in continuation.takes:
        assert tuple(decode(take.events, from_bin(20))) == take.notes


def test_without_an_end_it_goes_on_past_many_windows_with_flat_memory() -> None:
    continuation = Continuation(ENGINE, ENGINE.prepare(PROMPT), Options(seed=5, takes=2))
    steps = iter(continuation)
    for _ in range(1500):
        next(steps)
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for _ in range(1500):
        next(steps)
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert grown < 300_000  # an event is a number in a list
    assert all(len(take.events) >= 1500 for take in continuation.takes)


def test_a_moved_window_predicts_as_if_it_had_read_only_that_window(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = small_engine()
    windows: list[list[list[int]]] = []
    prefill = engine.prefill

    def spy(sequences: list[list[int]], *rest: object) -> object:
        windows.append([list(s) for s in sequences])
        return prefill(sequences)

    monkeypatch.setattr(engine, "prefill", spy)
    continuation = Continuation(engine, engine.prepare(PROMPT), Options(seed=5, events=150))
    for _ in continuation:
        pass
    history = [*PROMPT.events, *continuation.takes[0].events]
    assert len(windows) >= 4  # the prompt, then one in every half window
    for (window,) in windows[1:]:
        assert len(window) <= CONFIG.block_size // 2
        tail = window[1:] if window[0] not in history or VELOCITY.first <= window[0] < VELOCITY.end else window
        assert any(history[i : i + len(tail)] == tail for i in range(len(history)))


@given(st.lists(st.integers(0, 387), min_size=1, max_size=80), st.integers(2, 40))
def test_a_cut_window_keeps_the_end_and_restates_the_velocity(events: list[int], most: int) -> None:
    kept = cut_window(events, most, Conventions())
    assert len(kept) == min(most, len(events))
    if len(events) <= most:
        assert kept == events
        return
    assert kept[1:] == events[-(most - 1) :]
    before = [e for e in events[: -(most - 1)] if VELOCITY.first <= e < VELOCITY.end]
    assert kept[0] == (before[-1] if before else events[-most])


def test_a_prompt_longer_than_the_window_leaves_room() -> None:
    long = Prompt((BOUNDARY, *[60, 300, 188, 300] * 100), 90.0)
    prepared = ENGINE.prepare(long)
    assert len(prepared.events) == CONFIG.block_size * 3 // 4
    assert BOUNDARY not in prepared.events
    assert prepared.cache.length == len(prepared.events)


def test_a_prompt_of_nothing_can_be_continued() -> None:
    for config in (CONFIG, ModelConfig(1, 2, 16, 64, position="learned", velocity="each", starts_with_boundary=False)):
        (take,) = continued(Options(seed=1, seconds=3), small_engine(config), Prompt((), 0.0))
        assert take.seconds == pytest.approx(3)


def test_a_prepared_prompt_serves_many_continuations() -> None:
    prepared = ENGINE.prepare(PROMPT)
    both = []
    for _ in range(2):
        continuation = Continuation(ENGINE, prepared, Options(seed=4, events=60))
        both.append([step.event for step in continuation])
    assert both[0] == both[1]


def test_preparing_can_be_cancelled() -> None:
    with pytest.raises(Cancelled):
        ENGINE.prepare(PROMPT, lambda: True)


def test_forced_note_offs_go_into_the_models_context() -> None:
    seen: list[int] = []
    engine = small_engine()
    decode_one = engine.decode_one

    def spy(events: list[int], cache: KVCache, histories: object) -> object:
        seen.extend(events)
        return decode_one(events, cache, histories)  # type: ignore[arg-type]

    engine.decode_one = spy  # type: ignore[method-assign]
    (take,) = continued(Options(seed=2, events=50, rules=Rules(longest_note=0.05)), engine)
    assert seen == list(take.events[:49])
    forced = Continuation(engine, engine.prepare(PROMPT), Options(seed=2, events=50, rules=Rules(longest_note=0.05)))
    assert any(step.event is not None and 128 <= step.event < 256 for step in forced)


def test_scale_and_range_hold_in_a_take() -> None:
    rules = Rules(scale=frozenset({2, 4, 5, 7, 9, 10, 1}), low=48, high=72)
    (take,) = continued(Options(sampling=Sampling(temperature=3, top_p=1), rules=rules, seconds=20))
    assert take.notes
    assert all(48 <= n.pitch <= 72 and n.pitch % 12 in {1, 2, 4, 5, 7, 9, 10} for n in take.notes)


@pytest.mark.parametrize(("method", "calls"), [("prefill", 1), ("decode_one", 1), ("decode_one", 20)])
def test_a_full_graphics_card_hands_over_to_the_cpu_with_a_word(
    monkeypatch: pytest.MonkeyPatch, method: str, calls: int
) -> None:
    """The memory runs out at the given call; what stands in for the card computes on the CPU too."""
    expected = continued(Options(seed=6, events=40))[0].events
    said: list[str] = []
    engine = small_engine(say=said.append)
    card = engine._inference
    works = getattr(card, method)
    counted = iter(range(calls - 1))

    def runs_out(*arguments: object) -> object:
        if next(counted, None) is None:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return works(*arguments)

    monkeypatch.setattr(card, method, runs_out)
    (take,) = continued(Options(seed=6, events=40), engine)
    assert engine._inference is not card
    assert engine.device.type == "cpu"
    assert len(said) == 1
    assert "CPU" in said[0]
    # Nothing is lost: the window is read again, of which no more than its later half.
    assert take.events[: calls + 1] == expected[: calls + 1]
    assert len(take.events) >= 40


def test_what_was_sampled_with_is_freed_at_once() -> None:
    """With nobody looking for cycles, as in the window: else a model that another replaced stays in memory."""
    gc.collect()
    gc.disable()
    try:
        engine = small_engine()
        prepared = engine.prepare(PROMPT)
        continuation = Continuation(engine, prepared, Options(seed=6, events=30, takes=2))
        for _ in continuation:
            pass
        alive = [weakref.ref(thing) for thing in (engine, engine._inference, engine._model, prepared.cache)]
        del engine, prepared, continuation
        assert [ref() for ref in alive] == [None] * 4
    finally:
        gc.enable()


def test_takes_that_memory_does_not_hold_at_once_are_refused_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = small_engine()
    monkeypatch.setattr("core.generation.engine.physical_memory", lambda: 3 * engine._inference.cache_bytes)
    assert len(continued(Options(seed=6, events=5, takes=3), engine)) == 3
    with pytest.raises(ContinuoError, match=r"^4 takes at once need .* GiB of memory, .*\. Ask for fewer of them\.$"):
        continued(Options(seed=6, events=5, takes=4), engine)


def test_devices() -> None:
    assert choose_device("cpu").type == "cpu"
    assert choose_device().type in ("cuda", "mps", "cpu")
    with pytest.raises(UsageError):
        choose_device("toaster")
    with pytest.raises(UsageError):
        choose_device("cpu:x")
    if not torch.cuda.is_available():
        with pytest.raises(NotFound):
            choose_device("cuda")


@pytest.mark.parametrize(
    "wrong", [{"seconds": 0}, {"seconds": float("nan")}, {"events": 0}, {"takes": 0}, {"takes": 17}, {"seed": -1}]
)
def test_options_out_of_range_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(UsageError):
        Options(**wrong)  # type: ignore[arg-type]


def take_of(pitches: list[int], each: float) -> Take:
    notes = tuple(TakeNote(p, 82, i * each, (i + 1) * each) for i, p in enumerate(pitches))
    return Take((), notes, len(notes) * each, 0, Options(), "m", 0.0)


def prompt_of(pitches: list[int], steps: int) -> Prompt:
    notes = [GridNote(i * steps, p, (i + 1) * steps, 20) for i, p in enumerate(pitches)]
    return Prompt(tuple(encode_grid(notes)), len(notes) * steps / 100)


def test_what_goes_on_in_the_prompts_manner_comes_before_what_does_not() -> None:
    tune = [60, 62, 64, 65, 67, 65, 64, 62] * 5
    like, other_pitches, denser, silent = (
        take_of(tune, 0.5),
        take_of([p + 18 for p in tune], 0.5),
        take_of(tune, 0.1),
        take_of([], 1),
    )
    assert rank([silent, denser, like, other_pitches], prompt_of(tune, 50))[0] == 2
    assert rank([silent, denser, other_pitches], prompt_of(tune, 50))[-1] == 0
    assert rank([like, like, like], prompt_of(tune, 50)) == [0, 1, 2]
    assert rank([silent, denser, like], Prompt((), 0.0)) == [1, 2, 0]
    # Only the last 20 seconds of the prompt count.
    assert rank([other_pitches, like], prompt_of([p + 18 for p in tune] * 3 + tune * 2, 50)) == [1, 0]


@given(st.lists(st.lists(st.integers(30, 90), max_size=12), min_size=1, max_size=6))
def test_a_ranking_is_an_order_of_all_by_distance(many: list[list[int]]) -> None:
    takes = [take_of(pitches, 0.25) for pitches in many]
    tune = [60, 64, 67, 72] * 10
    order = rank(takes, prompt_of(tune, 25))
    assert sorted(order) == list(range(len(takes)))
    end = music(take_of(tune, 0.25).notes, 10.0)
    distances = [apart(music(takes[i].notes, takes[i].seconds), end) for i in order if takes[i].notes]
    assert not any(takes[i].notes for i in order[len(distances) :])
    assert all(a <= b + 1e-9 for a, b in pairwise(distances))


def test_a_continuation_ranks_its_takes() -> None:
    continuation = Continuation(ENGINE, ENGINE.prepare(PROMPT), Options(seed=3, events=60, takes=4))
    for _ in continuation:
        pass
    assert continuation.ranking == rank(continuation.takes, PROMPT)


def test_of_several_takes_none_is_more_than_an_event_ahead_of_the_others() -> None:
    sampled = [0, 0, 0]
    for step in Continuation(ENGINE, ENGINE.prepare(PROMPT), Options(takes=3, events=40)):
        if step.event is not None:
            sampled[step.take] += 1
            assert max(sampled) - min(sampled) <= 1
    assert sampled == [40, 40, 40]
