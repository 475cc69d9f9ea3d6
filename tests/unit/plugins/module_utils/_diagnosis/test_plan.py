# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which steps are permitted, and in which words the others are refused."""

from __future__ import annotations

import pytest

from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.cluster import Fleet
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.diagnose import diagnose
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.evidence import unknown
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.guards import Policy
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.plan import Step, plan
from tests.unit.helpers import healthy_node
from tests.unit.helpers_cluster import healthy_cluster
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
