"""Continue in the middle of a song: its tracks play the take, its drums go on, the original returns behind it."""

from collections.abc import Callable
from pathlib import Path

from mido import Message, MetaMessage

from core.midi.read import read_score
from core.session.arrangement import arrangement
from core.session.export import midi_bytes
from core.session.playback import timeline
from tests.core.midi.builders import file_of, off, on
from tests.desktop.windows import Desk

MELODY, BASS, DRUMS = (1, 0), (2, 1), (3, 9)


def song() -> bytes:
    """Eight bars of 4/4 at 120 bpm: a melody and a bass; drums that stop after four bars."""
    conductor = [MetaMessage("set_tempo", tempo=500_000), MetaMessage("time_signature", numerator=4, denominator=4)]
    melody = [MetaMessage("track_name", name="Melody"), Message("program_change", program=73)]
    bass = [MetaMessage("track_name", name="Bass"), Message("program_change", program=33, channel=1)]
    for bar in range(8):
        for pitch in (72, 76, 79, 77) if bar % 2 else (74, 71, 67, 71):
            melody += [on(pitch, 0, 0, 90), off(pitch, 480)]
        for pitch in (36, 43) if bar % 2 else (43, 38):
            bass += [on(pitch, 0, 1, 80), off(pitch, 960, 1)]
    drums = [MetaMessage("track_name", name="Drums")]
    for _ in range(4):
        for pitch in (36, 42, 38, 42):
            drums += [on(pitch, 0, 9), off(pitch, 480, 9)]
    return file_of(conductor, melody, bass, drums)


def opened(desk: Callable[..., Desk], folder: Path, marker: float = 8.0) -> Desk:
    (folder / "song.mid").write_bytes(song())
    at_work = desk()
    at_work.open(folder / "song.mid")
    at_work.window.roll.marker_moved.emit(marker)
    at_work.wait_until_ready()
    return at_work


def test_the_prompts_tracks_play_the_take_and_the_original_returns(
    desk: Callable[..., Desk], homes: Path, tmp_path: Path
) -> None:
    at_work = opened(desk, tmp_path)
    take = at_work.sample(2.0, unit="bars", seed=3, seed_locked=True)
    window = at_work.window
    assert (take.marker, take.end, take.rest) == (8.0, 4.0, "stretch")
    played = {note.track for note in take.notes}
    assert DRUMS in played
    assert played <= {MELODY, BASS, DRUMS}
    assert all(note.pitch < 60 for note in take.notes if note.track == BASS)
    session = window.document.session
    score = session.score
    assert score is not None
    heard = arrangement(session, take).score
    assert [n.start for n in heard.tracks[0].notes if n.start >= 8] == [12 + 0.5 * i for i in range(8)]
    channels = {m[0] & 15 for _, m in timeline(session) if m[0] & 0xF0 == 0x90}
    assert channels == {0, 1, 9}

    (tmp_path / "out.mid").write_bytes(midi_bytes(session, "score and take"))
    written = read_score(tmp_path / "out.mid")
    assert {t.channel for t in written.tracks} == {0, 1, 9}
    assert written.chunks[3] == score.chunks[3]

    window.commands.accept(take.id)
    at_work.wait(lambda: window.document.session.score is not score, "the take to be accepted")
    accepted = window.document.session
    assert accepted.score is not None
    assert [t.name for t in accepted.score.tracks] == ["Melody", "Bass", "Drums"]
    assert accepted.marker == 12.0
    assert [n.start for n in accepted.score.tracks[0].notes if n.start >= 12] == [12 + 0.5 * i for i in range(8)]


def test_the_panel_says_which_tracks_play_and_what_becomes_of_the_rest(
    desk: Callable[..., Desk], homes: Path, tmp_path: Path
) -> None:
    at_work = opened(desk, tmp_path)
    panel = at_work.window.panel
    words = [panel.into.itemText(i) for i in range(panel.into.count())]
    assert words == ["The prompt's tracks", "A track of its own", "Only Melody", "Only Bass"]
    panel.into.setCurrentIndex(3)
    panel.drums.setCurrentIndex(panel.drums.findData("off"))
    at_work.wait_until_ready()
    take = at_work.sample(1.0, unit="bars")
    assert {note.track for note in take.notes} <= {BASS}
    assert take.replaces == (BASS,)
    assert {36 <= note.pitch <= 43 for note in take.notes} == {True}
    panel.rest.setCurrentIndex(panel.rest.findData("beside"))
    (changed,) = at_work.takes
    assert changed.rest == "beside"
    session = at_work.window.document.session
    assert arrangement(session, changed).score == session.score
    at_work.window.editing.undo()
    assert at_work.takes[0].rest == "stretch"


def test_behind_drums_alone_their_pattern_is_repeated(desk: Callable[..., Desk], homes: Path, tmp_path: Path) -> None:
    metre = MetaMessage("time_signature", numerator=4, denominator=4)
    drums = [m for _ in range(4) for p in (36, 42, 38, 42) for m in (on(p, 0, 9), off(p, 480, 9))]
    (tmp_path / "loop.mid").write_bytes(file_of([metre, *drums]))
    at_work = desk()
    at_work.open(tmp_path / "loop.mid")
    at_work.set(unit="bars", length=2.0)
    at_work.window.proceed()
    (take,) = at_work.takes
    assert (take.marker, take.end) == (8.0, 4.0)
    assert [(n.start, n.pitch, n.track) for n in take.notes] == [
        (0.5 * i, (36, 42, 38, 42)[i % 4], (0, 9)) for i in range(8)
    ]
    assert any("no drums" in words for words in at_work.messages)
