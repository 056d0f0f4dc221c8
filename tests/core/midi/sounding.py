"""The messages that play a score, told plainly: what is laid out to be played is compared with them."""

from collections.abc import Collection

from core.midi.messages import NOTE_OFF, NOTE_ON, on_channel
from core.midi.ports import second_kits, wire_channels
from core.midi.score import Score


def score_messages(score: Score, tracks: Collection[int] | None = None) -> list[tuple[float, bytes]]:
    """The channel messages that play the score: (seconds, message), sorted by time.

    At one tick controls come first, then note-offs, then note-ons. `tracks` are indices of
    `score.tracks` (all of them if None); with a track come the controls of its whole channel. Channels are those
    of one port (see `wire_channels`).
    """
    chosen = [t for i, t in enumerate(score.tracks) if tracks is None or i in tracks]
    places = {track.place for track in chosen} - second_kits(score)
    wire = wire_channels(score)
    messages: list[tuple[int, int, float, bytes]] = [
        (control.tick, 0, control.time, on_channel(control.message, wire[track.place]))
        for track in score.tracks
        if track.place in places
        for control in track.controls
    ]
    for track in chosen:
        on, off = NOTE_ON | wire[track.place], NOTE_OFF | wire[track.place]
        for note in track.notes:
            messages.append((note.start_tick, 2, note.start, bytes((on, note.pitch, note.velocity))))
            # The end of a note without length must not come before its beginning.
            rank = 1 if note.end_tick > note.start_tick else 3
            messages.append((note.end_tick, rank, note.end, bytes((off, note.pitch, note.release))))
    messages.sort(key=lambda m: m[:2])
    return [(seconds, message) for _, _, seconds, message in messages]
