"""One or more takes, sampled event by event from one prepared prompt, and their ranking.

continuation = Continuation(engine, prepared, options)
for step in continuation:      # as fast as the model goes
    play(step.messages)        # what the event sounds like, at once
takes = continuation.takes     # also after a stop: closed, with nothing left sounding
"""

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain, groupby
from operator import itemgetter

import numpy as np
from numpy.typing import NDArray

from core.codec.events import NoteMessage, Prompt, decode
from core.codec.vocabulary import BOUNDARY, note_off
from core.generation.engine import Engine, PreparedPrompt, to_numpy
from core.generation.options import Options, Take
from core.generation.prompt_summary import PromptSummary, summarize
from core.generation.sampler import Sampler
from core.midi.statistics import apart, excerpt, music
from core.session.knobs import Knobs

_TOLD = 1.0  # seconds of a take that other knobs must last to be told of it
_RANKED_SECONDS = 20.0  # of the prompt's end, that a take is compared with


@dataclass(frozen=True, slots=True)
class Step:
    """One event of one take: the note messages it makes and how far, in seconds, the take is sampled.

    `event` is None where the take ends: the messages are then the note-offs of what still sounded.
    """

    take: int
    event: int | None
    messages: tuple[NoteMessage, ...]
    head: float


class _TakeState(Sampler):
    """A take on its way."""

    def __init__(self, index: int, options: Options, prompt: Prompt, summary: PromptSummary) -> None:
        super().__init__(options, index, prompt, summary)
        self.index = index
        self.events: list[int] = []
        self.ended = False
        self._turns: list[tuple[float, tuple[Knobs, ...]]] = [(0.0, self.parts)]  # from when on, in seconds

    def turn(self, parts: tuple[Knobs, ...]) -> None:
        """See Sampler."""
        self._turns.append((self.grammar.decoder.time, parts))
        super().turn(parts)

    def knobs_told(self) -> list[Knobs]:
        """The knobs that it was made with, in order; those left out that had no time to be heard."""
        ends = [since for since, _ in self._turns[1:]] + [self.grammar.decoder.time]
        lasting = [(end - since, parts) for (since, parts), end in zip(self._turns, ends, strict=True)]
        heard = [parts for seconds, parts in lasting if seconds >= _TOLD] or [max(lasting, key=itemgetter(0))[1]]
        return [knobs for knobs, _ in groupby(chain.from_iterable(heard))]


class Continuation:
    """An iterator over the steps of all takes, in lock step: one event of each take per round.

    The same options, model, device, number of takes and threads give the same steps.
    """

    def __init__(self, engine: Engine, prepared: PreparedPrompt, options: Options) -> None:
        self.options = options
        self._engine = engine
        self._prepared = prepared
        self._timing = prepared.prompt.steps
        summary = summarize(prepared.prompt, prepared.events)
        self._turned: tuple[Knobs, ...] | None = None
        self._states = [_TakeState(i, options, prepared.prompt, summary) for i in range(options.takes)]
        self._last_step: int | None = None
        self._silent_step: int | None = None
        if options.seconds is not None:
            end = self._timing.place(options.seconds)  # not as many steps as at first: the tempo may change under it
            self._last_step = self._silent_step = max(1, int(end + 0.5))
            if options.ring:  # what sounds at the last step may ring out until then
                self._silent_step += max(1, int(self._timing.place(options.seconds + options.ring) - end + 0.5))
        self._stop = threading.Event()
        self._steps = self._run()

    def __iter__(self) -> Iterator[Step]:
        return self._steps

    def stop(self) -> None:
        """End within one event, from any thread; the steps that close the takes still come."""
        self._stop.set()

    def turn(self, *parts: Knobs) -> None:
        """From the next event on, sample with other knobs, those of the parts of the whole take; from any thread."""
        self._turned = parts

    @property
    def stopped(self) -> bool:
        """Whether `stop` was called."""
        return self._stop.is_set()

    @property
    def takes(self) -> list[Take]:
        """The takes as far as they are sampled, closed."""
        return [self._take(state) for state in self._states]

    @property
    def ranking(self) -> list[int]:
        """Indices of `takes`, best first: nearest to the prompt in their statistics."""
        takes = self.takes
        # Ranking decodes the whole prompt again: not for one take.
        return rank(takes, self._prepared.prompt) if len(takes) > 1 else [0]

    def _run(self) -> Iterator[Step]:
        running = list(self._states)
        raw, cache = self._engine.fork(self._prepared, len(running))
        while not self._stop.is_set():
            logits = to_numpy(raw)  # (B, vocab)
            going_on = []  # rows of the batch
            for row, state in enumerate(running):
                yield self._next(state, logits[row])
                if self._is_over(state):
                    yield self._close(state)
                else:
                    going_on.append(row)
                if self._stop.is_set():
                    break
            if self._stop.is_set() or not going_on:
                break
            if len(going_on) < len(running):
                cache = cache.part(going_on)
                running = [running[row] for row in going_on]
            newest = [state.events[-1] for state in running]
            raw, cache = self._engine.decode_one(newest, cache, partial(self._histories, running))
        for state in running:
            if not state.ended:
                yield self._close(state)

    def _histories(self, states: list[_TakeState]) -> list[list[int]]:
        """The last events of each take, its prompt's among them: at most a window, all of one length."""
        window = self._engine.config.block_size
        return [[*self._prepared.events, *state.events[-window:]][-window:] for state in states]

    def _next(self, state: _TakeState, logits: NDArray[np.float32]) -> Step:
        """Choose the next event of a take and move it on."""
        grammar = state.grammar
        if self._turned is not None and self._turned != state.parts:
            state.turn(self._turned)
        grammar.rings_out = self._last_step is not None and grammar.step >= self._last_step
        event = grammar.forced_event()
        if event is None:
            event = state.choose(logits, grammar.allowed())
            event = grammar.fit(event, self._silent_step if grammar.rings_out else self._last_step)
        messages = grammar.accept(event)
        for message in messages:
            state.observe(message)
        state.events.append(event)
        return Step(state.index, event, tuple(messages), grammar.decoder.time)

    def _is_over(self, state: _TakeState) -> bool:
        step = state.grammar.step
        if self._last_step is not None and self._silent_step is not None and step >= self._last_step:
            return state.grammar.decoder.is_silent or step >= self._silent_step
        return state.events[-1] == BOUNDARY or len(state.events) == self.options.events

    def _close(self, state: _TakeState) -> Step:
        state.ended = True
        state.events += [note_off(pitch) for pitch in sorted(state.grammar.decoder.sounding)]
        messages = state.grammar.decoder.close()
        return Step(state.index, None, tuple(messages), self._seconds(state, messages))

    def _seconds(self, state: _TakeState, messages: Sequence[NoteMessage] = ()) -> float:
        return max([state.grammar.decoder.time, *(m.time for m in messages)])

    def _take(self, state: _TakeState) -> Take:
        events = [*state.events, *(note_off(pitch) for pitch in sorted(state.grammar.decoder.sounding))]
        notes = tuple(decode(events, state.loudness.first, self._timing, state.loudness))
        seconds = max([self._seconds(state), *(note.end for note in notes)])
        marker = self._prepared.prompt.marker
        options = self.options
        if self._turned is not None:
            knobs, *then = state.knobs_told()
            options = replace(options, knobs=knobs, then=tuple(then))
        return Take(tuple(events), notes, seconds, state.seed, options, self._engine.name, marker)


def rank(takes: Sequence[Take], prompt: Prompt) -> list[int]:
    """Indices of the takes, best first: by the distance of their statistics to those of the prompt's end.

    The distance is core.midi.statistics.apart. Ties stay in order; takes without a note come last, also after a
    prompt without any.
    """
    notes = decode(prompt.events, steps=prompt.steps)
    length = max((note.end for note in notes), default=0.0)
    end = excerpt(music(notes, length), max(0.0, length - _RANKED_SECONDS), length)
    order = [(not take.notes, apart(music(take.notes, take.seconds), end)) for take in takes]
    return sorted(range(len(takes)), key=order.__getitem__)
