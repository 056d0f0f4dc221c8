"""Sound check, about and quantise, and the icons in them."""

from pathlib import Path

import pytest
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QGuiApplication, QIcon, QImage, QPainter, QPalette
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QDialog, QPushButton
from pytestqt.qtbot import QtBot
from safetensors import safe_open

from core.errors import NotFound
from core.live.outputs import BuiltInSynth, ExistingPort, NoOutput, OutputChoice, VirtualPort
from core.live.port_info import PortInfo
from core.live.scheduler import Message
from core.resources import bundled
from core.session.edits_quantise import QUANTISE_GRIDS
from core.session.export import SoundFormat
from desktop.dialogs import sound_check
from desktop.dialogs.about import COMPONENTS, AboutDialog
from desktop.dialogs.export import SAMPLE_RATES, ExportDialog
from desktop.dialogs.pages import PageDialog, manual_page
from desktop.dialogs.quantise import QuantiseDialog
from desktop.dialogs.sound_check import TEST_PITCHES, SoundCheckDialog
from desktop.widgets import icons
from tests.desktop.looking import cut_off, dark, unnamed

LEFT = Qt.MouseButton.LeftButton
LOOP = PortInfo("loopMIDI Port 1", "WinMM")


class Check:
    """A sound check on an output of which the test says whether it is connected."""

    def __init__(self, qtbot: QtBot, choice: OutputChoice, connected: bool | None, **more: object) -> None:
        self.connected = connected
        self.played: list[Message] = []
        self.dialog = SoundCheckDialog(choice, self.played.extend, lambda: self.connected, **more)  # type: ignore[arg-type]
        qtbot.addWidget(self.dialog)
        self.dialog.show()

    def press(self) -> str:
        """Press the button, let the arpeggio end, and return what is said."""
        QTest.mouseClick(self.dialog.play_button, LEFT)
        assert self.dialog.message.text() == "Playing …"
        self.dialog._ending.setInterval(0)
        self.dialog._ending.start()
        while self.dialog._ending.isActive():
            QTest.qWait(1)
        return self.dialog.message.text()


def test_an_arpeggio_is_played_and_every_note_ends(qtbot: QtBot) -> None:
    check = Check(qtbot, BuiltInSynth(), None)
    assert check.press() == "Did you hear five notes?"
    times = [time for time, _ in check.played]
    assert times == sorted(times)
    assert [m[1] for _, m in check.played if m[0] == 0x90] == list(TEST_PITCHES)
    assert sorted(m[1] for _, m in check.played if m[0] == 0x80) == sorted(TEST_PITCHES)


@pytest.mark.parametrize(
    ("choice", "connected", "expected", "asks"),
    [
        (VirtualPort(), True, "went to the program that is connected", True),
        (VirtualPort(), False, 'In your DAW, choose "Continuo" as a MIDI input', False),
        (VirtualPort(), None, "Did you hear", True),
        (BuiltInSynth(), True, "Did you hear", True),
        (NoOutput(), True, "no output is chosen", False),
    ],
)
def test_what_is_said(qtbot: QtBot, choice: OutputChoice, connected: bool | None, expected: str, asks: bool) -> None:
    check = Check(qtbot, choice, connected)
    assert expected in check.press()
    assert check.dialog.yes.isVisible() is asks


def test_a_connection_made_meanwhile_is_noticed(qtbot: QtBot) -> None:
    check = Check(qtbot, VirtualPort(), False)
    check.press()
    check.connected = True
    qtbot.waitUntil(lambda: "Something listens now" in check.dialog.message.text())


@pytest.mark.parametrize(("button", "words"), [("yes", "all is well"), ("no", "loudspeakers|muted")])
def test_the_answer(qtbot: QtBot, button: str, words: str) -> None:
    check = Check(qtbot, BuiltInSynth(), None)
    check.press()
    QTest.mouseClick(getattr(check.dialog, button), LEFT)
    assert any(word in check.dialog.message.text() for word in words.split("|"))
    assert not check.dialog.yes.isVisible()


def test_an_output_that_is_gone_is_said(qtbot: QtBot) -> None:
    def play(messages: object) -> None:
        raise NotFound('The MIDI port "Nord" is gone.')

    dialog = SoundCheckDialog(ExistingPort("Nord"), play, lambda: None)
    qtbot.addWidget(dialog)
    QTest.mouseClick(dialog.play_button, LEFT)
    assert dialog.message.text() == 'The MIDI port "Nord" is gone.'


def test_what_becomes_of_a_sound_check_is_told_to_screen_readers(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    monkeypatch.setattr(sound_check, "announce", lambda widget, words: told.append(words))
    check = Check(qtbot, BuiltInSynth(), None)
    assert told == []  # it is read with the dialog
    assert check.press() == "Did you hear five notes?"
    assert told == ["Playing …", "Did you hear five notes?"]


def test_windows_without_a_loopback_port_explains(qtbot: QtBot) -> None:
    check = Check(qtbot, BuiltInSynth(), None, platform="win32", ports=[PortInfo("Microsoft GS Wavetable Synth 0", "")])
    assert check.dialog.help.isVisible()
    assert "loopMIDI" in check.dialog.help.text()
    assert "Windows MIDI Services" in check.dialog.help.text()


def test_windows_with_a_loopback_port_offers_it(qtbot: QtBot) -> None:
    check = Check(qtbot, BuiltInSynth(), None, platform="win32", ports=[LOOP])
    assert not check.dialog.help.isVisible()
    button = next(b for b in check.dialog.findChildren(QPushButton) if "loopMIDI" in b.text())
    with qtbot.waitSignal(check.dialog.output_chosen) as said:
        QTest.mouseClick(button, LEFT)
    assert said.args == [ExistingPort("loopMIDI Port")]
    check.dialog.show_output(ExistingPort("loopMIDI Port"), [LOOP])
    assert check.dialog.output.text() == 'Sound goes to the MIDI port "loopMIDI Port".'


def test_elsewhere_nobody_hears_of_windows(qtbot: QtBot) -> None:
    assert not Check(qtbot, VirtualPort(), None, platform="linux").dialog.help.isVisible()


def test_a_page_has_a_cursor_with_which_a_screen_reader_reads_it_line_by_line(qtbot: QtBot) -> None:
    dialog = PageDialog("Manual", manual_page)
    qtbot.addWidget(dialog)
    dialog.show()
    places = [0]
    for _ in range(3):
        QTest.keyClick(dialog.text, Qt.Key.Key_Down)
        places.append(dialog.text.textCursor().position())
    assert places == sorted(set(places))


def test_a_closed_sound_check_asks_no_more(qtbot: QtBot) -> None:
    check = Check(qtbot, VirtualPort(), None)
    QTest.keyClick(check.dialog, Qt.Key.Key_Escape)
    assert not check.dialog._looking.isActive()
    assert not check.dialog._ending.isActive()


def test_about_names_every_licence_and_the_log_file(qtbot: QtBot) -> None:
    log = Path("/home/anna/continuo.log")
    dialog = AboutDialog(log)
    qtbot.addWidget(dialog)
    dialog.show()
    page = dialog.licences.toPlainText()
    for name, licence, _ in COMPONENTS:
        assert name in page
        assert licence in page
    QTest.mouseClick(dialog.copy, LEFT)
    assert str(log) in QGuiApplication.clipboard().text()
    assert "Qt 6" in QGuiApplication.clipboard().text()


def test_about_names_every_bundled_model_with_its_licence() -> None:
    for file in bundled("models").glob("*.safetensors"):
        with safe_open(file, "np") as model:
            header = model.metadata()
        licences = [licence for name, licence, _ in COMPONENTS if header["name"] in name]
        assert licences == [header["licence"]], header["name"]


def test_quantise_by_keyboard(qtbot: QtBot) -> None:
    dialog = QuantiseDialog(12)
    qtbot.addWidget(dialog)
    dialog.show()
    assert dialog.wanted.grid == "1/16"
    QTest.keyClick(dialog.choice, Qt.Key.Key_Down)
    QTest.keyClick(dialog.choice, Qt.Key.Key_Return)
    assert dialog.wanted.grid == QUANTISE_GRIDS[QUANTISE_GRIDS.index("1/16") + 1] == "1/16t"
    QTest.mouseClick(dialog.accept_button, LEFT)
    assert dialog.result() == QDialog.DialogCode.Accepted
    assert [dialog.choice.itemData(i) for i in range(dialog.choice.count())] == list(QUANTISE_GRIDS)


def test_sound_is_normalised_unless_it_is_asked_not_to_be(qtbot: QtBot) -> None:
    dialog = ExportDialog()
    qtbot.addWidget(dialog)
    dialog.show()
    assert dialog.form == SoundFormat(48000, 16, True)
    QTest.keyClick(dialog.rate, Qt.Key.Key_Up)
    QTest.keyClick(dialog.bits, Qt.Key.Key_Down)
    QTest.keyClick(dialog.normalise, Qt.Key.Key_Space)
    assert dialog.form == SoundFormat(SAMPLE_RATES[0], 24, False)


@pytest.mark.parametrize("shade", ["light", "dark"])
def test_dialogs_are_whole(qtbot: QtBot, shade: str) -> None:
    checks = [Check(qtbot, VirtualPort(), False).dialog, Check(qtbot, BuiltInSynth(), None, platform="win32").dialog]
    for dialog in (*checks, AboutDialog(Path("/a/very/long/path" * 20)), QuantiseDialog(1), ExportDialog()):
        qtbot.addWidget(dialog)
        if shade == "dark":
            dialog.setPalette(dark())
        dialog.show()
        dialog.adjustSize()
        qtbot.wait(1)
        assert cut_off(dialog) == []
        assert unnamed(dialog) == []
        dialog.grab()


@pytest.mark.parametrize("name", icons.names())
def test_every_icon_is_drawn_inside_its_box(qapp: object, name: str) -> None:
    image = QImage(32, 32, QImage.Format.Format_ARGB32)
    image.fill(Qt.GlobalColor.white)
    painter = QPainter(image)
    icons.paint(painter, name, QRectF(8, 8, 16, 16), QColor("#204060"))
    painter.end()
    colours = {(x, y): image.pixelColor(x, y) for x in range(32) for y in range(32)}
    inked = [place for place, colour in colours.items() if colour != QColor("white")]
    assert all(8 <= x < 24 and 8 <= y < 24 for x, y in inked)
    assert 10 <= sum(colour.lightness() < 128 for colour in colours.values()) <= 180
    assert min(colours.values(), key=QColor.lightness) == QColor("#204060")  # in the colour asked for, not in black


@pytest.mark.parametrize("name", icons.names())
def test_an_icon_has_the_colours_of_its_palette(qapp: object, name: str) -> None:
    palette, role = QPalette(), QPalette.ColorRole.ButtonText
    for group, colour in ((QPalette.ColorGroup.Active, "#204060"), (QPalette.ColorGroup.Disabled, "#80ff8000")):
        palette.setColor(group, role, QColor(colour))
    icon = icons.icon(name, palette)
    for mode, colour in ((QIcon.Mode.Normal, "#204060"), (QIcon.Mode.Disabled, "#80ff8000")):
        image = icon.pixmap(32, mode).toImage()
        inked = [image.pixelColor(x, y) for x in range(32) for y in range(32)]
        assert max(inked, key=QColor.alpha).name(QColor.NameFormat.HexArgb) == QColor(colour).name(
            QColor.NameFormat.HexArgb
        )
        assert min(pixel.alpha() for pixel in inked) == 0, mode


def test_there_is_no_icon_of_another_name(qapp: object) -> None:
    with pytest.raises(KeyError):
        icons.icon("no such icon", QPalette())


@pytest.mark.parametrize("kind", ["svg", "png"])
def test_the_apps_icon_is_there(kind: str) -> None:
    assert bundled("icons", f"continuo.{kind}").is_file()


def test_the_apps_icon_can_be_read(qapp: object) -> None:
    assert QIcon(str(bundled("icons", "continuo.png"))).pixmap(64).toImage().pixelColor(32, 8).alpha() == 255
