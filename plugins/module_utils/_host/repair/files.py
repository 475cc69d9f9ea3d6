# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Files that a repair writes or moves: whole or not at all, and with a copy in the backup first."""

from __future__ import annotations

import contextlib
import os
import re
import stat
import typing as t
from collections.abc import Iterator

from ..._diagnosis.change import Aside, Content, Lines, Orphan
from ..._parse import cri as messages
from ..durable import put
from ..files import read, read_or_none
from .tools import NotPossible, Op, Shown, Tools

MADE_ANEW: t.Final = "{} was made anew meanwhile, which stays; the one before is in the backup"


def aside(change: Aside, tools: Tools) -> Iterator[Op]:
    """Into the backup, which mirrors the tree; what is no regular file is nobody's checkpoint."""
    place = tools.path(change.path)
    if not os.path.lexists(place):
        return
    if not stat.S_ISREG(os.lstat(place).st_mode):
        raise NotPossible(f"{change.path} is no regular file")

    def do() -> None:
        keep(tools, change.path)
        os.unlink(place)

    def undo() -> t.Optional[str]:
        if os.path.lexists(place):
            return MADE_ANEW.format(change.path)
        put_back(tools, change.path)
        return None

    shown = Shown(change.path, f"{os.lstat(place).st_size} bytes\n", "")
    yield Op(f"moves {change.path} to {tools.backup}", shown, do, undo)


def orphan(change: Orphan, tools: Tools) -> Iterator[Op]:
    """A rename, so that nothing is read or copied; what is mounted there would go with it."""
    place, target = tools.path(change.path), f"{tools.backup}{change.path}"
    if os.path.islink(place) or not os.path.isdir(place):
        return
    if os.path.basename(place) in {sandbox.uid for sandbox in messages.sandboxes(tools.cri("ListPodSandbox"))}:
        raise NotPossible(f"the runtime has a sandbox of the Pod of {change.path}")
    points = [line.split()[4] for line in read(tools.path("/proc/self/mountinfo")).splitlines()]
    mounted = [point for point in points if f"{point}/".startswith(f"{change.path}/")]
    if mounted:
        raise NotPossible(f"{mounted[0]} is mounted: unmount it, and run this again")

    def do() -> None:
        os.makedirs(os.path.dirname(target), mode=0o700, exist_ok=True)
        os.rename(place, target)

    def undo() -> t.Optional[str]:
        if os.path.lexists(place):
            return MADE_ANEW.format(change.path)
        os.rename(target, place)
        return None

    yield Op(f"moves {change.path} to {tools.backup}", Shown(change.path, "a directory\n", ""), do, undo)


def content(change: Content, tools: Tools) -> Iterator[Op]:
    """A file with this text; one that has it already is no change."""
    before = read_or_none(tools.path(change.path))
    if before != change.text:
        words = f"writes {change.path}" if before is None else f"rewrites {change.path}"
        yield _written(words, change, before, tools)


def lines(change: Lines, tools: Tools) -> Iterator[Op]:
    """The lines that match; a link is followed, so that the file behind it is changed."""
    before = read_or_none(tools.path(change.path))
    found = (before or "").splitlines(keepends=True)
    after = "".join(re.sub(change.pattern, change.replacement, line) for line in found)
    if before is not None and after != before:
        # The rest of the file is not shown: it may hold what is nobody's business.
        pairs = [(old, re.sub(change.pattern, change.replacement, old)) for old in found]
        changed = [(old, new) for old, new in pairs if old != new]
        shown = Shown(change.path, "".join(old for old, dummy in changed), "".join(new for dummy, new in changed))
        words = f"changes {len(changed)} line(s) of {change.path}"
        yield _written(words, Content(change.path, after), before, tools)._replace(shown=shown)
    elif change.needed:
        raise NotPossible(f"{change.path} has no line that could be changed: it is written in another way")


def absent(directory: str) -> tuple[str, ...]:
    """Of *directory* and those above it the ones that are not there, the deepest first."""
    found = []
    while not os.path.lexists(directory):
        found.append(directory)
        directory = os.path.dirname(directory)
    return tuple(found)


def remove(directories: t.Iterable[str]) -> None:
    """Those that we made; what somebody has put into one meanwhile stays, and so does the directory."""
    for directory in directories:
        with contextlib.suppress(FileNotFoundError):
            if not os.listdir(directory):
                os.rmdir(directory)


def keep(tools: Tools, path: str) -> None:
    """A copy of a regular file in the backup, with its mode and owner."""
    source = tools.path(path)
    target = f"{tools.backup}{path}"
    os.makedirs(os.path.dirname(target), mode=0o700, exist_ok=True)
    found = os.stat(source)
    with open(source, "rb") as file:
        _like(target, file.read(), found)


def put_back(tools: Tools, path: str, place: str = "") -> None:
    """The copy in its old place; *place*: where that is, when *path* is a link that stays one."""
    copy = f"{tools.backup}{path}"
    with open(copy, "rb") as file:
        _like(place or tools.path(path), file.read(), os.stat(copy))


def _like(path: str, data: bytes, found: os.stat_result) -> None:
    put(path, data, stat.S_IMODE(found.st_mode), (found.st_uid, found.st_gid))


def _written(words: str, wanted: Content, before: t.Optional[str], tools: Tools) -> Op:
    path, after = wanted.path, wanted.text
    place = os.path.realpath(tools.path(path))
    missing = absent(os.path.dirname(place))

    def do() -> None:
        data = after.encode("utf-8", "surrogateescape")
        if before is None:
            os.makedirs(os.path.dirname(place), exist_ok=True)
            put(place, data, wanted.mode)
        else:
            keep(tools, path)
            _like(place, data, os.stat(place))

    def undo() -> None:
        if before is None:
            os.unlink(place)
            remove(missing)
        else:
            put_back(tools, path, place)

    return Op(words, Shown(path, before or "", after), do, undo)
