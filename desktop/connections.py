"""Every connection of the window, in order: commands, panels and roll, document, model and sound, messages."""

from collections.abc import Callable

from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QMenu

from core.logs import log_path
from core.session.edits_song import change_track
from desktop.controllers.edit_commands import connect_edits
from desktop.controllers.feel import Feel
from desktop.controllers.quantising import Quantising
from desktop.controllers.resampling import Resampling
from desktop.controllers.scale import ScaleDisplay
from desktop.controllers.selecting import Selecting
from desktop.controllers.telling import Telling
from desktop.dialogs.pages import PageDialog, manual_page, shortcuts_page
from desktop.dialogs.questions import copy_report
from desktop.dialogs.tempo import TempoDialog
from desktop.dialogs.track import TrackDialog
from desktop.main_window import MainWindow
from desktop.other_programs import show
from desktop.panels.empty_state import examples
from desktop.panels.status_bar import device_words
from desktop.piano_roll.gestures import VELOCITY_STEP
from desktop.piano_roll.surface import TOOLS
from desktop.piano_roll.tools import insert_note
from desktop.widgets.announce import announce


def connected_window() -> MainWindow:
    """A window with everything in it connected, in this order."""
    window = MainWindow()
    connect_actions(window)
    connect_panels(window)
    connect_roll(window)
    feel = Feel(window.panel, window.preferences, window.files, lambda: window.dialogs, window)
    feel.message.connect(window.status.say)
    connect_document(window)
    connect_generation(window)
    connect_messages(window)
    _connect_telling(window)
    again = Resampling(window.document, window.generation, window.transport, window.panel, window)
    again.message.connect(window.status.say)
    window.show_document()
    window.show_transport()
    return window


def connect_generation(window: MainWindow) -> None:
    """Who follows model and sound."""
    generation, transport = window.generation, window.transport
    generation.ready_changed.connect(window.show_ready)
    generation.running_changed.connect(transport.follow_running)  # what is shown rests on it
    generation.running_changed.connect(window.panel.set_running)
    generation.running_changed.connect(window.show_running)
    generation.key_found.connect(window.panel.show_detected_key)
    generation.grid_found.connect(window.panel.show_detected_grid)
    generation.begun.connect(window.display.show_begun)
    generation.grown.connect(window.display.show_grown)
    generation.grown.connect(window.show_growing)
    generation.ended.connect(window.file_controller.go_on_leaving)  # another document may come in this one's place
    generation.ended.connect(window.display.show_ended)
    generation.ended.connect(window.takes.end_growing)
    window.fill.changed.connect(lambda: _show_fill(window))
    window.fill.progressed.connect(window.fill_bar.show_progress)
    window.fill.replacing.connect(window.display.show_replacing)
    window.model_signals.models_found.connect(window.panel.show_models)
    window.model_signals.model_ready.connect(lambda facts: window.panel.show_missing_model(facts.missing))
    transport.changed.connect(window.display.show_transport)
    transport.changed.connect(window.show_transport)
    transport.moved.connect(window.display.show_position)
    transport.moved.connect(window.transport_bar.show_position)
    window.frame.timeout.connect(window.poll)


def connect_messages(window: MainWindow) -> None:
    """What is told to the user, work on files, and what the system tells."""
    document, file_controller = window.document, window.file_controller
    window.commands.refused.connect(window.show_all)
    for speaker in (
        document,
        window.generation,
        window.fill,
        window.sound_signals,
        file_controller,
        window.editing,
        window.clipboard,
        window.lane_display,
        window.commands,
    ):
        speaker.message.connect(window.status.say)
    window.takes.problem.connect(window.status.say)
    for worker in (window.files, window.exports):
        worker.started.connect(window.status.show_started)
        worker.progressed.connect(window.status.show_progress)
        worker.ended.connect(window.status.show_ended)
        worker.failed.connect(lambda sentence: window.dialogs.tell(sentence))
    file_controller.opened.connect(window.show_opened)
    file_controller.saving.connect(lambda: document.amend(document.session.with_view(window.display.view())))
    app = QGuiApplication.instance()
    if isinstance(app, QGuiApplication):
        app.applicationStateChanged.connect(window.follow_application)
        app.installEventFilter(window.key_guard)


def _connect_telling(window: MainWindow) -> None:
    """What screen readers are told of what was done: last of all."""
    telling = Telling(
        window.document,
        window.transport,
        window.generation,
        window.roll,
        lambda words: announce(window, words),
        window,
    )
    telling.follow_actions(window.actions_)
    telling.follow_tracks(window.tracks)
    telling.follow_takes(window.takes)


def connect_document(window: MainWindow) -> None:
    """Who follows the document, in this order: what is shown last may rest on what the others have made of it."""
    document = window.document
    document.replaced.connect(window.transport.reset)  # silence before anything of the new document is shown
    document.replaced.connect(window.display.follow_replaced)
    document.replaced.connect(lambda: window.tracks.show_in_front(None))
    document.replaced.connect(window.lane_display.show_document)
    document.replaced.connect(window.name_file)
    document.changed.connect(window.fill.follow_document)  # alternatives that are shown may end
    document.changed.connect(window.generation.prepare)  # the model has most to do
    document.changed.connect(window.transport.follow_document)
    document.changed.connect(window.display.show_document)
    document.changed.connect(window.lane_display.show_document)
    document.changed.connect(window.show_document)


def connect_actions(window: MainWindow) -> None:
    """What each command of the menus does."""
    on, file_controller, transport, editing = (
        window.actions_.on,
        window.file_controller,
        window.transport,
        window.editing,
    )
    commands = window.commands
    on("new", file_controller.new)
    on("open", file_controller.open)
    on("save", file_controller.save)
    on("save as", file_controller.save_as)
    on("save score and take", lambda: file_controller.save_midi("score and take"))
    on("save take", lambda: file_controller.save_midi("take"))
    on("save all takes", lambda: file_controller.save_midi("all takes"))
    on("save score", lambda: file_controller.save_midi("score"))
    on("export", lambda: file_controller.export_audio(transport.what))
    on("quit", window.close)
    on("undo", lambda: _step(window, editing.undo))
    on("redo", lambda: _step(window, editing.redo))
    clipboard = window.clipboard
    on("cut", clipboard.cut)
    on("copy", clipboard.copy)
    on("paste", clipboard.paste)
    on("duplicate", clipboard.duplicate)
    on("repeat", lambda: _repeat(window))
    window.bars_menu.chosen.connect(editing.use_bars)
    window.paste_menu.chosen.connect(clipboard.paste)
    _connect_note_actions(window)
    on("tempo", lambda: _set_tempo(window))
    for tool in TOOLS:
        on(tool, lambda tool=tool: window.roll.set_tool(tool))
    on("continue", window.proceed)
    on("fork", commands.fork_here)
    on("regenerate", lambda: commands.attempt(lambda _: window.fill.regenerate(), ""))
    on("another take", lambda: commands.attempt(window.generation.another_take, window.document.session.current))
    on("accept", lambda: commands.accept(window.document.session.current))
    on("marker here", commands.put_marker)
    on("start here", commands.put_prompt_start)
    on("end here", lambda: commands.put_end_marker(transport.position))
    _connect_transport_actions(window)
    on("fit", window.roll.fit)
    for name, zoom in (("zoom in", window.roll.zoom_in), ("zoom out", window.roll.zoom_out)):
        on(name, zoom)
    for name, by in (("taller", 1), ("lower", -1)):
        on(name, lambda by=by: window.roll.step_row_height(by))
    for name, by in (("next pane", 1), ("previous pane", -1)):
        on(name, lambda by=by: window.panes.step(by))
    for name, pane in (("fold tracks", window.tracks), ("fold side", window.side)):
        on(name, lambda pane=pane: window.panes.fold(pane))
    on("manual", lambda: _show_page(window, window.tr("Manual"), manual_page))
    on("shortcuts", lambda: _show_page(window, window.tr("Keyboard Shortcuts"), lambda: shortcuts_of(window)))
    on("log", lambda: show(log_path()))
    on("fine-tune", lambda: _fine_tune(window))
    on("report", lambda: _copy_report(window))
    on("about", lambda: _tell_about(window))


def _connect_note_actions(window: MainWindow) -> None:
    """Commands for notes, and how the roll shows them."""
    on, editing, transport = window.actions_.on, window.editing, window.transport
    on("select all", window.roll.select_all)
    on("insert note", lambda: _insert_note(window))
    on("delete notes", window.roll.delete_selected)
    for name, rows in (("up", 1), ("down", -1)):
        on(name, lambda rows=rows: window.roll.step_rows(rows))
    for name, semitones in (("octave up", 12), ("octave down", -12)):
        on(name, lambda semitones=semitones: window.roll.transpose(semitones))
    on("earlier", lambda: window.roll.nudge(-1))
    on("later", lambda: window.roll.nudge(1))
    quantising = Quantising(window.document, window.roll, editing, window.display, transport, window)
    on("quantise", quantising.ask)
    window.roll.quantise_requested.connect(lambda _: quantising.ask())
    on("louder", lambda: window.roll.change_velocity(VELOCITY_STEP))
    on("softer", lambda: window.roll.change_velocity(-VELOCITY_STEP))
    ScaleDisplay(window.roll, window.actions_, window.preferences, window.analyses)
    window.analyses.failed.connect(window.status.say)
    _connect_hearing(window)
    Selecting(window.roll, window.actions_, lambda: window.dialogs)
    connect_edits(window.actions_, editing, lambda: window.dialogs, lambda: transport.position)


def _connect_hearing(window: MainWindow) -> None:
    """Whether notes sound while they are edited."""
    action = window.actions_["hear edits"]

    def show() -> None:
        window.audition.hears_edits = window.preferences.now.hears_edits
        action.setChecked(window.preferences.now.hears_edits)

    action.triggered.connect(lambda is_on: window.preferences.change(hears_edits=is_on))
    window.preferences.changed.connect(show)
    show()


def _connect_transport_actions(window: MainWindow) -> None:
    on, commands, transport = window.actions_.on, window.commands, window.transport
    on("back", lambda: commands.step(-1))
    on("on", lambda: commands.step(1))
    on("loop start", lambda: commands.put_loop_edge(False))
    on("loop end", lambda: commands.put_loop_edge(True))
    on("span start", lambda: commands.put_span_edge(False))
    on("span end", lambda: commands.put_span_edge(True))
    on("select span", window.roll.select_span)
    on("loop span", commands.loop_span)
    on("lane line", window.lane_display.draw_line)
    on("lane erase", window.lane_display.erase)
    on("play", transport.toggle)
    on("stop", window.stop)
    on("return", window.return_to_start)
    on("panic", transport.panic)
    window.actions_["loop"].triggered.connect(transport.set_looping)
    window.actions_["metronome"].triggered.connect(transport.set_metronome)
    window.actions_["follow"].triggered.connect(window.roll.set_follow)


def connect_panels(window: MainWindow) -> None:
    """What is done in the panels."""
    panel, takes, tracks = window.panel, window.takes, window.tracks
    commands, do = window.commands, window.commands.change
    panel.settings_changed.connect(window.change_settings)
    panel.show_unfolded(window.preferences.now.unfolded)
    panel.unfolded_changed.connect(lambda names: window.preferences.change(unfolded=names))
    panel.continue_clicked.connect(window.proceed)
    panel.stop_clicked.connect(window.stop)
    window.transport_bar.what_chosen.connect(window.transport.set_what)
    window.transport_bar.tempo_clicked.connect(lambda: _set_tempo(window))
    window.empty.open_clicked.connect(window.file_controller.open)
    window.empty.new_clicked.connect(window.file_controller.new)
    window.empty.example_chosen.connect(window.file_controller.open_path)
    window.empty.example_clicked.connect(lambda: window.file_controller.open_path(examples()[0][0], window.proceed))
    takes.selected.connect(commands.select_take)
    takes.play_requested.connect(lambda take: commands.attempt(window.transport.play_take, take))
    takes.renamed.connect(lambda t, name: do(window.tr("Rename take"), lambda s: s.rename_take(t, name)))
    takes.starred.connect(lambda t, star: do(window.tr("Star take"), lambda s: s.star_take(t, star)))
    takes.duplicated.connect(lambda t: do(window.tr("Duplicate take"), lambda s: s.duplicate_take(t)))
    takes.deleted.connect(lambda ids: do(_deleting(window, ids), lambda s: s.delete_takes(ids)))
    takes.restored.connect(lambda t: do(window.tr("Bring back take"), lambda s: s.restore_take(t)))
    takes.bin_emptied.connect(lambda: _empty_bin(window))
    takes.fork_requested.connect(commands.fork_take)
    takes.another_requested.connect(lambda take: commands.attempt(window.generation.another_take, take))
    window.fill_bar.chosen.connect(window.fill.choose)
    window.fill_bar.more_wanted.connect(window.fill.sample_more)
    window.fill_bar.turns_set.connect(window.fill.set_turns)
    window.fill_bar.kept.connect(lambda: window.fill.keep())
    window.fill_bar.dropped.connect(window.fill.drop)
    window.fill_bar.covers.connect(window.roll.set_covered)
    takes.accept_requested.connect(commands.accept)
    tracks.mute_changed.connect(lambda i, on: do(window.tr("Mute"), lambda s: s.with_flags(i, mute=on)))
    tracks.solo_changed.connect(lambda i, on: do(window.tr("Solo"), lambda s: s.with_flags(i, solo=on)))
    tracks.in_prompt_changed.connect(
        lambda i, on: do(window.tr("Tracks in the prompt"), lambda s: s.with_flags(i, in_prompt=on))
    )
    tracks.brought_forward.connect(window.display.bring_forward)
    tracks.brought_forward.connect(window.lane_display.bring_forward)
    tracks.prompt_narrowed.connect(lambda i: do(window.tr("Tracks in the prompt"), lambda s: s.with_prompt_of(i)))
    hide, show = window.tr("Hide track"), window.tr("Show track")
    tracks.hidden_changed.connect(lambda i, on: do(hide if on else show, lambda s: s.with_flags(i, hidden=on)))
    tracks.all_shown.connect(lambda: do(window.tr("Show all tracks"), lambda s: s.with_all_shown()))
    tracks.colour_chosen.connect(lambda i, c: do(window.tr("Colour of track"), lambda s: s.with_flags(i, colour=c)))
    tracks.edit_requested.connect(lambda i: _edit_track(window, i))


def connect_roll(window: MainWindow) -> None:
    """What is done in the roll."""
    roll, commands, audition, do = window.roll, window.commands, window.audition, window.commands.change
    roll.seek_requested.connect(window.transport.go_to)
    window.tracks.table.clicked.connect(lambda: roll.setFocus())  # Space is to play, and Ctrl+A to select notes
    roll.end_marker_moved.connect(lambda t: do(window.tr("Move end of takes"), lambda s: s.with_end_marker(t)))
    roll.marker_moved.connect(lambda t: do(window.tr("Move marker"), lambda s: s.with_marker(t)))
    roll.marker_stepped.connect(lambda t: do(window.tr("Move marker"), lambda s: s.with_marker(t), "marker"))
    roll.prompt_start_moved.connect(lambda t: do(window.tr("Move prompt start"), lambda s: s.with_prompt_start(t)))
    roll.loop_changed.connect(window.transport.set_loop)
    roll.key_pressed.connect(audition.press_key)
    roll.pitch_pressed.connect(audition.press_pitch)
    roll.tapped.connect(audition.tap)
    roll.key_released.connect(audition.release)
    roll.note_pressed.connect(audition.press_note)
    roll.note_released.connect(audition.release)
    roll.note_activated.connect(commands.play_from)
    roll.metre_requested.connect(lambda tick: _set_tempo(window, tick))
    roll.selection_changed.connect(window.enable)
    roll.context_menu_requested.connect(lambda *where: _show_roll_menu(window, *where))
    roll.follow_changed.connect(window.actions_["follow"].setChecked)


def _edit_track(window: MainWindow, index: int) -> None:
    score = window.document.session.score
    if score is None or window.generation.is_running:
        return
    dialog = TrackDialog(score, score.tracks[index], window)
    if dialog.exec() and (changes := dialog.changes()):
        name = window.tr("Edit track {0}").format(score.tracks[index].name)
        window.commands.change_song(name, lambda session: change_track(session, index, **changes))


def _set_tempo(window: MainWindow, tick: int | None = None) -> None:
    """Ask for tempo and metre, from the beginning or the playhead on; or from a tick on."""
    if not window.actions_["tempo"].isEnabled():
        return
    tempo_map = window.document.session.tempo_map
    at = tempo_map.tick(window.transport.position) if tick is None else tick
    dialog = TempoDialog(tempo_map, at, window, is_there=tick is not None)
    if not dialog.exec():
        return
    if dialog.is_removed:
        window.commands.remove_tempo(dialog.tick)
    else:
        window.commands.set_tempo(dialog.tick, dialog.bpm, dialog.metre)


def _show_fill(window: MainWindow) -> None:
    """Show what becomes of a span that is regenerated."""
    fill, bar = window.fill, window.fill_bar
    bar.show_tracks(fill.tracks)
    if fill.run is not None:
        bar.show_sampling()
    elif fill.is_choosing:
        bar.show_alternatives(len(fill.alternatives), fill.shown, fill.turns, fill.more is not None)
    elif bar.end():
        window.roll.setFocus()
    window.show_transport()


def _show_roll_menu(window: MainWindow, position: QPoint, refs: object, seconds: float) -> None:
    """What can be done at a place in the roll."""
    menu = QMenu(window)
    menu.addAction(window.tr("Play from here"), lambda: window.transport.play(seconds))
    menu.addAction(window.tr("Put the marker here"), lambda: window.commands.put_marker_at(seconds))
    if seconds > window.document.session.marker:
        menu.addAction(window.tr("End the take here"), lambda: window.commands.put_end_marker(seconds))
    if window.document.session.end_marker:
        menu.addAction(window.tr("Remove the end of the take"), lambda: window.commands.put_end_marker(0.0))
    here = menu.addAction(window.tr("Continue from here"), lambda: window.commands.fork_at(seconds))
    here.setToolTip(window.tr("A new take that begins like this one, up to here"))
    here.setEnabled(window.commands.can_fork_at(seconds))
    window.actions_.fill(
        menu, "-", "cut", "copy", "paste", "duplicate", "-", "delete notes", "octave up", "octave down", "quantise"
    )
    menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    menu.popup(position)


def _step(window: MainWindow, step: Callable[[], object]) -> None:
    """Undo or redo; in mid-drag that gives up the drag alone."""
    if window.roll.has_gesture:
        window.roll.escape()
    else:
        window.commands.after_rereading(step)


def _insert_note(window: MainWindow) -> None:
    if not insert_note(window.roll, window.transport.position):
        window.status.say(window.tr("There is no track to write into: open a file, or continue first."))


def _repeat(window: MainWindow) -> None:
    """Ask how often to repeat the notes, and do."""
    ask = window.dialogs.number
    if window.clipboard.can_copy() and (times := ask(window.tr("Repeat"), window.tr("How many times?"), 3, 1, 999)):
        window.clipboard.repeat(times)


def _deleting(window: MainWindow, ids: list[str]) -> str:
    return window.tr("Delete take") if len(ids) == 1 else window.tr("Delete {0} takes").format(len(ids))


def _empty_bin(window: MainWindow) -> None:
    if window.dialogs.empty_bin(len(window.document.session.bin)):
        window.document.empty_bin()


def _show_page(window: MainWindow, title: str, page: Callable[[], str]) -> None:
    dialog = PageDialog(title, page, window)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.show()


def shortcuts_of(window: MainWindow) -> str:
    """The page of all the window's keys."""
    return shortcuts_page(window.actions_.shortcuts(window.menuBar()))


def _tell_about(window: MainWindow) -> None:
    from desktop.dialogs.about import AboutDialog  # here, because the window comes first

    model = window.generation.model
    words = window.tr("{0} on the {1}").format(model.name, device_words(model.device)) if model else ""
    AboutDialog(log_path(), window, words).exec()


def _fine_tune(window: MainWindow) -> None:
    from desktop.dialogs.finetune import FineTuneDialog  # here, because the window comes first

    dialog = window.fine_tuning
    if dialog is None:
        dialog = window.fine_tuning = FineTuneDialog(window)
        dialog.made.connect(
            lambda: window.files.run(window.tr("Looking for models"), lambda task: window.worker.list_models())
        )
    models = window.panel.model
    dialog.show_models([(models.itemData(i), models.itemText(i)) for i in range(models.count())])
    dialog.show()
    dialog.raise_()


def _copy_report(window: MainWindow) -> None:
    copy_report()
    window.status.say(window.tr("The report is copied: paste it into your message."))
