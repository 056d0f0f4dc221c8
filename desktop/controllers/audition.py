"""Audition: notes that are clicked, drawn, dragged or transposed sound, and so do the keys beside the roll."""

from PySide6.QtCore import QObject, QTimer

from core.midi.messages import PROGRAM
from core.midi.ports import wire_channels
from core.midi.score import Note, TakeNote
from core.midi.write import take_voice
from core.performance.playback import Playback
from core.session.edits import Part, note_at
from desktop.controllers.document import Document
from desktop.controllers.roll_parts import RollParts, session_part, session_ref
from desktop.controllers.transport import TransportController
from desktop.piano_roll.notes import NoteRef
from desktop.piano_roll.view import PianoRoll

KEY_VELOCITY = 80  # of the keyboard beside the roll
TAP = 200  # ms that transposed notes sound


class Audition(QObject):
    """Each note sounds as its track or take does."""

    def __init__(
        self,
        document: Document,
        transport: TransportController,
        playback: Playback,
        roll: PianoRoll,
        parts: RollParts,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._document, self._transport, self._playback = document, transport, playback
        self._roll, self._parts = roll, parts
        self._pressed: dict[NoteRef | int, list[tuple[int, int]]] = {}  # what is held down: pitches and channels
        self.hears_edits = True  # notes that are clicked, drawn, dragged or transposed sound
        self._tapped: list[int] = []  # pitches that sound for a moment
        self._tap_timer = QTimer(self, singleShot=True, interval=TAP)
        self._tap_timer.timeout.connect(self._end_tap)

    def press_note(self, ref: NoteRef) -> None:
        """Sound a note of the roll, in the voice of its track or take."""
        at = session_ref(ref)
        note = note_at(self._document.session, at)
        if note is not None and self.hears_edits:
            self._press(ref, note.pitch, note.velocity, *self._voice(self._sounding_part(at.part, note)))

    def press_pitch(self, whose: NoteRef | str, pitch: int) -> None:
        """Sound a pitch as a note of the roll, or what is drawn in a part of it, would, until `release` of it."""
        part = session_part(whose if isinstance(whose, str) else whose.part)
        if self.hears_edits and self._has(part):
            note = None if isinstance(whose, str) else note_at(self._document.session, session_ref(whose))
            self._press(pitch, pitch, KEY_VELOCITY, *self._voice(self._sounding_part(part, note)))

    def press_key(self, pitch: int) -> None:
        """Sound a key of the keyboard; where that is of drums, the drum."""
        if (key := self._roll.drum_part) and self._has(session_part(key)):
            self._press(pitch, pitch, KEY_VELOCITY, *self._voice(session_part(key)))
        else:
            self._press(pitch, pitch, KEY_VELOCITY, 0, ())

    def tap(self, notes: list[tuple[NoteRef | str, int]]) -> None:
        """Sound pitches, each as a note or a part of the roll would, for a moment."""
        self._end_tap()
        for whose, pitch in notes:
            self.press_pitch(whose, pitch)
            self._tapped.append(pitch)
        self._tap_timer.start()

    def _end_tap(self) -> None:
        tapped, self._tapped = self._tapped, []
        for pitch in tapped:
            self.release(pitch)

    def _has(self, part: Part) -> bool:
        """Whether a part is there: a take that still grows is not."""
        return not isinstance(part, str) or self._document.session.find_take(part) is not None

    def _sounding_part(self, part: Part, note: Note | TakeNote | None) -> Part:
        """The part whose voice a note has, or one that is drawn: where it plays on a track, that track."""
        key = getattr(note, "track", None)
        if note is None and isinstance(part, str):
            key = self._parts.in_front  # as `Editing.draw`
        track = self._document.session.find_track(key)
        return part if track is None else track

    def _voice(self, part: Part) -> tuple[int, tuple[bytes, ...]]:
        """Channel of a part, and what gives it its sound; nothing while it plays, as the score sees to that."""
        session = self._document.session
        if isinstance(part, str):
            voice = take_voice(session.score, session.prompt_indices, session.take(part).marker)
            channel, setup = voice.channel, voice.setup
        else:
            assert session.score is not None  # or there would be no such part
            track = session.tracks[part]
            channel = wire_channels(session.score)[track.place]
            setup = () if track.is_percussion else (bytes((PROGRAM | channel, track.program)),)
        return channel, () if self._transport.is_playing else tuple(setup)

    def _press(self, key: NoteRef | int, pitch: int, velocity: int, channel: int, setup: tuple[bytes, ...]) -> None:
        self._pressed.setdefault(key, []).append((pitch, channel))
        self._playback.note(pitch, velocity, channel, setup)

    def release(self, key: NoteRef | int) -> None:
        """End what was pressed."""
        for pitch, channel in self._pressed.pop(key, ()):
            self._playback.note(pitch, 0, channel)
