"""Random tracks for property tests, built without the codec."""

from hypothesis import strategies as st

from core.midi.score import Note, Pedal, Track

LATEST = 30.0  # seconds

times = st.floats(0, LATEST, allow_nan=False).map(lambda t: round(t, 4))


def track(notes: list[Note], pedals: list[Pedal] = [], channel: int = 0) -> Track:  # noqa: B006
    """A track of these notes, sorted as the reader sorts them."""
    ordered = tuple(sorted(notes, key=lambda n: (n.start, n.pitch)))
    return Track("t", channel, 0, ordered, tuple(pedals), (), 0)


def note(pitch: int, start: float, end: float, velocity: int = 64) -> Note:
    return Note(pitch, velocity, start, end, round(start * 960), round(end * 960))


@st.composite
def notes(draw: st.DrawFn) -> Note:
    start = draw(times)
    length = draw(st.sampled_from([0.0, 0.001, 0.01, 0.1, 0.5, 2.0, 8.0]))
    # Few pitches, so that they collide.
    return note(draw(st.integers(58, 63)), start, start + length, draw(st.integers(1, 127)))


@st.composite
def tracks(draw: st.DrawFn) -> Track:
    edges = sorted(set(draw(st.lists(times, max_size=8))))
    pedals = [Pedal(a, b, round(a * 960), round(b * 960)) for a, b in zip(edges[::2], edges[1::2], strict=False)]
    return track(draw(st.lists(notes(), max_size=40)), pedals)
