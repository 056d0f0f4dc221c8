"""MiddleRow: the new notes of a gap on their way, by a model that was told before what is kept in it and follows."""

from collections import deque

import numpy as np

from core.codec.events import GridNote, NoteMessage
from core.codec.gap import Gap
from core.codec.vocabulary import LONGEST_SHIFT, NOTE_ON, VELOCITY, from_bin, note_off, note_on, shift_steps, time_shift
from core.generation.logits_processors import Logits
from core.generation.options import Options
from core.generation.prompt_summary import PromptSummary
from core.generation.sampler import Sampler
from core.midi.score import TakeNote


class MiddleRow:
    """Chooses the events of one candidate, new notes alone, from the gap's start until the last of them is let go.

    No time shift leads over the gap's end, behind which nothing begins. What is kept is not among the events, but
    sounds and ends as they go on: no new note begins where it sounds, and one that sounds where it begins is let go.
    """

    def __init__(self, gap: Gap, options: Options, index: int, summary: PromptSummary) -> None:
        self._sampler = Sampler(options, index, gap.prompt, summary)
        self._grammar = self._sampler.grammar
        self.events: list[int] = []
        self.notes: list[TakeNote] = []  # new ones that have ended, seconds from the gap's start
        self.on_grid: list[GridNote] = []  # the same in steps
        self._gap = gap
        pitch = np.arange(NOTE_ON.size)
        self._pitches = (pitch >= gap.low) & (pitch <= gap.high)
        self._bin = -1  # of the velocity that was said last; it must be said before the first note
        self._new: dict[int, tuple[NoteMessage, int]] = {}  # new notes that sound, with their bins, by pitch
        decoder = self._grammar.decoder
        decoder.sounding.clear()
        decoder.unheard.clear()
        dues: list[tuple[int, bool, int, int]] = []  # step, whether a kept note begins or ends, its pitch and bin
        for note in gap.kept:
            if note.start < 0:
                decoder.sounding[note.pitch] = note.start
                self._grammar.held.add(note.pitch)
            else:
                dues.append((note.start, True, note.pitch, note.bin))
            dues.append((note.end, False, note.pitch, 0))
        self._dues = deque(sorted(due for due in dues if due[0] <= gap.rings_to))
        self._take_kept()

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
        """Whether the gap is full, and no new note sounds any more."""
        return self._grammar.step >= self._gap.end and not self._new

    @property
    def is_over(self) -> bool:
        """Whether there is nothing left to sample."""
        return self.is_filled

    def next(self, logits: Logits) -> list[NoteMessage]:
        """Choose the next event by the model's logits and move on: the messages of new notes that it makes."""
        event = self._chosen(logits)
        self.events.append(event)
        if event in VELOCITY:
            self._bin = event - VELOCITY.first
        messages: list[NoteMessage] = []
        target = self._grammar.step + shift_steps(event)
        while (step := self._grammar.step) < target:
            until = min([target, *(due[0] for due in self._dues if due[0] > step)])
            messages += self._accept(time_shift(until - step), is_new=True)
            self._take_kept()
        if not shift_steps(event):
            messages += self._accept(event, is_new=True)
            self._take_kept()  # which may have waited for the end of a new note
        return messages

    def _chosen(self, logits: Logits) -> int:
        grammar, gap = self._grammar, self._gap
        step = grammar.step
        if self._dues and self._dues[0][0] <= step:
            return note_off(self._dues[0][2])  # a kept note is to begin where a new one sounds
        if step >= gap.rings_to:
            return note_off(min(self._new))
        if (forced := grammar.forced_event()) is not None:
            return forced
        grammar.rings_out = step >= gap.end
        allowed = grammar.allowed()
        allowed[: NOTE_ON.end] &= self._pitches
        allowed[VELOCITY.first : VELOCITY.end] &= allowed[: NOTE_ON.end].any()
        if self._bin < 0:
            allowed[: NOTE_ON.end] = False
        # Nothing is allowed where silence has lasted its longest, and there is no note to break it.
        event = grammar.fit(self._sampler.choose(logits, allowed)) if allowed.any() else time_shift(LONGEST_SHIFT)
        if not (by := shift_steps(event)):
            return event
        ends = [gap.rings_to if step >= gap.end else gap.end]
        ends += [due[0] for due in self._dues if due[1] and due[2] in self._new]
        return time_shift(min(by, min(ends) - step))

    def _take_kept(self) -> None:
        """Begin and end what is kept up to now; a begin waits where a new note of its pitch sounds."""
        decoder, held = self._grammar.decoder, self._grammar.held
        while self._dues and self._dues[0][0] <= self._grammar.step:
            _, is_on, pitch, its_bin = self._dues[0]
            if is_on and pitch in self._new:
                return
            self._dues.popleft()
            if is_on:
                said, decoder.velocity = decoder.velocity, from_bin(its_bin)
                self._accept(note_on(pitch), is_new=False)
                decoder.velocity = said
            elif pitch in held:
                self._accept(note_off(pitch), is_new=False)

    def _accept(self, event: int, is_new: bool) -> list[NoteMessage]:
        grammar, told = self._grammar, []
        for message in grammar.accept(event):
            self._sampler.observe(message)
            if message.velocity and not is_new:
                grammar.held.add(message.pitch)
            elif message.velocity:
                self._new[message.pitch] = message, self._bin
                told.append(message)
            elif message.pitch in self._new:
                struck, its_bin = self._new.pop(message.pitch)
                self.notes.append(TakeNote(message.pitch, struck.velocity, struck.time, message.time))
                self.on_grid.append(GridNote(struck.step, message.pitch, message.step, its_bin))
                told.append(message)
            else:
                grammar.held.discard(message.pitch)
        return told
