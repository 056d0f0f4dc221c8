"""Choices: the user's settings in the menus and in effect: output, channel, colours, recent files."""

import sys
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QPoint, Qt
from PySide6.QtGui import QActionGroup
from PySide6.QtWidgets import QMenu, QWidget

from core.live.outputs import OutputChoice
from desktop.actions import Actions
from desktop.adapters.playback_signals import PlaybackSignals
from desktop.controllers.files import FileController
from desktop.controllers.preferences import Preferences
from desktop.controllers.transport import TransportController
from desktop.panels.output_menu import OutputMenu
from desktop.panels.status_bar import StatusBar
from desktop.widgets.menu_words import add_named
from desktop.widgets.palettes import show_in

if TYPE_CHECKING:
    from desktop.dialogs.sound_check import SoundCheckDialog

_SCHEMES = {"light": Qt.ColorScheme.Light, "dark": Qt.ColorScheme.Dark}


class Choices(QObject):
    """Shows the settings wherever they are shown, and makes them count."""

    def __init__(
        self,
        preferences: Preferences,
        sound: PlaybackSignals,
        transport: TransportController,
        file_controller: FileController,
        actions: Actions,
        output_menu: OutputMenu,
        recent_menu: QMenu,
        status: StatusBar,
        window: QWidget,
    ) -> None:
        super().__init__(window)
        self._preferences, self._playback, self._transport, self._file_controller = (
            preferences,
            sound.playback,
            transport,
            file_controller,
        )
        self._actions, self._menu, self._recent, self._status = actions, output_menu, recent_menu, status
        self._window = window
        self._sound_check: SoundCheckDialog | None = None
        self._scheme = Qt.ColorScheme.Unknown
        recent_menu.setToolTipsVisible(True)
        preferences.changed.connect(self.show)
        sound.opened.connect(self._on_output)
        sound.ports_changed.connect(lambda _: self.show())
        output_menu.aboutToShow.connect(sound.playback.output.look_for_ports)
        output_menu.chosen.connect(self.choose_output)
        output_menu.channel_chosen.connect(lambda channel: preferences.change(channel=channel))
        output_menu.programs_chosen.connect(lambda programs: preferences.change(programs=programs))
        output_menu.sound_check_requested.connect(self.check_sound)
        output_menu.panic_requested.connect(transport.panic)
        status.output_clicked.connect(self._show_output_menu)
        actions.on("merge takes", lambda: preferences.change(merges_takes=not preferences.now.merges_takes))
        colours = QActionGroup(self)  # one of them is always chosen
        for theme in ("system", *_SCHEMES):
            colours.addAction(actions[f"theme {theme}"])
            actions.on(f"theme {theme}", lambda theme=theme: preferences.change(theme=theme))
        self.show()

    def show(self) -> None:
        """Show what is chosen."""
        now, output = self._preferences.now, self._playback.output
        output.channel, output.programs = now.channel, now.programs
        self._menu.show_outputs(output.ports, now.output, sys.platform != "win32")
        self._menu.show_channel(now.channel)
        self._menu.show_programs(now.programs)
        if self._sound_check is not None:
            self._sound_check.show_output(now.output, output.ports)
        self._actions["merge takes"].setChecked(now.merges_takes)
        for theme in ("system", *_SCHEMES):
            self._actions[f"theme {theme}"].setChecked(now.theme == theme)
        scheme = _SCHEMES.get(now.theme, Qt.ColorScheme.Unknown)
        if scheme != self._scheme:
            self._scheme = scheme
            show_in(scheme)
        self._recent.clear()
        for path in now.recent:
            action = add_named(self._recent, path, Qt.TextElideMode.ElideMiddle)
            action.triggered.connect(lambda _=False, path=path: self._file_controller.open_path(path))
        self._recent.setEnabled(bool(now.recent))

    def choose_output(self, choice: OutputChoice) -> None:
        """Play there from now on, and at the next start."""
        self._preferences.change(output=choice)
        self._playback.output.open(choice)

    def check_sound(self) -> None:
        """Play an arpeggio and see whether it comes through."""
        from desktop.dialogs.sound_check import SoundCheckDialog  # here, because the window comes first

        playback, output = self._playback, self._playback.output
        dialog = SoundCheckDialog(
            output.choice, playback.play_messages, output.is_connected, output.ports, parent=self._window
        )
        dialog.output_chosen.connect(self.choose_output)
        self._sound_check = dialog
        dialog.exec()
        self._sound_check = None

    def _show_output_menu(self) -> None:
        button = self._status.output
        self._menu.popup(button.mapToGlobal(QPoint(0, -self._menu.sizeHint().height())))

    def _on_output(self, words: str) -> None:
        self._status.show_output(words)
        self.show()
        self._transport.reopened()
