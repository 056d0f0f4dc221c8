"""Words and presets move the sliders of Feel, and say what they did."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QMenu

from core.session.knobs import Knobs
from core.settings import load_settings
from desktop.panels.take_words import differences
from tests.desktop.windows import Desk


def actions_of(at: Desk) -> dict[str, Callable[[], object]]:
    return {action.text(): action.trigger for action in at.window.panel.feelings.presets.menu().actions()}


def say(at: Desk, words: str) -> str:
    """Type a line and press Return; what is said of it."""
    feelings = at.window.panel.feelings
    feelings.show_understood("")
    feelings.words.setText(words)
    QTest.keyClick(feelings.words, Qt.Key.Key_Return)
    at.wait(feelings.understood.text, "the words to be read")
    return feelings.understood.text()


def test_words_move_the_sliders_visibly_and_a_hand_takes_over(desk: Callable[..., Desk], homes: Path) -> None:
    at = desk()
    panel = at.window.panel
    panel.show_unfolded(("feel",))
    assert say(at, "slow and sad, no guitars here") == 'slow: calmer; sad: darker. Not understood: "no guitars here".'
    assert (panel.knobs.sliders["busy"].value(), panel.knobs.sliders["bright"].value()) == (-1, -1)
    assert at.window.document.session.settings.knobs == Knobs(busy=-1, bright=-1)
    assert panel.feelings.understood.isVisible()
    assert say(at, "wilder, then fading") == "wilder: busier. Then fading: softer."
    settings = at.window.document.session.settings
    assert (settings.knobs, settings.then) == (Knobs(busy=1), (Knobs(loud=-1),))
    assert panel.feel.text() == "Feel: busier, then softer"
    assert say(at, "langsam und traurig").startswith("Only English")
    assert at.window.document.session.settings == settings
    QTest.keyClick(panel.knobs.sliders["busy"], Qt.Key.Key_Right)
    settings = at.window.document.session.settings
    assert (settings.knobs, settings.then) == (Knobs(busy=2), ())
    assert (panel.feelings.words.text(), panel.feelings.understood.isVisible()) == ("", False)


def test_presets_are_saved_by_name_chosen_and_deleted(desk: Callable[..., Desk], homes: Path) -> None:
    at = desk()
    say(at, "wilder, then fading")
    actions_of(at)["Save as …"]()
    at.window.preferences.flush()
    at.settle()
    (preset,) = load_settings().presets
    assert (preset.name, preset.knobs, preset.then) == ("wilder, then fading", Knobs(busy=1), (Knobs(loud=-1),))
    at.window.panel.reset.click()
    assert at.window.document.session.settings.knobs == Knobs()
    assert at.window.panel.feelings.words.text() == ""
    actions_of(at)["wilder, then fading"]()
    settings = at.window.document.session.settings
    assert (settings.knobs, settings.then) == (preset.knobs, preset.then)
    (drop,) = (a.menu() for a in at.window.panel.feelings.presets.menu().actions() if a.text() == "Delete")
    assert isinstance(drop, QMenu)
    drop.actions()[0].trigger()
    assert at.window.preferences.now.presets == ()
    assert list(actions_of(at)) == ["Save as …"]


def test_a_take_says_with_which_words_it_was_made(desk: Callable[..., Desk], homes: Path) -> None:
    at = desk()
    at.open()
    say(at, "calm, then much louder")
    at.wait_until_ready()
    take = at.sample(2.0)
    assert (take.knobs, take.then) == (Knobs(busy=-1), (Knobs(loud=2),))
    other = replace(take, id="other", knobs=Knobs(), then=())
    assert differences(take, (take, other)) == ["calmer, then much louder"]
