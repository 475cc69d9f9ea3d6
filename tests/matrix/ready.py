# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""When the API's Ready condition changes: what everybody else goes by, beside our verdict."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
import typing as t

from .results import ROOT

PATH: t.Final = '{.status.conditions[?(@.type=="Ready")].status}{"\\n"}'
# What the diagnosis expects of the condition: only where a change is expected is it waited for.
EXPECTED: t.Final = frozenset({"sym:node-notready", "sym:node-unknown"})


class Watch:
    """Follows the Ready condition of *host* from now on, in a process and a thread of its own."""

    def __init__(self, host: str, command: t.Sequence[str] = ()) -> None:
        words = [sys.executable, "-m", "tests.lab", "kubectl", "get", "node", host, "--watch", "-o", f"jsonpath={PATH}"]
        self._since = time.monotonic()
        self._changed: float | None = None
        self._event = threading.Event()
        self._process = subprocess.Popen(
            list(command) or words, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        self._thread = threading.Thread(target=self._follow, daemon=True)
        self._thread.start()

    def _follow(self) -> None:
        first = None
        for line in self._process.stdout or ():
            first = first or line
            if line != first:
                self._changed = time.monotonic() - self._since
                break
        self._event.set()

    def end(self, longest: float) -> dict[str, t.Any]:
        """``ready_changed_after``: seconds, or None when it had not changed after ``ready_watched`` seconds.

        Waits for a change until *longest* seconds after the beginning.
        """
        self._event.wait(max(0.0, longest - (time.monotonic() - self._since)))
        watched = time.monotonic() - self._since
        self._process.kill()
        self._process.wait()
        changed = None if self._changed is None else round(self._changed, 1)
        return {"ready_changed_after": changed, "ready_watched": round(watched, 1)}


def patience(longest: float, expected: t.Iterable[t.Collection[str]]) -> float:
    """How long to watch a fault whose causes explain *expected* (ids for each cause): *longest* seconds or not at all."""
    return longest if any(EXPECTED & set(ids) for ids in expected) else 0.0
