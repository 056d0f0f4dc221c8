import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from core.errors import UnreadableInput, WriteError
from core.session.recovery import Autosave, find_recoverable
from core.session.session import Session, session_from_midi
from core.session.storage import open_session, save_session
from tests.core.midi.builders import file_of, scale
from tests.core.session.sessions import band, band_with_take

# A program that autosaves one session after the other, says so, and never ends of itself.
_WORKER = """
import sys
from dataclasses import replace
from pathlib import Path
from core.session.recovery import Autosave
from core.session.storage import open_session
autosave = Autosave(Path(sys.argv[1]))
session = open_session(sys.argv[2])
for i in range(1000000):
    autosave.save(session.with_marker(i / 100), "/music/my song.continuo")
    print(i, flush=True)
"""


def run_worker(folder: Path, session: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", _WORKER, str(folder), str(session)]
    root = Path(__file__).parents[3]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, cwd=root, env={**os.environ, "PYTHONPATH": str(root)}
    )


@pytest.mark.posix
def test_a_session_whose_program_was_killed_is_found_whole(tmp_path: Path) -> None:
    session = band_with_take()
    save_session(session, tmp_path / "start.continuo")
    folder = tmp_path / "autosave"
    with run_worker(folder, tmp_path / "start.continuo") as worker:
        assert worker.stdout is not None
        saved = -1
        while saved < 20:
            saved = int(worker.stdout.readline())
        assert find_recoverable(folder) == []  # it lives
        worker.send_signal(signal.SIGKILL)
        worker.wait()
    (found,) = find_recoverable(folder)
    assert found.document == "/music/my song.continuo"
    recovered = found.open()
    assert recovered.takes == session.takes
    assert recovered.score == session.score
    assert recovered.marker >= 0.2
    assert recovered == session.with_marker(recovered.marker)
    assert find_recoverable(folder) == []  # held by the one who found it
    found.keep()
    (again,) = find_recoverable(folder)
    again.discard()
    assert list(folder.iterdir()) == []


def test_an_orderly_end_leaves_nothing(tmp_path: Path) -> None:
    autosave = Autosave(tmp_path / "a" / "b")
    assert find_recoverable(tmp_path / "a" / "b") == []
    autosave.save(band())
    autosave.clear()
    autosave.save(band())
    autosave.close()
    assert list((tmp_path / "a" / "b").iterdir()) == []


def test_saving_and_closing_from_different_threads(tmp_path: Path) -> None:
    autosave = Autosave(tmp_path)
    thread = threading.Thread(target=autosave.save, args=(Session(),))
    thread.start()
    thread.join()
    assert find_recoverable(tmp_path) == []
    autosave.close()
    assert list(tmp_path.iterdir()) == []


def test_the_newest_comes_first_and_leftovers_are_cleared(tmp_path: Path) -> None:
    for i, name in enumerate(("old", "new")):
        save_session(band().with_marker(i), tmp_path / f"{name}.continuo")
        os.utime(tmp_path / f"{name}.continuo", (1e9 + i, 1e9 + i))
    (tmp_path / "bare.json").write_text("{}")
    (tmp_path / "bare.lock").write_text("")
    (tmp_path / "new.json").write_text("[")
    (tmp_path / "old.json").write_text('{"document": 5}')
    (tmp_path / "other.txt").write_text("not ours")
    (tmp_path / ".continuo-half.part").write_text("half-written")
    found = find_recoverable(tmp_path)
    assert [r.open().marker for r in found] == [1.0, 0.0]
    assert [r.document for r in found] == ["", ""]
    for recovery in found:
        recovery.discard()
    assert [path.name for path in tmp_path.iterdir()] == ["other.txt"]


def test_a_damaged_autosave_is_told_and_can_be_discarded(tmp_path: Path) -> None:
    (tmp_path / "x.continuo").write_bytes(b"PK")
    (found,) = find_recoverable(tmp_path)
    with pytest.raises(UnreadableInput):
        found.open()
    found.discard()
    assert list(tmp_path.iterdir()) == []


def test_no_folder_is_nothing_to_recover_and_no_place_is_told(tmp_path: Path) -> None:
    assert find_recoverable(tmp_path / "none") == []
    (tmp_path / "file").write_text("")
    with pytest.raises(WriteError, match="Nothing can be saved for recovery"):
        Autosave(tmp_path / "file")


def test_what_cannot_be_read_is_set_aside_and_not_found_again(tmp_path: Path) -> None:
    (tmp_path / "1-a.continuo").write_bytes(b"damaged")
    (tmp_path / "1-a.json").write_text('{"document": ""}')
    (found,) = find_recoverable(tmp_path)
    kept = found.set_aside()
    assert kept.read_bytes() == b"damaged"
    assert find_recoverable(tmp_path) == []
    assert list(tmp_path.iterdir()) == [kept]


@pytest.mark.skipif(sys.platform != "linux", reason="file names are Unicode elsewhere")
def test_a_file_whose_name_is_not_utf_8_comes_back(tmp_path: Path) -> None:
    name = os.fsdecode(b"caf\xe9.mid")
    session = session_from_midi(file_of(scale()), name)
    document = str(tmp_path / os.fsdecode(b"caf\xe9.continuo"))
    save_session(session, document)
    assert open_session(document) == session
    autosave = Autosave(tmp_path / "auto")
    autosave.save(session, document)
    autosave._files.lock.release()  # as when its program is gone
    (found,) = find_recoverable(tmp_path / "auto")
    assert (found.document, found.open()) == (document, session)
    found.discard()
