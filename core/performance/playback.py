"""Playback: what plays. One song at a time, on the player of the output chosen.

Laying out a large score takes long and happens on a thread of its own. Nothing here waits: a take that cannot begin
yet, because the score before it is still laid out or the output still being opened, keeps what is sampled meanwhile.
"""

import threading
import time
from collections.abc import Callable, Sequence

from core.live.player import CHUNK, Player
from core.live.scheduler import Message
from core.performance.background import Background
from core.performance.events import PlaybackEvents
from core.performance.live_take import LiveTake, TakeStart, note_message
from core.performance.output import Output
from core.performance.song import PlaybackState, PlayRequest, Song, begun_from, possible_loop, shifted
from core.session.timeline import playing_range, timeline

LOOP_IN_HAND = 4.0  # seconds of a loop that are always handed over
START_CUSHION = 0.1  # seconds of a take in hand before it sounds, if the model is fast enough
SPLICE = 0.25  # seconds ahead of the playhead where what plays is replaced by something newer
LAYOUT_CLOSING = 5.0  # seconds for a layout under way to end


class Playback:
    """Plays to `output`, whatever happens to that. Safe to use from several threads.

    `clock` counts seconds, for the playhead between two statuses of the player. A player that is lost is replaced and
    goes on; with `replaces_lost` False, `poll` and what sends to it raise ContinuoError instead.
    """

    def __init__(
        self,
        events: PlaybackEvents | None = None,
        clock: Callable[[], float] = time.perf_counter,
        replaces_lost: bool = True,
    ) -> None:
        events = events or PlaybackEvents()
        self._clock = clock
        self._lock = threading.RLock()
        self.output = Output(events, self._lock, self._take_up, clock, replaces_lost)
        self._layout = Background("continuo-layout", lambda error: events.failed(error, "playing"))
        self._song: Song | None = None
        self._live: LiveTake | None = None  # the take that plays, or will, while it is sampled
        self._is_paused = False
        self._is_unstarted = False  # what stands still has never been handed to the player that is there now
        self._serial = 0  # of the newest wish to play, so that an older one is dropped
        self._position = 0.0  # song seconds, last seen
        self._seen: tuple[object, float] = (None, 0.0)  # the player's last status, and when it was new

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
            self.output.send(lambda player: player.stop())
        self._layout.do(self._play, request, self._song, serial)

    def refresh(self, request: PlayRequest, since: float = 0.0) -> None:
        """Something has changed while it plays: go on with the new, without a gap. Not for a take being sampled.

        In a loop, what comes before `since` (score seconds) is as it was, and goes on untouched.
        """
        with self._lock:
            song = self._song
            if song is None or song.is_sampled or self._is_paused:
                return
        if song.loop != possible_loop(request.loop):
            self.play(request)
        elif song.loop:
            self._layout.do(self._turn, request, song, since)
        else:
            self._layout.do(self._splice, request, song)

    def turn_to(self, request: PlayRequest) -> None:
        """From the next time that the loop starts over, play another session, without a gap."""
        with self._lock:
            song = self._song
        if song is not None and song.loop is not None:
            self._layout.do(self._turn, request, song, None)

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
            self.output.send(lambda player: self._start(player, song, 0.0))

    def pause(self) -> None:
        """Stand still; `resume` goes on."""
        with self._lock:
            self._is_paused = True
            self.output.send(lambda player: player.stop())

    def resume(self) -> None:
        """Go on from where `pause` stood still."""
        with self._lock:
            self._is_paused = False
            song = self._song
            if song is not None and self._is_unstarted:
                self.output.send(lambda player: self._start(player, song, self._position))
            else:
                self.output.send(lambda player: player.resume())

    def stop(self) -> None:
        """Silence, and forget what played."""
        with self._lock:
            self._serial += 1
            self._live = None
            self._is_paused = False
            self._song = None
            self.output.send(lambda player: player.stop())

    def panic(self) -> None:
        """Silence everything, on all channels, used or not."""
        self.stop()
        with self._lock:
            self.output.send(lambda player: player.panic())

    def note(self, pitch: int, velocity: int, channel: int = 0, setup: Sequence[bytes] = ()) -> None:
        """Sound a note at once, its channel set up before; with velocity 0 end it."""
        with self._lock:
            note = self.output.redirected(note_message(channel, pitch, velocity))
            for message in (*self.output.wanted(setup), note):
                self.output.send(lambda player, message=message: player.send_now(message))

    def try_again(self) -> None:
        """Try the output that was chosen again, if it could not be had and nothing plays."""
        if self._song is None:
            self.output.try_again()

    # Playing a take while it is sampled

    def begin_take(self, start: TakeStart) -> LiveTake:
        """Play a take from its marker on, as its notes are given to the LiveTake that is returned.

        If what plays now reaches the marker the take joins it without a gap.
        """
        with self._lock:
            live = self._live = LiveTake(start, self._lock, self._hand_over_sampled)
            if not self._layout.is_busy:
                self._begin(live)
                return live
        # A large score may still be laid out, which the take joins: it comes after that.
        self._layout.do(self._begin, live)
        return live

    def seek_in_song(self, at: float) -> None:
        """Go to another place of a take that is being sampled, as far as there is any."""
        with self._lock:
            song = self._song
            if song is not None and self._live is not None and self._live.song is song:
                self._position = min(max(at, song.start), max(song.head - 0.05, song.start))
                self._is_paused = False
                self.output.send(lambda player: self._start(player, song, self._position))

    # What is heard

    def poll(self) -> PlaybackState:
        """What is heard now, for each frame of the screen; now and then this looks for ports, too."""
        self.output.look_now_and_then()
        with self._lock:
            self.output.check()
            player, song = self.output.player, self._song
            if player is None or song is None:
                is_waiting = song is not None and not self._is_paused
                return PlaybackState(is_waiting, is_waiting, song.score_time(self._position) if song else None)
            status = player.status()
            now = self._clock()
            if status is not self._seen[0]:
                self._seen = status, now
            if not player.is_settled or (song.end is None and not song.is_sampled and not song.messages):
                return PlaybackState(not self._is_paused, True, self._shown(song, self._position))
            position = status.position
            if status.state == "playing":  # statuses come 20 times a second, frames 60 times
                position = min(position + now - self._seen[1], max(status.head, position))
            self._position = position
            if song.loop and song.head - position < LOOP_IN_HAND and not self._layout.is_busy:
                self._layout.do(self._top_up, song)
            return PlaybackState(
                is_playing=status.state in ("playing", "waiting", "holding"),
                is_waiting=status.state in ("waiting", "holding"),
                position=self._shown(song, position),
                ahead=max(song.head - position, 0.0) if song.is_sampled else None,
                wait=status.wait if song.is_sampled else None,
                underruns=status.underruns,
                has_ended=status.state == "ended" and song.end is not None,
                session=song.session_at(position),
            )

    def ahead(self) -> float:
        """Seconds of the take that are sampled and not played yet, else 0. Raises ContinuoError as `poll` does."""
        return self.poll().ahead or 0.0

    @property
    def is_paused(self) -> bool:
        """Whether something stands still that `resume` would go on with."""
        return self._is_paused and self._song is not None

    @property
    def has_live_take(self) -> bool:
        """Whether what plays, or is about to, is a take that is being sampled."""
        return self._live is not None

    def close(self) -> None:
        """Silence, close the output, end process and threads."""
        with self._lock:
            self._serial += 1
            self._song = self._live = None
        self.output.close()
        self._layout.close(LAYOUT_CLOSING)

    # On the thread that lays out

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
        messages = self._timeline(request, song.start, end if song.loop else None)
        if song.loop:
            song.again = self._timeline(request, start, end)
            song.sessions = [(song.start, request.session)]
        with self._lock:
            if serial != self._serial:
                return
            self._position = song.start
            self.output.send(lambda player: player.start(song.start, song.expected))
        self._hand_over(song, messages, end)
        if song.loop:
            self._top_up(song)

    def _timeline(self, request: PlayRequest, start: float, end: float | None) -> list[Message]:
        output = self.output
        return timeline(
            request.session,
            request.what,
            start,
            end,
            channel=output.only_channel,
            programs=output.gets_programs,
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
                self.output.send(lambda player, piece=piece: player.feed(piece, song.head))
        with self._lock:
            if self._song is song:
                song.head = end
                if song.loop:
                    self.output.send(lambda player: player.feed((), end))
                else:
                    song.end = end
                    self.output.send(lambda player: player.finish(end))

    def _top_up(self, song: Song) -> None:
        """Hand over the loop again, as often as it takes."""
        with self._lock:
            if self._song is not song or song.loop is None:
                return
            while song.head - self._position < 2 * LOOP_IN_HAND:
                self._feed_round(song, song.loop)

    def _feed_round(self, song: Song, loop: tuple[float, float]) -> None:
        messages = shifted(song.again, song.head - loop[0])
        song.add(messages, song.head + loop[1] - loop[0])
        self.output.send(lambda player: player.feed(messages, song.head))

    def _turn(self, request: PlayRequest, song: Song, since: float | None) -> None:
        """Play another session from the loop's next turn on; with `since`, from there on in the present round."""
        assert song.loop is not None
        first, last = song.loop
        again = self._timeline(request, first, last)
        with self._lock:
            if self._song is not song or self._is_paused:
                return
            self.poll()
            soonest = self._position + SPLICE
            turn = song.next_turn(soonest)
            while song.head < turn - 1e-6:  # too late for the turn that is about to come
                self._feed_round(song, song.loop)
            song.take_back(turn)
            song.again = again
            if since is None:
                song.sessions = [(begin, session) for begin, session in song.sessions if begin < turn]
                song.sessions.append((turn, request.session))
                self.output.send(lambda player: player.clear_after(turn))
            else:
                song.sessions = [(song.start, request.session)]
                begun = turn - last  # what song time is ahead of score time in the round that plays
                cut = min(max(soonest, begun + since), turn)
                song.cut(cut)
                self.output.send(lambda player: player.clear_after(cut))
                self._feed(song, begun_from(shifted(again, begun), cut), turn)
        self._top_up(song)

    def _splice(self, request: PlayRequest, song: Song) -> None:
        """Replace what comes by what it is now. Laying it out takes a while, so it begins a little ahead."""
        _, end = playing_range(request.session, request.what)
        ahead = SPLICE
        while ahead < 10 * SPLICE:
            cut = self._position + ahead
            messages = self._timeline(request, cut, None)
            with self._lock:
                if self._song is not song or self._is_paused or self._live is not None or song.end is None:
                    return
                self.poll()
                if self._position < cut - 0.02:
                    song.cut(cut)
                    self.output.send(lambda player, cut=cut: player.clear_after(cut))
                    self._hand_over(song, messages, max(end, cut))
                    return
            ahead *= 2

    # A take while it is sampled

    def _begin(self, live: LiveTake) -> None:
        """Begin with the take, unless it was stopped meanwhile; then comes what was sampled before."""
        with self._lock:
            if live is not self._live:
                return
            try:
                live.song = self._placed(live.start)
                self._hand_over_sampled(live)
            except BaseException:
                self._live = None  # so that nothing waits for it
                raise

    def _placed(self, start: TakeStart) -> Song:
        """The song that a take is a part of: what plays before it, else one of its own."""
        self._serial += 1
        song, marker = self._song, start.marker
        if song is not None and self._can_join(song, marker):
            song.cut(marker)
            self.output.send(lambda player: player.clear_after(marker, start.seconds))
        else:
            song = self._song = Song(marker, expected=start.seconds, cushion=START_CUSHION)
            self._position = marker
            self._is_paused = self._is_unstarted = False
            self.output.send(lambda player: player.start(marker, start.seconds, START_CUSHION, start.rate))
        song.is_sampled = True
        self._feed(song, [(marker, message) for message in self.output.wanted(start.router.setup)], marker)
        return song

    def _can_join(self, song: Song, marker: float) -> bool:
        """Whether what plays reaches the marker and is still before it."""
        if song.loop or song.is_audition or song.is_sampled or self._is_paused:
            return False
        state = self.poll()
        is_before = state.position is not None and state.position < marker - 0.02
        return state.is_playing and is_before and song.head >= marker - 0.001

    def _hand_over_sampled(self, live: LiveTake) -> None:
        """What is sampled of a take and can be played now. With the lock held."""
        if live is not self._live:  # stopped, or something else plays
            live.drop()
            return
        song = live.song
        if song is None:  # it has not begun
            return
        for messages, head in live.due():
            self._feed(song, self.output.as_wanted(messages), head)
        if live.seconds is not None:
            self._live = None
            song.is_sampled = False
            end = live.start.marker + live.seconds
            if rest := live.rest():
                end = max(end, rest[-1][0])
                self._feed(song, self.output.as_wanted(rest), end)
            song.end = song.head = end
            self.output.send(lambda player: player.finish(end))

    # Inside

    def _feed(self, song: Song, messages: Sequence[Message], head: float) -> None:
        song.add(messages, head)
        self.output.send(lambda player: player.feed(messages, song.head))

    def _shown(self, song: Song, position: float) -> float | None:
        return None if song.is_audition else song.score_time(position)

    def _take_up(self, player: Player) -> None:
        """Another player is there: it goes on with what plays. With the lock held."""
        self._is_unstarted = self._is_paused
        if self._song is not None and not self._is_paused:
            self._start(player, self._song, self._position)

    def _start(self, player: Player, song: Song, at: float) -> None:
        """Play a song from a place on, all of it that there is."""
        self._is_unstarted = False
        player.start(at, None if song.expected is None else song.start + song.expected - at, song.cushion)
        player.feed(self.output.as_wanted(song.since(at)), song.head)
        if song.end is not None:
            player.finish(song.end)
