"""Words and presets move the sliders of Feel, and say what they did."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenu

from core.session.knobs import Knobs
from core.session.session import LONGEST_NAME, GenerationSettings
from core.settings import MOST_PRESETS, Preset, load_settings
from desktop.controllers.generation import options_for
from desktop.panels import feel_panel
from desktop.panels.take_words import differences
from tests.desktop.windows import Desk


def actions_of(at: Desk) -> dict[str, Callable[[], object]]:
    return {action.text(): action.trigger for action in at.window.panel.feelings.presets.menu().actions()}


FADING = Knobs(loud=-2, gradual=("loud",))


def say(at: Desk, words: str) -> str:
    """Type a line and press Return; what is said of it."""
    feelings = at.window.panel.feelings
    feelings.show_understood("")
    feelings.words.setText(words)
    QTest.keyClick(feelings.words, Qt.Key.Key_Return)
    at.wait(feelings.understood.text, "the words to be read")
    return feelings.understood.text()


def test_words_move_the_sliders_visibly_and_a_hand_takes_over(
    desk: Callable[..., Desk], homes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    monkeypatch.setattr(feel_panel, "announce", lambda widget, words: told.append(words))
    at = desk()
    panel = at.window.panel
    panel.show_unfolded(("feel",))
    assert say(at, "slow and sad, no guitars here") == 'slow: calmer; sad: darker. Not understood: "no guitars here".'
    assert told[-1] == panel.feelings.understood.text()
    assert (panel.knobs.sliders["busy"].value(), panel.knobs.sliders["bright"].value()) == (-1, -1)
    assert at.window.document.session.settings.knobs == Knobs(busy=-1, bright=-1)
    assert panel.feelings.understood.isVisible()
    assert say(at, "wilder, then fading") == "wilder: busier. Then fading: gradually much softer."
    settings = at.window.document.session.settings
    assert (settings.knobs, settings.then) == (Knobs(busy=1), (FADING,))
    assert panel.feel.text() == "Feel: busier, then gradually much softer"
    assert say(at, "langsam und traurig").startswith("Only English")
    assert at.window.document.session.settings == settings
    QTest.keyClick(panel.knobs.sliders["busy"], Qt.Key.Key_Right)
    settings = at.window.document.session.settings
    assert (settings.knobs, settings.then) == (Knobs(busy=2), (replace(FADING, busy=2),))
    assert panel.feelings.words.text() == "much busier, then much busier, gradually much softer"
    assert panel.feelings.understood.text() == "Calmer or busier: much busier, all through the take."
    QTest.keyClick(panel.knobs.sliders["loud"], Qt.Key.Key_Right)  # which ends the curve
    settings = at.window.document.session.settings
    assert (settings.knobs, settings.then) == (Knobs(busy=2, loud=1), ())
    assert (panel.feelings.words.text(), panel.feelings.understood.isVisible()) == ("", False)
    say(at, "crescendo")
    QTest.keyClick(panel.knobs.sliders["high"], Qt.Key.Key_Left)
    assert panel.feelings.words.text() == "lower, gradually much louder"


def test_a_line_that_is_emptied_sets_the_knobs_back(desk: Callable[..., Desk], homes: Path) -> None:
    at = desk()
    panel, words, document = at.window.panel, at.window.panel.feelings.words, at.window.document
    panel.show_unfolded(("feel",))
    say(at, "calm, then much louder")
    words.setFocus()
    words.selectAll()
    QTest.keyClick(words, Qt.Key.Key_Delete)
    assert document.session.settings.knobs == Knobs(busy=-1)  # not before it is said
    QTest.keyClick(words, Qt.Key.Key_Return)
    settings = document.session.settings
    assert (settings.knobs, settings.then) == (Knobs(), ())
    assert panel.feelings.understood.text() == "No words: as the prompt."
    assert panel.feelings.understood.isVisible()
    QTest.keyClick(panel.knobs.sliders["busy"], Qt.Key.Key_Right)
    QTest.keyClick(words, Qt.Key.Key_Return)  # in a line that nothing was written in
    assert document.session.settings.knobs == Knobs(busy=1)  # by hand
    assert panel.feelings.understood.text() == "Write how it is to sound: slow and sad, then wilder."


def test_the_line_shows_what_holds_also_of_another_session(desk: Callable[..., Desk], homes: Path) -> None:
    at = desk()
    at.open()
    feelings, document = at.window.panel.feelings, at.window.document
    say(at, "calm, then wilder")
    at.answers.leaving, at.answers.path = "discard", str(homes / "calm.continuo")
    at.window.file_controller.save_as()
    at.settle()
    at.window.panel.reset.click()
    assert (feelings.words.text(), document.session.settings.then) == ("", ())
    at.open(homes / "calm.continuo")
    assert document.session.settings.then == (Knobs(busy=1),)
    assert feelings.words.text() == "calmer, then busier"
    assert say(at, feelings.words.text()) == "calmer: calmer. Then busier: busier."
    at.set(takes=2)  # something else leaves it alone
    assert (feelings.words.text(), feelings.understood.isHidden()) == ("calmer, then busier", False)
    assert say(at, "calm, then wilder").startswith("calm: calmer")
    at.open()  # which goes on with what is set
    settings = document.session.settings
    assert bool(settings.then) == bool(feelings.words.text())


def test_whoever_writes_words_writes_on(desk: Callable[..., Desk], homes: Path) -> None:
    at = desk()
    at.open()
    window, words = at.window, at.window.panel.feelings.words
    window.panel.show_unfolded(("feel",))
    window.activateWindow()
    words.setFocus()
    say(at, "calm")
    assert window.focusWidget() is words
    QTest.keyClicks(words, ", mrlc4")  # metronome, Regenerate, loop, Continue, knife
    assert words.text() == "calm, mrlc4"
    assert (window.roll.tool, window.transport.has_metronome, window.transport.is_looping) == ("pointer", False, False)
    assert not window.generation.is_running


def test_presets_are_saved_by_name_chosen_and_deleted(desk: Callable[..., Desk], homes: Path) -> None:
    at = desk()
    say(at, "wilder, then fading")
    actions_of(at)["Save as …"]()
    at.window.preferences.flush()
    at.settle()
    (preset,) = load_settings().presets
    assert (preset.name, preset.knobs, preset.then) == ("wilder, then fading", Knobs(busy=1), (FADING,))
    at.window.panel.reset.click()
    assert at.window.document.session.settings.knobs == Knobs()
    assert at.window.panel.feelings.words.text() == ""
    actions_of(at)["wilder, then fading"]()
    assert at.window.status.toolTip() == "wilder, then fading: busier, then gradually much softer."
    assert at.window.panel.feelings.words.text() == "busier, then gradually much softer"
    settings = at.window.document.session.settings
    assert (settings.knobs, settings.then) == (preset.knobs, preset.then)
    (drop,) = (a.menu() for a in at.window.panel.feelings.presets.menu().actions() if a.text() == "Delete")
    assert isinstance(drop, QMenu)
    drop.actions()[0].trigger()
    assert at.window.preferences.now.presets == ()
    assert list(actions_of(at)) == ["Save as …"]


def test_presets_are_renamed_and_none_is_replaced_unasked(desk: Callable[..., Desk], homes: Path) -> None:
    at = desk()
    answers, preferences = at.answers, at.window.preferences

    def presets() -> dict[str, Knobs]:
        return {preset.name: preset.knobs for preset in preferences.now.presets}

    def save(knobs: Knobs, name: str) -> None:
        at.window.panel.set_feel(knobs)
        answers.names = [name]
        actions_of(at)["Save as …"]()

    def inside(words: str, name: str) -> None:
        (menu,) = (a.menu() for a in at.window.panel.feelings.presets.menu().actions() if a.text() == words)
        assert isinstance(menu, QMenu)
        next(action for action in menu.actions() if action.toolTip() == name).trigger()

    save(Knobs(busy=1), "  odd\tname\0 & \n<b>such</b> ")
    assert presets() == {"odd name & <b>such</b>": Knobs(busy=1)}
    save(Knobs(busy=2), "odd name & <b>such</b>")
    assert (answers.asked, presets()) == (["replace odd name & <b>such</b>"], {"odd name & <b>such</b>": Knobs(busy=1)})
    answers.replaces = True
    save(Knobs(busy=2), "odd name & <b>such</b>")
    assert presets() == {"odd name & <b>such</b>": Knobs(busy=2)}
    save(Knobs(loud=1), "Zebra")
    save(Knobs(loud=2), "long " * 100)
    assert list(presets()) == [("long " * 100)[:LONGEST_NAME].strip(), "odd name & <b>such</b>", "Zebra"]
    answers.names = ["antelope"]
    inside("Rename", "Zebra")
    assert next(iter(presets().items())) == ("antelope", Knobs(loud=1))
    assert len(presets()) == 3
    answers.names, answers.replaces = ["antelope"], False
    inside("Rename", "odd name & <b>such</b>")
    assert len(presets()) == 3
    inside("Delete", "antelope")
    assert answers.asked[-1] == "delete antelope"
    assert len(presets()) == 2
    preferences.flush()
    at.settle()
    assert load_settings().presets == preferences.now.presets
    menu = at.window.panel.feelings.presets.menu()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
    assert len(menu.findChildren(QMenu)) == 2  # those of before are gone
    before = menu.actions()
    preferences.change(folds=True)
    assert menu.actions() == before


def test_the_last_place_can_be_saved_over(desk: Callable[..., Desk], homes: Path) -> None:
    at = desk()
    at.window.preferences.change(presets=tuple(Preset(f"{i:02}", Knobs()) for i in range(MOST_PRESETS)))
    at.window.panel.set_feel(Knobs(busy=1))
    at.answers.names, at.answers.replaces = ["another", "07"], True
    actions_of(at)["Save as …"]()
    assert len(at.window.preferences.now.presets) == MOST_PRESETS
    actions_of(at)["Save as …"]()
    assert at.window.preferences.now.presets[7].knobs == Knobs(busy=1)
    assert len(at.window.preferences.now.presets) == MOST_PRESETS


def test_now_throws_away_what_is_in_hand_and_the_take_is_kept(desk: Callable[..., Desk], homes: Path) -> None:
    at = desk()
    at.open()
    at.wait_until_ready()
    window, now = at.window, at.window.panel.feelings.now
    assert not now.isEnabled()
    at.set(length=100.0, seed=3, seed_locked=True)
    window.proceed()
    marker = window.document.session.marker
    at.wait(lambda: window.transport.position > marker + 0.2, "the sound")
    at.wait(lambda: marker + window.generation.in_progress[0].head > window.transport.position + 4, "seconds in hand")
    planned = window.generation.take_to_come.end
    window.panel.set_feel(Knobs(loud=2))
    now.click()
    at.wait(lambda: len(at.takes) == 1 and window.generation.is_running, "another beginning")
    (first,) = at.takes
    again = window.generation.take_to_come
    assert again.end == pytest.approx(planned)
    at.wait(lambda: window.generation.in_progress[0].head > window.generation.in_progress[0].at + 1, "more of it")
    window.generation.stop()
    at.wait(lambda: len(at.takes) == 2, "the other take")
    second = at.takes[1]
    assert (second.parent, second.knobs) == (first.id, Knobs(loud=2))
    assert 1.5 <= second.forked_at < first.seconds - 1
    assert [n for n in second.notes if n.end < second.forked_at] == [n for n in first.notes if n.end < second.forked_at]
    now.setEnabled(True)
    assert not window.generation.sample_again_from(0.0)


def test_now_samples_anew_what_is_left_of_a_take_that_is_sampled_to_its_end(
    desk: Callable[..., Desk], homes: Path
) -> None:
    at = desk()
    at.open()
    at.wait_until_ready()
    window, transport, now = at.window, at.window.transport, at.window.panel.feelings.now
    first = at.sample(3.0)
    assert transport.is_playing
    at.wait(lambda: transport.position > first.marker, "the sound")
    assert now.isEnabled()
    window.panel.set_feel(Knobs(loud=2))
    assert "Now samples anew what is not heard yet" in window.status.toolTip()
    place = transport.position - first.marker
    now.click()
    assert window.generation.is_running
    assert window.generation.take_to_come.end == first.end
    assert transport.is_playing
    at.wait(lambda: not window.generation.is_running, "the other take")
    kept, second = at.takes
    assert kept == first
    assert (second.parent, second.knobs, window.document.session.current) == (first.id, Knobs(loud=2), second.id)
    assert place + 1.4 < second.forked_at < first.seconds
    transport.stop()
    assert not now.isEnabled()
    transport.play(0.0)
    assert not now.isEnabled()  # the song before it plays
    window.panel.feelings.now_wanted.emit()
    assert window.status.toolTip() == "There is nothing more to hear of the take."


def test_now_goes_on_with_what_was_said_of_the_whole_take(
    desk: Callable[..., Desk], homes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = desk()
    at.open()
    at.wait_until_ready()
    window, generation, panel = at.window, at.window.generation, at.window.panel
    begun: list[float] = []

    def recorded(settings: GenerationSettings, seconds: float, seed: int, ring: float, before: float) -> object:
        begun.append(before)
        return options_for(settings, seconds, seed, ring, before)

    monkeypatch.setattr("desktop.controllers.generation.options_for", recorded)
    at.set(length=100.0)
    panel.set_feel(Knobs(loud=2), (Knobs(loud=-2),))
    window.proceed()
    for wanted in (2.0, 4.0, 6.0):
        if wanted == 6.0:
            panel.set_feel(Knobs(busy=1), (Knobs(busy=-1),))  # said now
        at.wait(lambda wanted=wanted: generation.in_progress[0].head > wanted + 1, "enough of it")
        take, count = generation.take_to_come, len(at.takes)
        assert generation.sample_again_from(take.marker + wanted)
        at.wait(lambda count=count: len(at.takes) > count and generation.is_running, "another beginning")
    generation.stop()
    assert begun == pytest.approx([0.0, 2.0, 4.0, 0.0])


def test_a_take_says_with_which_words_it_was_made(desk: Callable[..., Desk], homes: Path) -> None:
    at = desk()
    at.open()
    say(at, "calm, then much louder")
    at.wait_until_ready()
    take = at.sample(2.0)
    assert (take.knobs, take.then) == (Knobs(busy=-1), (Knobs(loud=2),))
    model = at.window.takes.model
    for role in (Qt.ItemDataRole.ToolTipRole, Qt.ItemDataRole.AccessibleDescriptionRole):
        assert "Feel: calmer, then much louder" in model.data(model.index(0), role)
    other = replace(take, id="other", knobs=Knobs(), then=())
    assert differences(take, (take, other)) == ["calmer, then much louder"]
