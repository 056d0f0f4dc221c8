"""fill: a region made anew, and all else as it was; re-read by mido."""

from pathlib import Path

import mido
import pytest

from core.midi.region import Region
from core.session.session import open_midi
from tests.core.cli.helpers import Command
from tests.core.midi.builders import file_of, off, on
from tests.reliability.fill import assert_only_filled


def chunks(path: Path) -> list[bytes]:
    """What a file's chunks hold."""
    return [part[4:] for part in path.read_bytes().split(b"MTrk")[1:]]


def test_a_region_is_made_anew_and_all_else_stays(command: Command, song: Path, tiny: Path, tmp_path: Path) -> None:
    out = tmp_path / "other.mid"
    given = ("fill", song, "-o", out, "--from", 2, "--to", 5, "--model", tiny, "--seed", 3, "--candidates", 3)
    result = command.json(*given)
    assert_only_filled(open_midi(song), Region(2.0, 5.0), out.read_bytes())
    assert result["notes"] > 0
    assert (result["replaced"], result["grid"], result["outputs"]) == (5, "1/16", [str(out)])
    assert sorted(candidate["seed"] for candidate in result["candidates"]) == [3, 4, 5]
    assert [c["chosen"] for c in result["candidates"]] == [True, False, False]
    data = out.read_bytes()
    assert command.json(*given)["notes"] == result["notes"]
    assert out.read_bytes() == data  # the same seed gives the same notes
    onsets = {note.start_tick for track in open_midi(out).score.tracks for note in track.notes}  # type: ignore[union-attr]
    assert all(tick % 120 == 0 for tick in onsets)


def test_other_tracks_stay_byte_for_byte(command: Command, song: Path, tiny: Path, tmp_path: Path) -> None:
    out = tmp_path / "other.mid"
    options = ("--tracks", "2", "--low", "C3", "--high", "60", "--candidates", 2, "--model", tiny)
    command.json("fill", song, "-o", out, "--from", 0, "--to", 4, *options)
    key = open_midi(song).score.tracks[1].key  # type: ignore[union-attr]
    assert_only_filled(open_midi(song), Region(0.0, 4.0, frozenset([key]), 48, 60), out.read_bytes())
    assert chunks(out)[0] == chunks(song)[0]


def test_alternatives_are_numbered(command: Command, song: Path, tiny: Path, tmp_path: Path) -> None:
    out = tmp_path / "other.mid"
    options = ("--alternatives", 2, "--candidates", 3, "--model", tiny, "--temperature", 1.5)
    code, words, _ = command("fill", song, "-o", out, "--from", 2, "--to", 5, *options)
    assert code == 0
    assert "the best of 3 candidates by tiny" in words
    made = [tmp_path / f"other-{i}.mid" for i in (1, 2)]
    assert [path.exists() for path in (*made, out)] == [True, True, False]
    for path in made:
        assert_only_filled(open_midi(song), Region(2.0, 5.0), path.read_bytes())


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--from", 5, "--to", 2), "must last 0.1 to 120 seconds"),
        (("--from", 2, "--to", 200), "--to 200 lies outside the file, which ends at 8.00 seconds"),
        (("--from", -3, "--to", 4), "must start at 0 seconds or later, not at -3."),
        (("--from", 1, "--to", 2, "--knob", "wilder"), '"wilder" is no knob'),
        (("--from", 1, "--to", 2, "--tracks", 7), "There is no track 7"),
        (("--from", 1, "--to", 2, "--low", "H9"), "is not a pitch"),
        (("--from", 1, "--to", 2, "--low", 70, "--high", 60), "is empty"),
        (("--from", 1, "--to", 2, "--alternatives", 9), "no 9 alternatives"),
        (("--from", 1, "--to", 2, "--temperature", -1), "temperature must lie between"),
    ],
)
def test_what_cannot_be_is_one_sentence(
    command: Command, song: Path, tmp_path: Path, options: tuple[object, ...], words: str
) -> None:
    out = tmp_path / "other.mid"
    assert words in command.refuse(2, "fill", song, "-o", out, *options)
    assert not out.exists()


def test_knobs_and_words_change_what_is_made(command: Command, song: Path, tiny: Path, tmp_path: Path) -> None:
    given = ("fill", song, "--from", 2, "--to", 6, "--model", tiny, "--seed", 3, "--candidates", 1)
    made: list[float] = []
    for i, knobs in enumerate(((), ("--knob", "softer=2"), ("--words", "very soft"))):
        out = tmp_path / f"{i}.mid"
        code, _, err = command(*given, "-o", out, *knobs)
        assert code == 0, err
        assert ("very soft: much softer" in err) == ("--words" in knobs)
        new = [n.velocity for track in open_midi(out).tracks for n in track.notes if 2.0 <= n.start < 6.0]
        made.append(sum(new) / len(new))
    assert max(made[1:]) < made[0] - 10
    code, _, err = command(*given, "-o", tmp_path / "out.mid", "--words", "soft, then loud")
    assert (code, "soft: softer. Then loud: louder." in err) == (0, True)


def test_drums_are_never_made_anew(command: Command, tiny: Path, tmp_path: Path) -> None:
    drums, both = tmp_path / "drums.mid", tmp_path / "both.mid"
    beat = [m for _ in range(16) for m in (on(38, channel=9), off(38, 240, channel=9))]
    drums.write_bytes(file_of(beat))
    said = command.refuse(2, "fill", drums, "-o", tmp_path / "o.mid", "--from", 1, "--to", 2)
    assert "play no drums" in said
    both.write_bytes(file_of(beat, [m for i in range(16) for m in (on(60 + i), off(60 + i, 240))]))
    command.json("fill", both, "-o", both, "--from", 1, "--to", 2, "--model", tiny)  # named by the user: written over
    assert mido.MidiFile(both).tracks[0] == mido.MidiFile(drums).tracks[0]
