"""--words and evaluate-words."""

from pathlib import Path

from core.midi.read import read_score
from tests.core.cli.helpers import Command, two_tracks


def test_words_set_the_knobs_and_are_answered(command: Command, tmp_path: Path, tiny: Path) -> None:
    song, out = tmp_path / "song.mid", tmp_path / "out.mid"
    song.write_bytes(two_tracks())
    given = ("continue", song, "-o", out, "--take-only", "--seconds", 12, "--seed", 3, "--model", tiny)
    code, _, err = command(*given, "--words", "louder, then softer, like guitars", "--knob", "higher")
    assert code == 0, err
    assert "louder: louder. Then softer: softer" in err
    assert 'Not understood: "like guitars"' in err
    notes = [note for track in read_score(out).tracks for note in track.notes]
    early, late = ([n.velocity for n in notes if a <= n.start < b] for a, b in ((0, 6), (7.1, 12)))
    assert min(early) > max(late)


def test_lines_are_measured(command: Command, tmp_path: Path) -> None:
    lines = tmp_path / "lines.txt"
    lines.write_text("# Two lines.\nvery loud: louder\nvery loud: softer\nno guitars: -\n")
    result = command.json("evaluate-words", lines)
    assert (result["lines"], round(result["right"], 2)) == (3, 0.67)
    _, out, _ = command("evaluate-words", lines)
    assert "very loud: softer was meant, much louder found" in out
