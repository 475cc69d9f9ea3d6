# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The worst case of an observation: containerd, the API server and an NFS server hang at once."""

from __future__ import annotations

import contextlib
import typing as t
from collections.abc import Iterator

from tests.faults.lab import inject, undo
from tests.faults.table import FAULTS

from .adhoc import FACTS, PING, run
from .node import take
from .rows import Row, limit

AT_ONCE: t.Final = ("nfs-mount-hung", "apiserver-firewalled", "containerd-hung")
GOAL: t.Final = 10.0


@contextlib.contextmanager
def all_hung(host: str) -> Iterator[None]:
    """Every fault of AT_ONCE on *host*; taken away in the opposite order."""
    with contextlib.ExitStack() as after:
        for name in AT_ONCE:
            after.callback(undo, FAULTS[name], host)
            inject(FAULTS[name], host)
        yield


def rows(host: str, rounds: int, say: t.Callable[[str], None]) -> list[Row]:
    """Seconds of node_facts beyond those of ping, whose module does nothing: what is spent inside the module."""
    inside, unknown = [], set()
    with all_hung(host):
        for number in range(rounds):
            run(host, PING)
            nothing = take(host)
            _seconds, result = run(host, FACTS)
            cost = take(host)
            inside.append(round(cost.wall - nothing.wall, 2))
            unknown |= {probe["name"] for probe in result["evidence"]["probes"] if probe["problem"]}
            say(f"hung, round {number}: {inside[-1]} s more than ping; could not tell: {', '.join(sorted(unknown))}")
    note = "node_facts on the node's clock, less ping's interpreter and wrapper in the same round; the longest counts"
    return [
        limit(
            "node_facts, everything hung, seconds",
            max(inside),
            GOAL,
            note,
            {"runs": inside, "unknown": sorted(unknown)},
        )
    ]
