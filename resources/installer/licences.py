"""The licences of everything that a bundle holds, with their texts, as files of the bundle.

`resources/licences/index.json` lists name, version, licence and text file; the About dialog shows them.
"""

import json
import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterable, Sequence
from importlib.metadata import Distribution, distribution, packages_distributions
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
FOLDER = "resources/licences"  # in the bundle
TEXT = re.compile(r"(licen[cs]e|copying|notice|copyright)", re.IGNORECASE)
CODE = (".py", ".pyc", ".h")
QT_TEXTS = ("qt-notice.txt", "LGPL-3.0.txt", "GPL-3.0.txt")  # which its packages come without
OURS = "continuo"
Entry = tuple[str, str, str]  # PyInstaller's: place in the bundle, source, kind


def collect_licences(analysis: Any, work: Path) -> list[Entry]:
    """Write the texts of all that PyInstaller's `analysis` has found into `work`; entries for the bundle."""
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    names = {entry[0].replace("\\", "/") for entry in (*analysis.pure, *analysis.binaries, *analysis.datas)}
    index = [_python(work)]
    for name in _distributions(names):
        index.append(_package(distribution(name), work))
    index.append(_words(work))
    index += _system_libraries([entry[1] for entry in analysis.binaries], work)
    (work / "index.json").write_text(json.dumps(index, indent=1, ensure_ascii=False), encoding="utf-8")
    return [(f"{FOLDER}/{file.name}", str(file), "DATA") for file in sorted(work.iterdir())]


def _distributions(names: Iterable[str]) -> list[str]:
    """The installed packages that modules and files of these names belong to."""
    tops = {re.split(r"[./]", name)[0] for name in names}
    found = {package for top, packages in packages_distributions().items() if top in tops for package in packages}
    return sorted((name for name in found if name != OURS), key=str.lower)


def _package(package: Distribution, work: Path) -> dict[str, str]:
    """One installed package's entry; its texts, in one file, are those of its own release."""
    name = package.metadata["Name"]
    files = [file for file in package.files or () if TEXT.search(file.name) and file.suffix not in CODE]
    texts = [Path(str(file.locate())).read_text("utf-8", errors="replace") for file in files]
    if name.lower().startswith(("pyside6", "shiboken6")):
        texts = [(HERE / "licences" / file).read_text("utf-8") for file in QT_TEXTS]
    return _entry(work, name, package.version, _licence_name(package), texts)


def _licence_name(package: Distribution) -> str:
    """What the package's metadata say: an SPDX expression, a short text, or the trove classifier."""
    stated: dict[str, Any] = package.metadata.json
    for key in ("license_expression", "license"):
        value = str(stated.get(key) or "").strip()
        if value and "\n" not in value and len(value) < 120:
            return value
    trove = [line.rsplit(" :: ", 1)[-1] for line in stated.get("classifier") or () if line.startswith("License ::")]
    return ", ".join(trove) or "see text"


def _python(work: Path) -> dict[str, str]:
    version = ".".join(map(str, sys.version_info[:3]))
    places = (Path(sysconfig.get_path("stdlib")) / "LICENSE.txt", Path(sys.base_prefix) / "LICENSE.txt")
    texts = [place.read_text("utf-8") for place in places if place.is_file()][:1]
    return _entry(work, "Python", version, "PSF-2.0", texts)


def _words(work: Path) -> dict[str, str]:
    """The encoder of words, which is no package here; its licence wants its text to be given along."""
    text = (HERE.parent / "words" / "LICENSE-Apache-2.0.txt").read_text("utf-8")
    return _entry(work, "all-MiniLM-L6-v2", "in 8 bits", "Apache-2.0", [text])


def _system_libraries(sources: Sequence[str], work: Path) -> list[dict[str, str]]:
    """The libraries that PyInstaller took from a Debian system, by its packages; nothing on other systems."""
    if not shutil.which("dpkg-query"):
        return []
    paths = sorted({str(Path(source).resolve()) for source in sources if source.startswith(("/lib", "/usr/lib"))})
    owners: set[str] = set()
    for path in paths:
        # Where /lib is a link to /usr/lib, dpkg may know the file by either name.
        for name in (path, path.removeprefix("/usr")):
            asked = subprocess.run(["dpkg-query", "-S", name], capture_output=True, text=True, check=False)
            if asked.returncode == 0:
                owners.add(asked.stdout.split(":")[0])
                break
    return [_debian(owner, work) for owner in sorted(owners)]


def _debian(package: str, work: Path) -> dict[str, str]:
    shown = subprocess.run(["dpkg-query", "-W", "-f=${Version}", package], capture_output=True, text=True, check=True)
    text = Path("/usr/share/doc", package, "copyright").read_text("utf-8", errors="replace")
    licences = sorted(set(re.findall(r"^License:[ \t]*(\S[^\n]*)", text, re.MULTILINE)))
    return _entry(work, package, shown.stdout.strip(), ", ".join(licences)[:120] or "see text", [text])


def _entry(work: Path, name: str, version: str, licence: str, texts: Sequence[str]) -> dict[str, str]:
    """Write a text file and describe it. Raises ValueError without a text: what has none must not be given away."""
    if not texts:
        raise ValueError(f"{name} {version} comes without the text of its licence ({licence}): look into it.")
    file = f"{re.sub(r'[^A-Za-z0-9.-]', '_', name)}.txt"
    (work / file).write_text("\n\n".join(texts), encoding="utf-8")
    return {"name": name, "version": version, "licence": licence, "text": file}
