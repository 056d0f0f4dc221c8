"""continuo-cli bench: how fast events are sampled here."""

import time
from typing import TYPE_CHECKING, Annotated

import typer

from core.cli.output import Json, give, say

if TYPE_CHECKING:
    from core.model.inference import Inference
    from core.model.transformer import MusicTransformer

FIRST, LAST = 250, 1000  # all figures are from event 250 to event 1000
ROUNDS = 3  # of our own figures, the median counts


def bench(
    threads: Annotated[int | None, typer.Option(help="CPU threads.", show_default="PyTorch's choice")] = None,
    as_json: Json = False,
) -> None:
    """Measure events per second: the book's network, its published loop beside it, and the bundled model.

    Ours and the loop run in one process on the same float32 weights and threads; the loop takes minutes.
    Then both networks as `continue` samples them, which on a CPU is with 8-bit matrices.
    Example: continuo-cli bench
    """
    import torch

    from core.model.checkpoint import find_model, load_model
    from core.model.inference import Inference
    from core.model.transformer import BOOK, MusicTransformer

    if threads:
        torch.set_num_threads(threads)
    torch.manual_seed(0)
    book = MusicTransformer(BOOK).eval()
    say("The book's network over the KV cache ...")
    ours = events_per_second(Inference(book, int8=False))
    say("The book's own loop, which reads everything again for each event ...")
    loop = loop_events_per_second(book)
    say("Both networks as they are sampled here ...")
    in_int8 = events_per_second(Inference(book))
    network, info = load_model(find_model(None))
    bundled = events_per_second(Inference(network))
    result = {
        "book": {
            "events_per_second": round(ours, 1),
            "loop_events_per_second": round(loop, 2),
            "ratio": round(ours / loop, 1),
            "int8_events_per_second": round(in_int8, 1),
        },
        "bundled": {"model": info.name, "events_per_second": round(bundled, 1)},
        "threads": torch.get_num_threads(),
        "from_event": FIRST,
        "to_event": LAST,
    }
    words = (
        f"book preset, float32         {ours:8.1f} events/s\n"
        f"book preset, its own loop    {loop:8.1f} events/s: ours is {ours / loop:.1f} times faster\n"
        f"book preset, as sampled here {in_int8:8.1f} events/s\n"
        f"{info.name + ', as sampled here':28} {bundled:8.1f} events/s"
    )
    give(words, result, as_json)


def events_per_second(inference: "Inference") -> float:
    """Prefill and decode as `continue` does, drawing from the full distribution: the median of a few rounds."""
    import numpy as np

    from core.codec.vocabulary import BOUNDARY
    from core.generation.sampler import Sampling, sample

    allowed = np.arange(inference.config.vocab_size) < BOUNDARY
    rates = []
    for round_ in range(ROUNDS):
        random = np.random.default_rng(round_)
        cache = inference.new_cache()
        logits = inference.prefill([random.integers(0, BOUNDARY, FIRST).tolist()], cache)
        started = time.perf_counter()
        for _ in range(FIRST, LAST):
            event = sample(logits[0].numpy(), allowed, Sampling(), random.random())
            logits = inference.decode_one([event], cache)
        rates.append((LAST - FIRST) / (time.perf_counter() - started))
    return sorted(rates)[len(rates) // 2]


def loop_events_per_second(network: "MusicTransformer") -> float:
    """The sampling loop of Liu, ch. 14, in its published form: no cache, the whole sequence for every event.

    The distribution of every place is computed, and the last place's drawn from. The attention is the
    fused one of our network, which spares the loop some of what the book's takes.
    """
    import torch

    from core.codec.vocabulary import BOUNDARY, PADDING

    torch.manual_seed(0)
    sequence = torch.full((1, LAST), PADDING)
    sequence[0, :FIRST] = torch.randint(0, BOUNDARY, (FIRST,))
    with torch.no_grad():
        started = time.perf_counter()
        for length in range(FIRST, LAST):
            probabilities = network(sequence[:, :length]).softmax(-1)[..., :BOUNDARY]
            sequence[0, length] = torch.distributions.Categorical(probs=probabilities[:, length - 1]).sample()
        return (LAST - FIRST) / (time.perf_counter() - started)
