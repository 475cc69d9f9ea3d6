# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Scope first: what befalls several nodes at once is not this node's fault, and its cure is not on this node."""

from __future__ import annotations

import typing as t
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from ..cluster import ClusterEvidence, Turn
from ..health import examine
from ..node import NodeEvidence
from ..registry import cause
from ..signs import api_now, instant, some

# The longest node-monitor-grace-period by default (50 s from 1.32 on, 40 s before; faults.md section 2).
GRACE: t.Final = timedelta(seconds=50)
# And one renewal of a Lease: two nodes that were cut off at one moment are within it.
WINDOW: t.Final = GRACE + timedelta(seconds=10)
# faults.md section 3, rule 2: two nodes within one grace period.
TOGETHER: t.Final = 2
# How long to wait after a mass failure: the node controller evicts after 5 minutes (the toleration of not-ready and
# unreachable that every Pod gets), and by then what was to come back by itself has.
AFTERMATH: t.Final = timedelta(minutes=5)
# Fewer came back together when a person, or we, recovered one after the other.
MANY: t.Final = 3
CUT_OFF: t.Final = frozenset({"timeout", "unreachable", "refused"})
WAIT: t.Final = (
    "leave the workers alone; find what they have in common: switch, power, a rollout, the control plane's load"
)


def well(node: NodeEvidence, cluster: ClusterEvidence) -> bool:
    """This node does not suffer from what befalls the others; what cannot be told of it is no sign of health."""
    return all(check.ok for check in examine(node, cluster))


def lost_together(cluster: ClusterEvidence) -> list[Turn]:
    """The largest group of nodes that were lost within one window, if one says anything about this node.

    It does when this node is in it, or when it is half of all Nodes and of these minutes; two others out of a hundred, or
    since yesterday, are a matter of capacity alone.
    """
    moments = [(moment, turn) for turn in cluster.fleet.turns for moment in (_lost(turn, cluster),) if moment]
    return max((group for group in _groups(moments) if _telling(group, cluster)), key=len, default=[])


def _telling(group: list[Turn], cluster: ClusterEvidence) -> bool:
    if len(group) < TOGETHER or cluster.name in {turn.name for turn in group}:
        return len(group) >= TOGETHER
    ages = [api_now(cluster) - moment for turn in group for moment in (_lost(turn, cluster),) if moment]
    return 2 * len(group) >= len(cluster.fleet.names) and max(ages) <= AFTERMATH + WINDOW


def _lost(turn: Turn, cluster: ClusterEvidence) -> datetime | None:
    """When: its last renewal where the Lease has expired, else when Ready changed; None: it is not lost.

    The Lease of a kubelet that was just started again is new, and Ready Unknown still: since a grace period after it was lost.
    """
    if turn.name in cluster.fleet.expired_leases:
        return turn.renewed
    if turn.ready == "Unknown" and turn.since:
        return turn.since - GRACE
    return turn.since if turn.ready != "True" else None


def _groups(moments: Iterable[tuple[datetime, Turn]]) -> list[list[Turn]]:
    """Every group that is within one window, the latest first."""
    ordered = sorted(moments, key=lambda pair: pair[0], reverse=True)
    return [[turn for at, turn in ordered if timedelta(0) <= end - at <= WINDOW] for end, dummy in ordered]


def _names(turns: Iterable[Turn]) -> str:
    return some(sorted(turn.name for turn in turns))


@cause(
    id="nodes-lost-together",
    layer="control-plane",
    kind="external",
    title="Several nodes were lost at the same time",
    restart="harmful",
    refusal="what befell them all is not on this node, and every restart is more load on what is left",
    explains=("node-unreachable", "sym:node-unknown"),
    advice=WAIT,
)
def nodes_lost_together(node: NodeEvidence, cluster: ClusterEvidence) -> Iterator[str]:
    """Nodes do not break in the same minute by themselves: a switch, a power supply, a rollout, or the control plane did
    it. What one finds on one of them is then the effect, and to cure it there would be repeated on each.
    """
    unwell = {*cluster.fleet.expired_leases, *cluster.fleet.not_ready, *cluster.fleet.silent}
    if len(unwell) < TOGETHER:
        return
    group = lost_together(cluster)
    if group and not well(node, cluster):
        moments = sorted(moment for turn in group for moment in (_lost(turn, cluster),) if moment)
        seconds = (moments[-1] - moments[0]).total_seconds()
        yield f"{len(group)} of {len(cluster.fleet.names)} nodes within {seconds:.0f} s, since {instant(moments[0])}: {_names(group)}"


@cause(
    id="apiserver-unreachable-from-nodes",
    layer="control-plane",
    kind="external",
    title="The API server answers the controller, and neither this node nor its peers reach it",
    restart="useless",
    refusal="a restart does not open the way to the API, and would leave the node unregistered",
    explains=("nodes-lost-together", "apiserver-firewalled", "registry-unreachable-from-node", "sym:node-unknown"),
    advice="look at what lies between the nodes and {server}: its load balancer, firewall, switch; leave the workers alone",
)
def apiserver_unreachable_from_nodes(node: NodeEvidence, cluster: ClusterEvidence) -> Iterator[str]:
    """Evidence from both ends: this node says so itself, and the others' Leases stopped in the same minute as its own."""
    if not cluster.api.reachable or len(cluster.fleet.expired_leases) < TOGETHER:
        return
    peers = set(cluster.fleet.names) - {cluster.name, *cluster.fleet.control_plane}
    # The cluster first: one peer that reaches the API server settles it, also for a node that cannot be logged into.
    if not peers or not {*cluster.fleet.expired_leases} >= peers or node.network.api.outcome not in CUT_OFF:
        return
    api = node.network.api
    group = lost_together(cluster)
    silent = [turn for turn in group if turn.name in cluster.fleet.expired_leases]
    if {turn.name for turn in silent} >= peers | {cluster.name}:
        yield f"{api.server} from {cluster.name}: {api.outcome} ({api.detail})"
        yield f"{cluster.api.server} answers the controller"
        yield f"no worker renews its Lease: {_names(silent)}"


@cause(
    id="mass-failure-just-over",
    layer="control-plane",
    kind="external",
    title="Many nodes have just come back together: wait",
    restart="harmful",
    refusal="what was to come back by itself is still coming, and every restart is more load on it",
    advice="wait five minutes and run it again; then find what they had in common: switch, power, the control plane",
)
def mass_failure_just_over(node: NodeEvidence, cluster: ClusterEvidence) -> Iterator[str]:
    """After a mass failure every kubelet lists all that it watches and every Pod is started again. A node that is late
    then is not broken, and what is wrong with it afterwards is seen better.
    """
    if len(cluster.fleet.names) < MANY:
        return
    now = api_now(cluster)
    back = [turn for turn in cluster.fleet.turns if turn.ready == "True" and turn.since and _is_back(turn, now)]
    group = max(_groups((turn.since, turn) for turn in back if turn.since), key=len, default=[])
    if len(group) >= MANY and 2 * len(group) >= len(cluster.fleet.names) and not well(node, cluster):
        latest = max(turn.since for turn in group if turn.since)
        yield f"Ready again within {WINDOW.total_seconds():.0f} s, the last at {instant(latest)}: {_names(group)}"


def _is_back(turn: Turn, now: datetime) -> bool:
    """Ready lately, and not because it has only just joined."""
    since = turn.since or now
    return now - since <= AFTERMATH and (turn.created is None or since - turn.created > AFTERMATH)
