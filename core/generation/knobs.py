"""What the knobs ask for, as what the logits processors compare a take with: its aim, a changed PromptSummary."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from core.generation.constraints import Bounds
from core.generation.prompt_summary import PromptSummary
from core.midi.key import Key
from core.midi.score import TakeNote
from core.session.knobs import Knobs

LOUDER = 9  # MIDI velocity a step, added to what is played (see core.generation.dynamics)

# What a step up multiplies.
_DENSITY = 1.4
_LENGTH = 2.2
_CHORD = 1.5  # notes that begin together
_VARIETY = 3.0  # by this power times between onsets that are rare become likelier
_SHORTER_WHEN_BUSY = 0.5  # the power of the density by which notes become shorter, as real ones do
_DENSER_WHEN_FULL = 0.5  # the power of the chords' size by which there are more notes a second
_HIGHER = 4  # semitones a step


def aim(summary: PromptSummary, knobs: Knobs) -> PromptSummary:
    """What a take is to be like: the summary of a prompt, changed by the knobs."""
    if not knobs.turned():
        return summary
    busier, fuller = _DENSITY**knobs.busy, _CHORD**knobs.full
    longer = _LENGTH**knobs.long * busier**-_SHORTER_WHEN_BUSY
    higher = _HIGHER * knobs.high
    return replace(
        summary,
        notes=tuple(_turned(note, busier, longer) for note in summary.notes),
        density=summary.density * busier * fuller**_DENSER_WHEN_FULL,
        mean_pitch=None if summary.mean_pitch is None else float(np.clip(summary.mean_pitch + higher, 12, 115)),
        outside_key=summary.outside_key & ~_parallel(summary, knobs.bright),
        bounds=summary.bounds and _loosened(summary.bounds, busier, longer, fuller, higher),
        length_factor=longer,
        chord_factor=fuller,
        rhythm_power=_VARIETY**-knobs.free,
        brightness=knobs.bright,
    )


def _turned(note: TakeNote, busier: float, longer: float) -> TakeNote:
    start = note.start / busier
    return replace(note, start=start, end=start + (note.end - note.start) * longer)


def _loosened(bounds: Bounds, busier: float, longer: float, fuller: float, higher: int) -> Bounds:
    """The bounds, moved as far as the knobs ask for, and never narrower than the prompt's."""
    more = max(1.0, busier * fuller)
    return Bounds(
        bounds.longest_note * max(1.0, longer),
        bounds.lowest + min(0, higher),
        bounds.highest + max(0, higher),
        round(bounds.most_at_once * max(more, more * longer)),
        round(bounds.most_in_window * more),
    )


def _parallel(summary: PromptSummary, bright: int) -> NDArray[np.bool_]:
    """The pitches of the parallel mode that the knob asks for: they do not count as outside the key."""
    if not bright or summary.tonic is None:
        return np.zeros_like(summary.outside_key)
    key = Key(summary.tonic, "major" if bright > 0 else "minor")
    return np.isin(np.arange(len(summary.outside_key)) % 12, list(key.pitch_classes))
