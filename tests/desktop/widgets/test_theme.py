import itertools

import pytest
from PySide6.QtGui import QColor, QPalette
from pytestqt.qtbot import QtBot

from desktop.widgets.theme import SHAPE_CONTRAST, TEXT_CONTRAST, Theme, contrast, with_contrast


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
    for colour in (theme.marker, theme.part("take")):
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


def test_other_takes_are_fainter(theme: Theme) -> None:
    faint = contrast(theme.part("other"), theme.background)
    assert 1.5 <= faint < contrast(theme.part("take"), theme.background)


def test_prompt_and_take_differ(theme: Theme) -> None:
    hues = [theme.part("prompt", i).hslHue() for i in range(4)]
    assert len(set(hues)) == 4
    take = theme.part("take").hslHue()
    assert all(min(abs(hue - take), 360 - abs(hue - take)) > 60 for hue in hues)


@pytest.mark.parametrize("pair", list(itertools.product(["#808080", "#000000", "#ffffff", "#1060c0"], repeat=2)))
def test_contrast_is_reached_where_it_can_be(pair: tuple[str, str]) -> None:
    colour, background = (QColor(name) for name in pair)
    assert contrast(with_contrast(colour, background, 3.0), background) >= 3.0
