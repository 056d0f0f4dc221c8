"""From the bundle in dist/Continuo to a .deb and a portable .tar.xz for Linux.

Sources: the Debian Policy Manual (control files, maintainer scripts through triggers), the Desktop Entry and
Shared MIME-info specifications, and the XDG icon theme specification.
"""

import gzip
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LINUX = Path(__file__).resolve().parent / "linux"
BUNDLE = ROOT / "dist" / "Continuo"
HOME = "usr/lib/continuo"  # where the bundle lies in the package
PROGRAMS = ("continuo", "continuo-cli")
# Libraries that are loaded by name, and so stand in no file's header: the X11, OpenGL and sound parts of the system.
BY_NAME = ("libegl1", "libgl1", "libasound2", "fonts-dejavu-core | fonts-liberation | fonts-noto-core")
ICON_SIZES = (48, 64, 128, 256, 512)
MEGABYTE = 1_000_000


# Of a bundle of 670 MB, 1, 3 and 6 made 223, 216 and 202 MB in 84, 290 and 521 s of processor time. xz's filter for x86
# code made parts of libtorch_cpu larger, by 4 and by 47 per cent.
XZ = "xz --threads=0 --lzma2=preset="


def make_tar(target: Path) -> None:
    """The bundle as one folder that runs from anywhere, with the files that a menu entry needs."""
    _write_tar(target, BUNDLE.parent, BUNDLE.name, preset="3")


def _write_tar(target: Path, folder: Path, name: str, preset: str) -> None:
    """A .tar.xz of one thing in a folder, its files in order and root's."""
    command = ["tar", "--create", "--file", target, "--use-compress-program", XZ + preset]
    owner = ["--owner=0", "--group=0", "--numeric-owner", "--sort=name", f"--mtime=@{_build_time()}"]
    subprocess.run([*command, *owner, "--exclude=./DEBIAN", "--directory", folder, name], check=True)


def maintainer() -> str:
    """Who is written to about the package: what a release sets in Debian's own variables, DEBFULLNAME and DEBEMAIL."""
    name = os.environ.get("DEBFULLNAME") or "The Continuo authors"
    return f"{name} <{os.environ.get('DEBEMAIL') or 'nobody@continuo.invalid'}>"


def make_deb(target: Path) -> None:
    """A Debian package of the bundle, with menu entry, icons and file types."""
    with tempfile.TemporaryDirectory(dir=ROOT / "build") as folder:
        tree = Path(folder, "continuo")
        shutil.copytree(BUNDLE, tree / HOME, symlinks=True)
        _install_system_files(tree)
        _set_modes(tree)
        control = tree / "DEBIAN" / "control"
        control.parent.mkdir()
        control.write_text(_control(tree))
        _md5sums(tree)
        members = [Path(folder, name) for name in ("debian-binary", "control.tar.xz", "data.tar.xz")]
        members[0].write_text("2.0\n")
        _write_tar(members[1], tree / "DEBIAN", ".", preset="6")
        _write_tar(members[2], tree, ".", preset="6,dict=64MiB")
        _write_ar(target, members)


def _write_ar(target: Path, members: list[Path]) -> None:
    """A Debian package of its three members, see deb(5). dpkg-deb knows no larger dictionary."""
    with target.open("wb") as out:
        out.write(b"!<arch>\n")
        for member in members:
            length = member.stat().st_size
            out.write(f"{member.name:<16}{_build_time():<12}{0:<6}{0:<6}{'100644':<8}{length:<10}`\n".encode())
            with member.open("rb") as data:
                shutil.copyfileobj(data, out)
            out.write(b"\n" * (length % 2))


def _install_system_files(tree: Path) -> None:
    """What lies outside the bundle's own folder."""
    for name in PROGRAMS:
        link = tree / "usr/bin" / name
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(f"../lib/continuo/{name}")
        _write_compressed(tree / f"usr/share/man/man1/{name}.1.gz", (LINUX / f"{name}.1").read_bytes())
    _copy(LINUX / "continuo.desktop", tree / "usr/share/applications/continuo.desktop")
    _copy(LINUX / "continuo.xml", tree / "usr/share/mime/packages/continuo.xml")
    _copy(LINUX / "lintian-overrides", tree / "usr/share/lintian/overrides/continuo")
    _copy(LINUX / "copyright", tree / "usr/share/doc/continuo/copyright")
    stamp = subprocess.run(["date", "-Ru", "-d", f"@{_build_time()}"], capture_output=True, text=True, check=True)
    entry = f"continuo ({version('continuo')}) unstable; urgency=medium\n\n  * See CHANGELOG.md of this version.\n\n"
    _write_compressed(
        tree / "usr/share/doc/continuo/changelog.gz", f"{entry} -- {maintainer()}  {stamp.stdout.strip()}\n".encode()
    )
    icons = tree / "usr/share/icons/hicolor"
    _copy(ROOT / "resources/icons/continuo.svg", icons / "scalable/apps/continuo.svg")
    from PIL import Image

    with Image.open(ROOT / "resources/icons/continuo.png") as picture:
        for size in ICON_SIZES:
            place = icons / f"{size}x{size}/apps/continuo.png"
            place.parent.mkdir(parents=True)
            picture.resize((size, size), Image.Resampling.LANCZOS).save(place, optimize=True)


def _control(tree: Path) -> str:
    fields = {
        "Package": "continuo",
        "Version": version("continuo"),
        "Section": "sound",
        "Priority": "optional",
        "Architecture": architecture(),
        "Maintainer": maintainer(),
        "Installed-Size": str(_size(tree) // 1024),
        "Depends": ", ".join(depends(_linked(tree))),
        "Description": (LINUX / "description").read_text().rstrip("\n"),
    }
    return "".join(f"{key}: {value}\n" for key, value in fields.items())


def depends(linked: list[str]) -> list[str]:
    """Those packages and the ones loaded by name, each once."""
    named = {package.split()[0] for package in linked}
    return linked + [package for package in BY_NAME if package.split()[0] not in named]


def _brought_along(tree: Path) -> list[str]:
    """The Debian packages of libraries that the bundle has a copy of."""
    names = [f"*/{file.name}" for file in (tree / HOME / "_internal").glob("*.so*") if not file.is_symlink()]
    found = subprocess.run(["dpkg-query", "-S", *names], capture_output=True, text=True, check=False).stdout
    return sorted({line.split(":")[0] for line in found.splitlines()})


def _linked(tree: Path) -> list[str]:
    """The Debian packages of the libraries that the bundle's own link to and do not bring along."""
    files = [file for file in sorted(tree.rglob("*")) if file.is_file() and not file.is_symlink() and _is_elf(file)]
    folders = sorted({str(file.parent) for file in files})
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "debian", "control")  # dpkg-shlibdeps wants one to stand beside
        source.parent.mkdir()
        source.write_text("Source: continuo\n\nPackage: continuo\nArchitecture: any\n")
        command = ["dpkg-shlibdeps", "-O", "--ignore-missing-info", "--warnings=0", "-xcontinuo"]
        # What the bundle brings itself is found here, and belongs to no package.
        command += [f"-l{name}" for name in folders]
        command += [f"-x{package}" for package in _brought_along(tree)]
        command += [f"-e{file}" for file in files]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"dpkg-shlibdeps fails:\n{done.stderr[-3000:]}")
    found = re.search(r"^shlibs:Depends=(.*)$", done.stdout, re.MULTILINE)
    return found.group(1).split(", ") if found else []


def _is_elf(file: Path) -> bool:
    with file.open("rb") as opened:
        return opened.read(4) == b"\x7fELF"


def _set_modes(tree: Path) -> None:
    """Programs may be run, libraries and data are only read, as Debian has it."""
    runnable = {tree / HOME / name for name in PROGRAMS} | {tree / HOME / "_internal/torch/bin/torch_shm_manager"}
    for path in tree.rglob("*"):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path in runnable else 0o644)


def _md5sums(tree: Path) -> None:
    lines = [
        f"{hashlib.md5(file.read_bytes(), usedforsecurity=False).hexdigest()}  {file.relative_to(tree)}\n"
        for file in sorted(tree.rglob("*"))
        if file.is_file() and not file.is_symlink() and "DEBIAN" not in file.parts
    ]
    (tree / "DEBIAN" / "md5sums").write_text("".join(lines))


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)


def _write_compressed(target: Path, data: bytes) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(gzip.compress(data, mtime=0))


def architecture() -> str:
    """What Debian calls this machine, such as amd64."""
    return subprocess.run(["dpkg", "--print-architecture"], capture_output=True, text=True, check=True).stdout.strip()


def _build_time() -> int:
    """Seconds since 1970 that packages are stamped with; SOURCE_DATE_EPOCH makes builds repeatable."""
    return int(os.environ.get("SOURCE_DATE_EPOCH", time.time()))


def _size(folder: Path) -> int:
    """Bytes of all files below a folder, links not followed."""
    return sum(file.lstat().st_size for file in folder.rglob("*") if file.is_symlink() or file.is_file())
