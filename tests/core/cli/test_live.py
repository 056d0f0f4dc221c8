"""continue --live and play, through a JACK port to a second program that hears them."""

import itertools
import json
import multiprocessing
import os
import signal
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

import pytest
from mido import Message, MetaMessage

from core.live.outputs import NoOutput
from core.live.scheduler import PlayerStatus
from core.midi.read import read_score
from core.resources import bundled
from tests.conftest import WAIT, JackServer, Listener, wait_for
from tests.core.cli.helpers import ONE, Command, notes_on_wire, sounding, start, take_notes, wire_groups
from tests.core.live.chord import without_repeats
from tests.core.midi.builders import file_of, scale
from tests.core.midi.sounding import score_messages
from tests.core.performance.fakes import FakePlayer

NOCTURNE = bundled("examples", "nocturne.mid")


@contextmanager
def listening_when_there(part_of_name: str = "Continuo") -> Iterator[Callable[[], Listener]]:
    """A listener on a port that this process will open later; to be called for afterwards."""
    found: list[Listener] = []
    thread = threading.Thread(target=lambda: found.append(Listener(part_of_name)))
    thread.start()
    try:
        yield lambda: found[0]
    finally:
        thread.join()
        for listener in found:
            listener.close()


def is_silenced(messages: list[bytes]) -> bool:
    """Nothing sounds, and CC 123 has come since the last note-on; note-offs may follow, of another attempt."""
    last = max((i for i, m in enumerate(messages) if m[0] & 0xF0 == 0x90 and m[2] > 0), default=len(messages))
    return any((m[0] & 0xF0, m[1]) == (0xB0, 123) for m in messages[last:]) and not sounding(messages)


def assert_silenced(messages: list[bytes]) -> None:
    """Nothing sounds, and CC 64 = 0 and CC 123 have come since the last note-on."""
    assert is_silenced(messages)
    last = max(i for i, m in enumerate(messages) if m[0] & 0xF0 == 0x90 and m[2] > 0)
    assert {m[1] for m in messages[last:] if m[0] & 0xF0 == 0xB0} == {64, 123}
    assert all(m[2] == 0 for m in messages[last:] if m[0] & 0xF0 == 0xB0)


def assert_same_notes(messages: list[bytes], path: Path) -> None:
    """Every note of the saved take came, in order; messages of one moment in any order."""
    came = iter(notes_on_wire(without_repeats(messages)))
    for moment in wire_groups(path):
        assert Counter(islice(came, moment.total())) == moment
    assert list(came) == []


def test_all_of_a_live_continuation_arrives_and_is_saved(command: Command, jack: dict[str, str]) -> None:
    with listening_when_there() as listener:
        line = (
            "continue",
            NOCTURNE,
            "--into",
            "one",
            "-o",
            "o.mid",
            "--take-only",
            "--seconds",
            4,
            "--seed",
            4,
            "--live",
            "--wait",
        )
        result = command.json(*line)
        messages = listener().wait_for(is_silenced)
        assert_same_notes(messages, Path("o.mid"))
        assert result["notes"] == len(take_notes(Path("o.mid"))) > 5
        assert result["late_ms_p99"] > 0
        assert result["underruns"] >= 0


def test_two_ports_and_a_kit_elsewhere_are_heard_side_by_side_on_one_port(
    command: Command, jack: dict[str, str]
) -> None:
    kit = Message("sysex", data=bytes.fromhex("41 10 42 12 40 13 15 01 00"))  # GS: channel 3 plays drums
    melody = [MetaMessage("time_signature", numerator=4), *scale((72, 74, 76, 77) * 4, 480)]
    bass = [MetaMessage("midi_port", port=1), Message("program_change", program=33), *scale((40, 43) * 4, 960)]
    drums = [MetaMessage("midi_port", port=0), kit, *(m.copy(channel=2) for m in scale((36, 38) * 8, 480))]
    Path("song.mid").write_bytes(file_of(melody, bass, drums))
    with listening_when_there() as listener:
        code, _, err = command("continue", "song.mid", "--from", 4, "--bars", 1, "--seed", 1, "--live", "--wait")
        messages = listener().wait_for(is_silenced)
    assert code == 0
    assert err.count("plays on 2 ports") == 1
    ons = [(m[0] & 0x0F, m[1]) for m in messages if m[0] & 0xF0 == 0x90]
    assert {pitch for channel, pitch in ons if channel == 9} == {36, 38}
    (other,) = {channel for channel, _ in ons} - {0, 9}
    assert [pitch for channel, pitch in ons if channel == other][-2:] == [40, 43]  # the original returns on it


def test_the_port_is_heard_while_the_take_is_being_sampled(
    command: Command, jack: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """At 60 events a second; the second half is not sampled until a note has arrived, however busy the machine is."""
    from core.generation.engine import Engine

    decode_one = Engine.decode_one
    events, rate = 110, 60.0
    sampled: list[float] = []  # when each event was

    with listening_when_there() as listener:

        def has_heard() -> bool:
            return any(message[0] & 0xF0 == 0x90 for _, message in listener().received)

        def slow(self: Engine, *arguments):
            due = (sampled[0] if sampled else time.perf_counter()) + len(sampled) / rate
            time.sleep(max(0.0, due - time.perf_counter()))
            sampled.append(time.perf_counter())
            if len(sampled) == events // 2:
                wait_for(has_heard, "a note")
            return decode_one(self, *arguments)

        monkeypatch.setattr(Engine, "decode_one", slow)
        line = ("continue", NOCTURNE, *ONE, "-o", "o.mid", "--take-only", "--events", events, "--seed", 4)
        command.json(*line, "--live", "--wait")
        assert len(sampled) == events - 1
        assert sampled[-1] - sampled[0] >= (events - 2) / rate
        assert_same_notes(listener().messages, Path("o.mid"))


def test_an_existing_port_by_part_of_its_name(command: Command, song: Path, tiny: Path, jack: dict[str, str]) -> None:
    with Listener(own_port="Grand Piano") as listener:
        assert "Grand Piano" in {p["name"].split(":")[-1] for p in command.json("ports")["ports"]}
        line = (
            "continue",
            song,
            "-o",
            "o.mid",
            "--take-only",
            "--model",
            tiny,
            "--seconds",
            1,
            "--grid",
            "off",
            "--seed",
            9,
        )
        code, _, err = command(*line, "--live", "grand pi")
        assert code == 0
        assert "Grand Piano" in err
        messages = listener.wait_for(is_silenced)
        assert_same_notes(messages, Path("o.mid"))


def test_play_ends_where_the_engine_cannot_lay_out_the_file(
    command: Command, song: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise MemoryError

    monkeypatch.setattr("core.performance.playback.timeline", fail)
    monkeypatch.setattr("core.cli.play.VirtualPort", NoOutput)
    code, _, err = command("play", song)
    assert code != 0
    assert "Traceback" not in err


def test_play_sends_all_of_a_file(command: Command, tmp_path: Path, jack: dict[str, str]) -> None:
    from tests.core.midi.builders import control, file_of, scale

    (tmp_path / "short.mid").write_bytes(
        file_of([control(64, 127), *scale(length=30), control(64, 0), *scale((60,), 30)])
    )
    expected = [message for _, message in score_messages(read_score(tmp_path / "short.mid"))]
    with Listener(own_port="Grand Piano") as listener:
        result = command.json("play", "short.mid", "--port", "grand")
        messages = listener.wait_for(is_silenced)
        assert without_repeats(messages) == without_repeats(expected)
        assert result["sent"] == len(expected)
        assert "Grand Piano" in result["output"]


def by_a_nervous_finger(process: subprocess.Popen[str]) -> None:
    """Ctrl-C, twice."""
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGINT)


def by_closing_the_terminal(process: subprocess.Popen[str]) -> None:
    """The player is told, too."""
    os.killpg(process.pid, signal.SIGHUP)


@pytest.mark.parametrize("interrupt", [by_a_nervous_finger, by_closing_the_terminal])
def test_an_end_in_mid_chord_silences_saves_and_reports(
    interrupt: Callable[[subprocess.Popen[str]], None], tmp_path: Path, jack: dict[str, str]
) -> None:
    out = tmp_path / "o.mid"
    process = start("continue", NOCTURNE, *ONE, "-o", out, "--take-only", "--seconds", "inf", "--seed", 4,
                    "--live", "--wait", "--json", env=jack)  # fmt: skip
    try:
        with Listener("Continuo") as listener:
            listener.wait_for(lambda ms: len(sounding(ms)) >= 2)
            interrupt(process)
            stdout, stderr = process.communicate(timeout=WAIT)
            assert process.returncode == 130, stderr
            assert "Traceback" not in stderr
            result = json.loads(stdout.splitlines()[-1])
            assert result["outputs"] == [str(out)]
            assert result["notes"] == len(take_notes(out)) >= 2
            assert_silenced(listener.wait_for(is_silenced))
    finally:
        process.kill()
        process.communicate()


def test_kill_9_of_the_command_leaves_no_note_hanging(tmp_path: Path, jack: dict[str, str]) -> None:
    process = start("continue", NOCTURNE, *ONE, "--seconds", 60, "--seed", 4, "--live", "--wait", env=jack)
    try:
        with Listener("Continuo") as listener:
            listener.wait_for(lambda ms: len(sounding(ms)) >= 2)
            process.kill()
            process.communicate()
            assert_silenced(listener.wait_for(is_silenced))
            wait_for(lambda: not any("Continuo" in port for port in listener.ports()), "the player to end")
    finally:
        process.kill()
        process.communicate()


def test_a_player_that_is_killed_leaves_no_note_hanging(
    command: Command, hasty_jack: JackServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    from core.generation.engine import Engine

    decode_one = Engine.decode_one
    killed: list[int] = []

    with Listener(own_port="Grand Piano") as listener:

        def fatal(self: Engine, *arguments):
            if not killed and sounding(listener.messages):
                killed.append(multiprocessing.active_children()[0].pid or 0)
                os.kill(killed[0], signal.SIGKILL)
            return decode_one(self, *arguments)

        monkeypatch.setattr(Engine, "decode_one", fatal)
        line = ("continue", NOCTURNE, *ONE, "-o", "o.mid", "--take-only", "--seconds", "inf", "--seed", 4)
        code, _, err = command(*line, "--live", "grand pi")
        assert code == 1
        assert "ended unexpectedly" in err
        assert "sound on" not in err
        assert killed
        listener.wait_for(is_silenced)


class LostWhileWaiting(FakePlayer):
    """Has more in hand than is sampled ahead, and is lost before any of it has sounded."""

    def status(self) -> PlayerStatus:
        asked = next(LOOKS)
        assert asked < 1000, "a player that is lost is waited for"
        problem = "The player has ended unexpectedly." if asked > 20 else ""
        return PlayerStatus(state="playing", ahead=100.0, head=100.0, connected=True, problem=problem)


LOOKS = itertools.count()


def test_a_player_that_is_lost_while_sampling_waits_for_the_playhead_is_not_waited_for(
    command: Command, song: Path, tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.performance.output.Player", LostWhileWaiting)
    monkeypatch.setattr("core.performance.run._LOOK_AGAIN", 0.001)
    line = ("continue", song, *ONE, "-o", "o.mid", "--model", tiny, "--seconds", "inf", "--seed", 4, "--live")
    code, _, err = command(*line)
    assert code == 1
    assert "ended unexpectedly" in err


def test_sigterm_while_waiting_for_a_connection(jack: dict[str, str]) -> None:
    process = start("continue", NOCTURNE, *ONE, "--live", "--wait", env=jack)
    try:
        assert process.stderr
        for line in process.stderr:
            if "Waiting" in line:
                break
        process.send_signal(signal.SIGTERM)
        stdout, stderr = process.communicate(timeout=WAIT)
        assert (process.returncode, stdout, stderr) == (130, "", "")
    finally:
        process.kill()
        process.communicate()


def player_of(process: subprocess.Popen[str]) -> int:
    """The process that plays for a command."""
    children = Path(f"/proc/{process.pid}/task").glob("*/children")
    pids = [int(pid) for file in children for pid in file.read_text().split()]
    return next(pid for pid in pids if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes())


def test_a_run_that_fails_before_its_first_event_leaves_the_output_file_as_it_is(
    tmp_path: Path, hasty_jack: JackServer
) -> None:
    out = tmp_path / "o.mid"
    out.write_bytes(NOCTURNE.read_bytes())
    process = start(
        "continue", NOCTURNE, *ONE, "-o", out, "--seconds", 5, "--seed", 4, "--live", "--json", env=dict(os.environ)
    )
    try:
        assert process.stderr
        for line in process.stderr:
            if "Playing to" in line:
                break
        os.kill(player_of(process), signal.SIGKILL)
        stdout, stderr = process.communicate(timeout=WAIT)
        assert (process.returncode, stdout) == (1, "")
        assert "ended unexpectedly" in stderr
        assert out.read_bytes() == NOCTURNE.read_bytes()
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("programs", [(), ("--programs",)])
def test_a_take_is_played_on_its_voice_as_in_the_window(
    command: Command, song: Path, tiny: Path, jack: dict[str, str], programs: tuple[str, ...]
) -> None:
    with Listener(own_port="Grand Piano") as listener:
        line = (
            "continue",
            song,
            "--into",
            "one",
            "--model",
            tiny,
            "--seconds",
            1,
            "--grid",
            "off",
            "--seed",
            9,
            "--live",
            "grand",
        )
        assert command.json(*line, *programs)["notes"] > 0
        messages = listener.wait_for(is_silenced)
        played = [m for m in messages if m[0] & 0xF0 in (0x80, 0x90)]
        assert {m[0] & 0x0F for m in played} == {2}  # the song has 0 and 1
        assert {m[2] for m in played if m[0] & 0xF0 == 0x80} <= {64, 0}  # 0: silenced at the end
        # A port keeps its own sounds unless it is to be told.
        assert bool([m for m in messages if m[0] & 0xF0 == 0xC0]) == bool(programs)


def test_what_was_sampled_is_saved_when_the_midi_system_dies(
    command: Command, mortal_jack: JackServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    from core.generation.engine import Engine

    decode_one = Engine.decode_one
    count = iter(range(1_000_000))

    def fatal(self: Engine, *arguments):
        if next(count) == 100:
            mortal_jack.close()
        return decode_one(self, *arguments)

    monkeypatch.setattr(Engine, "decode_one", fatal)
    code, out, err = command(
        "continue", NOCTURNE, *ONE, "-o", "o.mid", "--take-only", "--seconds", "inf", "--live", "--json"
    )
    assert code == 1
    assert "JACK server has ended" in err
    assert json.loads(out.splitlines()[-1])["notes"] == len(take_notes(Path("o.mid"))) > 0
