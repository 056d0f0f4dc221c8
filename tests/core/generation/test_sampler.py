import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from core.errors import UsageError
from core.generation.options import Sampling
from core.generation.sampler import probabilities, sample

VOCABULARY = 40
ALL = np.ones(VOCABULARY, dtype=bool)


@st.composite
def logits(draw: st.DrawFn) -> NDArray[np.float32]:
    random = np.random.default_rng(draw(st.integers(0, 10**6)))
    return (random.standard_normal(VOCABULARY) * draw(st.sampled_from([0.1, 1, 5, 50]))).astype(np.float32)


@st.composite
def masks(draw: st.DrawFn) -> NDArray[np.bool_]:
    mask = np.array(draw(st.lists(st.booleans(), min_size=VOCABULARY, max_size=VOCABULARY)))
    mask[draw(st.integers(0, VOCABULARY - 1))] = True
    return mask


settings_of = st.builds(
    Sampling,
    temperature=st.sampled_from([0.0, 0.01, 0.7, 1.0, 2.0, 10.0]),
    top_k=st.integers(0, VOCABULARY + 5),
    top_p=st.floats(0.01, 1.0),
    min_p=st.floats(0.0, 0.99),
)


@given(logits(), masks(), settings_of, st.floats(0, 1, exclude_max=True))
def test_what_is_drawn_is_allowed_and_survives_every_filter(
    raw: NDArray[np.float32], allowed: NDArray[np.bool_], how: Sampling, chance: float
) -> None:
    p = probabilities(raw, allowed, how)
    assert p.sum() == pytest.approx(1)
    assert (p[~allowed] == 0).all()
    event = sample(raw, allowed, how, chance)
    assert p[event] > 0
    if how.top_k:
        assert (p > 0).sum() <= how.top_k
    assert p[p > 0].min() >= how.min_p * p.max() * (1 - 1e-9)
    likeliest = np.where(allowed, raw, -np.inf)
    assert p[int(likeliest.argmax())] == p.max()


@given(logits(), masks(), st.floats(0.01, 0.999))
def test_nucleus_keeps_the_fewest_that_reach_top_p(
    raw: NDArray[np.float32], allowed: NDArray[np.bool_], top_p: float
) -> None:
    everything = probabilities(raw, allowed, Sampling(top_p=1.0))
    kept = probabilities(raw, allowed, Sampling(top_p=top_p)) > 0
    mass = everything[kept].sum()
    assert mass >= top_p - 1e-9
    assert mass - everything[kept].min() < top_p + 1e-9
    if (~kept & allowed).any():
        assert everything[~kept].max() <= everything[kept].min()


@given(logits(), st.floats(0.1, 5))
def test_without_filters_it_is_the_softmax(raw: NDArray[np.float32], temperature: float) -> None:
    exact = np.exp(raw.astype(np.float64) / temperature - (raw / temperature).max())
    p = probabilities(raw, ALL, Sampling(temperature, top_p=1.0))
    assert p == pytest.approx(exact / exact.sum(), abs=1e-6)


def test_draws_follow_the_probabilities() -> None:
    raw = np.log(np.arange(1, VOCABULARY + 1)).astype(np.float32)
    chances = (np.arange(20_000) + 0.5) / 20_000
    how = Sampling(top_p=1.0)
    counts = np.bincount([sample(raw, ALL, how, c) for c in chances], minlength=VOCABULARY)
    assert counts / 20_000 == pytest.approx(probabilities(raw, ALL, how), abs=1e-4)


@pytest.mark.parametrize(
    "wrong",
    [
        {"temperature": -0.1},
        {"temperature": float("nan")},
        {"top_k": -1},
        {"top_p": 0.0},
        {"top_p": 1.1},
        {"top_p": float("nan")},
        {"min_p": 1.0},
        {"min_p": float("nan")},
    ],
)
def test_values_out_of_range_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(UsageError):
        Sampling(**wrong)  # type: ignore[arg-type]
