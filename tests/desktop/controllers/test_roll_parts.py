"""What the roll shows of a song with several tracks, around a take."""

import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import mido
import numpy as np
import pytest
from PySide6.QtWidgets import QDialogButtonBox
from pytestqt.qtbot import QtBot

from core.midi.score import TakeNote
from core.performance.take_in_progress import TakeInProgress
from core.session.session import Session, TakeRecord, open_midi
from desktop.controllers.roll_parts import RollParts
from desktop.dialogs.track import TrackDialog
from desktop.piano_roll.notes import RollPart
from desktop.widgets.theme import OWN, Shade
from tests.desktop.looking import cut_off, unnamed
from tests.desktop.windows import Desk

BARS, BAR = 8, 2.0  # 4/4 at 120 bpm
MELODY, PAD, BASS, DRUMS = range(4)
KEYS = [(1, 0), (2, 1), (3, 2), (4, 9)]


def song() -> bytes:
    """Melody, pads, bass and drums, a note of each on every beat of eight bars."""
    file = mido.MidiFile(type=1, ticks_per_beat=480)
    file.tracks.append(mido.MidiTrack([mido.MetaMessage("time_signature", numerator=4, denominator=4)]))
    for channel, pitch in ((0, 76), (1, 60), (2, 36), (9, 42)):
        track = mido.MidiTrack()
        for _ in range(4 * BARS):
            track.append(mido.Message("note_on", channel=channel, note=pitch, velocity=80))
            track.append(mido.Message("note_off", channel=channel, note=pitch, time=480))
        file.tracks.append(track)
    data = io.BytesIO()
    file.save(file=data)
    return data.getvalue()


TAKE = TakeRecord(
    notes=(
        TakeNote(74, 90, 0.0, 0.5, KEYS[MELODY]),
        TakeNote(38, 90, 0.5, 1.0, KEYS[BASS]),
        TakeNote(50, 90, 1.0, 1.5),
    ),
    seconds=2 * BAR,
    marker=2 * BAR,
    end=2 * BAR,
)


@pytest.fixture
def session(tmp_path: Path) -> Session:
    path = tmp_path / "song.mid"
    path.write_bytes(song())
    return replace(open_midi(path), marker=2 * BAR)


def shades(part: RollPart) -> list[list[int]]:
    """The shades that occur in each bar."""
    return [np.unique(part.shade[(part.start >= b * BAR) & (part.start < (b + 1) * BAR)]).tolist() for b in range(BARS)]


def test_a_takes_notes_have_the_colours_of_their_tracks(session: Session) -> None:
    *tracks, take = RollParts().parts(session.with_take(TAKE))
    melody, bass = tracks[MELODY].colour[0], tracks[BASS].colour[0]
    assert take.kind == "take"
    assert take.colour.tolist() == [melody, bass, OWN]
    assert {tuple(layer.colour.tolist()) for layer in take.layers} == {(melody,), (bass,), (OWN,)}
    assert sorted(int(layer.index[0]) for layer in take.layers) == [0, 1, 2]  # by which they are selected


@pytest.mark.parametrize(("rest", "replaced"), [("stretch", range(2, 4)), ("rest", range(2, BARS)), ("beside", ())])
def test_what_a_take_replaces_is_faint(session: Session, rest: str, replaced: range) -> None:
    take = replace(TAKE, rest=rest)
    parts = RollParts().parts(session.with_take(take), (), take)
    full, faint = [int(Shade.FULL)], [int(Shade.SILENT)]
    for track in (MELODY, PAD, BASS):
        assert shades(parts[track]) == [faint if bar in replaced else full for bar in range(BARS)]
    assert shades(parts[DRUMS]) == [[int(Shade.UNREAD)]] * BARS  # never in the prompt, and they play on


def test_mute_solo_and_prompt_show(session: Session) -> None:
    kept = RollParts()
    before = kept.parts(session.with_take(TAKE))
    muted = session.with_take(TAKE).with_flags(MELODY, mute=True).with_flags(PAD, in_prompt=False)
    after = kept.parts(muted)
    assert set(after[MELODY].shade) == {Shade.SILENT}
    assert set(after[PAD].shade) == {Shade.UNREAD}
    assert after[BASS] is before[BASS]  # not made again
    assert after[-1].shade.tolist() == [Shade.SILENT, Shade.FULL, Shade.FULL]  # the take plays that track too
    soloed = kept.parts(session.with_flags(BASS, solo=True))
    assert [set(part.shade) == {Shade.SILENT} for part in soloed] == [True, True, False, True]


def test_of_other_takes_only_the_starred_are_shown(session: Session) -> None:
    for _ in range(3):
        session = session.with_take(TAKE)
    session = session.star_take(session.takes[0].id, True)
    shown = [part for part in RollParts().parts(session) if part.key.startswith("take:")]
    assert [(part.key, part.kind) for part in shown] == [
        (f"take:{session.takes[0].id}", "other"),
        (f"take:{session.takes[2].id}", "take"),
    ]


def test_the_window_shows_the_takes_end_and_lights_what_is_heard(
    desk: Callable[..., Desk], session: Session, tmp_path: Path
) -> None:
    at = desk()
    at.open(tmp_path / "song.mid")
    window = at.window
    assert window.roll.overlays.take_end is None
    window.document.do("Continue", replace(window.document.session, marker=2 * BAR).with_take(TAKE))
    assert window.roll.overlays.take_end == 4 * BAR
    assert sorted(window.display._sounding_at(2 * BAR + 0.1)) == [42, 74]  # the drums play on, the rest is replaced
    assert sorted(window.display._sounding_at(4 * BAR + 0.1)) == [36, 42, 60, 76]
    window.actions_["undo"].trigger()
    assert window.roll.overlays.take_end is None


def test_the_track_in_front_stands_out_and_hidden_ones_are_left_out(session: Session) -> None:
    parts = RollParts()
    session = session.with_take(TAKE).with_flags(PAD, hidden=True, colour=11)
    parts.in_front = KEYS[BASS]
    melody, bass, drums, take = parts.parts(session)
    assert [part.key for part in (melody, bass, drums)] == ["track:0", "track:2", "track:3"]
    assert np.unique(melody.shade).tolist() == np.unique(drums.shade).tolist() == [Shade.BEHIND]
    assert np.unique(bass.shade).tolist() == [Shade.FULL]
    assert take.shade[np.argsort(take.index)].tolist() == [Shade.BEHIND, Shade.FULL, Shade.FULL]
    parts.in_front = None
    assert not any(part.shade.any() for part in parts.parts(session)[1:2])
    shown = parts.parts(session.with_all_shown())
    assert np.unique(shown[PAD].colour).tolist() == [11]


def test_of_tracks_that_share_a_colour_one_is_in_front(session: Session) -> None:
    parts = RollParts()
    session = (
        session.with_take(TAKE).with_flags(MELODY, colour=4).with_flags(BASS, colour=4).with_flags(BASS, mute=True)
    )
    parts.in_front = KEYS[MELODY]
    take = parts.parts(session)[-1]
    order = np.argsort(take.index)
    assert take.is_behind[order].tolist() == [False, True, False]
    assert take.shade[order].tolist() == [Shade.FULL, Shade.SILENT, Shade.FULL]


def test_a_take_on_a_track_of_its_own_is_behind_none(session: Session) -> None:
    parts = RollParts()
    alone = replace(TAKE, notes=tuple(replace(note, track=None) for note in TAKE.notes))
    parts.in_front = KEYS[BASS]
    take = parts.parts(session.with_take(alone))[-1]
    assert take.shade.tolist() == [Shade.FULL] * len(take)
    assert take.is_selectable.all()
    grown = parts.parts(session, [TakeInProgress(TAKE.marker, kept=alone.notes)])[-1]
    assert (len(grown), grown.shade.any(), grown.is_selectable.all()) == (3, False, True)


def test_the_song_shows_and_undoes_what_is_done_with_a_track(
    desk: Callable[..., Desk], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "song.mid"
    path.write_bytes(song())
    at = desk()
    at.open(path)
    window, document = at.window, at.window.document
    window.tracks.brought_forward.emit(KEYS[BASS])
    assert [int(part.shade[0]) for part in window.roll.parts] == [3, 3, 0, 3]
    window.tracks.brought_forward.emit(None)
    window.tracks.hidden_changed.emit(PAD, True)
    assert len(window.roll.parts) == 3
    window.tracks.prompt_narrowed.emit(BASS)
    assert document.session.prompt_indices == (BASS,)

    def answer(dialog: TrackDialog) -> int:
        dialog.name.setText("Fretless")
        dialog.instrument.setCurrentIndex(dialog.instrument.findData(35))
        dialog.volume.spin.setValue(64)
        dialog.pan.spin.setValue(-20)
        return 1

    monkeypatch.setattr(TrackDialog, "exec", answer)
    window.tracks.edit_requested.emit(BASS)
    at.wait(lambda: document.undo_name == "Edit track Acoustic Grand Piano", "the track to change")
    assert document.session.score is not None
    assert (document.session.score.tracks[BASS].name, document.session.score.tracks[BASS].program) == ("Fretless", 35)
    assert window.tracks.model.data(window.tracks.model.index(BASS, 0)) == "Fretless"
    at.answers.path = str(tmp_path / "song.continuo")
    window.actions_["save"].trigger()
    at.settle()
    at.open(at.answers.path)
    session = document.session
    assert session.score is not None
    assert (session.score.tracks[BASS].name, session.flags[PAD].hidden) == ("Fretless", True)


def test_the_dialog_of_a_track_tells_only_what_was_changed(qtbot: QtBot, session: Session) -> None:
    assert session.score is not None
    for place in (BASS, DRUMS):
        dialog = TrackDialog(session.score, session.score.tracks[place])
        qtbot.addWidget(dialog)
        dialog.show()
        assert dialog.changes() == {}
        assert (cut_off(dialog), unnamed(dialog)) == ([], [])
        dialog.volume.spin.setValue(3)
        assert dialog.changes() == {"volume": 3}
        dialog.name.clear()
        ok = dialog.findChildren(QDialogButtonBox)[0].button(QDialogButtonBox.StandardButton.Ok)
        assert not ok.isEnabled()
