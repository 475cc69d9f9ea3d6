# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""A directory for the keys of one connection. It goes with the connection, or with a later one if we were killed."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
import time
import typing as t
from collections.abc import Iterator
from pathlib import Path

PREFIX: t.Final = ".outward-kube-"
# Between making a directory and locking it pass microseconds. Seconds.
STALE: t.Final = 10


@contextlib.contextmanager
def directory() -> Iterator[str]:
    """The path of an empty directory that only we can look into; what killed processes have left is removed first."""
    sweep(Path(tempfile.gettempdir()))
    with tempfile.TemporaryDirectory(prefix=PREFIX) as name, _held(name):
        yield name


def sweep(place: Path) -> None:
    """Remove the directories of ours in *place* that nobody uses: the kernel gives the lock of a dead process back."""
    for left in place.glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError):  # somebody else's, in use, or gone meanwhile
            found = left.lstat()
            if found.st_uid == os.geteuid() and time.time() - found.st_mtime > STALE:
                _remove(left)


def _remove(left: Path) -> None:
    with _held(str(left)):
        shutil.rmtree(left)


@contextlib.contextmanager
def _held(name: str) -> Iterator[None]:
    """Raises BlockingIOError when another process has it."""
    descriptor = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(descriptor)
