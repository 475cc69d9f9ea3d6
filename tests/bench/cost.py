# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a diagnosis costs, beside what everybody knows: ping and setup, in turn on the same node."""

from __future__ import annotations

import typing as t
from statistics import median

from .adhoc import DIAGNOSIS, PING, SETUP, Task, weigh
from .node import Cost
from .rows import Row, limit, ratio

TASKS: t.Final[dict[str, Task]] = {"ping": PING, "node_diagnosis": DIAGNOSIS, "setup": SETUP}
GOALS: t.Final = {"ping": 1.3, "setup": 0.7}
PEAK: t.Final = 40.0
Measured = dict[str, list[tuple[float, Cost]]]


def measure(host: str, rounds: int, say: t.Callable[[str], None]) -> Measured:
    """Each task once a round, after one round that only warms connection and page cache."""
    measured: Measured = {name: [] for name in TASKS}
    for number in range(rounds + 1):
        for name, task in TASKS.items():
            seconds, cost = weigh(host, task)
            say(
                f"round {number}: {name} {seconds} s; on the node {cost.wall} s, CPU {cost.cpu} s, peak {cost.peak} MiB"
            )
            if number:
                measured[name].append((seconds, cost))
    return measured


def rows(measured: Measured) -> list[Row]:
    """The table's rows."""
    found = []
    for other, goal in GOALS.items():
        pairs = list(zip(measured["node_diagnosis"], measured[other], strict=True))
        wall = [(ours, theirs) for (ours, _own), (theirs, _other) in pairs]
        cpu = [(ours.cpu, theirs.cpu) for (_own, ours), (_other, theirs) in pairs]
        found.append(ratio(f"node_diagnosis to {other}, wall", wall, goal))
        found.append(ratio(f"node_diagnosis to {other}, CPU of the node", cpu, goal))
    peaks = {name: median(cost.peak for _seconds, cost in runs) for name, runs in measured.items()}
    note = "all processes of the module together, by the kernel's memory.peak of a control group of their own"
    return [*found, limit("node_diagnosis, peak memory on the node, MiB", peaks["node_diagnosis"], PEAK, note, peaks)]
