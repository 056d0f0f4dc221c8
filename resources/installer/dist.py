"""`make dist`: build the bundle, then package it for the system this runs on. What it makes lies in dist/.

    python -m resources.installer.dist             build and package
    python -m resources.installer.dist package     package the bundle that is there

Where torch is a CUDA build, the bundle is larger than an installer or a file of a release may be: it becomes an
archive in parts, with a small program that puts them together (see split_archive).
"""

import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import BinaryIO

ROOT = Path(__file__).resolve().parents[2]
INSTALLER = Path(__file__).resolve().parent
DIST = ROOT / "dist"
BUNDLE = DIST / "Continuo"
PART = 1_900_000_000  # bytes; a file of a release may have 2 GiB, as may an NSIS installer
MEGABYTE = 1_000_000


def main(arguments: list[str]) -> None:
    """Build, package, and print sizes and times."""
    if arguments != ["package"]:
        _timed("bundle", build)
    print(f"The bundle in {BUNDLE} has {size(BUNDLE) / MEGABYTE:.0f} MB.", flush=True)
    for old in (*DIST.glob("Continuo-*"), *DIST.glob("continuo_*"), DIST / "SHA256SUMS"):
        if old.is_file():
            old.unlink()
    _timed("packages", package)
    made = [file for file in sorted(DIST.iterdir()) if file.is_file()]
    for file in made:
        print(f"{file.stat().st_size / MEGABYTE:8.1f} MB  {file.name}")
    sums = "".join(f"{_sha256(file)}  {file.name}\n" for file in made)
    (DIST / "SHA256SUMS").write_text(sums)


def build() -> None:
    """PyInstaller, with its cache of the run before.

    The archive of Python modules stays uncompressed: packages pack it far better, and modules are imported sooner.
    """
    spec = [str(ROOT / "build.spec"), "--noconfirm", "--log-level", "WARN"]
    environment = {**os.environ, "PYINSTALLER_ZLIB_COMPRESSION_LEVEL": "0"}
    subprocess.run([sys.executable, "-m", "PyInstaller", *spec], cwd=ROOT, env=environment, check=True)


def package() -> None:
    """What this system's users install."""
    if size(BUNDLE) > PART:
        split_archive()
    elif sys.platform == "linux":
        from resources.installer.package_linux import architecture, make_deb, make_tar

        make_deb(DIST / f"continuo_{version('continuo')}_{architecture()}.deb")
        make_tar(DIST / f"Continuo-{version('continuo')}-linux-{_machine()}.tar.xz")
    elif sys.platform == "darwin":
        subprocess.run([INSTALLER / "macos" / "package.sh", version("continuo")], check=True)
    else:
        windows_installer()


def windows_installer(bundle: Path = BUNDLE, out: Path = DIST) -> Path:
    """The installer made by NSIS, which must be on the PATH (on Linux, Debian's package nsis)."""
    from PIL import Image

    icon = out / "continuo.ico"
    with Image.open(ROOT / "resources" / "icons" / "continuo.png") as picture:
        picture.save(icon, sizes=[(16, 16), (24, 24), (32, 32), (48, 48), (64, 64), (256, 256)])
    target = out / f"Continuo-{version('continuo')}-setup.exe"
    given = {
        "VERSION": version("continuo"),
        "BUNDLE": bundle,
        "ICON": icon,
        "TERMS": INSTALLER / "terms.txt",
        "OUT": target,
    }
    options = [f"-D{name}={value}" for name, value in given.items()]
    subprocess.run(["makensis", "-V2", "-WX", *options, INSTALLER / "windows" / "continuo.nsi"], check=True)
    icon.unlink()
    return target


def split_archive(bundle: Path = BUNDLE, out: Path = DIST, part: int = PART) -> list[Path]:
    """A .tar.xz of the bundle in numbered parts, and the unpacker beside them."""
    name = f"Continuo-{version('continuo')}-{sys.platform}-{_machine()}-cuda"
    whole = out / f"{name}.tar.xz"
    with tarfile.open(whole, "w:xz", preset=3) as archive:
        archive.add(bundle, "Continuo")
    parts: list[Path] = []
    with whole.open("rb") as source:
        while source.tell() < whole.stat().st_size:
            parts.append(out / f"{whole.name}.{len(parts) + 1:03}")
            with parts[-1].open("wb") as target:
                _copy(source, target, part)
    whole.unlink()
    unpacker = INSTALLER / ("windows/unpack.cmd" if sys.platform == "win32" else "linux/unpack.sh")
    return [*parts, Path(shutil.copy(unpacker, out / f"{name}-{unpacker.name}"))]


def _copy(source: BinaryIO, target: BinaryIO, length: int) -> None:
    while length > 0 and (piece := source.read(min(length, 1 << 20))):
        target.write(piece)
        length -= len(piece)


def size(folder: Path) -> int:
    """Bytes of all files below a folder, links not followed."""
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_symlink() or path.is_file())


def _sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _machine() -> str:
    return platform.machine().lower()


def _timed(what: str, work: Callable[[], None]) -> None:
    start = time.monotonic()
    work()
    print(f"{what}: {time.monotonic() - start:.0f} s", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
