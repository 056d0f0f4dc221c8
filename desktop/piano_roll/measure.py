"""How long the roll's frames take. A frame is painted into the widget's own window, as on screen."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import cycle

import numpy as np
from PySide6.QtCore import QEventLoop, Qt
from PySide6.QtWidgets import QApplication

from core.midi.controllers import BEND, Point, most
from core.midi.tempo_map import Metre, Tempo, TempoMap
from desktop.piano_roll.lanes.curve import CurveLane
from desktop.piano_roll.lanes.kinds import make_lane
from desktop.piano_roll.lanes.lane import Lane, LanePointer
from desktop.piano_roll.lanes.lanes import Lanes
from desktop.piano_roll.lanes.pedal import PedalLane
from desktop.piano_roll.lanes.velocity import VelocityLane
from desktop.piano_roll.notes import RollNote, RollPart
from desktop.piano_roll.selection import Selection
from desktop.piano_roll.view import PianoRoll


@dataclass(frozen=True)
class FrameTimes:
    """Milliseconds that one kind of frame took: half of them at most `p50`, 99 of 100 at most `p99`."""

    name: str
    p50: float
    p99: float
    longest: float
    frames: int


def dense_part(notes: int, key: str = "score", seed: int = 1) -> RollPart:
    """A part as a long piano piece has: 28 notes a second, 20 ms to 2 s long, over six octaves."""
    random = np.random.default_rng(seed)
    starts = np.cumsum(random.exponential(1 / 28, notes))
    lengths = random.uniform(0.02, 2.0, notes) ** 2 / 2 + 0.02
    pitches, velocities = random.integers(24, 97, notes), random.integers(1, 128, notes)
    columns = zip(starts, starts + lengths, pitches.tolist(), velocities.tolist(), strict=True)
    return RollPart.of(key, "prompt", [RollNote(*note) for note in columns])


def measure_frames(notes: int = 100_000, width: int = 1600, height: int = 800, frames: int = 200) -> list[FrameTimes]:
    """Time what moves, grows, is dragged or painted in a roll with so many notes.

    Needs a QApplication. The roll is shown and closed again; offscreen will do.
    """
    roll = PianoRoll()
    roll.resize(width, height)
    roll.set_tempo_map(TempoMap(tempos=(Tempo(0, 500_000),), metres=(Metre(0, 4, 4),)))
    score = dense_part(notes)
    roll.set_parts([score, RollPart.of("take", "take", [])])
    roll.set_prompt(0.0, score.length)
    roll.set_playhead(0.0)
    roll.set_follow(False)
    roll.show()
    scenes = {
        "scroll": lambda: _scroll(roll, 100.0),
        "scroll, 10 minutes on view": lambda: _scroll(roll, roll.coordinates.width / 600),
        "playhead": lambda: _playhead(roll),
        "playhead and sampling head": lambda: _heads(roll),
        "zoom": lambda: _zoom(roll),
        "zoom, everything on view": lambda: _zoom_far(roll),
        "append 50 notes": lambda: _append(roll),
        "drag 500 notes": lambda: _drag(roll),
        "paint velocities": lambda: _velocities(roll),
        "scroll, drums": lambda: _drums(roll, score),
        "draw pitch bend": lambda: _bend(roll),
        "scroll, five lanes": lambda: _five_lanes(roll, 100.0),
        "scroll, five lanes, 10 minutes": lambda: _five_lanes(roll, roll.coordinates.width / 600),
    }
    try:
        return [_time(name, scene(), frames) for name, scene in scenes.items()]
    finally:
        roll.close()


def _time(name: str, steps: Iterator[Callable[[], object]], frames: int) -> FrameTimes:
    took = []
    QApplication.processEvents()
    for _, step in zip(range(frames), steps, strict=False):
        start = time.perf_counter()
        step()
        QApplication.processEvents()  # paints what the step made out of date
        took.append((time.perf_counter() - start) * 1000)
    p50, p99 = np.percentile(took, (50, 99))
    return FrameTimes(name, float(p50), float(p99), max(took), len(took))


def _zoom_to(roll: PianoRoll, pixels_per_second: float) -> None:
    roll.zoom_time(pixels_per_second / roll.coordinates.pixels_per_second, 0)
    QApplication.processEvents()


def _scroll(roll: PianoRoll, pixels_per_second: float) -> Iterator[Callable[[], object]]:
    """A fast wheel: 40 pixels a frame through music not yet seen."""
    _zoom_to(roll, pixels_per_second)
    roll.scroll_to(0)
    QApplication.processEvents()
    while True:
        yield lambda: roll.scroll_by(40, 0)


def _drums(roll: PianoRoll, score: RollPart) -> Iterator[Callable[[], object]]:
    """The same notes as drums."""
    drums = replace(score, key="drums", is_drum=np.ones_like(score.is_drum))
    roll.set_parts([drums, RollPart.of("take", "take", [])])
    yield from _scroll(roll, 100.0)


def _playhead(roll: PianoRoll) -> Iterator[Callable[[], object]]:
    _zoom_to(roll, 100)
    roll.scroll_to(0)
    for frame in range(10**6):
        yield lambda frame=frame: roll.set_playhead(frame / 60 % roll.visible_seconds)


def _heads(roll: PianoRoll) -> Iterator[Callable[[], object]]:
    """As while the model works: both heads move, and a note is being held."""
    roll.set_prompt(0.0, 1.0)
    held = [RollNote(2.0, 2.0, 60, 80)]
    for frame in range(10**6):
        at = frame / 60 % (roll.visible_seconds / 2)
        yield lambda at=at: (roll.set_playhead(1 + at), roll.set_sampling(2 + 1.5 * at, held))
    roll.set_sampling(None)


def _zoom(roll: PianoRoll) -> Iterator[Callable[[], object]]:
    roll.set_sampling(None)
    _zoom_to(roll, 100)
    roll.scroll_to(600)
    for factor in cycle([1.1] * 10 + [1 / 1.1] * 20 + [1.1] * 10):
        yield lambda factor=factor: roll.zoom_time(factor, 700)


def _zoom_far(roll: PianoRoll) -> Iterator[Callable[[], object]]:
    roll.fit()
    for factor in cycle([1.05, 1 / 1.05]):
        yield lambda factor=factor: roll.zoom_time(factor, 700)


def _append(roll: PianoRoll) -> Iterator[Callable[[], object]]:
    """A take that grows by 50 notes a frame while the whole of it and the score before it is on view."""
    roll.fit()
    _zoom_to(roll, 100)
    roll.scroll_to(0)
    for frame in range(10**6):
        start = frame * 0.1 % roll.visible_seconds
        notes = [RollNote(start + i / 50, start + i / 50 + 0.2, 40 + i, 20 + 2 * i) for i in range(50)]
        yield lambda notes=notes: roll.append_notes("take", notes)


def _drag(roll: PianoRoll) -> Iterator[Callable[[], object]]:
    """Five hundred selected notes, most of them on view, are dragged about, once the view is painted."""
    _zoom_to(roll, 60)
    roll.scroll_to(0)
    roll.select(Selection({"score": range(500)}))
    while roll.prepares_tiles:
        QApplication.processEvents(QEventLoop.ProcessEventsFlag.WaitForMoreEvents)
    for frame in range(10**6):
        yield lambda frame=frame: roll.set_preview((frame % 100 * 20.0, frame % 24 - 12))


def _velocities(roll: PianoRoll) -> Iterator[Callable[[], object]]:
    """A ramp is drawn over all that is on view, from left to right and back."""
    roll.set_preview(None)
    roll.clear_selection()
    return _in_lane(roll, VelocityLane(roll))


def _bend(roll: PianoRoll) -> Iterator[Callable[[], object]]:
    """A bend is drawn in the same way where there are 50,000 values already."""
    lane = CurveLane("bend", "Bend", BEND, roll)
    lane.show_points([Point(i * roll.content_end / 50_000, i * 977 % 16384) for i in range(50_000)])
    return _in_lane(roll, lane)


def _with_lanes(roll: PianoRoll, names: Sequence[str], make: Callable[[str], Lane | None], height: int) -> Lanes:
    """These lanes under the roll, and no others."""
    for old in roll.findChildren(Lanes):
        old.setParent(None)
        old.deleteLater()
    lanes = Lanes(roll, names, make)
    lanes.show_lanes([(name, height) for name in names])
    return lanes


def _five_lanes(roll: PianoRoll, pixels_per_second: float) -> Iterator[Callable[[], object]]:
    """As `_scroll`, above velocities, pedal and three controllers of 50,000 spans or values each."""
    names = ("velocity", "pedal", "bend", "cc1", "cc7")
    lanes = _with_lanes(roll, names, lambda name: make_lane(roll, name), 90)
    at = np.arange(50_000) * roll.content_end / 50_000
    for lane in lanes.shown:
        if isinstance(lane, PedalLane):
            lane.show_spans(list(zip(at.tolist(), (at + 0.7 * at[1]).tolist(), strict=True)))
        elif isinstance(lane, CurveLane):
            values = np.arange(50_000) * 977 % (most(lane.number) + 1)
            lane.show_points(list(map(Point, at.tolist(), values.tolist())))
    yield from _scroll(roll, pixels_per_second)


def _in_lane(roll: PianoRoll, lane: Lane) -> Iterator[Callable[[], object]]:
    _with_lanes(roll, [lane.name], lambda name: lane, 120)
    _zoom_to(roll, 60)
    roll.scroll_to(0)

    def at(x: float) -> LanePointer:
        return LanePointer(x, 20 + x % 80, roll.coordinates.seconds(x), 115.0, Qt.KeyboardModifier.NoModifier)

    gesture = lane.begin(at(10.0))
    assert gesture is not None
    for frame in range(10**6):
        x = 10 + abs((frame * 15) % (2 * roll.coordinates.width) - roll.coordinates.width)
        yield lambda x=x: gesture.move(at(x))
