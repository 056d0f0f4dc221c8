"""continuo-cli evaluate-tracks and train-tracks: how often notes are given to the right track, and learning that."""

from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Annotated, Any

import typer

from core.cli.output import Json, give, progress, say
from core.errors import UnreadableInput

if TYPE_CHECKING:
    from core.tracks.evaluation import Accuracy


def evaluate_tracks(
    files: Annotated[list[Path], typer.Argument(metavar="FILES...", help="MIDI files, or folders of them.")],
    bars: Annotated[int, typer.Option(min=1, help="Bars behind the marker whose tracks are hidden.")] = 16,
    passages: Annotated[int, typer.Option(min=1, help="Markers in each song, evenly spread.")] = 1,
    as_json: Json = False,
) -> None:
    """Measure how notes are given to tracks: hide the tracks of the true next bars, and count those found.

    None of the hidden tracks is ever shown: each note is decided from the prompt, the decisions before it, and whether
    its chord goes on. A note that several tracks play counts where one of them is named. Songs with one track, drums
    aside, are left out.

    Example: continuo-cli evaluate-tracks song.mid more-songs --json
    """
    from core.midi.read import read_score
    from core.tracks.evaluation import measure, passage_at

    paths = [found for path in files for found in (sorted(path.rglob("*.mid")) if path.is_dir() else [path])]
    measured: list[tuple[Path, list[Accuracy]]] = []
    with progress("Measuring") as show:
        for done, path in enumerate(paths):
            show(done, len(paths), path.name)
            try:
                score = read_score(path)
            except UnreadableInput as error:
                say(str(error))
                continue
            last = score.tempo_map.bar_beat(score.end_tick)[0]
            markers = sorted({last * (k + 1) // (passages + 1) for k in range(passages)})
            found = [passage for marker in markers if (passage := passage_at(score, marker, bars))]
            if found:
                measured.append((path, [measure(passage) for passage in found]))
    if not measured:
        raise UnreadableInput("None of these files has several tracks, and enough notes, in the middle.")
    result = _summary(measured)
    accuracy, bass = result["accuracy"], result["bass_accuracy"]
    lines = [
        f"{result['songs']} song{'s' * (result['songs'] > 1)}, {result['notes']} notes: {accuracy:.1%} right"
        + (f" (standard error {result['standard_error']:.1%})" if result["standard_error"] is not None else ""),
        f"  lowest track   {bass:.1%}" if bass is not None else "  lowest track   silent",
        f"  learning       {result['fit_ms']} ms a prompt",
        f"  deciding       {result['note_ms']} ms a note",
    ]
    give("\n".join(lines), result, as_json)


def train_tracks(
    folders: Annotated[
        list[Path], typer.Argument(help="Folders of MIDI files with several tracks, one for each kind.")
    ],
    out: Annotated[Path, typer.Option("-o", "--out", metavar="FILE.npz", help="Where the weights go.")],
    splits: Annotated[
        Path | None, typer.Option(help="A table with columns split and path (folder/song.mid): only what is train.")
    ] = None,
    notes: Annotated[int, typer.Option(min=100, help="About so many notes of each folder.")] = 70_000,
    passages: Annotated[int, typer.Option(min=1, help="Passages of each song, at most.")] = 4,
    rounds: Annotated[int, typer.Option(min=1, help="Rounds; from the second on it meets its own decisions.")] = 2,
    seed: Annotated[int, typer.Option(help="The same seed chooses and learns the same.")] = 0,
    jobs: Annotated[int, typer.Option(min=1, help="Processes.")] = 2,
) -> None:
    """Learn the weights that give notes to tracks, from songs whose tracks are known (see evaluate-tracks).

    Example: continuo-cli train-tracks pop909 quartets -o track-assignment.npz --splits splits.csv
    """
    from core.training.data.sources import read_splits
    from core.training.pool import process_pool
    from core.training.tracks import choose_passages, joined_pairs, learn, save_weights

    table = read_splits(splits) if splits else None
    chosen = []
    for folder in folders:
        paths = sorted(folder.rglob("*.mid"))
        if table is not None:
            paths = [p for p in paths if table.get(PurePosixPath(folder.name, p.relative_to(folder))) == "train"]
        found = choose_passages(paths, notes, passages, seed)
        say(f"{folder}: {len(found)} passages, {sum(len(passage.notes) for passage in found)} notes.")
        chosen += found
    if not chosen:
        raise UnreadableInput("None of these folders has songs of several tracks to learn from.")
    joined = joined_pairs(chosen, seed)
    say(f"Two songs at once: {len(joined)} passages, {sum(len(passage.notes) for passage in joined)} notes.")
    chosen += joined
    with process_pool(jobs) as pool:
        save_weights(learn(chosen, rounds, seed, pool, say), out)


def _summary(measured: "list[tuple[Path, list[Accuracy]]]") -> dict[str, Any]:
    """Means over songs, the standard error among them, and each song's own figures."""
    songs, basses = [], []
    for path, parts in measured:
        notes, bass = sum(p.notes for p in parts), sum(p.bass_notes for p in parts)
        right = sum(p.right for p in parts) / notes
        bass_right = sum(p.bass_right for p in parts) / bass if bass else None
        songs.append({"file": str(path), "notes": notes, "accuracy": right, "bass_accuracy": bass_right})
        if bass_right is not None:
            basses.append(bass_right)
    count = len(songs)
    mean = sum(song["accuracy"] for song in songs) / count
    spread = sum((song["accuracy"] - mean) ** 2 for song in songs)
    everything = [part for _, parts in measured for part in parts]
    notes = sum(part.notes for part in everything)
    return {
        "songs": count,
        "notes": notes,
        "accuracy": mean,
        "standard_error": (spread / (count - 1) / count) ** 0.5 if count > 1 else None,
        "bass_accuracy": sum(basses) / len(basses) if basses else None,
        "accuracy_over_notes": sum(part.right for part in everything) / notes,
        "fit_ms": round(1000 * sum(part.fit_seconds for part in everything) / len(everything), 1),
        "note_ms": round(1000 * sum(part.assign_seconds for part in everything) / notes, 3),
        "files": songs,
    }
