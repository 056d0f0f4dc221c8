"""What is replaced in a region, where new notes go, and the run that makes alternatives."""

from dataclasses import replace

import pytest
from mido import MetaMessage

from core.codec.events import Conventions
from core.errors import UsageError
from core.generation.engine import Cancelled
from core.generation.options import Options, Sampling
from core.midi.region import Region
from core.midi.score import TakeNote
from core.performance.fill import plan_fill
from core.performance.fill_run import FillRun
from core.performance.generation import Generation, GenerationEvents
from core.session.edits import differing
from core.session.session import Session, TakeRecord, session_from_midi
from tests.core.midi.builders import file_of, off, on
from tests.core.session.sessions import band
from tests.reliability.fill import small_engine

MELODY, BASS, DRUMS = (1, 0), (2, 1), (3, 9)


def session() -> Session:
    """Eight bars of two seconds: a melody of quarters, a bass of halves, drums in the first four."""
    melody = [m for bar in range(8) for p in (74, 71, 67, 71) for m in (on(p + bar % 2), off(p + bar % 2, 480))]
    bass = [m for _ in range(8) for p in (43, 36) for m in (on(p, channel=1), off(p, 960, channel=1))]
    drums = [m for _ in range(16) for m in (on(38, channel=9), off(38, 480, channel=9))]
    metre = [MetaMessage("time_signature", numerator=4, denominator=4)]
    return session_from_midi(file_of(metre, melody, bass, drums), "song.mid")


def test_what_begins_before_a_region_stays_and_what_rings_over_it_may_be_followed() -> None:
    held = [on(60), on(64, 480), off(64, 240), on(67, 0), off(67, 480), off(60, 0), on(72), off(72, 480)]
    plan = plan_fill(session_from_midi(file_of(held), "held.mid"), Region(0.5, 1.0))
    assert plan.replaced == 2  # 64 and 67
    assert plan.rings_to == 1.25
    assert [n.pitch for n in plan.voices[0].kept.notes] == [60, 72]
    gap = plan.gap(Conventions())
    assert (gap.end, gap.rings_to) == (48, 72)  # on the grid a quarter is 48 steps
    placed = plan.placed([TakeNote(62, 80, 0.0, 9.0), TakeNote(60, 80, 0.1, 0.3), TakeNote(72, 80, 0.2, 9.0)])
    assert [(n.pitch, n.start_tick, n.end_tick) for n in placed[0, 0]] == [
        (62, 480, 1200),  # as late as what it replaces; no 60, which sounds already
        (72, 672, 1200),  # up to where the kept one begins
    ]


def test_a_note_rings_over_the_end_only_as_long_as_those_of_its_track_did() -> None:
    melody = [m for p in (74, 72, 71, 69) for m in (on(p), off(p, 480))]
    bass = [on(43, channel=1), off(43, 480, channel=1), on(36, channel=1), off(36, 1440, channel=1)]
    plan = plan_fill(session_from_midi(file_of(melody, bass), "two.mid"), Region(0.5, 1.0))
    assert plan.rings_to == 2.0
    placed = plan.placed([TakeNote(76, 90, 0.0, 1.4), TakeNote(38, 80, 0.0, 1.4)])
    ends = {key: [(n.pitch, n.end) for n in notes] for key, notes in placed.items()}
    assert ends == {(0, 0): [(76, 1.0)], (1, 1): [(38, 1.9)]}


def test_new_notes_go_to_the_chosen_tracks_in_their_range() -> None:
    plan = plan_fill(session(), Region(4.0, 8.0, frozenset([BASS, DRUMS])))
    assert plan.keys == {BASS}
    gap = plan.gap(Conventions())
    assert (gap.low, gap.high) == (36, 43)
    assert {note.pitch for note in gap.kept if note.start >= 0} > {67, 71}  # the melody is read
    both = plan_fill(session(), Region(4.0, 8.0))
    placed = both.placed([TakeNote(74, 90, 0.0, 0.4), TakeNote(38, 80, 0.0, 0.9), TakeNote(43, 80, 2.0, 2.9)])
    assert [[n.pitch for n in placed[key]] for key in (MELODY, BASS)] == [[74], [38, 43]]
    after = both.with_placed(placed)
    assert {part for part, _, _ in differing(both.session, after)} == {0, 1}
    assert after.edited == {0, 1}
    with pytest.raises(UsageError, match="no drums"):
        plan_fill(session(), Region(4.0, 8.0, frozenset([DRUMS])))


def test_at_the_start_of_a_song_what_follows_tells_grid_and_tracks() -> None:
    plan = plan_fill(session(), Region(0.0, 2.0))
    assert plan.grid is not None
    assert plan.grid.name == "1/16"
    placed = plan.placed([TakeNote(76, 90, 0.0, 0.4), TakeNote(38, 80, 0.0, 0.9)])
    assert [[n.pitch for n in placed[key]] for key in (MELODY, BASS)] == [[76], [38]]


def test_a_region_of_a_take_changes_that_take_alone() -> None:
    notes = (
        *(TakeNote(60 + i, 90, i / 2, i / 2 + 0.4, MELODY) for i in range(8)),
        TakeNote(38, 90, 1.0, 1.2, DRUMS),
    )
    before = session().with_marker(8.0).with_take(TakeRecord(notes=notes, seconds=4.0, marker=8.0, end=4.0))
    plan = plan_fill(before, Region(9.0, 10.0), before.current)
    assert plan.keys == {MELODY}
    assert plan.replaced == 2
    after = plan.filled([TakeNote(80, 70, 0.25, 0.75)])
    take = after.take(before.current)
    assert after.score is before.score
    assert [n.pitch for n in take.notes] == [60, 61, 38, 80, 64, 65, 66, 67]
    assert (take.notes[3].start, take.notes[3].end) == (pytest.approx(1.25), pytest.approx(1.75))
    assert take.notes[3].track == MELODY


def test_a_run_gives_alternatives_that_are_placed_and_can_be_followed() -> None:
    plan = plan_fill(session(), Region(4.0, 6.0))
    told: list[FillRun] = []
    shares: list[float] = []
    options = Options(Sampling(1.5), seed=2, takes=4)
    run = FillRun(plan, lambda key: options, count=3, progressed=shares.append)
    run.sample(small_engine())
    assert 1 <= len(run.alternatives) <= 3
    assert all(4.0 <= n.start < 6.0 for placed in run.alternatives for notes in placed.values() for n in notes)
    assert shares == sorted(shares)
    assert shares[0] < 0.1
    assert min(abs(share - 0.8) for share in shares) < 0.1  # endings and scores are a part of the work
    assert (run.share, run.head) == (1.0, 0.0)
    run.follow()
    assert run.head >= 2.0
    assert all(0 <= note.start < 2.0 for note in run.so_far)
    assert not run.follow()

    stopped = FillRun(plan, lambda key: Options(takes=2))
    stopped.stop()
    with pytest.raises(Cancelled):
        stopped.sample(small_engine())

    generation = Generation(GenerationEvents(filled=told.append))
    without = FillRun(plan, lambda key: Options(takes=2))
    generation.want_fill(without)
    assert generation.do_due()
    assert told == [without]
    assert "no model" in str(without.fault)


def test_a_region_must_last_and_have_pitches() -> None:
    for wrong in ({"end": 4.05}, {"end": 400.0}, {"low": 60, "high": 50}, {"start": -1.0}):
        with pytest.raises(UsageError):
            replace(Region(4.0, 6.0), **wrong)
    with pytest.raises(UsageError):
        plan_fill(band(), Region(0.0, 1.0, frozenset()))
