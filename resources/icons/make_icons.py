"""Draw the app's icon: continuo.svg, and continuo.png (512) for where SVG is not read.

    python resources/icons/make_icons.py

Three notes that are there, drawn in full, and three that follow, fading in: what the app does. The window and
the installer take their sizes from these two files.
"""

from pathlib import Path

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QGuiApplication, QImage, QLinearGradient, QPainter

SIZE = 512
BACK = ("#24344d", "#16202f")  # top, bottom
PROMPT, TAKE, MARKER = "#6fa8ff", "#ff9d4d", "#eef3fb"
# left, top, width, colour, opacity; all are as high as a row
NOTES = (
    (72, 316, 96, PROMPT, 1.0),
    (128, 232, 88, PROMPT, 1.0),
    (176, 148, 56, PROMPT, 1.0),
    (280, 148, 88, TAKE, 1.0),
    (328, 232, 72, TAKE, 0.85),
    (376, 316, 64, TAKE, 0.6),
)
ROW = 52
LINE = (250, 84, 12, 344)  # the marker: left, top, width, height


def svg() -> str:
    """The icon as SVG text."""
    notes = "\n".join(
        f'  <rect x="{x}" y="{y}" width="{width}" height="{ROW}" rx="14" fill="{colour}" opacity="{opacity}"/>'
        for x, y, width, colour, opacity in NOTES
    )
    x, y, width, height = LINE
    return f"""<svg xmlns="http://www.w3.org/2000/svg" width="{SIZE}" height="{SIZE}" viewBox="0 0 {SIZE} {SIZE}">
  <title>Continuo</title>
  <defs>
    <linearGradient id="back" x1="0" y1="0" x2="0" y2="1">
      <stop offset="0" stop-color="{BACK[0]}"/>
      <stop offset="1" stop-color="{BACK[1]}"/>
    </linearGradient>
  </defs>
  <rect x="24" y="24" width="464" height="464" rx="104" fill="url(#back)"/>
{notes}
  <rect x="{x}" y="{y}" width="{width}" height="{height}" rx="6" fill="{MARKER}"/>
</svg>
"""


def picture(size: int) -> QImage:
    """The icon as (size, size) pixels."""
    image = QImage(size, size, QImage.Format.Format_ARGB32)
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.scale(size / SIZE, size / SIZE)
    back = QLinearGradient(0, 24, 0, 488)
    back.setColorAt(0, QColor(BACK[0]))
    back.setColorAt(1, QColor(BACK[1]))
    painter.setBrush(back)
    painter.drawRoundedRect(QRectF(24, 24, 464, 464), 104, 104)
    for x, y, width, colour, opacity in NOTES:
        painter.setOpacity(opacity)
        painter.setBrush(QColor(colour))
        painter.drawRoundedRect(QRectF(x, y, width, ROW), 14, 14)
    painter.setOpacity(1)
    painter.setBrush(QColor(MARKER))
    painter.drawRoundedRect(QRectF(*LINE), 6, 6)
    painter.end()
    return image


def main() -> None:
    """Write both files beside this one."""
    app = QGuiApplication(["make_icons", "-platform", "offscreen"])
    folder = Path(__file__).resolve().parent
    (folder / "continuo.svg").write_text(svg())
    picture(SIZE).save(str(folder / "continuo.png"))
    del app


if __name__ == "__main__":
    main()
