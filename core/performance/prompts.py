"""What to read into the model, and reading it."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.midi.grid import Grid
from core.midi.score import Track
from core.midi.tempo_map import TempoMap

if TYPE_CHECKING:
    from core.generation.engine import Engine, PreparedPrompt
    from core.midi.key import Key


@dataclass(frozen=True, eq=False, slots=True)
class PromptRequest:
    """What to read into the model: tracks, from `start` to `marker` (score seconds), on which grid (see find_grid)."""

    tracks: tuple[Track, ...]
    marker: float
    start: float
    tempo_map: TempoMap
    grid: str

    def is_same(self, other: "PromptRequest | None") -> bool:
        """Whether the other asks for the same; tracks are immutable, so that identity tells."""
        return (
            other is not None
            and (self.marker, self.start, self.grid) == (other.marker, other.start, other.grid)
            and self.tempo_map == other.tempo_map
            and len(self.tracks) == len(other.tracks)
            and all(a is b for a, b in zip(self.tracks, other.tracks, strict=True))
        )

    def learn_tracks(self) -> None:
        """Learn what its tracks play, so that a take's first notes need not wait for that."""
        from core.tracks.prompt_model import learned

        tracks = [track for track in self.tracks if not track.is_percussion]
        if len(tracks) > 1:
            learned(tracks, self.marker, self.start, self.tempo_map)

    def find_key(self) -> "Key | None":
        """The key of the prompt, None if it has no notes."""
        return find_key(self.tracks, self.start, self.marker)


def find_key(tracks: Iterable[Track], start: float, end: float) -> "Key | None":
    """The key of what tracks but drums play from `start` to `end` (score seconds), None if that is nothing."""
    from core.midi.key import detect_key

    melodic = [track for track in tracks if not track.is_percussion]
    notes = [note for track in melodic for note in track.notes if start <= note.start < end]
    return detect_key(notes) if notes else None


def read_prompt(
    engine: "Engine",
    tracks: Sequence[Track],
    marker: float,
    start: float | None,
    grid: Grid | None,
    cancelled: Callable[[], bool] = lambda: False,
) -> "PreparedPrompt":
    """The prompt in the model's cache; see `encode_prompt`. Raises Cancelled when `cancelled()` turns true."""
    from core.codec.events import encode_prompt

    return engine.prepare(encode_prompt(tracks, marker, engine.config.conventions, start, grid), cancelled)
