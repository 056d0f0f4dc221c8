"""GenerationWorker: the thread that owns the model. torch is imported on it, once the window is on screen.

It has one place for each wish, not a queue: the model wanted, the prompt wanted, the run wanted. A newer
wish replaces an older one, and a prompt that is being read is given up as soon as another is wanted.
"""

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QThread, Signal

from core.midi.score import Track
from core.midi.tempo_map import TempoMap
from desktop.adapters.gc_pause import what_stays
from desktop.logs import sentence_for

if TYPE_CHECKING:
    from core.generation.continuation import Continuation, Step
    from core.generation.engine import Engine, PreparedPrompt
    from core.generation.options import Options, Take
    from core.midi.key import Key

WARM_UP = 6  # events
DENSE = 45  # events in a second of dense piano music
CALM = 0.15  # seconds without another prompt until one is read, as the window first shows what was edited


@dataclass(frozen=True, eq=False, slots=True)
class PromptRequest:
    """What to read into the model: tracks, from `start` to `marker` (score seconds), on which grid (see find_grid)."""

    tracks: tuple[Track, ...]
    marker: float
    start: float
    tempo_map: TempoMap
    grid: str

    def is_same(self, other: "PromptRequest | None") -> bool:
        """Whether the other asks for the same; tracks are immutable, so that identity tells."""
        return (
            other is not None
            and (self.marker, self.start, self.grid) == (other.marker, other.start, other.grid)
            and self.tempo_map == other.tempo_map
            and len(self.tracks) == len(other.tracks)
            and all(a is b for a, b in zip(self.tracks, other.tracks, strict=True))
        )


@dataclass(eq=False, slots=True)
class Run:
    """One continuation: `play` gets each step of the first take, on the worker's thread, before anyone else."""

    prompt: PromptRequest
    options: "Callable[[Key | None], Options]"  # by the prompt's key, if it has one; may raise UsageError
    play: "Callable[[Step], None]"
    stopped: threading.Event = field(default_factory=threading.Event)
    batch: "deque[Step]" = field(default_factory=deque)  # what the window has not shown yet
    takes: "list[Take]" = field(default_factory=list)
    ranking: list[int] = field(default_factory=list)  # indices of `takes`, best first
    head: float = 0.0  # seconds of the first take that are sampled
    seconds: float = 0.0  # wall time spent sampling
    problem: str = ""  # a sentence, if it broke off
    continuation: "Continuation | None" = None

    def stop(self) -> None:
        """End within one event; what is sampled is kept."""
        self.stopped.set()
        if self.continuation is not None:
            self.continuation.stop()

    def drain(self) -> "list[Step]":
        """The steps since the last call. From the GUI thread."""
        return [self.batch.popleft() for _ in range(len(self.batch))]

    @property
    def real_time_factor(self) -> float:
        """Seconds of music sampled per second of wall time, 0 before anything can be said."""
        return self.head / self.seconds if self.seconds > 0.05 else 0.0


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """The model that is loaded, for the user."""

    name: str
    device: str


class GenerationWorker(QThread):
    """Loads models, reads prompts, samples. Signals arrive on the GUI thread."""

    model_ready = Signal(object)  # ModelFacts
    models_found = Signal(object)  # list of (name, words, licence)
    preparing = Signal(object)  # PromptRequest
    prepared = Signal(object, str, str)  # PromptRequest, the names of its key and its grid or ""
    failed = Signal(str)  # the model or prompt wanted cannot be had: a sentence
    ended = Signal(object)  # Run
    said = Signal(str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("continuo-generation")
        self._changed = threading.Condition()
        self._model: str | None = None  # wanted; "" is the bundled one
        self._loaded: str | None = None
        self._prompt: PromptRequest | None = None
        self._calm_at = 0.0  # when to read it, by the monotonic clock
        self._run: Run | None = None
        self._closing = False
        self._engine: Engine | None = None
        self._prepared: tuple[PromptRequest, PreparedPrompt] | None = None
        self._key: Key | None = None
        self._step_seconds = 0.0  # that one event takes, 0 as long as nobody knows

    # From the GUI thread

    def rate(self, takes: int) -> float | None:
        """Seconds of dense music that are sampled in a second, if that is known: at least, of so many takes at once."""
        return 1 / (self._step_seconds * DENSE * takes) if self._step_seconds else None

    def want_model(self, name: str) -> None:
        """Load a model by name or path ("" for the bundled one)."""
        self._wish(_model=name)

    def want_prompt(self, prompt: PromptRequest) -> None:
        """Read a prompt, so that it can be continued at once."""
        self._wish(_prompt=prompt, _calm_at=time.monotonic() + CALM)

    def want_run(self, run: Run) -> None:
        """Sample a continuation."""
        self._wish(_run=run)

    def close(self) -> None:
        """End what is under way, and the thread."""
        run = self._run
        if run is not None:
            run.stop()
        self._wish(_closing=True)
        self.wait()

    def _wish(self, **wishes: object) -> None:
        with self._changed:
            for name, wish in wishes.items():
                setattr(self, name, wish)
            self._changed.notify_all()

    # The thread

    def run(self) -> None:
        """Fulfil wishes until closed."""
        # Imported here: it takes a second or more, and the window is on screen by now.
        with what_stays():
            import core.generation.continuation  # noqa: F401
            from core.generation.engine import Cancelled

        self._tell(self._list_models)
        while (todo := self._next()) is not None:
            try:
                todo()
            except Cancelled:
                continue
            except Exception as error:  # of whatever kind: the window goes on, and the user is told
                self.failed.emit(sentence_for(error, "generating"))

    def _next(self) -> Callable[[], None] | None:
        """What to do now; waits until there is something. None: end."""
        with self._changed:
            while True:
                if self._closing:
                    return None
                if self._model is not None and self._model != self._loaded:
                    return self._load
                if self._run is not None:
                    return self._sample
                calm_in = None
                if self._engine is not None and self._prompt is not None and not self._is_prepared(self._prompt):
                    calm_in = self._calm_at - time.monotonic()
                    if calm_in <= 0:
                        return self._prepare
                self._changed.wait(calm_in)

    def _is_prepared(self, prompt: PromptRequest) -> bool:
        return self._prepared is not None and prompt.is_same(self._prepared[0])

    def _tell(self, what: Callable[[], None]) -> None:
        try:
            what()
        except Exception as error:  # a list of models is worth no broken window
            self.said.emit(sentence_for(error, "looking for models"))

    def _list_models(self) -> None:
        from core.model.checkpoint import DEFAULT_MODEL, list_models

        found = sorted(list_models(), key=lambda info: info.path.stem != DEFAULT_MODEL)  # the default comes first
        models = []
        for info in found:
            licence = info.provenance.get("licence", "")
            words = f"{info.name} (non-commercial)" if "NC" in licence else info.name
            models.append(("" if info.path.stem == DEFAULT_MODEL else info.path.stem, words, licence))
        self.models_found.emit(models)

    def _load(self) -> None:
        from core.generation.engine import open_engine

        name = self._model
        self._loaded = name
        self._engine = self._prepared = None
        self._step_seconds = 0.0
        try:
            with what_stays():
                self._engine, info = open_engine(name or None, "auto", self.said.emit)
        except Exception:
            self._fail_run()
            raise
        self.model_ready.emit(ModelFacts(info.name, str(self._engine.device)))

    def _prepare(self) -> None:
        prompt = self._prompt
        assert prompt is not None
        try:
            self._read(prompt, lambda: not self._is_wanted(prompt))
        except Exception:
            if self._is_wanted(prompt):
                self._prompt = None  # it failed: wait for another
            raise

    def _is_wanted(self, prompt: PromptRequest) -> bool:
        """Whether a prompt is still worth reading."""
        run = self._run
        wanted = run.prompt if run is not None else self._prompt
        return not self._closing and prompt.is_same(wanted)

    def _read(self, prompt: PromptRequest, cancelled: Callable[[], bool]) -> "PreparedPrompt":
        """The prompt in the model's cache: read now, unless it stands there already."""
        from core.codec.events import encode_prompt
        from core.midi.grid import find_grid

        assert self._engine is not None
        if self._prepared is not None and prompt.is_same(self._prepared[0]):
            return self._prepared[1]
        self.preparing.emit(prompt)
        grid = find_grid(prompt.tempo_map, prompt.tracks, prompt.marker, prompt.start, prompt.grid)
        events = encode_prompt(prompt.tracks, prompt.marker, self._engine.config.conventions, prompt.start, grid)
        prepared = self._engine.prepare(events, cancelled)
        self._key = key_of(prompt)
        if self._run is None:  # else somebody waits to hear something
            self._warm_up(prepared, cancelled)
        self._prepared = prompt, prepared
        self.prepared.emit(prompt, self._key.name if self._key else "", grid.name if grid else "")
        return prepared

    def _warm_up(self, prepared: "PreparedPrompt", cancelled: Callable[[], bool]) -> None:
        """Sample a few events for nothing: the first ones take longest, and the rest tell how fast it will go."""
        from core.generation.continuation import Continuation
        from core.generation.options import Options

        assert self._engine is not None
        continuation = Continuation(self._engine, prepared, Options(events=WARM_UP))
        times = [time.perf_counter()]
        for _ in continuation:
            times.append(time.perf_counter())
            if cancelled():
                continuation.stop()
        self._step_seconds = median(after - before for before, after in pairwise(times))

    def _sample(self) -> None:
        from core.generation.continuation import Continuation
        from core.generation.engine import Cancelled

        run = self._run
        assert run is not None
        if self._engine is None:
            self._fail_run()
            return
        try:
            prepared = self._read(run.prompt, lambda: self._closing or run.stopped.is_set())
            run.continuation = Continuation(self._engine, prepared, run.options(self._key))
            if run.stopped.is_set():
                run.continuation.stop()
            started = time.perf_counter()
            for step in run.continuation:
                if step.take == 0:
                    run.play(step)
                    run.head = step.head
                run.batch.append(step)
                run.seconds = time.perf_counter() - started
            run.takes = run.continuation.takes
        except Cancelled:
            pass
        except Exception as error:  # told with the run's end, and what was sampled is kept
            run.problem = sentence_for(error, "sampling")
            if run.continuation is not None:
                run.takes = run.continuation.takes
        if run.continuation is not None:
            run.ranking = run.continuation.ranking
        self._end_run(run)

    def _fail_run(self) -> None:
        run = self._run
        if run is not None:
            run.problem = "There is no model to continue with."
            self._end_run(run)

    def _end_run(self, run: Run) -> None:
        with self._changed:
            if self._run is run:
                self._run = None
        self.ended.emit(run)


def key_of(prompt: PromptRequest) -> "Key | None":
    """The key of a prompt, None if it has no notes."""
    from core.midi.key import detect_key

    notes = [
        note
        for track in prompt.tracks
        if not track.is_percussion
        for note in track.notes
        if prompt.start <= note.start < prompt.marker
    ]
    return detect_key(notes) if notes else None
