"""GenerationController: from the Continue button to takes in the session. Joins document, worker and player."""

import secrets
import time
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PySide6.QtCore import QObject, Signal

from core.errors import ContinuoError
from core.generation.constraints import Rules
from core.generation.options import Options, Sampling, Take
from core.logs import sentence_for
from core.midi.key import Key, parse_key
from core.midi.score import Track
from core.performance.generation import ModelFacts
from core.performance.live_take import TakeStart
from core.performance.playback import Playback
from core.performance.prompts import PromptRequest
from core.performance.run import Run
from core.performance.take_in_progress import TakeInProgress
from core.performance.take_plan import TakePlan, plan_take
from core.session.arrangement import bars_in_seconds, continued_tracks, end_on_bar_line, pitch_range, tempo_map_of
from core.session.edits_song import retimed_take
from core.session.forks import Fork, fork_prompt
from core.session.knobs import Knobs
from core.session.session import USUAL_BARS, USUAL_SECONDS, GenerationSettings, Session, TakeRecord, new_id
from core.tracks.drums import is_drums_alone
from desktop.adapters.generation_signals import GenerationSignals
from desktop.controllers.document import Document

if TYPE_CHECKING:
    from core.generation.continuation import Step

SOUNDS_ON = 1.5  # seconds of what is thrown away that go on sounding, until there is something else


def seconds_to_sample(session: Session, marker: float) -> float:
    """The length up to the end marker; else what the settings ask for.

    Bars count by the tempo and metre that hold under the take, up to a bar line.
    """
    if session.end_marker > marker:
        return max(session.end_marker - marker, 0.01)
    settings = session.settings
    tempo_map = tempo_map_of(session.score, marker, settings.rest)
    length, unit = settings.length, settings.unit
    if unit == "auto":
        length, unit = (USUAL_BARS, "bars") if tempo_map.has_metre else (USUAL_SECONDS, "seconds")
    return length if unit == "seconds" else max(bars_in_seconds(tempo_map, marker, length), 0.01)


def options_for(
    settings: GenerationSettings, seconds: float, seed: int, ring: float = 0.0, before: float = 0.0
) -> Callable[[Key | None], Options]:
    """What the sampler is told, once the prompt's key is known. Raises UsageError for a scale that is none."""

    def options(key: Key | None) -> Options:
        scale = None
        if settings.scale == "auto":
            scale = key.pitch_classes if key else None
        elif settings.scale != "off":
            scale = parse_key(settings.scale).pitch_classes
        return Options(
            Sampling(temperature=settings.temperature, top_p=settings.top_p, key_strength=settings.key_strength),
            Rules(scale, settings.low, settings.high, ends=settings.ends),
            seed,
            seconds,
            ring=ring,
            takes=settings.takes,
            dynamics=settings.dynamics,
            knobs=settings.knobs,
            then=settings.then,
            before=before,
        )

    return options


def feel_of(made: GenerationSettings | TakeRecord) -> tuple[Knobs, ...]:
    """The knobs that a take is to be made with, or was."""
    return (made.knobs, *made.then)


def _tracks(session: Session) -> tuple[Track, ...]:
    return tuple(session.tracks[i] for i in continued_tracks(session))


def _request(session: Session, tracks: tuple[Track, ...], marker: float, start: float) -> PromptRequest:
    tempo_map = tempo_map_of(session.score, marker, session.settings.rest)
    return PromptRequest(tracks, marker, start, tempo_map, session.settings.grid)


class GenerationController(QObject):
    """One run at a time: its takes grow here and are kept in the session when it ends."""

    beginning = Signal()  # a take will be sampled and heard: what else plays or is chosen makes way
    running_changed = Signal(bool)
    ready_changed = Signal(bool, str)  # whether Continue can be pressed, and the sentence beside it
    key_found = Signal(object)  # the prompt's key, such as "D minor", or None
    grid_found = Signal(object)  # the grid it is continued on, such as "1/16", or None
    begun = Signal()  # `in_progress` are new
    grown = Signal()  # `in_progress` have more notes
    ended = Signal()  # the takes are in the session
    message = Signal(str)

    def __init__(
        self, document: Document, signals: GenerationSignals, playback: Playback, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._document, self._worker, self._playback = document, signals.generation, playback
        self.model: ModelFacts | None = None
        self.run: Run | None = None
        self._steps: deque[Step] = deque()  # sampled and not shown yet
        self.in_progress: list[TakeInProgress] = []
        self.has_metronome = False
        self._name = ""  # of the step that Undo will take back
        self._settings = document.session.settings
        self._fork: Fork | None = None
        self._curve_from = 0.0  # the take's second from which on knobs that follow each other share it
        self._newest = ""  # the take that was made last
        self._again_from: float | None = None  # score seconds from where to sample anew, once the run has ended
        self._plan: TakePlan
        self._problem = ""  # of model or prompt
        self._wanted: PromptRequest | None = None
        self._is_prepared = False
        self._wanted_model: str | None = None
        signals.model_ready.connect(self._on_model)
        signals.prepared.connect(self._on_prepared)
        signals.failed.connect(self._on_failed)
        signals.ended.connect(self._on_ended)
        signals.message.connect(self.message)

    def turn(self, settings: GenerationSettings) -> None:
        """What is being sampled goes on with other knobs: heard once the seconds in hand are over."""
        if self.run is not None:
            self.run.knobs = feel_of(settings)

    def sample_again_from(self, at: float) -> bool:
        """Throw away what a take has from a place (score seconds) on, and sample that anew, with the present settings.
        Whether there is anything to throw away. The take is the first of those being sampled, or the current one.
        """
        take = self._document.session.current_take
        if self.run is not None:
            first = self.in_progress[0]
            if at < self.now(first.marker + first.head):
                self._again_from = at
                self.run.stop()
                return True
        elif take is not None and take.marker <= at < take.marker + take.seconds:
            curve_from = self._curve_from if take.id == self._newest else take.forked_at
            self._fork_again(take.id, at, take.marker + (take.end or take.seconds), feel_of(take), curve_from)
            return True
        return False

    def _sample_again(self, take: TakeInProgress) -> None:
        """What `sample_again_from` asked for, if the take that was stopped is there."""
        at, self._again_from = self._again_from, None
        if at is not None and self._document.session.find_take(take.id):
            end = self.now(self._plan.take.marker + self._plan.take.end)
            self._fork_again(take.id, at, end, feel_of(self._settings), self._curve_from)

    def _fork_again(self, take_id: str, at: float, end: float, feel: tuple[Knobs, ...], curve_from: float) -> None:
        """Sample a take anew between two places; `feel` is what it was made with, from its second `curve_from` on."""
        session = self._document.session
        fork = fork_prompt(session, take_id, at - session.take(take_id).marker)
        if feel != feel_of(session.settings):  # else it was said of the whole take, and goes on
            curve_from = fork.at
        prompt, seconds = _request(session, fork.tracks, fork.marker, fork.start), max(end - fork.marker, 0.01)
        self._begin(self.tr("Change the feel"), prompt, fork, fork.take.marker, seconds=seconds, curve_from=curve_from)

    # Getting ready

    def prepare(self) -> None:
        """Have the model and the prompt of the session read, if they are others than before."""
        session = self._document.session
        if session.settings.model != self._wanted_model:
            self._wanted_model = session.settings.model
            self.model = None
            self._problem = ""
            self._worker.want_model(self._wanted_model)
        request = _request(session, _tracks(session), session.marker, session.prompt_start)
        if not request.is_same(self._wanted):
            self._wanted = request
            self._is_prepared = False
            self._worker.want_prompt(request)
        self._tell_ready()

    def _tell_ready(self) -> None:
        if self._problem:
            self.ready_changed.emit(False, self._problem)
        elif self.model is None:
            self.ready_changed.emit(True, self.tr("Loading the model …"))
        elif not self._is_prepared:
            self.ready_changed.emit(True, self.tr("Reading the prompt …"))
        else:
            self.ready_changed.emit(True, "")

    @property
    def is_prepared(self) -> bool:
        """Whether Continue starts at once."""
        return self.model is not None and self._is_prepared

    def _on_model(self, facts: ModelFacts) -> None:
        self.model = facts
        self._problem = ""  # of a model that is not wanted any more
        self._is_prepared = False
        self._tell_ready()

    def _on_prepared(self, request: PromptRequest, key: str, grid: str) -> None:
        if request.is_same(self._wanted):
            self._is_prepared = True
            self.key_found.emit(key or None)
            self.grid_found.emit(grid or None)
            self._tell_ready()

    def _on_failed(self, problem: str) -> None:
        self._problem = problem
        self.message.emit(problem)
        self._tell_ready()

    # Running

    @property
    def take_to_come(self) -> TakeRecord:
        """How the take that is being sampled will lie in its song; of its notes those that are there already."""
        return self._retimed(self._plan.take)

    def now(self, seconds: float) -> float:
        """When a place of the song that sampling began in comes in the song as it is now: at another tempo, maybe."""
        return float(self.now_array(seconds))

    def now_array(self, seconds: ArrayLike) -> NDArray[np.float64]:
        """The same of many."""
        began, now = self._plan.session.tempo_map, self._document.session.tempo_map
        at = np.asarray(seconds, np.float64)
        return at if now is began or now == began else now.seconds_array(began.exact_ticks_array(at))

    @property
    def is_running(self) -> bool:
        """Whether the model samples."""
        return self.run is not None

    def proceed(self) -> None:
        """Go on from the marker."""
        session = self._document.session
        if is_drums_alone(session.tracks):
            self._repeat_drums(session)
            return
        prompt = _request(session, _tracks(session), session.marker, session.prompt_start)
        self._begin(self.tr("Continue"), prompt, None, session.marker)

    def _repeat_drums(self, session: Session) -> None:
        """What can be done behind drums alone, which no model plays: their pattern goes on, as a take."""
        assert session.score is not None
        marker = session.marker or end_on_bar_line(session.tempo_map, 0.0, session.score.end)
        end = seconds_to_sample(session, marker)
        if session.end_marker <= marker:
            end = end_on_bar_line(session.tempo_map, marker, end)
        take = plan_take(session.with_settings(replace(session.settings, drums="repeat")), marker, end).take
        if take.notes:
            self._document.do(self.tr("Repeat the drums"), session.with_take(replace(take, created=time.time())))
            self.message.emit(self.tr("The models play no drums, so the pattern of the drums was repeated."))
        else:
            self.message.emit(self.tr("The models play no drums, and these have stopped: move the marker to them."))

    def fork(self, take_id: str, at: float) -> None:
        """Go on from within a take, `at` seconds from its marker. Raises UsageError if that cannot be."""
        session = self._document.session
        fork = fork_prompt(session, take_id, at)
        name = self.tr("Continue from within {0}").format(fork.take.name)
        self._begin(name, _request(session, fork.tracks, fork.marker, fork.start), fork, fork.take.marker)

    def another_take(self, take_id: str) -> None:
        """Another take from where this one began, with a new seed. Raises UsageError if that cannot be."""
        session = self._document.session
        take = session.take(take_id)
        name = self.tr("Another take like {0}").format(take.name)
        if session.find_take(take.parent):
            fork = fork_prompt(session, take.parent, take.forked_at)
            prompt = _request(session, fork.tracks, fork.marker, fork.start)
            self._begin(name, prompt, fork, fork.take.marker, True)
        else:
            start = min(session.prompt_start, take.marker)
            prompt = _request(session, _tracks(session), take.marker, start)
            self._begin(name, prompt, None, take.marker, True)

    def _begin(
        self,
        name: str,
        prompt: PromptRequest,
        fork: Fork | None,
        marker: float,
        needs_new_seed: bool = False,
        seconds: float | None = None,
        curve_from: float | None = None,
    ) -> None:
        if self.run is not None:
            return
        if self._problem:  # the button cannot be pressed then, but the keys and menus of takes can
            self.message.emit(self._problem)
            return
        self.beginning.emit()
        session = self._document.session
        settings = session.settings
        if needs_new_seed or not settings.seed_locked:
            settings = replace(settings, seed=secrets.randbelow(2**31))
        seconds = seconds or seconds_to_sample(session, prompt.marker)
        at = prompt.marker - marker
        tempo_map = tempo_map_of(session.score, marker, settings.rest)
        is_exact = session.end_marker > prompt.marker
        end = at + (seconds if is_exact else end_on_bar_line(tempo_map, prompt.marker, seconds))
        plan = plan_take(session, marker, end, fork, is_exact=is_exact)
        self._name, self._fork, self._settings, self._plan = name, fork, settings, plan
        self._curve_from = at if curve_from is None else curve_from
        self.in_progress = [TakeInProgress(marker, at, plan.take.notes) for _ in range(settings.takes)]
        low, high = pitch_range(session)
        rate = self._worker.rate(settings.takes)
        has_metronome = self.has_metronome
        beside = plan.accompaniment(has_metronome)
        live = self._playback.begin_take(TakeStart(prompt.marker, seconds, plan.part_router, beside, rate))
        self._steps = steps = deque()
        self.run = Run(
            play=lambda step: live.feed(step.messages, step.head),
            show=steps.append,
            route=plan.route(settings.takes),
            finished=lambda seconds: plan.finish(live, seconds, has_metronome),
        )
        asked = replace(settings, low=low, high=high)
        made = options_for(asked, seconds, settings.seed, plan.ring(seconds), max(at - self._curve_from, 0.0))
        self._worker.want_run(self.run, prompt, made)
        # The sound is on its way: now what is seen.
        if not settings.seed_locked and not needs_new_seed:
            self._document.amend(session.with_settings(settings))
        self._keep_for_recovery(is_first=True)
        if plan.channel_words:
            self.message.emit(plan.channel_words)
        self.begun.emit()
        self.running_changed.emit(True)

    def stop(self) -> None:
        """End within one event. What is sampled is kept."""
        self._again_from = None
        if self.run is not None:
            self.run.stop()

    def poll(self) -> None:
        """Once a frame: take in what was sampled since."""
        count = len(self._steps)
        if self.run is not None and count:
            for _ in range(count):
                step = self._steps.popleft()
                self.in_progress[step.take].add(step.messages, step.head)
            self._keep_for_recovery()
            self.grown.emit()

    def _keep_for_recovery(self, is_first: bool = False) -> None:
        if is_first or not self._document.is_autosave_due:
            self._document.show_growing(lambda: tuple(self._records_so_far()), is_first)

    def _records_so_far(self) -> list[TakeRecord]:
        model = self.model.name if self.model else ""
        parent, forked_at = (self._fork.take.id, self._fork.at) if self._fork else ("", 0.0)
        return [
            self._retimed(
                self._made(growing, seed=self._settings.seed + i, model=model, parent=parent, forked_at=forked_at)
            )
            for i, growing in enumerate(self.in_progress)
            if growing.notes
        ]

    def _made(self, growing: TakeInProgress, **more: Any) -> TakeRecord:
        """A take as far as it has come, with what sounds at its end, by what it was made, and where it lies."""
        settings, planned = self._settings, self._plan.take
        return replace(
            growing.record(),
            temperature=settings.temperature,
            top_p=settings.top_p,
            created=time.time(),
            end=planned.end,
            rest=planned.rest,
            replaces=planned.replaces,
            **more,
        )

    def _on_ended(self, run: Run) -> None:
        if run is not self.run:
            return
        self.poll()
        self.run = None
        self._document.show_growing(None)
        problem = sentence_for(run.fault, "sampling") if run.fault else ""
        if problem or not any(take.notes for take in run.takes):
            self._playback.stop()
            words = self.tr("No note came in that time: try again, or move the marker to where there is music.")
            if run.stopped.is_set():
                words = self.tr("Stopped before the first note.")
            self.message.emit(problem or words)
        self._keep(run)
        first = self.in_progress[0]
        self.in_progress = []
        self.ended.emit()
        self.running_changed.emit(False)
        self.prepare()
        self._sample_again(first)

    def _keep(self, run: Run) -> None:
        """Put the takes into the session as one step, the best first; the one that was heard stays selected."""
        session = before = self._document.session
        kept = [i for i in run.ranking if run.takes[i].notes]
        names = dict(zip(sorted(kept), session.next_names(len(kept)), strict=True))  # in the order they were begun
        for i in kept:
            # The parent of a fork may be gone by now; the take then stands for itself.
            record = self._record(self.in_progress[i], run.takes[i])
            session = session.with_take(replace(record, name=names[i]), select=i == 0 or session is before)
        if session is not before:
            count = len(run.takes)
            name = self._name if count == 1 else self.tr("{0}, {1} takes").format(self._name, count)
            self._document.do(name, session)
            self._newest = session.current

    def _record(self, growing: TakeInProgress, take: Take) -> TakeRecord:
        made = self._made(
            growing,
            events=take.events,
            seconds=take.seconds,
            seed=take.seed,
            model=take.model,
            knobs=take.options.knobs,
            then=take.options.then,
        )
        record = self._plan.cut_short(made)
        if self._fork is not None:
            record = self._fork.joined(record)
        record = self._retimed(record)
        return replace(record, id=new_id()) if self._document.session.find_take(growing.id) else record

    def _retimed(self, record: TakeRecord) -> TakeRecord:
        """A take on the ticks that it was sampled for: the tempo may have been changed meanwhile."""
        sampled_in, now = self._plan.session.tempo_map, self._document.session.tempo_map
        return retimed_take(record, sampled_in, now)

    def check(self) -> None:
        """Raises ContinuoError with the reason why nothing can be continued."""
        if self._problem:
            raise ContinuoError(self._problem)
