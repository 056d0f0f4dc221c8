"""Colours for light and dark, derived from the system's palette, each checked against what it stands on."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property
from typing import Literal

from PySide6.QtGui import QColor, QPalette

PartKind = Literal["prompt", "take", "other"]  # of the roll's notes: the score's, the current take's, further takes'
TEXT_CONTRAST = 4.5  # WCAG 2 AA for text
SHAPE_CONTRAST = 3.0  # and for what must be told from its background
VELOCITY_STEPS = 8  # strengths of colour that notes are drawn in
OWN = -1  # in place of a track's colour: the kind's own


class Shade(IntEnum):
    """How a note is drawn: as it is, hollow as one that the prompt leaves out, or faint as one that is not heard.

    Those of other tracks than the one in front are faint, too, and lie behind all others.
    """

    FULL = 0
    UNREAD = 1
    SILENT = 2
    BEHIND = 3


_TAKE_HUE = 28  # orange: what the model plays
_PLAYHEAD_HUE = 355
_LOOP_HUE = 285
_MARKER_HUE = 212
_OFF_SCALE_HUE = 330
_ORIGIN_HUES = (190, 285, 105, 240, 55)
_WEAKEST = 0.42  # share of a note's own colour at the lowest velocity
_HOLLOW, _FAINT = 0.3, 0.3  # shares of that in notes that the prompt leaves out, and in those that are not heard

# As far apart as twelve colours (and the take's) can be in the eyes of most, without red cones and without green ones.
_TRACKS_ON_LIGHT = (
    "#2a59ef", "#3a7858", "#f8599f", "#20a4a2", "#7a0f38", "#7f9b67",
    "#3d3768", "#c90e3a", "#738ef0", "#8d547c", "#130fc8", "#821001",
)  # fmt: skip
_TRACKS_ON_DARK = (
    "#6ea5fd", "#60b290", "#cb2760", "#6bfde6", "#017a69", "#ccfc10",
    "#6a6694", "#e50901", "#81dffd", "#ad83a4", "#9942fa", "#fbdda7",
)  # fmt: skip
_TRACK_COLOURS = len(_TRACKS_ON_LIGHT)  # core.session.session.TRACK_COLOURS


@dataclass(frozen=True)
class Theme:
    """The colours of one palette. `of` reads them from it."""

    background: QColor
    text: QColor
    window: QColor
    accent: QColor

    @classmethod
    def of(cls, palette: QPalette) -> "Theme":
        """The theme that goes with a palette."""
        return cls(
            background=palette.color(QPalette.ColorRole.Base),
            text=with_contrast(
                palette.color(QPalette.ColorRole.Text), palette.color(QPalette.ColorRole.Base), TEXT_CONTRAST
            ),
            window=palette.color(QPalette.ColorRole.Window),
            accent=with_contrast(
                palette.color(QPalette.ColorRole.Highlight), palette.color(QPalette.ColorRole.Base), SHAPE_CONTRAST
            ),
        )

    @property
    def is_dark(self) -> bool:
        """Whether light stands on dark."""
        return luminance(self.background) < 0.18

    # The roll's paper

    @cached_property
    def black_row(self) -> QColor:
        """Rows of the black keys."""
        return mix(self.background, self.text, 0.075 if self.is_dark else 0.055)

    @cached_property
    def tonic_row(self) -> QColor:
        """Rows of a scale's first degree."""
        return mix(self.background, self.accent, 0.16 if self.is_dark else 0.11)

    @cached_property
    def row_line(self) -> QColor:
        """Between B and C, and between E and F."""
        return mix(self.background, self.text, 0.13)

    @cached_property
    def lines(self) -> tuple[QColor, QColor, QColor]:
        """Parts of a beat, beats, bars: by strength."""
        a, b, c = (0.07, 0.13, 0.26) if not self.is_dark else (0.09, 0.16, 0.30)
        return (
            mix(self.background, self.text, a),
            mix(self.background, self.text, b),
            mix(self.background, self.text, c),
        )

    @cached_property
    def panel(self) -> QColor:
        """Behind ruler and loop strip."""
        return self.window

    @cached_property
    def strip(self) -> QColor:
        """The upper half of the ruler, where the loop stands."""
        return mix(self.window, self.text, 0.06)

    @cached_property
    def faint_text(self) -> QColor:
        """Bar numbers and the like: readable on the ruler, quieter than text."""
        return with_contrast(mix(self.strip, self.text, 0.7), self.strip, TEXT_CONTRAST)

    # Keys

    @cached_property
    def white_key(self) -> QColor:
        """White keys: grey in the dark, so that they do not glare."""
        return QColor(188, 191, 196) if self.is_dark else QColor(252, 252, 252)

    @cached_property
    def black_key(self) -> QColor:
        """Black keys."""
        return QColor(34, 36, 40) if self.is_dark else QColor(58, 61, 66)

    @cached_property
    def key_line(self) -> QColor:
        """Between white keys."""
        return mix(self.white_key, QColor("black"), 0.28)

    @cached_property
    def key_text(self) -> QColor:
        """Names on white keys."""
        return with_contrast(QColor(80, 84, 90), self.white_key, TEXT_CONTRAST)

    # Notes

    @cached_property
    def _notes(self) -> dict[tuple[PartKind, int, Shade], tuple[QColor, list[QColor], QColor]]:
        return {}  # filled by _note_colours

    def part(self, kind: PartKind, colour: int = OWN) -> QColor:
        """Full strength of a part's notes, or of those of the track with this colour."""
        return self._note_colours(kind, colour, Shade.FULL)[0]

    def velocities(self, kind: PartKind, colour: int = OWN, shade: Shade = Shade.FULL) -> list[QColor]:
        """`VELOCITY_STEPS` colours of a part's notes, soft to loud."""
        return self._note_colours(kind, colour, shade)[1]

    def edge(self, kind: PartKind, colour: int = OWN, shade: Shade = Shade.FULL) -> QColor:
        """Round a note, so that soft ones are seen and neighbours stand apart; it tells a take from the score."""
        return self._note_colours(kind, colour, shade)[2]

    def _note_colours(self, kind: PartKind, colour: int, shade: Shade) -> tuple[QColor, list[QColor], QColor]:
        colours = self._notes.get((kind, colour, shade))
        if colours is None:
            full = self._full(kind, colour)
            weakest = 0.7 if kind == "other" else _WEAKEST
            shares = [weakest + (1 - weakest) * i / (VELOCITY_STEPS - 1) for i in range(VELOCITY_STEPS)]
            edge = mix(full, QColor("white"), 0.3) if self.is_dark else full.darker(125)
            if kind == "other":
                edge = full
            elif shade != Shade.FULL:
                reach = _HOLLOW if shade == Shade.UNREAD else _FAINT
                shares = [reach * share for share in shares]
                edge = full if shade == Shade.UNREAD else mix(self.background, full, _FAINT)
            elif kind == "take":
                edge = self.text
            colours = full, [mix(self.background, full, share) for share in shares], edge
            self._notes[kind, colour, shade] = colours
        return colours

    def _full(self, kind: PartKind, colour: int) -> QColor:
        if kind == "other":
            return with_contrast(mix(self.background, self.text, 0.25), self.background, 1.6)
        if kind == "take" and colour == OWN:
            return self._hue(_TAKE_HUE)
        table = _TRACKS_ON_DARK if self.is_dark else _TRACKS_ON_LIGHT
        return with_contrast(QColor(table[max(colour, 0) % _TRACK_COLOURS]), self.background, SHAPE_CONTRAST)

    @cached_property
    def off_scale(self) -> QColor:
        """At the beginning of notes that are not of the scale."""
        return self._hue(_OFF_SCALE_HUE)

    def origin(self, which: int) -> QColor:
        """In notes that came from another take: the first (1), the second."""
        return self._hue(_ORIGIN_HUES[(which - 1) % len(_ORIGIN_HUES)])

    @cached_property
    def selected(self) -> QColor:
        """Inside of selected notes."""
        return QColor(255, 255, 255) if self.is_dark else QColor(25, 27, 31)

    @cached_property
    def selected_edge(self) -> QColor:
        """Round selected notes."""
        return self.accent

    # What moves over the notes

    @cached_property
    def playhead(self) -> QColor:
        """Where the sound is."""
        return self._hue(_PLAYHEAD_HUE)

    @cached_property
    def sampling_head(self) -> QColor:
        """How far the model has sampled."""
        return self._hue(_TAKE_HUE)

    @cached_property
    def marker(self) -> QColor:
        """Continue-from marker and prompt start."""
        return self._hue(_MARKER_HUE)

    @cached_property
    def prompt_tint(self) -> QColor:
        """Over the prompt's stretch of time."""
        return _alpha(self.marker, 0.11 if self.is_dark else 0.07)

    @cached_property
    def in_hand_tint(self) -> QColor:
        """Over what is sampled and not yet heard."""
        return _alpha(self.sampling_head, 0.10 if self.is_dark else 0.09)

    @cached_property
    def loop(self) -> QColor:
        """The loop's bar in the ruler."""
        return mix(self.strip, self.loop_edge, 0.45)

    @cached_property
    def loop_edge(self) -> QColor:
        """The loop's ends."""
        return self._hue(_LOOP_HUE)

    def on(self, colour: QColor) -> QColor:
        """Black or white, whichever reads better on `colour`."""
        return max((QColor(0, 0, 0), QColor(255, 255, 255)), key=lambda c: contrast(c, colour))

    def _hue(self, hue: int) -> QColor:
        colour = QColor.fromHslF(hue / 360, 0.78, 0.62 if self.is_dark else 0.46)
        return with_contrast(colour, self.background, SHAPE_CONTRAST)


def track_colours(
    keys: Iterable[tuple[int, int]], chosen: Mapping[tuple[int, int], int] | None = None
) -> dict[tuple[int, int], int]:
    """A colour for each track by its key (chunk, channel), all different for up to twelve tracks.

    `chosen` are colours that the user has given to some. It depends on the key, not on how many tracks stand before, so
    that tracks keep theirs as others come and go.
    """
    colours: dict[tuple[int, int], int] = {}
    free: set[int] = set()
    for key in sorted(keys):
        chunk, channel = key
        wanted = chunk or channel  # a file of format 0 has one chunk, others seldom two channels in one
        free = free or set(range(_TRACK_COLOURS))
        colours[key] = min(free, key=lambda colour: (colour - wanted) % _TRACK_COLOURS)
        free.discard(colours[key])
    return colours | dict(chosen or {})


def luminance(colour: QColor) -> float:
    """Relative luminance of WCAG 2: 0 black to 1 white."""
    r, g, b = (
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4
        for c in (colour.redF(), colour.greenF(), colour.blueF())
    )
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def contrast(one: QColor, other: QColor) -> float:
    """Contrast ratio of WCAG 2: 1 (none) to 21 (black on white)."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def mix(one: QColor, other: QColor, share: float) -> QColor:
    """`one` with `share` (0 to 1) of `other`."""
    parts = zip(one.getRgb()[:3], other.getRgb()[:3], strict=True)  # type: ignore[index]
    return QColor(*(round(a + (b - a) * share) for a, b in parts))


def with_contrast(colour: QColor, background: QColor, least: float) -> QColor:
    """`colour`, moved toward black or white only as far as it needs to stand out from `background`."""
    far = max((QColor("black"), QColor("white")), key=lambda c: contrast(c, background))
    for step in range(21):
        moved = mix(colour, far, step / 20)
        if contrast(moved, background) >= least:
            return moved
    return far


def _alpha(colour: QColor, alpha: float) -> QColor:
    result = QColor(colour)
    result.setAlphaF(alpha)
    return result
