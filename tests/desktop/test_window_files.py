"""The files of the window: opened, saved, exported, left."""

import re
import wave
from collections.abc import Callable
from pathlib import Path

import mido
import pytest

from core.midi.read import read_score
from core.midi.score import TakeNote
from core.session.export import SoundFormat
from core.session.session import TakeRecord
from core.session.storage import open_session
from core.settings import load_settings
from tests.core.midi.builders import file_of, off, on
from tests.desktop.windows import BACH, Desk

MakeDesk = Callable[..., Desk]


def test_saves_and_opens_again_the_same(desk: MakeDesk, homes: Path) -> None:
    at = desk()
    at.open()
    at.sample(1.0)
    at.answers.path = path = str(homes / "song.continuo")
    at.window.actions_["save as"].trigger()
    at.settle()
    saved = at.window.document.session
    assert not at.window.document.is_changed
    assert at.window.document.path == path
    assert open_session(path) == saved
    at.window.file_controller.new()
    at.open(path)
    assert at.window.document.session.takes == saved.takes
    assert path in at.window.preferences.now.recent


def test_saves_midi_and_never_over_the_file_that_was_opened(desk: MakeDesk, homes: Path) -> None:
    source = homes / "mine.mid"
    source.write_bytes(BACH.read_bytes())
    at = desk()
    at.open(source)
    at.answers.path = str(homes / "alone.mid")
    at.window.actions_["save score and take"].trigger()  # there is no take
    at.settle()
    assert (homes / "alone.mid").read_bytes() == BACH.read_bytes()
    take = at.sample(1.5)
    at.answers.path = str(source)
    at.window.actions_["save score and take"].trigger()
    at.settle()
    assert source.read_bytes() == BACH.read_bytes()
    assert at.answers.told
    for name, notes in (("save take", len(take.notes)), ("save all takes", None), ("save score and take", None)):
        at.answers.path = str(homes / f"{name}.mid")
        at.window.actions_[name].trigger()
        at.settle()
        score = read_score(Path(at.answers.path))
        assert notes is None or score.notes == notes
    dragged = at.window.file_controller.drag_out(take.id)
    assert mido.MidiFile(dragged).length == pytest.approx(max(n.end for n in take.notes), abs=0.3)


def test_exports_audio_and_can_be_cancelled(desk: MakeDesk, homes: Path) -> None:
    at = desk()
    at.open()
    at.sample(1.0)
    at.answers.path = str(homes / "song.wav")
    at.window.transport.set_what("take")
    at.window.actions_["export"].trigger()
    at.settle()
    assert at.answers.sound_words == "Take 1 alone."
    with wave.open(at.answers.path) as sound:
        assert sound.getnframes() > 48000
        assert any(sound.readframes(48000))
    at.answers.path = str(homes / "never.wav")
    at.window.exports.started.connect(lambda task: task.cancel())
    at.window.actions_["export"].trigger()
    at.settle()
    assert not Path(at.answers.path).exists()
    assert "cancelled" in at.messages[-1]


def test_what_is_exported_is_said_and_how_is_remembered(desk: MakeDesk, homes: Path) -> None:
    at = desk()
    at.open()
    document, export = at.window.document, at.window.actions_["export"]
    at.answers.path, at.answers.sound = str(homes / "song.wav"), SoundFormat(44100, 24, False)
    export.trigger()
    at.settle()
    score = document.session.score
    assert score is not None
    names = [track.name for track in score.tracks if track.notes]
    assert at.answers.sound_words == "The score alone."
    with wave.open(at.answers.path) as sound:
        assert (sound.getframerate(), sound.getsampwidth()) == (44100, 3)
    document.do("Mute", document.session.with_flags(0, mute=True))
    at.answers.sound = None
    export.trigger()
    assert at.answers.sound_words == f"The score alone. Not heard, so left out: {names[0]}."
    assert at.answers.sound_before == SoundFormat(44100, 24, False)
    at.window.preferences.flush()
    at.settle()
    assert load_settings().sound == SoundFormat(44100, 24, False)
    take = TakeRecord((TakeNote(60, 80, 0.0, 1.0),), seconds=1.0, marker=2.0, end=2.0)
    document.do("Continue", document.session.with_take(take))
    export.trigger()
    assert at.answers.sound_words.startswith("The score with Take 1. Not heard")


def test_an_export_that_is_clipped_says_so(desk: MakeDesk, homes: Path) -> None:
    chord = [on(24 + i, velocity=127) for i in range(80)]
    (homes / "loud.mid").write_bytes(file_of([*chord, *[off(24 + i, 960 * (i == 0)) for i in range(80)]]))
    at = desk()
    at.open(homes / "loud.mid")
    at.answers.path = str(homes / "loud.wav")
    for is_normalised, words in (
        (True, r"Exported loud\.wav\."),
        (False, r"Exported .* too loud by \d+\.\d dB .* Norm.*"),
    ):
        at.answers.sound = SoundFormat(is_normalised=is_normalised)
        at.window.actions_["export"].trigger()
        at.settle()
        assert re.fullmatch(words, at.messages[-1])


def test_a_take_that_is_still_sampled_is_not_left_out_without_a_word(desk: MakeDesk, homes: Path) -> None:
    at = desk()
    at.open()
    at.wait_until_ready()
    at.set(length=60.0)
    at.window.proceed()
    at.wait(lambda: at.window.generation.is_running, "the model")
    for name in ("save score and take", "save take", "save all takes", "export"):
        told = len(at.answers.told)
        at.answers.path = str(homes / "early.mid")
        at.window.actions_[name].trigger()
        if at.window.actions_[name].isEnabled():
            assert "still being sampled" in at.answers.told[told]
    at.answers.path = str(homes / "score.mid")
    at.window.actions_["save score"].trigger()
    at.window.stop()
    at.settle()
    assert not (homes / "early.mid").exists()
    assert (homes / "score.mid").exists()


def test_closing_while_sound_is_exported_is_asked_about(desk: MakeDesk, homes: Path) -> None:
    at = desk()
    at.open()
    at.answers.path = str(homes / "song.wav")
    at.window.actions_["export"].trigger()
    at.window.close()
    assert at.answers.told == ["still being exported"]
    assert at.window.isVisible()
    at.settle()
    assert Path(at.answers.path).exists()
    at.answers.path, at.answers.gives_up_export = str(homes / "never.wav"), True
    at.window.exports.started.connect(lambda task: task.cancel())  # else it might be done before
    at.window.actions_["export"].trigger()
    at.window.close()
    at.wait(lambda: not at.window.isVisible(), "the window to close")
    assert not Path(at.answers.path).exists()


def test_a_damaged_session_is_told_of_and_changes_nothing(desk: MakeDesk, homes: Path) -> None:
    at = desk()
    at.open()
    before = at.window.document.session
    bad = homes / "bad.continuo"
    bad.write_bytes(b"PK\x03\x04 nothing of the kind")
    at.open(bad)
    assert at.answers.told
    assert "bad.continuo" in at.answers.told[0]
    assert at.window.document.session is before


def test_a_file_changed_by_another_program_is_read_again(desk: MakeDesk, homes: Path) -> None:
    source = homes / "mine.mid"
    source.write_bytes(BACH.read_bytes())
    at = desk()
    at.open(source)
    first = at.window.document.session
    source.write_bytes((BACH.parent / "ragtime.mid").read_bytes())
    at.answers.reads_again = True
    at.window.file_controller.look_at_disk()
    at.wait(lambda: at.window.document.session.score is not first.score, "the other score")
    at.settle()
    source.unlink()
    at.window.file_controller.look_at_disk()
    at.wait(lambda: any("no longer" in sentence for sentence in at.messages), "a sentence")


def test_leaving_asks_and_saves(desk: MakeDesk, homes: Path) -> None:
    at = desk()
    at.open()
    at.sample(1.0)
    takes = at.takes
    at.answers.leaving = "cancel"
    at.window.close()
    assert at.window.isVisible()
    assert at.takes == takes
    at.answers.leaving, at.answers.path = "save", str(homes / "kept.continuo")
    at.window.close()
    at.wait(lambda: not at.window.isVisible(), "the window to close")
    assert open_session(at.answers.path).takes == takes


def test_recent_files_with_long_paths_show_where_they_begin_and_end(desk: MakeDesk, homes: Path) -> None:
    window = desk().window
    path = str(homes / ("folder & " * 40) / "song.mid")
    window.preferences.put(window.preferences.now.with_recent(path))
    menu = window._recent_menu
    (action,) = menu.actions()
    assert action.text().startswith(path[0])
    assert action.text().endswith("song.mid")
    assert menu.sizeHint().width() < 800
    assert action.toolTip() == path


def test_a_session_whose_file_is_gone_is_not_left_unasked(desk: MakeDesk, homes: Path) -> None:
    at = desk()
    at.open()
    at.sample(1.0)
    at.answers.path = str(homes / "kept.continuo")
    at.window.file_controller.save_as()
    at.settle()
    assert not at.window.isWindowModified()
    (homes / "kept.continuo").unlink()
    at.window.file_controller.look_at_disk()
    at.wait(lambda: any("no longer" in sentence for sentence in at.messages), "a sentence")
    assert at.window.isWindowModified()
    at.answers.leaving = "cancel"
    at.window.close()
    assert at.window.isVisible()
    at.window.file_controller.save()
    at.settle()
    assert len(open_session(at.answers.path).takes) == 1
    assert not at.window.isWindowModified()
