"""In the prompt's rhythm: the times between a take's onsets are leaned to those between its prompt's.

Where they were too seldom a sixteenth apart, say, for a prompt that goes in sixteenths, there the next onset
becomes likelier a sixteenth after the last.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from core.codec.events import NoteMessage, Prompt
from core.codec.vocabulary import LONGEST_SHIFT, NOTE_ON, STEPS_PER_SECOND, TIME_SHIFT, VELOCITY
from core.generation.ending import ending
from core.generation.frequencies import Frequencies

_BINS = 24
_LONGEST = 4 * STEPS_PER_SECOND  # steps between two onsets; longer ones count as that
_EDGES = np.geomspace(1, _LONGEST, _BINS + 1)[:-1]
# The bin of a time between onsets, by steps; from one bin to the next it grows by 28 %.
_BIN = np.maximum(np.searchsorted(_EDGES, np.minimum(np.arange(2 * _LONGEST), _LONGEST), "right") - 1, 0)
_BLUR = 0.25  # nobody plays like a clock
_SHIFT_STRENGTH = 0.5  # times as much as an onset a shift to there becomes likelier


class Rhythm:
    """Hears when the notes of one take begin, in steps from its start."""

    def __init__(self, prompt: Prompt) -> None:
        steps = [round(note.start * STEPS_PER_SECOND) for note in ending(prompt)]
        onsets = np.unique(np.array(steps, int))
        bins = _BIN[np.minimum(np.diff(onsets), _LONGEST)]
        self._heard = Frequencies(bins, _BINS, _BLUR) if len(bins) else None
        self._last: int | None = None  # the newest onset

    def hear(self, message: NoteMessage) -> None:
        """A note begins or ends."""
        if self._heard is None or not message.velocity or message.step == self._last:
            return
        if self._last is not None:
            self._heard.hear(int(_BIN[min(message.step - self._last, _LONGEST)]))
        self._last = message.step

    def lean(self, logits: NDArray[np.float32], step: int, sounding: Mapping[int, int]) -> NDArray[np.float32]:
        """Logits (vocab) as they are at a step: an onset is likelier where its time from the last was too seldom."""
        if self._heard is None or self._last is None:
            return logits
        since = min(step - self._last, _LONGEST)
        leaned = logits.copy()
        if since:
            now = self._heard.nats[_BIN[since]]
            leaned[NOTE_ON.first : NOTE_ON.end] += now
            leaned[VELOCITY.first : VELOCITY.end] += now  # each announces a note
        leaned[TIME_SHIFT.first : TIME_SHIFT.end] += (
            _SHIFT_STRENGTH * self._heard.nats[_BIN[since + 1 : since + 1 + LONGEST_SHIFT]]
        )
        return leaned
