"""No module and no function grows beyond what can be read at a glance, and each has its place in a map."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MODULES = [path for name in ("core", "desktop", "resources") for path in sorted((ROOT / name).rglob("*.py"))]
TESTS = sorted((ROOT / "tests").rglob("*.py"))
LINES_OF_MODULE, LINES_OF_FUNCTION, PARAMETERS = 450, 60, 10


def _is_typers(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether its parameters are options of a command, which Typer reads from their annotations."""
    return any(a.annotation and "typer." in ast.unparse(a.annotation) for a in function.args.args)


@pytest.mark.parametrize("path", [*MODULES, *TESTS, ROOT / "build.spec"], ids=lambda path: str(path.relative_to(ROOT)))
def test_sizes(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") <= LINES_OF_MODULE
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            assert node.end_lineno is not None
            assert node.end_lineno - node.lineno < LINES_OF_FUNCTION, node.name
            if path in TESTS:  # a test asks for as many fixtures as it needs
                continue
            every = node.args
            names = [
                a.arg for a in (*every.posonlyargs, *every.args, *every.kwonlyargs, every.vararg, every.kwarg) if a
            ]
            count = len(names) - (names[:1] in (["self"], ["cls"]))
            assert count <= PARAMETERS or _is_typers(node), node.name


@pytest.mark.parametrize(
    "package", [path.parent for path in MODULES if path.name == "__init__.py"], ids=lambda path: str(path.name)
)
def test_each_packages_docstring_maps_its_modules(package: Path) -> None:
    parts = {path.stem for path in package.glob("*.py")} | {path.parent.name for path in package.glob("*/__init__.py")}
    words = re.findall(r"\w+", ast.get_docstring(ast.parse((package / "__init__.py").read_text("utf-8"))) or "")
    assert parts - {"__init__", "__main__"} <= set(words)


def _defined(node: ast.stmt) -> list[str]:
    """The classes and the public names for types and constants that a statement of a module defines."""
    if isinstance(node, ast.ClassDef):
        names = [node.name]
    elif isinstance(node, (ast.Assign, ast.AnnAssign)):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        names = [each.id for target in targets for each in ast.walk(target) if isinstance(each, ast.Name)]
    else:
        names = []
    return [name for name in names if re.fullmatch(r"[A-Z]\w*", name)]


def test_no_two_types_or_constants_have_one_name() -> None:
    """One word for one thing; a constant that is a module's own begins with an underscore.

    Note-ons and note-offs are MIDI's, and the vocabulary's events of the same name.
    """
    places: dict[str, list[str]] = {}
    for path in MODULES:
        if path.is_relative_to(ROOT / "resources"):  # programs by themselves
            continue
        for node in ast.parse(path.read_text("utf-8")).body:
            for name in _defined(node):
                places.setdefault(name, []).append(str(path.relative_to(ROOT)))
    assert {name for name, found in places.items() if len(found) > 1} == {"NOTE_ON", "NOTE_OFF"}
