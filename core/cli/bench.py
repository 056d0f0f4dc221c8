"""continuo-cli bench: how fast events are sampled here, or with --gui how fast the window is."""

import json
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from core.cli import interrupts
from core.cli.output import Json, give, say
from core.errors import ContinuoError

if TYPE_CHECKING:
    from core.model.inference import Inference

FIRST, LAST = 250, 1000  # all figures are from event 250 to event 1000
ROUNDS = 3  # of our own figures, the median counts
WINDOW_BENCH = ("-m", "desktop.dev.bench")  # a process of its own: this one has no Qt
FIGURES = (  # of the window: words, the most it should be, its unit, where the usual and the worst value stand
    ("process start to window on screen", 1.0, "s", "start.to_window_s", "start.longest_s"),
    ("scrolling, a frame", 8, "ms", "frames.scenes.scroll.p50", "frames.scenes.scroll.p99"),
    ("the playhead alone, a frame", 2, "ms", "frames.scenes.playhead.p50", "frames.scenes.playhead.p99"),
    ("click on Continue to first event", 60, "ms", "continue.p50_ms", "continue.longest_ms"),
    ("GUI thread held up", 50, "ms", "playing.block_ms_p99", "playing.longest_block_ms"),
    ("events leave late", 1, "ms", "playing.late_ms_p50", "playing.late_ms_p99"),
)


def bench(
    threads: Annotated[int | None, typer.Option(min=1, help="CPU threads.", show_default="PyTorch's choice")] = None,
    device: Annotated[str, typer.Option(help="auto, cuda, mps or cpu.")] = "auto",
    gui: Annotated[bool, typer.Option("--gui", help="Measure the window instead, for two minutes.")] = False,
    as_json: Json = False,
) -> None:
    """Measure events per second: the book's network, its published loop beside it, and the bundled model.

    First in float32, ours and the loop in one process on the same weights and threads; the loop takes
    minutes. Then both networks as they are sampled here: on most CPUs with matrices in 8 bits, on an NVIDIA card by
    CUDA graphs.

    Example: continuo-cli bench
    """
    if gui:
        _bench_window(as_json)
        return
    result = _measure(threads, device)
    give(_words(result), result, as_json)


def _measure(threads: int | None, device: str) -> dict[str, Any]:
    with interrupts.put_off():
        import torch

        from core.cli.published_loop import loop_events_per_second
        from core.generation.engine import choose_device
        from core.model.checkpoint import find_model, load_model
        from core.model.inference import Inference
        from core.model.transformer import BOOK, MusicTransformer

    if threads:
        torch.set_num_threads(threads)
    chosen = choose_device(device)
    torch.manual_seed(0)
    book = MusicTransformer(BOOK).eval()
    say("The book's network over the KV cache, in float32 ...")
    in_float32 = events_per_second(Inference(book, chosen, int8=False, graphs=False))
    say("The book's own loop, which reads everything again for each event ...")
    loop = loop_events_per_second(book.to(chosen), FIRST, LAST)
    say("Both networks as they are sampled here ...")
    inference = Inference(book, chosen)
    ours = events_per_second(inference)
    network, info = load_model(find_model(None))
    bundled_inference = Inference(network, chosen)
    bundled = events_per_second(bundled_inference)
    return {
        "book": {
            "events_per_second": round(ours, 1),
            "arithmetic": inference.arithmetic,
            "float32_events_per_second": round(in_float32, 1),
            "loop_events_per_second": round(loop, 2),
            "ratio": round(in_float32 / loop, 1),  # float32 to float32
        },
        "bundled": {
            "model": info.name,
            "events_per_second": round(bundled, 1),
            "arithmetic": bundled_inference.arithmetic,
        },
        "device": str(chosen),
        "threads": torch.get_num_threads(),
        "from_event": FIRST,
        "to_event": LAST,
    }


def _words(result: dict[str, Any]) -> str:
    book, bundled = result["book"], result["bundled"]
    loop, in_float32, ours = (book[f"{name}events_per_second"] for name in ("loop_", "float32_", ""))
    return (
        f"on {result['device']}:\n"
        f"book preset, its own loop, float32  {loop:8.1f} events/s\n"
        f"book preset, float32                {in_float32:8.1f} events/s: {book['ratio']:.1f} times the loop\n"
        f"book preset, as sampled here        {ours:8.1f} events/s in {book['arithmetic']}\n"
        f"{bundled['model'] + ', as sampled here':35} "
        f"{bundled['events_per_second']:8.1f} events/s in {bundled['arithmetic']}"
    )


def _bench_window(as_json: bool) -> None:
    """How soon the window is there and answers, painted into memory; beside each figure what it should be at most."""
    done = subprocess.run([sys.executable, *WINDOW_BENCH], stdout=subprocess.PIPE, text=True)
    if done.returncode:
        raise ContinuoError("The window could not be measured; the lines above say why.")
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    lines = []
    for words, most, unit, usual, worst in FIGURES:
        found, least = (_look_up(result, path) for path in (usual, worst))
        lines.append(f"{words:44}{found:9.2f}{least:9.2f}{most:9g} {unit}")
    playing, notes, sound = result["playing"], result["frames"]["notes"], result["continue"]["output"]
    title = f"{notes} notes; {playing['seconds']:g} s to {sound}"
    title = f"{title:44}{'usual':>9}{'worst':>9}{'at most':>9}"
    give("\n".join([title, *lines]), result, as_json)


def _look_up(result: dict[str, Any], path: str) -> float:
    for key in path.split("."):
        result = result[key]
    return float(result)  # type: ignore[arg-type]


def events_per_second(inference: "Inference") -> float:
    """Prefill and decode as `continue` does, drawing from the full distribution: the median of a few rounds."""
    import numpy as np

    from core.codec.vocabulary import BOUNDARY
    from core.generation.engine import to_numpy
    from core.generation.options import Sampling
    from core.generation.sampler import sample

    allowed = np.arange(inference.config.vocab_size) < BOUNDARY
    rates = []
    for round_ in range(ROUNDS):
        random = np.random.default_rng(round_)
        cache = inference.new_cache()
        logits = inference.prefill([random.integers(0, BOUNDARY, FIRST).tolist()], cache)
        started = time.perf_counter()
        for _ in range(FIRST, LAST):
            event = sample(to_numpy(logits)[0], allowed, Sampling(), random.random())
            logits = inference.decode_one([event], cache)
        rates.append((LAST - FIRST) / (time.perf_counter() - started))
    return sorted(rates)[len(rates) // 2]
