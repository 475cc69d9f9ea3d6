# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""A node that nobody can log into: what the cluster knows of it, and what a person should do at the board. Pure."""

from __future__ import annotations

import typing as t
from collections.abc import Callable, Iterator
from datetime import datetime

from .cluster import ClusterEvidence, Node
from .evidence import JSON, Undecided
from .node import NodeEvidence
from .signs import api_now, instant, lease_expired
from .workload import describe, losses, runs, stateful

# In this order: what tells most for least effort first.
BOARD: t.Final = (
    "power LED of {host}: off - supply or cable; blinking - undervoltage; on - look at the activity LED",
    "console of {host} (HDMI or serial): a panic, a full disk, out of memory, or no boot medium",
    "SD card or SSD of {host}: I/O errors or a read-only root on the console - replace it, keep the old one for its data",
)
# kubernetes.io: Non-graceful node shutdown. It lets the control plane start second Pods and detach volumes.
TAINT: t.Final = "kubectl taint nodes {node} node.kubernetes.io/out-of-service=nodeshutdown:NoExecute"


def from_outside(host: str, node: NodeEvidence, cluster: ClusterEvidence) -> JSON:
    """``known`` (lines), ``workload`` (see :func:`.workload.describe`), ``board`` (lines) and ``out_of_service``.

    None for a node that was logged into.
    """
    try:
        if not node.unreachable or cluster.node is None:
            return None
        found, now = cluster.node, api_now(cluster)
    except Undecided:
        return None
    alive = _alive(found, now)
    return {
        "known": [*_said(lambda: _lease(found, now)), *_said(lambda: _ready(found, now)), *_said(lambda: _runs(found))],
        "workload": _workload(found),
        "board": [line.format(host=host) for line in BOARD],
        "out_of_service": "" if alive else _out_of_service(found),
    }


def _alive(node: Node, now: datetime) -> bool:
    """Its kubelet writes; unknown counts as alive, since the taint is for what is certainly off."""
    try:
        return node.lease is not None and not lease_expired(node.lease, now)
    except Undecided:
        return True


def _said(lines: Callable[[], Iterator[str]]) -> list[str]:
    try:
        return list(lines())
    except Undecided as why:
        return [f"cannot tell: {why}"]


def _lease(node: Node, now: datetime) -> Iterator[str]:
    if node.lease is None:
        yield "it has no Lease"
    else:
        state = "expired" if lease_expired(node.lease, now) else "valid"
        yield f"Lease renewed {_ago(node.lease.renewed, now)}, {state} (it lives {node.lease.duration} s)"


def _ready(node: Node, now: datetime) -> Iterator[str]:
    ready = node.condition("Ready")
    if ready is None:
        yield "it has no Ready condition"
        return
    heard = f", last heartbeat {_ago(ready.heartbeat, now)}" if ready.heartbeat else ""
    yield f"Ready is {ready.status} ({ready.reason}), written by {ready.writer}{heard}"


def _runs(node: Node) -> Iterator[str]:
    found = describe(node)
    yield runs(found)
    lost = losses(found)
    if lost:
        yield f"without it: {lost}"


def _workload(node: Node) -> JSON:
    try:
        return describe(node)
    except Undecided as why:
        return {"unknown": str(why)}


def _out_of_service(node: Node) -> str:
    """The command that lets the Pods of StatefulSets start elsewhere, and when it may be given."""
    try:
        twice = sum(stateful(pod) for pod in node.pods)
    except Undecided:
        twice = 0
    some = {0: "its Pods and their volumes", 1: "its Pod of a StatefulSet"}
    whom = some.get(twice, f"its {twice} Pods of StatefulSets")
    command = TAINT.format(node=node.name)
    return f"only when its power is certainly off, to let {whom} start elsewhere: {command} (with a dash at the end to undo)"


def _ago(moment: datetime, now: datetime) -> str:
    return f"{(now - moment).total_seconds():.0f} s ago ({instant(moment)})"
