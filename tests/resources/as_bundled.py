"""Import and use what the bundle imports and uses, without the modules and sources that it leaves out.

python -W error::UserWarning as_bundled.py MODULES SOURCES: both lists in JSON, of the modules left out that are
installed, and of the files whose source can be read.
"""

import importlib.abc
import inspect
import json
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

left_out, sources = map(set, map(json.loads, sys.argv[1:]))
find_source = inspect.findsource


class Bundle(importlib.abc.MetaPathFinder):
    """Finds what others find, but for what is left out."""

    def __init__(self) -> None:
        self._finders = sys.meta_path[:]

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname in left_out:
            return None
        specs = (finder.find_spec(fullname, path, target) for finder in self._finders)
        return next((spec for spec in specs if spec is not None), None)


def bundled_source(thing: Any) -> Any:
    """As `inspect` finds it in a bundle."""
    file = inspect.getsourcefile(thing) or ""
    if "torch" in file and file not in sources:
        raise OSError("could not get source code")
    return find_source(thing)


sys.meta_path[:] = [Bundle()]
inspect.findsource = bundled_source

import torch  # noqa: E402

import core.cli.app  # noqa: E402
import core.cli.training  # noqa: E402
import core.generation.engine  # noqa: E402
import core.training.run.finetune_process  # noqa: E402, F401

weights = torch.nn.Parameter(torch.zeros(4, 4))
for optimiser in (torch.optim.Muon([weights]), torch.optim.AdamW([weights])):
    (weights * torch.ones(4, 4)).sum().backward()
    optimiser.step()
print("well")
