# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What was seen of the lock and of the kubelets while several runs were at work, and whether the cap held. Pure."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass
from datetime import datetime, timedelta

from tests.chaos.outside import View
from tests.chaos.play import Ended
from tests.chaos.verdict import GOOD
from tests.lab._kubectl import Object
from tests.matrix.playbook import Report

Reports = t.Mapping[str, Report]  # host -> report


@dataclass(frozen=True)
class Change:
    """One slot of the lock as the API server has just sent it, and when it came."""

    at: datetime
    slot: str
    node: str  # in hand; empty: nobody holds the slot
    until: datetime


@dataclass(frozen=True)
class Sample:
    """A kubelet's unit at one moment."""

    at: datetime
    host: str
    state: str  # ActiveState


def change(item: Object, at: datetime) -> Change:
    """A Lease of the lock; its holder is ``job@controller/node``."""
    spec = item["spec"]
    node = (spec.get("holderIdentity") or "").rpartition("/")[2]
    renewed = datetime.fromisoformat(spec["renewTime"]) if spec.get("renewTime") else at
    until = renewed + timedelta(seconds=spec.get("leaseDurationSeconds") or 0)
    return Change(at, item["metadata"]["name"], node, until)


def in_hand(changes: t.Iterable[Change]) -> list[tuple[datetime, frozenset[str]]]:
    """The nodes in hand after each change; whoever did not renew in time has none."""
    slots: dict[str, Change] = {}
    course = []
    for new in sorted(changes, key=lambda item: item.at):
        slots[new.slot] = new
        course.append((new.at, frozenset(s.node for s in slots.values() if s.node and new.at < s.until)))
    return course


def most(changes: t.Iterable[Change]) -> int:
    """How many nodes were in hand at once, at most."""
    return max((len(nodes) for dummy, nodes in in_hand(changes)), default=0)


def most_down(samples: t.Iterable[Sample]) -> int:
    """How many kubelets were down at once, at most, of those that were up at first."""
    state: dict[str, str] = {}
    worst = 0
    for sample in sorted(samples, key=lambda item: item.at):
        if sample.host not in state and sample.state != "active":
            continue  # broken from the beginning: it counts from its recovery on
        state[sample.host] = sample.state
        worst = max(worst, sum(each != "active" for each in state.values()))
    return worst


def mistakes(cap: int, runs: t.Sequence[Reports], views: t.Mapping[str, View], seen: t.Mapping[str, int]) -> list[str]:
    """Everything that is not as it should be.

    *runs*: the reports of each, by host; *views*: the nodes afterwards; *seen*: ``in_hand``, ``down`` at most,
    and ``changes`` of the lock that were seen at all.
    """
    wrong = [] if seen["changes"] else ["nothing was seen of the lock: the watch did not work"]
    wrong += [f"{seen['in_hand']} nodes were in hand at once"] if seen["in_hand"] > cap else []
    wrong += [f"{seen['down']} kubelets were down at once"] if seen["down"] > cap else []
    for host, after in views.items():
        outcomes = [(run.get(host) or {}).get("outcome", "no report") for run in runs]
        if outcomes.count("recovered") != 1 or not set(outcomes) <= GOOD:
            wrong.append(f"{host}: {', '.join(outcomes)}")
        if after.kubelet.state != "active":
            wrong.append(f"{host}: its kubelet is {after.kubelet.state}")
        if after.ledger != 1:
            wrong.append(f"{host}: its ledger has {after.ledger} actions")
    return wrong


def statuses(ended: t.Sequence[Ended]) -> list[str]:
    """Runs that did not end with 0."""
    return [f"run {number} ended with {one.status}" for number, one in enumerate(ended, 1) if one.status != 0]
