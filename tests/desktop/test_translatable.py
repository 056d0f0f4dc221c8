"""Texts that users see go through `tr`, so that they can be translated."""

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path

from PySide6.QtCore import QCoreApplication, QTranslator
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QAbstractButton, QComboBox, QLabel, QWidget

import desktop
from tests.desktop.windows import Desk

MARK = "‡"

# Which arguments of a call are shown to users, by the name of what is called.
SHOWN = {
    **dict.fromkeys(("setText", "setToolTip", "setStatusTip", "setWhatsThis", "setTitle", "setWindowTitle"), (0,)),
    **dict.fromkeys(("setAccessibleName", "setAccessibleDescription", "setPlaceholderText", "setLabelText"), (0,)),
    **dict.fromkeys(("setSuffix", "setPrefix", "setSpecialValueText", "setInformativeText", "showMessage"), (0,)),
    **dict.fromkeys(("addItem", "addAction", "addMenu", "addRow", "addButton", "addTab", "addSection"), (0,)),
    **dict.fromkeys(("QLabel", "QPushButton", "QCheckBox", "QRadioButton", "QGroupBox", "QMenu", "QAction"), (0,)),
    **dict.fromkeys(("Caption", "FaintLabel", "Fold"), (0,)),
    **dict.fromkeys(("setItemText", "ListOrWords", "insertItem"), (1,)),
    "SliderSpin": (4, 5),
    "say": (0,),
}


# What a function returns that gives words, and other modules show: a sentence or a name, but no key of a table.
_WORDS = re.compile(r"[A-Za-z]{2}.* | .*[A-Za-z]{2}|^[A-Z][a-z]")
_COMMAND_LINE = {"app.py", "association.py", "crash_report.py"}  # what they say is no part of the window


def unwrapped(path: Path) -> list[str]:
    """The texts of a module that are shown as they stand in it."""
    found: list[str] = []
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Call):
            texts = [text for text in _shown_by(node) if re.search("[A-Za-z]{2}", text.replace("Continuo", ""))]
        elif isinstance(node, ast.FunctionDef) and _gives_words(node) and path.name not in _COMMAND_LINE:
            is_words = node.name.endswith("words")
            texts = [text for text in _returned(node) if re.search("[A-Za-z]{2}" if is_words else _WORDS, text)]
        elif isinstance(node, ast.BoolOp) or (isinstance(node, ast.keyword) and node.arg == "name"):
            values = node.values if isinstance(node, ast.BoolOp) else [node.value]  # words in place of others
            texts = [text for value in values for text in _texts(value) if re.search("[A-Za-z]{2}.* ", text)]
        else:
            texts = []
        found += [f"{path.name}:{getattr(node, 'lineno', 0)}: {text}" for text in texts]
    return found


def _shown_by(call: ast.Call) -> Iterator[str]:
    """The texts that a call shows; and those that are put into others."""
    name = getattr(call.func, "attr", getattr(call.func, "id", ""))
    is_message = name == "emit" and getattr(getattr(call.func, "value", None), "attr", "") == "message"
    places = range(len(call.args)) if name == "format" else (0,) if is_message else SHOWN.get(name, ())
    for place in places:
        yield from _texts(call.args[place]) if place < len(call.args) else ()


def _gives_words(function: ast.FunctionDef) -> bool:
    return function.returns is not None and bool(re.search(r"\bstr\b", ast.unparse(function.returns)))


def _returned(function: ast.FunctionDef) -> Iterator[str]:
    """The texts that are in what a function returns, or in what it gives names to on the way."""
    for node in ast.walk(function):
        if isinstance(node, ast.Return | ast.Assign | ast.AnnAssign | ast.AugAssign | ast.Lambda):
            value = node.body if isinstance(node, ast.Lambda) else node.value
            for text in _texts(value) if value is not None else ():
                yield re.sub("<[^>]*>", "", text)


def _texts(node: ast.AST) -> Iterator[str]:
    """The texts that an expression is made of, but those that are handed to a call or name something."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.Call):
        if isinstance(node.func, ast.Attribute) and node.func.attr == "format":
            yield from _texts(node.func.value)
    elif not isinstance(node, ast.Subscript | ast.Compare | ast.Lambda):
        for child in ast.iter_child_nodes(node):
            yield from _texts(child)


def test_every_text_that_is_shown_goes_through_tr() -> None:
    folder = Path(desktop.__file__).parent
    modules = [path for path in sorted(folder.rglob("*.py")) if "dev" not in path.relative_to(folder).parts]
    assert len(modules) > 80
    assert [text for path in modules for text in unwrapped(path)] == []


def test_a_text_that_is_not_translated_is_found(tmp_path: Path) -> None:
    module = tmp_path / "it.py"
    for line, is_found in (
        ('label.setText("Hello")', True),
        ('label.setText(self.tr("Hello"))', False),
        ('label.setText(f"Hello {name}")', True),
        ('label.setText(self.tr("Hello {0}").format(name))', False),
        ('label.setText("Hello {0}".format(name))', True),
        ('label.setText(self.tr("Yes") if is_so else "No")', True),
        ('label.setText(TIPS["hello"])', False),
        ('box.addItem(self.tr("Off"), "off")', False),
        ('self.message.emit("Hello")', True),
        ('window.setWindowTitle(f"{name}[*] – Continuo")', False),
        ('def it() -> str:\n return "Nothing yet"', True),
        ('def it() -> str:\n return f"From {a}"', True),
        ('def it() -> str:\n return translate("It", "From {0}").format(a)', False),
        ('def it() -> list[str]:\n known = [lambda t: f"seed {t}"]\n return known', True),
        ('def device_words() -> str:\n return "processor"', True),
        ('def kind() -> str:\n return "processor"', False),
        ('def spot() -> Spot:\n return "loop end"', False),
        ('self.tr("{0} in it").format(count or "Nothing")', True),
        ('names = [name or "a take that is gone" for name in names]', True),
        ('card(name="New take")', True),
    ):
        module.write_text(line)
        assert bool(unwrapped(module)) == is_found, line


class Marked(QTranslator):
    """Marks every text that is translated."""

    def translate(self, context: str, sourceText: str, disambiguation: str | None = None, n: int = -1) -> str:
        return MARK + sourceText

    def isEmpty(self) -> bool:
        return False


def shown_by(window: QWidget) -> Iterator[str]:
    """The texts of a window's widgets, menus, choices and tips."""
    for action in window.findChildren(QAction):
        yield from (action.text(), action.toolTip())
    for widget in window.findChildren(QWidget):
        yield from (widget.toolTip(), widget.accessibleName(), widget.accessibleDescription())
        if isinstance(widget, QLabel | QAbstractButton):
            yield widget.text()
        if isinstance(widget, QComboBox):
            yield from (widget.itemText(i) for i in range(widget.count()))


def test_what_a_window_shows_is_translated_but_names_and_keys_of_music(desk: Callable[..., Desk], qapp: object) -> None:
    translator = Marked()
    QCoreApplication.installTranslator(translator)
    try:
        at = desk()
        at.open()
        window = at.window
        window.lanes.show_lanes([("velocity", 60), ("tempo", 60), ("cc1", 50)])
        texts = {text for text in shown_by(window) if re.search("[A-Za-z]{3}", text) and MARK not in text}
        names = {track.name for track in window.document.session.score.tracks}  # type: ignore[union-attr]
        assert {t for t in texts - names if not re.search(r"^[A-G][b#]? m|^Continuo|\.mid$", t)} == set()
    finally:
        QCoreApplication.removeTranslator(translator)
