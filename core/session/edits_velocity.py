"""Edits of how loud notes are; as those of `edits`, on tracks and takes alike."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from core.session.edits import Chosen, Columns, Edited, Part, change_notes
from core.session.session import Session

LOUDEST = 127
NewVelocities = Mapping[Part, tuple[Sequence[int] | NDArray[np.int64], Sequence[int] | NDArray[np.int64]]]


def set_velocities(session: Session, velocities: NewVelocities) -> Edited:
    """Give each note a velocity of its own: by part, indices of notes and as many velocities."""
    wanted = {part: dict(zip(map(int, i), map(int, v), strict=True)) for part, (i, v) in velocities.items()}

    def change(parts: list[Columns]) -> list[Columns]:
        return [_with(part, np.array([wanted[part.part][i] for i in part.places], np.float64)) for part in parts]

    return change_notes(session, {part: list(notes) for part, notes in wanted.items()}, change)


def change_velocity(session: Session, chosen: Chosen, by: int) -> Edited:
    """Make notes louder by so much, or softer."""
    return _mapped(session, chosen, lambda velocity, mean: velocity + by)


def scale_velocity(session: Session, chosen: Chosen, percent: float) -> Edited:
    """Multiply velocities."""
    return _mapped(session, chosen, lambda velocity, mean: velocity * percent / 100)


def compress_velocity(session: Session, chosen: Chosen, percent: float) -> Edited:
    """Leave so much of each velocity's distance from the mean of all; more than 100 widens it."""
    return _mapped(session, chosen, lambda velocity, mean: mean + (velocity - mean) * percent / 100)


_Map = Callable[[NDArray[np.int64], float], NDArray[np.float64] | NDArray[np.int64]]


def _mapped(session: Session, chosen: Chosen, new: _Map) -> Edited:
    def change(parts: list[Columns]) -> list[Columns]:
        mean = float(np.concatenate([part.velocity for part in parts]).mean())
        return [_with(part, new(part.velocity, mean)) for part in parts]

    return change_notes(session, chosen, change)


def _with(part: Columns, velocity: NDArray[np.float64] | NDArray[np.int64]) -> Columns:
    return replace(part, velocity=np.clip(np.rint(velocity), 1, LOUDEST).astype(np.int64))
