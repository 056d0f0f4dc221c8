"""Icons, drawn as paths in the colours of the palette.

`set_icon` gives one to a button or action; `refresh` draws those of a window anew after its palette changed.
Each is drawn on a square of 16 units.
"""

import math
from collections.abc import Callable
from functools import cache

from PySide6.QtCore import QObject, QPointF, QRectF, Qt
from PySide6.QtGui import QAction, QColor, QIcon, QPainter, QPainterPath, QPainterPathStroker, QPalette, QPixmap
from PySide6.QtWidgets import QAbstractButton, QApplication, QWidget

SIZE = 16  # units of the square they are drawn on
_PIXELS = (16, 20, 24, 32, 40, 48, 64)  # 16, 20, 24 and 32 at scales from 1 to 2
_PROPERTY = "continuoIcon"
_STROKE = 1.5

Shape = Callable[[], QPainterPath]
_SHAPES: dict[str, Shape] = {}


def set_icon(target: QAbstractButton | QAction, name: str) -> None:
    """Give a button or action the icon `name`, in the colours of its palette."""
    target.setProperty(_PROPERTY, name)
    target.setIcon(icon(name, _palette_of(target)))


def refresh(root: QWidget) -> None:
    """Draw the icons of `root` and all in it anew: call it when the palette has changed."""
    palette = root.palette()  # its children are given theirs only after it has been told
    for target in (root, *root.findChildren(QObject)):
        if isinstance(target, QAbstractButton | QAction) and (name := target.property(_PROPERTY)):
            target.setIcon(icon(name, palette))


def icon(name: str, palette: QPalette) -> QIcon:
    """The icon `name` in the button text colours of a palette. Raises KeyError for a name that is none."""
    group, role = QPalette.ColorGroup, QPalette.ColorRole.ButtonText
    return _icon(name, palette.color(group.Active, role).rgba(), palette.color(group.Disabled, role).rgba())


def paint(painter: QPainter, name: str, box: QRectF, colour: QColor) -> None:
    """Paint an icon into a square box."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.translate(box.topLeft())
    painter.scale(box.width() / SIZE, box.height() / SIZE)
    painter.fillPath(path(name), colour)
    painter.restore()


@cache
def path(name: str) -> QPainterPath:
    """The outline of an icon, to be filled."""
    return _SHAPES[name]()


def names() -> list[str]:
    """All that there are."""
    return sorted(_SHAPES)


def _palette_of(target: QAbstractButton | QAction) -> QPalette:
    return target.palette() if isinstance(target, QAbstractButton) else QApplication.palette()


@cache
def _icon(name: str, colour: int, disabled: int) -> QIcon:
    result = QIcon()
    for mode, rgba in ((QIcon.Mode.Normal, colour), (QIcon.Mode.Disabled, disabled)):
        for pixels in _PIXELS:
            pixmap = QPixmap(pixels, pixels)
            pixmap.fill(Qt.GlobalColor.transparent)
            painter = QPainter(pixmap)
            paint(painter, name, QRectF(0, 0, pixels, pixels), QColor.fromRgba(rgba))
            painter.end()
            result.addPixmap(pixmap, mode)
    return result


# How they are drawn


def _shape(name: str) -> Callable[[Shape], Shape]:
    def register(draw: Shape) -> Shape:
        _SHAPES[name] = draw
        return draw

    return register


def _polygon(*points: tuple[float, float]) -> QPainterPath:
    """A filled shape with corners a little rounded."""
    line = QPainterPath(QPointF(*points[0]))
    for point in points[1:]:
        line.lineTo(*point)
    line.closeSubpath()
    return _all(line, _stroked(line, 0.8))


def _line(*points: tuple[float, float], width: float = _STROKE) -> QPainterPath:
    line = QPainterPath(QPointF(*points[0]))
    for point in points[1:]:
        line.lineTo(*point)
    return _stroked(line, width)


def _stroked(line: QPainterPath, width: float = _STROKE) -> QPainterPath:
    stroker = QPainterPathStroker()
    stroker.setWidth(width)
    stroker.setCapStyle(Qt.PenCapStyle.RoundCap)
    stroker.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
    stroker.setCurveThreshold(0.01)  # units: fine enough for the largest
    return _all(stroker.createStroke(line))


def _round_box(x: float, y: float, width: float, height: float, radius: float = 0.8) -> QPainterPath:
    box = QPainterPath()
    box.addRoundedRect(QRectF(x, y, width, height), radius, radius)
    return box


def _disc(x: float, y: float, radius: float) -> QPainterPath:
    disc = QPainterPath()
    disc.addEllipse(QPointF(x, y), radius, radius)
    return disc


def _all(*paths: QPainterPath) -> QPainterPath:
    # Not QPainterPath.united or simplified: they make coarse polygons of curves as small as these.
    result = QPainterPath()
    result.setFillRule(Qt.FillRule.WindingFill)
    for one in paths:
        result.addPath(one)
    return result


@_shape("play")
def _play() -> QPainterPath:
    return _polygon((4.5, 2.8), (13, 8), (4.5, 13.2))


@_shape("pause")
def _pause() -> QPainterPath:
    return _all(_round_box(3.6, 2.5, 3.2, 11), _round_box(9.2, 2.5, 3.2, 11))


@_shape("stop")
def _stop() -> QPainterPath:
    return _round_box(3, 3, 10, 10, 1)


@_shape("return")
def _return() -> QPainterPath:
    return _all(_round_box(2.6, 2.8, 1.8, 10.4, 0.6), _polygon((13, 3.2), (13, 12.8), (6, 8)))


@_shape("loop")
def _loop() -> QPainterPath:
    top = QPainterPath(QPointF(2.5, 8.5))
    top.cubicTo(2.5, 4.5, 4, 4.5, 6, 4.5)
    top.lineTo(12, 4.5)
    bottom = QPainterPath(QPointF(13.5, 7.5))
    bottom.cubicTo(13.5, 11.5, 12, 11.5, 10, 11.5)
    bottom.lineTo(4, 11.5)
    return _all(
        _stroked(top),
        _stroked(bottom),
        _line((10, 2.2), (12.4, 4.5), (10, 6.8)),
        _line((6, 9.2), (3.6, 11.5), (6, 13.8)),
    )


@_shape("metronome")
def _metronome() -> QPainterPath:
    body = QPainterPath(QPointF(6, 2.2))
    for point in ((10, 2.2), (13, 13.6), (3, 13.6)):
        body.lineTo(*point)
    body.closeSubpath()
    return _all(_stroked(body, 1.4), _line((4, 10.4), (12, 10.4), width=1.3), _line((8, 10), (12.8, 3.6), width=1.3))


@_shape("panic")
def _panic() -> QPainterPath:
    """The octagon of a stop sign, with an exclamation mark."""
    corners = [
        (8 + 6.6 * math.cos(turn), 8 + 6.6 * math.sin(turn)) for turn in (math.pi / 4 * (i + 0.5) for i in range(8))
    ]
    edge = QPainterPath(QPointF(*corners[0]))
    for corner in corners[1:]:
        edge.lineTo(*corner)
    edge.closeSubpath()
    return _all(_stroked(edge, 1.4), _line((8, 4.9), (8, 8.4), width=1.7), _disc(8, 10.9, 1.05))


@_shape("sound")
def _sound() -> QPainterPath:
    waves = QPainterPath()
    for radius in (2.6, 5.2):
        waves.arcMoveTo(QRectF(8.6 - radius, 8 - radius, 2 * radius, 2 * radius), 48)
        waves.arcTo(QRectF(8.6 - radius, 8 - radius, 2 * radius, 2 * radius), 48, -96)
    return _all(_polygon((2.2, 6), (4.4, 6), (7.6, 3.2), (7.6, 12.8), (4.4, 10), (2.2, 10)), _stroked(waves, 1.4))


@_shape("follow")
def _follow() -> QPainterPath:
    """A playhead, and the page that moves with it."""
    return _all(_line((5, 2), (5, 14)), _line((7.6, 8), (14, 8)), _line((11, 5), (14, 8), (11, 11)))


@_shape("fit")
def _fit() -> QPainterPath:
    return _all(
        _line((1.6, 3), (1.6, 13)),
        _line((14.4, 3), (14.4, 13)),
        _line((4, 8), (12, 8)),
        _line((6, 5.8), (3.8, 8), (6, 10.2)),
        _line((10, 5.8), (12.2, 8), (10, 10.2)),
    )


@_shape("dice")
def _dice() -> QPainterPath:
    box = _stroked(_round_box(2.2, 2.2, 11.6, 11.6, 2.4), 1.3)
    pips = [(5.3, 5.3), (10.7, 5.3), (8, 8), (5.3, 10.7), (10.7, 10.7)]
    return _all(box, *(_disc(x, y, 1.15) for x, y in pips))


def _padlock(shift: float) -> QPainterPath:
    """With its shackle on the right leg only, lifted, if `shift` is over 0."""
    shackle = QPainterPath(QPointF(5.1, 7.5 - shift))
    shackle.lineTo(5.1, 5.2 - shift)
    shackle.arcTo(QRectF(5.1, 2.4 - shift, 5.8, 5.8), 180, -180)
    shackle.lineTo(10.9, 7.5)
    return _all(_stroked(shackle), _round_box(3.2, 7.2, 9.6, 6.8, 1.2))


@_shape("locked")
def _locked() -> QPainterPath:
    return _padlock(0)


@_shape("unlocked")
def _unlocked() -> QPainterPath:
    body = _stroked(_round_box(3.7, 7.7, 8.6, 5.8, 1), 1.2)
    shackle = QPainterPath(QPointF(5.1, 5.6))
    shackle.lineTo(5.1, 4.4)
    shackle.arcTo(QRectF(5.1, 1.5, 5.8, 5.8), 180, -180)
    shackle.lineTo(10.9, 7.5)
    return _all(_stroked(shackle), body)


def _star_line() -> QPainterPath:
    line = QPainterPath()
    for i in range(10):
        radius, angle = (6.4, 2.7)[i % 2], math.pi * (i / 5 - 0.5)
        x, y = 8 + radius * math.cos(angle), 8.5 + radius * math.sin(angle)
        line.lineTo(x, y) if i else line.moveTo(x, y)
    line.closeSubpath()
    return line


@_shape("star")
def _star() -> QPainterPath:
    return _all(_star_line(), _stroked(_star_line(), 1.1))


@_shape("star outline")
def _star_outline() -> QPainterPath:
    return _stroked(_star_line(), 1.1)


@_shape("more")
def _more() -> QPainterPath:
    return _all(*(_disc(x, 8, 1.35) for x in (3.4, 8, 12.6)))


@_shape("reset")
def _reset() -> QPainterPath:
    turn = QPainterPath()
    turn.arcMoveTo(QRectF(3, 3.2, 10, 10), 150)
    turn.arcTo(QRectF(3, 3.2, 10, 10), 150, 285)
    return _all(_stroked(turn), _line((3, 2.4), (3.4, 6.1), (7, 5.4)))


@_shape("in prompt")
def _in_prompt() -> QPainterPath:
    """What goes into the model: an arrow to a bar line."""
    return _all(_line((2.4, 8), (10, 8)), _line((7, 4.8), (10.2, 8), (7, 11.2)), _line((13.2, 3), (13.2, 13)))


@_shape("check")
def _check() -> QPainterPath:
    return _line((3, 8.4), (6.6, 12), (13, 4.4), width=1.8)


@_shape("warning")
def _warning() -> QPainterPath:
    edge = QPainterPath(QPointF(8, 2.2))
    edge.lineTo(14.4, 13.4)
    edge.lineTo(1.6, 13.4)
    edge.closeSubpath()
    return _all(_stroked(edge, 1.4), _line((8, 6.4), (8, 9.2)), _disc(8, 11.4, 0.9))


@_shape("waiting")
def _waiting() -> QPainterPath:
    """A clock."""
    return _all(_stroked(_disc(8, 8, 5.8), 1.4), _line((8, 4.8), (8, 8.2), (10.4, 9.6), width=1.4))


@_shape("fork")
def _fork() -> QPainterPath:
    """A line that parts in two."""
    branch = QPainterPath(QPointF(2.4, 8))
    branch.lineTo(5, 8)
    branch.cubicTo(8, 8, 7.4, 12, 13.2, 12)
    other = QPainterPath(QPointF(5, 8))
    other.cubicTo(8, 8, 7.4, 4, 13.2, 4)
    return _all(_stroked(branch), _stroked(other), _line((11, 2), (13.4, 4), (11, 6), width=1.4))
