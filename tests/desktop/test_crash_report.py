"""A report of a crash tells what happened, and nothing of whose machine it was."""

import subprocess
import sys
from pathlib import Path

import pytest
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QPushButton, QWidget
from pytestqt.qtbot import QtBot

from core.logs import log_path
from desktop.crash_report import crash_report, record_crashes, traces_path, without_personal_paths
from desktop.dialogs.questions import recovery_box
from tests.conftest import WAIT

pytestmark = pytest.mark.usefixtures("homes")

CRASHING = """
import ctypes
from desktop.crash_report import record_crashes

def fall_over():
    ctypes.string_at(0)

record_crashes()
fall_over()
"""


def crash() -> None:
    assert subprocess.run([sys.executable, "-c", CRASHING], check=False, timeout=WAIT).returncode != 0


def test_a_native_crash_is_in_the_next_report() -> None:
    crash()
    assert "fall_over" in traces_path().read_text()
    subprocess.run([sys.executable, "-c", "from desktop.crash_report import record_crashes as r; r()"], check=True)
    report = crash_report()
    assert "fall_over" in report
    assert report.startswith("Continuo ")


@pytest.mark.parametrize(
    "line",
    [
        'INFO: "/media/Zoë Müller/Songs/Meine Hymne.mid" cannot be read.',
        "WARNING: cannot open /media/Zoë Müller/Songs/Meine Hymne.mid",
        "INFO: Meine-Hymne.MID was read",
        'INFO: "Meine Hymne.mid" has no notes.',
        r'INFO: "C:\Users\Zoë Müller\Meine Hymne.mid" is gone.',
        r"FileNotFoundError: [Errno 2] No such file or directory: 'D:\\Zoë Müller\\Meine Hymne.mid'",
        "PermissionError: [Errno 13] Permission denied: '/srv/Zoë Müller/Hymne'",
    ],
)
def test_names_and_places_of_files_are_taken_out(line: str) -> None:
    told = without_personal_paths(line)
    assert not any(word in told for word in ("Zoë", "Müller", "Songs", "Hymne"))


def test_the_home_folder_is_taken_out_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "home", lambda: Path("/home/Zoë Müller"))
    assert without_personal_paths("in /home/Zoë Müller/x y/z, and") == "in <path>"


@pytest.mark.posix
def test_places_in_the_program_stay() -> None:
    import core.logs

    line = f'  File "{core.logs.__file__}", line 12, in hook'
    assert without_personal_paths(line) == '  File "<program>/core/logs.py", line 12, in hook'


def test_one_click_copies_it_and_leaves_the_question_open(qtbot: QtBot, homes: Path) -> None:
    log_path().parent.mkdir(parents=True)
    log_path().write_text(f'ERROR: "{homes}/Meine Hymne.mid" went wrong\n')
    window = QWidget()
    qtbot.addWidget(window)
    box, _, _ = recovery_box(window, "song.mid", "12:00", 0)
    box.show()
    button = next(b for b in box.findChildren(QPushButton) if b.text() == "Copy report")
    button.click()
    assert box.isVisible()
    told = QGuiApplication.clipboard().text()
    assert "went wrong" in told
    assert "Hymne" not in told
    box.close()


@pytest.mark.posix
def test_without_a_place_to_write_it_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", "/proc/nothing")
    record_crashes()
