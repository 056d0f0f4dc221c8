"""Notes -> events and events -> notes, side by side, for whole sequences and one event at a time.

Every event lies on one absolute grid of 10 ms steps, so a piece cannot drift: an onset is off by
5 ms at most, however long the piece. The sustain pedal is folded into the note-offs. Prompts that lie on
the grid of a metre may be scaled to it; their steps are then a little longer or shorter (core.codec.steps).
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from statistics import median_low
from typing import Literal, NamedTuple

from core.codec.steps import PLAIN, Steps, gridded_steps
from core.codec.vocabulary import (
    BOUNDARY,
    LONGEST_SHIFT,
    NOTE_OFF,
    NOTE_ON,
    STEPS_PER_SECOND,
    VELOCITY,
    from_bin,
    note_off,
    note_on,
    shift_steps,
    time_shift,
    to_bin,
    to_step,
    velocity,
)
from core.midi.grid import Grid
from core.midi.score import Score, TakeNote, Track, TrackKey

DEFAULT_VELOCITY = from_bin(16)  # before any velocity event: mezzo forte
LONGEST_PEDAL = 5.0  # seconds that the pedal holds a note past its key release
LONG_REST, SHORT_REST = 8.0, 2.0  # seconds without a sound in a prompt that are too many, and how many are told
LONGEST_PAUSE = 3600  # seconds without an event; a damaged file's can last for years, and fill all memory
MOST_NOTES = 25_000  # of a prompt, its last ones: as two events each they fill the window of any model (49,152 events)
_FEWEST_NOTES = 8  # of a prompt: with fewer it cannot be told whether it is flat

Touch = Callable[[int, int, int], int]  # (step, pitch, MIDI velocity that the events say) -> the one that is played


@dataclass(frozen=True, slots=True)
class Conventions:
    """What differs between models that share the ids.

    `velocity`: a velocity event only on "change" of its bin (ours), or before "each" note-on (the
    book's). `starts_with_boundary`: whether a boundary stands before a piece's first event.
    """

    velocity: Literal["change", "each"] = "change"
    starts_with_boundary: bool = True


class GridNote(NamedTuple):
    """A note on the grid: steps, pitch and velocity bin; `end` > `start`, the pedal folded in."""

    start: int
    pitch: int
    end: int
    bin: int


def grid_notes(
    tracks: Iterable[Track],
    *,
    origin: float = 0.0,
    start: float | None = None,
    end: float | None = None,
    rate: float = STEPS_PER_SECOND,
) -> list[GridNote]:
    """The notes of several tracks, as one piano, on the grid; sorted by start, then pitch.

    Step 0 is at `origin` seconds, and `rate` of them go into a second. Notes whose onset lies before `start`
    or not before `end` are left out; what still sounds at `end` goes on. Percussion is left out.
    Of notes with one pitch and one onset step the louder velocity and the later end count; a re-strike
    ends the note that sounds.
    """
    stretch = rate / STEPS_PER_SECOND
    last_step = None if end is None else to_step((end - origin) * stretch)
    struck: dict[tuple[int, int], tuple[int, int]] = {}  # (step, pitch) -> (velocity, end step)
    for track in tracks:
        if track.is_percussion:
            continue
        first_pedal = 0
        chosen = [n for n in track.notes if (start is None or n.start >= start) and (end is None or n.start < end)]
        for note in sorted(chosen, key=lambda n: n.end):
            # Notes come by rising key release, so pedals that are over stay over.
            while first_pedal < len(track.pedals) and track.pedals[first_pedal].end <= note.end:
                first_pedal += 1
            onset = to_step((note.start - origin) * stretch)
            silent = note.end
            if first_pedal < len(track.pedals) and track.pedals[first_pedal].start <= note.end:
                silent = min(track.pedals[first_pedal].end, note.end + LONGEST_PEDAL)
            release = to_step((silent - origin) * stretch)
            if last_step is not None:
                onset = min(onset, last_step - 1)
            louder, later = struck.get((onset, note.pitch), (0, 0))
            struck[onset, note.pitch] = (max(louder, note.velocity), max(later, release, onset + 1))
    next_onset: dict[int, int] = {}  # by pitch
    notes = []
    for (onset, pitch), (loudness, release) in sorted(struck.items(), reverse=True):
        release = min(release, next_onset.get(pitch, release))
        next_onset[pitch] = onset
        notes.append(GridNote(onset, pitch, release, to_bin(loudness)))
    notes.reverse()
    return notes


def encode_grid(
    notes: Iterable[GridNote],
    conventions: Conventions = Conventions(),
    *,
    starts_piece: bool = True,
    until: int | None = None,
    seam: int | None = None,
) -> list[int]:
    """Events of grid notes (as `grid_notes` makes them), time counted from step 0.

    Within a step: note-offs, then note-ons, by ascending pitch. `starts_piece` puts the boundary in
    front if the model wants one. The events end at step `until`, if it is given: what sounds longer stays open. Of
    notes that begin before step 0 there is only the end. No time shift leads over the step `seam`, if it is given.
    """
    by_step: dict[int, tuple[list[int], list[GridNote]]] = defaultdict(lambda: ([], []))
    if seam is not None:
        by_step[seam] = [], []
    for note in notes:
        if note.start >= 0:
            by_step[note.start][1].append(note)
        if until is None or note.end <= until:
            by_step[note.end][0].append(note.pitch)
    events = [BOUNDARY] if starts_piece and conventions.starts_with_boundary else []
    now = 0
    last_bin = None
    for step in sorted(by_step):
        offs, ons = by_step[step]
        events += _shifts(step - now)
        now = step
        events += [note_off(pitch) for pitch in sorted(offs)]
        for note in sorted(ons, key=lambda n: n.pitch):
            if note.bin != last_bin or conventions.velocity == "each":
                events.append(velocity(note.bin))
                last_bin = note.bin
            events.append(note_on(note.pitch))
    return events if until is None else events + _shifts(until - now)


def _shifts(steps: int) -> list[int]:
    """Time shifts that add up to `steps` (none if it is not positive): whole seconds, then the rest.

    From LONGEST_PAUSE on more would tell nothing: no model looks back over that many.
    """
    if steps <= 0:
        return []
    seconds, rest = divmod(steps, LONGEST_SHIFT)
    return [time_shift(LONGEST_SHIFT)] * min(seconds, LONGEST_PAUSE) + ([time_shift(rest)] if rest else [])


def encode(score: Score, conventions: Conventions = Conventions()) -> list[int]:
    """Events of a whole score, percussion left out, from second 0 on."""
    return encode_grid(grid_notes(score.tracks), conventions)


@dataclass(frozen=True, slots=True)
class Prompt:
    """What a model is asked to continue: `events`, which end at `marker` seconds of the score.

    A take goes on in `steps`, seconds counted from the marker. `velocity` is the prompt's median MIDI velocity;
    a flat prompt, which has no more velocities than tracks, has them in `levels`. `sounding` are the notes that
    sound across the marker, which the events leave open: pitch and onset, in steps from the marker (below 0).
    """

    events: tuple[int, ...]
    marker: float
    steps: Steps = PLAIN
    velocity: int = DEFAULT_VELOCITY
    levels: tuple[int, ...] = ()
    sounding: tuple[tuple[int, int], ...] = ()


def encode_prompt(
    tracks: Sequence[Track],
    marker: float,
    conventions: Conventions,
    start: float | None = None,
    grid: Grid | None = None,
) -> Prompt:
    """The prompt from `start` to `marker` (seconds; default start: the first note), scaled to `grid` if there is one.

    The steps are laid so that one falls on the marker: a take's time 0 is the marker exactly. With a grid they
    are laid so that its lines are whole steps, and the prompt ends at the first step from the marker on.
    Long rests are told as short ones: they would count into all that is counted of a prompt. Lead-in silence is left
    out, and what comes before the last MOST_NOTES. Notes held across the marker stay open. The boundary stands in
    front only if no note comes before.
    """
    steps = gridded_steps(grid, marker) if grid else PLAIN
    onsets = [note.start for track in tracks if not track.is_percussion for note in track.notes]
    in_prompt = [t for t in onsets if t < marker and (start is None or t >= start)]
    if not in_prompt:
        return Prompt((BOUNDARY,) if conventions.starts_with_boundary else (), marker, steps)
    first = sorted(in_prompt)[-MOST_NOTES:][0]
    end = marker + steps.offset
    length = steps.span(end - first)
    origin = end - length / steps.rate
    notes = [
        # Rounding may put the very first onset half a step before the origin.
        note if note.start >= 0 else note._replace(start=0, end=max(note.end, 1))
        for note in grid_notes(tracks, origin=origin, start=first, end=marker, rate=steps.rate)
    ]
    notes, length = _without_long_rests(notes, length, len(steps.lines) or 1, steps)
    events = encode_grid(notes, conventions, starts_piece=first <= min(onsets), until=length)
    sounding = tuple((note.pitch, note.start - length) for note in notes if note.end > length)
    return Prompt(tuple(events), marker, steps, *_velocities(tracks, first, marker), sounding)


def _without_long_rests(notes: Sequence[GridNote], until: int, unit: int, steps: Steps) -> tuple[list[GridNote], int]:
    """The notes with every rest over LONG_REST, the last before step `until` too, shortened to SHORT_REST.

    Whole `unit`s of steps are left out, so that notes stay on the lines they lie on.
    """
    longest, kept = steps.span(LONG_REST), steps.span(SHORT_REST)
    shortened: list[GridNote] = []
    gone = silent = 0
    for note in notes:
        if note.start - silent > longest and shortened:
            gone += (note.start - silent - kept) // unit * unit
        silent = max(silent, note.end)
        shortened.append(note._replace(start=note.start - gone, end=note.end - gone))
    if until - silent > longest:
        gone += (until - silent - kept) // unit * unit
    return shortened, until - gone


def _velocities(tracks: Sequence[Track], start: float, end: float) -> tuple[int, tuple[int, ...]]:
    """The median velocity of the notes from `start` to before `end`, and all there are if they are flat."""
    by_track = [
        [note.velocity for note in track.notes if start <= note.start < end]
        for track in tracks
        if not track.is_percussion
    ]
    all_of_them = [velocity for some in by_track for velocity in some]
    levels = set(all_of_them)
    is_flat = len(levels) <= sum(map(bool, by_track)) and len(all_of_them) >= _FEWEST_NOTES
    return median_low(all_of_them), tuple(sorted(levels)) if is_flat else ()


class NoteMessage(NamedTuple):
    """A note-on, or with velocity 0 a note-off, at a step and at `time`, seconds from where the sequence is placed.

    `track` is the key of the track that it was given to, if it was (see `Track.key`).
    """

    step: int
    pitch: int
    velocity: int
    time: float
    track: TrackKey | None = None


class StreamingDecoder:
    """Turns each event into note messages the moment it comes, and knows which notes sound.

    Any sequence gives a playable stream: a note-on for a sounding pitch ends that note first, a
    note-off for a silent one does nothing, no note is shorter than a step. Messages come in order of time.

    `unheard` are notes that sound from before, pitch and onset step: their ends make no message.
    """

    def __init__(
        self,
        velocity: int = DEFAULT_VELOCITY,
        steps: Steps = PLAIN,
        touch: Touch | None = None,
        unheard: Iterable[tuple[int, int]] = (),
    ) -> None:
        self.step = 0
        self.steps = steps
        self._touch = touch
        self.sounding: dict[int, int] = dict(unheard)  # pitch -> onset step
        self.unheard = set(self.sounding)
        self.velocity = velocity  # MIDI velocity, 1 to 127, that the events have set
        self._short: set[int] = set()  # pitches let go in the step they were struck: to end a step later

    @property
    def time(self) -> float:
        """Seconds of the step that it has come to."""
        return self.steps.seconds(self.step)

    @property
    def is_silent(self) -> bool:
        """Whether nothing is heard."""
        return len(self.sounding) == len(self.unheard)

    def feed(self, event: int) -> list[NoteMessage]:
        """The messages that this event makes; boundary and padding make none."""
        if event in NOTE_ON:
            return self._strike(event - NOTE_ON.first)
        if event in NOTE_OFF:
            return self._release(event - NOTE_OFF.first)
        if steps := shift_steps(event):
            return self._shift(steps)
        if event in VELOCITY:
            self.velocity = from_bin(event - VELOCITY.first)
        return []

    def close(self) -> list[NoteMessage]:
        """Note-offs for all that sounds, now (a step later for what was struck just now)."""
        messages = []
        for pitch, onset in sorted(self.sounding.items(), key=lambda item: (max(item[1] + 1, self.step), item[0])):
            messages += self._end(max(onset + 1, self.step), pitch)
        self.sounding.clear()
        self._short.clear()
        return messages

    def _strike(self, pitch: int) -> list[NoteMessage]:
        onset = self.sounding.get(pitch)
        if onset == self.step:  # struck twice in one step: one note, held
            self._short.discard(pitch)
            return []
        self.sounding[pitch] = self.step
        release = [] if onset is None else self._end(self.step, pitch)
        velocity = self._touch(self.step, pitch, self.velocity) if self._touch else self.velocity
        return [*release, self._message(self.step, pitch, velocity)]

    def _release(self, pitch: int) -> list[NoteMessage]:
        onset = self.sounding.get(pitch)
        if onset is None:
            return []
        if onset == self.step:
            self._short.add(pitch)
            return []
        del self.sounding[pitch]
        return self._end(self.step, pitch)

    def _shift(self, steps: int) -> list[NoteMessage]:
        messages = []
        if self._short:
            messages = [self._message(self.step + 1, pitch, 0) for pitch in sorted(self._short)]
            for pitch in self._short:
                del self.sounding[pitch]
            self._short.clear()
        self.step += steps
        return messages

    def _end(self, step: int, pitch: int) -> list[NoteMessage]:
        if pitch in self.unheard:
            self.unheard.remove(pitch)
            return []
        return [self._message(step, pitch, 0)]

    def _message(self, step: int, pitch: int, velocity: int) -> NoteMessage:
        return NoteMessage(step, pitch, velocity, self.steps.seconds(step))


def decode(
    events: Iterable[int], velocity: int = DEFAULT_VELOCITY, steps: Steps = PLAIN, touch: Touch | None = None
) -> list[TakeNote]:
    """The notes of a whole sequence, in order of onset, seconds from its start; open ends are closed.

    `velocity` is the MIDI velocity of notes before the first velocity event.
    """
    open_notes: dict[int, NoteMessage] = {}
    notes = []
    for message in _messages(events, StreamingDecoder(velocity, steps, touch)):
        struck = open_notes.pop(message.pitch, None)
        if struck:
            notes.append(TakeNote(struck.pitch, struck.velocity, struck.time, message.time))
        if message.velocity:
            open_notes[message.pitch] = message
    return sorted(notes, key=lambda n: (n.start, n.pitch))


def _messages(events: Iterable[int], decoder: StreamingDecoder) -> Iterator[NoteMessage]:
    for event in events:
        yield from decoder.feed(event)
    yield from decoder.close()
