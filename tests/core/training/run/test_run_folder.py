"""A run on disk, and what the header of its model says of what it was trained on."""

from pathlib import Path

import pytest

from core.errors import UnreadableInput, UsageError, WriteError
from core.model.checkpoint import ModelInfo
from core.training.data.corpus import Piece
from core.training.run.run_folder import LOG, RunFolder, trained_on
from tests.core.training.tunes import TINY

PIECE = Piece("a.mid", "tunes", "CC0", "a", "train", 10.0, 0.0, 0, 5, 0, 20)


def test_another_run_in_the_folder_is_refused(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    run.begin({"preset": "small", "seed": 0})
    run.log({"step": 1, "loss": 5.0})
    run.begin({"preset": "base", "seed": 0})  # nothing trained yet
    assert run.read_log() == []
    run.save_state({"state": {}})
    with pytest.raises(UsageError, match="another seed"):
        run.begin({"preset": "base", "seed": 1})
    (tmp_path / "last.pt").write_bytes(b"torn")
    with pytest.raises(UnreadableInput, match="damaged"):
        run.load_state()


@pytest.mark.linux
def test_a_disk_that_is_full_is_a_sentence(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    (tmp_path / LOG).symlink_to("/dev/full")
    with pytest.raises(WriteError, match="the disk is full"):
        run.log({"step": 1, "loss": 5.0})


@pytest.mark.parametrize(
    ("before", "after"),
    [("pop909", "pop909; then tunes"), ("pop909; then tunes", "pop909; then tunes"), ("tunes; then pop909", None)],
)
def test_a_header_names_what_came_after_each_other_and_not_the_same_twice(before: str, after: str | None) -> None:
    base = ModelInfo("first", Path("first.safetensors"), TINY, {"data": before, "licence": "CC0"})
    assert trained_on([PIECE], base)["data"] == (after or before + "; then tunes")


@pytest.mark.parametrize(("seen", "counted"), [("1200", 1200), ("many", 0), ("9" * 5000, 0), ("-3", 0), ("", 0)])
def test_a_header_that_counts_anything_else_than_events_is_no_fault(seen: str, counted: int) -> None:
    base = ModelInfo("first", Path("first.safetensors"), TINY, {"events_seen": seen, "events_seen_before": "30"})
    assert trained_on([PIECE], base)["events_seen_before"] == str(counted + 30)
