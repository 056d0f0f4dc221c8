"""RollCanvas: what the roll shows, and which pixels of it are out of date. It takes no input."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import cast

import numpy as np
from PySide6.QtCore import QEvent, QRect, QRectF, Qt, QTimer, Signal
from PySide6.QtGui import QFocusEvent, QFont, QFontInfo, QPainter, QPaintEvent, QPen, QRegion, QResizeEvent
from PySide6.QtWidgets import QAbstractScrollArea, QFrame, QWidget

from core.midi.scale import Scale
from core.midi.tempo_map import TempoMap
from desktop.piano_roll import stale
from desktop.piano_roll.coordinates import ALL_ROWS, Rows, Viewport
from desktop.piano_roll.grid import GridLines, Snap
from desktop.piano_roll.keyboard import KEYBOARD_WIDTH, key_at, key_box, paint_keyboard, row_names
from desktop.piano_roll.layers import NO_NOTES, Cut, NoteColumns, Overlays, Paper, painted_parts
from desktop.piano_roll.note_names import NAME_REACH, NAMED_ROW
from desktop.piano_roll.notes import RollNote, RollPart
from desktop.piano_roll.overlays import gone_to, paint_overlays, selected_area
from desktop.piano_roll.ruler import RULER_HEIGHT, STRIP_HEIGHT, paint_ruler
from desktop.piano_roll.ruler_marks import RulerMarks
from desktop.piano_roll.scroll_bars import show_view
from desktop.piano_roll.tiles import TileCache
from desktop.widgets.theme import Theme

_MOST_RECTS = 4  # out of date in one part of the roll; more are painted as the one around them all
_CALM = 100  # ms after a zoom (which others may follow) until tiles are painted for it
_NEXT_TILE = 4  # ms from one tile to the next, for what else is to be done


class RollCanvas(QAbstractScrollArea):
    """Notes, ruler, keyboard and what moves over them, at one place and zoom."""

    view_changed = Signal()  # another place, zoom or look
    notes_changed = Signal()
    notes_appended = Signal(float, float)  # from one view pixel to another

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.coordinates = Viewport()
        self.overlays = Overlays()
        self.grid = GridLines(TempoMap())
        self.marks = RulerMarks(TempoMap())
        self.tiles = TileCache()
        self._parts: dict[str, RollPart] = {}
        self._is_syncing = False
        self._scrolled = 0.0, 0.0  # which way the view went last
        self._prepare_timer = QTimer(self, singleShot=True)  # runs once the frame is painted
        self._prepare_timer.timeout.connect(self._prepare_tile)
        self._lit: frozenset[int] = frozenset()
        self._own_lit: frozenset[int] = frozenset()
        self._foot: QWidget | None = None
        self._head: QWidget | None = None
        self._margins = 0, 0  # heights of head and foot
        self.drum_part = ""  # the part whose drums the keyboard plays; none: it is of keys
        self._folds = False  # only rows in use are shown
        self._scale: Scale | None = None
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOn)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOn)
        self.viewport().setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self._paper = Paper((), self.grid, Theme.of(self.palette()), self.font())
        self._read_style()

    # What is shown

    @property
    def parts(self) -> tuple[RollPart, ...]:
        """The parts on view, as given."""
        return tuple(self._parts.values())

    @property
    def content_end(self) -> float:
        """The last second that something is at."""
        o = self.overlays
        heads = (o.playhead, o.sampling_head, o.take_end, o.prompt and o.prompt[1], o.loop and o.loop[1])
        return max([part.length for part in self._parts.values()] + [head or 0.0 for head in heads])

    @property
    def visible_seconds(self) -> float:
        """How many seconds are on view."""
        return self.coordinates.width / self.coordinates.pixels_per_second

    @property
    def theme(self) -> Theme:
        """The colours it is painted in."""
        return self._paper.theme

    @property
    def prepares_tiles(self) -> bool:
        """Whether tiles are still to be painted ahead."""
        return self._prepare_timer.isActive()

    def set_foot(self, foot: QWidget, height: int) -> None:
        """Keep a widget below the notes, as wide as they and the keyboard are."""
        self._foot = foot
        self._set_margins(self._margins[0], height)

    def set_head(self, head: QWidget, height: int) -> None:
        """Keep a widget above the ruler, as wide as notes and keyboard are."""
        self._head = head
        self._set_margins(height, self._margins[1])

    def _set_margins(self, head: int, foot: int) -> None:
        self._margins = head, foot
        self.setViewportMargins(0, head, 0, foot)
        self._place_margins()
        self._resize()

    def _place_margins(self) -> None:
        between, (head, foot) = self.viewport().geometry(), self._margins
        if self._foot is not None:
            self._foot.setGeometry(between.left(), between.bottom() + 1, between.width(), foot)
        if self._head is not None:
            self._head.setGeometry(between.left(), between.top() - head, between.width(), head)

    def set_scale(self, scale: Scale | None) -> None:
        """Show a scale's rows light, the others dark, and mark notes outside of it; not of drums. None: as keys are."""
        self._scale = scale
        self._sync_rows()

    def set_folded(self, folds: bool) -> None:
        """Show only the rows that notes are in; with a track in front, its notes."""
        self._folds = folds
        self._sync_rows()

    def set_drum_keys(self, part: str) -> None:
        """Name the rows as the drums that a part plays on; empty: as pitches."""
        if part != self.drum_part:
            self.drum_part = part
            self._sync_rows()
            self.viewport().update()

    def _sync_rows(self) -> None:
        rows = self._rows_in_use() if self._folds else ALL_ROWS
        is_list, scale = rows.is_folded or self.drum_part != "", None if self.drum_part else self._scale
        if (is_list, scale) != (self._paper.is_list, self._paper.scale):
            self._paper = replace(self._paper, is_list=is_list, scale=scale)
            self._repaint_paper()
        if rows != self.coordinates.rows:
            self._set_coordinates(self.coordinates.with_rows(rows))

    def _rows_in_use(self) -> Rows:
        """The rows of what is seen; with a track in front, of its notes: to drums a melody's pitches mean nothing."""
        parts = self._parts.values()
        if any(part.is_behind.any() for part in parts):
            pitches = {pitch for part in parts if part.kind != "other" for pitch in part.pitches_in_front}
        else:
            pitches = {pitch for part in parts for pitch in part.pitches}
        return Rows(tuple(sorted(pitches))) if pitches else ALL_ROWS

    def key_at(self, x: float, y: float) -> int:
        """The key at a point of the keyboard."""
        return key_at(x, y, self.coordinates, self._paper.is_list)

    def set_tempo_map(self, tempo_map: TempoMap) -> None:
        """The bars and beats to show; seconds if it states no metre."""
        self.grid = GridLines(tempo_map, self.grid.snap, self.coordinates.pixels_per_second)
        self.marks = RulerMarks(tempo_map)
        self._repaint_paper()

    def set_snap(self, snap: Snap) -> None:
        """What drags snap to; the grid shows it."""
        if snap != self.grid.snap:
            self.grid = GridLines(self.grid.tempo_map, snap, self.coordinates.pixels_per_second)
            self._repaint_paper()

    def set_parts(self, parts: Sequence[RollPart]) -> None:
        """Show these parts and no others."""
        self._parts = {part.key: part for part in parts}
        self._sync_rows()
        before = [part for part in self._paper.parts if len(part)]
        after = [part for part in painted_parts(self.parts) if len(part)]
        if len(before) == len(after) and all(a.looks_like(b) for a, b in zip(after, before, strict=True)):
            self._paper = replace(self._paper, parts=tuple(painted_parts(self.parts)))
        else:
            self._repaint_paper()
        self._sync_bars()
        self.notes_changed.emit()

    def append_notes(self, key: str, notes: Sequence[RollNote]) -> None:
        """Add notes to a part, as a take grows. Only what they cover is painted again."""
        if not notes:
            return
        self._parts[key] = self._parts[key].with_appended(notes)
        self._sync_rows()
        self._paper = replace(self._paper, parts=tuple(painted_parts(self.parts)))
        boxes = self.coordinates.boxes([n.start for n in notes], [n.end for n in notes], [n.pitch for n in notes])
        drum = self.coordinates.half_diamond if any(note.is_drum for note in notes) else 0
        first, last = int(boxes[:, 0].min()) - drum, int(boxes[:, 2].max()) + drum
        origin, ratio = self.coordinates.origin[0], self.coordinates.ratio
        left, right = (first - origin) / ratio, (last + 1 - origin) / ratio
        reach = NAME_REACH if self.coordinates.row_height >= NAMED_ROW else 0.0  # names that they lie over go
        self.tiles.mark_stale(first - round(reach * ratio), last + round(reach * ratio))
        self._update_pixels(left - reach, right + reach)
        self._sync_bars()
        self.notes_appended.emit(left, right)

    def set_prompt(self, start: float, marker: float) -> None:
        """The prompt's start and the continue-from marker."""
        self._change_overlay(prompt=(start, marker))

    def set_end_marker(self, seconds: float | None) -> None:
        """Where the next take is to end, if that is set."""
        self._change_overlay(end_marker=seconds)

    def set_loop(self, loop: tuple[float, float] | None) -> None:
        """The stretch that is played again and again."""
        self._change_overlay(loop=loop)

    def set_span(self, span: tuple[float, float] | None) -> None:
        """The span of time that is selected."""
        self._change_overlay(span=span)

    def set_take_end(self, seconds: float | None) -> None:
        """Where the take that is shown ends and the song comes back."""
        self._change_overlay(take_end=seconds)

    def set_sampling(
        self, head: float | None, sounding: Sequence[RollNote] = (), ended: Sequence[RollNote] = ()
    ) -> None:
        """How far the model has sampled, notes it has begun and not ended (their ends do not count), and notes that it
        has ended and no part has yet.
        """
        self._change_overlay(sampling_head=head, sounding=tuple(sounding), ended=tuple(ended))

    def set_playhead(self, seconds: float | None) -> None:
        """Where the sound is."""
        self._change_overlay(playhead=seconds)

    def set_lit_keys(self, pitches: Iterable[int]) -> None:
        """The keys that sound."""
        self._lit = frozenset(pitches)
        self._light()

    def set_own_lit(self, pitches: Iterable[int]) -> None:
        """The keys that the pointer holds."""
        self._own_lit = frozenset(pitches)
        self._light()

    def set_band(self, band: QRectF | None) -> None:
        """The rubber band, in view pixels."""
        self._change_overlay(band=band)

    def set_drawn(self, note: RollNote | None) -> None:
        """The note that is being drawn."""
        self._change_overlay(drawn=note)

    def set_cut(self, cut: Cut | None) -> None:
        """Where the knife would divide notes."""
        if cut != self.overlays.cut:
            self._change_overlay(cut=cut)

    def _show_selected(self, columns: Sequence[NoteColumns]) -> None:
        """Paint these notes as selected."""
        joined = NoteColumns(*(np.concatenate(c) for c in zip(*columns, strict=True))) if columns else NO_NOTES
        self._change_selected(selected=joined)

    def set_preview(self, by: tuple[float, int] | None, is_copy: bool = False) -> None:
        """Show the selected notes moved by ticks and rows; of copies, the notes stay where they are."""
        self._change_selected(preview=by, is_copy=is_copy)

    def set_stretch(self, by: tuple[float, float] | None) -> None:
        """Show the selected notes with starts and ends moved by ticks."""
        self._change_selected(stretch=by)

    def _change_selected(self, **changes: object) -> None:
        """Change which notes are selected or how they are shown, and repaint where they were and are."""
        before = selected_area(self.coordinates, self.overlays)
        vars(self.overlays).update(changes)
        self.overlays.gone = gone_to(self.overlays, self.grid.tempo_map)
        self._update_rect(before | selected_area(self.coordinates, self.overlays))

    # Place and zoom

    def _set_coordinates(self, coordinates: Viewport) -> None:
        coordinates = coordinates.clamped(self.content_end + 0.5 * coordinates.width / coordinates.pixels_per_second)
        if coordinates == self.coordinates:
            return
        before, self.coordinates = self.coordinates, coordinates
        self.grid.zoom = coordinates.pixels_per_second
        is_same_rows = (coordinates.row, coordinates.rows) == (before.row, before.rows)
        self._scrolled = coordinates.left - before.left, coordinates.top - before.top
        self._prepare_timer.start(0 if coordinates.scale == before.scale and is_same_rows else _CALM)
        self._sync_bars()
        whole = self.viewport().rect()
        is_same_pitch = is_same_rows and (before.top, before.height) == (coordinates.top, coordinates.height)
        self.viewport().update(whole.adjusted(KEYBOARD_WIDTH, 0, 0, 0) if is_same_pitch else whole)
        self.view_changed.emit()

    def _prepare_tile(self) -> None:
        """One tile at a time, so that no frame has many of them to paint."""
        if self.tiles.prepare(self.coordinates, self._paper, *self._scrolled):
            self._prepare_timer.start(_NEXT_TILE)

    def _sync_bars(self) -> None:
        """Set the scroll bars to what is on view."""
        self._is_syncing = True
        show_view(self.horizontalScrollBar(), self.verticalScrollBar(), self.coordinates, self.content_end)
        self._is_syncing = False

    def _resize(self) -> None:
        size, ratio = self.viewport().size(), self.viewport().devicePixelRatioF()
        width, height = max(size.width() - KEYBOARD_WIDTH, 1), max(size.height() - RULER_HEIGHT, 1)
        self._set_coordinates(self.coordinates.resized(width, height, ratio))
        self._sync_bars()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep the left top corner."""
        self._place_margins()
        self._resize()

    # Painting

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint only the stretches that are out of date."""
        if self.viewport().devicePixelRatioF() != self.coordinates.ratio:
            self._resize()  # moved to another screen
        painter = QPainter(self.viewport())
        try:  # Qt crashes if a painter is left open, whatever went wrong
            self._paint(painter, event.region())
        finally:
            painter.end()

    def _paint(self, painter: QPainter, region: QRegion) -> None:
        view, o, theme = self.coordinates, self.overlays, self._paper.theme
        names = row_names(self.drum_part != "", view)
        for left, top, paint in (
            (KEYBOARD_WIDTH, RULER_HEIGHT, self._paint_notes),
            (KEYBOARD_WIDTH, 0, lambda p, e: paint_ruler(p, e, view, o, self.grid, self.marks, theme, self.small_font)),
            (0, RULER_HEIGHT, lambda p, e: paint_keyboard(p, e, view, o, theme, self.font(), names)),
        ):
            width = view.width if left else KEYBOARD_WIDTH
            height = view.height if top else RULER_HEIGHT
            part = region & QRect(left, top, width, height)
            rects = list(cast(Iterable[QRect], part)) if part.rectCount() <= _MOST_RECTS else [part.boundingRect()]
            for exposed in rects:
                painter.save()
                painter.setClipRect(exposed)
                painter.translate(left, top)
                paint(painter, QRectF(exposed.translated(-left, -top)))
                painter.restore()
        self._paint_frame(painter)

    def _paint_notes(self, painter: QPainter, exposed: QRectF) -> None:
        self.tiles.paint(painter, exposed, self.coordinates, self._paper)
        paint_overlays(painter, exposed, self.coordinates, self.overlays, self._paper.theme)

    def _paint_frame(self, painter: QPainter) -> None:
        theme = self._paper.theme
        painter.fillRect(0, 0, KEYBOARD_WIDTH, STRIP_HEIGHT, theme.strip)
        painter.fillRect(0, STRIP_HEIGHT, KEYBOARD_WIDTH, RULER_HEIGHT - STRIP_HEIGHT, theme.panel)
        painter.fillRect(0, RULER_HEIGHT - 1, KEYBOARD_WIDTH, 1, theme.lines[2])
        if self.hasFocus():
            painter.setPen(QPen(theme.accent, 1))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(self.viewport().rect().adjusted(0, 0, -1, -1))

    def _read_style(self) -> None:
        """Colours and fonts, from the system's palette and font."""
        font = QFont(self.font())
        font.setPixelSize(max(round(QFontInfo(font).pixelSize() * 0.9), 10))
        self.small_font = font
        self._paper = replace(self._paper, theme=Theme.of(self.palette()), font=font)
        self._forget_tiles()
        self.viewport().update()
        self.view_changed.emit()

    def _repaint_paper(self) -> None:
        self._paper = replace(self._paper, parts=tuple(painted_parts(self.parts)), grid=self.grid)
        self._forget_tiles()
        self.viewport().update(self.viewport().rect().adjusted(KEYBOARD_WIDTH, 0, 0, 0))
        self.view_changed.emit()

    def _forget_tiles(self) -> None:
        self.tiles.clear()
        self._prepare_timer.start(_CALM)

    # Which pixels are out of date

    def _change_overlay(self, **changes: object) -> None:
        """Change what lies over the tiles, and repaint where that was and is."""
        before = replace(self.overlays)
        for name, value in changes.items():
            setattr(self.overlays, name, value)
        for first, last in stale.strips(self.coordinates, before, self.overlays, self.small_font):
            self._update_pixels(first, last, 0)
        for box in stale.boxes(self.coordinates, before, self.overlays):
            self._update_rect(box)
        self._sync_bars()

    def _update_pixels(self, first: float, last: float, margin: float = 2) -> None:
        """Repaint from one view pixel to another, ruler and notes."""
        first, last = max(first - margin, 0), min(last + margin, self.coordinates.width)
        if first < last:
            self.viewport().update(
                QRectF(KEYBOARD_WIDTH + first, 0, last - first, self.viewport().height()).toAlignedRect()
            )

    def _update_rect(self, rect: QRectF) -> None:
        area = QRect(KEYBOARD_WIDTH, RULER_HEIGHT, self.coordinates.width, self.coordinates.height)
        self.viewport().update(rect.translated(KEYBOARD_WIDTH, RULER_HEIGHT).toAlignedRect() & area)

    def _update_keys(self, pitches: Iterable[int]) -> None:
        for pitch in pitches:
            box = key_box(pitch, self.coordinates, self._paper.is_list).translated(0, RULER_HEIGHT)
            keyboard = QRect(0, RULER_HEIGHT, KEYBOARD_WIDTH, self.coordinates.height)
            self.viewport().update(box.adjusted(0, -8, 0, 4).toAlignedRect() & keyboard)

    def _light(self) -> None:
        before, self.overlays.lit = self.overlays.lit, self._lit | self._own_lit
        self._update_keys(before ^ self.overlays.lit)

    def _hover(self, pitch: int | None) -> None:
        before, self.overlays.hovered = self.overlays.hovered, pitch
        if before != pitch:
            self._update_keys(p for p in (before, pitch) if p is not None)

    def changeEvent(self, event: QEvent) -> None:
        """The system went from light to dark, or its font changed."""
        if event.type() in (QEvent.Type.PaletteChange, QEvent.Type.FontChange, QEvent.Type.StyleChange):
            self._read_style()
        super().changeEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Show the focus ring."""
        self.viewport().update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Take the focus ring away."""
        self.viewport().update()
