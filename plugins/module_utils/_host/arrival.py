# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""What runs first on a node when our code comes through a pipe: it makes the rest importable, and answers in one line.

The sources are in memory; each is compiled when it is first imported, by the process that needs it. Compiling is most of
what a look costs a small node, so what was compiled is kept in /run (a tmpfs wherever systemd is) for the next module, and
is used again by the same Python for exactly the same source.
"""

from __future__ import annotations

import gc
import marshal
import os
import stat
import sys
from importlib.machinery import ModuleSpec, SourcelessFileLoader

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType

ROOT = "outward"
# A login may print anything before, between and after: only what follows this on a line is ours.
MARK = "@outward.kubelet "
BEGUN = "begun"
CODE = "/run/outward-kubelet-code"


class Shipped(SourcelessFileLoader):
    """Finds and loads the modules of *sources*: dotted name below :data:`ROOT` -> source.

    *kept*: the directory of what was compiled before; empty: there is none.
    """

    def __init__(self, sources: dict[str, str], kept: str = "") -> None:
        super().__init__(ROOT, "")
        self._sources = sources
        self._kept = kept if private(kept) else ""

    def find_spec(self, name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        """Of a module that was shipped, or of a package above one; None: not ours."""
        root, dummy, rest = name.partition(".")
        return ModuleSpec(name, self, is_package=rest not in self._sources) if root == ROOT else None

    def get_code(self, fullname: str) -> CodeType:
        """The code of one module; a package has none."""
        name = fullname.partition(".")[2]
        source = self._sources.get(name, "")
        kept = f"{self._kept}/{name}" if self._kept and source else None
        code = recalled(kept, source) if kept else None
        if code is None:
            code = compile(source, fullname, "exec", dont_inherit=True)
            if kept:
                remember(kept, source, code)
        return code


def private(path: str) -> bool:
    """A directory that nobody else can write into, made if it is not there: code that is in it is run."""
    try:
        if not os.path.lexists(path):
            os.mkdir(path, 0o700)
        found = os.lstat(path)
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() and not found.st_mode & 0o077


def recalled(path: str, source: str) -> CodeType | None:
    """What this Python has made of *source* before; None: nothing, or nothing that can be read."""
    try:
        with open(path, "rb") as file:
            version, text, code = marshal.load(file)
    except (OSError, ValueError, EOFError, TypeError):
        return None
    return code if (version, text) == (sys.version, source) else None


def remember(path: str, source: str, code: CodeType) -> None:
    """Keep it for the next module; where that is not possible, each compiles it anew."""
    part = f"{path}.part"
    try:
        with open(part, "xb") as file:
            marshal.dump((sys.version, source, code), file)
        os.replace(part, path)
    except OSError:  # /run is full, or somebody else is at it
        return


def main(
    sources: dict[str, str], module: str, parameters: dict[str, object], check: bool, first: tuple[str, ...] = ()
) -> None:
    """Print that it begins, then ``answer`` of *module*, or ``wrong`` with the reason. Does not return.

    *first*: modules that are imported before it.
    """
    say(BEGUN)
    gc.disable()  # nothing that we make is worth a walk over all of it
    sys.meta_path.insert(0, Shipped(sources, CODE))
    errors = __import__(f"{ROOT}._host.errors", fromlist=["WrongCall"])
    for name in first:
        __import__(f"{ROOT}.{name}")
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
