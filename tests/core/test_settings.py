import json
from dataclasses import fields, replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import WriteError
from core.live.outputs import BuiltInSynth, ExistingPort, MidiFileOutput, NoOutput, OutputChoice, VirtualPort
from core.session.export import SoundFormat
from core.session.knobs import Knobs
from core.session.session import GenerationSettings
from core.settings import MOST_RECENT, Preset, Settings, load_settings, save_settings, settings_path

ALL = Settings(
    output=ExistingPort("FLUID Synth"),
    channel=3,
    programs=True,
    recent=("/music/a.mid", "/music/Zwölf.continuo"),
    theme="dark",
    geometry="AAEC",
    layout="/w==",
    unfolded=("feel", "more"),
    presets=(Preset("Rain", Knobs(busy=-1), (Knobs(loud=2, gradual=("loud",)),)),),
    sound=SoundFormat(96000, 24, False),
    generation=GenerationSettings("big", 8.0, "bars", 0.7, 0.9, 5, True, 2, "auto", 2.0, 21, 108, "off", "flat"),
)
KEYS = [field.name for field in fields(Settings)]


@pytest.mark.parametrize("settings", [Settings(), ALL], ids=["defaults", "all"])
def test_what_is_saved_is_loaded(settings: Settings, tmp_path: Path) -> None:
    path = tmp_path / "new" / "settings.json"
    save_settings(settings, path)
    assert load_settings(path) == settings
    assert [p.name for p in path.parent.iterdir()] == ["settings.json"]


@pytest.mark.parametrize(
    ("output", "loaded"),
    [(VirtualPort("C"), VirtualPort("C")), (NoOutput(), NoOutput()), (MidiFileOutput(Path("x")), BuiltInSynth())],
    ids=["virtual port", "none", "recording"],
)
def test_outputs_are_remembered_and_recordings_are_not(
    output: OutputChoice, loaded: OutputChoice, tmp_path: Path
) -> None:
    save_settings(Settings(output=output), tmp_path / "s.json")
    assert load_settings(tmp_path / "s.json").output == loaded


def test_without_a_file_all_is_as_it_was_made(tmp_path: Path) -> None:
    assert load_settings(tmp_path / "none.json") == Settings()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"\xff\xfe", b"[" * 100_000, b" " * (2 << 20)])
def test_a_damaged_file_gives_defaults_and_is_kept_aside(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    path.write_bytes(data)
    assert load_settings(path) == Settings()
    assert [p.name for p in tmp_path.iterdir()] == ["settings.json.damaged"]
    assert (tmp_path / "settings.json.damaged").read_bytes() == data


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("value", [5e300, "\0", {"kind": "port", "name": 1}, {"length": 1}, [1], -1])
def test_one_damaged_value_costs_no_other(key: str, value: object, tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    save_settings(ALL, path)
    values = json.loads(path.read_text())
    path.write_text(json.dumps({**values, key: value}))
    assert load_settings(path) == replace(ALL, **{key: getattr(Settings(), key)})
    assert (tmp_path / "settings.json.damaged").exists()


def test_values_of_other_versions_are_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    path.write_text('{"theme": "light", "colour of the sky": "blue"}')
    assert load_settings(path) == Settings(theme="light")
    assert path.exists()


@given(st.dictionaries(st.sampled_from(KEYS), st.none() | st.floats() | st.text() | st.lists(st.text())))
def test_any_values_load(tmp_path_factory: pytest.TempPathFactory, values: dict[str, object]) -> None:
    path = tmp_path_factory.mktemp("any") / "settings.json"
    path.write_text(json.dumps(values))
    settings = load_settings(path)
    save_settings(settings, path)
    assert load_settings(path) == settings


def test_recent_files_are_few_and_each_once() -> None:
    settings = Settings()
    for i in range(20):
        settings = settings.with_recent(f"/music/{i}.mid")
    settings = settings.with_recent("/music/15.mid")
    assert len(settings.recent) == MOST_RECENT
    assert settings.recent[:3] == ("/music/15.mid", "/music/19.mid", "/music/18.mid")
    assert "/music/15.mid" not in settings.without_recent("/music/15.mid").recent


def test_where_they_lie_and_no_place_for_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert settings_path().name == "settings.json"
    (tmp_path / "file").write_text("")
    with pytest.raises(WriteError):
        save_settings(Settings(), tmp_path / "file" / "settings.json")
