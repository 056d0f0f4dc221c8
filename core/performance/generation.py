"""Generation: the thread that owns the model. torch is imported on it, so that a window is on screen before.

What is wanted of it does not queue: one model, one prompt, one run and one fill are wanted at a time. A newer one takes
the place of an older one, and a prompt that is being read is given up as soon as another is wanted.
"""

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

from core.errors import ContinuoError
from core.performance.events import nobody
from core.performance.fill_run import FillRun
from core.performance.prompts import PromptRequest, read_prompt
from core.performance.run import Run

if TYPE_CHECKING:
    from core.generation.engine import Engine, PreparedPrompt
    from core.generation.options import Options
    from core.midi.key import Key

WARM_UP = 6  # events
DENSE = 45  # events in a second of dense piano music
CALM = 0.15  # seconds without another prompt until one is read, as the window first shows what was edited
_CLOSING = 30.0  # seconds for what is under way, such as the import of torch, to end


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """The model that is loaded, for the user; `missing` is the one wanted in its place that could not be loaded."""

    name: str
    device: str
    missing: str = ""


@dataclass(frozen=True, slots=True)
class GenerationEvents:
    """Callbacks of `Generation`; for when they are called see `PlaybackEvents`."""

    model_ready: Callable[[ModelFacts], object] = nobody
    models_found: Callable[[Sequence[tuple[str, str, str]]], object] = nobody  # (name, words, licence)
    preparing: Callable[[PromptRequest], object] = nobody
    prepared: Callable[[PromptRequest, str, str], object] = nobody  # the names of its key and its grid, or ""
    ended: Callable[[Run], object] = nobody
    filled: Callable[[FillRun], object] = nobody
    message: Callable[[str], None] = nobody
    failed: Callable[[Exception, str], object] = nobody  # the model or prompt wanted cannot be had
    unlisted: Callable[[Exception, str], object] = nobody  # models cannot be listed, which breaks nothing else


@dataclass(frozen=True, eq=False, slots=True)
class _WantedRun:
    run: Run
    prompt: PromptRequest
    options: "Callable[[Key | None], Options]"


class _Prepared(NamedTuple):
    """The prompt that is in the model's cache, with its key and the name of its grid (or "")."""

    request: PromptRequest
    prompt: "PreparedPrompt"
    key: "Key | None"
    grid: str


@dataclass(eq=False, slots=True)
class _Wanted:
    """What is wanted now."""

    model: str | None = None  # "" is the bundled one
    prompt: PromptRequest | None = None
    prompt_at: float = 0.0  # when to read it, by the clock
    run: _WantedRun | None = None
    fill: FillRun | None = None
    is_closing: bool = False


class Generation:
    """Loads models, reads prompts, samples. The methods `want_...` may be called from any thread.

    `clock` counts seconds. `frozen()` gives a context in which objects are made that stay for long.
    """

    def __init__(
        self,
        events: GenerationEvents | None = None,
        clock: Callable[[], float] = time.monotonic,
        frozen: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> None:
        self._events = events or GenerationEvents()
        self._clock, self._frozen = clock, frozen
        self._changed = threading.Condition()
        self._wanted = _Wanted()
        self._loaded: str | None = None
        self._facts: ModelFacts | None = None  # of the engine
        self._engine: Engine | None = None
        self._prepared: _Prepared | None = None
        self._step_seconds = 0.0  # that one event takes, 0 as long as nobody knows
        self._thread = threading.Thread(target=self._live, name="continuo-generation", daemon=True)

    # What is wanted

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def rate(self, takes: int) -> float | None:
        """Seconds of dense music that are sampled in a second, if that is known: at least, of so many takes at once."""
        return 1 / (self._step_seconds * DENSE * takes) if self._step_seconds else None

    def want_model(self, name: str) -> None:
        """Load a model by name or path ("" for the bundled one, which also stands in for one that cannot be loaded)."""
        with self._changed:
            self._wanted.model = name
            facts = self._facts if name == self._loaded else None
            prepared = self._wanted_prepared()
            self._changed.notify_all()
        if facts is not None:  # another was wanted between, but not yet loaded
            self._events.model_ready(facts)
            self._tell(prepared)

    def want_prompt(self, prompt: PromptRequest) -> None:
        """Read a prompt, so that it can be continued at once."""
        with self._changed:
            self._wanted.prompt, self._wanted.prompt_at = prompt, self._clock() + CALM
            prepared = self._wanted_prepared()
            self._changed.notify_all()
        self._tell(prepared)  # if another was wanted between, but not yet read

    def want_run(self, run: Run, prompt: PromptRequest, options: "Callable[[Key | None], Options]") -> None:
        """Sample a continuation of a prompt; `options` by its key, if it has one, which may raise UsageError."""
        with self._changed:
            self._wanted.run = _WantedRun(run, prompt, options)
            self._changed.notify_all()

    def want_fill(self, run: FillRun) -> None:
        """Sample candidates for a region."""
        with self._changed:
            self._wanted.fill = run
            self._changed.notify_all()

    def close(self) -> None:
        """End what is under way, and the thread; after _CLOSING nobody waits for it."""
        with self._changed:
            if self._wanted.fill is not None:
                self._wanted.fill.stop()
            if self._wanted.run is not None:
                self._wanted.run.run.stop()
            self._wanted.is_closing = True
            self._changed.notify_all()
        if self._thread.ident is not None:
            self._thread.join(_CLOSING)
        self._events = GenerationEvents()  # whoever listened may be gone when the thread comes round

    @property
    def is_alive(self) -> bool:
        """Whether the thread runs."""
        return self._thread.is_alive()

    # The thread

    def _live(self) -> None:
        """Do what is wanted until closed."""
        try:
            # Imported here: it takes a second or more, and the window is on screen by now.
            with self._frozen():
                import core.generation.continuation  # noqa: F401
            self.list_models()
        except Exception as error:  # a list of models is worth no broken window
            self._events.unlisted(error, "looking for models")
        while (todo := self._next()) is not None:
            self._do(todo)

    def do_due(self) -> bool:
        """Do what is due now, on this thread and without waiting; whether there was something."""
        with self._changed:
            todo, _ = self._due()
        if todo is not None:
            self._do(todo)
        return todo is not None

    def _do(self, todo: Callable[[], None]) -> None:
        from core.generation.engine import Cancelled

        try:
            todo()
        except Cancelled:
            pass
        except Exception as error:  # of whatever kind: the thread goes on, and the user is told
            self._events.failed(error, "generating")

    def _next(self) -> Callable[[], None] | None:
        """What to do now; waits until there is something. None: end."""
        with self._changed:
            while not self._wanted.is_closing:
                todo, wait = self._due()
                if todo is not None:
                    return todo
                self._changed.wait(wait)
        return None

    def _due(self) -> tuple[Callable[[], None] | None, float | None]:
        """What to do now, and if there is nothing, in how many seconds there will be, if that is known."""
        wanted = self._wanted
        if wanted.model is not None and wanted.model != self._loaded:
            return self._load, None
        if wanted.run is not None:
            return self._sample, None
        if wanted.fill is not None:
            return self._fill, None
        if self._engine is not None and wanted.prompt is not None and self._wanted_prepared() is None:
            calm_in = wanted.prompt_at - self._clock()
            return (self._prepare, None) if calm_in <= 0 else (None, calm_in)
        return None, None

    def _wanted_prepared(self) -> _Prepared | None:
        """What stands in the cache, if that is the prompt that is wanted."""
        prepared = self._prepared
        return prepared if prepared is not None and prepared.request.is_same(self._wanted.prompt) else None

    def _tell(self, prepared: _Prepared | None) -> None:
        if prepared is not None:
            self._events.prepared(prepared.request, prepared.key.name if prepared.key else "", prepared.grid)

    def list_models(self) -> None:
        """Tell which models there are now. From any thread: it reads files."""
        from core.model.checkpoint import DEFAULT_MODEL, list_models

        found = sorted(list_models(), key=lambda info: info.path.stem != DEFAULT_MODEL)  # the default comes first
        models = []
        for info in found:
            words = f"{info.name} (non-commercial)" if "NC" in info.licence else info.name
            models.append(("" if info.path.stem == DEFAULT_MODEL else info.path.stem, words, info.licence))
        self._events.models_found(models)

    def _load(self) -> None:
        from core.generation.engine import open_engine

        with self._changed:
            name = self._loaded = self._wanted.model
            self._engine = self._prepared = self._facts = None
        self._step_seconds = 0.0
        missing = ""
        try:
            with self._frozen():
                try:
                    self._engine, info = open_engine(name or None, "auto", self._events.message)
                except ContinuoError as error:
                    if not name:
                        raise
                    missing = name
                    self._engine, info = open_engine(None, "auto", self._events.message)
                    self._events.message(f"{error} {info.name} takes its place.")
        except Exception:
            if self._wanted.run is not None:
                self._fail(self._wanted.run)
            raise
        facts = ModelFacts(info.name, str(self._engine.device), missing)
        with self._changed:
            self._facts = facts
        self._events.model_ready(facts)

    def _prepare(self) -> None:
        prompt = self._wanted.prompt
        assert prompt is not None
        try:
            self._read(prompt, lambda: not self._is_wanted(prompt))
        except Exception:
            if self._is_wanted(prompt):
                self._wanted.prompt = None  # it failed: wait for another
            raise

    def _is_wanted(self, prompt: PromptRequest) -> bool:
        """Whether a prompt is still worth reading."""
        wanted = self._wanted
        if wanted.is_closing or (wanted.fill is not None and wanted.run is None):
            return False
        return prompt.is_same(wanted.run.prompt if wanted.run else wanted.prompt)

    def _read(self, prompt: PromptRequest, cancelled: Callable[[], bool]) -> _Prepared:
        """The prompt in the model's cache: read now, unless it stands there already."""
        from core.midi.grid import find_grid

        assert self._engine is not None
        if self._prepared is not None and prompt.is_same(self._prepared.request):
            return self._prepared
        self._events.preparing(prompt)
        grid = find_grid(prompt.tempo_map, prompt.tracks, prompt.marker, prompt.start, prompt.grid)
        prepared = read_prompt(self._engine, prompt.tracks, prompt.marker, prompt.start, grid, cancelled)
        key = prompt.find_key()
        if self._wanted.run is None:  # else somebody waits to hear something
            prompt.learn_tracks()
            self._warm_up(prepared, cancelled)
        self._prepared = _Prepared(prompt, prepared, key, grid.name if grid else "")
        self._tell(self._prepared)
        return self._prepared

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
        from core.generation.engine import Cancelled

        wanted = self._wanted.run
        assert wanted is not None
        run = wanted.run
        if self._engine is None:
            self._fail(wanted)
            return
        try:
            prepared = self._read(wanted.prompt, lambda: self._wanted.is_closing or run.stopped.is_set())
            run.sample(self._engine, prepared.prompt, wanted.options(prepared.key))
        except Cancelled:
            pass
        except Exception as error:  # told with the run's end
            run.fault = error
        self._end(wanted)

    def _fill(self) -> None:
        run = self._wanted.fill
        assert run is not None
        try:
            if self._engine is None:
                raise ContinuoError("There is no model to fill it with.")
            run.sample(self._engine)
        except Exception as error:  # told with the run's end
            run.fault = error
        with self._changed:
            if self._wanted.fill is run:
                self._wanted.fill = None
        self._events.filled(run)

    def _fail(self, wanted: _WantedRun) -> None:
        wanted.run.fault = ContinuoError("There is no model to continue with.")
        self._end(wanted)

    def _end(self, wanted: _WantedRun) -> None:
        with self._changed:
            if self._wanted.run is wanted:
                self._wanted.run = None
        self._events.ended(wanted.run)
