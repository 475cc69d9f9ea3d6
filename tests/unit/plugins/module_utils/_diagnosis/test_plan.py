# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which steps are permitted, and in which words the others are refused."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.cluster import Fleet, Turn
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.diagnose import diagnose
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.evidence import unknown
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.guards import Policy
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.node import unreachable_node
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.plan import Step, plan
from tests.unit.helpers import NOW, healthy_node
from tests.unit.helpers_cluster import conditions, fleet, healthy_cluster, lease
from tests.unit.plugins.module_utils._diagnosis.test_diagnose import (
    EXPIRED,
    LOOPING,
    NO_SOCKET,
    NO_SWAP,
    SILENT,
    STOPPED,
    Changes,
)

TWO_DOWN = {**SILENT, "fleet": Fleet((), (), ("pi-04", "pi-05"), (), ("pi-04", "pi-05"))}
RESTART = "restart-kubelet"


def steps(changes: Changes, api: Changes, policy: Policy | None = None) -> dict[str, Step]:
    node, cluster = healthy_node(**changes), healthy_cluster(**api)
    return {step.step: step for step in plan(diagnose(node, cluster), cluster, policy or Policy())}


def test_a_healthy_node_has_no_plan() -> None:
    assert steps({}, {}) == {}


@pytest.mark.parametrize(
    ("changes", "api", "policy", "words"),
    [
        ({**LOOPING, "certificates__client": EXPIRED}, SILENT, Policy(), "cannot renew a certificate"),
        ({**STOPPED, **NO_SWAP}, SILENT, Policy(), "second root cause, kubelet-swap-on"),
        (STOPPED, TWO_DOWN, Policy(), "pi-05 unavailable too"),
        (STOPPED, SILENT, Policy("none"), "outward_automate is none"),
        (STOPPED, SILENT, Policy("safe"), "kubelet-stopped is guarded, and outward_automate is safe"),
        (STOPPED, {**SILENT, "node__control_plane": True}, Policy(), "control-plane"),
        (STOPPED, {**SILENT, "fleet": unknown("no list")}, Policy(), "cannot tell: no list"),
        (STOPPED, {**SILENT, "api__reachable": False, "api__problem": "refused"}, Policy(), "frozen"),
        (NO_SOCKET, {}, Policy(), "containerd is started, and the kubelet reconnects"),
        ({"storage": unknown("x")}, {"node__unschedulable": True}, Policy(), "not at fault"),
    ],
)
def test_a_restart_is_refused(changes: Changes, api: Changes, policy: Policy, words: str) -> None:
    step = steps(changes, api, policy)[RESTART]
    assert not step.permitted
    assert words in step.why


def test_a_stopped_kubelet_is_started() -> None:
    step = steps(STOPPED, SILENT)[RESTART]
    assert (step.permitted, step.cause) == (True, "kubelet-stopped")


def test_two_nodes_down_within_the_cap() -> None:
    assert steps(STOPPED, TWO_DOWN, Policy(max_unavailable=2))[RESTART].permitted


def test_containerd_is_started_without_a_restart_of_the_kubelet() -> None:
    planned = steps(NO_SOCKET, {})
    assert planned["start-containerd"].permitted
    assert not planned[RESTART].permitted


def test_what_cannot_be_ruled_out_upstream_forbids_the_step() -> None:
    planned = steps({**NO_SOCKET, "runtime__journal": unknown("journal: no answer within 4 s")}, {})
    assert planned["start-containerd"].why.startswith("cannot rule out containerd-config-invalid: journal")


def test_a_latent_fault_forbids_the_restart_that_would_wake_it() -> None:
    planned = steps(NO_SWAP, {"node": None})
    assert not planned[RESTART].permitted


DEAD: Changes = {
    "node__lease": lease(300),
    "node__conditions": conditions(Ready="Unknown"),
    "fleet": fleet(ready=("pi-05",), silent=("pi-04",), expired_leases=("pi-04",)),
}
OURS: Changes = {
    "node__unschedulable": True,
    "node__unschedulable_by": "outward.kubelet",
    "node__annotations": {
        "outward.kubelet/cordoned-by": "awx-12",
        "outward.kubelet/cordoned-at": "2026-11-23T14:00:00Z",
    },
}
THEIRS: Changes = {"node__unschedulable": True}


def planned(changes: Changes, policy: Policy | None = None) -> dict[str, Step]:
    """The plan for a node that nobody can log into."""
    node, cluster = unreachable_node(NOW, "timed out"), healthy_cluster(**changes)
    return {step.step: step for step in plan(diagnose(node, cluster), cluster, policy or Policy())}


@pytest.mark.parametrize("api", [DEAD, {}], ids=["dead", "ssh-dead-kubelet-alive"])
def test_a_node_that_nobody_can_log_into_is_cordoned_and_nothing_else(api: Changes) -> None:
    steps = planned(api)
    assert {name: step.permitted for name, step in steps.items()} == {RESTART: False, "cordon-node": True}
    assert "no drain: nobody can confirm" in steps["cordon-node"].notes[0]


LOST_UNSEEN = fleet(silent=("pi-04", "pi-05"), expired_leases=("pi-04", "pi-05"), turns=unknown("not kept"))


@pytest.mark.parametrize(
    ("api", "policy", "words"),
    [
        (DEAD, Policy("none"), "outward_automate is none"),
        (DEAD, Policy("safe"), "node-unreachable is guarded, and outward_automate is safe"),
        ({**DEAD, "fleet": fleet(silent=("pi-04", "pi-05"))}, Policy(), "pi-05 unavailable too"),
        ({**DEAD, "node__control_plane": True}, Policy(), "control-plane"),
        ({**DEAD, "fleet": unknown("no list")}, Policy(), "no list"),
        ({**DEAD, "fleet": LOST_UNSEEN}, Policy(max_unavailable=9), "cannot rule out nodes-lost-together: not kept"),
        ({**DEAD, **OURS}, Policy(), "it is cordoned already: cordoned by awx-12 at 2026-11-23T14:00:00Z"),
        ({**DEAD, **THEIRS}, Policy(), "somebody has cordoned it"),
        ({**DEAD, **THEIRS}, Policy(reason="the board is dead"), "it is cordoned already: by somebody else"),
    ],
)
def test_and_is_not_when(api: Changes, policy: Policy, words: str) -> None:
    steps = planned(api, policy)
    step = steps["cordon-node"]
    assert not step.permitted
    assert set(steps) == {RESTART, "cordon-node"}
    assert words in step.why


def test_nor_when_others_were_lost_with_it() -> None:
    when = NOW - timedelta(seconds=90)
    gone = tuple(Turn(name, "Unknown", when, when, None) for name in ("pi-04", "pi-05"))
    both = fleet(silent=("pi-04", "pi-05"), expired_leases=("pi-04", "pi-05"), turns=gone)
    assert "cordon-node" not in planned({**DEAD, "fleet": both}, Policy(max_unavailable=9))


@pytest.mark.parametrize(
    ("changes", "api", "policy", "permitted", "words"),
    [
        ({}, OURS, Policy(), True, "goes: the node is healthy"),
        ({}, OURS, Policy("none"), False, "stays: outward_automate is none"),
        (STOPPED, {**SILENT, **OURS}, Policy(), True, "goes: once the node is proven to work"),
        (STOPPED, {**SILENT, **OURS, "node__control_plane": True}, Policy(), False, "stays until the node is proven"),
    ],
)
def test_our_own_cordon_goes_with_the_fault(
    changes: Changes, api: Changes, policy: Policy, permitted: bool, words: str
) -> None:
    step = steps(changes, api, policy)["uncordon-node"]
    assert (step.permitted, words in step.why) == (permitted, True)


@pytest.mark.parametrize(
    "api",
    [
        THEIRS,
        {**OURS, "node__annotations": {}},
        {**OURS, "node__unschedulable_by": "kubectl-cordon"},
        {**OURS, "node__unschedulable": False},
    ],
)
def test_no_other_cordon_does(api: Changes) -> None:
    assert "uncordon-node" not in steps({}, api)
