"""PlayerHub: the one door to the sound. A Qt wrapper around `core.live.Player`.

Opening an output, laying out a score and listing ports take long and happen on the hub's own thread;
commands that must be obeyed at once (stop, a note, a sampled event) go straight to the player. When the
player process dies, a new one takes up the song where the old one left it.
"""

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal

from core.errors import ContinuoError
from core.live.outputs import BuiltInSynth, ExistingPort, NoOutput, OutputChoice, PortInfo, VirtualPort, list_ports
from core.live.player import CHUNK, Player
from core.live.rtmidi_output import choose_port
from core.live.scheduler import Message, PlayerStatus
from core.session.playback import playing_range, timeline
from core.session.session import LATEST
from desktop.adapters.song import Clicks, News, PlayRequest, Song, TakeStart, possible_loop, shifted, wire
from desktop.adapters.standing_port import StandingPort
from desktop.logs import sentence_for

LOOK_FOR_PORTS = 3000  # ms between looks at which ports there are
FIRST_LOOK = 500  # ms from the opening of an output, which is more urgent, to the next look
LOOP_IN_HAND = 4.0  # seconds of a loop that are always handed over
START_CUSHION = 0.1  # seconds of a take in hand before it sounds, if the model is fast enough
SPLICE = 0.25  # seconds ahead of the playhead where what plays is replaced by something newer


class PlayerHub(QObject):
    """Plays to the output chosen, whatever happens to it."""

    opened = Signal(str)  # where the sound goes now
    said = Signal(str)  # a sentence: the output or the player was lost, or is back
    ports_changed = Signal(object)  # tuple[PortInfo, ...]

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.choice: OutputChoice = NoOutput()
        self.channel: int | None = None  # what external ports get everything but percussion on
        self.programs = False  # whether external ports get program changes
        self.ports: tuple[PortInfo, ...] = ()
        self._has_midi = False
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="continuo-sound")
        self._busy = 0  # tasks handed to the thread and not done
        self._lock = threading.RLock()
        self._player: Player | None = None
        self._port = StandingPort()  # on the hub's thread
        self._is_silent = False  # playing to nothing because what was chosen cannot be had
        self._song: Song | None = None
        self._live: tuple[Song, TakeStart, Clicks | None] | None = None
        self._live_begun = threading.Event()
        self._is_paused = False
        self._serial = 0  # of the newest wish to play, so that an older one is dropped
        self._position = 0.0  # song seconds, last seen
        self._seen: tuple[PlayerStatus, float] = (PlayerStatus(), 0.0)
        self._closed = False
        self._ports_timer = QTimer(self)
        self._ports_timer.timeout.connect(self.look_for_ports)

    # The output

    def open(self, choice: OutputChoice) -> None:
        """Play to this output from now on; it is opened off this thread."""
        self.choice = choice
        self._do(self._open, choice)
        self._ports_timer.start(FIRST_LOOK)

    def look_for_ports(self) -> None:
        """Find out which ports there are, unless the thread is busy."""
        self._ports_timer.setInterval(LOOK_FOR_PORTS)
        if not self._busy:
            self._do(self._look_for_ports)

    def try_again(self) -> None:
        """The synth was chosen and had no audio device, and nothing plays: there may be one now."""
        if self._is_silent and self._song is None and isinstance(self.choice, BuiltInSynth) and not self._busy:
            self._do(self._open, self.choice, True)

    @property
    def description(self) -> str:
        """Where the sound goes, in words."""
        return self._player.description if self._player is not None else ""

    def is_connected(self) -> bool | None:
        """Whether anything listens to the output; None if nobody can tell."""
        player = self._player
        return player.status().connected if player is not None and not self._is_silent else False

    def status(self) -> PlayerStatus:
        """What the player itself says, its figures included; of a player that is not there, nothing."""
        player = self._player
        return player.status() if player is not None else PlayerStatus()

    # Playing what there is

    def play(self, request: PlayRequest) -> None:
        """Play from a place on, whatever played before."""
        with self._lock:
            self._serial += 1
            serial = self._serial
            self._live = None
            self._is_paused = False
            self._position = request.at
            self._song = Song(request.at, possible_loop(request.loop))
            self._command(lambda player: player.stop())
        self._do(self._play, request, self._song, serial)

    def refresh(self, request: PlayRequest) -> None:
        """Something has changed while it plays: go on with the new, without a gap. Not for a take being sampled."""
        with self._lock:
            song = self._song
            if song is None or song.is_sampled or self._is_paused:
                return
        if song.loop or request.loop:
            self.play(request)
        else:
            self._do(self._splice, request, song)

    def play_messages(self, messages: Sequence[Message]) -> None:
        """Play a few messages, seconds from now, such as those of the sound check."""
        end = messages[-1][0] if messages else 0.0
        with self._lock:
            self._serial += 1
            self._live = None
            self._is_paused = False
            song = self._song = Song(0.0, expected=end, is_audition=True)
            song.add(messages, end)
            song.end = end
            self._command(lambda player: self._start(player, song, 0.0))

    def pause(self) -> None:
        """Stand still; `resume` goes on."""
        with self._lock:
            self._is_paused = True
            self._command(lambda player: player.stop())

    def resume(self) -> None:
        """Go on from where `pause` stood still."""
        with self._lock:
            self._is_paused = False
            self._command(lambda player: player.resume())

    def stop(self) -> None:
        """Silence, and forget what played."""
        with self._lock:
            self._serial += 1
            self._live = None
            self._is_paused = False
            self._song = None
            self._live_begun.set()  # nobody waits for a take that nobody hears
            self._command(lambda player: player.stop())

    def panic(self) -> None:
        """Silence everything, on all channels, used or not."""
        self.stop()
        with self._lock:
            self._command(lambda player: player.panic())

    def note(self, pitch: int, velocity: int, channel: int = 0, setup: Sequence[bytes] = ()) -> None:
        """Sound a note at once, its channel set up before; with velocity 0 end it."""
        with self._lock:
            for message in (*self._wanted(setup), wire(self._redirected(channel), pitch, velocity)):
                self._command(lambda player, message=message: player.send_now(message))

    # Playing a take while it is sampled

    def begin_take(self, take: TakeStart) -> None:
        """Make ready for `feed_step`: join at the marker what plays before it, else start there."""
        self._live_begun.clear()
        # Laying out a large score may still be under way: then the take comes after it.
        if self._busy:
            self._do(self._begin_take, take)
        else:
            self._begin_take(take)

    def feed_step(self, messages: Sequence[tuple[float, int, int]], head: float) -> None:
        """(seconds, pitch, velocity) of a sampled event, and how far the take is sampled. From the worker's thread."""
        self._live_begun.wait()
        with self._lock:
            if self._live is None or self._live[0] is not self._song:
                return
            song, take, clicks = self._live
            channel = self._redirected(take.voice.channel)
            wires = [(take.marker + at, wire(channel, pitch, velocity)) for at, pitch, velocity in messages]
            if clicks is not None and (due := clicks.until(take.marker + head)):
                wires = sorted([*wires, *due], key=lambda message: message[0])
            song.add(wires, take.marker + head)
            self._command(lambda player: player.feed(wires, song.head))

    def finish_take(self, seconds: float) -> None:
        """The take is sampled and lasts so long."""
        self._live_begun.wait()
        with self._lock:
            if self._live is None or self._live[0] is not self._song:
                return
            song, take, _ = self._live
            self._live = None
            song.is_sampled = False
            end = song.end = song.head = take.marker + seconds
            self._command(lambda player: player.finish(end))

    def seek_in_song(self, at: float) -> None:
        """Go to another place of a take that is being sampled, as far as there is any."""
        with self._lock:
            song = self._song
            if song is not None:
                self._position = min(max(at, song.start), max(song.head - 0.05, song.start))
                self._is_paused = False
                self._command(lambda player: self._start(player, song, self._position))

    # News

    def news(self) -> News:
        """What goes on, for one frame of the screen."""
        with self._lock:
            player, song = self._player, self._song
            if player is None or song is None:
                is_waiting = song is not None and not self._is_paused
                return News(is_waiting, is_waiting, song.score_time(self._position) if song else None)
            status = player.status()
            if status.problem:
                self._lose(player, status.problem)
                return News(True, True, song.score_time(self._position))
            now = time.perf_counter()
            if status is not self._seen[0]:
                self._seen = status, now
            if not player.is_settled or (song.end is None and not song.is_sampled and not song.messages):
                return News(not self._is_paused, True, self._shown(song, self._position))
            position = status.position
            if status.state == "playing":  # statuses come 20 times a second, frames 60 times
                position = min(position + now - self._seen[1], max(status.head, position))
            self._position = position
            if song.loop and song.head - position < LOOP_IN_HAND and not self._busy:
                self._do(self._top_up, song)
            has_ended = status.state == "ended" and song.end is not None
            return News(
                is_playing=status.state in ("playing", "waiting", "holding"),
                is_waiting=status.state in ("waiting", "holding"),
                position=self._shown(song, position),
                ahead=max(song.head - position, 0.0) if song.is_sampled else None,
                underruns=status.underruns,
                has_ended=has_ended,
            )

    @property
    def is_paused(self) -> bool:
        """Whether something stands still that `resume` would go on with."""
        return self._is_paused and self._song is not None

    @property
    def has_live_take(self) -> bool:
        """Whether what plays is a take that is being sampled."""
        return self._live is not None

    def close(self) -> None:
        """Silence, close the output, end process and thread."""
        self._closed = True
        self._ports_timer.stop()
        with self._lock:
            self._serial += 1
            self._song = self._live = None
            self._live_begun.set()
            player, self._player = self._player, None
        if player is not None:
            _close(player)
        self._thread.shutdown(wait=True, cancel_futures=True)
        if self._player is not None:  # opened while we were closing
            _close(self._player)
            self._player = None
        self._port.close()

    # On the hub's thread

    def _do(self, work: Callable[..., None], *arguments: Any) -> None:
        """Do something on the hub's thread, after what was asked for before."""
        if self._closed:
            return

        def whole() -> None:
            try:
                if not self._closed:
                    work(*arguments)
            except Exception as error:  # the hub goes on, and the user is told
                self.said.emit(sentence_for(error, "playing"))
            finally:
                with self._lock:
                    self._busy -= 1

        with self._lock:
            self._busy += 1
        self._thread.submit(whole)

    def _open(self, choice: OutputChoice, is_again: bool = False) -> None:
        with self._lock:
            old, self._player = self._player, None
        if old is not None:
            self._port.let_go(old)
        self._is_silent = False
        try:
            player = self._port.open(choice) if isinstance(choice, VirtualPort) else Player(choice)
        except ContinuoError as error:
            player = Player(NoOutput())
            self._is_silent = True
            if not is_again:
                self.said.emit(f"{error} Until then the music plays silently.")
        with self._lock:
            self._player = player
            song = self._song
            if song is not None and not self._is_paused:
                self._command(lambda player: self._start(player, song, self._position))
        self.opened.emit(self.tr("silent") if self._is_silent else player.description)

    def _look_for_ports(self) -> None:
        before, has_midi, ports = (self._has_midi, self.ports), True, ()
        try:
            ports = tuple(list_ports())
        except ContinuoError:  # no MIDI system: there are none
            has_midi = False
        if (has_midi, ports) != before:
            self._has_midi, self.ports = has_midi, ports
            self.ports_changed.emit(ports)
            self._come_back()
        self._port.stand_by(has_midi)

    def _come_back(self) -> None:
        """The output chosen could not be had: it may be there now."""
        choice = self.choice
        if self._is_silent and isinstance(choice, ExistingPort) and _is_there(choice, self.ports):
            self._open(choice)
            self.said.emit(f'The MIDI port "{choice.part_of_name}" is back.')
        elif self._is_silent and isinstance(choice, VirtualPort) and self._has_midi:
            self._open(choice)

    def _play(self, request: PlayRequest, song: Song, serial: int) -> None:
        start, end = playing_range(request.session, request.what)
        if song.loop:
            start, end = song.loop[0], song.loop[1]
            if not start <= request.at < end:
                song.start = start
        else:
            song.start = request.at if request.at < end else start
        song.head = song.start
        song.expected = end - song.start
        messages = self._timeline(request, song.start, end)
        if song.loop:
            song.again = self._timeline(request, start, end)
        with self._lock:
            if serial != self._serial:
                return
            self._position = song.start
            self._command(lambda player: player.start(song.start, song.expected))
        self._hand_over(song, messages, end)
        if song.loop:
            self._top_up(song)

    def _timeline(self, request: PlayRequest, start: float, end: float) -> list[Message]:
        is_external = not isinstance(self.choice, BuiltInSynth)
        return timeline(
            request.session,
            request.what,
            start,
            end,
            channel=self.channel if is_external else None,
            programs=self.programs or not is_external,
            metronome=request.metronome,
        )

    def _hand_over(self, song: Song, messages: list[Message], end: float) -> None:
        """Give the player what there is, in pieces, so that a stop need not wait for all of it."""
        for place in range(0, len(messages), CHUNK):
            piece = messages[place : place + CHUNK]
            rest = messages[place + CHUNK : place + CHUNK + 1]
            with self._lock:
                if self._song is not song:
                    return
                song.add(piece, rest[0][0] if rest else end)
                self._command(lambda player, piece=piece: player.feed(piece, song.head))
        with self._lock:
            if self._song is song:
                song.head = end
                if song.loop:
                    self._command(lambda player: player.feed((), end))
                else:
                    song.end = end
                    self._command(lambda player: player.finish(end))

    def _top_up(self, song: Song) -> None:
        """Hand over the loop again, as often as it takes."""
        with self._lock:
            if self._song is not song or song.loop is None:
                return
            while song.head - self._position < 2 * LOOP_IN_HAND:
                messages = shifted(song.again, song.head - song.loop[0])
                song.add(messages, song.head + song.loop[1] - song.loop[0])
                self._command(lambda player, messages=messages: player.feed(messages, song.head))

    def _splice(self, request: PlayRequest, song: Song) -> None:
        """Replace what comes by what it is now. Laying it out takes a while, so it begins a little ahead."""
        _, end = playing_range(request.session, request.what)
        ahead = SPLICE
        while ahead < 10 * SPLICE:
            cut = self._position + ahead
            messages = self._timeline(request, cut, max(end, cut))
            with self._lock:
                if self._song is not song or self._is_paused or self._live is not None or song.end is None:
                    return
                self.news()
                if self._position < cut - 0.02:
                    song.cut(cut)
                    self._command(lambda player, cut=cut: player.clear_after(cut))
                    self._hand_over(song, messages, max(end, cut))
                    return
            ahead *= 2

    def _begin_take(self, take: TakeStart) -> None:
        with self._lock:
            self._serial += 1
            song = self._song
            news = self.news()
            clicks = None
            if take.metronome:
                clicks = Clicks(take.tempo_map, take.marker, min(take.marker + take.seconds, LATEST))
            joins = (
                song is not None
                and not (song.loop or song.is_audition or self._is_paused or song.is_sampled)
                and news.is_playing
                and news.position is not None
                and news.position < take.marker - 0.02
                and song.head >= take.marker - 0.001
            )
            if song is not None and joins:
                song.cut(take.marker)
                self._command(lambda player: player.clear_after(take.marker, take.seconds))
            else:
                song = self._song = Song(take.marker, expected=take.seconds, cushion=START_CUSHION)
                self._position = take.marker
                self._is_paused = False
                self._command(lambda player: player.start(take.marker, take.seconds, START_CUSHION, take.rate))
            song.is_sampled = True
            self._live = song, take, clicks
            setup = self._wanted(take.voice.setup)
            song.add([(take.marker, message) for message in setup], take.marker)
            self._command(lambda player: player.feed([(take.marker, message) for message in setup], take.marker))
        self._live_begun.set()

    # Inside

    def _wanted(self, setup: Sequence[bytes]) -> list[bytes]:
        """What sets up a sound, unless the output is one that keeps its own."""
        is_external = not isinstance(self.choice, BuiltInSynth)
        return [m for m in setup if not is_external or (self.programs and self.channel is None)]

    def _redirected(self, channel: int) -> int:
        if self.channel is None or isinstance(self.choice, BuiltInSynth) or channel == 9:
            return channel
        return self.channel

    def _shown(self, song: Song, position: float) -> float | None:
        return None if song.is_audition else song.score_time(position)

    def _start(self, player: Player, song: Song, at: float) -> None:
        """Play a song from a place on, all of it that there is."""
        player.start(at, None if song.expected is None else song.start + song.expected - at, song.cushion)
        player.feed(song.since(at), song.head)
        if song.end is not None:
            player.finish(song.end)

    def _command(self, command: Callable[[Player], None]) -> None:
        """Tell the player, if there is one; one that has died is replaced. With the lock held."""
        player = self._player
        if player is None:
            return
        try:
            command(player)
        except ContinuoError as error:
            self._lose(player, str(error))

    def _lose(self, player: Player, why: str) -> None:
        if self._player is player and not self._closed:
            self._player = None
            self.said.emit(f"{why} It is being started again.")
            self._do(self._reopen, player)

    def _reopen(self, player: Player) -> None:
        self._port.let_go(player)
        if self._player is None:
            self._open(self.choice)


def _is_there(choice: ExistingPort, ports: Sequence[PortInfo]) -> bool:
    try:
        choose_port([port.name for port in ports], choice.part_of_name)
    except ContinuoError:
        return False
    return True


def _close(player: Player) -> None:
    try:
        player.close()
    except ContinuoError as error:
        sentence_for(error, "closing the player")
