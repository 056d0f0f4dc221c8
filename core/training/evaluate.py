"""A model against files it has not seen: likelihood, statistics of continuations, originality."""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from core.codec.events import encode_prompt
from core.codec.vocabulary import STEPS_PER_SECOND
from core.errors import NotFound, UsageError, WriteError
from core.files import write_atomically
from core.generation.continuation import Continuation
from core.generation.engine import Engine, choose_device
from core.generation.options import Options
from core.midi.read import read_score
from core.midi.score import Note, Track
from core.model.checkpoint import find_model, load_model
from core.training.corpus import INDEX, Corpus
from core.training.nll import nll_per_event
from core.training.notes import TICKS, Notes, note_events, score_notes
from core.training.originality import CopyIndex
from core.training.prepare import find_files
from core.training.splits import Split
from core.training.statistics import Comparison, Music, compare, music, stretch

PROMPT_SECONDS = 20.0
_PER_SECOND = TICKS * STEPS_PER_SECOND


@dataclass(frozen=True, slots=True)
class Asked:
    """What to evaluate on. `split` of prepared corpora; at most `pieces` of each source (0: all).

    `continuations` prompts are continued by `seconds` each. `training` is the corpus in which
    copies are looked for (None: not looked for).
    """

    split: Split = "test"
    pieces: int = 20
    continuations: int = 8
    seconds: float = 30.0
    training: Path | None = None
    device: str = "auto"
    seed: int = 0


_DEFAULT = Asked()


@dataclass(slots=True)
class Evaluation:
    """What came of it. `nll` in nats per event by source; `copies` one entry per continuation."""

    model: str
    nll: dict[str, float] = field(default_factory=dict)
    events: dict[str, int] = field(default_factory=dict)
    comparison: Comparison | None = None
    copies: list[dict[str, Any]] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """For --json."""
        result: dict[str, Any] = {"model": self.model, "nll": self.nll, "events": self.events}
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


def evaluate(
    model: str, paths: Sequence[Path], asked: Asked = _DEFAULT, say: Callable[[str], None] = lambda text: None
) -> Evaluation:
    """Evaluate a model on prepared corpora, folders of MIDI or MIDI files.

    `say` gets a sentence at each stage. Raises NotFound, UnreadableInput, UsageError.
    """
    device = choose_device(asked.device)
    network, info = load_model(find_model(model))
    pieces = _thinned(_pieces(paths, asked.split), asked.pieces)
    if not any(pieces.values()):
        raise UsageError("There is nothing to evaluate on: no piece of that split, or none with notes.")
    result = Evaluation(info.name)
    conventions = network.config.conventions
    for source, notes in pieces.items():
        say(f"Reading {len(notes)} pieces of {source}.")
        encoded = (note_events(piece, conventions, boundary=True) for piece in notes)
        result.nll[source], result.events[source] = nll_per_event(network, encoded, device)
    flat = [piece for notes in pieces.values() for piece in notes]
    prompts = _spread([piece for piece in flat if _seconds(piece) > PROMPT_SECONDS + 5], asked.continuations)
    if not prompts:
        return result
    engine = Engine(network, device, info.name)
    triples = []
    for i, piece in enumerate(prompts):
        say(f"Continuing prompt {i + 1} of {len(prompts)}.")
        triples.append(continue_piece(engine, piece, asked.seconds, asked.seed + i))
    result.comparison = compare(triples)
    if asked.training:
        say("Looking for copies in the training data.")
        result.copies = _find_copies(asked.training, [sampled for _, _, sampled in triples])
    return result


def _pieces(paths: Sequence[Path], split: Split) -> dict[str, list[Notes]]:
    """Notes of all pieces, by source: of a corpus its sources, of folders and files their names."""
    found: dict[str, list[Notes]] = {}
    for path in paths:
        if (path / INDEX).is_file():
            corpus = Corpus(path)
            for piece in corpus.of_split(split):
                found.setdefault(piece.source, []).append(corpus.notes(piece))
        elif path.is_dir():
            for file in find_files([path], {}):
                found.setdefault(file.source, []).append(score_notes(read_score(file.file)))
        elif path.is_file():
            found.setdefault(path.stem, []).append(score_notes(read_score(path)))
        else:
            raise NotFound(f"There is no file or folder {path}.")
    return {source: [n for n in notes if len(n)] for source, notes in found.items()}


def _spread(pieces: Sequence[Notes], most: int) -> list[Notes]:
    """At most so many, evenly from the first to the last."""
    if len(pieces) <= most:
        return list(pieces)
    return [pieces[i * len(pieces) // most] for i in range(most)]


def _thinned(pieces: dict[str, list[Notes]], most: int) -> dict[str, list[Notes]]:
    return {source: _spread(notes, most) if most else notes for source, notes in pieces.items() if notes}


def _seconds(notes: Notes) -> float:
    return float(notes["end"].max()) / _PER_SECOND


def _track(notes: Notes) -> Track:
    """A track of grid notes; ticks do not matter here."""
    rows = zip(
        notes["pitch"].tolist(),
        notes["velocity"].tolist(),
        (notes["start"] / _PER_SECOND).tolist(),
        (notes["end"] / _PER_SECOND).tolist(),
        strict=True,
    )
    return Track("", 0, 0, tuple(Note(*row, 0, 0) for row in rows), (), (), 0)


def continue_piece(engine: Engine, notes: Notes, seconds: float, seed: int) -> tuple[Music, Music, Music]:
    """Prompt (the first 20 seconds), true continuation and sampled one, `seconds` long or to the piece's end."""
    track = _track(notes)
    whole = music(track.notes, _seconds(notes))
    length = min(seconds, whole.seconds - PROMPT_SECONDS)
    prepared = engine.prepare(encode_prompt([track], PROMPT_SECONDS, engine.config.conventions))
    continuation = Continuation(engine, prepared, Options(seconds=length, seed=seed))
    for _ in continuation:
        pass
    prompt = stretch(whole, 0.0, PROMPT_SECONDS)
    true = stretch(whole, PROMPT_SECONDS, PROMPT_SECONDS + length)
    return prompt, true, music(continuation.takes[0].notes, length)


def _find_copies(folder: Path, samples: Iterable[Music]) -> list[dict[str, Any]]:
    corpus = Corpus(folder)
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


def save_evaluation(result: Evaluation, folder: Path) -> list[Path]:
    """Write evaluation.json and, with matplotlib, histograms.png. Raises WriteError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WriteError(f'Cannot make the folder "{folder}": {error.strerror}.') from error
    written = [folder / "evaluation.json"]
    write_atomically(written[0], json.dumps(result.as_dict(), indent=1).encode())
    if result.comparison:
        try:
            from core.training.plots import draw_histograms
        except ImportError:
            return written
        pairs = {name: (t.tolist(), m.tolist()) for name, (t, m) in result.comparison.histograms.items()}
        written.append(folder / "histograms.png")
        write_atomically(written[1], draw_histograms(pairs))
    return written
