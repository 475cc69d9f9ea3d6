# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Files as evidence, and bounded reads."""

from __future__ import annotations

import contextlib
import os
import stat
import time
import typing as t
from datetime import datetime, timezone

from .._diagnosis.evidence import unknown
from .._diagnosis.node import File
from .errors import EXPECTED, words

LIMIT: t.Final = 512 * 1024
# 150 bytes a connection (proc(5)): 55 000 of them. Those that ended a moment ago are in the table for a minute too.
CONNECTIONS: t.Final = 8 * 1024 * 1024
# Where Ansible puts modules when a connection cannot pipe (plugin_utils/_remote.py), and what it calls them there.
SENT: t.Final = "/dev/shm/.ansible-outward"
SENT_PREFIX: t.Final = "ansible-tmp-"
SENT_SECONDS: t.Final = 3600.0  # no module of ours takes that long


def describe(path: str) -> File:
    """The file at *path*. Raises ``OSError`` for anything but its absence."""
    target = os.readlink(path) if os.path.islink(path) else None
    try:
        found = os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return File(path=path, exists=False, size=0, modified=None, link_target=target)
    return File(
        path=path,
        exists=True,
        size=found.st_size,
        modified=datetime.fromtimestamp(found.st_mtime, timezone.utc),
        link_target=target,
    )


def read(path: str, limit: int = LIMIT) -> str:
    """The text of a regular or kernel file; octets that are no UTF-8 become surrogates, which no parser takes."""
    # O_NONBLOCK: somebody may have put a pipe or a device in its place.
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(22, "not a regular file", path)
        return _all(descriptor, path, limit).decode("utf-8", "surrogateescape")
    finally:
        os.close(descriptor)


def _all(descriptor: int, path: str, limit: int) -> bytes:
    data = bytearray()
    while True:
        chunk = os.read(descriptor, 65536)
        if not chunk:
            return bytes(data)
        data += chunk
        if len(data) > limit:
            raise OSError(27, f"larger than {limit} bytes", path)


def read_or_none(path: str, limit: int = LIMIT) -> str | None:
    """None when it is not there."""
    try:
        return read(path, limit)
    except (FileNotFoundError, NotADirectoryError):
        return None


def tcp_tables(place: t.Callable[[str], str] = str) -> tuple[str, ...]:
    """The connections of IPv4 and, when the kernel has it, of IPv6 (proc(5)); *place* says where a path is."""
    return read(place("/proc/net/tcp"), CONNECTIONS), read_or_none(place("/proc/net/tcp6"), CONNECTIONS) or ""


def names(path: str) -> list[str]:
    """The sorted names in a directory; none when it is not there."""
    try:
        return sorted(os.listdir(path))
    except (FileNotFoundError, NotADirectoryError):
        return []


def descriptors(process: str) -> list[str]:
    """What the descriptors of *process* (/proc/PID) lead to; of one that ended meanwhile, or has none: nothing."""
    found = []
    with contextlib.suppress(OSError):
        for name in os.listdir(f"{process}/fd"):
            with contextlib.suppress(OSError):
                found.append(os.readlink(f"{process}/fd/{name}"))
    return found


def filled(path: str) -> bool:
    """There is such a file, with something in it."""
    return os.path.isfile(path) and os.path.getsize(path) > 0


def attempt(question: t.Callable[..., t.Any], *arguments: t.Any) -> t.Any:
    """The answer, or unknown with the reason: for one field, so that the others of its section survive."""
    try:
        return question(*arguments)
    except EXPECTED as error:
        return unknown(words(error))


def sweep(place: str = SENT) -> None:
    """Remove what runs that were killed have left in *place*, which is memory; anybody may have put a link there."""
    with contextlib.suppress(OSError):
        directory = os.open(place, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            for name in _old(directory):
                _remove(f"/proc/self/fd/{directory}/{name}")
        finally:
            os.close(directory)


def _old(directory: int) -> list[str]:
    old = time.time() - SENT_SECONDS
    sent = [name for name in os.listdir(directory) if name.startswith(SENT_PREFIX)]
    return [name for name in sent if os.lstat(name, dir_fd=directory).st_mtime < old]


def _remove(path: str) -> None:
    from shutil import rmtree  # costs a Pi more than all of this, and there is seldom anything

    rmtree(path, ignore_errors=True)
