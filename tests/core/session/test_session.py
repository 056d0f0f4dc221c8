from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import UnreadableInput, UsageError
from core.session import edits
from core.session.history import MOST_UNDONE, History
from core.session.session import DEFAULTS, LATEST, GenerationSettings, Session, TakeRecord, View, open_midi
from core.session.storage import parse_session, session_bytes
from tests.core.session.sessions import TAKE, assert_sound, band, band_with_take, midi


def test_a_new_session_on_a_file(tmp_path: Path) -> None:
    path = tmp_path / "band.mid"
    path.write_bytes(midi())
    session = open_midi(path)
    assert session == band()
    assert session.source == str(path)
    assert session.midi == midi()
    assert session.prompt_indices == (0, 1)
    assert [t.name for t in session.prompt_tracks] == ["Piano", "Bass"]
    # The last note ends at tick 1920, the next bar line of 3/4 is at 2880: 3 quarters at 0.6 s, 3 at 0.4 s.
    assert session.marker == session.default_marker == pytest.approx(3 * 0.6 + 3 * 0.4)
    assert_sound(session)


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(UnreadableInput, match=r'There is no file ".*gone.mid"'):
        open_midi(tmp_path / "gone.mid")


def test_nothing_at_all_is_a_session_too() -> None:
    session = Session()
    assert session.prompt_tracks == ()
    assert session.marker == session.default_marker == 0.0
    assert session.current_take is None
    with_take = session.with_take(TAKE)
    assert_sound(with_take)
    assert with_take.current_take is not None
    assert with_take.current_take.name == "Take 1"


def test_tracks_are_heard_by_mute_and_solo_and_drums_are_never_in_the_prompt() -> None:
    session = band()
    assert session.audible_tracks == (0, 1, 2)
    assert session.with_flags(0, mute=True).audible_tracks == (1, 2)
    soloed = session.with_flags(1, solo=True).with_flags(2, solo=True, mute=True)
    assert soloed.audible_tracks == (1,)
    assert session.with_flags(2, in_prompt=True) == session
    assert session.with_flags(0, in_prompt=False).prompt_indices == (1,)
    assert session.with_flags(0, in_prompt=False).with_flags(0, in_prompt=True) == session


def test_the_prompts_start_never_lies_behind_the_marker() -> None:
    session = band().with_prompt_start(1.5)
    assert session.prompt_start == 1.5
    assert session.with_marker(1.0).prompt_start == 1.0
    assert session.with_prompt_start(99.0).prompt_start == session.marker
    assert session.with_marker(-1.0).marker == 0.0
    assert session.with_marker(1.0).with_marker(None).marker == band().marker
    with pytest.raises(UsageError):
        session.with_marker(float("nan"))


def test_a_marker_behind_a_note_at_the_end_of_a_week_can_be_saved() -> None:
    session = band()
    session = edits.nudge(session, {0: [0]}, 1e12).session.with_marker(None)
    assert session.marker == LATEST
    assert parse_session(session_bytes(session), "x") == session


def test_the_life_of_takes() -> None:
    session = band().with_take(TAKE).with_take(replace(TAKE, seed=18)).with_take(TAKE, select=False)
    first, second, third = (take.id for take in session.takes)
    assert [take.name for take in session.takes] == ["Take 1", "Take 2", "Take 3"]
    assert session.current == second
    session = session.rename_take(second, "  The\nslow one ").star_take(third, True)
    assert [(t.name, t.starred) for t in session.takes[1:]] == [("The slow one", False), ("Take 3", True)]
    copied = session.duplicate_take(third)
    assert [t.name for t in copied.takes][2:] == ["Take 3", "Take 3 copy"]
    assert copied.current == copied.takes[3].id not in (first, second, third)
    assert copied.takes[3].notes is copied.takes[2].notes
    assert session.delete_takes([second]).current == third
    assert session.delete_takes([second, third]).current == first
    assert session.delete_takes([first, second, third]).current == ""
    assert session.delete_takes([first]).current == second
    assert session.select_take("").current_take is None
    assert session.delete_takes([third]).with_take(TAKE).takes[-1].name == "Take 2"


def test_what_is_not_there_cannot_be_changed() -> None:
    session = band_with_take()
    for change in (session.take, session.duplicate_take, session.select_take):
        with pytest.raises(UsageError, match="no longer there"):
            change("gone")
    with pytest.raises(UsageError, match="needs a name"):
        session.rename_take(session.current, " \n")
    with pytest.raises(UsageError, match="there already"):
        session.with_take(replace(TAKE, id=session.current))


def test_a_takes_notes_are_put_in_order_and_its_length_holds_them() -> None:
    take = TakeRecord(notes=tuple(reversed(TAKE.notes)), seconds=1.0)
    added = Session().with_take(take).takes[0]
    assert added.notes == TAKE.notes
    assert added.seconds == 4.5


@pytest.mark.parametrize(
    "values",
    [
        {"length": 0},
        {"length": float("nan")},
        {"temperature": 11},
        {"top_p": 0},
        {"takes": 17},
        {"key_strength": 21},
        {"seed": -1},
        {"low": 60, "high": 59},
        {"high": 128},
        {"unit": "hours"},
    ],
)
def test_impossible_settings_are_refused(values: dict[str, float]) -> None:
    with pytest.raises(UsageError):
        GenerationSettings(**values)  # type: ignore[arg-type]


def test_history_names_what_it_undoes() -> None:
    first, second, third = band(), band().with_marker(1.0), band().with_marker(2.0)
    history = History(first)
    assert (history.undo_name, history.redo_name, history.is_changed) == ("", "", False)
    history.do("Move marker", second)
    history.do("Nothing", replace(second))
    history.do("Move it again", third)
    assert (history.undo_name, history.redo_name, history.is_changed) == ("Move it again", "", True)
    assert history.undo() == "Move it again"
    assert (history.session, history.redo_name) == (second, "Move it again")
    assert history.undo() == "Move marker"
    assert not history.is_changed
    assert history.undo() == ""
    assert history.redo() == "Move marker"
    history.do("Mute", second.with_flags(0, mute=True))
    assert history.redo() == ""
    assert history.undo() == "Mute"


def test_the_steps_of_one_drag_are_one() -> None:
    history = History(band())
    for i in range(5):
        history.do("Move marker", band().with_marker(i / 10), merge="marker")
    history.do("Mute", history.session.with_flags(0, mute=True))
    history.do("Move marker", history.session.with_marker(3.0), merge="marker")
    assert [history.undo() for _ in range(4)] == ["Move marker", "Mute", "Move marker", ""]
    assert history.session == band()


def test_after_a_redo_a_drag_is_a_step_of_its_own() -> None:
    history = History(band())
    history.do("Move marker", band().with_marker(1.0), merge="marker")
    history.undo()
    history.redo()
    history.do("Move marker", band().with_marker(2.0), merge="marker")
    history.undo()
    assert history.session.marker == 1.0


def test_saving_is_remembered_through_undo_and_scrolling_is_no_change() -> None:
    history = History(band())
    history.do("Mute", band().with_flags(0, mute=True))
    history.mark_saved()
    history.amend(history.session.with_view(View(start=5.0)))
    assert not history.is_changed
    history.undo()
    assert history.is_changed
    history.redo()
    assert not history.is_changed
    assert history.session.view.start == 5.0


def test_settings_are_no_steps_and_are_not_taken_back() -> None:
    history = History(band())
    history.do("Mute", history.session.with_flags(0, mute=True))
    history.amend(history.session.with_settings(replace(DEFAULTS, temperature=0.5)))
    history.undo()
    assert history.session == band().with_settings(replace(DEFAULTS, temperature=0.5))
    assert not history.is_changed
    history.amend(history.session.with_settings(replace(DEFAULTS, top_p=0.5)))
    assert history.redo() == "Mute"
    assert history.session.settings == replace(DEFAULTS, top_p=0.5)
    assert history.is_changed


def test_a_recovered_session_is_to_be_saved() -> None:
    assert History(band(), is_saved=False).is_changed


def test_history_has_an_end() -> None:
    history = History(Session())
    for i in range(MOST_UNDONE + 10):
        history.do("Move", Session().with_marker(i + 1.0))
    count = 0
    while history.undo():
        count += 1
    assert count == MOST_UNDONE
    assert history.session.marker == 10.0


def test_a_take_that_leaves_the_list_lies_in_the_bin_outside_of_undo() -> None:
    history = History(band_with_take())
    first = history.session.takes[0]
    history.do("Continue", history.session.with_take(replace(TAKE, seed=5)))
    second = history.session.takes[1]
    history.undo()
    assert (history.session.takes, history.session.bin) == ((first,), (second,))
    history.do("Mute", history.session.with_flags(0, mute=True))  # there is nothing to redo any more
    history.do("Delete take", history.session.delete_takes([first.id]))
    assert history.session.bin == (second, first)
    history.undo()
    assert (history.session.takes, history.session.bin) == ((first,), (second,))
    history.do("Bring back take", history.session.restore_take(second.id))
    assert (history.session.takes, history.session.bin) == ((first, second), ())
    assert history.session.current == second.id
    history.undo()
    assert history.session.bin == (second,)
    assert history.redo() == "Bring back take"
    assert history.session.takes[1] is second


def test_redo_brings_back_the_same_take_and_what_was_saved_is_saved_again() -> None:
    history = History(band())
    history.do("Continue", history.session.with_take(TAKE))
    take = history.session.takes[0]
    history.mark_saved()
    history.undo()
    assert history.session.bin == (take,)
    assert history.is_changed
    history.redo()
    assert (history.session.takes, history.session.bin) == ((take,), ())
    assert not history.is_changed


def test_an_emptied_bin_stays_empty() -> None:
    history = History(band_with_take())
    history.do("Delete take", history.session.delete_takes([history.session.current]))
    history.do("Mute", history.session.with_flags(0, mute=True))
    history.mark_saved()
    history.amend(history.session.with_empty_bin(), is_saved=False)
    assert history.is_changed
    history.undo()
    assert history.session.bin == ()


@given(st.lists(st.sampled_from(["take", "delete", "undo", "redo", "restore", "mute"]), max_size=30))
def test_no_order_of_steps_loses_a_take(steps: list[str]) -> None:
    history = History(band())
    made: set[str] = set()
    for step in steps:
        session = history.session
        if step == "take":
            history.do(step, session.with_take(TAKE))
            made.add(history.session.current)
        elif step == "delete":
            history.do(step, session.delete_takes([session.current]))
        elif step == "restore" and session.bin:
            history.do(step, session.restore_take(session.bin[0].id))
        elif step == "mute":
            history.do(step, session.with_flags(0, mute=not session.flags[0].mute))
        elif step in ("undo", "redo"):
            getattr(history, step)()
        ids = [take.id for take in (*history.session.takes, *history.session.bin)]
        assert sorted(ids) == sorted(made)


def test_no_number_is_given_twice() -> None:
    history = History(band())

    def taken() -> str:
        history.do("Continue", history.session.with_take(TAKE))
        return history.session.takes[-1].name

    assert taken() == "Take 1"
    history.undo()
    assert taken() == "Take 2"
    history.do("Rename take", history.session.rename_take(history.session.current, "The calm one"))
    assert taken() == "Take 3"
    history.do("Delete take", history.session.delete_takes([history.session.current]))
    history.amend(history.session.with_empty_bin(), is_saved=False)
    assert parse_session(session_bytes(history.session), "numbers") == history.session
    assert history.session.numbers == 3
    assert taken() == "Take 4"
    history.undo()
    history.undo()
    history.undo()
    assert taken() == "Take 5"


def test_numbers_that_names_tell_are_not_kept_beside_them() -> None:
    history = History(band_with_take())
    history.do("Delete take", history.session.delete_takes([history.session.current]))
    history.do("Continue", history.session.with_take(TAKE))
    assert history.session.numbers == 0
    assert history.session.next_names(2) == ["Take 3", "Take 4"]
