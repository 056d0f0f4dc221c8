"""The player process, playing through a real JACK port to a second MIDI program."""

import gc
import os
import signal
import subprocess
import sys
from pathlib import Path

import mido
import pytest

from core.errors import ContinuoError, NotFound, WriteError
from core.live.outputs import ExistingPort, MidiFileOutput, NoOutput, VirtualPort
from core.live.player import Player
from tests.conftest import WAIT, JackServer, Listener, wait_for
from tests.core.live.chord import CHORD, CHORD_ENDED, PORT, play_chord, without_repeats

ROOT = Path(__file__).parents[3]


def is_chord_there(messages: list[bytes]) -> bool:
    return len(messages) >= len(CHORD)


def is_chord_ended(messages: list[bytes]) -> bool:
    return CHORD_ENDED[-1] in messages


def is_chord_ended_twice(messages: list[bytes]) -> bool:
    """At the end of all everything is said again, for a JACK cycle may be lost."""
    ended = CHORD + CHORD_ENDED + CHORD_ENDED
    return messages[: len(ended)] == ended  # and more often where JACK says that a cycle was lost


def test_every_message_of_a_stream_comes_in_order(jack):
    with Player(VirtualPort(PORT)) as player, Listener(PORT) as listener:
        assert player.description == f"virtual port {PORT} (JACK)"
        wait_for(lambda: player.is_connected() is True, "the listener to be noticed")
        sent: list[bytes] = []
        player.start(length=1.5)
        for step in range(300):
            messages = [bytes((0x90, step % 128, 1 + step % 127)), bytes((0x80, step % 128, step % 100))]
            sent += messages
            player.feed([(step * 0.005, message) for message in messages], step * 0.005)
        player.finish(1.5)
        assert player.wait_until_ended(WAIT)
        messages = listener.wait_for(is_chord_ended)
        status = player.status()
    assert without_repeats(messages) == sent
    assert (status.state, status.sent, status.problem) == ("ended", 600, "")
    assert status.position == status.head == 1.5
    assert 0 < status.late_ms_p50 <= status.late_ms_p99


def test_a_large_piece_fed_at_once_comes_whole(jack):
    sent = [(step * 0.001, bytes((0x90 | step % 16, step % 128, 1))) for step in range(1000)]
    with Player(VirtualPort(PORT)) as player, Listener(PORT) as listener:
        player.start()
        player.feed(sent, 1.0)
        player.finish(1.0)
        messages = listener.wait_for(lambda m: len(m) >= 1000)
    assert messages[:1000] == [message for _, message in sent]


def test_stop_in_mid_chord_ends_its_notes_and_keeps_the_port(jack):
    with Player(VirtualPort(PORT)) as player, Listener(PORT) as listener:
        play_chord(player)
        listener.wait_for(is_chord_there)
        player.stop()
        assert player.wait_until_ended(WAIT)
        assert listener.wait_for(is_chord_ended)[: len(CHORD + CHORD_ENDED)] == CHORD + CHORD_ENDED
        assert player.status().state == "stopped"
        player.send_now(b"\x93\x3c\x50")
        listener.wait_for(lambda m: b"\x93\x3c\x50" in m)
        player.panic()
        messages = listener.wait_for(lambda m: b"\xbf\x7b\x00" in m)
        assert b"\x83\x3c\x00" in messages
        assert {m[0] & 15 for m in messages if m[1:] == b"\x7b\x00"} == set(range(16))


def test_close_in_mid_chord_ends_its_notes(jack):
    with Listener(own_port="Synth under test") as synth:
        with Player(ExistingPort("synth under")) as player:
            play_chord(player)
            synth.wait_for(is_chord_there)
        synth.wait_for(is_chord_ended_twice)
        player.close()  # a second time
        with pytest.raises(ContinuoError, match="closed"):
            player.stop()


def test_another_future_can_be_fed_while_playing(jack):
    with Player(VirtualPort(PORT)) as player, Listener(PORT) as listener:
        player.start()
        player.feed([(0.0, CHORD[0]), (600.0, CHORD[1])], 600.0)
        player.finish(600.0)
        listener.wait_for(lambda m: m == CHORD[:1])
        player.clear_after(0.0)  # that is, from now on
        position = wait_for_answer(player)
        player.feed([(position, CHORD[2])], position)
        player.finish(position)
        assert player.wait_until_ended(WAIT)
        messages = listener.wait_for(is_chord_ended)
    assert without_repeats(messages)[:3] == [CHORD[0], b"\x80\x30\x00", CHORD[2]]


def wait_for_answer(player: Player) -> float:
    wait_for(lambda: player.status().answered == 2, "the player's answer")
    return player.status().position


def test_sigterm_of_the_player_ends_its_notes_and_is_told(jack):
    with Player(VirtualPort(PORT)) as player, Listener(PORT) as listener:
        play_chord(player)
        listener.wait_for(is_chord_there)
        pid = player._process.pid
        assert pid is not None
        os.kill(pid, signal.SIGINT)  # not for the player to obey
        os.kill(pid, signal.SIGTERM)
        listener.wait_for(is_chord_ended_twice)
        # On a busy machine it takes long to end, and is ended for standing still.
        with pytest.raises(ContinuoError, match=r"ended unexpectedly|stands still"):
            player.wait_until_ended(WAIT)
        assert player.status().problem
        with pytest.raises(ContinuoError):
            player.feed([], 1.0)


def test_outputs_that_fail_to_open_leave_no_file_open(jack) -> None:
    def open_files() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    def fail() -> None:
        with pytest.raises(NotFound):
            Player(ExistingPort("nobody"))

    gc.disable()  # as in the app, whose collections a freeze keeps from what came before
    try:
        fail()  # what is opened once and for all
        before = open_files()
        for _ in range(20):
            fail()
        assert open_files() == before
        Player(NoOutput()).close()
        assert open_files() == before
    finally:
        gc.enable()


def test_a_jack_server_that_ends_is_a_sentence_and_no_hang(mortal_jack: JackServer):
    with Player(VirtualPort(PORT)) as player:
        player.start()
        player.feed([(step * 0.01, CHORD[0]) for step in range(60_000)], 600.0)
        player.finish(600.0)
        wait_for(lambda: player.status().state == "playing", "the music to begin")
        mortal_jack.close()
        with pytest.raises(ContinuoError, match="JACK server has ended"):
            player.wait_until_ended(WAIT)
        status = player.status()
        assert (status.state, status.problem) == ("stopped", "The JACK server has ended, so nothing can be played.")


def test_a_port_that_goes_away_is_a_sentence(jack):
    with Listener(own_port="Unplugged synth") as synth:
        player = Player(ExistingPort("unplugged"))
        play_chord(player)
        synth.wait_for(is_chord_there)
    with player, pytest.raises(ContinuoError, match="Unplugged synth"):
        player.wait_until_ended(WAIT)


def test_what_cannot_be_opened_is_raised_as_what_it_is(jack):
    with pytest.raises(NotFound, match='"nobody"'):
        Player(ExistingPort("nobody"))


def test_a_recording_is_written_at_close(tmp_path):
    path = tmp_path / "played.mid"
    with Player(MidiFileOutput(path)) as player:
        play_chord(player)
        wait_for(lambda: player.status().sent == 4, "the chord")
    played = [bytes(m.bytes()) for m in mido.MidiFile(path) if not m.is_meta]
    assert played == CHORD + CHORD_ENDED


def test_a_recording_that_cannot_be_written_after_all_is_told(tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    player = Player(MidiFileOutput(folder / "played.mid"))
    folder.rmdir()
    with pytest.raises(WriteError, match="no such folder"):
        player.close()


SCRIPT = f"""
import os, sys, time
from core.live.outputs import VirtualPort
from core.live.player import Player

def main(ending):
    player = Player(VirtualPort({PORT!r}))
    forked = os.fork() if ending == "forked" else -1
    if forked == 0:
        time.sleep(120)  # an innocent child of the app, which must not keep the pipe open
        os._exit(0)
    print("open", forked, flush=True)
    sys.stdin.readline()  # the listener has connected
    player.start()
    player.feed([(0.0, bytes((0x90, pitch, 80))) for pitch in (48, 60, 64, 67)], 600.0)
    player.finish(600.0)
    print("fed", player._process.pid, flush=True)
    sys.stdin.readline()
    if ending == "return":
        return
    if ending == "raise":
        raise RuntimeError("the app has a bug")
    with player:
        time.sleep(120)

if __name__ == "__mp_main__":
    raise RuntimeError("the player imported the main script")
main(sys.argv[1])
"""


@pytest.mark.parametrize("ending", ["killed", "forked", "interrupted", "return", "raise"])
def test_however_the_app_ends_no_note_hangs(jack, tmp_path, ending):
    script = tmp_path / "app.py"
    script.write_text(SCRIPT)
    # Its own process group, so that an interrupt reaches app and player, as from a terminal.
    app = subprocess.Popen(
        [sys.executable, str(script), ending],
        env={**jack, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert app.stdin is not None
    assert app.stdout is not None
    forked = -1
    try:
        forked = int(app.stdout.readline().split()[1])
        with Listener(PORT) as listener:
            tell(app)
            player = int(app.stdout.readline().split()[1])
            listener.wait_for(is_chord_there)
            if ending in ("killed", "forked"):
                os.kill(app.pid, signal.SIGKILL)
            else:
                tell(app)
            if ending == "interrupted":
                os.killpg(app.pid, signal.SIGINT)
            listener.wait_for(is_chord_ended_twice)
            wait_for(lambda: has_ended(player), "the player process to end")
    finally:
        if forked > 0:
            os.kill(forked, signal.SIGKILL)
        app.kill()
        error = app.communicate()[1]
    assert ("Traceback" in error) == (ending in ("raise", "interrupted"))  # the app's own
    assert "player_process" not in error


def tell(app: subprocess.Popen[str]) -> None:
    assert app.stdin is not None
    app.stdin.write("\n")
    app.stdin.flush()


def has_ended(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


def test_the_player_imports_nothing_heavy():
    code = (
        "import sys, core.live.player_process, core.live.player;"
        "print([m for m in ('torch', 'PySide6', 'numpy', 'mido', 'rich', 'typer', 'rtmidi') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.posix
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_while_the_process_is_started_leaves_no_traceback(number: int) -> None:
    code = "\n".join(
        (
            "import os, sys",
            "from multiprocessing import util",
            "from core.cli import interrupts",
            "from core.live.outputs import NoOutput",
            "from core.live.player import Player",
            "spawn = util.spawnv_passfds",
            "def interrupted(*arguments):",
            "    pid = spawn(*arguments)",
            "    if b'resource_tracker' not in repr(arguments).encode():",
            f"        os.kill(os.getpid(), {int(number)})",
            "    return pid",
            "util.spawnv_passfds = interrupted",
            "interrupts.raise_once()",
            "try:",
            "    Player(NoOutput())",
            "except KeyboardInterrupt:",
            "    sys.exit(130)",
        )
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=WAIT, check=False)
    assert (ended.returncode, ended.stderr) == (130, "")
