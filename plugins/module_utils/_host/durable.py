# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Files that are written whole or not at all, moved as one step, and on the disk when a call returns."""

from __future__ import annotations

import errno
import os
import stat
import typing as t

from .._parse.mounts import mountinfo
from .files import read

HALF: t.Final = ".outward"  # what is behind the name of a file that is being written
IN_MEMORY: t.Final = frozenset({"tmpfs", "ramfs"})


def in_memory(path: str) -> bool:
    """The filesystem that *path* would be on keeps nothing over a power cut."""
    mounts = mountinfo(read("/proc/self/mountinfo"))
    around = [mount for mount in mounts if f"{path}/".startswith(f"{mount.mount_point.rstrip('/')}/")]
    return bool(around) and max(reversed(around), key=lambda mount: len(mount.mount_point)).kind in IN_MEMORY


def write(path: str, text: str, mode: int) -> None:
    """*text* as :func:`put` does it, for root."""
    put(path, text.encode("utf-8", "surrogateescape"), mode)


def put(path: str, data: bytes, mode: int, owner: t.Optional[tuple[int, int]] = None) -> None:
    """*data* at *path*, whole or not at all, and on the disk when this returns; from its first byte on with *mode*.

    *owner*: user and group, by number. Raises OSError, and leaves nothing half behind.
    """
    temporary = f"{path}{HALF}"
    if os.path.lexists(temporary):
        os.unlink(temporary)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, mode)
    try:
        if owner:
            os.fchown(descriptor, *owner)
        os.fchmod(descriptor, mode)
        if os.write(descriptor, data) != len(data):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), path)
        os.fsync(descriptor)
        os.rename(temporary, path)
    except OSError:
        os.unlink(temporary)
        raise
    finally:
        os.close(descriptor)
    sync(os.path.dirname(path))


def move(source: str, target: str) -> None:
    """Also to another filesystem, as one step: there is the whole file at one of the two places, or at both."""
    try:
        os.rename(source, target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        if os.path.islink(source):
            os.symlink(os.readlink(source), target)
        else:
            write(target, read(source), stat.S_IMODE(os.stat(source).st_mode))
        os.unlink(source)
    sync(os.path.dirname(source))
    sync(os.path.dirname(target))


def sync(directory: str) -> None:
    """What was written into a directory is on the disk."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
