# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Several runs on one node: what they do one at a time. The kernel gives a lock back when its holder dies, however."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
import typing as t
from collections.abc import Iterator

# A look needs all of a small node's processors: in the lab, of four at once each had questions that got no time. So they
# go one after the other; three looks at a starved node (observe.BUDGET, runner.SLOWEST) take no longer than this.
PATIENCE: t.Final = 90.0
PAUSE: t.Final = 0.25


@contextlib.contextmanager
def alone(path: str) -> Iterator[None]:
    """Raises BlockingIOError when somebody else holds *path*, and another OSError when it cannot be opened."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def in_turn(path: str, patience: float = PATIENCE) -> Iterator[None]:
    """After whoever holds *path* now. It spares the node and guards nothing: who cannot have it goes on without."""
    end = time.monotonic() + patience
    with contextlib.ExitStack() as stack:
        while time.monotonic() < end:
            try:
                stack.enter_context(alone(path))
                break
            except BlockingIOError:
                time.sleep(PAUSE)
            except OSError:
                break
        yield
