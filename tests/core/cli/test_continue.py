"""continue: file to file."""

from pathlib import Path

import mido
import pytest

from core.midi.read import read_score
from tests.core.cli.helpers import KEYS, ONE, Command, take_notes, two_tracks
from tests.core.midi.builders import file_of, off, on


def test_the_take_follows_the_untouched_original(command: Command, song: Path, tiny: Path) -> None:
    result = command.json("continue", song, *ONE, "-o", "out file ü.mid", "--model", tiny, "--seconds", 3, "--seed", 7)
    assert song.read_bytes() == two_tracks()
    before, after = read_score(song), read_score("out file ü.mid")
    assert after.chunks[:-1] == before.chunks
    notes = after.tracks[-1].notes
    assert set(result) == KEYS
    assert result["notes"] == len(notes) > 0
    assert min(note.start for note in notes) >= 8.0
    assert max(note.start for note in notes) < 11.0
    assert max(note.end for note in notes) <= 15.0 + 0.02  # the last ones ring out, a bar at most
    assert result["events"] > len(notes)
    assert result["music_seconds"] == pytest.approx(3.0, abs=0.02)
    assert result["outputs"] == ["out file ü.mid"]
    assert (result["model"], result["seed"], result["device"]) == ("tiny", 7, "cpu")
    assert (result["underruns"], result["late_ms_p99"]) == (0, None)
    assert result["real_time_factor"] == pytest.approx(result["music_seconds"] / result["wall_seconds"], rel=0.05)
    assert result["events_per_second"] == pytest.approx(result["events"] / result["wall_seconds"], rel=0.05)
    assert result["wall_seconds"] >= result["first_event_seconds"] > 0
    assert result["prefill_seconds"] > 0


def test_words_for_people_and_nothing_on_stderr(command: Command, song: Path, tiny: Path) -> None:
    code, out, err = command("continue", song, *ONE, "-o", "o.mid", "--model", tiny, "--events", 20, "--seed", 3)
    assert (code, err) == (0, "")
    assert "seed 3" in out
    assert out.endswith("o.mid\n")


def test_the_take_alone_starts_at_0(command: Command, song: Path, tiny: Path) -> None:
    both = ["continue", song, *ONE, "--model", tiny, "--seconds", 3, "--seed", 7]
    command.json(*both, "-o", "with.mid")
    command.json(*both, "-o", "alone.mid", "--take-only")
    alone = read_score("alone.mid")
    assert len(alone.tracks) == 1
    expected = [(n.pitch, n.velocity, n.start_tick, n.end_tick) for n in alone.tracks[0].notes]
    marker = 8 * 480
    found = take_notes(Path("with.mid"))
    assert [(n.pitch, n.velocity, n.start_tick - marker, n.end_tick - marker) for n in found] == expected


@pytest.mark.parametrize("tempo", [400_000, 1_600_000])
def test_a_take_lasts_to_its_bar_line_where_the_tempo_changes_under_it(
    command: Command, tiny: Path, tempo: int
) -> None:
    change = [mido.MetaMessage("set_tempo", tempo=tempo, time=5 * 480)]  # on the second beat of the take
    Path("song.mid").write_bytes(file_of([mido.MetaMessage("set_tempo", tempo=1_000_000)], change, *_voices()))
    line = ("continue", "song.mid", *ONE, "-o", "o.mid", "--model", tiny, "--seed", 3, "--rest", "beside")
    result = command.json(*line, "--from", 4, "--bars", 2)
    assert result["music_seconds"] == pytest.approx(1 + 7 * tempo / 1e6, abs=0.02)
    assert result["notes"] == len(take_notes(Path("o.mid")))  # none is sampled that is not to be heard


def _voices() -> list[list[mido.Message]]:
    """Forty beats of two voices."""
    return [
        [m for k in range(40) for m in (on(p + k % 3, 0, c), off(p + k % 3, 480, c))] for p, c in ((48, 1), (72, 0))
    ]


def test_a_marker_in_seconds_lies_on_a_tick(command: Command, tiny: Path) -> None:
    """7.2 seconds are 16 beats, though in arithmetic these are 7.2 and a little, or not quite."""
    from core.cli.prompt import choose

    Path("song.mid").write_bytes(file_of([mido.MetaMessage("set_tempo", tempo=450_000)], *_voices()))
    starts = [note.start for note in read_score("song.mid").tracks[0].notes if note.start_tick == 16 * 480]
    for seconds in (7.2, 7.2 - 1e-9, 7.2 + 1e-9, 7.2001):
        assert [choose(Path("song.mid"), None, seconds, None, "auto", "stretch").marker] == starts


def test_from_mid_file_cuts_the_original(command: Command, song: Path, tiny: Path) -> None:
    command.json("continue", song, *ONE, "-o", "o.mid", "--model", tiny, "--seconds", 2, "--seed", 3, "--from", 3.5)
    melody, bass, take = read_score("o.mid").tracks
    assert [n.pitch for n in melody.notes] == [72, 74, 76, 77]
    assert max(n.end for n in (*melody.notes, *bass.notes)) == pytest.approx(3.5)
    assert min(n.start for n in take.notes) >= 3.5
    assert max(n.start for n in take.notes) <= 5.5
    assert max(n.end for n in take.notes) <= 9.52


def test_to_ends_the_take_in_time_and_what_it_replaces_is_said(command: Command, song: Path, tiny: Path) -> None:
    line = ["continue", song, "-o", "o.mid", "--model", tiny, "--seed", 3, "--from", 3]
    code, _, err = command(*line, "--to", 6.5)
    assert (code, err) == (
        0,
        "The take replaces 6 notes of the prompt's tracks, from 3.00 to 6.50 seconds; there the original comes back.\n",
    )
    before, melody, _, *take = *read_score(song).tracks[:1], *read_score("o.mid").tracks
    assert [n.start for n in melody.notes] == [n.start for n in before.notes if not 3 <= n.start < 6.5]
    notes = [n for track in take for n in track.notes]
    assert notes
    assert max(n.end for n in notes) <= 6.5 + 1e-6
    assert "behind the place" in command.refuse(2, *line, "--to", 2)
    assert "Give the length once" in command.refuse(2, *line, "--to", 5, "--bars", 1)
    assert "all 7 notes" in command(*line, "--rest", "rest", "--seconds", 1)[2]
    assert not command(*line, "--rest", "beside", "--seconds", 1)[2]


def test_each_track_of_the_prompt_plays_on_and_the_original_returns(command: Command, song: Path, tiny: Path) -> None:
    command.json("continue", song, "-o", "o.mid", "--model", tiny, "--bars", 1, "--seed", 3, "--from", 4)
    after = read_score("o.mid")
    assert {(t.channel, t.name) for t in after.tracks} <= {(0, after.tracks[0].name), (1, after.tracks[1].name)}
    assert [n.start for n in after.tracks[0].notes] == [0.0, 1.0, 2.0, 3.0]
    assert all(t.channel in (0, 1) for t in after.tracks[2:])
    command.json("continue", song, "-o", "m.mid", "--model", tiny, "--bars", 1, "--seed", 3, "--from", 4, "--merge")
    merged = read_score("m.mid")
    assert len(merged.tracks) == 2
    assert sum(len(t.notes) for t in merged.tracks) == sum(len(t.notes) for t in after.tracks)
    into = ["continue", song, "-o", "p.mid", "--model", tiny, "--seconds", 4, "--seed", 3, "--into"]
    command.json(*into, 2)
    taken = read_score("p.mid").tracks[-1]
    assert (taken.channel, {48 <= n.pitch <= 55 for n in taken.notes}) == (1, {True})
    assert "a track" in command.refuse(2, *into, "bass")
    assert "stretch" in command.refuse(2, *into, 2, "--rest", "all")


def test_keep_rest_leaves_it(command: Command, song: Path, tiny: Path) -> None:
    command.json(
        "continue",
        song,
        "--into",
        "one",
        "-o",
        "o.mid",
        "--model",
        tiny,
        "--seconds",
        2,
        "--seed",
        3,
        "--from",
        3.5,
        "--keep-rest",
    )
    after = read_score("o.mid")
    assert after.chunks[:-1] == read_score(song).chunks
    assert min(n.start for n in after.tracks[-1].notes) >= 3.5


def test_length_in_bars_and_events(command: Command, song: Path, tiny: Path) -> None:
    line = ["continue", song, *ONE, "-o", "o.mid", "--model", tiny]
    assert command.json(*line, "--bars", 1.5)["music_seconds"] == pytest.approx(6.0, abs=0.02)
    # What still sounds when the last event is sampled is closed by note-offs of our own.
    assert command.json(*line, "--events", 40)["events"] == 40


def test_takes_into_files_of_their_own(command: Command, song: Path, tiny: Path) -> None:
    line = ["continue", song, *ONE, "--model", tiny, "--seconds", 8, "--seed", 5]
    result = command.json(*line, "-o", "o.mid", "--takes", 3)
    assert result["outputs"] == ["o-1.mid", "o-2.mid", "o-3.mid"]
    files = [Path(path).read_bytes() for path in result["outputs"]]
    assert len(set(files)) == 3
    assert sorted(result["seeds"]) == [5, 6, 7]
    assert result["notes"] == sum(len(take_notes(Path(path))) for path in result["outputs"])


def test_the_same_seed_gives_the_same_file(command: Command, song: Path, tiny: Path) -> None:
    line = ["continue", song, *ONE, "--model", tiny, "--seconds", 4]
    for out, seed in (("a.mid", 11), ("b.mid", 11), ("c.mid", 12)):
        command.json(*line, "-o", out, "--seed", seed)
    assert Path("a.mid").read_bytes() == Path("b.mid").read_bytes() != Path("c.mid").read_bytes()
    drawn = command.json(*line, "-o", "d.mid")["seed"]
    command.json(*line, "-o", "e.mid", "--seed", drawn)
    assert Path("d.mid").read_bytes() == Path("e.mid").read_bytes()


def test_scale_and_range(command: Command, song: Path, tiny: Path) -> None:
    line = ["continue", song, *ONE, "-o", "o.mid", "--model", tiny, "--seconds", 90, "--seed", 2]
    command.json(*line, "--scale", "D minor", "--low", "C4", "--high", 71)
    pitches = {n.pitch for n in take_notes(Path("o.mid"))}
    assert len(pitches) > 3
    assert pitches <= {60, 61, 62, 64, 65, 67, 69, 70}  # in minor with both sevenths
    code, _, err = command(*line, "--scale", "auto")
    assert (code, err) == (0, "Keeping to C major.\n")
    assert {n.pitch % 12 for n in take_notes(Path("o.mid"))} <= {0, 2, 4, 5, 7, 9, 11}


def test_the_take_is_on_the_grid_of_the_prompt(command: Command, song: Path, tiny: Path) -> None:
    line = ["continue", song, *ONE, "-o", "o.mid", "--model", tiny, "--seconds", 60, "--seed", 1]
    for options, name, ticks in (
        ([], "1/16", 120),
        (["--grid", "1/8"], "1/8", 240),
        (["--grid", "1/8t"], "1/8t", 160),
        (["--from", 3.03], "1/16", 120),
    ):
        assert command.json(*line, *options)["grid"] == name
        starts = [n.start_tick for n in take_notes(Path("o.mid"))]
        assert len(starts) > 5
        assert {tick % ticks for tick in starts} == {0}
    assert command.json(*line, "--grid", "off")["grid"] is None
    assert any(n.start_tick % 120 for n in take_notes(Path("o.mid")))
    assert "1/16t" in command.refuse(2, *line, "--grid", "1/12")


def test_a_flat_prompt_stays_flat_or_gets_a_human_touch(command: Command, song: Path, tiny: Path) -> None:
    line = ["continue", song, *ONE, "-o", "o.mid", "--model", tiny, "--seconds", 10, "--seed", 1]
    for dynamics in ("auto", "flat", "human"):
        command.json(*line, "--dynamics", dynamics)
        velocities = {n.velocity for n in take_notes(Path("o.mid"))}
        assert (velocities == {80}) == (dynamics != "human")


def test_the_prompt_is_the_chosen_tracks_and_seconds(
    command: Command, song: Path, tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from core.generation.engine import Engine

    seen: list[set[int]] = []
    prepare = Engine.prepare

    def spy(self: Engine, prompt, *rest):
        seen.append({event for event in prompt.events if event < 128})
        return prepare(self, prompt, *rest)

    monkeypatch.setattr(Engine, "prepare", spy)
    line = ["continue", song, *ONE, "-o", "o.mid", "--model", tiny, "--events", 5]
    command.json(*line)
    command.json(*line, "--tracks", "2")
    command.json(*line, "--tracks", "2,1", "--prompt-seconds", 1.5)
    assert seen == [{72, 74, 76, 77, 79, 48, 53, 55}, {48, 53, 55}, {74}]


def test_the_file_may_be_continued_in_place_if_named(command: Command, song: Path, tiny: Path) -> None:
    chunks = read_score(song).chunks
    command.json("continue", song, *ONE, "-o", song, "--model", tiny, "--seconds", 1)
    assert read_score(song).chunks[:-1] == chunks


def test_numbered_takes_never_replace_the_prompt(command: Command, song: Path, tiny: Path) -> None:
    prompt = song.rename(song.with_name("o-2.mid"))
    command.refuse(2, "continue", prompt, "-o", "o.mid", "--takes", 2, "--model", tiny)
    assert prompt.read_bytes() == two_tracks()
    assert list(song.parent.iterdir()) == [prompt]


def test_a_fault_while_sampling_saves_what_there_is(
    command: Command, song: Path, tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from core.errors import ContinuoError
    from core.generation.engine import Engine

    decode_one, calls = Engine.decode_one, []

    def fail(self: Engine, *arguments):
        calls.append(1)
        if len(calls) == 30:
            raise ContinuoError("The lights went out.")
        return decode_one(self, *arguments)

    monkeypatch.setattr(Engine, "decode_one", fail)
    code, out, err = command("continue", song, *ONE, "-o", "o.mid", "--model", tiny, "--events", 90, "--json")
    assert (code, err) == (1, "continuo-cli: The lights went out.\n")
    assert '"outputs": ["o.mid"]' in out
    assert take_notes(Path("o.mid"))


def test_the_bar_line_behind_the_music_can_be_named(command: Command, tmp_path: Path, tiny: Path) -> None:
    """It is where the take begins if nothing else is said."""
    song = tmp_path / "short.mid"
    metre = mido.MetaMessage("time_signature", numerator=4, denominator=4)
    song.write_bytes(file_of([metre, *(m for i in range(8) for m in (on(60 + i, 10 * (i > 0)), off(60 + i, 470)))]))
    code, _, err = command("continue", song, "-o", tmp_path / "o.mid", "--from", 4, "--seconds", 1, "--model", tiny)
    assert code == 0, err
    assert "outside the file" in command.refuse(2, "continue", song, "-o", tmp_path / "o.mid", "--from", 4.1)


def test_knobs_change_the_take_and_unknown_ones_are_told(command: Command, song: Path, tiny: Path) -> None:
    files = []
    for i, knobs in enumerate(([], ["--knob", "higher=2", "--knob", "calmer"])):
        out = song.with_name(f"knobs{i}.mid")
        files.append(out)
        command("continue", song, "-o", out, "--take-only", "--seconds", 4, "--seed", 3, "--model", tiny, *knobs)
    assert files[0].read_bytes() != files[1].read_bytes()
    sentence = command.refuse(2, "continue", song, "-o", files[0], "--model", tiny, "--knob", "louder=7")
    assert "2 steps" in sentence
