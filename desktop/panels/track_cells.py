"""The cells of the track list: what they say, and how they are painted."""

from enum import IntEnum
from typing import Any

from PySide6.QtCore import (
    QAbstractTableModel,
    QCoreApplication,
    QModelIndex,
    QPersistentModelIndex,
    QRect,
    QRectF,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QFont, QPainter, QPalette
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from core.midi.score import Track, TrackKey
from core.session.session import Session, TrackFlags
from desktop.widgets import icons
from desktop.widgets.fields import SMALL_TEXT, faint, notes_words
from desktop.widgets.theme import TEXT_CONTRAST, Theme, mix, track_colours, with_contrast

_Index = QModelIndex | QPersistentModelIndex
_ROOT = QModelIndex()


class Column(IntEnum):
    """What stands in which column."""

    NAME = 0
    MUTE = 1
    SOLO = 2
    PROMPT = 3


_HEADS = {Column.NAME: "Track", Column.MUTE: "Mute", Column.SOLO: "Solo", Column.PROMPT: "In prompt"}
_TIPS = {
    Column.NAME: "The tracks of the file.",
    Column.MUTE: "Mute: do not play this track.",
    Column.SOLO: "Solo: play only this track, and others that are soloed.",
    Column.PROMPT: "In prompt: the model reads this track before it continues.",
}
_PERCUSSION = "Percussion plays along but is never in the prompt."


class TrackModel(QAbstractTableModel):
    """The session's tracks as a table; what the user switches goes out as `switched` and comes back by `show`."""

    switched = Signal(int, int, bool)  # row, column, on

    def __init__(self) -> None:
        super().__init__()
        self.tracks: tuple[Track, ...] = ()
        self.switches: tuple[TrackFlags, ...] = ()
        self.audible: frozenset[int] = frozenset()
        self.colours: dict[TrackKey, int] = {}
        self.in_front: TrackKey | None = None

    def show(self, session: Session) -> None:
        """Take over a session's tracks and flags."""
        tracks = session.tracks
        is_same = len(tracks) == len(self.tracks)
        if not is_same:
            self.beginResetModel()
        self.tracks, self.switches, self.audible = tracks, session.flags, frozenset(session.audible_tracks)
        self.colours = track_colours([track.key for track in tracks], session.chosen_colours)
        if not is_same:
            self.endResetModel()
        elif tracks:
            self.dataChanged.emit(self.index(0, 0), self.index(len(tracks) - 1, len(Column) - 1))

    def is_on(self, row: int, column: int) -> bool:
        """Whether a switch is on."""
        flags = self.switches[row]
        return {Column.MUTE: flags.mute, Column.SOLO: flags.solo, Column.PROMPT: flags.in_prompt}[Column(column)]

    def can_switch(self, row: int, column: int) -> bool:
        """Whether there is a switch."""
        return column != Column.NAME and not (column == Column.PROMPT and self.tracks[row].is_percussion)

    def toggle(self, row: int, column: int) -> None:
        """Ask for a switch to be switched."""
        if self.can_switch(row, column):
            self.switched.emit(row, column, not self.is_on(row, column))

    # What Qt asks for

    def rowCount(self, parent: _Index = _ROOT) -> int:
        """Tracks."""
        return 0 if parent.isValid() else len(self.tracks)

    def columnCount(self, parent: _Index = _ROOT) -> int:
        """Name and switches."""
        return 0 if parent.isValid() else len(Column)

    def flags(self, index: _Index) -> Qt.ItemFlag:
        """What can be done with a cell."""
        flags = Qt.ItemFlag.ItemIsEnabled  # nothing is selected here: a screen reader would say so of each cell
        return flags | Qt.ItemFlag.ItemIsUserCheckable if self.can_switch(index.row(), index.column()) else flags

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Names of the columns."""
        if orientation == Qt.Orientation.Horizontal:
            if role == Qt.ItemDataRole.DisplayRole:
                return self.tr("Track") if section == Column.NAME else ""
            if role == Qt.ItemDataRole.ToolTipRole:
                return self.tr(_TIPS[Column(section)])
            if role == Qt.ItemDataRole.AccessibleTextRole:
                return _HEADS[Column(section)]
        return None

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """What a cell says."""
        row, column = index.row(), Column(index.column())
        track = self.tracks[row]
        if role == Qt.ItemDataRole.DisplayRole:
            return (track.name or instrument(track)) if column == Column.NAME else None
        if role == Qt.ItemDataRole.CheckStateRole and self.can_switch(row, column):
            return Qt.CheckState.Checked if self.is_on(row, column) else Qt.CheckState.Unchecked
        if role == Qt.ItemDataRole.ToolTipRole:
            return self._tip(row, column)
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return self._read(row) if column == Column.NAME else self._read_switch(row, column)
        return None

    def _read(self, row: int) -> str:
        """A track as a screen reader reads it: what is seen of it in a glance."""
        track, flags = self.tracks[row], self.switches[row]
        marks = {
            self.tr("in front"): track.key == self.in_front,
            self.tr("muted"): flags.mute,
            self.tr("solo"): flags.solo,
            self.tr("not heard now"): row not in self.audible and not flags.mute,
            self.tr("hidden"): flags.hidden,
        }
        known = [track.name or instrument(track), *(mark for mark, is_set in marks.items() if is_set)]
        return ", ".join((*known, details(track).replace(" · ", ", ")))

    def _read_switch(self, row: int, column: Column) -> str:
        """A switch as a screen reader reads it: not all of them tell whether a cell is checked."""
        name = self.tracks[row].name or instrument(self.tracks[row])
        if not self.can_switch(row, column):
            return f"{name}: {self.tr(_PERCUSSION)}"
        on, off = {
            Column.MUTE: (self.tr("{0}, muted"), self.tr("{0}, not muted")),
            Column.SOLO: (self.tr("{0}, solo"), self.tr("{0}, not solo")),
            Column.PROMPT: (self.tr("{0}, in the prompt"), self.tr("{0}, not in the prompt")),
        }[column]
        return (on if self.is_on(row, column) else off).format(name)

    def _tip(self, row: int, column: Column) -> str:
        track = self.tracks[row]
        if column == Column.NAME:
            words = "" if row in self.audible else self.tr("\nNot heard now.")
            words += self.tr("\nHidden in the piano roll.") if self.switches[row].hidden else ""
            words += self.tr("\nClick: its notes come to the front.")
            return self.tr("{0}\n{1}\nMIDI channel {2}{3}").format(
                track.name or instrument(track), details(track), track.channel + 1, words
            )
        return self.tr(_TIPS[column] if self.can_switch(row, column) else _PERCUSSION)


class TrackDelegate(QStyledItemDelegate):
    """Paints a track's cells."""

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        """Paint a cell."""
        model = index.model()
        assert isinstance(model, TrackModel)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if index.row() % 2:
            painter.fillRect(option.rect, option.palette.color(QPalette.ColorRole.AlternateBase))
        if model.tracks[index.row()].key == model.in_front:
            theme = Theme.of(option.palette)
            painter.fillRect(option.rect, mix(theme.background, theme.accent, 0.18))
        if index.column() == Column.NAME:
            self._paint_name(painter, option, model, index.row())
        else:
            self._paint_switch(painter, option, model, index.row(), Column(index.column()))
        has_focus = option.state & QStyle.StateFlag.State_HasFocus
        if has_focus and index.column() == Column.NAME:
            painter.setPen(Theme.of(option.palette).accent)
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(QRectF(option.rect).adjusted(1.5, 1.5, -1.5, -1.5), 3, 3)
        painter.restore()

    def sizeHint(self, option: QStyleOptionViewItem, index: _Index) -> QSize:
        """Rows have their height from the table."""
        return QSize(0, 2 * option.fontMetrics.height() + 12)

    def _paint_name(self, painter: QPainter, option: QStyleOptionViewItem, model: TrackModel, row: int) -> None:
        track, theme, palette = model.tracks[row], Theme.of(option.palette), option.palette
        box = option.rect.adjusted(6, 6, -4, -6)
        heard = row in model.audible
        colour = theme.part("prompt", model.colours[track.key])
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour if heard else mix(theme.background, colour, 0.35))
        painter.drawRoundedRect(QRectF(box.left(), box.top() + 1, 4, box.height() - 2), 2, 2)
        text = box.adjusted(12, 0, 0, 0)
        line = option.fontMetrics.height()
        ground = mix(theme.background, theme.accent, 0.18) if track.key == model.in_front else theme.background
        quiet = with_contrast(faint(palette, QPalette.ColorRole.Base), ground, TEXT_CONTRAST)
        painter.setPen(palette.color(QPalette.ColorRole.Text) if heard else quiet)
        name = track.name or instrument(track)
        _line(painter, QRect(text.left(), text.top(), text.width(), line), name)
        painter.setPen(quiet)
        font = QFont(option.font)
        font.setPointSizeF(font.pointSizeF() * SMALL_TEXT)
        painter.setFont(font)
        words = notes_words(len(track.notes)) if name == instrument(track) else instrument(track)
        words = self.tr("Hidden · {0}").format(words) if model.switches[row].hidden else words
        _line(painter, QRect(text.left(), text.top() + line, text.width(), line), words)

    def _paint_switch(
        self, painter: QPainter, option: QStyleOptionViewItem, model: TrackModel, row: int, column: Column
    ) -> None:
        theme, palette = Theme.of(option.palette), option.palette
        side = option.fontMetrics.height() + 8
        box = QRectF(0, 0, side, side)
        box.moveCenter(QRectF(option.rect).center())
        if not model.can_switch(row, column):
            painter.setPen(faint(palette, QPalette.ColorRole.Base))
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, "–")
            return
        is_on = model.is_on(row, column)
        is_over = bool(option.state & QStyle.StateFlag.State_MouseOver)
        fill = mix(theme.background, theme.text, 0.14 if is_over else 0.07)
        ink = faint(palette, QPalette.ColorRole.Base)
        if is_on:  # mute and solo are the exception and stand out; in the prompt is the rule and stays quiet
            fill = {
                Column.MUTE: faint(palette, QPalette.ColorRole.Base),
                Column.SOLO: theme.accent,
                Column.PROMPT: mix(theme.background, theme.accent, 0.25),
            }[column]
            ink = with_contrast(theme.accent, fill, TEXT_CONTRAST) if column == Column.PROMPT else theme.on(fill)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(fill)
        painter.drawRoundedRect(box, 4, 4)
        if option.state & QStyle.StateFlag.State_HasFocus:
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(theme.text)
            painter.drawRoundedRect(box.adjusted(-2.5, -2.5, 2.5, 2.5), 5, 5)
        if column == Column.PROMPT:
            icons.paint(painter, "in prompt", box.adjusted(4, 4, -4, -4), ink)
            return
        font = QFont(option.font)
        font.setBold(True)
        painter.setFont(font)
        painter.setPen(ink)
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, "M" if column == Column.MUTE else "S")


def instrument(track: Track) -> str:
    """The General MIDI name of a track's instrument."""
    if track.is_percussion:
        return QCoreApplication.translate("TrackCells", "Drums")
    import pretty_midi  # here: it takes 0.1 s, and whoever read the file has loaded it by now

    return pretty_midi.program_to_instrument_name(track.program)


def details(track: Track) -> str:
    """How many notes, and the instrument unless the track is called that."""
    words = notes_words(len(track.notes))
    name = instrument(track)
    return words if name == (track.name or name) else f"{words} · {name}"


def _line(painter: QPainter, box: QRect, text: str) -> None:
    elided = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, box.width())
    painter.drawText(box, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, elided)
