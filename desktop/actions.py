"""Actions: every command of the menus with its shortcut, in one table; and the menus they stand in."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal, cast

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QAction, QActionGroup, QFontMetrics, QGuiApplication, QKeyEvent, QKeySequence
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QDoubleSpinBox,
    QLineEdit,
    QMainWindow,
    QMenu,
    QMenuBar,
    QSpinBox,
)

from core.midi.scale import MODES, TONICS
from core.session.session import Session
from desktop.widgets.fields import forget_typed
from desktop.widgets.icons import set_icon
from desktop.widgets.menu_words import plain, shown

Keys = QKeySequence.StandardKey | str | None
_K = QKeySequence.StandardKey
_ROLL = "roll"  # the roll obeys these keys itself, while it has the focus: here they are only shown
_CHECK = "check"
_SNAPS = "snaps"  # to bars; with Alt freely
_TOOL = "tool"  # one of these is always on
_NATIVE = QKeySequence.SequenceFormat.NativeText
_OWN_KEYS = (Qt.Key.Key_Space, Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Home)


@dataclass(frozen=True)
class Command:
    """One row of the table."""

    name: str
    text: str
    keys: Keys = None
    icon: str = ""
    kind: str = ""
    tip: str = ""
    role: QAction.MenuRole = QAction.MenuRole.NoRole


COMMANDS = (
    Command("new", "&New", _K.New, tip="An empty session, to generate from nothing"),
    Command("open", "&Open …", _K.Open),
    Command("save", "&Save Session", _K.Save),
    Command("save as", "Save Session &As …", "Ctrl+Shift+S"),
    Command("save score and take", "Score and &Take …", "Ctrl+E", tip="Without a take, the score"),
    Command("save take", "Take &Alone …", "Ctrl+Shift+E"),
    Command("save all takes", "A&ll Takes …"),
    Command("save score", "&Score Alone …"),
    Command(
        "merge takes",
        "&Into Their Tracks",
        kind=_CHECK,
        tip="A take saved with the score is written into the tracks that it plays on, not beside them",
    ),
    Command("export", "Export A&udio …", "Ctrl+Shift+W"),
    Command("quit", "&Quit", "Ctrl+Q", role=QAction.MenuRole.QuitRole),
    Command("undo", "&Undo", _K.Undo),
    Command("redo", "&Redo", _K.Redo),
    Command("cut", "Cu&t", _K.Cut),
    Command("copy", "&Copy", _K.Copy, tip="The selected notes, or all in the selected span"),
    Command("paste", "&Paste", _K.Paste, tip="At the playhead, into the part of the selected notes"),
    Command("duplicate", "Dup&licate", "Ctrl+D", tip="The notes once more, behind themselves"),
    Command("repeat", "Repeat Times …", "Ctrl+Shift+D", tip="The notes several times more"),
    Command("delete notes", "&Delete Notes", _K.Delete, kind=_ROLL),
    Command("insert note", "Insert a &Note", "Shift+N", tip="At the playhead; the arrow keys move it then"),
    Command("select all", "Select &All Notes", _K.SelectAll, kind=_ROLL),
    Command("up", "Semitone &Up", "Up", kind=_ROLL),
    Command("down", "Semitone &Down", "Down", kind=_ROLL),
    Command("octave up", "&Octave Up", "Shift+Up", kind=_ROLL),
    Command("octave down", "Octa&ve Down", "Shift+Down", kind=_ROLL),
    Command("earlier", "&Earlier", "Left", kind=_ROLL),
    Command("later", "&Later", "Right", kind=_ROLL),
    Command("louder", "&Louder", "Ctrl+Up", kind=_ROLL),
    Command("softer", "&Softer", "Ctrl+Down", kind=_ROLL),
    Command("set velocity", "S&et Velocity …", tip="The same for all selected notes"),
    Command("scale velocity", "S&cale Velocity …", tip="Multiply the velocities of the selected notes"),
    Command(
        "compress velocity", "Co&mpress Velocity …", tip="Bring the selected notes' velocities nearer to their mean"
    ),
    Command("degree up", "De&gree Up", "Ctrl+Shift+Up", tip="By a degree of the key; notes off the scale stay off it"),
    Command("degree down", "Degre&e Down", "Ctrl+Shift+Down"),
    Command("mirror", "&Mirror", tip="The highest note becomes the lowest"),
    Command("split", "&Split at the Playhead", "Ctrl+K"),
    Command("join", "&Join", "J", tip="One note of all selected ones of a pitch"),
    Command("legato", "Leg&ato", "Shift+J", tip="Each note lasts until the next begins"),
    Command("set length", "Set Len&gth …"),
    Command("stretch", "S&tretch Time …", tip="Notes and the time between them become longer or shorter"),
    Command("reverse", "&Reverse", tip="Backwards"),
    Command("swing", "S&wing …", tip="Off-beat eighths come later"),
    Command("humanise", "&Humanise …", tip="Small differences of time and velocity"),
    Command("select pitch", "Same &Pitch", tip="All notes of the selected pitches"),
    Command("select place", "Same Place in the &Bar"),
    Command("select track", "All of the &Track"),
    Command("select velocities", "By &Velocity …", tip="Notes between two velocities"),
    Command("quantise", "&Quantise …", "Q", kind=_ROLL),
    Command("tempo", "Tempo and &Metre …", "Ctrl+T", tip="From the beginning or the bar of the playhead on"),
    Command(
        "pointer", "P&ointer", "1", "pointer", _TOOL, "Select, move and stretch notes; a double click draws or deletes"
    ),
    Command("pencil", "&Pencil", "2", "pencil", _TOOL, "Draw notes; drag for length and pitch"),
    Command("eraser", "&Eraser", "3", "eraser", _TOOL, "Delete the notes that are clicked or dragged over"),
    Command("knife", "&Knife", "4", "knife", _TOOL, "Divide the note that is clicked"),
    Command("continue", "&Continue", "C", tip="Continue from the marker"),
    Command("fork", "Continue from &Here", "Shift+C", "fork", tip="A new take from the note selected in the take"),
    Command(
        "regenerate",
        "&Regenerate the Span",
        "R",
        tip="Alternatives for the span selected in the ruler: on the tracks of selected notes, or the one in front",
    ),
    Command("another take", "A&nother Take", "Ctrl+R", tip="Another take from the same place"),
    Command(
        "marker here",
        "Put the &Marker at the Playhead",
        "K",
        kind=_SNAPS,
        tip="Continue from the bar next to the playhead; with Alt from where it stands",
    ),
    Command(
        "start here",
        "Start the &Prompt at the Playhead",
        "Shift+K",
        kind=_SNAPS,
        tip="The model reads from the bar next to it; with Alt from there",
    ),
    Command(
        "end here",
        "&End Takes at the Playhead",
        "Shift+E",
        kind=_SNAPS,
        tip="They end at the bar next to it, with Alt there; at the marker: they are as long as the panel says",
    ),
    Command("accept", "Make Part of the &Score", "Ctrl+Return", tip="The take becomes a track of the score"),
    Command("play", "&Play", "Space", "play", tip="Play or pause"),
    Command("stop", "&Stop", "Esc", "stop", tip="Stop the sound and the model"),
    Command("return", "&Return to Start", "Home", "return", tip="Playhead to the beginning"),
    Command("back", "&Back a Bar", ",", tip="Playhead to the bar line before"),
    Command("on", "For&ward a Bar", ".", tip="Playhead to the bar line after"),
    Command("loop start", "Loop &From the Playhead", "[", kind=_SNAPS),
    Command("loop end", "Loop &To the Playhead", "]", kind=_SNAPS),
    Command("span start", "Select a &Span From the Playhead", "I", kind=_SNAPS, tip="Bars to loop or to copy"),
    Command("span end", "Select a Span &Until the Playhead", "O", kind=_SNAPS),
    Command(
        "snap",
        "Snap to the &Grid",
        "N",
        kind=_CHECK,
        tip="Drags in the piano roll and its ruler snap; with Alt held they do not",
    ),
    Command(
        "hear edits", "Hear Notes &While Editing", kind=_CHECK, tip="Notes sound as they are clicked, drawn and moved"
    ),
    Command("select span", "Select the Notes in the Sp&an", "Shift+A"),
    Command("loop span", "Loop the S&pan", "Shift+L", tip="Play the span selected in the ruler again and again"),
    Command("lane line", "&Draw a Line in the Lane …", "D", tip="Over the selected span; the pedal is pressed"),
    Command("lane erase", "&Erase in the Lane", "Shift+D", tip="What the lane drawn in last has in the selected span"),
    Command("loop", "&Loop", "L", "loop", _CHECK, "Play the stretch drawn in the ruler again and again"),
    Command("metronome", "&Metronome", "M", "metronome", _CHECK, "Click along"),
    Command("panic", "P&anic", "Ctrl+.", "panic", tip="Silence everything at once"),
    Command("fit", "Show &Everything", "F", "fit", tip="See the whole piece, from the first note to the last"),
    Command("zoom in", "Zoom &In", _K.ZoomIn),
    Command("zoom out", "Zoom &Out", _K.ZoomOut),
    Command("taller", "Taller &Rows", "Alt+PgUp", tip="Fewer pitches on view"),
    Command("lower", "Lo&wer Rows", "Alt+PgDown", tip="More pitches on view"),
    Command("follow", "&Follow Playhead", "Ctrl+F", "follow", _CHECK, "Turn the page as the music goes on"),
    Command(
        "scale", "Show the &Scale", "Shift+S", kind=_CHECK, tip="Rows of the scale are light; notes outside are marked"
    ),
    Command("scale auto", "&Found in the Notes", kind=_CHECK, tip="The key that the notes are in"),
    *(Command(f"scale {mode}", mode.capitalize(), kind=_CHECK) for mode in MODES),
    *(Command(f"tonic {tonic}", name, kind=_CHECK) for tonic, name in enumerate(TONICS)),
    Command(
        "fold",
        "Only Rows in &Use",
        "Shift+F",
        kind=_CHECK,
        tip="Pitches without notes are left out; with a track in front, those without its notes",
    ),
    Command("chords", "C&hord Names", "Shift+H", kind=_CHECK, tip="Over the ruler, told from the notes that sound"),
    Command("next pane", "&Next Pane", "F6", tip="The keys go to the next part of the window"),
    Command("previous pane", "&Previous Pane", "Shift+F6", tip="The keys go to the part of the window before"),
    Command("fold tracks", "Hide or Show the &Tracks", "F7", tip="The list at the left"),
    Command("fold side", "Hide or Show Settings an&d Takes", "F8", tip="What is at the right"),
    Command("theme system", "As the &System", kind=_CHECK),
    Command("theme light", "&Light", kind=_CHECK),
    Command("theme dark", "&Dark", kind=_CHECK),
    Command("fine-tune", "&Fine-Tune a Model …", tip="Train a model further on MIDI files of your own"),
    Command("manual", "&Manual", _K.HelpContents, tip="How Continuo works, on one page"),
    Command("shortcuts", "&Keyboard Shortcuts", "Ctrl+/", tip="Every key, by menu and part of the window"),
    Command("log", "Show the &Log File"),
    Command("report", "&Copy a Report of a Problem", tip="Versions and the end of the log, without names of files"),
    Command("about", "&About Continuo", role=QAction.MenuRole.AboutRole),
)

# Keys that a part of the window obeys while it has the focus, beside those of the menus: (part, keys, what they do).
PANE_KEYS = (
    ("Piano roll", "Ctrl+Left, Ctrl+Right", "Select the note before, after; with Shift besides"),
    ("Piano roll", "Ctrl+PgUp, Ctrl+PgDown", "Select the first note of the bar before, of the next"),
    ("Piano roll", "Ctrl+Home, Ctrl+End", "Select the first note, the last"),
    ("Piano roll", "Alt+Left, Alt+Right", "Move the selected notes finely; without any, the marker"),
    ("Piano roll", "Left, Right, Up, Down", "Scroll, where no note is selected"),
    ("Piano roll", "Shift+Left, Shift+Right", "Make the selected notes shorter, longer"),
    ("Piano roll", "Return", "Play from the selected note"),
    ("Piano roll", "PgUp, PgDown", "Scroll the pitches"),
    ("Piano roll", "End", "See the end"),
    ("Lanes", "Left, Right, Home, End", "Go from pedal to pedal or value to value (Tab from the notes)"),
    ("Lanes", "Up, Down", "Change the value; with Shift by ten"),
    ("Lanes", "Shift+Left, Shift+Right", "Lift the pedal earlier, later"),
    ("Lanes", "Alt+Left, Alt+Right", "Move the pedal, the value or the change of tempo; with Shift finely"),
    ("Lanes", "Return", "Put one at the playhead, to be moved and changed then"),
    ("Lanes", "Del", "Take it away"),
    ("Alternatives", "Left, Right", "Hear and show the one before, the next"),
    ("Alternatives", "0", "As it was; 1 to 8 the others"),
    ("Alternatives", "Return", "Keep the one that is shown"),
    ("Alternatives", "Esc", "Drop them"),
    ("Tracks", "M", "Mute the track"),
    ("Tracks", "S", "Solo: play it alone"),
    ("Tracks", "P", "Take it in or out of the prompt"),
    ("Tracks", "Return", "Bring its notes to the front, and back"),
    ("Tracks", "F2", "Edit name, instrument, volume and pan"),
    ("Tracks", "Space", "Switch what is under the cursor"),
    ("Takes", "Return", "Hear the take"),
    ("Takes", "*", "Star it"),
    ("Takes", "F2", "Rename it"),
    ("Takes", "Del", "Put it into the bin"),
)


class Actions:
    """The actions of a window, by name."""

    def __init__(self, window: QMainWindow) -> None:
        self._tr = window.tr
        self._by_name: dict[str, QAction] = {}
        tools = QActionGroup(window)
        for command in COMMANDS:
            keys = QKeySequence(command.keys) if command.keys is not None else QKeySequence()
            shown = keys.toString(_NATIVE)
            text = window.tr(command.text)
            action = QAction(f"{text}\t{shown}" if command.kind == _ROLL else text, window)
            action.setObjectName(command.name)
            action.setMenuRole(command.role)
            action.setCheckable(command.kind in (_CHECK, _TOOL))
            if command.kind == _TOOL:
                tools.addAction(action)
            if command.kind != _ROLL:
                free = (QKeySequence(f"Alt+{keys.toString()}"),) if command.kind == _SNAPS else ()
                action.setShortcuts([keys, *free])
                window.addAction(action)
            if command.icon:
                set_icon(action, command.icon)
            words = window.tr(command.tip) if command.tip else plain(text)
            action.setToolTip(f"{words} ({shown})" if shown else words)
            self._by_name[command.name] = action
        self["pointer"].setChecked(True)
        # On Windows, and where no desktop is known, Qt has no key for Quit.
        self["quit"].setShortcuts([QKeySequence("Ctrl+Q"), *QKeySequence.keyBindings(_K.Close)])

    def __getitem__(self, name: str) -> QAction:
        return self._by_name[name]

    def on(self, name: str, deed: Callable[[], object]) -> None:
        """Do this when the action is triggered."""
        self._by_name[name].triggered.connect(lambda _=False: deed())

    def enable(self, is_enabled: bool, *names: str) -> None:
        """Whether these can be chosen."""
        for name in names:
            self._by_name[name].setEnabled(is_enabled)

    def name_steps(self, undo: str, redo: str) -> None:
        """Say what Undo and Redo would do; empty: nothing."""
        metrics = QFontMetrics(QGuiApplication.font())
        for name, words, step in (("undo", "&Undo {0}", undo), ("redo", "&Redo {0}", redo)):
            self[name].setText(self._tr(words).format(shown(step, metrics)).rstrip())
            self[name].setEnabled(bool(step))

    def enable_for(
        self, session: Session, has_selection: bool, samples: Literal["take", "fill", ""], is_empty: bool
    ) -> None:
        """Let be chosen what can be done; `samples` is what the model does, `is_empty`: nothing was opened yet."""
        is_running, is_sampling = bool(samples), samples == "take"  # a take may begin while a span is regenerated
        has_take, has_score = session.current_take is not None, session.score is not None
        edits = ("delete notes", "up", "down", "octave up", "octave down", "earlier", "later", "quantise")
        edits += ("degree up", "degree down", "mirror", "split", "join", "legato", "set length", "stretch", "reverse")
        edits += ("swing", "humanise", "select pitch", "select place", "select track")
        edits += ("louder", "softer", "set velocity", "scale velocity", "compress velocity")
        self.enable(has_selection, *edits)
        self.enable(has_take, "save take")
        self.enable(has_take or has_score, "save score and take")
        self.enable(has_take and not is_sampling, "fork", "another take")
        self.enable(not is_sampling and not is_empty, "continue")
        self.enable(has_take and not is_running, "accept")
        self.enable(not is_running and not is_empty, "tempo")
        self.enable(bool(session.takes), "save all takes")
        self.enable(has_score, "save score")
        has_music = has_score or has_take or is_running
        self.enable((has_score or has_take) and not is_running, "regenerate")
        self.enable(has_music, "export", "play", "return", "back", "on", "loop start", "loop end")
        self.enable(
            not is_empty, "marker here", "start here", "end here", "span start", "span end", "select span", "loop span"
        )

    def shortcuts(self, bar: QMenuBar) -> list[tuple[str, str, str]]:
        """Every key: (menu or part of the window, keys as the system writes them, what they do)."""
        commands = {command.name: command for command in COMMANDS}
        rows: list[tuple[str, str, str]] = []
        for (title, *inside), action in _entries(bar.actions(), ()):
            command = commands.get(action.objectName())
            if command is not None and command.keys is not None:
                shortcuts = [key.toString(_NATIVE) for key in action.shortcuts() or [QKeySequence(command.keys)]]
                words = ": ".join((*inside, plain(self._tr(command.text))))
                rows.append((title, ", ".join(filter(None, shortcuts)), words))
        for part, names, words in PANE_KEYS:
            keys = (QKeySequence(name).toString(_NATIVE) for name in names.split(", "))
            rows.append((self._tr(part), ", ".join(keys), self._tr(words)))
        return rows

    def fill(self, menu: QMenu, *names: str) -> QMenu:
        """Put actions into a menu; "-" is a line."""
        for name in names:
            if name == "-":
                menu.addSeparator()
            else:
                menu.addAction(self._by_name[name])
        return menu


def build_menus(
    window: QMainWindow,
    actions: Actions,
    output_menu: QMenu,
    paste_menu: QMenu,
    bars_menu: QMenu,
    lanes_menu: QMenu,
) -> tuple[QMenu, QMenu]:
    """The menu bar. Returns the menus that are filled later: recent files, examples."""
    bar = window.menuBar()
    tr = window.tr
    file = bar.addMenu(tr("&File"))
    actions.fill(file, "new", "open")
    recent, examples = file.addMenu(tr("Open &Recent")), file.addMenu(tr("Open &Example"))
    actions.fill(file, "-", "save", "save as")
    midi = file.addMenu(tr("Save &MIDI"))
    midi.setToolTipsVisible(True)
    actions.fill(midi, "save score and take", "save take", "save all takes", "save score", "-", "merge takes")
    actions.fill(file, "export", "-", "fine-tune", "-", "quit")
    edit = actions.fill(bar.addMenu(tr("&Edit")), "undo", "redo", "-", "cut", "copy", "paste")
    edit.addMenu(paste_menu)
    actions.fill(edit, "duplicate", "repeat", "insert note", "delete notes", "-", "select all")
    actions.fill(edit.addMenu(tr("S&elect")), "select pitch", "select place", "select track", "select velocities")
    span = actions.fill(edit.addMenu(tr("Span o&f Time")), "span start", "span end", "-", "select span", "loop span")
    actions.fill(span, "-", "lane line", "lane erase")
    transpose = actions.fill(edit.addMenu(tr("Tran&spose")), "up", "down", "octave up", "octave down")
    actions.fill(transpose, "-", "degree up", "degree down", "mirror")
    time = actions.fill(edit.addMenu(tr("Nudge and Lengt&h")), "earlier", "later", "-", "split", "join", "legato")
    actions.fill(time, "set length", "-", "stretch", "reverse", "swing", "humanise")
    actions.fill(edit, "snap", "hear edits")
    velocity = edit.addMenu(tr("&Velocity"))
    actions.fill(velocity, "louder", "softer", "-", "set velocity", "scale velocity", "compress velocity")
    actions.fill(edit, "quantise", "-")
    actions.fill(edit.addMenu(tr("T&ools")), "pointer", "pencil", "eraser", "knife")
    actions.fill(edit, "tempo")
    take = actions.fill(bar.addMenu(tr("&Take")), "continue", "fork", "another take", "-", "regenerate", "-", "accept")
    take.addMenu(bars_menu)
    actions.fill(take, "-", "marker here", "start here", "end here")
    play = actions.fill(bar.addMenu(tr("&Play")), "play", "stop", "return", "back", "on", "-")
    actions.fill(play, "loop", "loop start", "loop end", "metronome", "-", "panic")
    view = actions.fill(
        bar.addMenu(tr("&View")),
        *("fit", "zoom in", "zoom out", "taller", "lower", "-", "follow", "-", "scale", "fold", "chords"),
    )
    scale = actions.fill(view.addMenu(tr("Sca&le")), "scale auto", "-", *(f"scale {mode}" for mode in MODES), "-")
    actions.fill(scale.addMenu(tr("&Tonic")), *(f"tonic {tonic}" for tonic in range(12)))
    actions.fill(view, "-", "next pane", "previous pane", "fold tracks", "fold side", "-")
    view.addMenu(lanes_menu)
    actions.fill(view.addMenu(tr("&Colours")), "theme system", "theme light", "theme dark")
    bar.addMenu(output_menu)
    actions.fill(bar.addMenu(tr("&Help")), "manual", "shortcuts", "-", "log", "report", "-", "about")
    return recent, examples


def _entries(actions: Iterable[QAction], titles: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], QAction]]:
    """What stands in menus and in the menus inside of them: (titles of the menus around it, action)."""
    for action in actions:
        menu = action.menu()
        if isinstance(menu, QMenu):
            yield from _entries(menu.actions(), (*titles, plain(action.text())))
        else:
            yield titles, action


class KeyGuard(QObject):
    """An event filter: where a button or list has the focus, Return is its own, and a button's Space, not the window's.

    In an open drop-down list Space chooses, as Return does. Esc in a field gives up what is typed, and stops nothing.
    """

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Claim such keys before a shortcut takes them."""
        if event.type() != QEvent.Type.ShortcutOverride:
            return False
        key = cast(QKeyEvent, event).key()
        if isinstance(watched, QLineEdit | QAbstractSpinBox) and key == Qt.Key.Key_Escape:
            if isinstance(watched, QSpinBox | QDoubleSpinBox):
                forget_typed(watched)
            event.accept()
            return True
        if not isinstance(watched, QAbstractButton | QComboBox | QAbstractItemView) or key not in _OWN_KEYS:
            return False
        is_open = QApplication.activePopupWidget() is not None
        if key == Qt.Key.Key_Space and isinstance(watched, QAbstractItemView):
            if is_open:
                chosen = QKeyEvent(event.type(), Qt.Key.Key_Return, Qt.KeyboardModifier.NoModifier)
                QApplication.sendEvent(watched, chosen)
            return is_open  # of others, those that need it claim it themselves
        if not is_open:  # there Qt chooses, as early as this
            event.accept()
        return not is_open
