"""The built-in synth, rendered offline and played through JACK (which needs no sound card)."""

import importlib
from collections.abc import Iterable
from typing import Any

import miniaudio
import numpy as np
import pytest

from core.errors import NotFound
from core.live.outputs import BuiltInSynth, open_output
from core.live.scheduler import Message
from core.live.synth import LONGEST_TAIL, SAMPLE_RATE, Voices
from tests.conftest import wait_for

C4_ON, C4_OFF = b"\x90\x3c\x64", b"\x80\x3c\x00"


def render(messages: Iterable[Message], sample_rate: int = SAMPLE_RATE) -> np.ndarray:
    """The sound of `messages` (in order of time, from 0 s): float32, shape (frames, 2), with its tail."""
    voices = Voices(sample_rate)
    blocks: list[np.ndarray] = []
    done = 0
    for song_time, message in messages:
        frame = round(song_time * sample_rate)
        if frame > done:
            blocks.append(np.frombuffer(voices.render(frame - done), np.float32))
            done = frame
        voices.play(message)
    blocks.append(np.frombuffer(voices.render(round(LONGEST_TAIL * sample_rate)), np.float32))
    return np.concatenate(blocks).reshape(-1, 2)


def loudness(sound: np.ndarray, start: float, end: float) -> float:
    return float(np.sqrt(np.mean(sound[int(start * SAMPLE_RATE) : int(end * SAMPLE_RATE)] ** 2)))


def pitch(sound: np.ndarray) -> float:
    """The strongest frequency (Hz) from 0.2 s to 1.2 s, to 1 Hz."""
    part = sound[int(0.2 * SAMPLE_RATE) : int(1.2 * SAMPLE_RATE), 0]
    return float(np.argmax(np.abs(np.fft.rfft(part))))


def test_a_note_sounds_and_ends():
    sound = render([(0.5, C4_ON), (1.0, C4_OFF)])
    assert loudness(sound, 0.0, 0.5) == 0
    assert loudness(sound, 0.5, 1.0) > 0.01
    assert loudness(sound, 3.0, 3.9) == 0
    assert np.abs(sound).max() < 1


def test_all_notes_off_ends_even_pedalled_notes():
    for release in ([], [(0.4, C4_OFF)]):
        sound = render([(0.0, b"\xb0\x40\x7f"), (0.0, C4_ON), *release, (0.5, b"\xb0\x7b\x00")])
        assert loudness(sound, 0.2, 0.4) > 0.01
        assert loudness(sound, 2.5, 3.4) == 0


def test_the_pedal_holds_a_released_note_until_it_is_lifted():
    held = [(0.0, b"\xb0\x40\x7f"), (0.0, C4_ON), (0.3, C4_OFF), (1.5, b"\xb0\x40\x00")]
    sound = render(held)
    dry = render([(0.0, C4_ON), (0.3, C4_OFF), (1.5, b"\xb0\x40\x00")])
    assert loudness(sound, 1.2, 1.5) > 20 * loudness(dry, 1.2, 1.5)
    assert loudness(sound, 3.5, 4.4) == 0


@pytest.mark.parametrize("channel", range(16))
def test_every_channel_sounds(channel):
    assert loudness(render([(0.0, bytes((0x90 | channel, 60, 100)))]), 0.0, 0.3) > 0.005


def test_channel_ten_plays_drums_and_program_changes_change_the_sound():
    piano = render([(0.0, C4_ON)])
    flute = render([(0.0, b"\xc0\x49"), (0.0, C4_ON)])
    drum = render([(0.0, b"\x99\x3c\x64")])
    assert not np.allclose(piano[:SAMPLE_RATE], flute[:SAMPLE_RATE], atol=0.01)
    assert not np.allclose(piano[:SAMPLE_RATE], drum[:SAMPLE_RATE], atol=0.01)


@pytest.mark.parametrize("program", range(128))
def test_every_program_has_a_sound(program, shared_voices):
    shared_voices.play(bytes((0xC0, program)))
    shared_voices.play(C4_ON)
    block = np.frombuffer(shared_voices.render(4800), np.float32)
    shared_voices.play(b"\xb0\x78\x00")
    assert np.abs(block).max() > 0.001


@pytest.fixture(scope="module")
def shared_voices():
    from core.live.synth import Voices

    return Voices()


def test_pitch_bend_bends():
    straight = pitch(render([(0.0, C4_ON)]))
    bent = pitch(render([(0.0, b"\xe0\x7f\x7f"), (0.0, C4_ON)]))  # two semitones up
    assert bent / straight == pytest.approx(2 ** (2 / 12), rel=0.01)


def test_no_audio_device_is_one_sentence(monkeypatch):
    useless = {miniaudio.Backend.NULL, miniaudio.Backend.CUSTOM, miniaudio.Backend.JACK}
    monkeypatch.setattr(miniaudio, "get_enabled_backends", lambda: useless)
    with pytest.raises(NotFound, match=r"^No audio device was found[^.]*\.$"):
        open_output(BuiltInSynth())


def test_a_note_is_heard_through_the_audio_device(jack, monkeypatch):
    monkeypatch.setattr(miniaudio, "get_enabled_backends", lambda: {miniaudio.Backend.JACK})
    jack_client: Any = importlib.import_module("jack")
    loudest = 0.0
    ear = jack_client.Client("ear")
    hole: Any = ear.inports.register("in")

    @ear.set_process_callback
    def listen(frames: int) -> None:
        nonlocal loudest
        loudest = max(loudest, float(np.abs(hole.get_array()).max()))

    output = open_output(BuiltInSynth())
    try:
        ear.activate()
        mouth = next(p for p in ear.get_ports(is_audio=True, is_output=True) if p.name.startswith("Continuo"))
        ear.connect(mouth, hole)
        assert output.description == "built-in synth (JACK)"
        output.send(C4_ON)
        wait_for(lambda: loudest > 0.001, "the note to be heard")
        assert output.problem() == ""
    finally:
        output.send(b"\xb0\x7b\x00")
        output.close()
        ear.deactivate()
        ear.close()
