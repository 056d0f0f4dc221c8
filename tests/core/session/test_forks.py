from dataclasses import replace

import pytest

from core.codec.events import Conventions, encode_prompt
from core.codec.vocabulary import shift_steps
from core.errors import UsageError
from core.midi.read import parse_score
from core.midi.score import TakeNote
from core.session.export import midi_bytes
from core.session.forks import accept_take, fork_prompt
from core.session.session import Session, TakeRecord
from core.session.timeline import timeline
from tests.core.session.sessions import TAKE, assert_sound, band, band_with_take


def test_the_prompt_of_a_fork_is_the_scores_and_the_takes_beginning() -> None:
    session = band_with_take()
    fork = fork_prompt(session, session.current, 0.402)
    assert fork.at == pytest.approx(0.4)
    assert fork.marker == pytest.approx(session.marker + 0.4)
    assert [track.name for track in fork.tracks] == ["Piano", "Bass", "Take 1"]
    placed = fork.tracks[-1].notes
    assert [(n.pitch, n.velocity) for n in placed] == [(60, 90), (64, 70)]
    assert [n.start for n in placed] == pytest.approx([session.marker, session.marker + 0.25])
    assert [n.end for n in placed] == pytest.approx([session.marker + n.end for n in TAKE.notes[:2]])
    assert fork.kept == (TakeNote(60, 90, 0.0, 0.4), TakeNote(64, 70, 0.25, 0.4))
    prompt = encode_prompt(fork.tracks, fork.marker, Conventions(), fork.start)
    whole = encode_prompt(session.prompt_tracks, session.marker, Conventions())
    steps = [sum(shift_steps(e) for e in p.events) for p in (prompt, whole)]
    assert steps == [pytest.approx(fork.marker * 100), pytest.approx(session.marker * 100)]
    assert 64 in prompt.events[len(whole.events) - 5 :]
    assert {pitch for pitch, onset in prompt.sounding} == {n.pitch for n in placed if n.end > fork.marker}


def test_a_fork_leaves_out_what_the_score_plays_behind_the_takes_marker() -> None:
    session = band_with_take()
    session = session.with_changed_take(replace(session.takes[0], marker=0.7))
    fork = fork_prompt(session, session.current, 1.0)
    assert all(note.start < 0.7 and note.end <= 0.7 for track in fork.tracks[:-1] for note in track.notes)
    assert fork.tracks[1].notes[0].end == 0.7
    assert session.score is not None
    assert session.score.tracks[1].notes[0].end > 0.7


def test_a_forked_take_goes_on_from_its_parent() -> None:
    session = band_with_take()
    fork = fork_prompt(session, session.current, 0.4)
    sampled = TakeRecord(notes=(TakeNote(72, 50, 0.1, 0.3),), seconds=2.0, seed=99, marker=fork.marker)
    later = [replace(note, start=fork.at + note.start, end=fork.at + note.end) for note in sampled.notes]
    joined = fork.joined(replace(sampled, notes=(*fork.kept, *later)))
    assert joined.notes[:2] == fork.kept
    assert joined.notes[2].start == pytest.approx(0.5)
    assert (joined.seconds, joined.marker, joined.seed) == (pytest.approx(2.4), session.marker, 99)
    assert (joined.parent, joined.forked_at) == (session.current, fork.at)
    both = session.with_take(joined)
    assert_sound(both)
    assert fork_prompt(both, both.current, 1.0).kept[-1].pitch == 72


def test_there_must_be_something_to_fork_from() -> None:
    session = band_with_take()
    with pytest.raises(UsageError, match="nothing of this take"):
        fork_prompt(session, session.current, 0.0)
    with pytest.raises(UsageError, match="no longer there"):
        fork_prompt(session, "gone", 1.0)


def test_a_fork_of_a_take_from_nothing() -> None:
    session = Session().with_take(TAKE)
    fork = fork_prompt(session, session.current, 99.0)
    assert (len(fork.tracks), fork.marker, len(fork.kept)) == (1, 5.0, 3)


def test_an_accepted_take_is_a_track_of_the_score() -> None:
    session = band_with_take().with_flags(0, mute=True).with_flags(1, in_prompt=False)
    accepted = accept_take(session, session.current)
    assert_sound(accepted)
    assert accepted.score is not None
    assert session.score is not None
    assert [t.name for t in accepted.score.tracks] == ["Piano", "Bass", session.score.tracks[2].name, "Take 1"]
    assert accepted.flags[:3] == session.flags
    assert accepted.flags[3].in_prompt
    assert accepted.score.chunks[:4] == session.score.chunks
    assert accepted.current == ""
    assert accepted.takes == session.takes
    assert accepted.marker > session.marker + 4.5
    notes = accepted.score.tracks[3].notes
    assert [n.start for n in notes] == pytest.approx([session.marker + n.start for n in TAKE.notes], abs=0.001)
    assert midi_bytes(accepted, "score") == accepted.midi


def test_accepting_from_within_bakes_in_what_is_heard() -> None:
    session = band_with_take()
    session = session.with_changed_take(replace(session.takes[0], marker=0.1))
    accepted = accept_take(session, session.current)
    assert accepted.score is not None
    assert accepted.midi == midi_bytes(session, "score and take")
    assert [t.channel for t in accepted.score.tracks] == [0, 1, 9, 2]  # the drums play on
    assert [f.in_prompt for f in accepted.flags] == [True, True, False, True]
    heard = {(m, round(t, 3)) for t, m in timeline(session, "both") if m[0] & 0xE0 == 0x80}
    assert {(m, round(t, 3)) for t, m in timeline(accepted, "prompt") if m[0] & 0xE0 == 0x80} == heard
    assert parse_score(accepted.midi, "band.mid") == accepted.score


def test_accepting_a_take_from_nothing_makes_a_score() -> None:
    session = Session().with_take(TAKE)
    accepted = accept_take(session, session.current)
    assert_sound(accepted)
    assert accepted.score is not None
    assert [n.pitch for n in accepted.score.tracks[0].notes] == [60, 64, 67]
    assert accepted.score.name == "Untitled"


def test_edited_notes_are_accepted_with_the_take() -> None:
    from core.session.edits import transpose

    session = transpose(band_with_take(), {0: [0]}, 5).session
    accepted = accept_take(session, session.current)
    assert accepted.edited == frozenset()
    assert accepted.score is not None
    assert accepted.score.tracks[0].notes[0].pitch == 65
    assert session.score is not None
    assert accepted.score.chunks[2] == band().score.chunks[2]  # type: ignore[union-attr]
