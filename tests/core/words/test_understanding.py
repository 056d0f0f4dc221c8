"""What lines of words do to the knobs, and what is said of what was not understood."""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors import safe_open

from core.resources import bundled
from core.session.knobs import WORDS, Knobs, knobs_words
from core.words.encoder import EMBEDDING_SIZE, bundled_encoder
from core.words.english import is_known
from core.words.evaluation import evaluate, read_lines
from core.words.understanding import (
    ENGLISH_ALONE,
    NO_WORDS,
    NOTHING,
    Understanding,
    bundled_understanding,
    read_anchors,
)

REFERENCE = [0.03931, -0.03094, 0.11569, 0.0862]
# Words without a content of their own.
EMPTY = frozenset(
    re.findall(
        r"\S+",
        "a an the and or of in on to at it its is as be by for from up down out off with without no not none less more "
        "like your you all each every that this these those let what's what s don't into over than then but much very "
        "if only one some now never back through along past among above everything anything other too so i",
    )
)


@pytest.fixture(scope="module")
def understanding() -> Understanding:
    return bundled_understanding()


def test_a_sentence_lies_where_the_model_has_it() -> None:
    """As ONNX Runtime computes it from the file that the weights are from."""
    encoder = bundled_encoder()
    assert encoder.pieces("Unhurried café!") == ["un", "##hur", "##ried", "cafe", "!"]
    point = encoder.encode("slow and sad, like rain")
    assert point.shape == (EMBEDDING_SIZE,)
    assert np.linalg.norm(point) == pytest.approx(1, abs=1e-5)
    assert point[:4].tolist() == pytest.approx(REFERENCE, abs=1e-4)
    assert encoder.encode("sad") @ encoder.encode("unhappy") > encoder.encode("sad") @ encoder.encode("table")


@pytest.mark.parametrize(
    ("line", "parts"),
    [
        ("slow and sad", [Knobs(busy=-1, bright=-1)]),
        ("much louder", [Knobs(loud=2)]),
        ("not so loud", [Knobs(loud=-1)]),
        ("don\u2019t be so loud", [Knobs(loud=-1)]),
        ("wilder, then fading", [Knobs(busy=1), Knobs(loud=-2, gradual=("loud",))]),
        ("please make it a bit slower", [Knobs(busy=-1)]),
        ("much less busy", [Knobs(busy=-2)]),
        ("sad, louder at the end", [Knobs(bright=-1), Knobs(bright=-1, loud=1)]),
        ("quiet, but loud in the middle", [Knobs(loud=-1), Knobs(loud=1), Knobs(loud=-1)]),
        ("loud with a diminuendo", [Knobs(loud=1), Knobs(loud=-2, gradual=("loud",))]),
        ("fade in", [Knobs(loud=-2), Knobs()]),
        ("a happy tune that gets sad", [Knobs(bright=1), Knobs(bright=-1, gradual=("bright",))]),
        ("a calm piece which later becomes wild", [Knobs(busy=-1), Knobs(busy=1, gradual=("busy",))]),
        ("a piece that starts soft and ends loud", [Knobs(loud=-1), Knobs(loud=1)]),
        ("slow music that speeds up", [Knobs(busy=-1), Knobs(busy=2, gradual=("busy",))]),
        ("a tune that will get sad", [Knobs(bright=-1, gradual=("bright",))]),
        ("a happy tune that does not get sad", [Knobs(bright=1)]),
        ("a quiet intro, a loud outro", [Knobs(loud=-1), Knobs(loud=1)]),
        ("getting a bit louder", [Knobs(loud=1, gradual=("loud",))]),
        ("then higher", [Knobs(high=1)]),
        ("", [Knobs()]),
    ],
)
def test_what_is_understood(understanding: Understanding, line: str, parts: list[Knobs]) -> None:
    assert list(understanding.understand(line).parts) == parts


def test_what_is_not_understood_is_said(understanding: Understanding) -> None:
    said = understanding.understand("slow, no guitars here")
    assert said.parts == (Knobs(busy=-1),)
    assert said.words == 'slow: calmer. Not understood: "no guitars here".'
    odds = understanding.understand("louder, but softer and higher")
    assert odds.parts == (Knobs(high=1),)
    assert odds.words == 'higher: higher. "louder" and "softer" are opposites: neither is done.'
    negated = understanding.understand("happy but not busier")
    assert negated.words == "happy: brighter; not busier: neither calmer nor busier."


@pytest.mark.parametrize("line", ["then", "1 2", "!!!", "\U0001f3b9", "..., then"])
def test_without_words_that_is_said(understanding: Understanding, line: str) -> None:
    said = understanding.understand(line)
    assert (said.parts, said.words) == ((Knobs(),), NO_WORDS)


@pytest.mark.parametrize("line", ["asdf qwer zxcv", "qqq", "lorem ipsum", "transpose up a fifth", "play it in 7/8"])
def test_what_says_nothing_of_knobs_is_not_taken_for_understood(understanding: Understanding, line: str) -> None:
    said = understanding.understand(line)
    assert (said.parts, said.words) == ((Knobs(),), f'Not understood: "{line}".')


@pytest.mark.parametrize(
    "line",
    [
        "langsam und traurig",
        "lento y triste como la lluvia",
        "plus vite",
        "m\u00e1s r\u00e1pido",
        "tre\u0300s doux",
        "медленно",
        "doucement",
        "leiser",
    ],
)
def test_other_languages_are_answered_honestly(understanding: Understanding, line: str) -> None:
    said = understanding.understand(line)
    assert (said.parts, said.words) == ((Knobs(),), ENGLISH_ALONE)


def test_terms_of_music_are_of_no_language(understanding: Understanding) -> None:
    assert understanding.understand("allegro con fuoco").parts[0].busy > 0


def test_knobs_of_several_parts_in_words() -> None:
    assert knobs_words((Knobs(busy=1), Knobs(), Knobs(loud=-2))) == "busier, then as the prompt, then much softer"
    assert knobs_words((Knobs(), Knobs())) == ""


def test_lines_that_were_held_out_are_understood(understanding: Understanding) -> None:
    outcomes = evaluate(understanding, read_lines(bundled("words", "held-out.txt")))
    assert len(outcomes) > 145
    assert sum(outcome.is_right for outcome in outcomes) / len(outcomes) > 0.8
    assert sum(outcome.beside for outcome in outcomes) / len(outcomes) < 1.2


def test_lines_of_difficult_kinds_are_understood(understanding: Understanding) -> None:
    outcomes = evaluate(understanding, read_lines(bundled("words", "kinds.txt")))
    assert len(outcomes) > 190
    assert sum(outcome.is_right for outcome in outcomes) / len(outcomes) > 0.95


def test_all_anchors_are_known_as_english() -> None:
    anchors = read_anchors(bundled("words", "anchors.txt"))
    assert [phrase for phrase, meant in anchors if meant != NOTHING and not is_known(phrase)] == []


def test_anchors_have_no_content_word_of_what_was_held_out() -> None:
    held = {word for line in read_lines(bundled("words", "held-out.txt")) for word in content(line.words)}
    anchors = {word for phrase, _ in read_anchors(bundled("words", "anchors.txt")) for word in content(phrase)}
    assert [(one, other) for one in held for other in anchors if is_same(one, other)] == []


def content(phrase: str) -> Iterator[str]:
    return (word for word in re.findall(r"[a-z']+", phrase.lower()) if word not in EMPTY)


def is_same(one: str, other: str) -> bool:
    """Whether two words are the same, or forms of the same."""
    alike = next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    return one == other or (
        alike >= 4 and alike >= min(len(one), len(other)) - 2 and alike >= 0.6 * max(len(one), len(other))
    )


def test_what_was_learned_is_of_the_anchors_as_they_are() -> None:
    anchors = bundled("words", "anchors.txt")
    with safe_open(anchors.with_suffix(".safetensors"), "numpy") as file:
        assert file.metadata()["anchors"] == hashlib.sha256(anchors.read_bytes()).hexdigest()
        assert file.get_slice("points").get_shape() == [len(list(read_anchors(anchors))), EMBEDDING_SIZE]


def gradual(knobs: Knobs, names: tuple[str, ...]) -> Knobs:
    return replace(knobs, gradual=tuple(name for name in names if name in knobs.turned()))


STEPS = st.sampled_from([0, 0, 0, -2, -1, 1, 2])
KNOBS = st.builds(Knobs, **dict.fromkeys(WORDS, STEPS))
GRADUAL = st.sampled_from([(), (), ("loud", "bright"), tuple(WORDS)])
PARTS = st.lists(st.builds(gradual, KNOBS, GRADUAL), min_size=1, max_size=3).map(tuple)


@settings(max_examples=60, deadline=None)
@given(PARTS.filter(lambda parts: any(knobs.turned() for knobs in parts)))
def test_what_continuo_says_of_knobs_it_understands_itself(
    understanding: Understanding, parts: tuple[Knobs, ...]
) -> None:
    understood = understanding.understand(knobs_words(parts))
    assert understood.parts == parts
    assert "Not understood" not in understood.words
