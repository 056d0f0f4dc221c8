"""Continue in the middle of a song: its tracks play the take, its drums go on, the original returns behind it."""

import os
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
from mido import Message, MetaMessage, MidiFile

from core.midi.read import read_score
from core.session.arrangement import arrangement
from core.session.export import midi_bytes
from core.session.session import TakeRecord
from core.session.storage import parse_session, session_bytes
from core.session.timeline import timeline
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


def test_the_end_marker_ends_a_take_in_time(desk: Callable[..., Desk], homes: Path, tmp_path: Path) -> None:
    at_work = opened(desk, tmp_path)
    window = at_work.window
    window.commands.put_end_marker(11.9)  # the bar line next to it
    assert (window.document.session.end_marker, window.roll.overlays.end_marker) == (12.0, 12.0)
    window.roll.end_marker_moved.emit(10.7)  # dragged freely
    take = at_work.sample(4.0, unit="bars", seed=2)
    assert take.end == pytest.approx(2.7)
    assert take.notes
    assert max(note.end for note in take.notes) <= 2.7 + 1e-6
    session = window.document.session
    assert parse_session(session_bytes(session), "x").end_marker == 10.7
    heard = arrangement(session, take).score
    assert next(n.start for n in heard.tracks[0].notes if n.start >= 8) == 11.0
    window.roll.marker_moved.emit(11.0)  # past it: it is gone
    assert (window.document.session.end_marker, window.roll.overlays.end_marker) == (0.0, None)
    window.editing.undo()
    assert window.roll.overlays.end_marker == 10.7
    window.commands.put_end_marker(0.0)
    assert window.roll.overlays.end_marker is None


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


# Nine tracks

PROGRAMS = {
    0: 73,
    1: 33,
    2: 0,
    3: 48,
    4: 25,
    5: 61,
    6: 11,
    7: 89,
}  # by channel; of them 0 (flute) and 1 (bass) monophonic
CHORDS = ((60, 64, 67), (57, 60, 64), (53, 57, 60), (55, 59, 62))


def nine_tracks() -> bytes:
    """Sixteen bars of 4/4 at 120 bpm; the drums stop after ten."""
    conductor = [MetaMessage("set_tempo", tempo=500_000), MetaMessage("time_signature", numerator=4, denominator=4)]
    tracks: list[list[Message | MetaMessage]] = [[*conductor]]
    for channel, program in PROGRAMS.items():
        track: list[Message | MetaMessage] = [
            MetaMessage("track_name", name=f"Track {channel}"),
            Message("program_change", program=program),
        ]
        for bar in range(16):
            chord = CHORDS[bar % 4]
            if channel == 0:
                for step in range(8):
                    track += [on(chord[step % 3] + 24, 0, 0, 90), off(chord[step % 3] + 24, 240)]
            elif channel == 1:
                for pitch in (chord[0] - 24, chord[2] - 24):
                    track += [on(pitch, 0, 1, 80), off(pitch, 960, 1)]
            else:
                lift = 12 * (channel % 3) - 12
                for _ in range(2 if channel > 4 else 1):
                    track += [on(pitch + lift, 0, channel, 60 + channel) for pitch in chord]
                    length = 960 if channel > 4 else 1920
                    track += [off(p + lift, length if i == 0 else 0, channel) for i, p in enumerate(chord)]
        tracks.append([m.copy(channel=channel) if isinstance(m, Message) else m for m in track])
    drums = [MetaMessage("track_name", name="Drums")]
    for _ in range(10):
        for pitch in (36, 42, 38, 42):
            drums += [on(pitch, 0, 9), off(pitch, 480, 9)]
    return file_of(*tracks, drums)


def onsets(path: Path) -> dict[int, list[tuple[float, int]]]:
    """By channel the (quarter, pitch) of all note-ons, as mido reads them."""
    found: dict[int, list[tuple[float, int]]] = {}
    for track in MidiFile(path).tracks:
        tick = 0
        for message in track:
            tick += message.time
            if message.type == "note_on" and message.velocity:
                found.setdefault(message.channel, []).append((tick / 480, message.note))
    return {channel: sorted(notes) for channel, notes in found.items()}


def programs_of(path: Path) -> dict[int, set[int]]:
    messages = [m for track in MidiFile(path).tracks for m in track if m.type == "program_change"]
    return {m.channel: {n.program for n in messages if n.channel == m.channel} for m in messages}


def assert_saved(saved: Path, song: Path, take: TakeRecord, is_merged: bool) -> None:
    """The file holds the nine tracks with the take in bars 9 to 12 (quarters 32 to 48), on tracks of its own or not."""
    before, after = onsets(song), onsets(saved)
    assert len(MidiFile(saved).tracks) == (10 if is_merged else 10 + len({n.track for n in take.notes}))
    assert set(after) == {*PROGRAMS, 9}
    assert {c: p for c, p in programs_of(saved).items() if c != 9} == {c: {p} for c, p in PROGRAMS.items()}
    for channel, notes in before.items():
        outside = [note for note in notes if not 32 <= note[0] < 48 or channel == 9]
        inside = [n for n in take.notes if n.track is not None and n.track[1] == channel]
        assert [n for n in after[channel] if not 32 <= n[0] < 48] == [n for n in outside if not 32 <= n[0] < 48]
        assert len(after[channel]) == len(outside) + len(inside)


def test_a_take_in_the_middle_of_nine_tracks(desk: Callable[..., Desk], homes: Path, tmp_path: Path) -> None:
    (tmp_path / "song.mid").write_bytes(nine_tracks())
    at_work = desk()
    at_work.open(tmp_path / "song.mid")
    window = at_work.window
    window.roll.marker_moved.emit(16.0)  # bar 9
    at_work.wait_until_ready()
    take = at_work.sample(4.0, unit="bars", seed=5, seed_locked=True)
    session = window.document.session
    score = session.score
    assert score is not None
    keys = {track.key: track for track in score.tracks}
    assert (take.marker, take.end) == (16.0, 8.0)
    assert {note.track for note in take.notes} <= set(keys)
    assert len({note.track for note in take.notes}) > 3
    assert all(note.start < 8.0 for note in take.notes)
    for channel in (0, 1):  # monophonic tracks stay so
        mine = [n for n in take.notes if n.track == (channel + 1, channel)]
        assert all(a.end <= b.start + 1e-6 for a, b in pairwise(mine))
    low = [n.pitch for n in take.notes if n.track == (2, 1)]
    assert low
    assert max(low) < min(n.pitch for n in keys[1, 0].notes)
    drums = [(20 + i * 0.5, (36, 42, 38, 42)[i % 4]) for i in range(8)]
    repeated = [(take.marker + n.start, n.pitch) for n in take.notes if n.track == (9, 9)]
    assert repeated == drums  # the file's own play until bar 11

    window.actions_["merge takes"].trigger()
    assert window.preferences.now.merges_takes
    for name, is_merged in (("merged.mid", True), ("beside.mid", False)):
        if window.preferences.now.merges_takes != is_merged:
            window.actions_["merge takes"].trigger()
        at_work.answers.path = str(tmp_path / name)
        window.actions_["save score and take"].trigger()
        at_work.settle()
        assert_saved(tmp_path / name, tmp_path / "song.mid", take, is_merged)
    assert (tmp_path / "song.mid").read_bytes() == nine_tracks()

    for link in (Path.symlink_to, Path.hardlink_to) if os.name == "posix" else ():  # the file that was opened stays
        (tmp_path / "link.mid").unlink(missing_ok=True)
        link(tmp_path / "link.mid", tmp_path / "song.mid")
        at_work.answers.path, told = str(tmp_path / "link.mid"), len(at_work.answers.told)
        window.actions_["save score and take"].trigger()
        at_work.settle()
        assert "stays as it is" in at_work.answers.told[told]
    assert (tmp_path / "song.mid").read_bytes() == nine_tracks()

    window.commands.accept(take.id)
    at_work.wait(lambda: window.document.session.score is not score, "the take to be accepted")
    accepted = window.document.session.score
    assert accepted is not None
    assert (window.document.session.marker, len(accepted.tracks)) == (24.0, 9)
    for old, new in zip(score.tracks, accepted.tracks, strict=True):
        assert (old.name, old.place, old.program) == (new.name, new.place, new.program)
        assert [n for n in new.notes if n.start >= 24] == [n for n in old.notes if n.start >= 24]
