# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Pods that do not start although nothing else is wrong, and when it is worth making a sandbox to see why."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from .cluster import ClusterEvidence, Pod
from .evidence import Undecided
from .node import NodeEvidence
from .registry import Cause
from .signs import api_now

# What the kubelet gives one call of the runtime before it says that it failed (runtimeRequestTimeout, 2 min by default).
PATIENCE = timedelta(minutes=2)
NOT_YET = frozenset({"ContainerCreating", "PodInitializing"})
# The kubelet mounts volumes before it asks for a sandbox: such a Pod waits for something else.
VOLUMES = frozenset({"FailedMount", "FailedAttachVolume", "FailedMapVolume"})


def pods_not_starting(node: NodeEvidence, cluster: ClusterEvidence) -> tuple[Pod, ...]:
    """Pods that the kubelet took more than :data:`PATIENCE` ago and that have no sandbox; nor trouble with volumes.

    While an image is pulled a Pod is in ContainerCreating too, and then it has its sandbox.
    """
    if cluster.node is None:
        return ()
    late = [pod for pod in cluster.node.pods if not pod.deleting and _is_late(pod, cluster)]
    if not late:
        return ()
    started = {sandbox.uid for sandbox in node.runtime.cri.pods if sandbox.ready}
    mounting = {event.name for event in cluster.node.events if event.reason in VOLUMES}
    return tuple(pod for pod in late if pod.uid not in started and f"{pod.namespace}/{pod.name}" not in mounting)


def _is_late(pod: Pod, cluster: ClusterEvidence) -> bool:
    """A mirror Pod is known to the runtime by another UID, and its state in the API is of the kubelet's making."""
    if pod.phase != "Pending" or pod.mirror or not any(c.reason in NOT_YET for c in pod.containers):
        return False
    return pod.accepted is not None and api_now(cluster) - pod.accepted > PATIENCE


def worth_trying(roots: Iterable[Cause], node: NodeEvidence, cluster: ClusterEvidence) -> bool:
    """Whether making a sandbox decides anything: Pods do not start, and the cheap evidence names no cause.

    *roots* is not read unless Pods wait, so that only then somebody has to diagnose for it.
    """
    try:
        ready = node.runtime.cri.outcome == "ok" and node.runtime.cri.runtime_ready
        waiting = ready and pods_not_starting(node, cluster)
    except Undecided:
        return False
    return bool(waiting) and all(cause.kind == "not-a-node-fault" for cause in roots)
