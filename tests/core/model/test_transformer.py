import itertools
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from core.codec.events import encode_prompt
from core.errors import UnreadableInput
from core.midi.read import read_score
from core.model.checkpoint import find_model, load_model
from core.model.inference import Cancelled, Inference
from core.model.int8 import Int8Ops
from core.model.kv_cache import PAGE_SIZE
from core.model.thread_choice import ThreadChoice
from core.model.transformer import BOOK, ModelConfig, MusicTransformer, rotary_tables, rotate, with_symbols
from core.resources import bundled

ROTARY = ModelConfig(n_layer=2, n_head=2, n_embd=32, block_size=48)
LEARNED = ModelConfig(
    n_layer=2, n_head=4, n_embd=32, block_size=48, position="learned", velocity="each", starts_with_boundary=False
)
CHECK = Path(__file__).with_name("continuo-base-check.json")
CONFIGS = [ROTARY, LEARNED]


def network(config: ModelConfig, seed: int = 0) -> MusicTransformer:
    """A network whose weights are large enough for every part to matter."""
    torch.manual_seed(seed)
    model = MusicTransformer(config).eval()
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    return model


def events(count: int, seed: int = 1) -> list[int]:
    return torch.randint(0, 390, (count,), generator=torch.Generator().manual_seed(seed)).tolist()


def test_the_book_preset_has_the_books_size_and_names() -> None:
    with torch.device("meta"):
        book = MusicTransformer(BOOK)
    assert book.size == 20_163_584
    names = {key.replace(".0.", ".N.") for key in book.state_dict() if ".h.0." in key or ".h." not in key}
    layer = {"ln_1", "ln_2", "attn.c_attn", "attn.c_proj", "mlp.c_fc", "mlp.c_proj"}
    expected = {f"transformer.h.N.{part}.{kind}" for part in layer for kind in ("weight", "bias")}
    expected |= {"transformer.wte.weight", "transformer.wpe.weight", "lm_head.weight"}
    assert names == expected | {"transformer.ln_f.weight", "transformer.ln_f.bias"}


@pytest.mark.parametrize("config", CONFIGS)
def test_a_network_that_knows_symbols_expects_the_same_events_as_before(config: ModelConfig) -> None:
    model = network(config)
    wide = with_symbols(model)
    assert wide.config.has_symbols
    sequence = torch.tensor([events(40)])
    with torch.no_grad():
        before, after = model(sequence)[0], wide(sequence)[0]
        wide(torch.arange(430, 460)[None])  # every symbol can be read
    torch.testing.assert_close(after[:, :390], before, atol=1e-4, rtol=1e-4)  # a wider product may round otherwise
    # Each symbol is as likely as padding; and no two are alike to the network.
    torch.testing.assert_close(after[:, 390:], before[:, 389:390].expand(-1, 72), atol=1e-4, rtol=1e-4)
    assert len(wide.transformer.wte.weight.unique(dim=0)) == 462


@pytest.mark.parametrize("int8", [False, True])
def test_nothing_is_sampled_but_events(int8: bool) -> None:
    wide = with_symbols(network(ROTARY))
    sequence = [390, 400, 430, 461, *events(20)]
    inference = Inference(wide, int8=int8)
    cache = inference.new_cache()
    read = inference.prefill([sequence[:-1]], cache)
    decoded = inference.decode_one(sequence[-1:], cache)
    with torch.no_grad():
        expected = wide(torch.tensor([sequence]))[0, -2:, :390]
    assert read.shape == decoded.shape == (1, 390)
    torch.testing.assert_close(read[0], expected[0], rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(decoded[0], expected[1], rtol=0.1 if int8 else 1e-4, atol=1.0 if int8 else 1e-4)


@pytest.mark.parametrize("config", CONFIGS)
def test_what_comes_later_changes_nothing_before(config: ModelConfig) -> None:
    model = network(config)
    sequence = events(40)
    changed = [*sequence[:25], *events(15, seed=2)]
    with torch.no_grad():
        one, other = model(torch.tensor([sequence, changed]))
    torch.testing.assert_close(one[:25], other[:25], atol=2e-4, rtol=1e-4)
    assert not torch.allclose(one[25:], other[25:])


@pytest.mark.parametrize("config", CONFIGS)
@settings(max_examples=25)
@given(cuts=st.sets(st.integers(1, 39), max_size=6), seed=st.integers(0, 3))
def test_any_split_between_prefill_and_decoding_gives_the_same_logits(
    config: ModelConfig, cuts: set[int], seed: int
) -> None:
    model = network(config)
    inference = Inference(model, int8=False)
    sequence = events(40, seed)
    with torch.no_grad():
        whole = model(torch.tensor([sequence]))[0]
    edges = [0, *sorted(cuts), 40]
    cache = inference.new_cache()
    for number, (a, b) in enumerate(itertools.pairwise(edges)):
        if number % 2:  # every other stretch one by one
            for place in range(a, b):
                logits = inference.decode_one([sequence[place]], cache)
                assert torch.allclose(logits[0], whole[place], atol=2e-4, rtol=1e-4)
        else:
            logits = inference.prefill([sequence[a:b]], cache)
            assert torch.allclose(logits[0], whole[b - 1], atol=2e-4, rtol=1e-4)
    assert cache.length == 40


@pytest.mark.parametrize("int8", [False, True])
@pytest.mark.parametrize("config", CONFIGS)
def test_events_read_at_once_get_the_logits_of_events_decoded_one_by_one(config: ModelConfig, int8: bool) -> None:
    inference, sequence = Inference(network(config), int8=int8), events(40)
    caches = [inference.new_cache(), inference.new_cache()]
    for cache in caches:
        inference.prefill([sequence[:15]], cache)
    decoded = torch.cat([inference.decode_one([event], caches[0]) for event in sequence[15:]])
    # Inputs are rounded to 8 bits by the range of all that are multiplied together.
    atol, rtol = (1.0, 0.1) if int8 else (2e-4, 1e-4)
    torch.testing.assert_close(inference.read(sequence[15:], caches[1]), decoded, atol=atol, rtol=rtol)
    assert caches[1].length == 40


@pytest.mark.parametrize("config", CONFIGS)
def test_a_batch_equals_its_sequences_one_by_one(config: ModelConfig) -> None:
    inference = Inference(network(config), int8=False)
    sequences = [events(20, seed) for seed in range(3)]
    cache = inference.new_cache(3)
    inference.prefill([s[:12] for s in sequences], cache)
    kept = cache.rows([2, 0])
    both = torch.empty(0)
    for place in range(12, 20):
        both = inference.decode_one([sequences[2][place], sequences[0][place]], kept)
    for row, sequence in enumerate((sequences[2], sequences[0])):
        alone = inference.prefill([sequence], inference.new_cache())
        assert torch.allclose(both[row], alone[0], atol=2e-4, rtol=1e-4)


class OnThreads(ThreadChoice):
    """Decodes on as many as there may be."""

    def __init__(self, most: int) -> None:
        super().__init__(most)
        self.threads = most

    def record(self, seconds: float) -> None:
        pass


@pytest.fixture
def threads() -> Iterator[int]:
    """PyTorch has so many for the test."""
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    yield 3
    torch.set_num_threads(before)


@pytest.mark.skipif(not Int8Ops.is_there(), reason="this CPU decodes in float32, on one thread")
@pytest.mark.usefixtures("threads")
def test_in_8_bits_logits_are_the_same_to_the_last_bit_on_any_number_of_threads(monkeypatch) -> None:
    """Else the same seed would play other notes now and then: how many threads are taken is found by the clock."""
    model, _ = load_model(find_model(None))
    inference = Inference(model)
    start = inference.new_cache()
    inference.prefill([events(PAGE_SIZE - 10)], start)
    logits = []
    for threads in (1, 2, 3):
        monkeypatch.setattr("core.model.inference.ThreadChoice", lambda most, n=threads: OnThreads(min(n, most)))
        inference._thread_choices.clear()
        cache = start.rows([0])
        logits.append(torch.stack([inference.decode_one([event], cache) for event in events(20)]))
    assert torch.equal(logits[0], logits[1])
    assert torch.equal(logits[0], logits[2])


@pytest.mark.parametrize("int8", [False, True])
def test_decoding_leaves_the_number_of_threads_as_it_was(int8: bool, threads: int, monkeypatch) -> None:
    monkeypatch.setattr("core.model.inference.ThreadChoice", OnThreads)
    inference = Inference(network(ROTARY), int8=int8)
    cache = inference.new_cache()
    seen = []
    works = inference._decode

    def spy(*arguments: object) -> torch.Tensor:
        seen.append(torch.get_num_threads())
        if len(seen) == 2:
            raise torch.OutOfMemoryError
        return works(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(inference, "_decode", spy)
    inference.decode_one([3], cache)
    assert torch.get_num_threads() == threads
    with pytest.raises(torch.OutOfMemoryError):
        inference.decode_one([3], cache)
    assert torch.get_num_threads() == threads
    assert seen == [threads if inference.arithmetic == "int8" else 1] * 2  # in float32, sums depend on the number


@pytest.mark.skipif(not Int8Ops.is_there(), reason="this CPU decodes in float32")
def test_decoding_in_8_bits_predicts_nearly_as_well() -> None:
    """A bundled model on a piece, one by one: what it expects is what it expects in float32, but for 0.002 nats."""
    model, _ = load_model(find_model("continuo-base"))
    sequence = json.loads(CHECK.read_text())["events"]
    expected = []
    for inference in (Inference(model, int8=False), Inference(model)):
        cache = inference.new_cache()
        rows = [inference.prefill([sequence[:100]], cache)]
        rows += [inference.decode_one([event], cache) for event in sequence[100:250]]
        expected.append(torch.cat(rows).log_softmax(-1))
    exact, rounded = expected
    assert not torch.equal(exact, rounded)
    divergence = (exact.exp() * (exact - rounded)).sum(-1)  # Kullback-Leibler, (151)
    assert float(divergence.mean()) < 0.002
    assert float(divergence.max()) < 0.02


def test_a_forked_cache_leaves_the_first_alone() -> None:
    inference = Inference(network(ROTARY))
    cache = inference.new_cache()
    inference.prefill([events(10)], cache)
    expected = inference.decode_one([7], cache.rows([0]))
    fork = cache.rows([0, 0])
    inference.decode_one([5, 6], fork)
    torch.testing.assert_close(inference.decode_one([7], cache), expected, atol=2e-4, rtol=1e-4)


def test_prefill_stops_when_it_is_not_wanted() -> None:
    inference = Inference(network(ROTARY))
    with pytest.raises(Cancelled):
        inference.prefill([events(10)], inference.new_cache(), lambda: True)


def test_rotation_depends_on_distance_only() -> None:
    cos, sin = rotary_tables(32, 16)
    torch.manual_seed(0)
    q, k = torch.randn(16), torch.randn(16)

    def product(at: int, distance: int) -> float:
        here, there = at, at - distance
        return float(rotate(q[None], cos[here : here + 1], sin[here : here + 1])[0]
                     @ rotate(k[None], cos[there : there + 1], sin[there : there + 1])[0])  # fmt: skip

    assert product(10, 7) == pytest.approx(product(30, 7), abs=1e-4)
    assert product(10, 7) != pytest.approx(product(10, 3), abs=1e-2)


def test_the_bundled_model_has_the_loss_that_was_measured() -> None:
    """Float32, from position 0, nats against the next event of an example; `write_check` wrote the figures."""
    model, _ = load_model(find_model("continuo-base"))
    check = json.loads(CHECK.read_text())
    sequence = torch.tensor(check["events"])
    with torch.no_grad():
        logits = model(sequence[None, :-1])[0]
    losses = F.cross_entropy(logits, sequence[1:], reduction="none")
    assert losses[:8].tolist() == pytest.approx(check["loss_first_8"], abs=1e-3)
    assert losses.mean().item() == pytest.approx(check["loss_mean"], abs=1e-3)
    top = logits[-1].topk(5)
    assert top.indices.tolist() == [event for event, _ in check["logits_last_top5"]]
    assert top.values.tolist() == pytest.approx([value for _, value in check["logits_last_top5"]], abs=1e-3)


@pytest.mark.parametrize(
    "change",
    [
        {"n_layer": 0},
        {"n_embd": 10**9},
        {"n_embd": 30},
        {"n_head": "8"},
        {"n_layer": True},
        {"vocab_size": 50257},
        {"position": "sinusoidal"},
        {"velocity": []},
        {"rotary_base": 5000},
    ],
)
def test_a_config_that_cannot_be_is_refused(change: dict[str, object]) -> None:
    assert ModelConfig.from_dict(ROTARY.as_dict()) == ROTARY
    with pytest.raises(UnreadableInput):
        ModelConfig.from_dict({**ROTARY.as_dict(), **change})


def write_check() -> None:
    """Write anew what the bundled model expects of the nocturne's first events: it changes only with the weights."""
    model, info = load_model(find_model("continuo-base"))
    score = read_score(bundled("examples", "nocturne.mid"))
    sequence = list(encode_prompt(score.tracks, score.end, info.config.conventions).events[:300])
    with torch.no_grad():
        logits = model(torch.tensor(sequence)[None, :-1])[0]
    losses = F.cross_entropy(logits, torch.tensor(sequence[1:]), reduction="none")
    top = logits[-1].topk(5)
    check = {
        "events": sequence,
        "loss_first_8": losses[:8].tolist(),
        "loss_mean": losses.mean().item(),
        "logits_last_top5": list(zip(top.indices.tolist(), top.values.tolist(), strict=True)),
    }
    CHECK.write_text(json.dumps(check) + "\n", encoding="utf-8")


if __name__ == "__main__":
    write_check()
