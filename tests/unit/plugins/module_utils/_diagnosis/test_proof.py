# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Proof is evidence newer than the action: each check fails when the new evidence is the old one."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.cluster import Pod
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.evidence import amended, unknown
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.health import CHECKS
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.node import unreachable_node
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.proof import (
    OF_A_JOIN,
    QUESTIONS,
    Action,
    Moment,
    Proof,
    in_the_way,
    left,
    prove,
    survived,
)
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.words import PROOFS
from tests.unit.helpers import NOW, healthy_node, unit
from tests.unit.helpers_cluster import condition, container, healthy_cluster, lease, pod
from tests.unit.plugins.module_utils._diagnosis.test_diagnose import SILENT, STOPPED, Changes

# The node is up for 3,600 s when it is looked at; its new kubelet began 20 s before.
FRESH: Changes = {"kubelet__unit": unit("kubelet.service", 900), "kubelet__unit__started": 3580.0}
RENEWED: Changes = {"node__lease": lease(5, "101")}
RESTARTED = (Action("restart-kubelet", "kubelet-stopped"),)
SHOWN = Proof({"ready": True})
BEFORE = Moment(healthy_node(**STOPPED), healthy_cluster(**SILENT))


def proof(changes: Changes, api: Changes) -> Proof:
    return prove(RESTARTED, BEFORE, Moment(healthy_node(**{**FRESH, **changes}), healthy_cluster(**{**RENEWED, **api})))


def test_a_recovered_node_is_proven() -> None:
    assert proof({}, {}).missing == []
    assert proof({}, {}).proven


@pytest.mark.parametrize(
    ("changes", "api", "missing"),
    [
        ({}, {"node__lease": lease(30, "101")}, "lease_renewed_after_action"),
        ({}, {"node__lease": lease(5, "100")}, "lease_renewed_after_action"),
        ({"kubelet__unit": BEFORE.node.kubelet.unit}, {}, "new_process"),
        ({"runtime__cri__runtime_ready": False}, {}, "runtime_ready"),
        ({"runtime__cri": unknown("no answer")}, {}, "runtime_ready"),
        ({"kubelet__unit__active_state": "inactive"}, {}, "cause_gone"),
        ({}, {"node__pods": (pod("web", container("waiting", "ContainerCreating")),)}, "pods_run_again"),
        ({}, {"node__conditions": (condition("Ready", "Unknown"),)}, "ready"),
    ],
)
def test_each_check_can_fail(changes: Changes, api: Changes, missing: str) -> None:
    result = proof(changes, api)
    assert not result.proven
    assert missing in result.missing


@pytest.mark.parametrize(("cause", "ok"), [("disk-pressure-nodefs", True), ("ip-forward-disabled", False)])
def test_a_pod_that_the_kubelet_evicted_for_the_cause_does_not_come_back(cause: str, ok: bool) -> None:
    running = pod("web", container("running"))
    gone = type(running)(**{**vars(running), "phase": "Failed", "reason": "Evicted", "ready": False})
    before, after = (Moment(healthy_node(), healthy_cluster(node__pods=(each,))) for each in (running, gone))
    assert prove((Action("free-disk-space", cause),), before, after).checks["pods_run_again"] is ok


def test_ready_from_before_the_action_proves_nothing() -> None:
    old = condition("Ready", "True")
    stale = type(old)(**{**vars(old), "heartbeat": NOW - timedelta(seconds=60)})
    assert "ready_reported_after_action" in proof({}, {"node__conditions": (stale,)}).missing


def test_starting_containerd_asks_for_no_new_kubelet() -> None:
    before = Moment(
        healthy_node(runtime__unit__active_state="inactive", runtime__cri__outcome="refused"), BEFORE.cluster
    )
    after = Moment(healthy_node(runtime__unit__started=3580.0), healthy_cluster(**RENEWED))
    result = prove((Action("start-containerd", "containerd-down"),), before, after)
    assert result.proven
    assert "new_process" not in result.checks


def test_a_restart_during_the_soak_undoes_the_proof() -> None:
    first = healthy_node(**FRESH)
    assert survived(SHOWN, first, Moment(first, healthy_cluster())).proven
    later = Moment(healthy_node(**FRESH, kubelet__unit__main_pid=901), healthy_cluster())
    assert survived(SHOWN, first, later).missing == ["no_restart_during_soak"]


@pytest.mark.parametrize(
    ("api", "still"),
    [
        ({"node__conditions": (condition("Ready", "False"),)}, False),
        ({"node__conditions": (condition("Ready", "Unknown"),)}, False),
        ({"node": None}, False),
        ({"node": unknown("the API server does not answer the controller")}, None),
    ],
)
def test_a_node_that_is_not_ready_after_the_soak_is_not_proven(api: Changes, still: bool | None) -> None:
    first = healthy_node(**FRESH)
    soaked = survived(SHOWN, first, Moment(first, healthy_cluster(**api)))
    assert soaked.missing == ["ready_after_soak"]
    assert soaked.checks["ready_after_soak"] is still


def test_a_node_that_cannot_be_looked_at_after_the_soak_is_not_proven() -> None:
    gone = Moment(unreachable_node(NOW, "ssh: timed out"), healthy_cluster())
    assert survived(SHOWN, healthy_node(**FRESH), gone).checks["no_restart_during_soak"] is None


def test_nothing_shown_is_nothing_proven() -> None:
    assert not Proof({}).proven


def test_a_person_reads_words_for_every_check() -> None:
    checks = survived(prove(RESTARTED, BEFORE, BEFORE), BEFORE.node, BEFORE).checks
    assert set(PROOFS) >= set(QUESTIONS)
    assert {*PROOFS, *(check[0] for check in CHECKS)} == {*checks, *OF_A_JOIN}


JOINED = (Action("join-node", "not-joined"),)


def test_a_join_is_proven_by_the_machine_and_by_its_pods() -> None:
    before = Moment(BEFORE.node, healthy_cluster(node=None))

    def shown(*pods: Pod, machine: str = "m" * 32) -> dict[str, bool | None]:
        cluster = healthy_cluster(**RENEWED, node__machine_id=machine, node__pods=pods)
        return prove(JOINED, before, Moment(healthy_node(**FRESH), cluster)).checks

    daemon = amended(pod("flannel", container()), owner="DaemonSet/flannel")
    waiting = amended(pod("flannel", container("waiting")), owner="DaemonSet/flannel")
    good = shown(daemon, pod("web", container("waiting")))
    assert (good["node_is_this_machine"], good["pods_started"], "cause_gone" in good) == (True, True, False)
    assert shown(waiting)["pods_started"] is False
    assert shown(daemon, machine="f" * 32)["node_is_this_machine"] is False


def test_what_nothing_was_done_for_is_left() -> None:
    roots = ["kubelet-stopped", "clock-skew-past", "kubelet-client-cert-expired"]
    assert [cause.id for cause in left(roots, ["start-time-sync"])] == [roots[0], roots[2]]
    assert [cause.id for cause in left(roots, ["restart-kubelet", "renew-client-certificate"])] == ["clock-skew-past"]
    assert left(["apiserver-outage", "not-joined"], []) == []  # outside this node, and of a machine that joins


GONE = Proof({"cause_gone": True, "ready": False})


@pytest.mark.parametrize(
    ("root", "shown", "changes", "waits"),
    [
        ("kubelet-stopped", GONE, STOPPED, ("kubelet-stopped",)),
        ("kubelet-stopped", GONE, {}, ()),  # somebody has started it meanwhile
        ("kubelet-stopped", GONE, {"kubelet": unknown("ssh: timed out")}, ()),
        ("kubelet-stopped", Proof({"cause_gone": False}), STOPPED, ()),
        ("kubelet-stopped", Proof({"cause_gone": None}), STOPPED, ()),
        ("ip-forward-disabled", GONE, {"kernel__sysctls": {"net.ipv4.ip_forward": "0"}}, ()),  # a node is Ready with it
    ],
)
def test_what_keeps_a_node_from_ready_is_in_the_way(
    root: str, shown: Proof, changes: Changes, waits: tuple[str, ...]
) -> None:
    assert in_the_way(left([root], []), shown, Moment(healthy_node(**changes), healthy_cluster(**SILENT))) == waits
