"""The Edit menu's commands in the real window: each one step, on prompt tracks and takes alike."""

from collections.abc import Callable

import pytest

from core.session.edits import Part, part_notes
from desktop.controllers.roll_parts import roll_key
from desktop.piano_roll.notes import NoteRef
from desktop.piano_roll.selection import Selection
from tests.desktop.windows import BACH, Desk

STEPS = (
    ("degree up", "Degree Up"),
    ("degree down", "Degree Down"),
    ("mirror", "Mirror"),
    ("split", "Split at the Playhead"),
    ("join", "Join"),
    ("legato", "Legato"),
    ("set length", "Set Length"),
    ("stretch", "Stretch Time"),
    ("reverse", "Reverse"),
    ("swing", "Swing"),
    ("humanise", "Humanise"),
)


@pytest.mark.parametrize("where", ["track", "take"])
def test_each_command_is_a_step_with_its_name(desk: Callable[..., Desk], where: str) -> None:
    at = desk()
    at.open(BACH)
    take = at.sample(2.0)
    at.window.stop()
    window, roll, document = at.window, at.window.roll, at.window.document
    part: Part = 0 if where == "track" else take.id
    key, offset = roll_key(part), 0.0 if where == "track" else take.marker
    start = document.session
    notes = part_notes(start, part)
    chosen = Selection({key: range(min(6, len(notes)))})
    longest = max(notes[:6], key=lambda n: n.end - n.start)
    window.transport.go_to(offset + (longest.start + longest.end) / 2)
    for name, words in STEPS:
        roll.select(chosen)
        before = document.session
        window.actions_[name].trigger()
        if document.session is not before:
            assert document.undo_name == words
            window.actions_["undo"].trigger()
        elif name not in ("join", "swing"):  # which may find nothing to do
            raise AssertionError(f"{name} did nothing")
        assert (document.session.score, document.session.takes) == (start.score, start.takes)
    roll.clear_selection()
    window.enable()
    assert not window.actions_["legato"].isEnabled()


def test_more_is_selected_by_what_is_selected(desk: Callable[..., Desk]) -> None:
    at = desk()
    at.open(BACH)
    window, roll = at.window, at.window.roll
    notes = part_notes(window.document.session, 0)
    tempo_map = window.document.session.tempo_map

    def place(start: float) -> int:
        tick = tempo_map.tick(start)
        return tick - tempo_map.bar_tick(tempo_map.bar_beat(tick)[0])

    for name, is_meant in (
        ("select pitch", lambda n: n.pitch == notes[0].pitch),
        ("select place", lambda n: place(n.start) == place(notes[0].start)),
        ("select track", lambda n: True),
    ):
        roll.set_selection([NoteRef("track:0", 0)])
        window.actions_[name].trigger()
        assert roll.selection == Selection({"track:0": [i for i, n in enumerate(notes) if is_meant(n)]})
        assert len(roll.selection) > 1
    at.answers.numbers = [50, 54]
    window.actions_["select velocities"].trigger()
    assert roll.selection.indices["track:0"].tolist() == [i for i, n in enumerate(notes) if 50 <= n.velocity <= 54]
