"""A session -> MIDI bytes to save or drag, and sound to a WAV file."""

import os
import wave
from collections.abc import Callable
from dataclasses import replace
from typing import Literal

from core.errors import UsageError
from core.files import replacing, write_atomically
from core.live.synth import LONGEST_TAIL, SAMPLE_RATE, Voices
from core.midi.score import Score
from core.midi.write import rewrite_chunk, score_bytes, take_alone, with_takes
from core.session.playback import What, playing_range, timeline
from core.session.session import Session, TakeRecord

MidiContent = Literal["score", "score and take", "take", "all takes"]


def written_score(session: Session) -> Score | None:
    """The score with the chunks of edited tracks rewritten; the others stay byte for byte."""
    score = session.score
    if score is None or not session.edited:
        return score
    chunks = list(score.chunks)
    for chunk in {score.tracks[i].chunk for i in session.edited}:
        chunks[chunk] = rewrite_chunk(score, chunk, session.edited)
    return replace(score, chunks=tuple(chunks))


def midi_bytes(session: Session, content: MidiContent, take_id: str = "") -> bytes:
    """The bytes of a MIDI file of the session; `take_id` is for "take" and "score and take" (default: the current).

    With a take, the score is cut at the take's marker; with all takes, each a track from its own marker
    on, at the last of them. Raises UsageError if what is asked for is not there.
    """
    score = written_score(session)
    tracks = session.prompt_indices
    if content == "score":
        if score is None:
            raise UsageError("There is no score to save, only takes.")
        return score_bytes(score)
    if content == "all takes":
        if not session.takes:
            raise UsageError("There is no take to save.")
        starts = [take.marker for take in session.takes]
        names = [take.name for take in session.takes]
        notes = [take.notes for take in session.takes]
        return with_takes(score, notes, max(starts), starts=starts, names=names, tracks=tracks)
    take = _chosen(session, take_id)
    if content == "take":
        return take_alone(score, take.notes, take.marker, name=take.name, tracks=tracks)
    return with_takes(score, [take.notes], take.marker, names=[take.name], tracks=tracks)


def save_midi(session: Session, path: str | os.PathLike[str], content: MidiContent, take_id: str = "") -> None:
    """Write `midi_bytes` to `path`, whole or not at all. Raises UsageError and WriteError."""
    write_atomically(path, midi_bytes(session, content, take_id))


def _chosen(session: Session, take_id: str) -> TakeRecord:
    take = session.take(take_id) if take_id else session.current_take
    if take is None:
        raise UsageError("There is no take to save.")
    return take


class _CancelledError(Exception):
    pass


def export_wav(
    session: Session,
    path: str | os.PathLike[str],
    what: What = "both",
    *,
    progress: Callable[[float], None] = lambda share: None,
    is_cancelled: Callable[[], bool] = lambda: False,
) -> bool:
    """Write what the built-in synth makes of the session: 16 bit stereo at 48 kHz, with its last echoes.

    `progress` is told the share that is done (0 to 1) and `is_cancelled` asked for every second of
    sound or less. False if it was cancelled, and then nothing is written. Raises WriteError.
    """
    start, end = playing_range(session, what)
    messages = timeline(session, what, start)
    total = max(round((end - start + LONGEST_TAIL) * SAMPLE_RATE), 1)
    voices = Voices()
    try:
        with replacing(path) as file, wave.open(file, "wb") as sound:
            sound.setnchannels(2)
            sound.setsampwidth(2)
            sound.setframerate(SAMPLE_RATE)
            done = 0

            def render_to(frame: int) -> None:
                nonlocal done
                while done < frame:
                    if is_cancelled():
                        raise _CancelledError
                    frames = min(frame - done, SAMPLE_RATE)
                    sound.writeframes(_samples(voices, frames))
                    done += frames
                    progress(min(done / total, 1.0))

            for time, message in messages:
                render_to(round((time - start) * SAMPLE_RATE))
                voices.play(message)
            render_to(total)
    except _CancelledError:
        return False
    return True


def _samples(voices: Voices, frames: int) -> bytes:
    """The next frames as 16 bit samples, too loud ones clipped."""
    import numpy as np

    sound = np.clip(np.frombuffer(voices.render(frames), np.float32), -1.0, 1.0)
    return (sound * 32767).astype("<i2").tobytes()
