"""continuo-cli evaluate-tracks and train-tracks: how often notes are given to the right track, and learning that."""

import shutil
from pathlib import Path, PurePosixPath
from statistics import mean, stdev
from typing import TYPE_CHECKING, Annotated, Any

import typer

from core.cli.output import Json, give, progress, say
from core.cli.training import source_weights
from core.errors import UnreadableInput, UsageError

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
    aside, are left out. All figures are means over songs.

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
    lines = [
        f"{result['songs']} song{'s' * (result['songs'] > 1)}, {result['notes']} notes: {_share(result, '')} right",
        f"  lowest track   {_share(result, 'bass_')}: of all that it plays",
        f"  bass line      {_share(result, 'line_')}: of that, the notes below which nothing sounds",
        f"  lowest notes   {_share(result, 'lowest_')}: of all tracks, the notes below which nothing sounds",
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
    weight: Annotated[
        list[str] | None, typer.Option(help="FOLDER=WEIGHT: so many times the notes and passages of one.")
    ] = None,
    rounds: Annotated[int, typer.Option(min=1, help="Rounds; from the second on it meets its own decisions.")] = 2,
    seed: Annotated[int, typer.Option(help="The same seed chooses and learns the same.")] = 0,
    jobs: Annotated[int, typer.Option(min=1, help="Processes.")] = 2,
) -> None:
    """Learn the weights that give notes to tracks, from songs whose tracks are known (see evaluate-tracks).

    Leaves checkpoints in FILE.npz-run, which goes when the weights are written; the same command goes on from the last.

    Example: continuo-cli train-tracks pop909 quartets --weight quartets=2 -o track-assignment.npz --splits splits.csv
    """
    from core.training.data.sources import read_splits
    from core.training.pool import process_pool
    from core.training.run.run_folder import RunFolder
    from core.training.tracks import choose_passages, joined_pairs, learn, save_weights

    table = read_splits(splits) if splits else None
    weights = source_weights(weight)
    if unknown := weights.keys() - {folder.name for folder in folders}:
        raise UsageError(f"--weight names {', '.join(sorted(unknown))}, which is none of the folders.")
    chosen = []
    for folder in folders:
        paths = sorted(folder.rglob("*.mid"))
        if table is not None:
            paths = [p for p in paths if table.get(PurePosixPath(folder.name, p.relative_to(folder))) == "train"]
        times = weights.get(folder.name, 1.0)
        found = choose_passages(paths, round(notes * times), max(1, round(passages * times)), seed)
        say(f"{folder}: {len(found)} passages, {sum(len(passage.notes) for passage in found)} notes.")
        chosen += found
    if not chosen:
        raise UnreadableInput("None of these folders has songs of several tracks to learn from.")
    joined = joined_pairs(chosen, seed)
    say(f"Two songs at once: {len(joined)} passages, {sum(len(passage.notes) for passage in joined)} notes.")
    chosen += joined
    run = RunFolder(out.with_name(f"{out.name}-run"))
    learned_from = {"passages": len(chosen), "notes": sum(len(passage.notes) for passage in chosen)}
    run.begin({"music": learned_from, "rounds": rounds, "seed": seed})
    with process_pool(jobs) as pool:
        save_weights(learn(chosen, rounds, seed, pool, say, run), out)
    shutil.rmtree(run.path)


_KINDS = ("", "bass_", "line_", "lowest_")  # of notes, as in the names of Accuracy


def _share(result: dict[str, Any], kind: str) -> str:
    """The mean over songs of a kind of notes, with its standard error."""
    share, error = result[f"{kind}accuracy"], result[f"{kind}standard_error"]
    if share is None:
        return "silent"
    return f"{share:.1%}" + (f" (standard error {error:.1%})" if error is not None else "")


def _summary(measured: "list[tuple[Path, list[Accuracy]]]") -> dict[str, Any]:
    """Means over songs, the standard error among them, and each song's own figures.

    Of all notes, and of three kinds (see Accuracy).
    """
    songs = [{"file": str(path), "notes": sum(p.notes for p in parts)} for path, parts in measured]
    everything = [part for _, parts in measured for part in parts]
    notes = sum(part.notes for part in everything)
    result: dict[str, Any] = {"songs": len(songs), "notes": notes}
    for kind in _KINDS:
        for song, (_, parts) in zip(songs, measured, strict=True):
            count = sum(getattr(part, f"{kind}notes") for part in parts)
            right = sum(getattr(part, f"{kind}right") for part in parts)
            song[f"{kind}accuracy"] = right / count if count else None
        shares = [song[f"{kind}accuracy"] for song in songs if song[f"{kind}accuracy"] is not None]
        result[f"{kind}accuracy"] = mean(shares) if shares else None
        result[f"{kind}standard_error"] = stdev(shares) / len(shares) ** 0.5 if len(shares) > 1 else None
    return {
        **result,
        "accuracy_over_notes": sum(part.right for part in everything) / notes,
        "fit_ms": round(1000 * sum(part.fit_seconds for part in everything) / len(everything), 1),
        "note_ms": round(1000 * sum(part.assign_seconds for part in everything) / notes, 3),
        "files": songs,
    }
