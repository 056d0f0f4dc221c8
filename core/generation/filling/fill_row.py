"""FillRow: one candidate for a gap on its way, the kept notes forced into its events as they come."""

from collections import deque
from collections.abc import Callable, Sequence
from copy import deepcopy
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.codec.events import Conventions, GridNote, NoteMessage, Prompt
from core.codec.gap import Gap
from core.codec.vocabulary import (
    LONGEST_SHIFT,
    NOTE_ON,
    TIME_SHIFT,
    VELOCITY,
    last_bin,
    note_off,
    note_on,
    shift_steps,
    time_shift,
    velocity,
)
from core.generation.logits_processors import Logits
from core.generation.options import Options
from core.generation.prompt_summary import PromptSummary
from core.generation.sampler import Sampler
from core.midi.score import TakeNote

FOLLOWING = 26  # kept notes behind a gap that a candidate is scored by: some 80 events

ScoredPart = Literal["inside", "seam", "follow"]


class _Due(NamedTuple):
    """The begin of a note (`is_on` 1) or its end at a step; they sort as events are written."""

    step: int
    is_on: int
    pitch: int
    bin: int = 0
    is_new: bool = False


class FillRow:
    """Chooses the events of one candidate, from the gap's start to some notes behind its end.

    Up to the gap's end the model is asked for each event, from the time shift on that leads over its start (see
    `lead`). Kept notes interrupt it: a time shift ends where the next one begins or ends, and of notes at one step
    lower pitches come first, as in the music that models learn. From the time shift on that would lead over the gap's
    end, all is forced and only read, but new notes that ring on are let go where the model does. `scores` are the
    log-probabilities, before any processor, of what was forced: kept notes that begin "inside" the gap, how it is left
    (the "seam": the time shift over its end), and what "follow"s.

    With `given` notes, the candidate's and the kept ones as one piano, nothing is sampled, be they none.
    """

    def __init__(
        self,
        gap: Gap,
        options: Options,
        index: int,
        summary: PromptSummary,
        conventions: Conventions,
        given: Sequence[GridNote] | None = None,
    ) -> None:
        self._sampler = Sampler(options, index, gap.prompt, summary)
        self._grammar = self._sampler.grammar
        self.events: list[int] = []
        self.notes: list[TakeNote] = []  # new ones that have ended, seconds from the gap's start
        self.scores: dict[ScoredPart, list[float]] = {"inside": [], "seam": [], "follow": []}
        self._gap = gap
        self._shared = (gap, gap.prompt, summary)  # by all copies
        self._lead = lead(gap.prompt)  # 0 once the first event has come
        pitch = np.arange(NOTE_ON.size)
        self._pitches = (pitch >= gap.low) & (pitch <= gap.high)
        self._is_each_velocity_said = conventions.velocity == "each"
        self._bin = last_bin(gap.prompt.events)
        self._new: dict[int, NoteMessage] = {}  # new notes that sound, by pitch
        for note in gap.kept:
            if note.start < 0:
                self._grammar.decoder.sounding[note.pitch] = note.start
                self._grammar.decoder.unheard.discard(note.pitch)
                self._grammar.held.add(note.pitch)
        self._dues = deque(_dues(gap, gap.kept if given is None else given))
        self._must_strike = False  # whether the next kept note begins before the model is asked again
        self._is_free = given is None
        self._lets_go = given is None

    @property
    def seed(self) -> int:
        """What its random numbers grow from."""
        return self._sampler.seed

    @property
    def head(self) -> float:
        """How far it has come, in seconds from the gap's start."""
        return self._grammar.decoder.time

    @property
    def is_filled(self) -> bool:
        """Whether the gap is full: what comes from here on is read for its score."""
        return not self._is_free and self._next_step() >= self._gap.end

    @property
    def is_over(self) -> bool:
        """Whether there is nothing left to read."""
        return not self._is_free and not self._dues

    @property
    def is_settled(self) -> bool:
        """Whether the model has no more say in what comes."""
        return not self._is_free and not (self._lets_go and self._new)

    def next(self, logits: Logits) -> list[NoteMessage]:
        """Choose the next event by the model's logits and move on: the messages of new notes that it makes."""
        event, part = self._chosen(logits)
        self._score(event, part, logits)
        return self._accept(event, is_new=part is None and event in NOTE_ON)

    def finish(self, logits: Logits, read: Callable[[Sequence[int]], NDArray[np.float32]]) -> None:
        """Go on to the end, once it is settled: `read` gives the model's logits (T, vocab) after each of T events."""
        first, parts = len(self.events), list[ScoredPart | None]()
        while not self.is_over:
            event, part = self._due_event(self._dues[0])
            parts.append(part)
            self._accept(event, is_new=part is None and event in NOTE_ON)
        events = self.events[first:]
        expected = [logits, *(read(events[:-1]) if len(events) > 1 else ())]
        for event, part, before in zip(events, parts, expected, strict=True):
            self._score(event, part, before)

    def copy(self, ending: int = 0) -> "FillRow":
        """A row that goes on from here for itself; with a number, to another ending."""
        row = deepcopy(self, {id(each): each for each in self._shared})
        if ending:
            row._sampler.part(ending)
        return row

    # Which event comes

    def _chosen(self, logits: Logits) -> tuple[int, ScoredPart | None]:
        """The next event, and what part of the score it counts in."""
        if self._is_free:
            due = self._dues[0] if self._dues and self._dues[0].step <= self._grammar.step else None
            if due is not None and (self._must_strike or not due.is_on):
                return self._due_event(due)
            event = None if self._lead else self._grammar.forced_event()
            if event is None:
                event = self._sampled(logits)
            if event is not None:
                return event, None
        elif (event := self._let_go(logits)) is not None:
            return event, None
        # Either the model would go over the gap's end, or past a kept note: what is kept comes now.
        return self._due_event(self._dues[0]) if self._dues else (self._shift(1), None)

    def _let_go(self, logits: Logits) -> int | None:
        """The end of a new note that rings on behind the gap, as likely as the model ends it here; or None."""
        step, sounding = self._grammar.step, self._grammar.decoder.sounding
        if not self._lets_go or step < self._gap.end or self.events[-1] in VELOCITY:
            return None
        ringing = [note_off(pitch) for pitch in self._new if sounding[pitch] < step]
        if not ringing:
            return None
        shares = np.exp(logits[ringing] - _log_sum(logits)).cumsum()
        chosen = int(np.searchsorted(shares, self._sampler.chance(), side="right"))
        return ringing[chosen] if chosen < len(ringing) else None

    def _due_event(self, due: _Due) -> tuple[int, ScoredPart | None]:
        """The event that leads to what is due next: a time shift, what ends a new note of its pitch, its velocity,
        its begin or end.
        """
        step, end = self._grammar.step, self._gap.end
        part: ScoredPart | None = "follow" if step >= end and not self._is_free else None
        if due.step > step or self._lead:
            shift = self._shift(due.step - step)
            if part is None:
                return shift, "seam" if step + shift_steps(shift) - self._lead >= end else None
            is_end_of_new = due.is_new and not due.is_on
            return shift, None if is_end_of_new else part
        if not due.is_on:
            self._dues.popleft()
            return note_off(due.pitch), None if due.pitch in self._new else part
        if due.pitch in self._grammar.decoder.sounding:
            return note_off(due.pitch), None
        part = part or (None if due.is_new else "inside")
        is_said = self.events[-1:] == [velocity(due.bin)] if self._is_each_velocity_said else due.bin == self._bin
        if not is_said:
            return velocity(due.bin), part
        self._dues.popleft()
        self._must_strike = False
        return note_on(due.pitch), part

    def _sampled(self, logits: Logits) -> int | None:
        """The event that the model chooses; None if what is kept comes first, or the gap's end."""
        step = self._grammar.step
        pending = [due.pitch for due in self._dues if due.step <= step]
        event = self._asked(logits, pending)
        by = shift_steps(event) - self._lead
        if by <= 0 and not (pending and pending[0] < event < NOTE_ON.end):
            return event
        if pending:
            self._must_strike = not self._lead
            return None
        until = self._next_step()
        if by > 0 and step + by < min(until, self._gap.end):
            return event
        if until < self._gap.end:
            return self._shift(until - step)
        self._leave()
        return None

    def _asked(self, logits: Logits, pending: list[int]) -> int:
        """The event that the model chooses among those that fit into the gap; no onset of a pitch that is `pending`."""
        grammar = self._grammar
        allowed = grammar.allowed()
        if self._lead:  # of the time shifts over the gap's start, one that leads as far as there at least
            allowed[:] = False
            allowed[time_shift(self._lead) : TIME_SHIFT.end] = True
            by = shift_steps(self._sampler.choose(logits, allowed)) - self._lead
            return self._shift(shift_steps(grammar.fit(time_shift(by))) if by else 0)
        allowed[: NOTE_ON.end] &= self._pitches
        allowed[pending] = False
        allowed[VELOCITY.first : VELOCITY.end] &= allowed[: NOTE_ON.end].any()
        if not allowed.any():  # silence has lasted its longest, and there is no note to break it
            return time_shift(LONGEST_SHIFT)
        return grammar.fit(self._sampler.choose(logits, allowed))

    def _shift(self, by: int) -> int:
        """The time shift by so many steps, or as many as one can have, after those that lead up to the gap."""
        return time_shift(min(by + self._lead, LONGEST_SHIFT))

    def _next_step(self) -> int:
        return self._dues[0].step if self._dues else self._gap.end

    def _leave(self) -> None:
        """From here on no note begins that is not kept: new ones end with the gap, or ring on as long as they may."""
        self._is_free = False
        ends = [_Due(self._gap.rings_to, 0, pitch, is_new=True) for pitch in self._new]
        self._dues = deque(sorted([*self._dues, *ends]))

    # What it makes

    def _score(self, event: int, part: ScoredPart | None, logits: Logits) -> None:
        if part is not None:
            self.scores[part].append(float(logits[event]) - _log_sum(logits))

    def _accept(self, event: int, is_new: bool) -> list[NoteMessage]:
        grammar = self._grammar
        self.events.append(event)
        if event in VELOCITY:
            self._bin = event - VELOCITY.first
        if self._lead:
            by, self._lead = shift_steps(event) - self._lead, 0
            messages = grammar.accept(time_shift(by)) if by else []
        else:
            messages = grammar.accept(event)
        told = []
        for message in messages:
            if self._is_free:
                self._sampler.observe(message)
            if message.velocity:
                if is_new:
                    self._new[message.pitch] = message
                    told.append(message)
                else:
                    grammar.held.add(message.pitch)
            elif (struck := self._new.pop(message.pitch, None)) is not None:
                self._dues = deque(due for due in self._dues if due != (self._gap.rings_to, 0, message.pitch, 0, True))
                self.notes.append(TakeNote(message.pitch, struck.velocity, struck.time, message.time))
                told.append(message)
            else:
                grammar.held.discard(message.pitch)
        return told


def lead(prompt: Prompt) -> int:
    """The steps of the time shift that leads up to a gap, which a model is not to have read; 0 if there is none.

    In the music that models learn an event comes wherever a time shift ends. One that was cut short at the gap's start
    would make them play something there, whether or not it is time. A whole second may well be followed by another.
    """
    steps = shift_steps(prompt.events[-1]) if prompt.events else 0
    return steps if steps < LONGEST_SHIFT else 0


def _dues(gap: Gap, notes: Sequence[GridNote]) -> list[_Due]:
    """What is to be forced, in order, up to the last note that a candidate is scored by."""
    following = [note.start for note in gap.kept if note.start >= gap.end][:FOLLOWING]
    last = following[-1] if following else gap.end - 1
    kept = {(note.start, note.pitch) for note in gap.kept}
    are_new = [(note.start, note.pitch) not in kept for note in notes]
    both = list(zip(notes, are_new, strict=True))
    begins = [_Due(n.start, 1, n.pitch, n.bin, is_new) for n, is_new in both if 0 <= n.start <= last]
    ends = [_Due(n.end, 0, n.pitch, is_new=is_new) for n, is_new in both if n.end <= last]
    return sorted(begins + ends)


def _log_sum(logits: Logits) -> float:
    most = float(logits.max())
    return most + float(np.log(np.exp(logits - most).sum()))
