"""Icons of buttons and menus: SVG files of resources/icons/buttons, drawn in the colours of the palette.

`set_icon` gives one to a button or action; `refresh` draws those of a window anew after its palette changed.
Each file is black on a square of 16 units; the black is replaced by the colour wanted.
"""

from functools import cache

from PySide6.QtCore import QObject, QRectF, Qt
from PySide6.QtGui import QAction, QColor, QIcon, QPainter, QPalette, QPixmap
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QAbstractButton, QApplication, QWidget

from core.resources import bundled

_PIXELS = (16, 20, 24, 32, 40, 48, 64)  # 16, 20, 24 and 32 at scales from 1 to 2
_PROPERTY = "continuoIcon"
_BLACK = "#000"


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
    """Paint an icon into a square box, in an opaque colour. Raises KeyError for a name that is none."""
    renderer = QSvgRenderer(_svg(name).replace(_BLACK, colour.name()).encode())
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    renderer.render(painter, box)
    painter.restore()


def names() -> list[str]:
    """All that there are."""
    return sorted(path.stem.replace("-", " ") for path in bundled("icons", "buttons").glob("*.svg"))


@cache
def _svg(name: str) -> str:
    try:
        return bundled("icons", "buttons", f"{name.replace(' ', '-')}.svg").read_text("ascii")
    except OSError as error:
        raise KeyError(name) from error


def _palette_of(target: QAbstractButton | QAction) -> QPalette:
    return target.palette() if isinstance(target, QAbstractButton) else QApplication.palette()


@cache
def _icon(name: str, colour: int, disabled: int) -> QIcon:
    renderer = QSvgRenderer(_svg(name).encode())
    result = QIcon()
    for pixels in _PIXELS:
        shape = QPixmap(pixels, pixels)
        shape.fill(Qt.GlobalColor.transparent)
        painter = QPainter(shape)
        renderer.render(painter, QRectF(shape.rect()))
        painter.end()
        for mode, rgba in ((QIcon.Mode.Normal, colour), (QIcon.Mode.Disabled, disabled)):
            pixmap = shape.copy()
            painter = QPainter(pixmap)
            # A translucent colour too is laid over the whole shape at once: its strokes lie over each other.
            painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_SourceIn)
            painter.fillRect(pixmap.rect(), QColor.fromRgba(rgba))
            painter.end()
            result.addPixmap(pixmap, mode)
    return result
