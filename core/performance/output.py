"""Output: the player of the output chosen, whatever happens to it, and which ports there are.

Opening an output and listing ports take long, or hang with the system's sound, so each has a thread of its own;
commands that must be obeyed at once go straight to the player.
"""

import logging
import threading
from collections.abc import Callable, Sequence

from core.errors import ContinuoError
from core.live.outputs import BuiltInSynth, ExistingPort, NoOutput, OutputChoice, VirtualPort, list_ports
from core.live.player import Player, release_left
from core.live.port_info import PortInfo
from core.live.rtmidi_output import choose_port
from core.live.scheduler import Message, PlayerStatus
from core.midi.chase import chooses_sound
from core.performance.background import Background
from core.performance.events import PlaybackEvents
from core.performance.standing_port import StandingPort
from core.session.timeline import redirected

LOOK_FOR_PORTS = 3.0  # seconds between looks at which ports there are
TRY_AGAIN = 10.0  # seconds between two tries at an output that could not be had, while the ports stay the same
FIRST_LOOK = 0.5  # seconds from the opening of an output, which is more urgent, to the next look
_CLOSING = 8.0  # seconds for an output that is just being opened to be closed again
LISTING_CLOSING = 1.0  # seconds for ports that are just being listed
SILENT = "silent"

_log = logging.getLogger("continuo")


class Output:
    """Where the sound goes. `lock` is held wherever the player changes; `taken_up(player)` is called with a new one.

    A player that is lost is replaced; with `replaces_lost` False, whoever sends to it gets a ContinuoError instead.
    """

    def __init__(
        self,
        events: PlaybackEvents,
        lock: threading.RLock,
        taken_up: Callable[[Player], None],
        clock: Callable[[], float],
        replaces_lost: bool = True,
    ) -> None:
        self.choice: OutputChoice = NoOutput()
        self.channel: int | None = None  # what external ports get everything but percussion on
        self.programs = False  # whether external ports get program changes
        self.ports: tuple[PortInfo, ...] = ()
        self.player: Player | None = None
        self._events, self._lock, self._taken_up, self._clock = events, lock, taken_up, clock
        self._replaces_lost = replaces_lost
        self._has_midi = False
        self._port = StandingPort()  # on the thread
        self._left: dict[OutputChoice, list[bytes]] = {}  # what ends all that lost players may have left sounding
        self._is_silent = False  # playing to nothing because what was chosen cannot be had
        self._try_at = 0.0  # when it may be there although nothing has changed, by the clock
        self._look_at: float | None = None  # when to look for ports
        self._closed = False
        self._thread = Background("continuo-output", lambda error: events.failed(error, "playing"))
        self._listing = Background("continuo-ports", lambda error: events.failed(error, "looking for ports"))

    # What is wanted

    def open(self, choice: OutputChoice) -> None:
        """Play to this output from now on; it is opened on a thread of its own."""
        self.choice = choice
        self._thread.do(self._open, choice)
        self._look_at = self._clock() + FIRST_LOOK

    def open_now(self, choice: OutputChoice) -> None:
        """Play to this output; it is open when this returns. Raises what `Player` raises."""
        self.choice = choice
        player = Player(choice)
        with self._lock:
            self.player = player
            self._taken_up(player)
        self._events.opened(player.description)

    def look_now_and_then(self) -> None:
        """Find out which ports there are, if it is time for it."""
        if self._look_at is not None and self._clock() >= self._look_at:
            self.look_for_ports()

    def look_for_ports(self) -> None:
        """Find out which ports there are, unless that is under way or something more urgent is."""
        self._look_at = self._clock() + LOOK_FOR_PORTS
        if not self.is_busy:
            self._listing.do(self._list_ports)

    def try_again(self) -> None:
        """Try the synth again if it was chosen and had no audio device. Call it while nothing plays."""
        if self._is_silent and isinstance(self.choice, BuiltInSynth) and not self._thread.is_busy:
            self._thread.do(self._try_again, self.choice)

    def close(self) -> None:
        """Close the output, end process and thread. Takes no longer than the player and _CLOSING allow."""
        with self._lock:
            self._closed = True
            player, self.player = self.player, None
        if player is not None:
            self._end(player)
        self._listing.close(LISTING_CLOSING)
        if self._thread.close(_CLOSING):
            self._port.close()
        if self._replaces_lost:  # then the port stood open for whoever wanted to listen again
            self._left = {choice: left for choice, left in self._left.items() if not isinstance(choice, VirtualPort)}
        self._release_left()

    # The player

    @property
    def is_busy(self) -> bool:
        """Whether an output is being opened, or the ports looked for."""
        return self._thread.is_busy or self._listing.is_busy

    @property
    def description(self) -> str:
        """Where the sound goes, in words."""
        player = self.player
        return player.description if player is not None else ""

    def status(self) -> PlayerStatus:
        """The player's own status with its figures; an empty one where there is no player."""
        player = self.player
        return player.status() if player is not None else PlayerStatus()

    def is_connected(self) -> bool | None:
        """Whether anything listens to the output; None where that cannot be found out."""
        player = self.player
        return player.status().connected if player is not None and not self._is_silent else False

    def send(self, command: Callable[[Player], None]) -> None:
        """Give the player a command, if there is a player; one that has died counts as lost. With the lock held."""
        player = self.player
        if player is None:
            return
        try:
            command(player)
        except ContinuoError as error:
            self.lose(player, error)

    def lose(self, player: Player, why: ContinuoError) -> None:
        """The player is lost. With the lock held. Raises `why` if lost ones are not replaced."""
        if not self._replaces_lost:
            raise why
        if self.player is player and not self._closed:
            self.player = None
            self._events.message(f"{why} It is being started again.")
            if player.left_sounding() and isinstance(self.choice, VirtualPort):
                self._events.message("Connect the port Continuo again where it was: notes that sound on end then.")
            self._thread.do(self._reopen, player)

    def check(self) -> None:
        """Raises ContinuoError, or replaces the player, if it is lost."""
        with self._lock:
            player = self.player
            if player is not None and (problem := player.status().problem):
                self.lose(player, ContinuoError(problem))

    # What an output gets

    @property
    def is_external(self) -> bool:
        """Whether what gets the messages has sounds of its own."""
        return not isinstance(self.choice, BuiltInSynth)

    @property
    def only_channel(self) -> int | None:
        """The channel that all but percussion is sent on; None: each message on its own."""
        return self.channel if self.is_external else None

    @property
    def gets_programs(self) -> bool:
        """Whether program changes are sent; else the output keeps the sounds that it has."""
        return self.programs or not self.is_external

    def wanted(self, setup: Sequence[bytes]) -> list[bytes]:
        """What of the messages that set up a sound is sent: none where all go on one channel."""
        is_own = self.only_channel is None
        return [message for message in setup if is_own and (self.gets_programs or not chooses_sound(message))]

    def as_wanted(self, messages: Sequence[Message]) -> list[Message]:
        """Timed messages as they are sent."""
        chooses = self.gets_programs
        return [(time, self.redirected(message)) for time, message in messages if chooses or not chooses_sound(message)]

    def redirected(self, message: bytes) -> bytes:
        """A channel message on the channel that it is sent on."""
        return redirected(message, self.only_channel)

    # On the thread

    def _open(self, choice: OutputChoice) -> None:
        with self._lock:
            old, self.player = self.player, None
        if old is not None:
            self._let_go(old)
        self._is_silent = False
        try:
            player = self._player_at(choice)
        except ContinuoError as error:
            player = _silent_player()
            self._is_silent = True
            self._try_at = 0.0
            self._events.message(f"{error} Until then the music plays silently.")
        self._use(player)
        self._release_left(but=choice)

    def _player_at(self, choice: OutputChoice) -> Player:
        """A player at an output, which ends what another may have left sounding there. Raises what `Player` raises."""
        if isinstance(choice, VirtualPort):
            return self._port.open(choice)
        player = Player(choice, self._left.get(choice, ()))
        self._left.pop(choice, None)
        return player

    def _use(self, player: Player) -> None:
        """Play by this one from now on."""
        with self._lock:
            old = self.player
            if not self._closed:
                self.player = player
                self.send(self._taken_up)  # it may have died already
        if self._closed:
            self._let_go(player)
            return
        if old is not None:
            self._let_go(old)
        self._events.opened(SILENT if self._is_silent else player.description)

    def _try_again(self, choice: OutputChoice) -> bool:
        """What was chosen could not be had: whether it can now. Until then what plays silently is left alone."""
        try:
            player = self._player_at(choice)
        except ContinuoError:
            self._events.opened(SILENT)
            return False
        self._is_silent = False
        self._use(player)
        return True

    def _reopen(self, player: Player) -> None:
        self._let_go(player)
        if self.player is None:
            self._open(self.choice)

    def _let_go(self, player: Player) -> None:
        """Nothing plays by this one any more."""
        if not self._port.let_go(player):
            self._end(player)

    def _end(self, player: Player) -> None:
        try:
            player.close()
        except ContinuoError as error:
            _log.info("closing the player: %s", error)
        if left := player.left_sounding():
            self._left[player.choice] = left

    def _release_left(self, but: OutputChoice | None = None) -> None:
        """End what lost players left sounding, but at the output that is tried again."""
        for choice in [choice for choice in self._left if choice != but]:
            if sentence := release_left(self._left.pop(choice, []), choice):
                self._events.message(sentence)

    def _list_ports(self) -> None:
        """On a thread of its own."""
        try:
            self._thread.do(self._use_ports, True, tuple(list_ports()))
        except ContinuoError:  # no MIDI system: there are none
            self._thread.do(self._use_ports, False, ())

    def _use_ports(self, has_midi: bool, ports: tuple[PortInfo, ...]) -> None:
        has_changed = (has_midi, ports) != (self._has_midi, self.ports)
        if has_changed:
            self._has_midi, self.ports = has_midi, ports
            self._events.ports_changed(ports)
        if self._is_silent and (has_changed or self._clock() >= self._try_at):
            self._try_at = self._clock() + TRY_AGAIN
            self._come_back()
        self._port.stand_by(has_midi)

    def _come_back(self) -> None:
        """The output chosen could not be had: it may be there now."""
        choice = self.choice
        if isinstance(choice, ExistingPort) and _is_there(choice, self.ports):
            if self._try_again(choice):
                self._events.message(f'The MIDI port "{choice.part_of_name}" is back.')
        elif isinstance(choice, VirtualPort) and self._has_midi:
            self._try_again(choice)


def _silent_player() -> Player:
    """One that plays to nothing. Its process may be killed as it starts, like any other: then there is another."""
    try:
        return Player(NoOutput())
    except ContinuoError:
        return Player(NoOutput())


def _is_there(choice: ExistingPort, ports: Sequence[PortInfo]) -> bool:
    try:
        choose_port([port.name for port in ports], choice.part_of_name)
    except ContinuoError:
        return False
    return True
