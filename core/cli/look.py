"""continuo-cli info, models, import-model, encode, decode: looking at files, models and events."""

import sys
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Literal

import typer

from core.cli import interrupts
from core.cli.output import Json, give, say
from core.errors import UnreadableInput, UsageError
from core.resources import user_folder


def info(
    file: Annotated[Path, typer.Argument(metavar="FILE.mid", help="The MIDI file to look at.")],
    as_json: Json = False,
) -> None:
    """Say what is in a MIDI file: tracks, notes, length, tempo, key, and what had to be repaired.

    Example: continuo-cli info song.mid
    """
    from core.midi.grid import default_marker, is_gridded, prompt_notes
    from core.midi.key import detect_key
    from core.midi.read import read_score

    score = read_score(file)
    tempo_map = score.tempo_map
    notes = prompt_notes(score)
    metre = tempo_map.metre_at(0)
    result = {
        "file": str(file),
        "format": score.smf_format,
        "tracks": [
            {
                "number": number,
                "name": track.name,
                "channel": track.channel + 1,
                "program": track.program,
                "notes": len(track.notes),
                "percussion": track.is_percussion,
            }
            for number, track in enumerate(score.tracks, 1)
        ],
        "notes": score.notes,
        "seconds": round(score.end, 3),
        "tempo_bpm": None if tempo_map.is_smpte else round(60e6 / tempo_map.tempo_at(0), 2),
        "tempo_changes": 0 if tempo_map.is_smpte else sum(tempo.tick > 0 for tempo in tempo_map.tempos),
        "metre": f"{metre.numerator}/{metre.denominator}" if tempo_map.has_metre else None,
        "key_signature": score.key,
        "detected_key": detect_key(notes).name if notes else None,
        "gridded": is_gridded(score),
        "continues_from": round(default_marker(score), 3) if notes else None,
        "repairs": list(score.repairs),
    }
    tempo, changes = result["tempo_bpm"], result["tempo_changes"]
    lines = [
        f"{score.name}: {score.notes} notes, {score.end:.1f} seconds",
        "  tempo  "
        + (f"{tempo:g} bpm" if tempo else "none: the file counts seconds")
        + (f", {changes} change{'s'[: changes > 1]}" if changes else ""),
        f"  metre  {result['metre'] or 'none given'}",
        f"  key    {result['key_signature'] or 'none given'}; the notes fit {result['detected_key'] or 'none'}",
        *(
            f"  track {number}: {track.name or 'without a name'}, channel {track.channel + 1}, {len(track.notes)} notes"
            + (" (drums)" if track.is_percussion else "")
            for number, track in enumerate(score.tracks, 1)
        ),
        *(f"  repaired: {sentence}" for sentence in score.repairs),
    ]
    give("\n".join(lines), result, as_json)


def models(as_json: Json = False) -> None:
    """List the models that can be chosen with --model.

    Example: continuo-cli models
    """
    with interrupts.put_off():
        from core.model.checkpoint import DEFAULT_MODEL, list_models

    infos = list_models()
    found = [
        {
            "name": model.path.stem,
            "path": str(model.path),
            "default": model.path.stem == DEFAULT_MODEL,
            "config": model.config.as_dict(),
            **{key: model.provenance[key] for key in ("licence", "data") if key in model.provenance},
        }
        for model in infos
    ]
    lines = [
        f"{model['name']}{' (default)' if model['default'] else ''}: {info.licence or 'licence unknown'}\n"
        f"  {model['path']}"
        for model, info in zip(found, infos, strict=True)
    ]
    give("\n".join(lines) or "There are no models.", {"models": found}, as_json)


def import_model(
    book: Annotated[Path, typer.Argument(metavar="BOOK.pth", help="The weights saved by the book's chapter 14.")],
    out: Annotated[Path, typer.Option("-o", "--out", metavar="OUT.safetensors", help="Where the model goes.")],
    licence: Annotated[str, typer.Option(help="The licence of the weights, for the header.")] = "unknown",
    as_json: Json = False,
) -> None:
    """Turn musicTrans.pth of "Learn Generative AI with PyTorch" (Liu), chapter 14, into a model for Continuo.

    Only tensors are read from the file: nothing in it is run.

    Example: continuo-cli import-model musicTrans.pth -o musicTrans.safetensors
    """
    if out.suffix != ".safetensors":
        raise UsageError(f"The model's name must end in .safetensors, which {out.name} does not.")
    with interrupts.put_off():
        import torch

        from core.model.checkpoint import import_book, read_info, save_model

    with suppress(UnreadableInput):  # as it should be: it is none of ours
        read_info(book)
        raise UsageError(
            f"{book} is a Continuo model already: use it as it is, with --model {book}, "
            f"or copy it to {user_folder('models')}, where the app and `models` list it."
        )
    network = import_book(book)
    provenance = {"name": out.stem, "licence": licence, "data": f"unknown; imported from {book.name}"}
    save_model(out, network, provenance, torch.float32)
    result = {"model": str(out), "parameters": network.size, "config": network.config.as_dict()}
    give(f"{out}: {network.size / 1e6:.2f} M parameters. Use it with --model {out}", result, as_json)


def encode(
    file: Annotated[Path, typer.Argument(metavar="FILE.mid", help="The MIDI file to encode.")],
    velocity: Annotated[
        Literal["change", "each"], typer.Option(help='Velocity on "change" (ours) or before "each" note-on (the book).')
    ] = "change",
    boundary: Annotated[bool, typer.Option(help="Begin with the boundary, 388.")] = True,
    as_json: Json = False,
) -> None:
    """Print the events of a MIDI file, as ids of the performance vocabulary on one line.

    Example: continuo-cli encode song.mid > song.events
    """
    from core.codec.events import Conventions
    from core.codec.events import encode as encode_score
    from core.midi.read import read_score

    score = read_score(file)
    for sentence in score.repairs:
        say(sentence)
    events = encode_score(score, Conventions(velocity, boundary))
    give(" ".join(map(str, events)), {"events": events}, as_json)


def decode(
    out: Annotated[Path, typer.Option("-o", "--out", metavar="OUT.mid", help="Where the MIDI file goes.")],
    as_json: Json = False,
) -> None:
    """Turn event ids, read from stdin, into a MIDI file.

    Example: continuo-cli encode song.mid | continuo-cli decode -o again.mid
    """
    from core.codec.events import decode as decode_events
    from core.codec.vocabulary import VOCABULARY_SIZE
    from core.session.export import save_midi
    from core.session.session import Session, TakeRecord

    try:
        text = sys.stdin.read() if sys.stdin else ""
        events = [int(word) for word in text.replace(",", " ").split()]
    except ValueError:  # bytes that are no text, too
        raise UsageError("stdin must hold event ids only: whole numbers from 0 to 389.") from None
    if not events:
        raise UsageError("stdin holds no event ids; see continuo-cli decode --help.")
    if strange := [event for event in events if not 0 <= event < VOCABULARY_SIZE]:
        raise UsageError(f"{strange[0]} is not an event id: they lie from 0 to {VOCABULARY_SIZE - 1}.")
    notes = decode_events(events)
    session = Session().with_take(TakeRecord(notes=tuple(notes), name="Decoded"))
    save_midi(session, out, "take")
    seconds = max((note.end for note in notes), default=0.0)
    result = {"events": len(events), "notes": len(notes), "music_seconds": seconds, "outputs": [str(out)]}
    give(f"{out}: {len(notes)} notes, {seconds:.1f} seconds", result, as_json)
