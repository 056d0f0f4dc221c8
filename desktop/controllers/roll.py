"""RollDisplay: keeps the piano roll showing the document, the takes that grow, and the playhead."""

from collections.abc import Callable
from math import inf

from PySide6.QtCore import QObject

from core.midi.score import TakeNote, TrackKey
from core.midi.tempo_map import TempoMap
from core.performance.fill import FillPlan
from core.session.arrangement import take_length
from core.session.edits import moved_places
from core.session.session import Session, TakeRecord, View
from desktop.controllers.document import Document
from desktop.controllers.generation import GenerationController
from desktop.controllers.roll_parts import TAKE, Look, RollParts, as_chosen, as_roll, roll_key, session_part
from desktop.controllers.transport import TransportController
from desktop.piano_roll.notes import NO_TAKE, RollNote, TakeOnView
from desktop.piano_roll.selection import Selection
from desktop.piano_roll.view import PianoRoll
from desktop.widgets.theme import Shade


class RollDisplay(QObject):
    """From document and continuation to the roll."""

    def __init__(
        self,
        roll: PianoRoll,
        parts: RollParts,
        document: Document,
        generation: GenerationController,
        transport: TransportController,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._roll, self._parts = roll, parts
        self._document, self._generation, self._transport = document, generation, transport
        self._shown: tuple[object, ...] = ()
        self._session = document.session  # as it was shown last
        self._tempo_map: TempoMap | None = None
        self._edit: Callable[[Session], Session] | None = None
        self._was_playing = False
        self._sampled = ""  # the take whose sampling head stays to be seen while it plays
        roll.selection_changed.connect(lambda: roll.set_drum_keys(self._drum_part()))

    def preview(self, edit: Callable[[Session], Session] | None) -> None:
        """Show what an edit would make of the document, whatever that becomes, until there is none."""
        self._edit = edit
        self.show_document()

    def show_document(self) -> None:
        """Show the notes, if they are others, and where the prompt lies."""
        session = self._document.session
        if self._edit is not None:
            session = self._edit(session)
        in_progress = self._generation.in_progress
        shown = (session.score, session.flags, session.takes, session.current, bool(in_progress))
        if len(self._shown) != len(shown) or any(a is not b for a, b in zip(shown, self._shown, strict=True)):
            self._shown = shown
            before, self._session = self._session, session
            chosen = as_chosen(self._roll.selection)
            if session.tempo_map is not self._tempo_map:
                self._show_tempo_map(session.tempo_map)
            playing = self._playing()
            self._roll.set_parts(self._parts.parts(session, in_progress, playing, self._generation.now_array))
            if moved := moved_places(before, session, chosen):
                places = {roll_key(part): places for part, places in moved.items()}  # some may have none any more
                self._roll.select(Selection({**self._roll.selection.indices, **places}))
            front = session.find_track(self._parts.in_front)
            self._roll.in_front = "" if front is None else roll_key(front)
            self._roll.set_drum_keys(self._drum_part())
            self._show_take(playing)
            if self._sampled and session.current != self._sampled and not in_progress:
                self._sampled = ""
                self._roll.set_sampling(None)
        self._roll.set_prompt(session.prompt_start, session.marker)
        self._roll.set_end_marker(session.end_marker or None)

    def _show_take(self, take: TakeRecord | None) -> None:
        """Show where a take ends, and let what it replaces not be drawn in."""
        tempo_map, stretch = self._session.tempo_map, self._parts.stretch
        if take is None or stretch is None:
            self._roll.set_take(NO_TAKE)
            return
        end = take.marker + take_length(take, tempo_map)
        until = inf if stretch.end is None else tempo_map.seconds(stretch.end)
        self._roll.set_take(TakeOnView(take.marker, end, frozenset(map(roll_key, stretch.tracks)), until))

    def _show_tempo_map(self, now: TempoMap) -> None:
        """Show the bars; span, loop and what is being sampled stay on their ticks."""
        before, self._tempo_map = self._tempo_map, now
        self._roll.set_tempo_map(now)
        if before is not None and before != now:
            if (span := self._roll.span) is not None:
                self._roll.set_span((before.moved(span[0], now), before.moved(span[1], now)))
            if self._roll.overlays.loop is not None:
                self._roll.set_loop(self._transport.loop)
            if (head := self._roll.overlays.sampling_head) is not None:
                sounding = self._roll.overlays.sounding
                moved = [note._replace(start=before.moved(note.start, now)) for note in sounding]
                self._roll.set_sampling(before.moved(head, now), moved)

    def _drum_part(self) -> str:
        """The part whose drums the keyboard plays; empty: it is of keys.

        That of the selected notes if they are all drums; else the track in front, or the first where all is drums.
        """
        parts = {part.key: part for part in self._roll.parts}
        chosen = [(parts[key], indices) for key, indices in self._roll.selection.indices.items() if key in parts]
        if chosen and all(part.is_drum.any() and part.is_drum[part.places(indices)].all() for part, indices in chosen):
            return chosen[0][0].key
        session = self._document.session
        if self._parts.in_front is not None and session.score is not None:
            front = session.find_track(self._parts.in_front)
            return roll_key(front) if front is not None and session.tracks[front].is_percussion else ""
        shown = [part for part in parts.values() if len(part) and part.kind != "other"]
        return shown[0].key if shown and all(part.are_drums for part in shown) else ""

    def show_replacing(self, plan: FillPlan | None) -> None:
        """The notes that are sampled anew are faint until that ends (None)."""
        self._parts.replacing = plan
        self._shown = ()
        self.show_document()

    def bring_forward(self, track: TrackKey | None) -> None:
        """Show the notes of one track in front of all others, which fade; None: all alike."""
        self._parts.in_front = track
        if track is not None:
            self._roll.send_back()
        self._shown = ()
        self.show_document()

    def _playing(self) -> TakeRecord | None:
        """The take that is shown: the current one, or what the one that grows will be."""
        session, in_progress = self._document.session, self._generation.in_progress
        if not in_progress:
            return session.current_take
        return self._generation.take_to_come

    def follow_replaced(self) -> None:
        """Another document: show all of it, no track in front of others."""
        self._parts.in_front = None
        self._shown = ()
        self._roll.clear_selection()
        self._roll.set_span(None)
        self._roll.set_sampling(None)
        self.show_document()
        self._roll.fit()

    def show_begun(self) -> None:
        """Sampling has begun."""
        self.show_document()
        growing = self._generation.in_progress[0]
        self._roll.set_sampling(self._generation.now(growing.marker + growing.head))

    def show_grown(self) -> None:
        """More of the takes is sampled."""
        session = self._document.session
        look = Look.of(session)
        for i, growing in enumerate(self._generation.in_progress):
            its = look if i else look._replace(in_front=self._parts.in_front)
            if fresh := growing.fresh():
                self._roll.append_notes(TAKE + growing.id, [self._rolled(note, growing.marker, its) for note in fresh])
        first = self._generation.in_progress[0]
        sounding = [self._rolled(note, first.marker, look) for note in first.sounding]
        self._roll.set_sampling(self._generation.now(first.marker + first.head), sounding)

    def _rolled(self, note: TakeNote, marker: float, look: Look) -> RollNote:
        """A note that was sampled, on its ticks."""
        shown, now = as_roll(note, marker, look), self._generation.now
        return shown._replace(start=now(shown.start), end=now(shown.end))

    def show_ended(self) -> None:
        """Sampling has ended."""
        self._sampled = self._document.session.current
        self._roll.set_sampling(self._roll.overlays.sampling_head if self._transport.is_playing else None)
        self.show_document()

    def show_position(self, seconds: float) -> None:
        """The playhead is at this time of the score."""
        self._roll.set_playhead(seconds)
        self._roll.set_lit_keys(self._sounding_at(seconds) if self._transport.is_playing else ())

    def show_transport(self) -> None:
        """Something plays, or nothing does any more."""
        if self._transport.is_playing and not self._was_playing:
            self._roll.catch_playhead()
        self._was_playing = self._transport.is_playing
        if not self._transport.is_playing:
            self._roll.set_lit_keys(())
            if not self._generation.is_running:
                self._roll.set_sampling(None)
        if self._transport.is_looping or self._transport.loop is None:
            self._roll.set_loop(self._transport.loop)

    def _sounding_at(self, seconds: float) -> list[int]:
        """The pitches that sound at a time, of all that is heard, as the roll shows them."""
        what, in_progress = self._transport.heard, self._generation.in_progress
        pitches: list[int] = []
        for part in self._roll.parts:
            if part.kind == "other" or part.kind == (
                "take" if what == "prompt" else "prompt" if what == "take" else ""
            ):
                continue
            places = part.between(seconds, seconds + 0.001)
            if what != "prompt":  # of which nothing is replaced
                places = places[part.shade[places] != Shade.SILENT]  # those behind others are heard
            elif session_part(part.key) not in self._document.session.audible_tracks:
                continue
            pitches += part.pitch[places].tolist()
        if in_progress and what != "prompt":
            now, marker = self._generation.now, in_progress[0].marker
            pitches += [n.pitch for n in in_progress[0].sounding if now(marker + n.start) <= seconds]
        return pitches

    # What is saved of the view

    def view(self) -> View:
        """What the roll shows now."""
        coordinates = self._roll.coordinates
        low, high = coordinates.pitches
        low, high = max(min(low, high), 0), min(max(low, high), 127)
        start = max(coordinates.seconds(0), 0.0)
        return View(start, max(self._roll.visible_seconds, 0.01), low, high, self._roll.is_to_follow)

    def show_view(self, view: View) -> None:
        """Show what was shown when the session was saved."""
        self._roll.set_follow(view.follow)
        self._roll.show_stretch(view.start, max(view.seconds, 0.01), view.low, view.high)
