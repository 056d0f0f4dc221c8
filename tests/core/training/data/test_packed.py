"""A corpus packed into one file and unpacked again."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import UnreadableInput, UsageError
from core.training.data.corpus import EVENTS, INDEX, NOTES, Corpus, Draft, write_corpus
from core.training.data.notes import NOTE, note_events
from core.training.data.packed import _to_columns, _to_notes, pack, unpacked
from tests.core.training.tunes import tiny_corpus


def test_what_is_unpacked_is_the_corpus_byte_by_byte(tmp_path: Path) -> None:
    corpus = tiny_corpus(tmp_path)
    file = tmp_path / "all.tar.xz"
    assert pack(corpus, file) == 13

    folder = unpacked(file, tmp_path / "again")
    for name in (INDEX, NOTES, EVENTS):
        assert (folder / name).read_bytes() == (corpus.folder / name).read_bytes()
    before = (folder / INDEX).stat().st_mtime_ns
    assert unpacked(file, folder) == folder  # up to date: nothing is written
    assert (folder / INDEX).stat().st_mtime_ns == before
    assert unpacked(corpus.folder, tmp_path / "unused") == corpus.folder
    assert not (tmp_path / "unused").exists()


def test_some_of_its_sources(tmp_path: Path) -> None:
    corpus = tiny_corpus(tmp_path)
    drafts = [
        Draft(p.path, source, p.licence, p.song, p.split, p.quarter, corpus.notes(p), corpus.events(p))
        for p, source in zip(corpus.pieces, ["asap", "pop909"] * 7, strict=False)
    ]
    mixed = tmp_path / "mixed"
    mixed.mkdir()
    write_corpus(mixed, drafts, "digest")
    file = tmp_path / "asap.tar.xz"
    pack(Corpus(mixed), file, ["asap"])

    some = Corpus(unpacked(file, tmp_path / "some"))
    wanted = [piece for piece in Corpus(mixed).pieces if piece.source == "asap"]
    assert [piece.path for piece in some.pieces] == [piece.path for piece in wanted]
    for mine, its in zip(some.pieces, wanted, strict=True):
        assert some.notes(mine).tobytes() == Corpus(mixed).notes(its).tobytes()
        assert replace(mine, first_note=0, first_event=0) == replace(its, first_note=0, first_event=0)
    with pytest.raises(UsageError, match="no source called maestro"):
        pack(Corpus(mixed), file, ["maestro"])


@pytest.mark.parametrize("damage", ["cut", "other"])
def test_a_damaged_file_is_told_in_a_sentence(damage: str, tmp_path: Path) -> None:
    file = tmp_path / "all.tar.xz"
    pack(tiny_corpus(tmp_path), file)
    file.write_bytes(file.read_bytes()[:200] if damage == "cut" else b"MThd, which is no archive")
    with pytest.raises(UnreadableInput, match="damaged: pack it anew"):
        unpacked(file, tmp_path / "again")


def test_a_file_of_an_earlier_version_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "all.tar.xz"
    with monkeypatch.context() as earlier:
        earlier.setattr("core.training.data.packed.FORMAT", 2)
        pack(tiny_corpus(tmp_path), file)
    with pytest.raises(UnreadableInput, match="another version: prepare and pack it anew"):
        unpacked(file, tmp_path / "again")


_notes = st.lists(
    st.tuples(
        st.integers(0, 1 << 20), st.integers(0, 1 << 18), st.integers(0, 127), st.integers(1, 127), st.integers(0, 999)
    ),
    min_size=1,
)


@given(_notes)
def test_columns_hold_any_notes(rows: list[tuple[int, int, int, int, int]]) -> None:
    notes = np.array(sorted((start, start + length, *rest) for start, length, *rest in rows), NOTE)
    assert (_to_notes(_to_columns(notes)) == notes).all()
    assert note_events(_to_notes(_to_columns(notes))).tolist() == note_events(notes).tolist()
