"""Fine-tuning from the window: the process is real in one test, and a pipe that the test writes to in the others."""

import multiprocessing
import random
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, cast

import mido
import pytest
from PySide6.QtWidgets import QApplication, QDialogButtonBox, QWidget
from pytestqt.qtbot import QtBot

from core.model.checkpoint import load_model, save_model
from core.model.transformer import ModelConfig, MusicTransformer
from core.resources import user_folder
from core.training.run.finetune_process import Failed, FineTuneMessage, Finished, Reading, Training
from desktop.dialogs import finetune
from desktop.dialogs.finetune import FineTuneDialog
from tests.desktop.looking import cut_off, dark, unnamed
from tests.desktop.windows import Desk

PATIENT = 300_000  # ms: another process imports torch meanwhile


class Process:
    """Stands for the process in tests that write its messages themselves."""

    def __init__(self) -> None:
        self.terminated = False

    def terminate(self) -> None:
        self.terminated = True

    def join(self, timeout: float) -> None:
        pass

    def is_alive(self) -> bool:
        return False


class Bench:
    """A dialog that has started, and the other end of its pipe."""

    def __init__(self, qtbot: QtBot, folder: Path) -> None:
        self.process = Process()
        self.asked: tuple[object, ...] = ()
        self.made: list[str] = []
        self.dialog = FineTuneDialog(start=self.start)
        self.dialog.made.connect(self.made.append)
        qtbot.addWidget(self.dialog)
        self.dialog.show_models([("", "Continuo Base"), ("mine", "mine")])
        self.dialog.show()
        self.dialog.folder.setText(str(folder))
        self.dialog.start_button.click()

    def start(self, *asked: object) -> tuple[Any, Connection]:
        self.asked = asked
        ours, self.pipe = multiprocessing.Pipe()
        return cast(Any, self.process), ours

    def tell(self, *messages: FineTuneMessage) -> str:
        for message in messages:
            self.pipe.send(message)
        self.dialog.look()
        return self.dialog.says.text()


@pytest.fixture
def bench(qtbot: QtBot, tmp_path: Path) -> Bench:
    (tmp_path / "My songs").mkdir()
    return Bench(qtbot, tmp_path / "My songs")


def test_it_asks_for_what_was_chosen(bench: Bench, tmp_path: Path) -> None:
    assert bench.asked == ("", str(tmp_path / "My songs"), "My songs", 15)
    assert not bench.dialog.start_button.isEnabled()
    assert not bench.dialog.folder.isEnabled()


def test_one_minute_is_not_called_minutes(bench: Bench) -> None:
    shown = []
    for minutes in (1, 15):
        bench.dialog.minutes.setValue(minutes)
        shown.append(bench.dialog.minutes.text())
    assert shown == ["1 minute at most", "15 minutes at most"]


def test_it_tells_how_it_goes(bench: Bench) -> None:
    assert bench.tell(Reading(3, 12)) == "Reading: 3 of 12 files"
    assert bench.tell(Training(0.0, 900.0, float("nan"), 2.5)) == "15:00 left at most · making the first step"
    said = bench.tell(Training(0.25, 671.0, 2.25, None))
    assert said == "11:11 left at most · loss 2.250"
    assert bench.dialog.bar.isVisible()
    assert bench.dialog.bar.value() == 250
    assert bench.dialog.curve.accessibleDescription().endswith("2.500")


def test_the_new_model_is_told_of_once(bench: Bench) -> None:
    assert "fell from 2.500 to 2.250" in bench.tell(Finished("My songs", 2.5, 2.25))
    assert bench.made == ["My songs"]
    assert not bench.dialog.bar.isVisible()
    assert bench.dialog.start_button.isEnabled()
    assert not bench.dialog.stop_button.isEnabled()


@pytest.mark.parametrize(
    ("message", "sentence"),
    [
        (Finished("", None, None), "Stopped before anything was trained; there is no new model."),
        (Finished("x", None, None), "too few songs"),
        (Finished("x", 2.0, 2.1), "no better than before"),
        (Failed("None of the files can be trained on."), "None of the files can be trained on."),
    ],
)
def test_every_end_has_its_sentence(bench: Bench, message: FineTuneMessage, sentence: str) -> None:
    assert sentence in bench.tell(message)
    assert not bench.dialog.is_running


def test_a_process_that_dies_is_told_of(bench: Bench) -> None:
    bench.pipe.close()
    bench.dialog.look()
    assert "ended unexpectedly" in bench.dialog.says.text()
    assert not bench.dialog.is_running


def test_tab_goes_through_it_from_top_to_bottom(bench: Bench) -> None:
    dialog = bench.dialog
    at: QWidget = dialog.folder
    order: list[QWidget] = []
    while at is not dialog.folder or not order:
        order.append(at)
        following = at.nextInFocusChain()
        assert following is not None
        at = following
    box = dialog.findChild(QDialogButtonBox)
    assert isinstance(box, QDialogButtonBox)
    close = box.button(QDialogButtonBox.StandardButton.Close)
    wanted = [dialog.folder, dialog.choose, dialog.model, dialog.name, dialog.minutes, dialog.start_button, close]
    assert [each for each in order if each in wanted] == wanted


def test_stop_is_sent_and_said(bench: Bench) -> None:
    bench.dialog.stop_button.click()
    assert bench.pipe.recv() == "stop"
    assert bench.tell(Training(0.5, 1.0, 2.0, None)) == "Stopping after this step …"


def test_closed_it_goes_on_and_the_end_of_the_app_ends_it(bench: Bench) -> None:
    bench.dialog.close()
    assert bench.dialog.is_running
    bench.dialog.end()
    assert bench.process.terminated
    assert not bench.dialog.is_running


def test_a_folder_that_is_gone_is_told_of(qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    monkeypatch.setattr(finetune, "announce", lambda widget, words: told.append(words))
    bench = Bench(qtbot, tmp_path / "gone")
    assert told == [bench.dialog.says.text()]
    assert bench.dialog.says.text() == f"There is no folder {tmp_path / 'gone'}."
    assert not bench.asked


@pytest.mark.parametrize("is_dark", [False, True])
def test_nothing_is_cut_off_or_without_a_name(bench: Bench, is_dark: bool) -> None:
    if is_dark:
        bench.dialog.setPalette(dark())
    bench.tell(
        Training(0.0, 900.0, float("nan"), 2.5), *(Training(i / 20, 900.0, 2.5 - i / 40, None) for i in range(20))
    )
    QApplication.processEvents()
    assert not bench.dialog.grab().isNull()
    assert not cut_off(bench.dialog)
    assert not unnamed(bench.dialog)


def test_a_folder_of_songs_becomes_a_model_in_the_list(desk: Callable[..., Desk], homes: Path) -> None:
    config = ModelConfig(n_layer=1, n_head=2, n_embd=32, block_size=64)  # trained in a moment
    (user_folder("models")).mkdir(parents=True)
    save_model(user_folder("models") / "small.safetensors", MusicTransformer(config), {"name": "Small"})
    at = desk()
    models = at.window.panel.model
    at.wait(lambda: models.findData("small") >= 0, "the models", PATIENT)
    at.window.actions_["fine-tune"].trigger()
    dialog = at.window.fine_tuning
    assert dialog is not None
    dialog.model.setCurrentIndex(dialog.model.findData("small"))
    folder = homes / "My songs"
    folder.mkdir()
    for song in range(4):
        write_song(folder / f"{song}.mid", song)
    dialog.folder.setText(str(folder))
    dialog.start_button.click()
    at.wait(lambda: dialog.bar.maximum() == 1000 or not dialog.is_running, "the first step", PATIENT)
    dialog.stop_button.click()
    at.wait(lambda: not dialog.is_running, "the end", PATIENT)
    assert "The new model is called My songs" in dialog.says.text()
    load_model(user_folder("models") / "My songs.safetensors")
    at.wait(lambda: models.findData("My songs") >= 0, "the new model in the list", PATIENT)


def write_song(path: Path, seed: int) -> None:
    """Half a minute of notes."""
    chance = random.Random(seed)
    track = mido.MidiTrack()
    for _ in range(120):
        pitch = chance.randrange(40, 90)
        track.append(mido.Message("note_on", note=pitch, velocity=chance.randrange(30, 110)))
        track.append(mido.Message("note_off", note=pitch, time=chance.choice((120, 240, 480))))
    mido.MidiFile(tracks=[track]).save(path)
