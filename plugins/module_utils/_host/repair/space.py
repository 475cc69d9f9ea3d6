# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Bytes or inodes that are given back: what there is is measured first, and deleted only when it is enough.

From what nobody misses to what costs a download, the oldest first, and only until the goal is reached. Volumes, images
that a container uses, the newest lines of a log and files of a person's are never among it. Nor are dead containers: while
the kubelet works it has removed all but those that it still reads itself (pkg/kubelet/kuberuntime/kuberuntime_gc.go).
"""

from __future__ import annotations

import contextlib
import functools
import os
import re
import shutil
import stat
import time
import typing as t
from collections.abc import Callable, Iterator

from ..._diagnosis.change import Space
from ..._diagnosis.signs import size
from ..._parse import images
from ..errors import EXPECTED, ProbeError
from ..files import names
from ..probes.cri import Refused
from .consumers import largest
from .tools import NotPossible, Op, Shown, Tools

PACKAGES: t.Final = "/var/cache/apt/archives"
JOURNAL: t.Final = "/var/log/journal"
PODS: t.Final = "/var/log/pods"
# The kubelet renames 0.log to 0.log.YYYYMMDD-hhmmss, and compresses all but the newest of them (container_log_manager).
ROTATED: t.Final = re.compile(r"\d{1,6}\.log\.\d{8}-\d{6}(?:\.gz)?$")
LIVE: t.Final = re.compile(r"\d{1,6}\.log$")
# The kubelet rotates at 10 MiB (containerLogMaxSize), looks each 10 s, and keeps 50 MiB of a container in all.
LONG: t.Final = 50 * 1024 * 1024
TAIL: t.Final = 10 * 1024 * 1024
# What is cut out of a file has to be whole blocks of its filesystem, which are no larger than this.
BLOCK: t.Final = 1024 * 1024
# After that nobody takes a repair back by hand any more.
OLD_BACKUP: t.Final = 30 * 86400.0
ARCHIVED: t.Final = re.compile(r".{1,200}@.{1,200}\.journal~?$")
# containerd's collector comes some 100 ms after an image's name has gone (its plugin gc.v1.scheduler), seconds on a card.
COLLECTED: t.Final = 5.0
# journald holds on to a file that it has archived until a rotation that comes after it was written out (journald-manager.c,
# deferred_closes; seen with systemd 257: deleted at once, it took its blocks until the second one).
LET_GO: t.Final = (0.0, 1.0, 3.0)


class Piece(t.NamedTuple):
    """Something that can go: what it is called, how many bytes and inodes that would give, and how it is done."""

    name: str
    size: int
    remove: Callable[[], None]
    inodes: int = 1


def space(change: Space, tools: Tools) -> Iterator[Op]:
    """One operation: which pieces go is only known as they go, since each is measured."""
    unit = UNITS[change.unit]
    need = change.goal - unit.free(tools, change.path)
    if need <= 0:
        return
    device = os.stat(tools.path(change.path)).st_dev
    pieces = [piece for source in change.sources for piece in SOURCES[source](tools, device)]
    total = sum(unit.worth(piece) for piece in pieces)
    if total < need:
        raise _too_little(change, need, total, tools)
    words = (
        f"gives back {unit.words(need)} on the filesystem of {change.path}; {unit.words(total)} could be "
        f"({', '.join(change.sources)})"
    )
    listed = "".join(f"{piece.name} {unit.words(unit.worth(piece))}\n" for piece in pieces)
    yield Op(
        words,
        Shown(f"what could go, in this order, until {unit.words(need)} are free", listed, ""),
        _remover(change, pieces, tools),
        None,
    )


def _remover(change: Space, pieces: list[Piece], tools: Tools) -> Callable[[], str]:
    unit = UNITS[change.unit]

    def do() -> str:
        before, gone = unit.free(tools, change.path), 0
        for piece in pieces:
            if unit.free(tools, change.path) >= change.goal:
                break
            piece.remove()
            gone += 1
        now = unit.free(tools, change.path)
        if now < change.goal:
            raise ProbeError(
                f"{unit.words(now - before)} were freed, and {unit.words(change.goal - now)} are still missing"
            )
        return f"freed {unit.words(now - before)} in {gone} of {len(pieces)} pieces; {unit.words(now)} are available"

    return do


def _too_little(change: Space, need: int, total: int, tools: Tools) -> NotPossible:
    """In words, with the names of who has it: a person has to decide about those."""
    unit = UNITS[change.unit]
    found = largest(change.path, tools, change.unit)
    named = "; ".join(f"{each.name} {unit.words(each.taken)}" for each in found)
    return NotPossible(
        f"{unit.words(need)} are needed on the filesystem of {change.path}, and all that nobody misses "
        f"({', '.join(change.sources)}) is {unit.words(total)}: nothing was deleted. "
        f"The largest there: {named or 'nothing that stands out'}",
        found[0].pods if found else (),
    )


def _files(tools: Tools, device: int, paths: Iterator[str]) -> list[Piece]:
    """Those on the filesystem that is meant, the oldest first."""
    found: list[tuple[float, Piece]] = []
    for path in paths:
        place = tools.path(path)
        try:
            status = os.lstat(place)
        except FileNotFoundError:
            continue
        if status.st_dev == device and status.st_blocks:
            found.append((status.st_mtime, Piece(path, status.st_blocks * 512, _unlinker(place))))
    return [piece for dummy, piece in sorted(found, key=lambda pair: pair[0])]


def _unlinker(place: str) -> Callable[[], None]:
    def remove() -> None:
        try:
            os.unlink(place)
        except FileNotFoundError:  # its owner was faster
            return

    return remove


def packages(tools: Tools, device: int) -> list[Piece]:
    """What `apt-get clean` would delete."""
    base = tools.path(PACKAGES)
    return _files(tools, device, (f"{PACKAGES}/{name}" for name in names(base) if name.endswith(".deb")))


def journal(tools: Tools, device: int) -> list[Piece]:
    """Archived journals, the oldest first; at last those that are written to, which journald has to let go of before."""
    base = tools.path(JOURNAL)
    if not os.path.isdir(base) or os.stat(base).st_dev != device:
        return []
    active = _files(tools, device, _journals(tools, archived=False))

    def rotate() -> None:
        before = tools.available(JOURNAL)
        for pause in LET_GO:
            time.sleep(pause)
            tools.run("journalctl", "--rotate")
            for piece in _files(tools, device, _journals(tools, archived=True)):
                piece.remove()
            if tools.available(JOURNAL) > before:
                return

    whole = sum(piece.size for piece in active)
    rest = [Piece("the journals that are written to", whole, rotate, len(active))] if active else []
    return [*_files(tools, device, _journals(tools, archived=True)), *rest]


def _journals(tools: Tools, *, archived: bool) -> Iterator[str]:
    base = tools.path(JOURNAL)
    for machine in names(base):
        for name in names(f"{base}/{machine}"):
            if name.endswith((".journal", ".journal~")) and bool(ARCHIVED.match(name)) == archived:
                yield f"{JOURNAL}/{machine}/{name}"


def backups(tools: Tools, device: int) -> list[Piece]:
    """Our own copies of what was replaced long ago, the oldest first."""
    base = os.path.dirname(tools.backup)
    found: list[tuple[float, Piece]] = []
    for name in names(base):
        place = f"{base}/{name}"
        status = os.lstat(place)
        if status.st_dev == device and stat.S_ISDIR(status.st_mode) and time.time() - status.st_mtime > OLD_BACKUP:
            files = [os.lstat(f"{top}/{each}") for top, dummy, inside in os.walk(place) for each in inside]
            taken = sum(each.st_blocks * 512 for each in files)
            found.append((status.st_mtime, Piece(place, taken, functools.partial(shutil.rmtree, place), len(files))))
    return [piece for dummy, piece in sorted(found, key=lambda pair: pair[0])]


def logs(tools: Tools, device: int) -> list[Piece]:
    """Rotated logs of containers, which nobody writes to any more."""
    return _files(tools, device, _container_logs(tools, ROTATED))


def long_logs(tools: Tools, device: int) -> list[Piece]:
    """The oldest lines of logs that are written to and that have outgrown what the kubelet keeps, the longest first.

    They are cut out of the file (FALLOC_FL_COLLAPSE_RANGE, fallocate(2)): who writes goes on at its end (containerd opens it
    with O_APPEND), and the newest 10 MiB stay. A filesystem that cannot do that gives nothing.
    """
    found = []
    for piece in _files(tools, device, _container_logs(tools, LIVE)):
        head = (os.stat(tools.path(piece.name)).st_size - TAIL) // BLOCK * BLOCK
        if piece.size > LONG and head > 0:
            found.append(Piece(f"the first lines of {piece.name}", head, _cutter(piece.name, head, tools), 0))
    return sorted(found, key=lambda piece: -piece.size)


def _cutter(path: str, head: int, tools: Tools) -> Callable[[], None]:
    def remove() -> None:
        with contextlib.suppress(ProbeError):
            tools.run("fallocate", "--collapse-range", "--offset", "0", "--length", str(head), tools.path(path))

    return remove


def _container_logs(tools: Tools, pattern: re.Pattern[str]) -> Iterator[str]:
    base = tools.path(PODS)
    for place in (f"{pod}/{container}" for pod in names(base) for container in names(f"{base}/{pod}")):
        yield from (f"{PODS}/{place}/{name}" for name in names(f"{base}/{place}") if pattern.match(name))


def unused_images(tools: Tools, device: int) -> list[Piece]:
    """Images that were pulled, that no container has, of whatever state, and that are not pinned, the largest first."""
    if os.stat(tools.path(tools.profile.runtime_root)).st_dev != device:
        return []
    try:
        found = images.listed(tools.cri("ListImages", service=images.SERVICE))
        used = images.used(tools.cri("ListContainers"))
    except (*EXPECTED, Refused):  # a runtime that does not answer has none to give; the rest may be enough
        return []
    free = [image for image in found if not _needed(image, used)]
    return [
        Piece(f"image {(image.names or (image.id,))[0]}", image.size, _image_remover(image.id, tools))
        for image in sorted(free, key=lambda image: -image.size)
    ]


def _needed(image: images.Image, used: t.AbstractSet[str]) -> bool:
    """containerd pins the sandbox image only from 1.7.3 on; without it no Pod starts.

    An image without a digest of a registry was imported by somebody: there may be nowhere to pull it from.
    """
    imported = not any("@" in name for name in image.names)
    return (
        image.pinned
        or imported
        or bool(used & {image.id, *image.names})
        or any("/pause" in name for name in image.names)
    )


def _image_remover(name: str, tools: Tools) -> Callable[[], None]:
    def remove() -> None:
        before = tools.available(tools.profile.runtime_root)
        tools.cri("RemoveImage", images.named(name), images.SERVICE)
        end = time.monotonic() + COLLECTED
        while tools.available(tools.profile.runtime_root) <= before and time.monotonic() < end:
            time.sleep(0.2)

    return remove


class Unit(t.NamedTuple):
    """What is short: how much of it is free, what a piece has of it, and how one says it."""

    free: Callable[[Tools, str], int]
    worth: Callable[[Piece], int]
    words: Callable[[float], str]


UNITS: t.Final = {
    "bytes": Unit(lambda tools, path: tools.available(path), lambda piece: piece.size, size),
    "inodes": Unit(lambda tools, path: tools.inodes(path), lambda piece: piece.inodes, lambda count: f"{count} inodes"),
}
SOURCES: t.Final[dict[str, Callable[[Tools, int], list[Piece]]]] = {
    "packages": packages,
    "backups": backups,
    "journal": journal,
    "logs": logs,
    "long logs": long_logs,
    "images": unused_images,
}
