"""What the transport's buttons mean. Keeps the place in the score and says what is to be played."""

from PySide6.QtCore import QObject, Signal

from core.midi.tempo_map import TempoMap
from core.performance.playback import Playback
from core.performance.song import PlaybackState, PlayRequest
from core.session.session import Session
from core.session.timeline import What, playing_range
from desktop.controllers.document import Document
from desktop.controllers.generation import GenerationController


class TransportController(QObject):
    """Play, pause, stop, return, loop, metronome; prompt, take or both."""

    changed = Signal()  # a button shows something else now
    moved = Signal(float)  # the place in the score

    def __init__(
        self,
        document: Document,
        playback: Playback,
        generation: GenerationController,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._document, self._playback, self._generation = document, playback, generation
        self.what: What = "both"
        self.position = 0.0  # score seconds
        self.loop: tuple[float, float] | None = None  # as drawn in the roll
        self.is_looping = False
        self.has_metronome = False
        self.state = PlaybackState()
        self._played: Session | None = None
        self._around: tuple[float, float] | None = None  # a stretch that is heard by itself
        self._next: Session | None = None  # what follows at the next turn
        self._goes_on = False  # what plays besides once that ends
        self._is_on = False  # something was started and has neither ended nor been stopped
        self._tempo_map = document.session.tempo_map  # whose seconds `position` and `loop` are

    # What the user wants

    @property
    def is_playing(self) -> bool:
        """Whether it plays, or is about to."""
        return self._is_on and not self._playback.is_paused

    @property
    def is_paused(self) -> bool:
        """Whether it stands still because the user has paused it."""
        return self._is_on and self._playback.is_paused

    @property
    def is_sampling(self) -> bool:
        """Whether what plays, or will, is being sampled."""
        return self._generation.is_running

    @property
    def range(self) -> tuple[float, float]:
        """From where to where there is something to play, in score seconds."""
        return playing_range(self._document.session, self.what)

    @property
    def heard(self) -> What:
        """What of prompt and take is heard, or would be."""
        return self.what if self._around is None else "both"

    def toggle(self) -> None:
        """Play from here, or stand still."""
        if self.is_playing:
            self._playback.pause()
        elif self.is_paused and self._generation.is_running:
            self._playback.resume()
        elif self._around is not None and self._played is not None:
            self._go_on_around(self._played, *self._around)
        else:
            self.play(self.position)
        self.changed.emit()

    def play(self, at: float) -> None:
        """Play from a place on; from the beginning if nothing lies behind it."""
        session = self._document.session
        start, end = playing_range(session, self.what)
        if end <= start:
            return
        if at >= end - 0.01 or at < start:
            at = start
        self._forget_around()
        self._begin(session, at)

    def _begin(self, session: Session, at: float) -> None:
        self._played, self._is_on, self.position = session, True, at
        self._playback.play(self._request(session, at))
        self.moved.emit(at)
        self.changed.emit()

    def play_take(self, take_id: str) -> None:
        """Play a take from its beginning."""
        session = self._document.session
        take = session.take(take_id)
        if session.current != take_id:
            self._document.amend(session.select_take(take_id))
        if self.what == "prompt":
            self.what = "both"
        self.play(take.marker)

    def play_around(self, session: Session, stretch: tuple[float, float]) -> None:
        """Play a stretch of a session from its beginning, again and again: all that is in it.

        The user's loop, and the choice of prompt or take, stand aside until that ends.
        """
        self._put_around(stretch)
        self._begin(session, stretch[0])

    def put_around(self, session: Session, stretch: tuple[float, float]) -> None:
        """Put a stretch of a session in place to be looped once the user goes on: now nothing plays."""
        self._put_around(stretch)
        self._playback.stop()
        self._played, self._is_on, self.position = session, False, stretch[0]
        self.moved.emit(self.position)
        self.changed.emit()

    def _put_around(self, stretch: tuple[float, float]) -> None:
        if self._around is None:
            self._goes_on = self.is_playing
        self._around, self._next = stretch, None

    def _go_on_around(self, session: Session, start: float, end: float) -> None:
        """Go on with the stretch that is heard by itself, from where it stood still."""
        self._begin(session, self.position if start <= self.position < end else start)
        if self._next is not None:
            self._playback.turn_to(self._request(self._next, self.position))

    def turn_to(self, session: Session) -> None:
        """From the next time that the loop starts over, play this session."""
        self._next = session
        if self.is_playing:
            self._playback.turn_to(self._request(session, self.position))

    def go_on_with(self, session: Session, since: float = 0.0) -> None:
        """What plays goes on as this session has it; before `since` (score seconds) that has nothing new."""
        if self.is_playing and not self._playback.has_live_take:
            self._played = session
            self._playback.refresh(self._request(session, self.position), since)

    def end_around(self, goes_on: bool = True) -> None:
        """End `play_around`, if it goes on. Where it plays, what played before `goes_on` from here; else silence."""
        if self._around is not None:
            goes_on = goes_on and self._goes_on and self.is_playing
            self._forget_around()
            self._playback.stop()
            self._is_on = False
            self._follow_tempo(self._document.session.tempo_map)
            if goes_on:
                self.play(self.position)
            self.changed.emit()

    def _forget_around(self) -> None:
        self._around, self._next = None, None

    def stop(self) -> None:
        """Stop model and sound."""
        self._forget_around()
        self._generation.stop()
        self._playback.stop()
        self._is_on = False
        self.changed.emit()

    def panic(self) -> None:
        """Silence everything."""
        self._forget_around()
        self._generation.stop()
        self._playback.panic()
        self._is_on = False
        self.changed.emit()

    def go_to(self, at: float) -> None:
        """Put the playhead there; what plays goes on from there."""
        self.position = max(at, 0.0)
        if self._playback.has_live_take and self.is_playing:
            self._playback.seek_in_song(_moved(self.position, self._tempo_map, self._map_heard))
        elif self.is_playing:
            self.play(self.position)
        elif not self._generation.is_running:
            self._forget_pause()
        self.moved.emit(self.position)

    def return_to_start(self) -> None:
        """Back to the beginning, of the loop if there is one."""
        start = playing_range(self._document.session, self.what)[0]
        self.go_to(self.loop[0] if self.is_looping and self.loop else start)

    def set_what(self, what: What) -> None:
        """Play prompt, take or both."""
        if what != self.what:
            self.what = what
            if self.is_playing and not self._playback.has_live_take:
                self.play(self.position)
            self.changed.emit()

    def set_loop(self, loop: tuple[float, float] | None) -> None:
        """The stretch to loop, drawn or cleared; drawing one switches looping on."""
        self.loop = loop
        self.set_looping(loop is not None)

    def set_looping(self, is_looping: bool) -> None:
        """Play the loop again and again, or not. Without a stretch: all there is."""
        if is_looping and self.loop is None:
            start, end = playing_range(self._document.session, self.what)
            self.loop = (start, end) if end > start else None
        self.is_looping = is_looping and self.loop is not None
        if self.is_playing and not self._playback.has_live_take:
            self.play(self.position)
        self.changed.emit()

    def set_metronome(self, has_metronome: bool) -> None:
        """Click along, or not; a take that is being sampled keeps what it began with."""
        self.has_metronome = self._generation.has_metronome = has_metronome
        self._refresh()
        self.changed.emit()

    def reset(self) -> None:
        """Another document: silence, back to its beginning."""
        self._forget_around()
        self._playback.stop()
        self._is_on = False
        self.loop = None
        self.is_looping = False
        self.position = 0.0
        self._tempo_map = self._document.session.tempo_map
        self.moved.emit(0.0)
        self.changed.emit()

    def reopened(self) -> None:
        """Another output was opened, which may want programs and channel of its own: play anew from here."""
        if self.is_playing and not self._playback.has_live_take and self.state.position is not None:
            self.play(self.position)

    # What happens

    def poll(self) -> None:
        """Once a frame: where the sound is."""
        self.state = self._playback.poll()
        if not self._is_on:
            return
        self._played = self.state.session or self._played
        position = self.state.position
        if position is not None:
            position = _moved(position, self._map_heard, self._tempo_map)
        if position is not None and not self._playback.is_paused and position != self.position:
            self.position = position
            self.moved.emit(position)
        if self.state.has_ended and not self._generation.is_running:
            self._playback.stop()
            self._is_on = False
            self.changed.emit()

    def follow_running(self, is_running: bool) -> None:
        """Sampling has begun or ended."""
        if is_running:
            self._is_on = True
            self._played = self._document.session
            self._forget_around()  # the take plays
            if self.what == "prompt":
                self.what = "both"
        self.changed.emit()

    def follow_document(self) -> None:
        """What plays was edited, muted, undone: go on with what it is now."""
        session = self._document.session
        self._follow_tempo(session.tempo_map)
        played = self._played
        if played is None or not self.is_playing:
            return
        if (session.score, session.flags, session.current_take) != (played.score, played.flags, played.current_take):
            self._refresh()

    @property
    def _map_heard(self) -> TempoMap:
        """In whose seconds what plays counts: a take that is being sampled keeps to those that it began in."""
        return self._tempo_map if self._played is None else self._played.tempo_map

    def _follow_tempo(self, now: TempoMap) -> None:
        """Loop and playhead stay on their ticks where the tempo was changed, and what plays goes on from there."""
        before, self._tempo_map = self._tempo_map, now
        if now is before or now == before:
            return
        if self.loop is not None:
            self.loop = before.moved(self.loop[0], now), before.moved(self.loop[1], now)
        self.position = before.moved(self.position, now)
        self.moved.emit(self.position)
        if self.is_playing and not self._playback.has_live_take:
            self.play(self.position)
        self.changed.emit()

    def _refresh(self) -> None:
        if self.is_playing and not self._playback.has_live_take and not self._generation.is_running:
            if self._map_heard != self._tempo_map:  # of a take that is sampled by now, and was begun at another tempo
                self.play(self.position)
                return
            self._played = self._document.session
            self._playback.refresh(self._request(self._played, self.position))

    def _request(self, session: Session, at: float) -> PlayRequest:
        loop = self.loop if self.is_looping else None
        if self._around is not None:
            loop = self._around
        return PlayRequest(session, self.heard, at, loop, self.has_metronome)

    def _forget_pause(self) -> None:
        if self._playback.is_paused:
            self._forget_around()
            self._playback.stop()
            self._is_on = False
            self.changed.emit()


def _moved(seconds: float, before: TempoMap, now: TempoMap) -> float:
    """When what is at a time comes in another map, in which it stays on its tick; in the same one at the very same."""
    return seconds if now is before or now == before else before.moved(seconds, now)
