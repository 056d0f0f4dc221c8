"""What the window makes of options that shape a take."""

from collections.abc import Callable

from tests.desktop.windows import Desk


def test_takes_from_score_and_from_within_a_take_are_on_the_grid(desk: Callable[..., Desk]) -> None:
    at_work = desk()
    at_work.open()
    at_work.wait_until_ready()
    assert at_work.window.panel.grid.currentText() == "Auto (1/16)"
    take = at_work.sample(8.0, seed=3, seed_locked=True)
    tempo_map = at_work.window.document.session.tempo_map
    ticks = tempo_map.exact_ticks_array([take.marker + n.start for n in take.notes])
    assert len(ticks) > 10
    assert max(abs(ticks - (ticks / 120).round() * 120)) < 1e-3
    at_work.window.generation.fork(take.id, 3.3)
    at_work.wait(lambda: not at_work.window.generation.is_running, "the fork to end")
    fork = at_work.takes[-1]
    assert fork.parent == take.id
    ticks = tempo_map.exact_ticks_array([fork.marker + n.start for n in fork.notes])
    assert max(abs(ticks - (ticks / 120).round() * 120)) < 1e-3
    at_work.set(grid="1/8t")
    at_work.wait_until_ready()
    assert at_work.window.panel.grid.itemText(0) == "Auto"
    triplets = at_work.sample(4.0)
    ticks = tempo_map.exact_ticks_array([triplets.marker + n.start for n in triplets.notes])
    assert max(abs(ticks - (ticks / 160).round() * 160)) < 1e-3


def test_dynamics_reach_the_take(desk: Callable[..., Desk]) -> None:
    at_work = desk()
    at_work.open()
    flat = at_work.sample(4.0, dynamics="flat", seed=3, seed_locked=True)
    assert len({n.velocity for n in flat.notes}) == 1


def test_key_strength_reaches_the_sampler(desk: Callable[..., Desk]) -> None:
    at_work = desk()
    at_work.open()

    def sampled(seed: int, strength: float) -> tuple[int, ...]:
        return at_work.sample(2.0, key_strength=strength, seed=seed, seed_locked=True).events

    free, strict = ([sampled(seed, strength) for seed in (3, 4, 5, 6)] for strength in (0.0, 20.0))
    assert free != strict
    assert sampled(3, 0.0) == free[0]
