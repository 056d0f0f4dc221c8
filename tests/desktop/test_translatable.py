"""Texts that users see go through `tr`, so that they can be translated."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import desktop

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


def unwrapped(path: Path) -> list[str]:
    """The texts of a module that are shown as they stand in it."""
    found: list[str] = []
    for call in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(call, ast.Call):
            name = getattr(call.func, "attr", getattr(call.func, "id", ""))
            is_message = name == "emit" and getattr(getattr(call.func, "value", None), "attr", "") == "message"
            for place in (0,) if is_message else SHOWN.get(name, ()):
                for text in _texts(call.args[place]) if place < len(call.args) else ():
                    if re.search("[A-Za-z]{2}", text.replace("Continuo", "")):
                        found.append(f"{path.name}:{call.lineno}: {text}")
    return found


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
    ):
        module.write_text(line)
        assert bool(unwrapped(module)) == is_found, line
