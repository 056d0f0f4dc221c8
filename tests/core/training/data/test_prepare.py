"""From folders of MIDI to a corpus."""

import errno
import json
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

import numpy as np
import pytest
from mido import MetaMessage

import core.training.data.prepare as module
from core.codec.events import encode
from core.errors import NotFound, UnreadableInput, UsageError, WriteError
from core.midi.read import read_score
from core.training.data.corpus import FORMAT, Corpus
from core.training.data.prepare import MidiFile, prepare
from core.training.data.sources import KNOWN, UNKNOWN_LICENCE, combined_licence, locate, split_by_hash
from tests.core.midi.builders import file_of, scale
from tests.core.training.tunes import splits_for, tiny_corpus, tune_pitches, write_songs, write_tune


def contents(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in sorted(folder.iterdir())}


def test_the_same_bytes_from_one_process_and_from_two(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_PART", 5)
    midi = write_songs(tmp_path / "midi")
    (midi / "broken.mid").write_bytes(b"MThd and then nothing that is MIDI")
    prepare([midi], tmp_path / "one", jobs=1)
    prepare([midi], tmp_path / "two", jobs=2)

    assert contents(tmp_path / "one") == contents(tmp_path / "two")


def test_the_events_are_the_files(tmp_path: Path) -> None:
    corpus = tiny_corpus(tmp_path)
    assert len(corpus.pieces) == 13
    for piece in corpus.pieces:
        assert corpus.events(piece).tolist() == encode(read_score(tmp_path / piece.path))[1:]


def test_goes_on_where_it_was_broken_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_PART", 5)
    midi = write_songs(tmp_path / "midi")
    prepare([midi], tmp_path / "whole", jobs=1)
    real, read = module._read_part, []

    def dying(files: Sequence[MidiFile], path: Path) -> int:
        if len(read) == 1:
            raise KeyboardInterrupt
        read.append(files)
        return real(files, path)

    monkeypatch.setattr(module, "_read_part", dying)
    with pytest.raises(KeyboardInterrupt):
        prepare([midi], tmp_path / "resumed", jobs=1)
    with pytest.raises(UnreadableInput):
        Corpus(tmp_path / "resumed")
    monkeypatch.setattr(module, "_read_part", lambda files, path: read.append(files) or real(files, path))
    prepare([midi], tmp_path / "resumed", jobs=1)

    assert sum(map(len, read)) == 13  # none twice
    assert contents(tmp_path / "resumed") == contents(tmp_path / "whole")
    prepare([midi], tmp_path / "resumed", jobs=1)
    assert sum(map(len, read)) == 13  # up to date: nothing is read


def test_a_corpus_of_another_version_is_made_anew(tmp_path: Path) -> None:
    corpus = tiny_corpus(tmp_path)
    index = corpus.folder / "index.json"
    index.write_text(index.read_text(encoding="utf-8").replace(f'"format": {FORMAT}', '"format": 1'), encoding="utf-8")
    with pytest.raises(UnreadableInput, match="another version"):
        Corpus(corpus.folder)

    prepare([tmp_path / "midi"], corpus.folder, splits=tmp_path / "splits.csv", jobs=1)
    assert Corpus(corpus.folder).pieces == corpus.pieces


def test_the_quarter_of_a_piece_on_a_grid_at_one_tempo(tmp_path: Path) -> None:
    midi = tmp_path / "midi"
    midi.mkdir()
    tempo, faster = MetaMessage("set_tempo", tempo=400_000), MetaMessage("set_tempo", tempo=300_000)
    tune = scale(range(40, 80))
    played = [m.copy(time=vars(m)["time"] * (7 + i * i % 5) // 9) for i, m in enumerate(tune)]
    (midi / "grid.mid").write_bytes(file_of([tempo, *tune]))
    (midi / "played.mid").write_bytes(file_of([tempo, *played]))
    (midi / "two-tempi.mid").write_bytes(file_of([tempo, *tune[:40], faster, *tune[40:]]))
    (midi / "tempo-after-the-end.mid").write_bytes(file_of([tempo, *scale(range(80, 40, -1)), faster]))
    prepare([midi], tmp_path / "corpus", jobs=1)

    quarters = {Path(p.path).stem: p.quarter for p in Corpus(tmp_path / "corpus").pieces}
    expected = {"grid": 0.4, "played": 0.0, "two-tempi": 0.0, "tempo-after-the-end": 0.4}
    assert quarters == pytest.approx(expected)


def test_a_changed_file_is_read_again(tmp_path: Path) -> None:
    midi = write_songs(tmp_path / "midi", 2)
    prepare([midi], tmp_path / "corpus", jobs=1)
    write_tune(midi / "song1.mid", tune_pitches(50, 30))
    prepare([midi], tmp_path / "corpus", jobs=1)

    assert [p.notes for p in Corpus(tmp_path / "corpus").pieces if p.path == "midi/song1.mid"] == [30]


def test_unusable_files_are_listed_and_never_fatal(tmp_path: Path) -> None:
    midi = write_songs(tmp_path / "midi", 3)
    (midi / "text.mid").write_bytes(b"no MIDI at all")
    (midi / "empty.mid").write_bytes(b"")
    write_tune(midi / "short.mid", [60, 62])
    (midi / "copy.mid").write_bytes((midi / "song2.mid").read_bytes())
    report = prepare([midi], tmp_path / "corpus", jobs=1)

    assert [path for path, _ in report.unreadable] == ["midi/empty.mid", "midi/text.mid"]
    assert all("text.mid" in why for path, why in report.unreadable if "text" in path)
    assert [path for path, _ in report.too_short] == ["midi/short.mid"]
    assert len(report.duplicates) == 1
    assert len(Corpus(tmp_path / "corpus").pieces) == 4
    assert json.loads((tmp_path / "corpus" / "report.json").read_text())["unreadable"]


def test_a_reader_that_fails_is_not_fatal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    midi = write_songs(tmp_path / "midi", 2)
    real = module.read_score
    monkeypatch.setattr(module, "read_score", lambda file: 1 // 0 if "song1" in str(file) else real(file))
    report = prepare([midi], tmp_path / "corpus", jobs=1)

    assert [path for path, _ in report.unreadable] == ["midi/song1.mid"]
    assert "ZeroDivisionError" in report.unreadable[0][1]


def test_versions_of_a_song_never_straddle(tmp_path: Path) -> None:
    midi = tmp_path / "midi"
    for song in range(60):
        write_tune(midi / f"s{song}.mid", tune_pitches(song, 30))
        write_tune(midi / f"s{song}-v2.mid", tune_pitches(1000 + song, 30))
    # A transposed copy of a song under another name belongs to that song too.
    write_tune(midi / "other.mid", [p + 2 for p in tune_pitches(7, 30)])
    prepare([midi], tmp_path / "corpus", jobs=1)
    pieces = Corpus(tmp_path / "corpus").pieces

    splits: dict[str, set[str]] = {}
    for piece in pieces:
        splits.setdefault(piece.song, set()).add(piece.split)
    assert len(splits) == 60
    assert all(len(found) == 1 for found in splits.values())
    assert {split for found in splits.values() for split in found} == {"train", "validation", "test"}
    song = {p.path: p.song for p in pieces}
    assert song["midi/other.mid"] == song["midi/s7.mid"]


def test_near_copies_of_held_out_pieces_leave_the_training_data(tmp_path: Path) -> None:
    midi = write_songs(tmp_path / "midi", 4)
    write_tune(midi / "cover.mid", [p - 3 for p in tune_pitches(2)], length=300)
    splits = splits_for(midi, [], ["song2.mid"])
    report = prepare([midi], tmp_path / "corpus", splits=splits, jobs=1)

    kept = {p.path: p.split for p in Corpus(tmp_path / "corpus").pieces}
    assert "midi/cover.mid" not in kept
    assert kept["midi/song2.mid"] == "test"
    assert [path for path, _ in report.near_duplicates] == ["midi/cover.mid"]


def test_report_by_source_and_licence(tmp_path: Path) -> None:
    write_songs(tmp_path / "data" / "asap" / "Bach", 2)
    write_songs(tmp_path / "mine", 3)
    report = prepare([tmp_path / "data", tmp_path / "mine"], tmp_path / "c", licences={"mine": "CC0"}, jobs=1)
    rows = {row["source"]: row for row in report.sources}

    assert rows["asap"]["licence"] == "CC BY-NC-SA 4.0"
    assert rows["mine"]["licence"] == "CC0"
    assert sum(row["files"] for row in rows.values()) == 7 - len(report.duplicates)
    with pytest.raises(UsageError, match=r"called mien; there are: mine"):
        prepare([tmp_path / "mine"], tmp_path / "d", licences={"mien": "CC0"}, jobs=1)
    corpus = Corpus(tmp_path / "c")
    assert sum(row["events"] for row in rows.values()) == sum(len(corpus.events(p)) for p in corpus.pieces)


def test_wrong_folders(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="nowhere"):
        prepare([tmp_path / "nowhere"], tmp_path / "corpus")
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match="no MIDI files"):
        prepare([tmp_path / "empty"], tmp_path / "corpus")
    with pytest.raises(UnreadableInput, match="not a prepared corpus"):
        Corpus(tmp_path / "empty")


def test_a_folder_of_something_else_is_left_as_it_is(tmp_path: Path) -> None:
    midi = write_songs(tmp_path / "midi", 2)
    (tmp_path / "scores" / "parts").mkdir(parents=True)  # a musician's, such as for strings
    (tmp_path / "scores" / "parts" / "viola.txt").touch()
    with pytest.raises(UsageError, match="new folder"):
        prepare([midi], tmp_path / "scores", jobs=1)
    with pytest.raises(UsageError, match="new folder"):
        prepare([midi], midi, jobs=1)
    assert (tmp_path / "scores" / "parts" / "viola.txt").is_file()


@pytest.mark.parametrize("name", ["midi/song1.mid", "midi/song1.mid/corpus", "x" * 300])
def test_a_place_where_no_corpus_can_be(tmp_path: Path, name: str) -> None:
    midi = write_songs(tmp_path / "midi", 2)
    with pytest.raises(WriteError, match="Cannot write the corpus"):
        prepare([midi], tmp_path / name, jobs=1)


def test_nothing_usable(tmp_path: Path) -> None:
    midi = tmp_path / "midi"
    midi.mkdir()
    (midi / "text.mid").write_bytes(b"no MIDI at all")
    for _ in range(2):  # again, though it is up to date
        with pytest.raises(UnreadableInput, match=r"report\.json"):
            prepare([midi], tmp_path / "corpus", jobs=1)
    assert "text.mid" in (tmp_path / "corpus" / "report.json").read_text(encoding="utf-8")


def test_a_full_disk_leaves_nothing_half_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    midi = write_songs(tmp_path / "midi", 2)
    monkeypatch.setattr(np, "savez", full)
    with pytest.raises(WriteError, match="the disk is full"):
        prepare([midi], tmp_path / "corpus", jobs=1)
    assert not [path for path in (tmp_path / "corpus").rglob("*") if path.is_file()]


def test_damaged_corpus(tmp_path: Path) -> None:
    corpus = tiny_corpus(tmp_path, 6)
    notes = corpus.folder / "notes.u16"
    np.memmap(notes, np.uint16, "r")[:100].tofile(tmp_path / "cut")
    (tmp_path / "cut").replace(notes)
    with pytest.raises(UnreadableInput, match="damaged"):
        Corpus(corpus.folder)


def test_sources_and_songs() -> None:
    source, path = locate(PurePosixPath("/x/data"), PurePosixPath("pop909/002/versions/002-v3.mid"))
    assert (source.name, str(path), source.song(path)) == ("pop909", "pop909/002/versions/002-v3.mid", "pop909/002/002")
    source, path = locate(PurePosixPath("/x/asap"), PurePosixPath("Bach/Fugue/bwv_846/Shi05M.mid"))
    assert source.song(path) == "asap/Bach/Fugue/bwv_846"
    source, path = locate(PurePosixPath("/x/maestro"), PurePosixPath("2004/track01.midi"))
    assert (source.licence, str(path)) == ("CC BY-NC-SA 4.0", "maestro/2004/track01.midi")
    source, path = locate(PurePosixPath("/x/mine"), PurePosixPath("waltz (2).mid"))
    assert (source.name, source.song(path)) == ("mine", "mine/waltz")


def test_which_known_sources_are_for_non_commercial_use() -> None:
    assert all(source.licence != UNKNOWN_LICENCE and source.credit for source in KNOWN.values())
    assert {s.name for s in KNOWN.values() if combined_licence({s.licence}) == "CC BY-NC-SA 4.0"} == {
        "asap", "maestro", "supra", "sapp-joplin",
    }  # fmt: skip
    free = {source.licence for source in KNOWN.values() if "NC" not in source.licence}
    assert combined_licence(free) == "CC BY-SA 4.0"


def test_licences_combine() -> None:
    assert combined_licence({"MIT", "CC BY-NC-SA 4.0"}) == "CC BY-NC-SA 4.0"
    assert combined_licence({"MIT", "CC0"}) == "CC BY-SA 4.0"
    assert combined_licence({"MIT", "not stated"}) == "not stated"


def test_hash_split_is_fixed() -> None:
    assert [split_by_hash(f"song{i}") for i in range(4)] == [split_by_hash(f"song{i}") for i in range(4)]
    shares = [split_by_hash(f"song{i}") for i in range(2000)]
    assert 0.03 < shares.count("test") / 2000 < 0.07
    assert 0.03 < shares.count("validation") / 2000 < 0.07
