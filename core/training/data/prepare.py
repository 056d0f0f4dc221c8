"""Folders of MIDI -> a corpus: in parallel, resumable, and the same bytes every time.

Files are read in parts of a few dozen, each kept on disk until all are there, so a run that was
broken off goes on where it stood. What cannot be used is listed in `report.json` and never fatal.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict, dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from core.errors import ContinuoError, NotFound, UnreadableInput, UsageError, WriteError
from core.files import reason, replacing, write_atomically
from core.midi.grid import is_gridded
from core.midi.read import read_score
from core.midi.score import Score
from core.training.data.corpus import EVENTS, FORMAT, INDEX, NOTES, Corpus, Draft, Piece, write_corpus
from core.training.data.fingerprint import Sketch, near_pairs, sketch
from core.training.data.notes import NOTE, Events, Notes, note_events, score_notes
from core.training.data.sources import SPLITS, Split, locate, read_splits, split_songs
from core.training.pool import process_pool

SUFFIXES = (".mid", ".midi", ".kar", ".smf")
REPORT = "report.json"
FEWEST_NOTES = 8
_PARTS = ".parts"
_PART = 32  # files

Progress = Callable[[int, int], None]  # (files done, files in all)


@dataclass(frozen=True, slots=True)
class MidiFile:
    """A file to prepare: where it is, and its source, licence, song and path in the corpus."""

    file: str
    path: str
    source: str
    licence: str
    song: str


@dataclass(slots=True)
class Report:
    """What became of the files. Each entry of the lists is (path, why)."""

    unreadable: list[tuple[str, str]] = field(default_factory=list)
    too_short: list[tuple[str, str]] = field(default_factory=list)
    duplicates: list[tuple[str, str]] = field(default_factory=list)
    near_duplicates: list[tuple[str, str]] = field(default_factory=list)
    sources: list[dict[str, Any]] = field(default_factory=list)


@dataclass(slots=True)
class _Read:
    """A file that was read and has notes enough."""

    file: MidiFile
    quarter: float
    notes: Notes
    events: Events
    sketch: Sketch


def prepare(
    folders: Sequence[Path],
    corpus: Path,
    *,
    splits: Path | None = None,
    licences: Mapping[str, str] | None = None,
    jobs: int | None = None,
    progress: Progress = lambda done, total: None,
) -> Report:
    """Make the corpus folder from all MIDI files below `folders`; one that is up to date is left as it is.

    `splits` is a CSV (see core.training.data.sources), `licences` overrides by source. Raises NotFound for
    a folder that is not there, UsageError when there is no MIDI file or none of a source in `licences`,
    UnreadableInput when none can be used, WriteError.
    """
    files = find_files(folders, licences or {})
    sources = {file.source for file in files}
    if unknown := sorted((licences or {}).keys() - sources):
        raise UsageError(
            f"No file is of a source called {', '.join(unknown)}; there are: {', '.join(sorted(sources))}."
        )
    _check_place(corpus)
    table = read_splits(splits) if splits else {}
    parts = [files[i : i + _PART] for i in range(0, len(files), _PART)]
    keys = [_part_key(part) for part in parts]
    digest = _digest([FORMAT, keys, sorted((str(p), s) for p, s in table.items())])
    if (report := _current(corpus, digest)) and report.sources:
        progress(len(files), len(files))
        return report
    try:
        corpus.mkdir(parents=True, exist_ok=True)
        (corpus / _PARTS).mkdir(exist_ok=True)
        paths = [corpus / _PARTS / f"{key}.npz" for key in keys]
        _read_parts(parts, paths, jobs or os.cpu_count() or 1, progress)
        report = _assemble(corpus, parts, paths, table, digest)
        write_atomically(corpus / REPORT, json.dumps(asdict(report), indent=1, ensure_ascii=False).encode())
        shutil.rmtree(corpus / _PARTS)
    except OSError as error:
        raise WriteError(f'Cannot write the corpus "{corpus}": {reason(error)}.') from error
    if not report.sources:
        raise UnreadableInput(f"None of the MIDI files can be used; {corpus / REPORT} says why.")
    return report


def _check_place(corpus: Path) -> None:
    """Raises UsageError for a folder of something else, where files could be written over."""
    there = set(os.listdir(corpus)) if os.path.isdir(corpus) else set()
    if there and _PARTS not in there and not {INDEX, NOTES} <= there:
        raise UsageError(f"{corpus} holds other files: choose a new folder for the corpus.")


def _current(corpus: Path, digest: str) -> Report | None:
    """The report of a corpus that is up to date; None where it was broken off, damaged, or of another version."""
    try:
        if Corpus(corpus).digest == digest:
            return Report(**json.loads((corpus / REPORT).read_text(encoding="utf-8")))
    except (UnreadableInput, OSError, ValueError, TypeError):
        pass
    return None


def find_files(folders: Sequence[Path], licences: Mapping[str, str]) -> list[MidiFile]:
    """All MIDI files below the folders, each once, by path. Raises NotFound, UsageError."""
    found: dict[str, MidiFile] = {}
    for folder in folders:
        if not folder.is_dir():
            raise NotFound(f"There is no folder {folder}.")
        root = folder.resolve()
        for file in root.rglob("*"):
            if file.suffix.lower() not in SUFFIXES or file.name.startswith(".") or not file.is_file():
                continue
            source, path = locate(PurePosixPath(root), PurePosixPath(file.relative_to(root)))
            licence = licences.get(source.name, source.licence)
            found[str(file)] = MidiFile(str(file), str(path), source.name, licence, source.song(path))
    if not found:
        raise UsageError(f"There are no MIDI files in {', '.join(str(f) for f in folders)}.")
    return sorted(found.values(), key=lambda f: (f.path, f.file))


def _digest(value: object) -> str:
    return hashlib.blake2b(json.dumps(value).encode(), digest_size=12).hexdigest()


def _part_key(files: Sequence[MidiFile]) -> str:
    """Changes with any file's name, size or date."""
    stats = [os.stat(f.file) for f in files]
    return _digest(
        [FORMAT, [(*asdict(f).values(), s.st_size, s.st_mtime_ns) for f, s in zip(files, stats, strict=True)]]
    )


def _read_parts(parts: list[list[MidiFile]], paths: list[Path], jobs: int, progress: Progress) -> None:
    total = sum(map(len, parts))
    waiting = [(part, path) for part, path in zip(parts, paths, strict=True) if not path.is_file()]
    done = total - sum(len(part) for part, _ in waiting)
    progress(done, total)
    jobs = min(jobs, len(waiting))
    if jobs <= 1:
        for part, path in waiting:
            done += _read_part(part, path)
            progress(done, total)
        return
    pool = process_pool(jobs)
    try:
        futures = [pool.submit(_read_part, part, path) for part, path in waiting]
        for future in as_completed(futures):
            done += future.result()
            progress(done, total)
    except BrokenProcessPool as error:
        raise ContinuoError("A reading process died, perhaps for lack of memory; start again to go on.") from error
    finally:
        pool.shutdown(cancel_futures=True)


def steady_quarter(score: Score) -> float:
    """Seconds of a quarter in a score that lies on its metre's grid at one tempo; 0 for any other."""
    tempo_map = score.tempo_map
    last = max((note.start_tick for track in score.tracks for note in track.notes), default=0)
    if sum(0 < tempo.tick < last for tempo in tempo_map.tempos) or not is_gridded(score):
        return 0.0
    return tempo_map.seconds(1) * tempo_map.ticks_per_quarter


def _read_part(files: Sequence[MidiFile], path: Path) -> int:
    """Read files into one npz: for each its notes, its events, and why it was left out (or nothing)."""
    notes, events, quarters, faults = [], [], [], []
    for file in files:
        fault, quarter = "", 0.0
        read = np.empty(0, NOTE)
        try:
            score = read_score(file.file)
            read, quarter = score_notes(score), steady_quarter(score)
        except UnreadableInput as error:
            fault = str(error)
        except Exception as error:  # one file must not end a run over thousands; the report names it
            fault = f"The reader failed: {type(error).__name__}: {error}"
        notes.append(read)
        events.append(note_events(read))
        quarters.append(quarter)
        faults.append(fault)
    with replacing(path) as out:
        np.savez(
            out,
            notes=np.concatenate(notes),
            events=np.concatenate(events),
            note_counts=[len(n) for n in notes],
            event_counts=[len(e) for e in events],
            quarters=quarters,
            faults=faults,
        )
    return len(files)


def _assemble(
    corpus: Path,
    parts: list[list[MidiFile]],
    paths: list[Path],
    table: Mapping[PurePosixPath, Split],
    digest: str,
) -> Report:
    report = Report()
    pieces = _load(parts, paths, report)
    pairs = list(near_pairs([piece.sketch for piece in pieces]))
    songs = _merge_songs(pieces, pairs, table)
    members: dict[str, list[PurePosixPath]] = {}
    for piece, song in zip(pieces, songs, strict=True):
        members.setdefault(song, []).append(PurePosixPath(piece.file.path))
    by_song = split_songs(members, table)
    splits: list[Split] = [by_song[song] for song in songs]
    out = _drop_duplicates(pieces, splits, report)
    for i, j in pairs:
        if i in out or j in out or (songs[i] == songs[j] and pieces[i].file.song == pieces[j].file.song):
            continue
        what = "counts as the same song"
        if splits[i] != splits[j]:
            # The one that is held out stays.
            i, j = (i, j) if SPLITS.index(splits[i]) > SPLITS.index(splits[j]) else (j, i)
            out.add(j)
            what = f"left out of {splits[j]}"
        report.near_duplicates.append((pieces[j].file.path, f"nearly {pieces[i].file.path}: {what}"))
    drafts = [
        Draft(p.file.path, p.file.source, p.file.licence, song, split, p.quarter, p.notes, p.events)
        for i, (p, song, split) in enumerate(zip(pieces, songs, splits, strict=True))
        if i not in out
    ]
    for name in (INDEX, NOTES, EVENTS):
        (corpus / name).unlink(missing_ok=True)
    report.sources = summarise(write_corpus(corpus, drafts, digest))
    return report


def _load(parts: list[list[MidiFile]], paths: list[Path], report: Report) -> list[_Read]:
    pieces = []
    for files, path in zip(parts, paths, strict=True):
        with np.load(path) as part:
            notes = np.split(part["notes"], np.cumsum(part["note_counts"])[:-1])
            events = np.split(part["events"], np.cumsum(part["event_counts"])[:-1])
            quarters, faults = part["quarters"].tolist(), part["faults"].tolist()
        for file, its_notes, its_events, quarter, fault in zip(files, notes, events, quarters, faults, strict=True):
            if fault:
                report.unreadable.append((file.path, fault))
            elif len(its_notes) < FEWEST_NOTES:
                report.too_short.append((file.path, f"{len(its_notes)} notes besides percussion"))
            else:
                pieces.append(_Read(file, quarter, its_notes, its_events, sketch(its_notes)))
    return pieces


def _merge_songs(
    pieces: Sequence[_Read], pairs: Sequence[tuple[int, int]], table: Mapping[PurePosixPath, Split]
) -> list[str]:
    """The song of each piece. Songs of near-duplicates become one, unless the table keeps them apart."""
    parent: dict[str, str] = {}

    def root(song: str) -> str:
        while song in parent:
            song = parent[song]
        return song

    for pair in pairs:
        named = {table[path] for path in (PurePosixPath(pieces[i].file.path) for i in pair) if path in table}
        a, b = (root(pieces[i].file.song) for i in pair)
        if a != b and len(named) < 2:
            parent[max(a, b)] = min(a, b)
    return [root(piece.file.song) for piece in pieces]


def _drop_duplicates(pieces: Sequence[_Read], splits: Sequence[Split], report: Report) -> set[int]:
    """Indices of pieces whose events are another's, which stays: a held-out one, else the first by path."""
    kept: dict[bytes, int] = {}
    out: set[int] = set()
    for i in sorted(range(len(pieces)), key=lambda i: (-SPLITS.index(splits[i]), i)):
        content = hashlib.blake2b(pieces[i].events.tobytes(), digest_size=16).digest()
        if content in kept:
            out.add(i)
            report.duplicates.append((pieces[i].file.path, f"the same as {pieces[kept[content]].file.path}"))
        kept.setdefault(content, i)
    return out


def summarise(pieces: Collection[Piece]) -> list[dict[str, Any]]:
    """Files, songs, hours and events by source and licence, and the hours of each split."""
    rows = []
    for source, licence in sorted({(p.source, p.licence) for p in pieces}):
        mine = [p for p in pieces if (p.source, p.licence) == (source, licence)]
        row: dict[str, Any] = {
            "source": source,
            "licence": licence,
            "files": len(mine),
            "songs": len({p.song for p in mine}),
            "hours": round(sum(p.seconds for p in mine) / 3600, 2),
            "events": sum(p.events for p in mine),
        }
        for split in SPLITS:
            row[f"{split}_hours"] = round(sum(p.seconds for p in mine if p.split == split) / 3600, 2)
        rows.append(row)
    return rows
