"""Sessions for the tests, and what must be true of every session."""

from mido import Message, MetaMessage

from core.midi.read import parse_score
from core.midi.score import TakeNote
from core.session.edits import Part, note_order
from core.session.export import written_score
from core.session.session import Session, TakeRecord, in_order, session_from_midi
from tests.core.midi.builders import control, file_of, off, on, scale

CONDUCTOR = [
    MetaMessage("set_tempo", tempo=600_000),
    MetaMessage("time_signature", numerator=3, denominator=4),
    MetaMessage("set_tempo", tempo=400_000, time=1440),
]
PIANO = [
    MetaMessage("track_name", name="Piano"),
    Message("program_change", program=4),
    control(7, 90),
    *scale(),
]
BASS = [
    MetaMessage("track_name", name="Bass"),
    Message("program_change", program=33, channel=1),
    on(36, 0, 1),
    off(36, 960, 1),
    on(38, 0, 1),
    off(38, 960, 1),
]
DRUMS = [on(38, 480, 9), off(38, 120, 9), on(42, 360, 9), off(42, 120, 9)]

TAKE = TakeRecord(
    notes=(TakeNote(60, 90, 0.0, 0.5), TakeNote(64, 70, 0.25, 1.0), TakeNote(67, 100, 3.0, 4.5)),
    events=(388, 376, 60, 255, 188),
    seconds=5.0,
    seed=17,
    model="bootstrap",
    created=1.7e9,
)


def midi() -> bytes:
    """Four chunks: conductor, piano, bass, drums; two and a half bars of 3/4 with a change of tempo."""
    return file_of(CONDUCTOR, PIANO, BASS, DRUMS)


def band() -> Session:
    return session_from_midi(midi(), "band.mid", source="/music/band.mid")


def band_with_take() -> Session:
    session = band()
    return session.with_take(TakeRecord(**{**_fields(TAKE), "marker": session.marker}))


def _fields(take: TakeRecord) -> dict[str, object]:
    return {name: getattr(take, name) for name in take.__slots__}


def take_of(session: Session) -> str:
    """The id of its first take."""
    return session.takes[0].id


def picked(session: Session, picks: list[tuple[int, int]]) -> dict[Part, list[int]]:
    """The notes chosen by (part, index); part 3 is the first take."""
    chosen: dict[Part, list[int]] = {}
    for part, index in picks:
        chosen.setdefault(take_of(session) if part == 3 else part, []).append(index)
    return chosen


def assert_sound(session: Session) -> None:
    """What no edit may break."""
    tracks = session.score.tracks if session.score else ()
    assert len(session.flags) == len(tracks)
    assert all(0 <= i < len(tracks) for i in session.edited)
    assert 0 <= session.prompt_start <= session.marker
    for track, flags in zip(tracks, session.flags, strict=True):
        assert not (track.is_percussion and flags.in_prompt)
        assert list(track.notes) == sorted(track.notes, key=note_order)
        for note in track.notes:
            assert 0 <= note.pitch <= 127
            assert 1 <= note.velocity <= 127
            assert 0 <= note.start_tick <= note.end_tick
            assert note.start == session.tempo_map.seconds(note.start_tick)
            assert note.end == session.tempo_map.seconds(note.end_tick)
    ids = [take.id for take in session.takes]
    assert len(set(ids)) == len(ids)
    assert all(ids)
    assert session.current in (*ids, "")
    for take in session.takes:
        assert take.notes == in_order(take.notes)
        for note in take.notes:
            assert 0 <= note.pitch <= 127
            assert 1 <= note.velocity <= 127
            assert 0 <= note.start < note.end <= take.seconds


def assert_written_as_it_is(session: Session) -> None:
    """The score's MIDI file has the notes of the session, and its unedited chunks byte for byte."""
    score, written = session.score, written_score(session)
    assert score is not None
    assert written is not None
    edited = {score.tracks[i].chunk for i in session.edited}
    for i, (old, new) in enumerate(zip(score.chunks, written.chunks, strict=True)):
        assert i in edited or new == old
    from core.midi.write import score_bytes

    back = parse_score(score_bytes(written), score.name)
    assert back.repairs == ()
    assert back.tempo_map == score.tempo_map
    # Where notes of one pitch overlap, which end is whose cannot be told from a MIDI file.
    assert _ends(back.tracks) == _ends(score.tracks)


def _ends(tracks: object) -> dict[tuple[int, int], tuple[list[object], list[object]]]:
    return {
        (t.chunk, t.channel): (
            sorted((n.start_tick, n.pitch, n.velocity) for n in t.notes),
            sorted((n.end_tick, n.pitch) for n in t.notes),
        )
        for t in tracks  # type: ignore[attr-defined]
        if t.notes
    }
