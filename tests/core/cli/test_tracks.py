"""evaluate-tracks: the share of notes given to the right track."""

from pathlib import Path

import mido
import pytest

from core.tracks.track_assignment import bundled_weights
from tests.core.cli.helpers import Command
from tests.core.midi.builders import file_of, off, on


@pytest.fixture
def duet(tmp_path: Path) -> Path:
    """Forty bars of a low and a high voice."""
    low = [m for k in range(160) for m in (on(36 + k % 5), off(36 + k % 5, 480))]
    high = [m for k in range(160) for m in (on(76 + k % 7, channel=1), off(76 + k % 7, 480, channel=1))]
    metre = [mido.MetaMessage("time_signature", numerator=4, denominator=4)]
    path = tmp_path / "duet.mid"
    path.write_bytes(file_of(metre, low, high))
    return path


def test_voices_that_are_far_apart_are_all_found(command: Command, duet: Path) -> None:
    result = command.json("evaluate-tracks", duet, "--bars", 8)
    assert (result["songs"], result["notes"], result["accuracy"], result["bass_accuracy"]) == (1, 64, 1.0, 1.0)
    assert result["standard_error"] is None
    assert (result["line_accuracy"], result["lowest_accuracy"]) == (1.0, 1.0)
    code, out, _ = command("evaluate-tracks", duet.parent, "--passages", 3)
    assert code == 0
    assert "1 song," in out
    assert "100.0% right" in out
    assert "bass line      100.0%: of that" in out


def test_what_there_is_nothing_to_learn_from_is_told(command: Command, tmp_path: Path, duet: Path) -> None:
    splits = tmp_path / "splits.csv"
    splits.write_text(f"split,path\ntest,{tmp_path.name}/duet.mid\n")
    code, _, err = command("train-tracks", tmp_path, "-o", tmp_path / "x.npz", "--splits", splits)
    assert code == 3
    assert "several tracks to learn from" in err
    assert not (tmp_path / "x.npz").exists()


def test_a_weight_of_a_folder_that_is_not_there_is_told(command: Command, tmp_path: Path, duet: Path) -> None:
    line = ("train-tracks", tmp_path, "-o", tmp_path / "x.npz", "--weight", "quartets=2")
    assert "quartets" in command.refuse(2, *line)


def test_a_folder_that_weighs_more_gives_more_passages(
    command: Command, tmp_path: Path, duet: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.training.tracks.learn", lambda *given: bundled_weights())
    made = [command("train-tracks", tmp_path, "-o", tmp_path / "x.npz", "--notes", 100, "--passages", 1, *more)
            for more in ((), ("--weight", f"{tmp_path.name}=3"))]  # fmt: skip
    counts = [int(err.split(": ")[1].split()[0]) for _, _, err in made]
    assert counts[1] > counts[0] == 1
    assert (tmp_path / "x.npz").is_file()
    assert not (tmp_path / "x.npz-run").exists()  # the checkpoints


def test_what_has_one_track_is_left_out(command: Command, tmp_path: Path, duet: Path) -> None:
    single = tmp_path / "single.mid"
    single.write_bytes(file_of([m for k in range(160) for m in (on(60), off(60, 480))]))
    code, _, err = command("evaluate-tracks", single)
    assert code == 3
    assert "several tracks" in err
    (tmp_path / "broken.mid").write_bytes(b"no music")
    code, out, err = command("evaluate-tracks", tmp_path)
    assert code == 0
    assert "1 song," in out
    assert "broken.mid" in err
