"""MainWindow: builds everything and shows it; `connections` connects it. What things do stands in the controllers."""

import base64
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QByteArray, QEvent, QSize, Qt, QTimer
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent, QGuiApplication, QKeyEvent
from PySide6.QtWidgets import QAbstractButton, QMainWindow, QSplitter, QStackedWidget, QVBoxLayout, QWidget

from core.session.arrangement import tracks_to_play_into
from core.session.session import GenerationSettings, Session
from desktop.actions import Actions, KeyGuard, build_menus
from desktop.adapters.generation_signals import GenerationSignals
from desktop.adapters.playback_signals import PlaybackSignals
from desktop.adapters.task_worker import TaskWorker
from desktop.controllers.audition import Audition
from desktop.controllers.choices import Choices
from desktop.controllers.clipboard import Clipboard
from desktop.controllers.commands import Commands
from desktop.controllers.document import Document
from desktop.controllers.editing import Editing
from desktop.controllers.files import MIDI_SUFFIXES, FileController
from desktop.controllers.fill import FillController
from desktop.controllers.generation import GenerationController
from desktop.controllers.lanes import LaneDisplay
from desktop.controllers.preferences import Preferences
from desktop.controllers.roll import RollDisplay
from desktop.controllers.roll_parts import RollParts
from desktop.controllers.snapping import Snapping
from desktop.controllers.transport import TransportController
from desktop.dialogs.questions import Dialogs
from desktop.panels.bars_menu import BarsMenu
from desktop.panels.empty_state import EmptyState, examples
from desktop.panels.fill_bar import FillBar
from desktop.panels.generation_panel import GenerationPanel
from desktop.panels.output_menu import OutputMenu
from desktop.panels.paste_menu import PasteMenu
from desktop.panels.side import Side
from desktop.panels.status_bar import StatusBar
from desktop.panels.take_words import plan_words
from desktop.panels.takes_panel import TakesPanel
from desktop.panels.track_list import TrackList
from desktop.panels.transport_bar import TransportBar
from desktop.piano_roll.lanes.kinds import USUAL_LANES, make_lane
from desktop.piano_roll.lanes.lanes import Lanes
from desktop.piano_roll.view import PianoRoll
from desktop.widgets import icons
from desktop.widgets.panes import Panes

if TYPE_CHECKING:
    from desktop.dialogs.finetune import FineTuneDialog

FRAME = 16  # ms between two looks at sound and model while something goes on
IDLE = 250  # ms, else


class MainWindow(QMainWindow):
    """The window. `start` begins the work that must wait until it is on screen."""

    def __init__(self) -> None:
        super().__init__()
        self._build_workers()
        self._build_widgets()
        self._restore_layout()
        self.actions_["follow"].setChecked(self.roll.follows)

    # Building

    def _build_workers(self) -> None:
        self.files = TaskWorker(self)
        self.exports = TaskWorker(self)
        self.analyses = TaskWorker(self)
        self.preferences = Preferences(self.files, self)
        now = self.preferences.now
        self.document = Document(self.files, self)
        self.document.amend(Session(settings=now.generation))
        self.model_signals = GenerationSignals(self)
        self.worker = self.model_signals.generation
        self.sound_signals = PlaybackSignals(self)
        self.playback = self.sound_signals.playback
        self.playback.output.channel, self.playback.output.programs = now.channel, now.programs
        self.generation = GenerationController(self.document, self.model_signals, self.playback, self)
        self.transport = TransportController(self.document, self.playback, self.generation, self)
        self.parts = RollParts()
        self.dialogs = Dialogs(self)
        self.file_controller = FileController(
            self.document,
            self.generation,
            self.parts,
            self.preferences,
            self.files,
            self.exports,
            self.dialogs,
            self,
        )
        self.fine_tuning: FineTuneDialog | None = None  # once it was asked for
        self._may_close = False
        self._shown: Session | None = None

    def _build_widgets(self) -> None:
        self.setAcceptDrops(True)
        self.setMinimumSize(900, 560)  # on a netbook, too
        self.resize(1320, 820)
        self.actions_ = Actions(self)
        self.key_guard = KeyGuard(self)
        self.output_menu = OutputMenu(self)
        self.paste_menu = PasteMenu(lambda: self.document.session, self)
        self.bars_menu = BarsMenu(lambda: self.document.session, self)
        self.roll = PianoRoll(self)
        self.lanes = Lanes(self.roll, USUAL_LANES, lambda name: make_lane(self.roll, name))
        self._recent_menu, examples_menu = build_menus(
            self, self.actions_, self.output_menu, self.paste_menu, self.bars_menu, self.lanes.menu
        )
        for path, title in examples():
            examples_menu.addAction(self.tr(title), lambda path=path: self.file_controller.open_path(path))
        names = ("return", "play", "stop", None, "loop", "metronome", None, "follow", "fit", None, "panic", None)
        names += ("pointer", "pencil", "eraser", "knife")
        self.transport_bar = TransportBar([self.actions_[name] if name else None for name in names], self)
        self.empty = EmptyState(self)
        self.tracks = TrackList(self)
        self.panel = GenerationPanel(self)
        self.takes = TakesPanel(self)
        self.takes.export_for_drag = self.file_controller.drag_out
        self.fill_bar = FillBar(self)
        inside = self._lay_out()
        self.panes = Panes((self.transport_bar, self.fill_bar, self.tracks, self.centre, self.panel, self.takes))
        self.status = StatusBar(self)
        self.setStatusBar(self.status)
        self._build_controllers()
        self.frame = QTimer(self)
        self.frame.setInterval(IDLE)
        self.frame.setTimerType(Qt.TimerType.PreciseTimer)
        for button in inside.findChildren(QAbstractButton):
            # A click must not take Space away from the transport.
            if button.focusPolicy() & Qt.FocusPolicy.ClickFocus:
                button.setFocusPolicy(Qt.FocusPolicy.TabFocus)

    def _build_controllers(self) -> None:
        """Those that act on what the widgets show."""
        self.display = RollDisplay(self.roll, self.parts, self.document, self.generation, self.transport, self)
        self.editing = Editing(self.document, self.roll, self.parts, self.files, self)
        self.fill = FillController(self.document, self.model_signals, self.generation, self.transport, self.roll, self)
        self.clipboard = Clipboard(
            self.document,
            self.roll,
            self.editing,
            lambda: self.transport.position,
            lambda: self.lane_display.owner_on_view,
            self,
        )
        self.snapping = Snapping(self.roll, self.transport_bar, self.actions_, self.preferences)
        self.audition = Audition(self.document, self.transport, self.playback, self.roll, self.parts, self)
        self.commands = Commands(
            self.document, self.generation, self.transport, self.roll, self.parts, self.files, self
        )
        self.lane_display = LaneDisplay(
            self.roll, self.lanes, self.document, self.commands, self.preferences, lambda: self.dialogs, self
        )
        self.choices = Choices(
            self.preferences,
            self.sound_signals,
            self.transport,
            self.file_controller,
            self.actions_,
            self.output_menu,
            self._recent_menu,
            self.status,
            self,
        )

    def _lay_out(self) -> QWidget:
        """Put the parts of the window beside one another; the widget that they are in."""
        self.centre = QStackedWidget(self)
        self.centre.addWidget(self.empty)
        self.centre.addWidget(self.roll)
        self.side = Side(self.panel, self.takes, self)
        self.splitter = QSplitter(Qt.Orientation.Horizontal, self)
        for widget in (self.tracks, self.centre, self.side):
            self.splitter.addWidget(widget)
        self.splitter.setStretchFactor(1, 1)
        self.splitter.setSizes([256, 770, 294])
        self.splitter.setCollapsible(1, False)
        inside = QWidget(self)
        layout = QVBoxLayout(inside)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.transport_bar)
        layout.addWidget(self.splitter, 1)
        self.fill_bar.setParent(inside)
        self.fill_bar.lie_over(self.roll.viewport())
        self.setCentralWidget(inside)
        self.setTabOrder(self.tracks.table, self.roll)
        return inside

    # The beginning and the end

    def start(self, path: str = "", looks_for_recovery: bool = True) -> None:
        """The window is on screen: start the workers, open the output and what was asked for."""
        self.empty.example.setFocus()  # else the keys begin at Stop
        self.frame.start()
        self.worker.start()
        self.generation.prepare()
        self.playback.output.open(self.preferences.now.output)

        if looks_for_recovery:
            self.file_controller.look_for_recovery(path)
        elif path:
            self.file_controller.open_path(path)

    def fit_in(self, room: QSize) -> None:
        """Be no larger than so much room on the screen leaves, with a frame around."""
        room -= QSize(16, 48)
        self.setMinimumSize(self.minimumSize().boundedTo(room))  # 1920x1080 at 200 % is 960x540
        self.resize(self.size().boundedTo(room))

    def closeEvent(self, event: QCloseEvent) -> None:
        """End everything, once nothing can be lost."""
        if not self._may_close:
            event.ignore()
            if not self.exports.is_busy or self.dialogs.give_up_export():
                self.file_controller.leave(self._close)
            return
        event.accept()

    def _close(self) -> None:
        self._may_close = True
        self.file_controller.forget_recovered()
        self._remember_layout()
        self.hide()  # what follows may take a moment
        self.shut_down()
        self.close()
        app = QGuiApplication.instance()
        if app is not None:
            app.quit()

    def shut_down(self) -> None:
        """End threads, processes and ports. Safe to call twice."""
        app = QGuiApplication.instance()
        if app is not None:
            app.removeEventFilter(self.key_guard)
        self.frame.stop()
        if self.fine_tuning is not None:
            self.fine_tuning.end()
        self.playback.close()
        self.worker.close()
        self.preferences.flush()
        self.exports.close()
        self.analyses.close()
        self.files.close()
        self.document.close()

    def _restore_layout(self) -> None:
        now = self.preferences.now
        if now.geometry:
            self.restoreGeometry(QByteArray(base64.b64decode(now.geometry)))
        if now.layout:
            self.splitter.restoreState(QByteArray(base64.b64decode(now.layout)))
        self.lane_display.restore()

    def _remember_layout(self) -> None:
        self.preferences.change(
            geometry=base64.b64encode(self.saveGeometry().data()).decode(),
            layout=base64.b64encode(self.splitter.saveState().data()).decode(),
        )

    # What the user does

    def proceed(self) -> None:
        """Continue from the marker; while the model runs, nothing."""
        if not self.generation.is_running:
            if self.centre.currentWidget() is self.empty:
                self.show_roll()
            self.generation.proceed()

    def stop(self) -> None:
        """End a gesture in the roll, or else stop model and sound; where nothing runs, clear the roll's selection."""
        if self.roll.has_gesture:
            self.roll.escape()
        elif self.fill.run is not None:
            self.fill.drop()
        elif self.generation.is_running or self.transport.is_playing or self.playback.is_paused:
            self.transport.stop()
        else:
            self.roll.escape()

    def return_to_start(self) -> None:
        """Playhead and view to the beginning."""
        self.transport.return_to_start()
        self.roll.scroll_to(max(self.transport.position - 0.05 * self.roll.visible_seconds, 0.0))

    def change_settings(self, settings: GenerationSettings) -> None:
        """Take over settings of the panel; the next new session begins with them."""
        before = self.document.session.settings
        self.document.change_settings(settings)
        if (settings.knobs, settings.then) != (before.knobs, before.then):
            self.generation.turn(settings)
        if settings.rest != before.rest:
            self.commands.set_rest(settings.rest)
        self.preferences.change(generation=self.document.session.settings)

    # Showing

    def poll(self) -> None:
        """Once a frame: take in what model and sound have done."""
        self.generation.poll()
        self.fill.poll()
        self.transport.poll()
        is_busy = self.transport.is_playing or self.generation.is_running or self.fill.run is not None
        interval = FRAME if is_busy else IDLE
        if interval != self.frame.interval():  # else the timer would start anew
            self.frame.setInterval(interval)
        self.status.show_figures(self.generation.model, self.generation.run, self.transport.state)

    def show_ready(self, is_ready: bool, words: str) -> None:
        """Say whether Continue can be pressed, and what it waits for."""
        is_told = is_ready and self.fill.run is None  # else the bar of alternatives says what is under way
        self.status.show_waiting(words if is_told else "")
        if self.centre.currentWidget() is self.empty:
            is_ready, words = False, self.tr("Open a file, or start from nothing")
        self.panel.set_ready(is_ready, words)

    def show_running(self, is_running: bool) -> None:
        """The model began or ended."""
        if is_running:
            self.frame.setInterval(FRAME)
            self.show_growing()
        self.enable()

    def show_growing(self) -> None:
        """Show what the takes in progress have so far."""
        for growing in self.generation.in_progress:
            self.takes.show_growing(growing.id, growing.notes, growing.head)

    def show_document(self) -> None:
        """Show what the session has become."""
        session = self.document.session
        self.setWindowTitle(f"{self.document.name}[*] – Continuo")
        self.setWindowModified(self.document.is_changed)
        self.panel.show_tracks(tracks_to_play_into(session))
        self.panel.show_settings(session.settings)
        self.panel.show_plan(plan_words(session))
        shown = self._shown
        is_other_map = shown is None or session.tempo_map is not shown.tempo_map
        if shown is None or is_other_map or session.takes is not shown.takes or session.current != shown.current:
            self.takes.show_takes(session.takes, session.current or None, session.tempo_map)
        if shown is None or session.bin is not shown.bin:
            self.takes.show_bin(session.bin)
        if shown is None or session.score is not shown.score or session.flags != shown.flags:
            self.tracks.show_tracks(session)
            self.transport_bar.show_tempo_map(session.tempo_map)
        self._shown = session
        self.enable()

    def show_all(self) -> None:
        """Show everything anew, where a panel shows a change that was refused."""
        self._shown = None
        self.show_document()

    def name_file(self) -> None:
        """The document stands for another file now."""
        self.setWindowFilePath(self.document.source)

    def show_opened(self) -> None:
        """Show a document that was just opened."""
        self.show_roll()
        session = self.document.session
        if self.document.path:
            self.display.show_view(session.view)

    def show_roll(self) -> None:
        """Leave the first page for the piano roll."""
        focus = self.focusWidget()
        if focus is not None and self.empty.isAncestorOf(focus):
            focus.clearFocus()  # else the tracks have the keys in between, and a screen reader reads them all
        self.centre.setCurrentWidget(self.roll)
        self.roll.setFocus()
        self.generation.prepare()  # tells whether Continue can be pressed now
        self.enable()

    def show_transport(self) -> None:
        """Show what plays and where."""
        transport, actions = self.transport, self.actions_
        is_playing = transport.is_playing
        icons.set_icon(actions["play"], "pause" if is_playing else "play")
        actions["play"].setText(self.tr("&Pause") if is_playing else self.tr("&Play"))
        actions["loop"].setChecked(transport.is_looping)
        actions["metronome"].setChecked(transport.has_metronome)
        self.transport_bar.show_what(transport.what)
        self.transport_bar.show_position(transport.position)
        if is_playing or self.fill.run is not None:
            self.frame.setInterval(FRAME)
        self.enable()

    def enable(self) -> None:
        """Let be chosen what can be done now."""
        document = self.document
        self.actions_.name_steps(document.undo_name, document.redo_name)
        is_empty = self.centre.currentWidget() is self.empty
        model = "take" if self.generation.is_running else "fill" if self.fill.run is not None else ""
        self.actions_.enable_for(document.session, self.roll.has_selection, model, is_empty)

    # Events

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Return in a field of the panel, once its value is taken over, and Esc give the keys back to the roll."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Escape) and self.roll.isVisible():
            self.roll.setFocus()
        self.roll.follow_modifiers(event)
        super().keyPressEvent(event)

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        """The pointer may be over the roll, whoever has the keys."""
        self.roll.follow_modifiers(event)
        super().keyReleaseEvent(event)

    def changeEvent(self, event: QEvent) -> None:
        """The system went from light to dark: icons are drawn anew."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "status"):
            icons.refresh(self)

    def follow_application(self, state: Qt.ApplicationState) -> None:
        """The app came to the front: look at files and ports again."""
        if state == Qt.ApplicationState.ApplicationActive:
            self.file_controller.look_at_disk()
            self.playback.try_again()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Take one file that could be opened; not one of our own cards."""
        if event.source() is None and _dropped(event):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Open the file."""
        if path := _dropped(event):
            event.acceptProposedAction()
            self.file_controller.open_path(path)


def _dropped(event: QDropEvent) -> str:
    """The file that is dragged in, if it is one that could be opened."""
    for url in event.mimeData().urls():
        if url.isLocalFile() and Path(url.toLocalFile()).suffix.lower() in (*MIDI_SUFFIXES, ".continuo"):
            return url.toLocalFile()
    return ""
