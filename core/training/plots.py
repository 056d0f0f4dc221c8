"""Pictures of training and evaluation. Needs matplotlib, the extra `train`."""

import io
from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure

from core.midi.statistics import Music


def _png(figure: Figure) -> bytes:
    buffer = io.BytesIO()
    FigureCanvasAgg(figure).print_png(buffer)
    return buffer.getvalue()


def draw_losses(records: Sequence[Mapping[str, Any]]) -> bytes:
    """Training and validation loss against the events seen, from a run's log, as PNG."""
    figure = Figure(figsize=(8, 4.5), dpi=110, layout="constrained")
    axes = figure.add_subplot()
    for key, label, marker in (("loss", "training", ""), ("validation", "validation", "o")):
        points = [(r["events"] / 1e6, r[key]) for r in records if key in r]
        if points:
            axes.plot(*zip(*points, strict=True), label=label, marker=marker, markersize=3, linewidth=1)
    axes.set(xlabel="million events", ylabel="nats per event", title="Loss")
    axes.grid(alpha=0.3)
    if axes.lines:
        axes.legend()
    return _png(figure)


def draw_histograms(pairs: Mapping[str, tuple[Sequence[float], Sequence[float]]]) -> bytes:
    """For each statistic the histogram of the true continuations beside the model's, as PNG."""
    figure = Figure(figsize=(10, 2.6 * ((len(pairs) + 1) // 2)), dpi=110, layout="constrained")
    for place, (name, (true, sampled)) in enumerate(pairs.items(), 1):
        axes = figure.add_subplot((len(pairs) + 1) // 2, 2, place)
        bins = range(len(true))
        axes.step(bins, true, where="mid", label="true")
        axes.step(bins, sampled, where="mid", label="model")
        axes.set_title(name, fontsize=9)
        axes.set_yticks([])
        if place == 1:
            axes.legend(fontsize=8)
    return _png(figure)


def draw_rolls(rows: Sequence[tuple[str, Music, Music, Music]]) -> bytes:
    """Piano rolls as PNG, a row for each (title, prompt, true continuation, model's), all in seconds.

    The prompt stands in front of both continuations, and louder notes are darker.
    """
    figure = Figure(figsize=(16, 2.1 * len(rows) + 0.4), dpi=90, layout="constrained")
    for row, (title, prompt, true, sampled) in enumerate(rows):
        pitches = [p for part in (prompt, true, sampled) for p in part.pitch.tolist()]
        for column, (name, continuation) in enumerate((("true", true), ("model", sampled))):
            axes = figure.add_subplot(len(rows), 2, 2 * row + column + 1)
            _roll(axes, prompt, -prompt.seconds, "tab:gray")
            _roll(axes, continuation, 0.0, "tab:blue" if column else "tab:green")
            axes.axvline(0, color="tab:red", linewidth=1)
            axes.set(xlim=(-prompt.seconds, continuation.seconds), ylim=(min(pitches) - 2, max(pitches) + 2))
            axes.set_title(f"{title}: {name}", fontsize=8)
            axes.tick_params(labelsize=7)
    return _png(figure)


def _roll(axes: Axes, music: Music, at: float, colour: str) -> None:
    lines = [
        [(at + start, pitch), (at + end, pitch)]
        for start, end, pitch in zip(music.start, music.end, music.pitch, strict=True)
    ]
    strength = (0.25 + 0.75 * music.velocity / 127).tolist()
    axes.add_collection(LineCollection(lines, colors=colour, alpha=strength, linewidths=2, capstyle="butt"))
