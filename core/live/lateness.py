"""How late messages left: percentiles over hours of music in a few kilobytes."""

import math

BUCKETS_PER_OCTAVE = 16  # neighbouring buckets differ by 4.4 %
SMALLEST = 1e-6  # seconds; anything sooner counts as this


class Lateness:
    """A histogram of delays with logarithmic buckets, from a microsecond to about a minute."""

    def __init__(self) -> None:
        self.count = 0
        self._buckets = [0] * (26 * BUCKETS_PER_OCTAVE)

    def add(self, seconds: float) -> None:
        """Count one delay, in seconds (a negative one counts as none)."""
        place = int(math.log2(max(seconds, SMALLEST) / SMALLEST) * BUCKETS_PER_OCTAVE)
        self._buckets[min(place, len(self._buckets) - 1)] += 1
        self.count += 1

    def percentile_ms(self, percent: float) -> float:
        """The delay that `percent` of the messages did not exceed, in ms to 5 %; 0 before the first."""
        wanted = self.count * percent / 100
        seen = 0
        for place, number in enumerate(self._buckets):
            seen += number
            if number and seen >= wanted:
                return SMALLEST * 2 ** ((place + 1) / BUCKETS_PER_OCTAVE) * 1000
        return 0.0
