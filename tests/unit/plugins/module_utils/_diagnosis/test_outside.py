# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the report says of a node that nobody can log into, and what a cordoned one comes to."""

from __future__ import annotations

import typing as t
from datetime import timedelta

import pytest

from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.conclude import Look, conclude
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.evidence import unknown
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.guards import Policy
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.incident import close
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.node import unreachable_node
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.outside import from_outside
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.words import verdict
from tests.unit.helpers import NOW, healthy_node
from tests.unit.helpers_cluster import healthy_cluster
from tests.unit.plugins.module_utils._diagnosis.test_diagnose import Changes
from tests.unit.plugins.module_utils._diagnosis.test_plan import DEAD, OURS
from tests.unit.plugins.module_utils._diagnosis.test_workload import some

DEAF = unreachable_node(NOW, "timed out")
STATEFUL: Changes = {"node__pods": (some("db-0", owner="StatefulSet/db", storage=("local",)),), "node__budgets": ()}
CORDONED = {"result": "done", "refusals": [], "detail": "", "action": {"step": "cordon-node", "result": "done"}}


def report(api: Changes) -> t.Any:
    look = Look("pi-04", "recover", NOW, DEAF, healthy_cluster(**api), "pi-04")
    return conclude(look, Policy())["incident"]


def test_a_dead_node_with_a_stateful_pod() -> None:
    outside = from_outside("pi-04", DEAF, healthy_cluster(**{**DEAD, **STATEFUL}))
    assert outside["known"] == [
        "Lease renewed 300 s ago (2026-11-23T14:55:00Z), expired (it lives 40 s)",
        "Ready is Unknown (Kubelet), written by kubelet, last heartbeat 10 s ago (2026-11-23T14:59:50Z)",
        "1 Pod runs there, 1 of StatefulSets",
        "without it: 1 with data on this node only (default/db-0)",
    ]
    assert outside["workload"]["stateful"] == ["default/db-0"]
    assert outside["out_of_service"].startswith(
        "only when its power is certainly off, to let its Pod of a StatefulSet start"
    )
    assert (
        "kubectl taint nodes pi-04 node.kubernetes.io/out-of-service=nodeshutdown:NoExecute"
        in outside["out_of_service"]
    )
    assert any("power LED of pi-04" in line for line in outside["board"])


@pytest.mark.parametrize("api", [{}, {**DEAD, "node__lease": unknown("no list")}], ids=["alive", "nobody knows"])
def test_the_taint_is_not_named_while_the_kubelet_may_live(api: Changes) -> None:
    outside = from_outside("pi-04", DEAF, healthy_cluster(**api))
    assert outside["out_of_service"] == ""
    assert outside["board"]


def test_what_cannot_be_told_is_said() -> None:
    outside = from_outside("pi-04", DEAF, healthy_cluster(**{**DEAD, "node__pods": unknown("no list of Pods")}))
    assert outside["known"][-1] == "cannot tell: no list of Pods"
    assert outside["workload"] == {"unknown": "no list of Pods"}


@pytest.mark.parametrize("api", [{"node": None}, {"node": unknown("the API is silent")}], ids=["no Node", "silent API"])
def test_nothing_is_made_up(api: Changes) -> None:
    assert from_outside("pi-04", DEAF, healthy_cluster(**api)) is None


def test_a_node_that_was_logged_into_has_no_such_part() -> None:
    assert from_outside("pi-04", healthy_node(), healthy_cluster(**DEAD)) is None


def test_a_cordoned_dead_node_still_needs_a_person() -> None:
    closed = close(report({**DEAD, **STATEFUL}), [CORDONED], None, None, NOW + timedelta(seconds=9))
    assert (closed["outcome"], [a["step"] for a in closed["actions"]]) == ("needs-operator", ["cordon-node"])
    text = " ".join(" ".join(verdict(closed)).split())
    for words in ("done cordon-node", "API says Lease renewed 300 s ago", "at board power LED", "at last only when"):
        assert words in text


@pytest.mark.parametrize(
    ("api", "acted", "outcome"),
    [
        (DEAD, [], "needs-operator"),
        ({**DEAD, **OURS}, [], "needs-operator"),  # the second run: the cordon that is refused is no repair that was
        (DEAD, [{**CORDONED, "result": "unchanged"}], "needs-operator"),
        (
            DEAD,
            [{**CORDONED, "result": "failed", "action": {"step": "cordon-node", "result": "failed"}}],
            "failed",
        ),
    ],
)
def test_outcomes(api: Changes, acted: list[t.Any], outcome: str) -> None:
    assert close(report(api), acted, None, None, NOW)["outcome"] == outcome


def test_a_healthy_node_that_is_uncordoned_is_healthy() -> None:
    look = Look("pi-04", "recover", NOW, healthy_node(), healthy_cluster(**OURS), "pi-04")
    concluded = conclude(look, Policy())
    assert (concluded["permitted"], concluded["incident"]["outcome"]) == ({"uncordon-node": None}, "healthy")
    taken_off = {**CORDONED, "action": {"step": "uncordon-node", "result": "done"}}
    assert close(concluded["incident"], [taken_off], None, None, NOW)["outcome"] == "healthy"
