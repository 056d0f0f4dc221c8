"""The keyboard at the left of the roll; where the rows are no keyboard's, of drums or only those in use, a list."""

from collections.abc import Callable

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter

from core.midi.pitch_names import drum_name, pitch_name
from desktop.piano_roll.coordinates import PITCHES, Viewport
from desktop.piano_roll.layers import Overlays, is_black, line_width
from desktop.widgets.theme import TEXT_CONTRAST, Theme, mix, with_contrast

KEYBOARD_WIDTH = 64  # whole device pixels at 125, 150 and 175 % too
_BLACK_WIDTH = 38
_LISTED = 10  # pixels of the font in a list: all short names of drums fit
_READABLE = 8.0  # height in view pixels of rows that have room for a name

Names = Callable[[int], str]


def key_box(pitch: int, viewport: Viewport, is_list: bool = False) -> QRectF:
    """Where a key lies; a white one reaches to the middle of the black rows beside it. In a list each is a row."""
    top, height = viewport.y(pitch), viewport.row_height
    if is_list:
        return QRectF(0, top, KEYBOARD_WIDTH - 1, height)
    if is_black(pitch):
        return QRectF(0, top, _BLACK_WIDTH, height)
    bottom = top + height
    if pitch < PITCHES - 1 and is_black(pitch + 1):
        top -= height / 2
    if pitch > 0 and is_black(pitch - 1):
        bottom += height / 2
    return QRectF(0, top, KEYBOARD_WIDTH - 1, bottom - top)


def key_at(x: float, y: float, viewport: Viewport, is_list: bool = False) -> int:
    """The key at a point of the keyboard; right of the black keys the white ones meet in the middle."""
    pitch = viewport.pitch(y)
    if is_list or x < _BLACK_WIDTH or not is_black(pitch):
        return pitch
    above = key_box(pitch + 1, viewport) if pitch < PITCHES - 1 else QRectF()
    return pitch + 1 if above.contains(1, y) else max(pitch - 1, 0)


def row_names(are_drums: bool, viewport: Viewport) -> Names | None:
    """What the rows of a list are called; None where they are a keyboard."""
    if are_drums:
        return lambda pitch: drum_name(pitch, is_short=True)
    return pitch_name if viewport.rows.is_folded else None


def paint_keyboard(
    painter: QPainter,
    exposed: QRectF,
    viewport: Viewport,
    overlays: Overlays,
    theme: Theme,
    font: QFont,
    names: Names | None = None,
) -> None:
    """Paint the keys on view, as a list if it has `names`; 0, 0 is the keyboard's left top."""
    painter.fillRect(exposed, theme.window)
    if names is not None:
        _paint_list(painter, exposed, viewport, overlays, theme, font, names)
        return
    low, high = viewport.pitches
    low, high = max(low - 1, 0), min(high + 1, PITCHES - 1)
    on_view = [p for p in range(low, high + 1) if key_box(p, viewport).intersects(exposed)]
    for pitch in on_view:
        if not is_black(pitch):
            box = key_box(pitch, viewport)
            painter.fillRect(box, _key_colour(pitch, overlays, theme))
            # On whole device pixels: else lines differ in width at fractional scales.
            line = (round(box.bottom() * viewport.ratio) - line_width(viewport.ratio)) / viewport.ratio
            painter.fillRect(QRectF(0, line, box.width(), line_width(viewport.ratio) / viewport.ratio), theme.key_line)
    for pitch in on_view:
        if is_black(pitch):
            painter.fillRect(key_box(pitch, viewport), _key_colour(pitch, overlays, theme))
    painter.fillRect(QRectF(KEYBOARD_WIDTH - 1, exposed.top(), 1, exposed.height()), theme.key_line)
    _paint_names(painter, range(low, high + 1), viewport, overlays, theme, font)


def _key_colour(pitch: int, overlays: Overlays, theme: Theme) -> QColor:
    base = theme.black_key if is_black(pitch) else theme.white_key
    return _touched(pitch, base, overlays, theme)


def _touched(pitch: int, base: QColor, overlays: Overlays, theme: Theme) -> QColor:
    """The colour of a key that may sound, or lie under the pointer."""
    if pitch in overlays.lit:
        return theme.part("take")
    return mix(base, theme.accent, 0.45) if pitch == overlays.hovered else base


def _paint_list(
    painter: QPainter,
    exposed: QRectF,
    viewport: Viewport,
    overlays: Overlays,
    theme: Theme,
    font: QFont,
    names: Names,
) -> None:
    """A row for each pitch, with its name where there is room for one."""
    low, high = viewport.pitches
    line = line_width(viewport.ratio) / viewport.ratio
    font = _fitting(font, viewport.row_height, most=_LISTED)
    painter.setFont(font)
    metrics = QFontMetricsF(font)
    cap = metrics.capHeight()
    for pitch in (p for p in viewport.rows.pitches if low <= p <= high):
        box = key_box(pitch, viewport, is_list=True)
        if not box.intersects(exposed):
            continue
        colour = _touched(pitch, theme.strip, overlays, theme)
        painter.fillRect(box, colour)
        painter.fillRect(QRectF(0, box.bottom() - line, box.width(), line), theme.row_line)
        if viewport.row_height >= _READABLE:
            painter.setPen(with_contrast(theme.text, colour, TEXT_CONTRAST))
            name = metrics.elidedText(names(pitch), Qt.TextElideMode.ElideRight, box.width() - 5)
            painter.drawText(QPointF(4, round((box.top() + box.bottom() - line + cap) / 2)), name)
    painter.fillRect(QRectF(KEYBOARD_WIDTH - 1, exposed.top(), 1, exposed.height()), theme.key_line)


def _fitting(font: QFont, row_height: float, most: int = 12) -> QFont:
    font = QFont(font)
    font.setPixelSize(round(min(max(row_height * 1.05, 9), most)))
    return font


def _paint_names(
    painter: QPainter, pitches: range, viewport: Viewport, overlays: Overlays, theme: Theme, font: QFont
) -> None:
    """Every C; the key under the pointer by its own name, if its octave's C leaves it room."""
    font = _fitting(font, viewport.row_height)
    painter.setFont(font)
    metrics = QFontMetricsF(font)
    for pitch in pitches:
        is_c = pitch % 12 == 0
        if not is_c and (pitch != overlays.hovered or viewport.row_height < _READABLE):
            continue
        box = key_box(pitch, viewport)
        background = _key_colour(pitch, overlays, theme)
        plain = background == theme.white_key
        painter.setPen(theme.key_text if plain else theme.on(background))
        # Low rows: the name stands on the C's lower edge and reaches up into D, never down into B.
        baseline = min((box.top() + box.bottom() + metrics.capHeight()) / 2, box.bottom() - 2)
        right = (_BLACK_WIDTH if is_black(pitch) else KEYBOARD_WIDTH) - 5
        name = pitch_name(pitch)
        painter.drawText(QPointF(round(right - metrics.horizontalAdvance(name)), round(baseline)), name)
