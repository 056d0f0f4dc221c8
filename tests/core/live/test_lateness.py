from hypothesis import given
from hypothesis import strategies as st

from core.live.lateness import Lateness


@given(st.lists(st.floats(2e-6, 30), min_size=1), st.sampled_from([50, 99, 100]))
def test_percentiles_are_those_of_the_delays_to_five_percent(delays, percent):
    lateness = Lateness()
    for delay in delays:
        lateness.add(delay)
    rank = -(-len(delays) * percent // 100)  # rounded up
    exact = sorted(delays)[rank - 1] * 1000
    assert exact <= lateness.percentile_ms(percent) * 1.0001
    assert lateness.percentile_ms(percent) <= exact * 1.05


def test_early_and_very_late_ones_count_too():
    lateness = Lateness()
    assert lateness.percentile_ms(99) == 0
    for delay in (-1.0, 0.0, 1e6):
        lateness.add(delay)
    assert lateness.count == 3
    assert lateness.percentile_ms(50) < 0.002
    assert lateness.percentile_ms(100) > 30_000
