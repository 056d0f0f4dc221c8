"""The cards of the takes panel: what they hold, how they are painted, where on them something can be pressed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from itertools import takewhile
from pathlib import Path
from typing import Any

import numpy as np
from PySide6.QtCore import (
    QAbstractListModel,
    QCoreApplication,
    QMimeData,
    QModelIndex,
    QPersistentModelIndex,
    QPoint,
    QRect,
    QRectF,
    QSize,
    Qt,
    QUrl,
    Signal,
)
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter, QPalette, QPixmap
from PySide6.QtWidgets import QLineEdit, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from core.errors import ContinuoError
from core.midi.score import TakeNote
from core.session.knobs import knobs_words
from core.session.session import TakeRecord
from desktop.panels.take_words import length_words
from desktop.piano_roll.layers import fill
from desktop.widgets import icons
from desktop.widgets.fields import faint, notes_words
from desktop.widgets.theme import TEXT_CONTRAST, VELOCITY_STEPS, Theme, mix, with_contrast

_Index = QModelIndex | QPersistentModelIndex
_ROOT = QModelIndex()
_GAP, _PAD = 6, 8  # pixels between cards, and inside them
_LOWEST_ROLL = 12  # semitones that a tiny roll shows at least


@dataclass(frozen=True, slots=True)
class Card:
    """A take, and whether it is still in the making.

    `place` says where it begins and how long it is, `apart` what sets it apart, `parent` of which take it goes on.
    """

    take: TakeRecord
    growing: bool = False
    place: str = ""
    apart: tuple[str, ...] = ()
    parent: str = ""


class Spot(Enum):
    """What lies under the pointer."""

    STAR = auto()
    HEAR = auto()
    MORE = auto()
    CARD = auto()


class TakeModel(QAbstractListModel):
    """The cards, in the order of the session, those in the making last."""

    renamed = Signal(str, str)
    problem = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.cards: tuple[Card, ...] = ()
        self.current = ""  # the id of the take that is shown in the roll
        self.export_for_drag: Callable[[str], Path] | None = None

    def show(self, cards: tuple[Card, ...]) -> None:
        """Take over other cards; those before the first that is another stay, a name that is being typed too."""
        pairs = zip(self.cards, cards, strict=False)
        kept = sum(1 for _ in takewhile(lambda pair: pair[0].take.id == pair[1].take.id, pairs))
        if len(self.cards) > kept:
            self.beginRemoveRows(_ROOT, kept, len(self.cards) - 1)
            self.cards = self.cards[:kept]
            self.endRemoveRows()
        if len(cards) > kept:
            self.beginInsertRows(_ROOT, kept, len(cards) - 1)
            self.cards = cards
            self.endInsertRows()
        self.cards = cards
        if kept:
            self.dataChanged.emit(self.index(0), self.index(kept - 1))

    def row_of(self, take_id: str | None) -> int:
        """The row of a take, -1 if it is not there."""
        return next((row for row, card in enumerate(self.cards) if card.take.id == take_id), -1)

    # What Qt asks for

    def rowCount(self, parent: _Index = _ROOT) -> int:
        """Cards."""
        return 0 if parent.isValid() else len(self.cards)

    def flags(self, index: _Index) -> Qt.ItemFlag:
        """A card in the making is only looked at."""
        flags = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
        if index.isValid() and not self.cards[index.row()].growing:
            flags |= Qt.ItemFlag.ItemIsDragEnabled | Qt.ItemFlag.ItemIsEditable
        return flags

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """What a card says."""
        card = self.cards[index.row()]
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.EditRole):
            return card.take.name
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return self.tr("{0}, starred").format(card.take.name) if card.take.starred else card.take.name
        if role == Qt.ItemDataRole.AccessibleDescriptionRole:
            return self._all_about(card)
        if role == Qt.ItemDataRole.ToolTipRole:
            hint = "" if card.growing else self.tr("\n\nDrag it into your DAW or a folder: it arrives as a MIDI file.")
            return f"{card.take.name}\n{self._all_about(card)}{hint}"
        return None

    def setData(self, index: _Index, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        """A name that was typed; it is shown when it comes back by `show`."""
        name = str(value).strip()
        take = self.cards[index.row()].take
        if role != Qt.ItemDataRole.EditRole or not name or name == take.name:
            return False
        self.renamed.emit(take.id, name)
        return True

    def mimeTypes(self) -> list[str]:
        """Files."""
        return ["text/uri-list"]

    def mimeData(self, indexes: Sequence[QModelIndex]) -> QMimeData:
        """A .mid of each take, which is written now; without any if that fails."""
        data = QMimeData()
        urls: list[QUrl] = []
        for index in indexes:
            if self.export_for_drag is not None:
                try:
                    urls.append(QUrl.fromLocalFile(str(self.export_for_drag(self.cards[index.row()].take.id))))
                except ContinuoError as error:
                    self.problem.emit(str(error))
        if urls:
            data.setUrls(urls)
        return data

    def _all_about(self, card: Card) -> str:
        take = card.take
        if card.growing:
            return self.tr("In the making: {0}, {1}").format(length_words(take.seconds), notes_words(len(take.notes)))
        words = [
            *([card.place] if card.place else []),
            f"{length_words(take.seconds)}, {notes_words(len(take.notes))}",
            *([self.tr("By {0}").format(take.model)] if take.model else []),
            self.tr("Seed {0}, temperature {1:g}, top-p {2:g}").format(take.seed, take.temperature, take.top_p),
            *([self.tr("Feel: {0}").format(feel)] if (feel := knobs_words((take.knobs, *take.then))) else []),
        ]
        if take.parent:
            words.append(
                self.tr("Continues {0} from {1}").format(
                    card.parent or self.tr("a take that was deleted"), length_words(take.forked_at)
                )
            )
        return "\n".join(words)


class CardDelegate(QStyledItemDelegate):
    """Paints cards: star, name and buttons; a tiny roll; where it begins, its length, what sets it apart."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.hovered: tuple[int, Spot] | None = None  # row and what of it the pointer is over
        self._rolls: dict[str, tuple[tuple[object, ...], QPixmap]] = {}  # by take id: what it was made of, and it

    def forget_all_but(self, ids: set[str]) -> None:
        """Let go of the rolls of takes that are gone."""
        self._rolls = {take_id: roll for take_id, roll in self._rolls.items() if take_id in ids}

    def sizeHint(self, option: QStyleOptionViewItem, index: _Index) -> QSize:
        """Three lines of text, one of them for the roll and twice as high."""
        line = option.fontMetrics.height()
        return QSize(8 * line, _GAP + 2 * _PAD + self._row_height(option) + 4 + round(2.3 * line) + 4 + line)

    def spot(self, option: QStyleOptionViewItem, index: _Index, at: QPoint) -> Spot:
        """What lies at a place of a card."""
        boxes = self._boxes(option, self._card(index))
        return next((spot for spot, box in boxes.items() if box.contains(at)), Spot.CARD)

    def createEditor(self, parent: QWidget, option: QStyleOptionViewItem, index: _Index) -> QWidget:
        """A line for the name."""
        editor = QLineEdit(parent)
        editor.setMaxLength(200)
        editor.setAccessibleName(self.tr("Name of the take"))
        return editor

    def setEditorData(self, editor: QWidget, index: _Index) -> None:
        """Show the name there is; one that is being typed stays, whatever else of the cards changes."""
        if not (isinstance(editor, QLineEdit) and editor.isModified()):
            super().setEditorData(editor, index)

    def updateEditorGeometry(self, editor: QWidget, option: QStyleOptionViewItem, index: _Index) -> None:
        """Where the name stands."""
        box = self._name_box(option, self._card(index)).adjusted(-4, 0, 0, 0)
        height = max(editor.sizeHint().height(), box.height())
        editor.setGeometry(box.left(), box.center().y() - height // 2, box.width(), height)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        """Paint a card."""
        card, take = self._card(index), self._card(index).take
        theme, palette = Theme.of(option.palette), option.palette
        is_selected = bool(option.state & QStyle.StateFlag.State_Selected)
        is_current = is_selected and self._model_of(index).current in (take.id, "")
        is_over = self.hovered is not None and self.hovered[0] == index.row()
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        back = mix(theme.background, theme.accent, 0.16) if is_selected else mix(theme.background, theme.text, 0.045)
        edge = theme.accent if is_current else mix(theme.background, theme.text, 0.3 if is_over else 0.14)
        painter.setBrush(back)
        painter.setPen(edge)
        box = self._box(option)
        painter.drawRoundedRect(QRectF(box).adjusted(0.5, 0.5, -0.5, -0.5), 5, 5)
        if is_current and option.state & QStyle.StateFlag.State_HasFocus:
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(theme.text)
            painter.drawRoundedRect(QRectF(box).adjusted(1.5, 1.5, -1.5, -1.5), 4, 4)
        text = palette.color(QPalette.ColorRole.Text)
        quiet = with_contrast(faint(palette, QPalette.ColorRole.Base), back, TEXT_CONTRAST)
        self._paint_buttons(painter, option, card, index.row(), text, quiet)
        font = QFont(option.font)
        font.setBold(True)
        painter.setFont(font)
        painter.setPen(text)
        name = self._name_box(option, card)
        painter.drawText(
            name,
            Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter,
            QFontMetrics(font).elidedText(take.name, Qt.TextElideMode.ElideRight, name.width()),
        )
        roll = self._roll_box(option)
        self._paint_roll(painter, roll, card, theme, option)
        painter.setFont(option.font)
        painter.setPen(quiet)
        below = QRect(roll.left(), roll.bottom() + 5, roll.width(), option.fontMetrics.height())
        painter.drawText(below, Qt.AlignmentFlag.AlignLeft, facts(card, option.fontMetrics, below.width()))
        painter.restore()

    # Parts of a card

    def _card(self, index: _Index) -> Card:
        return self._model_of(index).cards[index.row()]

    def _model_of(self, index: _Index) -> TakeModel:
        model = index.model()
        assert isinstance(model, TakeModel)
        return model

    def _row_height(self, option: QStyleOptionViewItem) -> int:
        return option.fontMetrics.height() + 6

    def _box(self, option: QStyleOptionViewItem) -> QRect:
        return option.rect.adjusted(_GAP, _GAP, -_GAP, 0)

    def _boxes(self, option: QStyleOptionViewItem, card: Card) -> dict[Spot, QRect]:
        """Where the buttons are; none on a card in the making."""
        if card.growing:
            return {}
        box, side = self._box(option), self._row_height(option)
        top, right = box.top() + _PAD - 2, box.right() - _PAD + 4
        return {
            Spot.STAR: QRect(box.left() + _PAD - 4, top, side, side),
            Spot.HEAR: QRect(right - 2 * side, top, side, side),
            Spot.MORE: QRect(right - side, top, side, side),
        }

    def _name_box(self, option: QStyleOptionViewItem, card: Card) -> QRect:
        box, side = self._box(option), self._row_height(option)
        left = box.left() + _PAD + (0 if card.growing else side)
        right = box.right() - _PAD - (0 if card.growing else 2 * side)
        return QRect(left, box.top() + _PAD - 2, max(right - left, 0), side)

    def _roll_box(self, option: QStyleOptionViewItem) -> QRect:
        box, line = self._box(option), option.fontMetrics.height()
        top = box.top() + _PAD + self._row_height(option) + 2
        return QRect(box.left() + _PAD, top, box.width() - 2 * _PAD, round(2.3 * line))

    def _paint_buttons(
        self, painter: QPainter, option: QStyleOptionViewItem, card: Card, row: int, text: QColor, quiet: QColor
    ) -> None:
        is_starred = card.take.starred
        shapes = {Spot.STAR: "star" if is_starred else "star outline", Spot.HEAR: "play", Spot.MORE: "more"}
        for spot, box in self._boxes(option, card).items():
            is_over = self.hovered == (row, spot)
            if is_over:
                hover = QColor(text)
                hover.setAlphaF(0.12)
                painter.setPen(Qt.PenStyle.NoPen)
                painter.setBrush(hover)
                painter.drawRoundedRect(box, 4, 4)
            colour = text if is_over or (spot is Spot.STAR and is_starred) else quiet
            icons.paint(painter, shapes[spot], QRectF(box).adjusted(3, 3, -3, -3), colour)

    def _paint_roll(
        self, painter: QPainter, box: QRect, card: Card, theme: Theme, option: QStyleOptionViewItem
    ) -> None:
        ratio = painter.device().devicePixelRatioF()
        made_of = (card.take.notes, card.take.seconds, box.size().toTuple(), ratio, theme.background.rgba())
        known = self._rolls.get(card.take.id)
        if known is None or known[0][0] is not made_of[0] or known[0][1:] != made_of[1:]:
            known = (made_of, tiny_roll(card.take.notes, card.take.seconds, box.size(), ratio, theme))
            self._rolls[card.take.id] = known
        painter.drawPixmap(box.topLeft(), known[1])


def tiny_roll(notes: Sequence[TakeNote], seconds: float, size: QSize, ratio: float, theme: Theme) -> QPixmap:
    """A picture of a take: its notes over its whole length."""
    width, height = max(round(size.width() * ratio), 1), max(round(size.height() * ratio), 1)
    pixmap = QPixmap(width, height)
    pixmap.setDevicePixelRatio(ratio)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(mix(theme.background, theme.text, 0.02))
    painter.drawRoundedRect(QRectF(0, 0, size.width(), size.height()), 3, 3)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    if notes:
        painter.scale(1 / ratio, 1 / ratio)
        boxes, strength = _note_boxes(notes, seconds, width, height, ratio)
        for step, colour in enumerate(theme.velocities("take")):
            fill(painter, boxes[strength == step], colour)
    painter.end()
    return pixmap


def _note_boxes(
    notes: Sequence[TakeNote], seconds: float, width: int, height: int, ratio: float
) -> tuple[np.ndarray, np.ndarray]:
    """(n, 4) first x, first y, last x, last y in device pixels; (n,) step of velocity."""
    columns = np.array([(n.start, n.end, n.pitch, n.velocity) for n in notes])
    start, end, pitch, velocity = columns.T
    low, high = pitch.min(), pitch.max()
    missing = max(0.0, _LOWEST_ROLL - (high - low)) / 2
    low, high = low - missing - 1, high + missing + 1
    scale = width / max(seconds, end.max(), 0.1)
    thick = round(min(max(height / (high - low + 1), 1.6 * ratio), 3 * ratio))
    left = np.floor(start * scale)
    right = np.maximum(np.floor(end * scale) - 1, left + max(1, round(ratio)) - 1)
    top = np.rint((high - pitch) / (high - low) * (height - thick))
    boxes = np.column_stack((left, top, right, top + thick - 1)).astype(np.int32)
    strength = np.clip((velocity - 1) * VELOCITY_STEPS // 127, 0, VELOCITY_STEPS - 1)
    return boxes, strength


def facts(card: Card, metrics: QFontMetrics, width: int) -> str:
    """Where it begins, how long it is, which model made it, what sets it apart: as much as there is room for."""
    take = card.take
    if card.growing:
        length = length_words(take.seconds)
        forms = [QCoreApplication.translate("TakeCards", "{0} so far").format(length), length]
    else:
        place = card.place or length_words(take.seconds)
        apart = list(card.apart)
        model = [take.model] if take.model and take.model not in apart else []
        forms = [" · ".join([place, *model, *apart])]
        forms += [" · ".join([place, *apart[:count]]) for count in range(len(apart), -1, -1)]
    fitting = [form for form in forms if metrics.horizontalAdvance(form) <= width]
    return fitting[0] if fitting else metrics.elidedText(forms[-1], Qt.TextElideMode.ElideRight, width)


def growing_card(take_id: str, notes: Sequence[TakeNote], seconds: float) -> Card:
    """The card of a take in the making."""
    name = QCoreApplication.translate("TakeCards", "New take")
    return Card(TakeRecord(id=take_id, name=name, notes=tuple(notes), seconds=seconds), growing=True)
