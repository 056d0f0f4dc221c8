import itertools

import numpy as np
import pytest
from numpy.typing import NDArray
from PySide6.QtGui import QColor, QPalette
from pytestqt.qtbot import QtBot

from core.session.session import TRACK_COLOURS
from desktop.widgets.theme import (
    SHAPE_CONTRAST,
    TEXT_CONTRAST,
    PartKind,
    Shade,
    Theme,
    contrast,
    track_colours,
    with_contrast,
)

KINDS: tuple[PartKind, ...] = ("prompt", "take", "other")


def palette(base: str, window: str, text: str, highlight: str) -> QPalette:
    result = QPalette()
    for role, colour in (
        (QPalette.ColorRole.Base, base),
        (QPalette.ColorRole.Window, window),
        (QPalette.ColorRole.Text, text),
        (QPalette.ColorRole.Highlight, highlight),
    ):
        result.setColor(role, QColor(colour))
    return result


PALETTES = {
    "light": ("#ffffff", "#efefef", "#000000", "#308cc6"),
    "dark": ("#1e2024", "#2d2f33", "#e1e3e6", "#4682dc"),
    "black": ("#000000", "#000000", "#ffffff", "#ffff00"),
    "sepia": ("#f4ecd8", "#e8dcc0", "#5b4636", "#c8b890"),
}


@pytest.fixture(params=PALETTES.values(), ids=list(PALETTES))
def theme(request: pytest.FixtureRequest, qtbot: QtBot) -> Theme:
    return Theme.of(palette(*request.param))


def test_text_can_be_read(theme: Theme) -> None:
    assert contrast(theme.faint_text, theme.strip) >= TEXT_CONTRAST
    assert contrast(theme.key_text, theme.white_key) >= TEXT_CONTRAST
    notes = [each for kind in KINDS for track in range(-1, 12) for each in theme.velocities(kind, track)]
    for colour in (theme.marker, theme.part("take"), *notes, *(QColor(grey, grey, grey) for grey in range(256))):
        assert contrast(theme.on(colour), colour) >= TEXT_CONTRAST


def test_what_matters_stands_out_from_the_paper(theme: Theme) -> None:
    shapes = [theme.playhead, theme.sampling_head, theme.marker, theme.accent, theme.loop_edge]
    shapes += [theme.part(kind, i) for kind in ("prompt", "take") for i in range(4)]
    assert min(contrast(colour, theme.background) for colour in shapes) >= SHAPE_CONTRAST


def test_louder_is_stronger_and_softest_is_seen(theme: Theme) -> None:
    for kind in ("prompt", "take"):
        strengths = [contrast(colour, theme.background) for colour in theme.velocities(kind)]
        assert strengths == sorted(strengths)
        assert strengths[0] >= 1.4
        assert contrast(theme.edge(kind), theme.background) >= 2.5


def test_neighbours_stand_apart(theme: Theme) -> None:
    for i in range(TRACK_COLOURS):
        edge = lab(theme.edge("prompt", i), EYES["most"])
        for colour in theme.velocities("prompt", i):
            assert np.linalg.norm(np.subtract(edge, lab(colour, EYES["most"]))) >= 7


def test_other_takes_are_fainter(theme: Theme) -> None:
    faint = contrast(theme.part("other"), theme.background)
    assert 1.5 <= faint < contrast(theme.part("take"), theme.background)


def test_a_take_is_told_from_the_score_on_every_track(theme: Theme) -> None:
    for i in range(TRACK_COLOURS):
        assert theme.part("take", i) == theme.part("prompt", i)
        assert theme.edge("take", i) == theme.text
        edges = (lab(theme.edge(kind, i), EYES["most"]) for kind in ("take", "prompt"))
        assert np.linalg.norm(np.subtract(*edges)) >= 12


# Machado, Oliveira and Fernandes 2009: what linear RGB looks like without red cones (protanopia) and without green ones
# (deuteranopia).
EYES = {
    "most": np.eye(3),
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
}
TO_XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)


def lab(colour: QColor, eyes: NDArray[np.float64]) -> NDArray[np.float64]:
    """CIE L*a*b* (D65) of a colour as these eyes see it."""
    rgb = np.array([colour.redF(), colour.greenF(), colour.blueF()])
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    xyz = TO_XYZ @ np.clip(eyes @ linear, 0, 1) / TO_XYZ.sum(axis=1)
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("eyes", EYES.values(), ids=list(EYES))
@pytest.mark.parametrize("palette_name", ["light", "dark"])
def test_twelve_tracks_and_a_take_of_its_own_can_be_told_apart(palette_name: str, eyes: NDArray[np.float64]) -> None:
    theme = Theme.of(palette(*PALETTES[palette_name]))
    colours = [theme.part("take"), *(theme.part("prompt", i) for i in range(TRACK_COLOURS))]
    seen = [lab(colour, eyes) for colour in colours]
    assert min(np.linalg.norm(one - other) for one, other in itertools.combinations(seen, 2)) >= 12


def test_tracks_keep_their_colours_as_others_come_and_go() -> None:
    keys = [(chunk, channel % 16) for chunk, channel in zip(range(1, 13), range(12), strict=True)]
    whole = track_colours(keys)
    assert sorted(whole.values()) == list(range(TRACK_COLOURS))
    for gone in keys:
        rest = track_colours([key for key in keys if key != gone])
        assert rest == {key: whole[key] for key in rest}
    more = track_colours([*keys, (13, 0), (14, 1)])
    assert {key: more[key] for key in keys} == whole
    one_chunk = track_colours([(0, channel) for channel in range(12)])
    assert len(set(one_chunk.values())) == 12


@pytest.mark.parametrize("shade", [Shade.UNREAD, Shade.SILENT])
def test_what_is_not_heard_or_not_read_is_quieter_and_still_seen(theme: Theme, shade: Shade) -> None:
    for i in range(TRACK_COLOURS):
        for quiet, full in zip(theme.velocities("prompt", i, shade), theme.velocities("prompt", i), strict=True):
            assert contrast(quiet, theme.background) < contrast(full, theme.background)
        assert contrast(theme.velocities("prompt", i, shade)[-1], theme.background) >= 1.15
    edges = [theme.edge("prompt", 0, each) for each in (Shade.UNREAD, Shade.SILENT)]
    assert contrast(edges[0], theme.background) > contrast(edges[1], theme.background)


@pytest.mark.parametrize("pair", list(itertools.product(["#808080", "#000000", "#ffffff", "#1060c0"], repeat=2)))
def test_contrast_is_reached_where_it_can_be(pair: tuple[str, str]) -> None:
    colour, background = (QColor(name) for name in pair)
    assert contrast(with_contrast(colour, background, 3.0), background) >= 3.0
