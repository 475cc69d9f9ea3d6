# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where a run is struck, and by what: each point is one row of docs/results/chaos.json."""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass, field

from tests.faults.model import Step, controller

ROLE: t.Final = "outward.kubelet.node_recovery : "
LOCK: t.Final = f"{ROLE}Take the node in hand, and ask the guards again"
WRITTEN: t.Final = f"{ROLE}Write down what is about to be done, before it is done"
CONTAINERD: t.Final = f"{ROLE}Start containerd"
RESTART: t.Final = (
    "outward.kubelet.kubelet_restart : Start or restart the kubelet, if its gate and its ledger permit it"
)
PROOF: t.Final = f"{ROLE}Prove that it worked"
CORDON: t.Final = f"{ROLE}Cordon a node that only a person can reach"
UNCORDON: t.Final = f"{ROLE}Take off our own cordon from a node that works"
REPORT: t.Final = f"{ROLE}Report"
# A cordon as an earlier run of ours would have left it; the API server takes the manager for its writer.
CORDONED: t.Final = controller(
    'kubectl patch node "$HOST" --type=merge --field-manager=outward.kubelet -p \'{"metadata": {"annotations": '
    '{"outward.kubelet/cordoned-by": "chaos", "outward.kubelet/cordoned-at": "2026-11-23T15:00:00Z", '
    '"outward.kubelet/cordoned-because": "node-unreachable"}}, "spec": {"unschedulable": true}}\''
)

Event = t.Literal["api-server-stopped", "node-rebooted", "ssh-cut", "report-dir-full"]
EVENTS: t.Final[tuple[Event, ...]] = t.get_args(Event)


@dataclass(frozen=True)
class Point:
    """One interruption: at which moment of which task a run is killed, or an *event* happens and it goes on."""

    id: str
    task: str
    moment: t.Literal["before-all", "after", "during"] = "after"
    seconds: float = 0.0  # into the task, for "during"
    all: bool = True  # killed with everything that it has started
    event: Event | None = None
    fault: str = "kubelet-stopped"
    prepare: tuple[Step, ...] = ()  # after the fault
    told: bool = False  # the next run has to say that one was interrupted
    says: str = ""  # what the interrupted run has to say itself (a regular expression)
    restores: bool = field(default=False)  # the fault is undone before the next run, which finds a node that works

    @property
    def kind(self) -> str:
        """Of its row."""
        return "event" if self.event else "killed"


def tasks(listing: str) -> list[str]:
    """The tasks of the role, in order, out of what ``ansible-playbook --list-tasks`` prints."""
    plays = re.split(r"^  play #\d+ .*$", listing, flags=re.MULTILINE)
    ours = next((play for play in plays if LOCK in play), "")
    return [line.strip().rpartition("\tTAGS:")[0].strip() for line in ours.splitlines() if "\tTAGS:" in line]


def points(listing: str) -> list[Point]:
    """Every row: a kill after each task in turn, kills in the middle of some, and every event at several moments."""
    found = tasks(listing)
    missing = {LOCK, WRITTEN, CONTAINERD, RESTART, PROOF, CORDON, UNCORDON, REPORT} - set(found)
    if missing:
        raise ValueError(f"the role has no task {', '.join(sorted(missing))}: tests/chaos/points.py names it")
    return [*_killed_after(found), *_killed_during(), *_events()]


def _killed_after(found: list[str]) -> t.Iterator[Point]:
    first, last = found.index(LOCK), found.index(REPORT)
    special: dict[str, dict[str, t.Any]] = {
        CONTAINERD: {"fault": "containerd-down"},
        CORDON: {"fault": "node-dead", "restores": True},
        UNCORDON: {"prepare": (CORDONED,)},
    }
    for number, task in enumerate(found):
        name = task.partition(" - ")[0]
        told = first <= number < last
        yield Point(f"killed after {name}", task, told=told, **special.get(task, {}))


def _killed_during() -> t.Iterator[Point]:
    for task, name, seconds in (
        (LOCK, "taking the node in hand", 1.0),
        (RESTART, "the restart", 1.0),
        (RESTART, "the restart", 4.0),
        (RESTART, "the restart", 8.0),
        (PROOF, "the proof", 10.0),
    ):
        told = task != LOCK  # whether the lock was taken by then is not known
        yield Point(f"killed {seconds:.0f} s into {name}", task, "during", seconds, told=told)
    # As the kernel does when memory is short: the child that holds the connection goes on for a while.
    yield Point("killed alone 4 s into the restart", RESTART, "during", 4.0, all=False, told=True)


def _events() -> t.Iterator[Point]:
    for event in EVENTS:
        says = "this is not in a report: cannot write" if event == "report-dir-full" else ""
        yield Point(f"{event} before the restart", WRITTEN, event=event, says=says)
        yield Point(f"{event} 3 s into the restart", RESTART, "during", 3.0, event=event, says=says)
        yield Point(f"{event} after the restart", RESTART, event=event, says=says)
    yield Point(
        "report-dir-full from the beginning", "", "before-all", event="report-dir-full", says="make room|cannot write"
    )
