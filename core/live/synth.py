"""The built-in synth: the bundled soundfont, live through the audio device, or for a file.

`Voices` turns MIDI messages into sound (tinysoundfont); `SynthOutput` plays them in miniaudio's callback.
"""

import threading
import time
from collections import deque
from collections.abc import Generator
from contextlib import suppress
from typing import TYPE_CHECKING

from core.errors import NotFound
from core.midi.messages import (
    ALL_NOTES_OFF,
    CONTROL,
    NOTE_OFF,
    NOTE_ON,
    PEDAL_DOWN,
    PITCH_BEND,
    PROGRAM,
    SUSTAIN,
    channel_of,
    kind,
)
from core.midi.score import PERCUSSION_CHANNEL
from core.resources import bundled

if TYPE_CHECKING:
    import miniaudio

SAMPLE_RATE = 48000
BYTES_PER_FRAME = 8  # two channels of float32
GAIN_DB = 3.0
BUFFER_MS = 10
LONGEST_TAIL = 3.0  # seconds rendered after the last message
CLOSING_TAIL = 0.5  # seconds for which releases may ring when the output is closed

# General MIDI families (program // 8) of which the soundfont has no preset, and what stands in for them.
STAND_INS = {5: 48, 12: 88, 13: 24, 14: 11, 15: 88}


class Voices:
    """The bundled soundfont on 16 channels. Not safe for two threads at once."""

    def __init__(self, sample_rate: int = SAMPLE_RATE) -> None:
        import tinysoundfont

        self._synth = tinysoundfont.Synth(gain=GAIN_DB, samplerate=sample_rate)
        font = self._synth.sfload(str(bundled("soundfont", "continuo-gm16.sf3")))
        self._presets = [p for p in range(128) if self._synth.sfpreset_name(font, 0, p)]
        # tinysoundfont ignores the sustain pedal, so releases wait here while it is down.
        self._pedals: set[int] = set()
        self._held: set[tuple[int, int]] = set()
        for channel in range(16):
            self._change_program(channel, 0)

    def play(self, message: bytes) -> None:
        """Take one MIDI message; those that a synth has no use for are passed over."""
        status, channel = kind(message), channel_of(message)
        if status == NOTE_ON and message[2] > 0:
            self._synth.noteoff(channel, message[1])  # a re-strike ends the sounding note
            self._held.discard((channel, message[1]))
            self._synth.noteon(channel, message[1], message[2])
        elif status in (NOTE_ON, NOTE_OFF):
            if channel in self._pedals:
                self._held.add((channel, message[1]))
            else:
                self._synth.noteoff(channel, message[1])
        elif status == CONTROL:
            self._control(channel, message[1], message[2])
        elif status == PROGRAM:
            self._change_program(channel, message[1])
        elif status == PITCH_BEND:
            self._synth.pitchbend(channel, message[1] | message[2] << 7)

    def render(self, frames: int) -> memoryview:
        """The next `frames` frames: interleaved stereo float32, as bytes."""
        return self._synth.generate(frames)

    def _control(self, channel: int, controller: int, value: int) -> None:
        if controller == SUSTAIN:
            if value >= PEDAL_DOWN:
                self._pedals.add(channel)
            else:
                self._lift_pedal(channel)
        else:
            if controller >= ALL_NOTES_OFF:  # 124 to 127 end all notes too
                self._lift_pedal(channel)
                controller = ALL_NOTES_OFF
            self._synth.control_change(channel, controller, value)

    def _lift_pedal(self, channel: int) -> None:
        self._pedals.discard(channel)
        for note in [note for note in self._held if note[0] == channel]:
            self._held.discard(note)
            self._synth.noteoff(*note)

    def _change_program(self, channel: int, program: int) -> None:
        if channel == PERCUSSION_CHANNEL:
            self._synth.program_change(channel, 0, True)  # the one drum kit there is
            return
        program = STAND_INS.get(program // 8, program)
        # The family's own preset if there is one (piano for piano, bass for bass), and the nearest of it.
        nearest = min(self._presets, key=lambda p: (p // 8 != program // 8, abs(p - program)))
        self._synth.program_change(channel, nearest)


def open_synth() -> "SynthOutput":
    """Open the computer's audio device; raises NotFound if there is none."""
    import miniaudio

    # The null backend plays into nowhere without a word: never let it count as a device.
    silent = {miniaudio.Backend.NULL, miniaudio.Backend.CUSTOM}
    # One by one: given several, miniaudio settles on the first that loads, device or not.
    for backend in sorted(miniaudio.get_enabled_backends() - silent, key=lambda backend: backend.value):
        with suppress(miniaudio.MiniaudioError):
            return SynthOutput(
                miniaudio.PlaybackDevice(
                    output_format=miniaudio.SampleFormat.FLOAT32,
                    nchannels=2,
                    sample_rate=SAMPLE_RATE,
                    buffersize_msec=BUFFER_MS,
                    backends=[backend],
                    app_name="Continuo",
                )
            )
    raise NotFound("No audio device was found: connect or switch one on, or play to a MIDI port instead.")


class SynthOutput:
    """The built-in synth on an audio device; see `MidiOutput` in outputs.py."""

    def __init__(self, device: "miniaudio.PlaybackDevice") -> None:
        self._voices = Voices()
        self._waiting: deque[tuple[float, bytes]] = deque()  # (wall time of the send, message)
        self._quiet = threading.Event()  # set when a block without sound was rendered
        self._device = device
        self.description = f"built-in synth ({device.backend})"
        blocks = self._blocks()
        next(blocks)
        device.start(blocks)

    def _blocks(self) -> Generator[bytes, int, None]:
        """miniaudio's callback: is sent a number of frames, yields their samples.

        A message sent during one block sounds at the same place in the next, so that every message
        is late by the same amount rather than by anything up to a block.
        """
        frames = yield b""
        before = time.perf_counter()
        while True:
            now = time.perf_counter()
            parts: list[memoryview] = []
            done = 0
            while self._waiting and self._waiting[0][0] <= now:
                sent, message = self._waiting.popleft()
                place = min(int((sent - before) * SAMPLE_RATE), frames)
                if place > done:
                    parts.append(self._voices.render(place - done))
                    done = place
                self._voices.play(message)
            if done < frames:
                parts.append(self._voices.render(frames - done))
            before = now
            block = b"".join(parts)
            if self._waiting or block.count(0) < len(block):
                self._quiet.clear()
            else:
                self._quiet.set()
            frames = yield block

    def deliver(self) -> bool:
        """Nothing leaves this process: `close` waits until all is rendered."""
        return False

    def has_lost_cycles(self) -> bool:
        """A block that comes late is heard late."""
        return False

    def send(self, message: bytes) -> None:
        """Sound the message in the next block."""
        self._quiet.clear()
        self._waiting.append((time.perf_counter(), message))

    def close(self) -> None:
        """Let what was released ring out for a moment, then close the device."""
        self._quiet.wait(CLOSING_TAIL)
        self._device.close()

    def is_connected(self) -> bool | None:
        """An audio device is always listened to."""
        return True

    def problem(self) -> str:
        """A sentence once the audio device has stopped by itself."""
        if self._device.callback_generator is None:
            return "The audio device has stopped, so nothing can be heard."
        return ""
