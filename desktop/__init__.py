"""The window. Everything here may import Qt and `core`; `core` never imports from here.

app, main_window   starts the app; builds the window
actions            the commands of menus, keys and toolbars
connections        every connection of what is built, in order
controllers        what is done when the user asks for something: with document, files, takes, notes, transport
adapters           Qt's signals around what plays and samples; work that takes long, off the GUI thread
panels             the window's parts: generation, takes, tracks, transport bar, status
dialogs            what is asked and told in a window of its own
piano_roll         the notes of prompt and takes over time, and every gesture on them
widgets            fields, buttons, icons and colours that the others are made of
association        Continuo in the menus of a Linux desktop
single_instance    a second start hands its file to the window that is open
crash_report       what a crash leaves for a report
other_programs     what Continuo starts of the system's, such as the one that shows a folder
dev                measurements and pictures of the window, for its makers
"""

import builtins
from importlib import import_module

# PySide6 puts an `__import__` of its own in place, which reads the source of every module that is imported after it in
# case it says `from __feature__ import ...`. None of ours do, and reading 280 files takes a tenth of the start.
_import = builtins.__import__
import_module("PySide6.QtCore")
builtins.__import__ = _import
