"""A session -> MIDI bytes to save or drag, and sound to a WAV file."""

import math
import os
import tempfile
import wave
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import IO, TYPE_CHECKING, Literal, get_args

from core.errors import UsageError
from core.files import replacing, write_atomically
from core.live.synth import BYTES_PER_FRAME, LONGEST_TAIL, Voices
from core.midi.events import Event, meta_event
from core.midi.messages import TEXT, master_volume, on_channel
from core.midi.score import PERCUSSION_CHANNEL, Note, Score
from core.midi.sound import disturbed, master_volume_before_fade, unfaded
from core.midi.splice import Stretch, plays_on
from core.midi.write import (
    AddedTrack,
    blank_score,
    rewrite_chunk,
    score_bytes,
    tracks_alone,
    with_tracks,
    without_stretch,
)
from core.session.arrangement import Arrangement, TakePart, arrangement, wire_voice
from core.session.knobs import knobs_words
from core.session.session import Session, TakeRecord
from core.session.timeline import What, playing_range, timeline

if TYPE_CHECKING:
    import numpy as np

PEAK = 10 ** (-1 / 20)  # -1 dBFS: room for what lies between the samples
_LARGEST_WAV = 0xFFFF_FF00  # bytes of sound
MidiContent = Literal["score", "score and take", "take", "all takes"]
SampleRate = Literal[44100, 48000, 88200, 96000]
SAMPLE_RATES: tuple[SampleRate, ...] = get_args(SampleRate)


def written_score(session: Session) -> Score | None:
    """The score with the chunks of edited tracks rewritten; the others stay byte for byte."""
    score = session.score
    if score is None or not session.edited:
        return score
    chunks = list(score.chunks)
    for chunk in {score.tracks[i].chunk for i in session.edited}:
        chunks[chunk] = rewrite_chunk(score, chunk, session.edited)
    return replace(score, chunks=tuple(chunks))


def midi_bytes(session: Session, content: MidiContent, take_id: str = "", *, is_merged: bool = False) -> bytes:
    """The bytes of a MIDI file of the session; `take_id` is for "take" and "score and take" (default: the current).

    With a take, the score is what `arrangement` leaves of it, and each part of the take a track, or with `is_merged`,
    where it plays on a track of the score, notes of that. With all takes, the score is whole, and each take has tracks
    of its own from its own marker on. Raises UsageError if what is asked for is not there.
    """
    score = written_score(session)
    if content == "score":
        if score is None:
            raise UsageError("There is no score to save, only takes.")
        return score_bytes(score)
    if content == "all takes":
        if not session.takes:
            raise UsageError("There is no take to save.")
        return _with_all_takes(session)
    take = _chosen(session, take_id)
    song = arrangement(session, take)
    if content == "take":
        start = session.tempo_map.tick(take.marker)
        added = _telling(_added(song, song.notes, "", is_alone=True), take, start)
        return tracks_alone(song.score.tempo_map, start, added)
    start = song.score.tempo_map.tick(song.start)
    parts = {part: notes for part, notes in song.notes.items() if not is_merged or part.track is None}
    merged = {part.track: notes for part, notes in song.notes.items() if is_merged and part.track is not None}
    score = score or blank_score()
    if song.stretch is not None and (merged or not song.stretch.is_nothing):
        controls = _merged_controls(song, merged)
        if merged and not parts and (text := _made_words(take)):
            controls[min(merged)] = [(start, text), *controls.get(min(merged), ())]
        score = without_stretch(score, song.stretch, merged, controls)
    added = _telling(_added(song, parts, ""), take, start)
    faded = [(start, message) for message in _against_master_fade(song, start)]
    if faded and added:
        added[0] = replace(added[0], setup=(*faded, *added[0].setup))
    elif faded:
        added = [AddedTrack(take.name, 0, (), faded)]
    return with_tracks(score, added)


def _merged_controls(song: Arrangement, merged: Collection[int]) -> dict[int, Sequence[Event]]:
    """The take's controls on the tracks (indices) that it is merged into, and what undoes a fade-out there.

    Channels that others play on go on as they are.
    """
    start, stretch = song.score.tempo_map.tick(song.start), song.stretch
    assert stretch is not None
    controls: dict[int, Sequence[Event]] = {}
    places = {song.score.tracks[i].place: i for i in sorted(merged, reverse=True)}  # the first track of each
    for place, i in places.items():
        if not plays_on(song.score, stretch, place):
            controls[i] = [(start, message) for message in unfaded(song.score, place, start)]
    for part, own in song.controls.items():
        if part.track is not None and part.track in merged:
            controls[part.track] = [*controls.get(part.track, ()), *own]
    return controls


def _against_master_fade(song: Arrangement, start: int) -> Iterator[bytes]:
    """What makes a take heard that begins behind a fade-out of all channels; nothing where others play on."""
    volume = master_volume_before_fade(song.score, start)
    stretch = song.stretch or Stretch(frozenset(), start, None)
    if volume is not None and not any(plays_on(song.score, stretch, track.place) for track in song.score.tracks):
        yield master_volume(volume)


def _with_all_takes(session: Session) -> bytes:
    """The whole score, and the takes on channels of their own as far as there are channels."""
    added: list[AddedTrack] = []
    used: set[int] = set()
    for take in session.takes:
        song = arrangement(session, replace(take, rest="beside"), used)
        used |= {part.voice.channel for part in song.notes}
        added += _telling(_added(song, song.notes, take.name), take, song.score.tempo_map.tick(song.start))
    return with_tracks(written_score(session) or blank_score(), added)


def _telling(added: Iterable[AddedTrack], take: TakeRecord, start: int) -> list[AddedTrack]:
    """The tracks of a take, of which the first says at the take's start with which knobs it was made, if with any."""
    tracks, text = list(added), _made_words(take)
    if tracks and text:
        tracks[0] = replace(tracks[0], setup=((start, text), *tracks[0].setup))
    return tracks


def _made_words(take: TakeRecord) -> bytes:
    """The text event "Continuo: busier, then softer; Continuo Base, seed 5"; empty if no knob was turned."""
    feel = knobs_words((take.knobs, *take.then))
    made = f"; {take.model}, seed {take.seed}" if take.model else ""
    return meta_event(TEXT, f"Continuo: {feel}{made}".encode("ascii", "replace")) if feel else b""


def _added(
    song: Arrangement, parts: Mapping[TakePart, Sequence[Note]], take_name: str, is_alone: bool = False
) -> Iterator[AddedTrack]:
    """The tracks of a file for the parts of a take.

    Alone in a file, which has one port and none of the song's system exclusives, drums play on channel 10, and a single
    part on channel 1.
    """
    start = song.score.tempo_map.tick(song.start)
    for part, notes in parts.items():
        voice = wire_voice(song.score, part) if is_alone else part.voice
        is_first = is_alone and len(parts) == 1 and voice.channel != PERCUSSION_CHANNEL
        channel = 0 if is_first else voice.channel
        sound, ticks = voice.setup if is_alone else voice.setup_in_song, [start]
        if not is_alone:  # again behind what the file says to the channel, or to all, under the take
            last = max((note.end_tick for note in notes), default=start)
            ticks += disturbed(song.score, (voice.port, channel), start, last)
        setup = [(tick, on_channel(message, channel)) for tick in ticks for message in sound]
        setup += [(tick, on_channel(message, channel)) for tick, message in song.controls.get(part, ())]
        port = 0 if is_alone else voice.port
        name = f"{take_name}: {part.name}" if take_name and part.name != take_name else part.name
        yield AddedTrack(name, channel, notes, setup, port)


def save_midi(
    session: Session,
    path: str | os.PathLike[str],
    content: MidiContent,
    take_id: str = "",
    *,
    is_merged: bool = False,
) -> None:
    """Write `midi_bytes` to `path`, whole or not at all. Raises UsageError and WriteError."""
    write_atomically(path, midi_bytes(session, content, take_id, is_merged=is_merged))


def _chosen(session: Session, take_id: str) -> TakeRecord:
    take = session.take(take_id) if take_id else session.current_take
    if take is None:
        raise UsageError("There is no take to save.")
    return take


@dataclass(frozen=True, slots=True)
class SoundFormat:
    """How sound is written: frames a second, 16 or 24 bits a sample; `is_normalised` brings the loudest to PEAK."""

    sample_rate: SampleRate = 48000
    bits: Literal[16, 24] = 16
    is_normalised: bool = True


SOUND_FORMAT = SoundFormat()


class _CancelledError(Exception):
    pass


def export_wav(
    session: Session,
    path: str | os.PathLike[str],
    what: What = "both",
    form: SoundFormat = SOUND_FORMAT,
    *,
    progress: Callable[[float], None] = lambda share: None,
    is_cancelled: Callable[[], bool] = lambda: False,
) -> float | None:
    """Write what the built-in synth makes of the session as a stereo WAV file, with its last echoes.

    `progress` is told the share that is done (0 to 1) and `is_cancelled` asked for every second of
    sound or less. Returned is the peak of what was written, 1 as full scale (over it is clipped); None if it was
    cancelled, and then nothing is written. Raises WriteError, and UsageError where it would be too long for a WAV file.
    """
    import numpy as np

    _check_length(session, what, form)

    def told(share: float) -> None:
        if is_cancelled():
            raise _CancelledError
        progress(share)

    try:
        with replacing(path) as file, wave.open(file, "wb") as sound:
            sound.setnchannels(2)
            sound.setsampwidth(form.bits // 8)
            sound.setframerate(form.sample_rate)
            loudest = 0.0
            if not form.is_normalised:
                for samples, share in _rendered(session, what, form.sample_rate):
                    told(share)
                    loudest = max(loudest, float(np.abs(samples).max(initial=0.0)))
                    sound.writeframes(_written(samples, form.bits))
                return loudest
            with _beside(path) as kept:  # how loud it is shows at the end; an hour is a gigabyte
                for samples, share in _rendered(session, what, form.sample_rate):
                    told(0.9 * share)
                    loudest = max(loudest, float(np.abs(samples).max(initial=0.0)))
                    kept.write(samples.tobytes())
                gain, size = PEAK / loudest if loudest else 1.0, kept.tell()
                kept.seek(0)
                while data := kept.read(form.sample_rate * BYTES_PER_FRAME):
                    told(0.9 + 0.1 * kept.tell() / size)
                    sound.writeframes(_written(np.frombuffer(data, np.float32) * gain, form.bits))
    except _CancelledError:
        return None
    return loudest * gain


def _check_length(session: Session, what: What, form: SoundFormat) -> None:
    """Raise UsageError for what is too long: a WAV file counts its bytes in 32 bits."""
    start, end = playing_range(session, what)
    seconds, most = end - start + LONGEST_TAIL, _LARGEST_WAV / (2 * (form.bits // 8) * form.sample_rate)
    if seconds > most:
        raise UsageError(
            f"This would be {_hours(seconds)} of sound, and a WAV file of this kind holds {_hours(most)}: choose "
            "16 bit and a lower sample rate, or let less of it be played."
        )


def _hours(seconds: float) -> str:
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes} min"


def _beside(path: str | os.PathLike[str]) -> IO[bytes]:
    """A file without a name on the disk of another, where there must be room in any case."""
    return tempfile.TemporaryFile(dir=os.path.dirname(os.path.realpath(path)))


def _rendered(session: Session, what: What, sample_rate: int) -> "Iterator[tuple[np.ndarray, float]]":
    """The sound in pieces of a second or less, interleaved float32, and the share that is done with each."""
    import numpy as np

    start, end = playing_range(session, what)
    voices = Voices(sample_rate)
    total = max(round((end - start + LONGEST_TAIL) * sample_rate), 1)
    done = 0
    for time, message in (*timeline(session, what, start), (math.inf, b"")):
        upto = total if time == math.inf else round((time - start) * sample_rate)
        while done < upto:
            frames = min(upto - done, sample_rate)
            done += frames
            yield np.frombuffer(voices.render(frames), np.float32), min(done / total, 1.0)
        if message:
            voices.play(message)


def _written(samples: "np.ndarray", bits: int) -> bytes:
    """Samples as whole numbers of 16 or 24 bits, too loud ones clipped."""
    import numpy as np

    whole = np.rint(np.clip(samples.astype(np.float64), -1.0, 1.0) * (2 ** (bits - 1) - 1)).astype("<i4")
    return whole.view(np.uint8).reshape(-1, 4)[:, : bits // 8].tobytes()
