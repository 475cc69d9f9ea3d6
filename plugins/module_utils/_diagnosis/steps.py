# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""The steps that are taken on a node, by the names that reports and people use (design.md section 5)."""

from __future__ import annotations

import typing as t

from .repair import REPAIRS
from .repairs import disk, identity, kernel, kubelet, kubelet_start, pod_network, runtime

# Importing a module of repairs enters its steps into REPAIRS.
REPAIRING: t.Final = (kubelet, kubelet_start, identity, runtime, kernel, disk, pod_network)
RESTART: t.Final = "restart-kubelet"
START_RUNTIME: t.Final = "start-containerd"
RENEW: t.Final = "renew-client-certificate"
SERVE: t.Final = "renew-serving-certificate"
JOIN: t.Final = "join-node"
CORDON: t.Final = "cordon-node"
UNCORDON: t.Final = "uncordon-node"
# The steps that end in a new process of the kubelet.
STARTING: t.Final = frozenset({RESTART, RENEW, SERVE, JOIN})
# What a renewal makes unnecessary: it writes the cluster's CA too.
RENEWED: t.Final = frozenset(
    {RENEW, *(each.step for each in (identity.CLIENT_CA, identity.CLIENT_CERTIFICATE, identity.KUBECONFIG))}
)
# What keeps a fault from spreading, or ends that again: it cures nothing, so it is neither proven nor counted as a repair.
CONTAINING: t.Final = frozenset({CORDON, UNCORDON})
STEPS: t.Final = {
    RESTART: "starts or restarts the kubelet of this one node",
    START_RUNTIME: "starts containerd; running containers and the kubelet are left alone",
    RENEW: "has the kubelet ask for a new client certificate with a bootstrap token of this node's own, that lives for "
    "minutes; what was there is put back when that is not proven",
    SERVE: "has the kubelet ask the cluster for a new serving certificate, and turns that on if it is off; what was there is put "
    "back when it is not in use then",
    JOIN: "sets what a node needs, and has kubeadm join it with a bootstrap token of its own; what was there is put back when "
    "that fails",
    **{name: repair.words for name, repair in REPAIRS.items()},
    CORDON: "marks the Node unschedulable in the API, and who did it, when and why; nothing that runs is touched",
    UNCORDON: "takes our own cordon off again; one that we found stays",
}
# What a person may allow or forbid by name (outward_steps); to join and to rotate has playbooks of its own.
CHOSEN: t.Final = tuple(name for name in STEPS if name not in (UNCORDON, SERVE, JOIN))


def follow_up(step: str | None) -> tuple[str, ...]:
    """The step and, when the kubelet does not see by itself that it was repaired, its restart; none for None."""
    if step is None:
        return ()
    return (step, RESTART) if step in REPAIRS and REPAIRS[step].restart else (step,)


def patience(steps: t.Iterable[str]) -> int:
    """The seconds that the API may take to show that the slowest of *steps* worked; 0: as any other."""
    return max((REPAIRS[step].patience for step in steps if step in REPAIRS), default=0)
