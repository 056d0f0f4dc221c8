"""What a widget paints as text: the words, their colour and what is painted behind them, by painting it into SVG."""

import re
from collections import Counter
from dataclasses import dataclass
from xml.etree import ElementTree

from PySide6.QtCore import QBuffer, QPoint, QPointF, QRect, QRectF
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QImage, QTransform
from PySide6.QtSvg import QSvgGenerator
from PySide6.QtWidgets import QMenu, QMenuBar, QTabBar, QWidget

from desktop.widgets.theme import contrast, mix

_SVG = "{http://www.w3.org/2000/svg}"


@dataclass(frozen=True)
class PaintedText:
    """Words as they are painted: `rect` in the widget's pixels, `behind` the colour that most of that is."""

    words: str
    colour: QColor
    behind: QColor
    rect: QRect
    is_enabled: bool

    @property
    def contrast(self) -> float:
        """Of WCAG 2."""
        return contrast(self.colour, self.behind)


def painted_texts(root: QWidget) -> list[PaintedText]:
    """All words that a widget, and those in it, paint now."""
    picture = root.grab().toImage()
    buffer = QBuffer()
    generator = QSvgGenerator()
    generator.setOutputDevice(buffer)
    generator.setSize(root.size())
    generator.setViewBox(root.rect())
    generator.setResolution(root.logicalDpiX())
    root.render(generator)
    found: list[PaintedText] = []
    _collect(ElementTree.fromstring(bytes(buffer.data().data()).decode()), {}, QTransform(), root, picture, found)
    # A text that is selected is painted twice, as selected and as it would be else, clipped to what of it is so.
    found.sort(key=lambda text: text.contrast)
    return list({(text.words, text.rect.getRect()): text for text in found}.values())


def _collect(
    element: ElementTree.Element,
    inherited: dict[str, str],
    transform: QTransform,
    root: QWidget,
    picture: QImage,
    found: list[PaintedText],
) -> None:
    inherited = inherited | element.attrib
    if "transform" in element.attrib:
        numbers = [float(n) for n in re.findall(r"[-+.\de]+", element.attrib["transform"].removeprefix("matrix"))]
        transform = QTransform(*numbers) * transform
    words = (element.text or "").strip()
    if element.tag == _SVG + "text" and any(letter.isalnum() for letter in words):
        text = _text(words, inherited, transform, root, picture)
        if text is not None:
            found.append(text)
    for child in element:
        _collect(child, inherited, transform, root, picture, found)


def _text(
    words: str, said: dict[str, str], transform: QTransform, root: QWidget, picture: QImage
) -> PaintedText | None:
    font = QFont(said["font-family"].split(",")[0].strip("'"))
    font.setPixelSize(max(1, round(float(said["font-size"].removesuffix("px")))))
    font.setWeight(QFont.Weight(int(said.get("font-weight", "400"))))
    box = QFontMetricsF(font).boundingRect(words).translated(QPointF(float(said["x"]), float(said["y"])))
    rect = transform.mapRect(QRectF(box)).toAlignedRect().intersected(root.rect())
    if rect.isEmpty():  # scrolled out of sight
        return None
    behind = _most(picture, rect.adjusted(-2, -2, 2, 2).intersected(root.rect()))
    colour = mix(behind, QColor(said["fill"]), float(said.get("fill-opacity", "1")))
    return PaintedText(words, colour, behind, rect, _is_enabled(root, rect.center()))


def _most(picture: QImage, rect: QRect) -> QColor:
    scale = picture.devicePixelRatio()
    xs = range(round(rect.left() * scale), min(round((rect.right() + 1) * scale), picture.width()))
    ys = range(round(rect.top() * scale), min(round((rect.bottom() + 1) * scale), picture.height()))
    return QColor(Counter(picture.pixel(x, y) for y in ys for x in xs).most_common(1)[0][0])


def _is_enabled(root: QWidget, place: QPoint) -> bool:
    widget = root.childAt(place) or root
    inside = widget.mapFrom(root, place)
    if isinstance(widget, (QMenu, QMenuBar)):
        action = widget.actionAt(inside)
        return action is None or action.isEnabled()
    if isinstance(widget, QTabBar):
        return widget.isEnabled() and widget.isTabEnabled(widget.tabAt(inside))
    return widget.isEnabled()
