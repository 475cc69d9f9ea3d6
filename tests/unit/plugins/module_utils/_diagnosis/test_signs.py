# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What rules share."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.cluster import ClusterEvidence
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.evidence import unknown
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.node import NodeEvidence, unreachable_node
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.node_pods import Consumer, Sandbox
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.signs import (
    crash_looping,
    most_memory,
    most_processes,
    no_node,
)
from tests.unit.helpers import NOW, file, healthy_node
from tests.unit.helpers_cluster import healthy_cluster

ABSENT: t.Final = healthy_cluster(name="web", node=None)
BARE: t.Final = healthy_node(
    kubelet__binary=file("/usr/bin/kubelet", exists=False),
    certificates__kubeconfig__file=file("/etc/kubernetes/kubelet.conf", exists=False),
)


@pytest.mark.parametrize(
    ("node", "why"),
    [
        (unreachable_node(NOW, "no route to host"), "the host cannot be reached (no route to host)"),
        (BARE, "the host has no kubelet (/usr/bin/kubelet)"),
        # pi-05 is called web in the inventory.
        (healthy_node(certificates__client__common_name="system:node:pi-05"), "the host's kubelet is the Node pi-05"),
    ],
)
def test_a_host_that_is_no_node_is_told_apart(node: NodeEvidence, why: str) -> None:
    found = no_node(node, ABSENT) or ""
    assert f"the cluster has no Node web, and {why}" in found
    assert "there are: pi-04, pi-05" in found


@pytest.mark.parametrize(
    ("node", "cluster"),
    [
        (healthy_node(certificates__client__common_name="system:node:web"), ABSENT),  # its Node was deleted
        (unreachable_node(NOW, "no route to host"), healthy_cluster()),  # dead
        (BARE, healthy_cluster()),  # the package was removed
        (unreachable_node(NOW, "no route to host"), healthy_cluster(node=unknown("API server down"))),
    ],
)
def test_a_node_of_which_something_is_left_is_one(node: NodeEvidence, cluster: ClusterEvidence) -> None:
    assert no_node(node, cluster) is None


ENDED: t.Final = {
    "kubelet__unit__active_state": "deactivating",
    "kubelet__unit__sub_state": "stop-sigterm",
    "kubelet__unit__result": "exit-code",
    "kubelet__unit__main_pid": 0,
    "kubelet__healthz__outcome": "refused",
}


@pytest.mark.parametrize(
    ("changes", "loops"),
    [
        ({}, True),
        ({"kubelet__unit__result": "signal"}, True),
        ({"kubelet__unit__result": "success"}, False),  # somebody stopped it
        ({"kubelet__unit__result": "timeout"}, False),  # somebody stopped it, and it would not end
        ({"kubelet__unit__main_pid": 812}, False),  # it ends
    ],
)
def test_a_kubelet_that_ended_by_itself_and_that_systemd_has_not_let_go_crashes(
    changes: dict[str, t.Any], loops: bool
) -> None:
    assert crash_looping(healthy_node(**{**ENDED, **changes})) is loops


def test_who_holds_most_is_named_by_unit_and_pod() -> None:
    uid = "5a6da218-5e2a-4b68-914c-d0e2a05723fe"
    held = (Consumer("containerd.service", False, 124854272, 39), Consumer(uid, True, 900 * 1024**2, 8))
    pod = Sandbox("s", uid, "shop", "db-0", 0, True, NOW, "api", ())
    node = healthy_node(pressure__consumers=held, runtime__cri__pods=(pod,))
    assert most_memory(node) == "most memory: Pod shop/db-0 900 MiB, containerd.service 119 MiB"
    assert most_processes(node) == "most processes and threads: containerd.service 39, Pod shop/db-0 8"
    gone = healthy_node(pressure__consumers=held, runtime__cri__pods=unknown("no answer"))
    assert most_memory(gone) == f"most memory: Pod {uid} 900 MiB, containerd.service 119 MiB"
    assert most_memory(healthy_node()) == "most memory: not measured"
