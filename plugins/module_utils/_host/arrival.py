# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""What runs first on a node when our code comes through a pipe: it makes the rest importable, and answers in one line.

The sources are in memory and stay there; each is compiled when it is first imported, by the process that needs it.
"""

from __future__ import annotations

import gc
import os
import sys
from importlib.machinery import ModuleSpec, SourcelessFileLoader

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType

ROOT = "outward"
# A login may print anything before, between and after: only what follows this on a line is ours.
MARK = "@outward.kubelet "
BEGUN = "begun"


class Shipped(SourcelessFileLoader):
    """Finds and loads the modules of *sources*: dotted name below :data:`ROOT` -> source."""

    def __init__(self, sources: dict[str, str]) -> None:
        super().__init__(ROOT, "")
        self._sources = sources

    def find_spec(self, name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        """Of a module that was shipped, or of a package above one; None: not ours."""
        root, dummy, rest = name.partition(".")
        return ModuleSpec(name, self, is_package=rest not in self._sources) if root == ROOT else None

    def get_code(self, fullname: str) -> CodeType:
        """The code of one module; a package has none."""
        return compile(self._sources.get(fullname.partition(".")[2], ""), fullname, "exec", dont_inherit=True)


def main(sources: dict[str, str], module: str, parameters: dict[str, object], check: bool) -> None:
    """Print that it begins, then ``answer`` of *module*, or ``wrong`` with the reason. Does not return."""
    say(BEGUN)
    gc.disable()  # nothing that we make is worth a walk over all of it
    sys.meta_path.insert(0, Shipped(sources))
    errors = __import__(f"{ROOT}._host.errors", fromlist=["WrongCall"])
    asked = __import__(f"{ROOT}._host.modules.{module}", fromlist=["answer"])
    import json

    try:
        told = {"answer": asked.answer(parameters, check)}
    except errors.WrongCall as problem:
        told = {"wrong": str(problem)}
    say(json.dumps(told))
    os._exit(0)  # taking a whole interpreter apart takes longer than some of our questions


def say(text: str) -> None:
    """One line of ours, at once."""
    sys.stdout.write(f"\n{MARK}{text}\n")
    sys.stdout.flush()
