from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mido import MetaMessage
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QScrollArea, QScrollBar, QWidget
from pytestqt.qtbot import QtBot

from core.midi.grid import GRID_CHOICES
from core.session.knobs import MOST_STEPS, WORDS, Knobs
from core.session.session import AT_FIRST, DEFAULTS, LATEST, GenerationSettings, session_from_midi
from desktop.controllers.generation import seconds_to_sample
from desktop.panels.generation_panel import SEEDS, GenerationPanel
from tests.core.midi.builders import file_of, scale
from tests.desktop.looking import cut_off, dark, reachable, unnamed

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def panel(qtbot: QtBot) -> GenerationPanel:
    panel = GenerationPanel()
    qtbot.addWidget(panel)
    panel.resize(320, 420)
    panel.set_ready(True)
    panel.show()
    panel.activateWindow()
    panel.feel.click()
    panel.more.click()
    return panel


@pytest.fixture
def changes(panel: GenerationPanel) -> list[GenerationSettings]:
    changes: list[GenerationSettings] = []
    panel.settings_changed.connect(changes.append)
    return changes


def retype(field: QWidget, text: str) -> None:
    field.setFocus()
    QTest.keyClick(field, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    QTest.keyClicks(field, text)
    QTest.keyClick(field, Qt.Key.Key_Return)


@st.composite
def any_settings(draw: st.DrawFn) -> GenerationSettings:
    low, high = sorted((draw(st.integers(0, 127)), draw(st.integers(0, 127))))
    return GenerationSettings(
        model=draw(st.sampled_from(["", "/models/jazz.safetensors"])),
        length=draw(st.floats(0.01, 7 * 86400)),
        unit=draw(st.sampled_from(["seconds", "bars"])),
        temperature=draw(st.floats(0, 10)),
        top_p=draw(st.floats(0, 1, exclude_min=True)),
        seed=draw(st.integers(0, 10**18 - 1)),
        seed_locked=draw(st.booleans()),
        takes=draw(st.integers(1, 16)),
        scale=draw(st.sampled_from(["off", "auto", "D minor", "Gb major"])),
        key_strength=draw(st.floats(0, 20)),
        knobs=draw(st.builds(Knobs, **{name: st.integers(-MOST_STEPS, MOST_STEPS) for name in WORDS})),
        low=low,
        high=high,
        grid=draw(st.sampled_from(GRID_CHOICES)),
        dynamics=draw(st.sampled_from(["auto", "flat", "human"])),
    )


@given(shown=any_settings())
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_shown_comes_back_untouched_and_nothing_is_said(
    panel: GenerationPanel, changes: list[GenerationSettings], shown: GenerationSettings
) -> None:
    changes.clear()
    panel.show_settings(shown)
    assert panel.settings() == shown
    assert not changes


def test_the_fields_own_terms_are_folded_away_until_they_are_wanted(panel: GenerationPanel) -> None:
    technical = (panel.seed, panel.dice, panel.lock, panel.temperature, panel.top_p, panel.key_strength)
    assert all(field.isVisible() for field in technical)  # the fixture has opened it
    panel.more.click()
    assert not any(field.isVisible() for field in technical)
    assert panel.takes.isVisible()
    assert panel.more.text() == "More"
    panel.show_settings(replace(DEFAULTS, temperature=1.4))  # what is not as usual is told of
    assert panel.more.text() == "More (changed)"


def test_continue_becomes_stop(panel: GenerationPanel, qtbot: QtBot) -> None:
    with qtbot.waitSignal(panel.continue_clicked):
        QTest.mouseClick(panel.button, LEFT)
    panel.set_running(True)
    assert panel.button.text() == "Stop"
    with qtbot.waitSignal(panel.stop_clicked), qtbot.assertNotEmitted(panel.continue_clicked):
        QTest.keyClick(panel.button, Qt.Key.Key_Space)


def test_a_double_click_on_continue_does_not_stop_it(panel: GenerationPanel, qtbot: QtBot) -> None:
    panel.continue_clicked.connect(lambda: panel.set_running(True))
    with qtbot.waitSignal(panel.continue_clicked), qtbot.assertNotEmitted(panel.stop_clicked):
        QTest.mouseClick(panel.button, LEFT)
        QTest.mouseDClick(panel.button, LEFT)  # the second press alone
        QTest.mouseRelease(panel.button, LEFT)


def test_not_ready_says_why_and_cannot_be_pressed(panel: GenerationPanel, qtbot: QtBot) -> None:
    panel.set_ready(False, "Reading the prompt …")
    with qtbot.assertNotEmitted(panel.continue_clicked):
        QTest.mouseClick(panel.button, LEFT)
    assert panel.reason.text() == "Reading the prompt …"
    assert panel.button.accessibleDescription() == "Reading the prompt …"
    panel.set_running(True)  # what runs can be stopped, whatever else is being read
    assert panel.button.isEnabled()


@pytest.mark.parametrize(
    ("field", "text", "expected"),
    [
        ("length", "8.5", {"length": 8.5}),
        ("takes", "4", {"takes": 4}),
        ("seed", "123456789012345678", {"seed": 123456789012345678}),
        ("low", "C2", {"low": 36}),
        ("low", "eb3", {"low": 51}),
        ("high", "72", {"high": 72}),
    ],
)
def test_typing(
    panel: GenerationPanel, changes: list[GenerationSettings], field: str, text: str, expected: dict
) -> None:
    retype(getattr(panel, field), text)
    assert panel.settings() == replace(DEFAULTS, **expected)
    assert changes[-1] == panel.settings()


def test_a_range_never_turns_round(panel: GenerationPanel) -> None:
    retype(panel.high, "C3")
    retype(panel.low, "C5")
    assert (panel.settings().low, panel.settings().high) == (72, 72)
    assert panel.high.text() == "C5"


def test_temperature_by_arrow_keys_and_by_number(panel: GenerationPanel, changes: list[GenerationSettings]) -> None:
    QTest.keyClick(panel.temperature.slider, Qt.Key.Key_Right)
    assert changes[-1].temperature == 1.05
    retype(panel.temperature.spin, "3")  # beyond the slider
    assert panel.settings().temperature == 3
    assert panel.temperature.slider.value() == panel.temperature.slider.maximum()


def test_dice_and_lock(panel: GenerationPanel, changes: list[GenerationSettings]) -> None:
    seeds = set()
    for _ in range(5):
        QTest.mouseClick(panel.dice, LEFT)
        seeds.add(panel.settings().seed)
    assert len(seeds) > 1
    assert max(seeds) < SEEDS
    QTest.mouseClick(panel.lock, LEFT)
    assert changes[-1].seed_locked
    QTest.keyClick(panel.lock, Qt.Key.Key_Space)
    assert not changes[-1].seed_locked


def test_an_empty_seed_is_the_one_before(panel: GenerationPanel, changes: list[GenerationSettings]) -> None:
    panel.show_settings(replace(DEFAULTS, seed=42))
    panel.seed.setFocus()
    panel.seed.clear()
    panel.takes.setFocus()
    assert panel.seed.text() == "42"
    assert not changes


def test_unit_keeps_about_the_same_length(panel: GenerationPanel, changes: list[GenerationSettings]) -> None:
    QTest.keyClick(panel.unit, Qt.Key.Key_Down)
    assert (changes[-1].unit, changes[-1].length) == ("bars", 10)
    QTest.keyClick(panel.unit, Qt.Key.Key_Up)
    assert (changes[-1].unit, changes[-1].length) == ("seconds", 20)


def test_scale_lock_and_the_detected_key(panel: GenerationPanel, changes: list[GenerationSettings]) -> None:
    panel.show_detected_key("D minor")
    QTest.keyClick(panel.scale, Qt.Key.Key_Down)
    assert changes[-1].scale == "auto"
    assert panel.scale.currentText() == "Auto (D minor)"
    panel.show_detected_key(None)
    assert panel.scale.currentText() == "Auto"
    panel.scale.setFocus()
    QTest.keyClicks(panel.scale, "Eb")
    assert changes[-1].scale == "Eb major"


def test_grid_and_the_one_that_was_found(panel: GenerationPanel, changes: list[GenerationSettings]) -> None:
    panel.show_detected_grid("1/16")
    assert panel.grid.currentText() == "Auto (1/16)"
    QTest.keyClick(panel.grid, Qt.Key.Key_End)
    assert changes[-1].grid == "1/16t"
    assert panel.grid.currentText() == "1/16 triplets"
    panel.show_detected_grid("1/16t")  # the user's own, so it says nothing of the prompt
    assert panel.grid.itemText(0) == "Auto"
    panel.show_settings(DEFAULTS)
    panel.show_detected_grid(None)
    assert panel.grid.currentText() == "Auto (none)"


def test_key_strength(panel: GenerationPanel, changes: list[GenerationSettings]) -> None:
    QTest.keyClick(panel.key_strength.slider, Qt.Key.Key_Home)
    assert changes[-1].key_strength == 0
    retype(panel.key_strength.spin, "12.5")  # beyond the slider
    assert changes[-1].key_strength == 12.5
    panel.reset.click()
    assert changes[-1].key_strength == DEFAULTS.key_strength


def test_dynamics(panel: GenerationPanel, changes: list[GenerationSettings]) -> None:
    QTest.keyClick(panel.dynamics, Qt.Key.Key_Down)
    assert changes[-1].dynamics == "flat"
    QTest.keyClick(panel.dynamics, Qt.Key.Key_Down)
    assert changes[-1].dynamics == "human"


def test_the_usual_length_is_bars_where_there_are_any(
    panel: GenerationPanel, changes: list[GenerationSettings]
) -> None:
    panel.show_settings(AT_FIRST)
    assert panel.length.isHidden()
    assert panel.unit.currentText() == "8 bars, or 20 seconds"
    panel.unit.setCurrentIndex(panel.unit.findData("bars"))
    assert (changes[-1].unit, changes[-1].length, panel.length.isHidden()) == ("bars", 8, False)
    panel.unit.setCurrentIndex(panel.unit.findData("auto"))
    assert replace(changes[-1], length=AT_FIRST.length) == AT_FIRST
    metre = MetaMessage("time_signature", numerator=3, denominator=4)
    for track, seconds in (([metre, *scale()], 12.0), (scale(), 20.0)):
        session = session_from_midi(file_of(track), "x", settings=AT_FIRST).with_marker(3.0)
        assert seconds_to_sample(session, 3.0) == pytest.approx(seconds)


def test_reset_keeps_model_and_seed(panel: GenerationPanel, changes: list[GenerationSettings]) -> None:
    panel.show_settings(GenerationSettings(model="x", seed=7, length=3, temperature=2, takes=5, scale="auto", low=40))
    QTest.mouseClick(panel.reset, LEFT)
    assert changes == [replace(AT_FIRST, model="x", seed=7)]
    assert not panel.reset.isEnabled()


def test_models_are_chosen_by_name_and_tell_their_licence(
    panel: GenerationPanel, changes: list[GenerationSettings]
) -> None:
    panel.show_models([("", "Continuo Base", "CC BY-SA 4.0"), ("/m/jazz", "Jazz", "")])
    assert "CC BY-SA 4.0" in panel.model.toolTip()
    QTest.keyClick(panel.model, Qt.Key.Key_Down)
    assert changes[-1].model == "/m/jazz"
    panel.show_settings(replace(DEFAULTS, model="/m/gone"))
    assert panel.model.currentText() == "/m/gone"
    assert panel.settings().model == "/m/gone"


def test_a_session_of_its_own_model_survives_a_new_list_of_models(panel: GenerationPanel) -> None:
    panel.show_settings(replace(DEFAULTS, model="/m/mine"))
    panel.show_models([("", "Bundled", "")])
    assert panel.settings().model == "/m/mine"
    assert panel.model.currentData() == "/m/mine"


@pytest.mark.parametrize("points", [9, 18])
def test_nothing_is_cut_off_in_the_narrowest_dock(qtbot: QtBot, points: int) -> None:
    panel = GenerationPanel()
    qtbot.addWidget(panel)
    font = panel.font()
    font.setPointSize(points)
    panel.setFont(font)
    panel.more.click()
    panel.show()
    panel.resize(10, 2000)
    panel.resize(max(panel.width(), panel.minimumSizeHint().width()), 2000)
    qtbot.wait(1)
    assert cut_off(panel) == []


def test_tab_goes_down_the_panel_and_everything_has_a_name(panel: GenerationPanel) -> None:
    panel.show_settings(replace(DEFAULTS, takes=2))  # so that Reset can be reached
    order = reachable(panel)
    for bar in panel.findChildren(QScrollBar):
        bar.setValue(0)  # what was opened is on view
    tops = [widget.mapTo(panel, QPoint(0, widget.height() // 2)).y() for widget in order]
    assert all(later - earlier > -6 for earlier, later in pairwise(tops))
    assert order[0] is panel.button
    assert {panel.dice, panel.lock, panel.scale, panel.reset} <= set(order)
    assert unnamed(panel) == []
    assert [w for w in order if not w.toolTip()] == []


def test_icons_follow_the_palette(panel: GenerationPanel) -> None:
    before = panel.dice.icon().cacheKey()
    panel.setPalette(dark())
    assert panel.dice.icon().cacheKey() != before
    panel.grab()


def test_the_wheel_scrolls_and_changes_nothing(panel: GenerationPanel, changes: list[GenerationSettings]) -> None:
    panel.resize(panel.width(), 220)
    bar = panel.findChildren(QScrollArea)[0].verticalScrollBar()
    for field in (panel.takes, panel.temperature.slider, panel.scale):
        panel.findChildren(QScrollArea)[0].ensureWidgetVisible(field)
        before = bar.value()
        at = field.mapTo(panel, field.rect().center())
        QTest.wheelEvent(panel.windowHandle(), QPointF(at) * panel.devicePixelRatioF(), QPoint(0, -120))
        QApplication.processEvents()
        assert bar.value() > before
    assert not changes


# What is typed and not told yet


def begin_to_type(field: QWidget, text: str) -> None:
    field.setFocus()
    QTest.keyClick(field, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    QTest.keyClicks(field, text)


@pytest.mark.parametrize(
    ("field", "name", "typed", "value"),
    [
        ("length", "length", "40", 40.0),
        ("takes", "takes", "3", 3),
        ("seed", "seed", "42", 42),
        ("low", "low", "C3", 48),
    ],
)
def test_continue_goes_by_what_is_typed(
    panel: GenerationPanel, field: str, name: str, typed: str, value: object
) -> None:
    panel.button.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # as the window has it
    begin_to_type(getattr(panel, field), typed)
    seen: list[object] = []
    panel.continue_clicked.connect(lambda: seen.append(getattr(panel.settings(), name)))
    QTest.mouseClick(panel.button, LEFT)
    assert seen == [value]


def test_the_seed_that_is_typed_is_the_one_that_is_kept(panel: GenerationPanel) -> None:
    panel.lock.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    begin_to_type(panel.seed, "42")
    QTest.mouseClick(panel.lock, LEFT)
    assert (panel.settings().seed, panel.settings().seed_locked) == (42, True)


def test_typing_goes_on_while_other_things_change(panel: GenerationPanel) -> None:
    begin_to_type(panel.length, "4")
    panel.show_settings(replace(panel.settings(), seed=7))  # as a continuation does that begins or ends
    QTest.keyClicks(panel.length, "5")
    QTest.keyClick(panel.length, Qt.Key.Key_Return)
    assert (panel.settings().length, panel.settings().seed) == (45.0, 7)


def test_the_longest_length_has_both_units(panel: GenerationPanel) -> None:
    panel.show_settings(replace(DEFAULTS, length=LATEST, unit="bars"))
    panel.unit.setCurrentIndex(panel.unit.findData("seconds"))
    assert (panel.settings().length, panel.settings().unit) == (LATEST, "seconds")


def test_knobs_are_turned_by_keys_and_said(panel: GenerationPanel, changes: list[GenerationSettings]) -> None:
    slider = panel.knobs.sliders["busy"]
    QTest.keyClick(slider, Qt.Key.Key_Right)
    QTest.keyClick(slider, Qt.Key.Key_Right)
    QTest.keyClick(panel.knobs.sliders["loud"], Qt.Key.Key_Left)
    assert [each.knobs for each in changes] == [Knobs(busy=1), Knobs(busy=2), Knobs(busy=2, loud=-1)]
    assert panel.feel.text() == "Feel: much busier, softer"
    panel.reset.click()
    assert changes[-1].knobs == Knobs()
    assert slider.value() == 0
    assert panel.feel.text() == "Feel: as in the prompt"
