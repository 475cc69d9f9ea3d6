# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Health is shown, not assumed: the checks that together say "this node works"."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from .cluster import ClusterEvidence, Node
from .evidence import Undecided
from .node import NodeEvidence
from .registry import Predicate
from .signs import crash_looping, kubelet_answers, lease_kept


@dataclass(frozen=True)
class Check:
    """One thing that must be so on a healthy node; ``ok`` is None when nobody could tell."""

    name: str
    ok: bool | None
    detail: str
    reason: str = ""  # why nobody could tell


def runtime_ready(node: NodeEvidence, cluster: ClusterEvidence) -> bool:
    """The CRI answers and reports RuntimeReady."""
    return node.runtime.cri.outcome == "ok" and bool(node.runtime.cri.runtime_ready)


def network_ready(node: NodeEvidence, cluster: ClusterEvidence) -> bool:
    """The CRI answers and reports NetworkReady."""
    return node.runtime.cri.outcome == "ok" and bool(node.runtime.cri.network_ready)


def registered(node: NodeEvidence, cluster: ClusterEvidence) -> bool:
    """The API has this Node."""
    return cluster.node is not None


def ready(node: NodeEvidence, cluster: ClusterEvidence) -> bool:
    """The Node's Ready condition is True; alone it proves nothing (lab.md section 5)."""
    condition = cluster.node.condition("Ready") if cluster.node else None
    return condition is not None and condition.status == "True"


def conditions_clean(node: NodeEvidence, cluster: ClusterEvidence) -> bool:
    """As :func:`clean`."""
    return cluster.node is not None and clean(cluster.node)


def clean(node: Node) -> bool:
    """No pressure condition is True or Unknown."""
    return all(c.status == "False" for c in node.conditions if c.type.endswith(("Pressure", "Unavailable")))


CHECKS: tuple[tuple[str, str, Predicate], ...] = (
    ("kubelet_answers", "the kubelet runs and its healthz says ok", lambda node, cluster: kubelet_answers(node)),
    ("kubelet_calm", "the kubelet stays up", lambda node, cluster: not crash_looping(node)),
    ("runtime_ready", "the container runtime is ready", runtime_ready),
    ("network_ready", "the Pod network is ready", network_ready),
    ("node_registered", "the Node is in the API", registered),
    ("ready", "Ready is True", ready),
    ("lease_fresh", "the Lease is renewed by this kubelet", lease_kept),
    ("conditions_clean", "no pressure condition is set", conditions_clean),
)


def examine(node: NodeEvidence, cluster: ClusterEvidence) -> Iterator[Check]:
    """Every check with its answer."""
    for name, detail, predicate in CHECKS:
        try:
            yield Check(name, predicate(node, cluster), detail)
        except Undecided as why:
            yield Check(name, None, detail, str(why))
