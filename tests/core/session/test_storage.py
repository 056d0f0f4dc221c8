import io
import json
import struct
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import UnreadableInput, WriteError
from core.session import edits, storage
from core.session.forks import accept_take
from core.session.history import History
from core.session.knobs import Knobs
from core.session.session import DEFAULTS, GenerationSettings, Session, View
from core.session.storage import open_any, open_session, parse_session, save_session, session_bytes
from tests.core.session.sessions import TAKE, assert_sound, band, band_with_take, midi


def rich() -> Session:
    """A session with something of everything."""
    session = band_with_take().with_take(replace(TAKE, seed=1 << 62, name="Zwölf – ♪", starred=True, parent="p"))
    session = session.with_flags(0, mute=True).with_flags(1, solo=True, in_prompt=False).with_prompt_start(0.5)
    settings = GenerationSettings(
        "my model", 4.0, "bars", 0.8, 0.9, 7, True, 3, "D minor", 2.5, 40, 90, "1/8t", "human"
    )
    session = session.with_settings(settings).with_view(View(1.0, 9.5, 30, 90, False))
    session = edits.transpose(session, {0: [1], session.current: [0]}, 3).session
    return edits.delete(session, {2: [0, 1]}).session


def rich_and_accepted() -> Session:
    session = rich()
    return accept_take(session, session.current)


def with_knobs() -> Session:
    then = (Knobs(), Knobs(loud=-2, gradual=("loud",)))
    session = band_with_take().with_take(replace(TAKE, knobs=Knobs(busy=2, free=-1), then=then))
    return session.with_settings(replace(DEFAULTS, knobs=Knobs(loud=-2, bright=1)))


def with_bin() -> Session:
    history = History(band_with_take())
    history.do("Delete take", history.session.delete_takes([history.session.current]))
    return history.session


@pytest.mark.parametrize("make", [Session, band, band_with_take, rich, rich_and_accepted, with_bin, with_knobs])
def test_what_is_saved_is_opened_equal(make: Callable[[], Session], tmp_path: Path) -> None:
    session = make()
    path = tmp_path / "a.continuo"
    save_session(session, path)
    back = open_session(path)
    assert back == session
    assert_sound(back)
    assert open_any(path) == session
    assert parse_session(session_bytes(back), "b") == session


def test_a_midi_file_is_opened_as_a_new_session(tmp_path: Path) -> None:
    (tmp_path / "band.mid").write_bytes(midi())
    wish = GenerationSettings(temperature=0.5)
    assert open_any(tmp_path / "band.mid", wish) == replace(band(), settings=wish)


def test_a_saved_session_does_not_tell_where_its_files_lie() -> None:
    with zipfile.ZipFile(io.BytesIO(session_bytes(band()))) as archive:
        assert sorted(archive.namelist()) == ["score.mid", "session.json"]
        assert archive.read("score.mid") == midi()
        assert b"/music" not in archive.read("session.json")


def test_a_session_that_could_not_be_opened_again_is_not_saved(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storage, "MOST_BYTES", 500)
    with pytest.raises(WriteError, match="delete some of its takes"):
        session_bytes(band_with_take())


# Files of strangers


def packed(members: dict[str, bytes], **options: Any) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", options.get("compression", zipfile.ZIP_DEFLATED)) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return out.getvalue()


def members() -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(session_bytes(rich()))) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def changed(path: list[str | int], value: object) -> bytes:
    parts = members()
    session = json.loads(parts["session.json"])
    at = session
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = value
    return packed({**parts, "session.json": json.dumps(session).encode()})


def assert_refused(data: bytes, words: str = "") -> None:
    with pytest.raises(UnreadableInput) as error:
        parse_session(data, "odd.continuo")
    text = str(error.value)
    assert text.startswith('"odd.continuo" ')
    assert text.endswith(".")
    assert "\n" not in text
    assert len(text) < 200
    assert words in text


BAD_VALUES: list[object] = [
    None,
    "x",
    -1,
    1e300,
    1 << 70,
    float("nan"),
    float("inf"),
    [],
    {},
    [[]],
    True,
    "\ud800",
    [1e999],
]
PLACES: list[list[str | int]] = [
    ["format"],
    ["version"],
    ["name"],
    ["marker"],
    ["prompt_start"],
    ["settings"],
    ["tracks"],
    ["takes"],
    ["current"],
    ["settings", "temperature"],
    ["settings", "seed"],
    ["settings", "takes"],
    ["settings", "low"],
    ["settings", "model"],
    ["settings", "key_strength"],
    ["settings", "grid"],
    ["settings", "dynamics"],
    ["tracks", 0, "chunk"],
    ["tracks", 0, "mute"],
    ["tracks", 0, "notes"],
    ["takes", 0],
    ["takes", 0, "notes"],
    ["takes", 0, "events"],
    ["takes", 0, "seconds"],
    ["takes", 0, "marker"],
    ["takes", 0, "id"],
    ["takes", 0, "name"],
    ["takes", 0, "starred"],
    ["takes", 0, "created"],
    ["takes", 0, "notes", 0],
    ["takes", 0, "notes", 2],
    ["takes", 0, "notes", 3],
]
# What can be: nothing of these is damage.
POSSIBLE = [(["name"], "x"), (["tracks"], []), (["tracks", 0, "mute"], True), (["tracks", 0, "notes"], [])]
POSSIBLE += [(["takes", 0, "events"], []), (["takes", 0, "id"], "x"), (["takes", 0, "name"], "x")]
POSSIBLE += [(["takes", 0, "notes"], []), (["takes", 0, "starred"], True), (["settings", "model"], "x")]


@pytest.mark.parametrize("place", PLACES, ids=str)
def test_a_value_that_cannot_be_is_refused_in_one_sentence(place: list[str | int]) -> None:
    for value in BAD_VALUES:
        data = changed(place, value)
        try:
            session = parse_session(data, "odd.continuo")
        except UnreadableInput:
            assert_refused(data)
        else:
            assert (place, value) in POSSIBLE, f"{value!r} was taken"
            assert_sound(session)


def test_a_session_from_before_some_settings_opens_with_their_defaults() -> None:
    parts = members()
    session = json.loads(parts["session.json"])
    newer = ("key_strength", "grid", "dynamics")
    for name in newer:
        del session["settings"][name]
    back = parse_session(packed({**parts, "session.json": json.dumps(session).encode()}), "old.continuo")
    settings = replace(rich().settings, **{name: getattr(DEFAULTS, name) for name in newer})
    assert settings != rich().settings
    assert back == replace(rich(), settings=settings, takes=back.takes, current=back.current)


def test_a_session_from_before_takes_had_a_place_in_their_song_opens() -> None:
    parts = members()
    session = json.loads(parts["session.json"])
    for name in ("rest", "into", "drums"):
        session["settings"].pop(name, None)
    for take in session["takes"]:
        for name in ("end", "rest", "replaces", "parts", "note_parts"):
            take.pop(name, None)
    back = parse_session(packed({**parts, "session.json": json.dumps(session).encode()}), "old.continuo")
    whole = [replace(take, notes=tuple(replace(n, track=None, take="") for n in take.notes)) for take in rich().takes]
    assert [replace(take, id="", parent="") for take in back.takes] == [replace(t, id="", parent="") for t in whole]
    assert back.settings == rich().settings


def test_what_is_refused_is_said() -> None:
    assert_refused(b"", "damaged, or no Continuo session")
    assert_refused(b"MThd" + bytes(50), "damaged, or no Continuo session")
    assert_refused(session_bytes(rich())[:-40], "damaged, or no Continuo session")
    assert_refused(packed({"score.mid": midi()}), "it is no Continuo session")
    assert_refused(packed({"session.json": b"[1]"}), "damaged")
    assert_refused(packed({"session.json": b"\xff\xfe{"}), "damaged")
    assert_refused(changed(["version"], 2), "saved by a newer Continuo")
    assert_refused(packed({**members(), "score.mid": b"nothing"}), "damaged")
    only_json = members()
    del only_json["score.mid"]
    assert_refused(packed(only_json), "its tracks are not those of its score")
    assert_refused(changed(["takes", 1, "id"], json.loads(members()["session.json"])["takes"][0]["id"]), "mixed up")
    assert_refused(changed(["current"], "gone"), "mixed up")
    assert_refused(packed(members(), compression=zipfile.ZIP_BZIP2), "packed in a way")


def test_members_with_the_names_of_other_places_are_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    odd = {"../../outside": b"x", "/etc/continuo": b"x", "..\\x": b"x", "C:\\x": b"x"}
    back = parse_session(packed({**odd, **members()}), "odd.continuo")
    assert_sound(back)
    assert list(tmp_path.iterdir()) == []
    assert_refused(packed({"x/../session.json": members()["session.json"]}), "no Continuo session")


@pytest.mark.parametrize("name", ["session.json", "score.mid"])
def test_a_zip_bomb_is_not_unpacked(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import tracemalloc

    data = packed({**members(), name: bytes(200 << 20)})
    assert len(data) < 1 << 20
    tracemalloc.start()
    assert_refused(data, "too large to be a Continuo session")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 160 << 20


def test_a_member_that_lies_about_its_size_is_refused() -> None:
    data = bytearray(packed({**members(), "session.json": b" " * (80 << 20)}))
    size = struct.pack("<I", 80 << 20)
    while (at := data.find(size)) >= 0:
        data[at : at + 4] = struct.pack("<I", 100)
    assert_refused(bytes(data))


def test_many_members_and_deep_or_swarming_json_are_refused() -> None:
    assert_refused(packed({f"{i}": b"" for i in range(1000)}), "too many parts")
    assert_refused(packed({"session.json": b"[" * 1_000_000}))
    assert_refused(packed({"session.json": b"[" + b"{}," * 3_000_000 + b"{}]"}), "too large")
    assert_refused(packed({"session.json": b'{"version":' + b"9" * 100_000 + b"}"}), "impossible number")
    assert_refused(packed({"session.json": b'{"marker":NaN}'}), "impossible number")


def test_an_encrypted_member_is_refused() -> None:
    data = bytearray(packed(members()))
    for sign, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        place = -1
        while (place := data.find(sign, place + 1)) >= 0:
            data[place + at] |= 1
    assert_refused(bytes(data))


def test_a_view_that_cannot_be_costs_nobody_a_session() -> None:
    for value in (None, {"start": -5}, {"low": "x"}):
        assert parse_session(changed(["view"], value), "x").view == View()


@settings(max_examples=150)
@given(st.data())
def test_damaged_files_are_refused_in_one_sentence_or_read_soundly(data: st.DataObject) -> None:
    stored = packed(members(), compression=zipfile.ZIP_STORED)
    damaged = bytearray(stored)
    for _ in range(data.draw(st.integers(1, 5))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    damaged = damaged[: data.draw(st.integers(0, len(damaged)))] if data.draw(st.booleans()) else damaged
    try:
        assert_sound(parse_session(bytes(damaged), "odd.continuo"))
    except UnreadableInput:
        assert_refused(bytes(damaged))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=150)
@given(st.sampled_from(PLACES), json_values)
def test_any_value_anywhere_is_refused_or_read_soundly(place: list[str | int], value: object) -> None:
    data = changed(place, value)
    try:
        session = parse_session(data, "odd.continuo")
    except UnreadableInput:
        assert_refused(data)
    else:
        assert_sound(session)
        assert parse_session(session_bytes(session), "again") == session


def test_a_missing_or_too_large_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(UnreadableInput, match="There is no file"):
        open_session(tmp_path / "gone.continuo")
    with pytest.raises(UnreadableInput, match="is a folder, not a Continuo session"):
        open_session(tmp_path)
    with (tmp_path / "huge.continuo").open("wb") as file:
        file.truncate(65 << 20)
    with pytest.raises(UnreadableInput, match="larger than 64 MB"):
        open_session(tmp_path / "huge.continuo")


def test_a_bin_is_only_written_where_there_is_one_and_its_takes_are_no_others() -> None:
    def written(session: Session) -> dict[str, Any]:
        with zipfile.ZipFile(io.BytesIO(session_bytes(session))) as archive:
            return json.loads(archive.read("session.json"))

    assert "bin" not in written(band_with_take())
    assert len(written(with_bin())["bin"]) == 1
    mixed = replace(with_bin(), takes=with_bin().bin)
    with pytest.raises(UnreadableInput):
        parse_session(session_bytes(replace(mixed, bin=mixed.takes)), "mixed")
