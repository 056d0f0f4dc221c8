import pytest
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu
from pytestqt.qtbot import QtBot

from core.errors import ContinuoError
from core.live.outputs import BuiltInSynth, ExistingPort, NoOutput, OutputChoice, VirtualPort
from core.live.port_info import PortInfo
from core.live.rtmidi_output import choose_port
from desktop.panels.output_menu import OutputMenu, lasting_names

ALSA = [PortInfo("FLUID Synth (99):Synth input port 128:0", "ALSA"), PortInfo("Midi Through:R&D 14:0", "ALSA")]


@pytest.fixture
def menu(qtbot: QtBot) -> OutputMenu:
    menu = OutputMenu()
    qtbot.addWidget(menu)
    menu.show_outputs(ALSA, BuiltInSynth(), True)
    return menu


def entry(menu: QMenu, words: str) -> QAction:
    return next(action for action in menu.actions() if words in action.text().replace("&", ""))


def checked(menu: QMenu) -> list[str]:
    return [action.text().replace("&", "") for action in menu.actions() if action.isChecked()]


@pytest.mark.parametrize(
    ("words", "choice"),
    [
        ("Built-in synth", BuiltInSynth()),
        ("Virtual port", VirtualPort()),
        ("FLUID", ExistingPort("FLUID Synth (99):Synth input port")),
        ("No sound", NoOutput()),
    ],
)
def test_choosing(menu: OutputMenu, qtbot: QtBot, words: str, choice: OutputChoice) -> None:
    with qtbot.waitSignal(menu.chosen) as said:
        entry(menu, words).trigger()
    assert said.args == [choice]


@pytest.mark.parametrize(
    ("choice", "words"),
    [
        (BuiltInSynth(), "Built-in synth"),
        (VirtualPort("Piano"), 'Virtual port "Piano"'),
        (ExistingPort("synth input"), ALSA[0].name),
        (ExistingPort("Nord"), "Nord (not there)"),
        (NoOutput(), "No sound"),
    ],
)
def test_the_choice_is_checked(menu: OutputMenu, choice: OutputChoice, words: str) -> None:
    menu.show_outputs(ALSA, choice, True)
    assert checked(menu) == [words]


def test_ports_come_and_go(menu: OutputMenu) -> None:
    chosen = ExistingPort("FLUID Synth (99):Synth input port")
    menu.show_outputs(ALSA[1:], chosen, True)
    assert not entry(menu, "(not there)").isEnabled()
    renumbered = PortInfo("FLUID Synth (99):Synth input port 131:0", "ALSA")
    menu.show_outputs([*ALSA[1:], renumbered], chosen, True)
    assert checked(menu) == [renumbered.name]
    menu.show_outputs([], BuiltInSynth(), True)
    assert not entry(menu, "No MIDI ports found").isEnabled()
    assert len([a for a in menu.actions() if "Built-in" in a.text().replace("&", "")]) == 1


def test_showing_the_same_again_leaves_an_open_menu_alone(menu: OutputMenu) -> None:
    before = menu.actions()
    menu.show_outputs(list(ALSA), BuiltInSynth(), True)
    assert menu.actions() == before


def test_a_port_is_named_so_that_it_is_found_again() -> None:
    twins = [PortInfo("Keys 20:0", "ALSA"), PortInfo("Keys 24:0", "ALSA"), PortInfo("Loop 1", "WinMM")]
    parts = dict(lasting_names(twins))
    assert parts["Loop 1"] == "Loop"
    assert choose_port(["Keys 20:0", "Keys 24:0", "Loop 3"], parts["Loop 1"]) == 2
    assert choose_port([port.name for port in twins], parts["Keys 24:0"]) == 1
    with pytest.raises(ContinuoError):
        choose_port([port.name for port in twins], "Keys")


def test_where_there_is_no_virtual_port_the_sound_check_is_pointed_to(menu: OutputMenu) -> None:
    menu.show_outputs([PortInfo("Microsoft GS Wavetable Synth 0", "WinMM")], BuiltInSynth(), False)
    texts = [action.text() for action in menu.actions()]
    assert not any("Virtual" in text for text in texts)
    assert any("Sound check" in text for text in texts)
    assert any("sounds late" in text for text in texts)


def test_channel(menu: OutputMenu, qtbot: QtBot) -> None:
    with qtbot.waitSignal(menu.channel_chosen) as said:
        entry(menu.channels, "10").trigger()
    assert said.args == [9]
    with qtbot.waitSignal(menu.channel_chosen) as said:
        entry(menu.channels, "As in the file").trigger()
    assert said.args == [None]
    menu.show_channel(0)
    assert checked(menu.channels) == ["1"]
    menu.show_channel(None)
    assert checked(menu.channels) == ["As in the file"]


def test_programs_panic_and_sound_check(menu: OutputMenu, qtbot: QtBot) -> None:
    with qtbot.assertNotEmitted(menu.programs_chosen):
        menu.show_programs(True)
    with qtbot.waitSignal(menu.programs_chosen) as said:
        menu.programs.trigger()
    assert said.args == [False]
    with qtbot.waitSignal(menu.panic_requested):
        menu.panic.trigger()
    with qtbot.waitSignal(menu.sound_check_requested):
        menu.sound_check.trigger()
