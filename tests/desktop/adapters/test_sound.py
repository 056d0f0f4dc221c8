"""What reaches a real MIDI port from the real window: takes as they are sampled, joins, lost ports and players."""

import os
import signal
import threading
import time
from collections.abc import Callable, Sequence

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from core.errors import NotFound
from core.live.outputs import BuiltInSynth, ExistingPort, NoOutput, OutputChoice, VirtualPort
from core.live.player import Player
from core.performance import output
from core.settings import load_settings
from tests.conftest import JackServer, Listener
from tests.desktop.windows import Desk

MakeDesk = Callable[..., Desk]


def ons(messages: list[bytes]) -> list[int]:
    """The pitches struck, in order."""
    return [m[1] for m in messages if m[0] & 0xF0 == 0x90 and m[2]]


def sounding(messages: list[bytes]) -> set[tuple[int, int]]:
    """What still sounds after these messages."""
    held: set[tuple[int, int]] = set()
    for m in messages:
        if m[0] & 0xF0 == 0x90 and m[2]:
            held.add((m[0] & 15, m[1]))
        elif m[0] & 0xF0 in (0x80, 0x90):
            held.discard((m[0] & 15, m[1]))
        elif m[0] & 0xF0 == 0xB0 and m[1] in (120, 123):
            held = {key for key in held if key[0] != m[0] & 15}
    return held


def test_a_take_is_heard_while_it_is_sampled(desk: MakeDesk, jack: dict[str, str]) -> None:
    at = desk(VirtualPort())
    at.wait_until_open()
    with Listener("Continuo") as listener:
        at.open()
        at.wait_until_ready()
        at.set(length=100.0)  # a machine that is slower than the music samples much of that before it begins
        at.window.proceed()
        at.wait(lambda: len(ons(listener.messages)) >= 3, "notes at the port")
        assert at.window.generation.is_running
        at.window.transport.stop()
        at.wait(lambda: at.takes, "the take")
        messages = listener.wait_for(lambda m: not sounding(m))
    struck = ons(messages)
    assert struck == [note.pitch for note in at.takes[0].notes][: len(struck)]


def test_continue_while_playing_joins_at_the_marker(desk: MakeDesk, jack: dict[str, str]) -> None:
    at = desk(VirtualPort())
    at.wait_until_open()
    with Listener("Continuo") as listener:
        at.open()
        at.window.roll.marker_moved.emit(4.9)  # far enough ahead for a busy machine
        at.wait_until_ready()
        at.set(length=1.5, rest="rest")
        window = at.window
        window.transport.play(1.0)
        at.wait(lambda: window.transport.position > 1.1, "the playhead")
        song = window.playback._song
        window.proceed()
        assert window.playback._song is song  # it goes on in the same song
        at.wait(lambda: at.takes, "the take")
        at.wait(lambda: not window.transport.is_playing, "the end")
        messages = listener.wait_for(lambda m: not sounding(m))
        score, take = window.document.session.score, at.takes[0]
        assert score
        prompt = sorted((n.start, n.pitch) for t in score.tracks for n in t.notes if 1.0 <= n.start < 4.9)
        assert sorted(ons(messages)) == sorted([pitch for _, pitch in prompt] + [n.pitch for n in take.notes])
        # Notes that begin at one time may come in any order.
        assert sorted(ons(messages)[len(prompt) :]) == sorted(n.pitch for n in take.notes)


@pytest.mark.posix
def test_a_player_that_dies_is_replaced_and_the_music_goes_on(desk: MakeDesk) -> None:
    # Not on JACK: a server that waits for its clients would wait for the dead one.
    at = desk()
    at.open()
    at.wait_until_open()
    window = at.window
    window.transport.play(0.0)
    at.wait(lambda: window.transport.position > 0.5, "the playhead")
    first = window.playback.output.player
    assert first is not None
    assert first._process.pid
    os.kill(first._process.pid, signal.SIGKILL)
    at.wait(lambda: any("ended unexpectedly" in sentence for sentence in at.messages), "a sentence")
    died_at, since = window.transport.position, time.monotonic()
    at.wait(lambda: window.playback.output.player not in (first, None), "another player")
    at.wait(lambda: window.transport.position > died_at + 0.2, "the playhead to go on")
    assert window.transport.position < died_at + time.monotonic() - since  # from where it was, and not faster than time
    assert window.transport.is_playing
    # While a take is sampled, too: what was sampled meanwhile is not lost.
    at.set(length=6.0)
    window.transport.stop()
    window.proceed()
    second = window.playback.output.player
    assert second is not None
    at.wait(lambda: window.transport.position > window.document.session.marker + 0.2, "the take to sound")
    assert second._process.pid
    os.kill(second._process.pid, signal.SIGKILL)
    at.wait(lambda: window.playback.output.player not in (second, None), "a third player")
    at.wait(lambda: window.transport.position > at.window.document.session.marker + 2.0, "the take to go on")
    window.transport.stop()


def test_a_port_that_goes_in_mid_play_leaves_silence_and_comes_back(desk: MakeDesk, jack: dict[str, str]) -> None:
    listener = Listener(own_port="Synth")
    at = desk(ExistingPort("Synth"))
    at.open()
    at.wait_until_open()
    window = at.window
    window.transport.play(0.0)
    at.wait(lambda: ons(listener.messages), "notes at the port")
    listener.close()
    at.wait(lambda: any("silently" in sentence for sentence in at.messages), "a sentence")
    at.wait(lambda: window.playback.output.description, "the silent output")
    before = window.transport.position
    at.wait(lambda: window.transport.position > before + 0.2, "the playhead to go on")
    with Listener(own_port="Synth") as again:
        window.playback.output.look_for_ports()
        at.wait(lambda: ons(again.messages), "notes at the port that is back")
    window.transport.stop()
    window.preferences.flush()
    at.settle()
    assert load_settings().output == ExistingPort("Synth")


def test_the_midi_system_may_end(desk: MakeDesk, mortal_jack: JackServer) -> None:
    at = desk(VirtualPort())
    at.open()
    at.wait_until_open()
    at.window.transport.play(0.0)
    at.wait(lambda: at.window.transport.position > 0.2, "the playhead")
    mortal_jack.close()
    at.wait(lambda: any("silently" in sentence for sentence in at.messages), "a sentence")
    assert at.sample(1.0).notes


def test_panic_silences_all_channels(desk: MakeDesk, jack: dict[str, str]) -> None:
    at = desk(VirtualPort())
    at.wait_until_open()
    with Listener("Continuo") as listener:
        at.window.roll.key_pressed.emit(60)
        listener.wait_for(lambda m: 60 in ons(m))
        QTest.keyClick(at.window, Qt.Key.Key_Period, Qt.KeyboardModifier.ControlModifier)
        messages = listener.wait_for(lambda m: len([x for x in m if x[0] & 0xF0 == 0xB0 and x[1] == 123]) >= 16)
        assert not sounding(messages)


def test_channel_and_programs_of_external_ports(desk: MakeDesk, jack: dict[str, str]) -> None:
    at = desk(VirtualPort())
    at.window.preferences.change(channel=4)
    at.wait_until_open()
    with Listener("Continuo") as listener:
        at.open()
        at.window.transport.play(0.0)
        messages = listener.wait_for(lambda m: len(ons(m)) >= 4)
        assert {m[0] & 15 for m in messages} == {4}
        assert not [m for m in messages if m[0] & 0xF0 == 0xC0]
        at.window.transport.stop()


def test_closing_in_mid_take_ends_threads_and_silences(desk: MakeDesk, jack: dict[str, str]) -> None:
    at = desk(VirtualPort())
    at.wait_until_open()
    listener = Listener("Continuo")
    at.open()
    at.wait_until_ready()
    at.set(length=100.0)
    at.window.proceed()
    at.wait(lambda: sounding(listener.messages), "a note")
    at.answers.leaving = "discard"
    at.window.close()
    at.wait(lambda: not at.window.isVisible(), "the window to close")
    assert not at.window.worker.is_alive
    assert not [t for t in threading.enumerate() if t.name.startswith("continuo")]
    assert not sounding(listener.wait_for(lambda m: not sounding(m)))
    listener.close()


def test_the_virtual_port_stands_open_whatever_the_sound_goes_to(desk: MakeDesk, jack: dict[str, str]) -> None:
    at = desk(NoOutput())
    window = at.window
    at.wait(lambda: window.playback.output._port._player is not None, "the port, which nobody has asked for")
    other = Listener(own_port="Synth")
    with Listener("Continuo:Continuo") as daw:  # connected once, before the port is chosen
        for pitch, choice in ((60, VirtualPort()), (61, ExistingPort("Synth")), (62, VirtualPort())):
            before = window.playback.output.player
            window.choices.choose_output(choice)
            at.wait(lambda before=before: window.playback.output.player not in (before, None), "the output to open")
            window.roll.key_pressed.emit(pitch)
            window.roll.key_released.emit(pitch)
        daw.wait_for(lambda m: ons(m) == [60, 62] and not sounding(m))
        other.wait_for(lambda m: ons(m) == [61] and not sounding(m))
        other.close()
        window._close()
        assert not [name for name in daw.ports() if "Continuo" in name]


def test_the_synth_comes_back_with_the_audio_device(desk: MakeDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    has_device = False

    def player(choice: OutputChoice, release: Sequence[bytes] = ()) -> Player:
        if isinstance(choice, BuiltInSynth) and not has_device:
            raise NotFound("No audio device was found.")
        return Player(NoOutput())

    monkeypatch.setattr(output, "Player", player)
    at = desk(BuiltInSynth())
    at.wait(lambda: at.window.status.output.text() == "Sound: silent", "the status bar to say so")
    opened: list[str] = []
    at.window.sound_signals.opened.connect(opened.append)

    def try_again() -> None:
        at.wait(lambda: not at.window.playback.output.is_busy, "the ports to be looked for")  # else it is not tried
        at.window.playback.try_again()

    try_again()
    at.wait(lambda: opened == ["silent"], "another try")
    has_device = True
    try_again()
    at.wait(lambda: opened == ["silent", "no output"], "the device")
    assert len([sentence for sentence in at.messages if "audio device" in sentence]) == 1
