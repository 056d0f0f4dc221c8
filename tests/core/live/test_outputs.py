"""Choosing, naming and opening outputs. The MIDI ports are real ones, on a JACK dummy server."""

import pickle
import subprocess
import sys
from pathlib import Path

import mido
import pytest

from core.errors import ContinuoError, NotFound, WriteError
from core.live import rtmidi_output
from core.live.jack_watch import JackWatch
from core.live.outputs import (
    BuiltInSynth,
    ExistingPort,
    MidiFileOutput,
    NoOutput,
    Recording,
    VirtualPort,
    list_ports,
    open_output,
    panic,
)
from core.live.rtmidi_output import alsa_is_connected, choose_port
from core.live.sounding import Sounding
from tests.conftest import JackServer, Listener, wait_for

PORTS = ["Midi Through:Midi Through Port-0 14:0", "Synth:In 20:0", "Synth Pad:In 21:0"]


@pytest.mark.parametrize(("part", "chosen"), [("through", 0), ("synth", 1), ("Synth:In", 1), ("pad", 2), ("21:0", 2)])
def test_a_port_is_chosen_by_part_of_its_name(part, chosen):
    assert choose_port(PORTS, part) == chosen


def test_an_unknown_port_is_told_with_those_there_are():
    with pytest.raises(NotFound, match=r'"Organ".*Midi Through Port-0 14:0, Synth:In 20:0'):
        choose_port(PORTS, "Organ")
    with pytest.raises(NotFound, match="there is none"):
        choose_port([], "Organ")
    with pytest.raises(NotFound):
        choose_port(PORTS, " ")


def test_a_part_of_several_names_is_told_with_the_matches():
    with pytest.raises(NotFound, match=r"any of these.*Synth:In 20:0, Synth Pad:In 21:0"):
        choose_port(PORTS, "syn")


def test_the_wavetable_synth_of_windows_is_never_chosen_in_silence():
    ports = ["Microsoft GS Wavetable Synth 0", "Synthesizer 1"]
    assert choose_port(ports, "synth") == 1
    assert choose_port(ports, "wavetable") == 0
    with pytest.raises(NotFound):
        choose_port(ports, "microsoft")


def test_windows_is_told_about_loopback_ports(monkeypatch):
    monkeypatch.setattr(sys, "platform", "win32")
    with pytest.raises(NotFound, match=r'Windows MIDI Services or loopMIDI.*--live "loopMIDI"'):
        open_output(VirtualPort())


@pytest.mark.linux
def test_no_midi_system_is_one_sentence(capfd):
    for attempt in (list_ports, lambda: open_output(VirtualPort()), lambda: open_output(ExistingPort("x"))):
        with pytest.raises(NotFound, match=r"^No MIDI system was found: [^.]*\.$"):
            attempt()
    assert capfd.readouterr().err == ""


def test_without_the_alsa_library_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "rtmidi", None)  # importing it fails as it does there
    for attempt in (list_ports, lambda: open_output(VirtualPort())):
        with pytest.raises(NotFound, match="libasound2"):
            attempt()


def test_who_listens_on_alsa_is_read_from_its_client_list():
    text = """Client info
  cur  clients : 3
Client   0 : "System" [Kernel]
  Port   0 : "Timer" (Rwe-) [In/Out]
    Connecting To: 128:0
Client 128 : "Continuo" [User Legacy]
  Port   0 : "Continuo" (R-e-) [In/Out]
Client 129 : "DAW" [User Legacy]
  Port   0 : "in" (-We-) [Out]
    Connected From: 128:0
"""
    assert not alsa_is_connected(text, "Continuo")
    connected = text.replace('"Continuo" (R-e-) [In/Out]\n', '"Continuo" (R-e-) [In/Out]\n    Connecting To: 129:0\n')
    assert alsa_is_connected(connected, "Continuo")
    assert not alsa_is_connected(connected, "DAW")


def test_choices_travel_to_another_process():
    for choice in (VirtualPort("A"), ExistingPort("b"), BuiltInSynth(), MidiFileOutput(Path("x.mid")), NoOutput()):
        assert pickle.loads(pickle.dumps(choice)) == choice


def test_a_virtual_port_knows_whether_anybody_listens(jack):
    first = open_output(VirtualPort("Continuo test"))
    second = open_output(VirtualPort("Continuo test"))  # JACK gives it another client name
    try:
        assert first.description == "virtual port Continuo test (JACK)"
        assert first.is_connected() is False
        with Listener("Continuo test") as listener:
            wait_for(lambda: first.is_connected() is True, "the connection to be noticed")
            assert second.is_connected() is False
            first.send(b"\x90\x3c\x50")
            panic(first, Sounding([b"\x90\x3c\x50"]))
            messages = listener.wait_for(lambda m: len(m) == 4)
        assert messages == [b"\x90\x3c\x50", b"\x80\x3c\x00", b"\xb0\x40\x00", b"\xb0\x7b\x00"]
        wait_for(lambda: first.is_connected() is False, "the end of the connection to be noticed")
        assert first.problem() == ""
    finally:
        first.close()
        second.close()


def test_an_existing_port_is_listed_played_to_and_missed_when_gone(jack):
    with Listener(own_port="Grand Synth") as synth:
        names = [port.name for port in list_ports() if port.api == "JACK"]
        assert any("Grand Synth" in name for name in names)
        output = open_output(ExistingPort("grand"))
        output.send(b"\x90\x3c\x50")
        synth.wait_for(lambda m: m == [b"\x90\x3c\x50"])
        assert output.is_connected() is True
        assert output.problem() == ""
    wait_for(lambda: output.problem() != "", "the loss to be noticed")
    assert "Grand Synth" in output.problem()
    output.close()
    with pytest.raises(NotFound, match="grand"):
        open_output(ExistingPort("grand"))


def test_a_port_is_not_gone_before_its_connection_holds(jack, monkeypatch):
    """It does from the server's next cycle on, which on a busy machine may be long in coming."""
    answers: list[bool] = []
    monkeypatch.setattr(JackWatch, "is_connected", lambda self: answers.pop(0))
    with Listener(own_port="Grand Synth"):
        output = open_output(ExistingPort("grand"))
        answers[:] = [False, True, False]
        assert [output.problem() != "" for _ in range(3)] == [False, False, True]
        output.close()
        unconnected = open_output(ExistingPort("grand"))
    answers[:] = [False] * 100_000
    wait_for(lambda: unconnected.problem() != "", "the loss to be noticed")
    unconnected.close()


# Of one client: jackd itself fails now and then where clients come and go.
COME_AND_GO = """
import jack, signal, time
ends = []
signal.signal(signal.SIGTERM, lambda *_: ends.append(True))
with jack.Client("fleeting", no_start_server=True) as client:
    print("ready", flush=True)
    while not ends:
        port = client.midi_inports.register("in")
        time.sleep(0.02)
        port.unregister()
        time.sleep(0.02)
"""


def test_ports_that_come_and_go_while_they_are_listed_are_no_error(mortal_jack: JackServer):
    program = subprocess.Popen([sys.executable, "-c", COME_AND_GO], stdout=subprocess.PIPE)
    try:
        assert program.stdout is not None
        program.stdout.readline()
        with Listener(own_port="Steady Synth"):
            lists: list[list[str]] = []

            def is_seen() -> bool:
                lists.append([port.name for port in list_ports()])
                return len(lists) >= 30 and any("fleeting" in name for names in lists for name in names)

            wait_for(is_seen, "the port that comes and goes")
    finally:
        program.terminate()
        program.communicate()
    assert all(any("Steady Synth" in name for name in names) for names in lists)


def test_a_jack_server_that_ends_is_a_sentence_and_no_hang(mortal_jack: JackServer):
    output = open_output(VirtualPort())
    mortal_jack.close()
    wait_for(lambda: output.problem() != "", "the end of the server to be noticed")
    with pytest.raises(ContinuoError, match="JACK server has ended"):
        output.send(b"\x90\x3c\x50")
    panic(output, Sounding([b"\x90\x3c\x50"]))
    assert output.is_connected() is False
    output.close()


def test_a_recording_is_a_midi_file_of_what_was_sent(tmp_path):
    path = tmp_path / "played.mid"
    output = Recording(path, clock=iter([50.0, 50.5, 52.0]).__next__)
    for message in (b"\x90\x3c\x50", b"\x80\x3c\x00", b"\xb0\x7b\x00"):
        output.send(message)
    assert not path.exists()
    output.close()
    played = [(m.time, bytes(m.bytes())) for m in mido.MidiFile(path) if not m.is_meta]
    assert played == [
        (pytest.approx(0.0), b"\x90\x3c\x50"),
        (pytest.approx(0.5), b"\x80\x3c\x00"),
        (pytest.approx(1.5), b"\xb0\x7b\x00"),
    ]


def test_a_recording_that_could_not_be_written_is_refused_at_once(tmp_path):
    for path in (tmp_path, tmp_path / "no such folder" / "x.mid"):
        with pytest.raises(WriteError):
            open_output(MidiFileOutput(path))


def test_rtmidi_is_imported_in_one_file_only():
    importers = [
        path.name
        for path in Path(rtmidi_output.__file__).parents[2].glob("core/**/*.py")
        if "import rtmidi" in path.read_text().replace("import rtmidi_output", "")
    ]
    assert importers == ["rtmidi_output.py"]
