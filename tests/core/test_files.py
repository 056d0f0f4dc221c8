import errno
import os
import stat
from pathlib import Path

import pytest

from core.errors import WriteError
from core.files import check_writable, write_atomically


def test_a_file_is_written_and_replaced(tmp_path: Path) -> None:
    path = tmp_path / "a.mid"
    write_atomically(path, b"one")
    path.chmod(0o640)
    write_atomically(str(path), b"two")
    assert path.read_bytes() == b"two"
    assert [p.name for p in tmp_path.iterdir()] == ["a.mid"]
    if os.name == "posix":
        assert stat.S_IMODE(path.stat().st_mode) == 0o640


@pytest.mark.posix
def test_a_new_file_has_usual_permissions(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        write_atomically(tmp_path / "a.mid", b"one")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a.mid").stat().st_mode) == 0o644


@pytest.mark.posix
def test_a_link_is_followed(tmp_path: Path) -> None:
    (tmp_path / "real.mid").write_bytes(b"one")
    (tmp_path / "link.mid").symlink_to(tmp_path / "real.mid")
    write_atomically(tmp_path / "link.mid", b"two")
    assert (tmp_path / "link.mid").is_symlink()
    assert (tmp_path / "real.mid").read_bytes() == b"two"


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        (errno.ENOSPC, "the disk is full"),
        (errno.EROFS, "the disk is read-only"),
        (errno.EACCES, "you may not write there"),
    ],
)
def test_a_failure_leaves_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, reason: str
) -> None:
    path = tmp_path / "a.mid"
    path.write_bytes(b"one")

    def fail(_handle: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(WriteError) as error:
        write_atomically(path, b"two")
    assert str(error.value) == f'Cannot write "{path}": {reason}.'
    assert path.read_bytes() == b"one"
    assert [p.name for p in tmp_path.iterdir()] == ["a.mid"]


def test_an_interruption_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(_handle: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_atomically(tmp_path / "a.mid", b"two")
    assert list(tmp_path.iterdir()) == []


def test_places_where_no_file_can_be(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")

    def sentence(path: Path | str) -> str:
        with pytest.raises(WriteError) as error:
            write_atomically(path, b"x")
        return str(error.value)

    assert sentence(tmp_path) == f'Cannot write "{tmp_path}": it is a folder.'
    assert "there is no such folder" in sentence(tmp_path / "no" / "a.mid")
    assert "there is no such folder" in sentence(tmp_path / "file" / "a.mid")
    assert "its name is too long" in sentence(tmp_path / ("a" * 300))
    assert "not a possible file name" in sentence("a\0b")


@pytest.mark.linux
def test_a_device_is_not_replaced() -> None:
    with pytest.raises(WriteError, match="it is not an ordinary file"):
        write_atomically("/dev/full", b"x")


def test_a_place_is_tried_without_leaving_anything(tmp_path: Path) -> None:
    check_writable(tmp_path / "a.mid")
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(WriteError, match="there is no such folder"):
        check_writable(tmp_path / "b" / "a.mid")
    with pytest.raises(WriteError, match="it is a folder"):
        check_writable(tmp_path)
