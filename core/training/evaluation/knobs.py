"""Whether the knobs do what they say: each at both ends against its centre, after held-out prompts, with one seed."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

import numpy as np

from core.codec.vocabulary import STEPS_PER_SECOND
from core.generation.engine import Engine
from core.generation.knobs import brightness
from core.generation.logits_processors import chord_onsets, chord_sizes
from core.generation.options import Options
from core.midi.key import Key
from core.midi.statistics import Music, density, histograms, key_of, share_in_key
from core.session.knobs import MOST_STEPS, WORDS, Knobs
from core.training.evaluation.continuations import PromptPlace, continue_place

PROMISED = 0.2  # of the spread among the prompts: so far an end moves its statistic at least


def _length(notes: Music) -> float:
    return float(np.log2(np.maximum(notes.end - notes.start, 0.01)).mean())


def _chord_size(notes: Music) -> float:
    return float(np.log2(chord_sizes(_steps(notes)).mean()))


def _steps(notes: Music) -> np.ndarray:
    return np.rint(notes.start * STEPS_PER_SECOND).astype(int)


def _variety(notes: Music) -> float:
    """The entropy of the times between onsets, in bits; a chord is one onset."""
    steps = _steps(notes)
    firsts = np.searchsorted(steps, chord_onsets(steps))
    start, end, pitch, velocity, seconds = notes
    counts = histograms(Music(start[firsts], end[firsts], pitch[firsts], velocity[firsts], seconds))["rhythm"]
    shares = counts[counts > 0] / max(counts.sum(), 1)
    return float(-(shares * np.log2(shares)).sum())


# What each knob is to move, upwards for a step up. Of music and the prompt's key.
STATISTICS: dict[str, Callable[[Music, Key], float]] = {
    "busy": lambda notes, key: float(np.log2(density(notes))),
    "high": lambda notes, key: float(notes.pitch.mean()),
    "loud": lambda notes, key: float(notes.velocity.mean()),
    "long": lambda notes, key: _length(notes),
    "full": lambda notes, key: _chord_size(notes),
    "bright": lambda notes, key: brightness(notes.pitch, key.tonic),
    "free": lambda notes, key: _variety(notes),
}


@dataclass(frozen=True, slots=True)
class KnobReport:
    """Of one knob: `spread` of its statistic among the prompts (a standard deviation), `down` and `up` how far its ends
    move it on average, `kept` the share of takes that an end moves by PROMISED of the spread at least, with its
    standard error, `in_key` how many points more of the notes lie in the prompt's key at the ends, with its standard
    error: one take after one prompt strays by some 5 points, and all knobs are compared with the same at the centre.
    """

    spread: float
    down: float
    up: float
    kept: float
    error: float
    in_key: float
    in_key_error: float


def evaluate_knobs(
    engine: Engine, places: Sequence[PromptPlace], seconds: float, say: Callable[[str], None] = lambda text: None
) -> dict[str, KnobReport]:
    """By knob, what its ends do after these prompts. Prompts or takes without a note are left out."""
    prompts: list[tuple[Music, Key]] = []
    moved: dict[str, list[tuple[float, float]]] = {name: [] for name in STATISTICS}
    in_key: dict[str, list[float]] = {name: [] for name in STATISTICS}
    for i, place in enumerate(places):
        say(f"Prompt {i + 1} of {len(places)}.")
        centre = continue_place(engine, place, Options(seed=i, seconds=seconds))
        key = key_of(centre.prompt)
        if key is None or len(centre.sampled.pitch) < 2:
            continue
        prompts.append((centre.prompt, key))
        before_in_key = share_in_key(centre.sampled, key) or 0.0
        for name, statistic in STATISTICS.items():
            before = statistic(centre.sampled, key)
            ends: list[float] = []
            keyed: list[float] = []
            for steps in (-MOST_STEPS, MOST_STEPS):
                take = continue_place(
                    engine, place, Options(seed=i, seconds=seconds, knobs=Knobs().with_steps(name, steps))
                ).sampled
                has_notes = len(take.pitch) > 1
                ends.append((statistic(take, key) - before if has_notes else 0.0) * np.sign(steps))
                keyed.append(share_in_key(take, key) or 0.0)
            in_key[name].append(float(np.mean(keyed)) - before_in_key)
            moved[name].append((ends[0], ends[1]))
    return {name: _report(name, prompts, np.array(moved[name]), in_key[name]) for name in STATISTICS}


def _report(name: str, prompts: Sequence[tuple[Music, Key]], moved: np.ndarray, in_key: Sequence[float]) -> KnobReport:
    spread = float(np.std([STATISTICS[name](notes, key) for notes, key in prompts]))
    kept = (moved >= PROMISED * spread).mean()
    error = float(np.sqrt(kept * (1 - kept) / moved.size))
    down, up = moved.mean(0).tolist()
    points = 100 * np.array(in_key)
    points_error = float(points.std(ddof=1) / np.sqrt(len(points))) if len(points) > 1 else 0.0
    return KnobReport(spread, -down, up, float(kept), error, float(points.mean()), points_error)


def table(reports: dict[str, KnobReport]) -> list[str]:
    """Lines to read."""
    lines = ["knob                spread    down      up    kept        in key, points"]
    for name, report in reports.items():
        words = "/".join(WORDS[name])
        lines.append(
            f"{words:18} {report.spread:7.3f} {report.down:+7.3f} {report.up:+7.3f}  {100 * report.kept:5.1f} "
            f"+- {100 * report.error:3.1f} %  {report.in_key:+5.1f} +- {report.in_key_error:.1f}"
        )
    return lines


def as_dict(reports: dict[str, KnobReport]) -> dict[str, dict[str, float]]:
    """For --json."""
    return {name: asdict(report) for name, report in reports.items()}
