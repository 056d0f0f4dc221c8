"""Run: one continuation, from its first event to its takes."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from core.performance.events import nobody

if TYPE_CHECKING:
    from core.generation.continuation import Step
    from core.generation.engine import Engine, PreparedPrompt
    from core.generation.options import Options, Take
    from core.session.knobs import Knobs

FURTHEST_AHEAD = 60.0  # seconds of music sampled ahead of the playhead when there is no end
_LOOK_AGAIN = 0.05  # seconds between two looks at the playhead while waiting for it


def _as_it_is(step: "Step") -> "Step":
    """The step as it was sampled, its notes without tracks."""
    return step


@dataclass(eq=False, slots=True)
class Run:
    """One continuation. Each step goes through `route`, which gives its notes to tracks. Then `play` is called with it,
    if it is of the first take; then the figures here are brought up to date; then `show` is called with it. Once the
    first take is complete, `finished` is called with the seconds that it lasts.

    `ahead()` gives the seconds of music that are sampled and not played yet (None where nobody plays it): a run
    without an end waits while they are more than FURTHEST_AHEAD. `clock` counts seconds.
    """

    play: "Callable[[Step], object]" = nobody
    show: "Callable[[Step], object]" = nobody
    route: "Callable[[Step], Step]" = _as_it_is
    finished: Callable[[float], object] = nobody
    ahead: Callable[[], float] | None = None
    knobs: "tuple[Knobs, ...]" = ()  # those of the take's parts, turned while it samples
    stopped: threading.Event = field(default_factory=threading.Event)
    clock: Callable[[], float] = time.perf_counter
    takes: "list[Take]" = field(default_factory=list)  # as sampled, also after a stop or a fault
    ranking: list[int] = field(default_factory=list)  # indices of `takes`, best first
    events: int = 0  # sampled, of all takes
    head: float = 0.0  # seconds of the first take that are sampled
    first_event_seconds: float = 0.0  # until the first event
    seconds: float = 0.0  # wall time spent sampling
    fault: Exception | None = None  # what it broke off with

    def stop(self) -> None:
        """End within one event, from any thread; what is sampled is kept."""
        self.stopped.set()

    @property
    def real_time_factor(self) -> float:
        """Seconds of music sampled per second of wall time, 0 before anything can be said."""
        return self.head / self.seconds if self.seconds > 0.05 else 0.0

    def sample(self, engine: "Engine", prepared: "PreparedPrompt", options: "Options") -> None:
        """Sample to the end, or until stopped. What goes wrong stands in `fault`; what was sampled before is kept."""
        from core.generation.continuation import Continuation

        continuation = Continuation(engine, prepared, options)
        has_end = options.seconds is not None or options.events is not None
        started = self.clock()
        waited = 0.0
        try:
            if self.stopped.is_set():
                continuation.stop()
            for sampled in continuation:
                step = self.route(sampled)
                if step.take == 0:
                    try:
                        self.play(step)
                    except Exception:
                        self.show(step)  # it was sampled all the same
                        raise
                    self.head = step.head
                    if step.event is None:  # others may go on for long
                        self.finished(step.head)
                self.seconds = self.clock() - started - waited
                if step.event is not None:
                    self.events += 1
                    self.first_event_seconds = self.first_event_seconds or self.seconds
                self.show(step)
                if not has_end:
                    waited += self._wait_for_playhead()
                if self.knobs:
                    continuation.turn(*self.knobs)
                if self.stopped.is_set():
                    continuation.stop()
        except Exception as error:  # whoever asked for the run tells of it, once what there is is kept
            self.fault = error
        self.takes, self.ranking = continuation.takes, continuation.ranking

    def _wait_for_playhead(self) -> float:
        """Wait while more than FURTHEST_AHEAD is sampled and not played yet: the seconds that it waited."""
        if self.ahead is None or self.ahead() <= FURTHEST_AHEAD:
            return 0.0
        started = self.clock()
        while self.ahead() > FURTHEST_AHEAD and not self.stopped.wait(_LOOK_AGAIN):
            pass
        return self.clock() - started
