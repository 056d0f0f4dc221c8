"""A model against files it has not seen: likelihood, statistics of continuations, originality."""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from core.errors import NotFound, UnreadableInput, UsageError
from core.files import check_writable, make_folder, write_atomically
from core.generation.engine import Engine, choose_device
from core.generation.options import Options, Sampling
from core.midi.read import read_score
from core.midi.statistics import Music
from core.model.checkpoint import find_model, load_model
from core.training.data.corpus import INDEX, Corpus
from core.training.data.notes import note_events, score_notes
from core.training.data.prepare import find_files, steady_quarter
from core.training.data.sources import Split
from core.training.evaluation.comparison import Comparison, compare
from core.training.evaluation.continuations import HeldOut, choose_places, continue_place
from core.training.evaluation.criteria import Criteria, Example, criteria
from core.training.evaluation.middles import MiddleFigures, tell_middles
from core.training.evaluation.nll import nll_per_event
from core.training.evaluation.originality import CopyIndex

_ROLLS = 16  # takes drawn, at most
_TABLE, _HISTOGRAMS, _DRAWN = "evaluation.json", "histograms.png", "rolls.png"


@dataclass(frozen=True, slots=True)
class Asked:
    """What to evaluate on. `split` of prepared corpora; at most `pieces` of each source (0: all).

    `continuations` prompts are continued by `seconds` each, drawn as `sampling` says. `training` is the
    corpus in which copies are looked for (None: not looked for). In `middles` regions a model that knows symbols is to
    tell the true middle from another piece's.
    """

    split: Split = "test"
    pieces: int = 20
    continuations: int = 8
    seconds: float = 30.0
    training: Path | None = None
    device: str = "auto"
    seed: int = 0
    sampling: Sampling = field(default_factory=Sampling)
    middles: int = 0


_DEFAULT = Asked()


@dataclass(slots=True)
class Evaluation:
    """What came of it. `nll` in nats per event by source; `copies` one entry per continuation."""

    model: str
    nll: dict[str, float] = field(default_factory=dict)
    events: dict[str, int] = field(default_factory=dict)
    examples: list[Example] = field(default_factory=list)
    criteria: Criteria | None = None
    comparison: Comparison | None = None
    copies: list[dict[str, Any]] = field(default_factory=list)
    middles: MiddleFigures | None = None

    def as_dict(self) -> dict[str, Any]:
        """For --json."""
        result: dict[str, Any] = {"model": self.model, "nll": self.nll, "events": self.events}
        if self.middles:
            result["middles"] = asdict(self.middles)
        if self.criteria:
            result["criteria"] = self.criteria.as_dict()
        if self.comparison:
            result["statistics"] = {"true": self.comparison.true, "model": self.comparison.model}
            result["distances"] = self.comparison.distances
        if self.copies:
            seconds = [copy["seconds"] for copy in self.copies]
            result["originality"] = {
                "longest_copy_seconds": max(seconds),
                "median_copy_seconds": float(np.median(seconds)),
                "copies": self.copies,
            }
        return result


def held_out(paths: Sequence[Path], split: Split, most: int, say: Callable[[str], None]) -> dict[str, list[HeldOut]]:
    """The pieces of a split by source, at most so many of each (0: all). Raises UsageError if there are none."""
    pieces = _thinned(_pieces(paths, split, say), most)
    if not any(pieces.values()):
        raise UsageError("There is nothing to evaluate on: no piece of that split, or none with notes.")
    return pieces


def evaluate(
    model: str, paths: Sequence[Path], asked: Asked = _DEFAULT, say: Callable[[str], None] = lambda text: None
) -> Evaluation:
    """Evaluate a model on prepared corpora, folders of MIDI or MIDI files.

    `say` gets a sentence at each stage. Raises NotFound, UnreadableInput, UsageError.
    """
    device = choose_device(asked.device)
    network, info = load_model(find_model(model))
    if asked.middles and not network.config.has_symbols:
        raise UsageError(f"{info.name} knows no symbols, so it cannot be told what a middle is: leave --middles out.")
    training = Corpus(asked.training) if asked.training else None  # opened now: it is looked into after minutes
    pieces = held_out(paths, asked.split, asked.pieces, say)
    result = Evaluation(info.name)
    conventions = network.config.conventions
    for source, some in pieces.items():
        say(f"Reading {len(some)} pieces of {source}.")
        encoded = (note_events(piece.notes, conventions, boundary=True) for piece in some)
        result.nll[source], result.events[source] = nll_per_event(network, encoded, device)
    if asked.middles:
        say("Telling middles apart.")
        result.middles = tell_middles(network, device, pieces, asked.middles, asked.seed)
        if result.middles is None:
            say("There are too few regions to tell middles apart in: evaluate on more or longer pieces.")
    places = choose_places(pieces, asked.continuations)
    if not places:
        return result
    engine = Engine(network, device, info.name)
    examples = []
    for i, place in enumerate(places):
        say(f"Continuing prompt {i + 1} of {len(places)}.")
        options = Options(asked.sampling, seed=asked.seed + i, seconds=asked.seconds)
        examples.append(continue_place(engine, place, options))
    if training:
        say("Looking for copies in the training data.")
        result.copies = _find_copies(training, [example.sampled for example in examples])
        copied = [copy["seconds"] for copy in result.copies]
        examples = [e._replace(copied=seconds) for e, seconds in zip(examples, copied, strict=True)]
    result.examples = examples
    result.criteria = criteria(result.examples)
    result.comparison = compare([(e.prompt, e.true, e.sampled) for e in examples])
    return result


def _pieces(paths: Sequence[Path], split: Split, say: Callable[[str], None]) -> dict[str, list[HeldOut]]:
    """All pieces by source, one version of a song: of a corpus its sources, of folders and files their names."""
    found: dict[str, list[HeldOut]] = {}
    for path in paths:
        if (path / INDEX).is_file():
            corpus = Corpus(path)
            songs = {f"{piece.source}/{piece.song}": piece for piece in reversed(corpus.of_split(split))}
            for piece in reversed(songs.values()):
                found.setdefault(piece.source, []).append(HeldOut(piece.path, corpus.notes(piece), piece.quarter))
        elif path.is_dir():
            for file in find_files([path], {}):
                try:
                    found.setdefault(file.source, []).append(_read(Path(file.file), file.path))
                except UnreadableInput as error:  # one of many, of which none was named
                    say(f"Left out: {error}")
        elif path.is_file():
            found.setdefault(path.stem, []).append(_read(path, path.name))
        else:
            raise NotFound(f"There is no file or folder {path}.")
    return {source: [piece for piece in some if len(piece.notes)] for source, some in found.items()}


def _read(file: Path, title: str) -> HeldOut:
    score = read_score(file)
    return HeldOut(title, score_notes(score), steady_quarter(score))


def _thinned(pieces: dict[str, list[HeldOut]], most: int) -> dict[str, list[HeldOut]]:
    """At most so many of each source (0: all), evenly from the first to the last."""
    thinned = {}
    for source, some in pieces.items():
        count = min(most or len(some), len(some))
        thinned[source] = [some[i * len(some) // count] for i in range(count)]
    return {source: some for source, some in thinned.items() if some}


def _find_copies(corpus: Corpus, samples: Iterable[Music]) -> list[dict[str, Any]]:
    training = corpus.of_split("train")
    index = CopyIndex(corpus.notes(piece) for piece in training)
    found = []
    for sample in samples:
        copy = index.longest_copy(sample)
        if copy is None:
            found.append({"seconds": 0.0, "notes": 0})
        else:
            entry = {"seconds": round(copy.seconds, 2), "notes": copy.notes, "start": round(copy.start, 2)}
            found.append({**entry, "piece": training[copy.piece].path})
    return found


def make_output(folder: Path) -> None:
    """Make the folder that `save_evaluation` will write into. Raises the WriteError that it would raise."""
    make_folder(folder)
    for name in (_TABLE, _HISTOGRAMS, _DRAWN):
        check_writable(folder / name)


def save_evaluation(result: Evaluation, folder: Path) -> list[Path]:
    """Write evaluation.json and, with matplotlib, histograms.png and rolls.png. Raises WriteError."""
    make_folder(folder)
    written = [folder / _TABLE]
    write_atomically(written[0], json.dumps(result.as_dict(), indent=1).encode())
    if result.comparison:
        try:
            from core.training.plots import draw_histograms, draw_rolls
        except ImportError:
            return written
        pairs = {name: (t.tolist(), m.tolist()) for name, (t, m) in result.comparison.histograms.items()}
        written.append(folder / _HISTOGRAMS)
        write_atomically(written[1], draw_histograms(pairs))
        shown = result.examples[:_ROLLS]  # the first ones are of all sources
        written.append(folder / _DRAWN)
        write_atomically(written[2], draw_rolls([(e.title, e.prompt, e.true, e.sampled) for e in shown]))
    return written
