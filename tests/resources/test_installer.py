"""What is bundled and how it is packaged, without building anything: `make dist` does that."""

import ast
import configparser
import json
import os
import plistlib
import re
import shutil
import subprocess
import sys
from importlib.metadata import distribution, requires
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from xml.etree import ElementTree

import pytest

from desktop.association import SESSION_TYPE
from desktop.crash_report import LIBRARIES
from resources.installer import dist, licences, package_linux
from tests.conftest import WAIT

ROOT = Path(__file__).resolve().parents[2]
INSTALLER = ROOT / "resources" / "installer"


@pytest.fixture(scope="module")
def spec() -> dict[str, Any]:
    """build.spec's names, after it has run with an analysis that found a few files, and no build."""
    found = SimpleNamespace(
        scripts=[("pyi_rth_multiprocessing", "", ""), ("pyi_rth_pyside6", "", ""), ("start", "", "")],
        binaries=[("torch/bin/protoc", "", "BINARY"), ("torch/lib/libc10.so", "", "BINARY")],
        datas=[("pretty_midi/TimGM6mb.sf2", "", "DATA")],
        pure=[("mido", "", "PYMODULE")],
    )
    made = {"Analysis": found, "PYZ": None, "EXE": None, "COLLECT": None, "BUNDLE": None}
    names: dict[str, Any] = {"SPECPATH": str(ROOT), "calls": []}

    def stand_in(name: str) -> Any:
        return lambda *given, **named: names["calls"].append((name, given, named)) or made[name]

    names |= {name: stand_in(name) for name in made}
    code = (ROOT / "build.spec").read_text("utf-8")
    code = code[: code.index('if sys.platform == "linux":\n    strip_symbols')]  # what is done to a built folder
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(licences, "collect_licences", lambda analysis, work: [("resources/licences/x", "", "DATA")])
        patched.setattr(sys, "path", sys.path[:])
        exec(compile(code, "build.spec", "exec"), names)
    return names


def test_the_programs_share_one_folder(spec: dict[str, Any]) -> None:
    names = [named["name"] for name, _, named in spec["calls"] if name == "EXE"]
    assert names == (["continuo"] if sys.platform == "linux" else ["continuo", "continuo-cli"])
    (folder,) = [given for name, given, _ in spec["calls"] if name == "COLLECT"]
    assert [[entry[0] for entry in part] for part in folder[-2:]] == [["torch/lib/libc10.so"], ["resources/licences/x"]]


@pytest.mark.linux
def test_qt_is_not_loaded_by_what_every_program_starts_with(spec: dict[str, Any]) -> None:
    (scripts,) = [given[1] for name, given, _ in spec["calls"] if name == "EXE"]
    assert [entry[0] for entry in scripts] == ["pyi_rth_multiprocessing", "start"]


def test_a_report_of_a_problem_can_name_the_versions_of_the_libraries(spec: dict[str, Any]) -> None:
    folders = {folder.lower() for _, folder in spec["versions_reported"]()}
    assert all(any(folder.startswith(f"{name.lower().replace('-', '_')}-") for folder in folders) for name in LIBRARIES)


def test_torch_works_without_the_modules_and_sources_that_are_left_out(spec: dict[str, Any]) -> None:
    given = next(named for name, _, named in spec["calls"] if name == "Analysis")
    assert given["module_collection_mode"] == {"torch": "pyz"}  # no sources of torch but these
    sources = [file for file, folder in given["datas"] if folder.startswith("torch") and spec["is_kept"](folder)]
    assert 5 < len(sources) < 20
    site = Path(str(distribution("torch").locate_file("")))
    modules = [".".join(file.relative_to(site).with_suffix("").parts) for file in (site / "torch").rglob("*.py")]
    modules = [name.removesuffix(".__init__") for name in modules]
    left_out = [name for name in modules if spec["is_left_out"](name)] + given["excludes"]
    program = [sys.executable, "-W", "error::UserWarning", Path(__file__).with_name("as_bundled.py")]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    command = [*program, json.dumps(left_out), json.dumps(sources)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)
    assert done.stdout.strip() == "well", done.stderr[-3000:]


@pytest.mark.parametrize("package", ["hypothesis", "pytest", "matplotlib", "PIL"])
def test_what_developers_have_is_not_bundled(spec: dict[str, Any], package: str) -> None:
    pytest.importorskip(package)
    assert package in spec["packages_of_developers"]()


def test_what_torch_and_the_others_require_is_bundled(spec: dict[str, Any]) -> None:
    left_out = set(spec["excluded_modules"]())
    assert not left_out & {"torch", "sympy", "mpmath", "networkx", "_cffi_backend", "tinysoundfont", "six", "PySide6"}


def test_every_package_that_is_needed_stands_among_those_the_program_is_built_on(spec: dict[str, Any]) -> None:
    told = (ROOT / "THIRD_PARTY.md").read_text("utf-8").partition("## For development only")[0]
    names = set(re.split(r"[\s|,()]+", told.lower().replace("_", "-")))
    assert spec["packages_needed"]() - {"continuo", "setuptools"} <= names  # setuptools is left out of the bundle


def test_libraries_of_the_system_are_left_to_it_but_for_a_few(spec: dict[str, Any]) -> None:
    def stays(name: str) -> bool:
        return spec["trimmed"]([(name, f"/lib/x86_64-linux-gnu/{name}", "BINARY")]) == []

    assert all(map(stays, ("libstdc++.so.6", "libglib-2.0.so.0", "libX11.so.6", "libasound.so.2", "libreadline.so.8")))
    assert not any(map(stays, ("libxcb-cursor.so.0", "libssl.so.3", "libxkbcommon-x11.so.0", "libpython3.11.so.1.0")))
    own = ("python3.11/lib-dynload/_ssl.so", "/usr/lib/python3.11/lib-dynload/_ssl.so", "EXTENSION")
    assert spec["trimmed"]([own]) == [own]


def test_modules_are_left_out_with_all_below_them(spec: dict[str, Any]) -> None:
    names = ("torch.utils", "torch.utils.benchmark", "torch.utils.benchmark.utils.timer", "torch.utils.benchmarks")
    kept = spec["trimmed_modules"]([(name, "", "PYMODULE") for name in names])
    assert [entry[0] for entry in kept] == ["torch.utils", "torch.utils.benchmarks"]


def test_all_that_the_program_finds_is_bundled_and_nothing_else(spec: dict[str, Any]) -> None:
    bundled = {f"{folder}/{Path(file).name}" for file, folder in spec["data_files"]()}
    for pattern in ("models/*.[!m]*", "soundfont/*.sf3", "examples/*.mid", "icons/buttons/*.svg"):
        files = list((ROOT / "resources").glob(pattern))
        assert files
        assert {str(file.relative_to(ROOT)) for file in files} <= bundled
    assert {"resources/soundfont/COPYRIGHT", "resources/models/track-assignment.npz"} <= bundled
    words = ("encoder.safetensors", "vocabulary.txt", "anchors.safetensors", "frequent.txt", "english.txt")
    words += ("LICENSE-Apache-2.0.txt", "LICENSE-SCOWL.txt")
    assert {f"resources/words/{name}" for name in words} <= bundled
    assert not [name for name in bundled if name.endswith((".py", ".pt", ".nsi"))]


@pytest.mark.parametrize(
    "place",
    [
        "pretty_midi/TimGM6mb.sf2",
        "torch/include/ATen/ATen.h",
        "torch/bin/protoc",
        "torch/test",
        "PySide6/Qt/plugins/platforms/libqeglfs.so",
        "PySide6/Qt/lib/libQt6Quick.so.6",
        "PySide6/Qt/translations/qtbase_de.qm",
        "numpy/f2py/src/fortranobject.c",
        "torch/testing/_internal/common_utils.py",
        "torch/_inductor/codegen/cpp.py",
    ],
)
def test_what_is_left_out(spec: dict[str, Any], place: str) -> None:
    assert not spec["is_kept"](place)
    assert not spec["is_kept"](place.replace("/", "\\"))  # as Windows writes it


@pytest.mark.parametrize(
    "place",
    [
        "torch/bin/torch_shm_manager",
        "torch/lib/libtorch_cpu.so",
        "PySide6/Qt/plugins/platforms/libqxcb.so",
        "PySide6/Qt/plugins/platforms/libqwayland.so",
        "PySide6/Qt/plugins/platforms/libqoffscreen.so",
        "PySide6/Qt/plugins/platforms/qwindows.dll",
        "PySide6/Qt/lib/libQt6Svg.so.6",
        "PySide6/QtSvg.abi3.so",
        "msgspec/_core.cpython-311-x86_64-linux-gnu.so",
        "resources/models/track-assignment.npz",
        "resources/icons/buttons/play.svg",
        "PySide6/Qt/lib/libQt6Network.so.6",
        "python_rtmidi.libs/libjack-6e39b8d0.so.0.1.0",
        "resources/models/continuo-base.safetensors",
        "torch/testing/_comparison.py",
    ],
)
def test_what_is_kept(spec: dict[str, Any], place: str) -> None:
    assert spec["is_kept"](place)


def test_nothing_that_is_imported_is_left_out(spec: dict[str, Any]) -> None:
    imported = set()
    for file in (*(ROOT / "core").rglob("*.py"), *(ROOT / "desktop").rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                imported |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                imported.add(node.module.split(".")[0])
    assert imported & set(spec["excluded_modules"]()) <= {"matplotlib"}  # pictures of training


@pytest.mark.posix
@pytest.mark.parametrize("program", ["continuo", "continuo-cli"])
def test_the_name_it_is_called_by_says_which_program_starts(program: str, tmp_path: Path) -> None:
    link = tmp_path / program
    link.symlink_to(INSTALLER / "start.py")
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, link, "--version"]
    said = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=WAIT, check=True)
    assert said.stdout.lower().startswith(f"{program} ")


def test_every_package_that_is_needed_comes_with_the_text_of_its_licence(tmp_path: Path) -> None:
    names = [requirement.split(";")[0] for requirement in requires("continuo") or () if "extra ==" not in requirement]
    bare = [name.translate(str.maketrans("<>=~!", "     ")).split()[0] for name in names]
    for name in (*bare, "tinysoundfont", "shiboken6", "sympy"):
        entry = licences._package(distribution(name), tmp_path)
        assert len((tmp_path / entry["text"]).read_text("utf-8")) > 300, name
        assert entry["licence"] != "see text", name
    assert "GNU LESSER GENERAL PUBLIC LICENSE" in (tmp_path / "PySide6_Essentials.txt").read_text("utf-8")


def test_a_package_without_the_text_of_its_licence_stops_the_build(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="without the text"):
        licences._entry(tmp_path, "thing", "1.0", "MIT", [])


def test_linux_opens_midi_files_and_sessions_with_it() -> None:
    entry = configparser.ConfigParser(interpolation=None)
    entry.read(INSTALLER / "linux" / "continuo.desktop")
    assert entry["Desktop Entry"]["Exec"] == "continuo %f"
    assert {"audio/midi", SESSION_TYPE} <= set(entry["Desktop Entry"]["MimeType"].split(";"))
    types = ElementTree.parse(INSTALLER / "linux" / "continuo.xml")
    assert [node.get("type") for node in types.getroot()] == [SESSION_TYPE]


def test_macos_opens_midi_files_and_sessions_with_it_and_asks_for_no_microphone() -> None:
    info = plistlib.loads((INSTALLER / "macos" / "Info.plist").read_bytes())
    opened = [kind for entry in info["CFBundleDocumentTypes"] for kind in entry["LSItemContentTypes"]]
    assert opened == ["org.continuo.session", "public.midi-audio"]
    rights = plistlib.loads((INSTALLER / "macos" / "entitlements.plist").read_bytes())
    assert not [right for right in (*rights, *info) if "audio-input" in right or "Microphone" in right]


def test_the_non_commercial_model_is_labelled_in_the_installers_texts() -> None:
    for text in ("terms.txt", "linux/description", "linux/copyright", "windows/continuo.nsi", "macos/Info.plist"):
        words = " ".join((INSTALLER / text).read_text("utf-8").lower().split())
        assert "not for commercial use" in words, text


@pytest.mark.posix
@pytest.mark.skipif(not shutil.which("xz"), reason="the unpacker for Linux needs xz")
def test_an_archive_in_parts_is_put_together_again(tmp_path: Path) -> None:
    bundle = tmp_path / "Continuo"
    bundle.mkdir()
    data = bytes(range(256)) * 40
    (bundle / "größe.bin").write_bytes(data)
    out = tmp_path / "out here"
    out.mkdir()
    *parts, unpacker = dist.split_archive(bundle, out, part=100)
    assert len(parts) > 1
    assert all(part.stat().st_size <= 100 for part in parts)
    subprocess.run(["sh", unpacker, tmp_path / "there"], check=True, capture_output=True)
    assert (tmp_path / "there" / "Continuo" / "größe.bin").read_bytes() == data


@pytest.mark.skipif(not shutil.which("makensis"), reason="NSIS is not installed")
def test_the_installer_for_windows_compiles(tmp_path: Path) -> None:
    pytest.importorskip("PIL")
    bundle = tmp_path / "Continuo"
    (bundle / "_internal").mkdir(parents=True)
    for name in ("continuo.exe", "continuo-cli.exe", "_internal/python.dll"):
        (bundle / name).write_bytes(b"MZ")
    assert dist.windows_installer(bundle, tmp_path).stat().st_size > 50_000


def test_each_package_that_the_deb_needs_is_named_once() -> None:
    named = package_linux.depends(["libc6 (>= 2.35)", "libegl1", "libasound2 (>= 1.0.16)"])
    assert named[:3] == ["libc6 (>= 2.35)", "libegl1", "libasound2 (>= 1.0.16)"]
    assert [name.split()[0] for name in named[3:]] == ["libgl1", "fonts-dejavu-core"]


@pytest.mark.linux
@pytest.mark.skipif(not shutil.which("dpkg-deb"), reason="dpkg is Debian's")
def test_the_deb_is_one_that_dpkg_reads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bundle = tmp_path / "Continuo"
    (bundle / "_internal").mkdir(parents=True)
    (bundle / "continuo").write_bytes(bytes(range(256)) * 100)
    (bundle / "continuo-cli").symlink_to("continuo")
    monkeypatch.setattr(package_linux, "BUNDLE", bundle)
    monkeypatch.setattr(package_linux, "_linked", lambda tree: ["libc6 (>= 2.36)"])
    for name, value in (("DEBFULLNAME", "Anna Magdalena"), ("DEBEMAIL", "anna@example.org")):
        monkeypatch.setenv(name, value)
    (ROOT / "build").mkdir(exist_ok=True)
    package_linux.make_deb(tmp_path / "continuo.deb")

    def read(*what: str | Path) -> str:
        return subprocess.run(["dpkg-deb", *what], capture_output=True, text=True, check=True).stdout

    assert read("-f", tmp_path / "continuo.deb", "Maintainer").strip() == "Anna Magdalena <anna@example.org>"
    read("--extract", tmp_path / "continuo.deb", tmp_path / "out")
    out = tmp_path / "out" / "usr"
    assert (out / "bin" / "continuo").read_bytes() == (bundle / "continuo").read_bytes()
    assert (out / "share" / "applications" / "continuo.desktop").is_file()
    assert not (tmp_path / "out" / "DEBIAN").exists()
    listed = [line.split() for line in read("--contents", tmp_path / "continuo.deb").splitlines()]
    assert {entry[1] for entry in listed} == {"root/root"} or {entry[1] for entry in listed} == {"0/0"}
