"""FillRun: the candidates of one region, from the first event to the alternatives that are shown."""

import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from core.midi.score import Note, TakeNote
from core.performance.events import nobody
from core.performance.fill import FillPlan, VoiceKey
from core.performance.prompts import find_key
from core.performance.take_in_progress import TakeInProgress

if TYPE_CHECKING:
    from core.codec.events import NoteMessage
    from core.generation.engine import Engine
    from core.generation.filling.fill_rounds import FillStep
    from core.generation.filling.filler import Candidate
    from core.generation.options import Options
    from core.midi.key import Key

_KEY_SECONDS = 30.0  # before a region that its key is found in


@dataclass(eq=False)
class FillRun:
    """Samples on the thread that owns the model; the first candidate can be followed from another, by `follow`.

    `options` by the key of the music before the region, if there is any. `show` hears of each step of the first
    candidate as it comes, `progressed` of the `share` of all the work that is done, 0 to 1. In the end `candidates` are
    all that were sampled, best first, `chosen` those of them to choose from, at most `count`, and `alternatives` the
    notes of these; or `fault` says what it broke off with.
    """

    plan: FillPlan
    options: "Callable[[Key | None], Options]"
    count: int = 3
    show: "Callable[[FillStep], object]" = nobody
    progressed: Callable[[float], object] = nobody
    stopped: threading.Event = field(default_factory=threading.Event)
    candidates: "Sequence[Candidate]" = ()
    chosen: "Sequence[Candidate]" = ()
    alternatives: Sequence[Mapping[VoiceKey, Sequence[Note]]] = ()
    fault: Exception | None = None
    share: float = 0.0
    head: float = 0.0  # seconds of the region that the first candidate has, as far as it was followed

    def __post_init__(self) -> None:
        self._steps: deque[tuple[Sequence[NoteMessage], float]] = deque()
        self._first = TakeInProgress(self.plan.region.start)

    def stop(self) -> None:
        """End within one event, from any thread: there are no alternatives then."""
        self.stopped.set()

    def sample(self, engine: "Engine") -> None:
        """Sample all candidates and choose among them. Raises Cancelled if stopped, and what the options raise."""
        from core.generation.filling.filler import choose
        from core.generation.filling.middle_filler import filler_for

        plan = self.plan
        plan.router()  # learns the tracks, here and not where it is followed
        region = plan.region
        key = find_key([voice.kept for voice in plan.voices], region.start - _KEY_SECONDS, region.start)
        self.candidates = filler_for(engine).fill(
            plan.gap(engine.config.conventions), self.options(key), self._on_step, self.stopped.is_set, self._on_share
        )
        self.chosen = choose(self.candidates, self.count, region.end - region.start)
        self.alternatives = [plan.placed(candidate.notes) for candidate in self.chosen]

    def _on_step(self, step: "FillStep") -> None:
        if not step.candidate:
            self._steps.append((step.messages, step.head))
            self.show(step)

    def _on_share(self, share: float) -> None:
        self.share = share
        self.progressed(share)

    def follow(self) -> bool:
        """Take in what was sampled of the first candidate; whether notes have begun or ended since."""
        is_new = False
        for _ in range(len(self._steps)):
            messages, self.head = self._steps.popleft()
            self._first.add(messages, self.head)
            is_new = is_new or bool(messages)
        return is_new

    @property
    def so_far(self) -> list[TakeNote]:
        """The notes of the first candidate as far as it was followed, seconds from the region's start."""
        return [*self.ended, *self.sounding]

    @property
    def ended(self) -> list[TakeNote]:
        """Those of them that have ended."""
        return self._first.notes

    @property
    def sounding(self) -> list[TakeNote]:
        """Those of them that have begun and not ended, up to the head."""
        return self._first.sounding
