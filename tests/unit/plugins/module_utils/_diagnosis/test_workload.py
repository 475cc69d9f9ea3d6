# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What would be lost, with the near miss beside each."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.cluster import Budget, Pod
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.diagnose import diagnose
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.evidence import unknown
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.guards import Policy
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.plan import plan
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.workload import (
    blocking,
    describe,
    losses,
    notes,
    runs,
)
from tests.unit.helpers import healthy_node
from tests.unit.helpers_cluster import changed, container, healthy_cluster, pod
from tests.unit.plugins.module_utils._diagnosis.test_diagnose import SILENT, STOPPED

SHUT = Budget("default", "web", 0, 1, 1, False)
OPEN = Budget("default", "web", 1, 2, 1, False)


def some(name: str = "web", **fields: t.Any) -> Pod:
    """A ready Pod of a Deployment with a sibling and nothing on the node."""
    known = {"storage": (), "siblings": 1, "budgets": (), "grace": 30}
    return changed(pod(name, container()), **{**known, **fields})


def found(*pods: Pod, budgets: t.Any = ()) -> t.Any:
    node = healthy_cluster(node__pods=pods, node__budgets=budgets).node
    assert node is not None
    return describe(node)


@pytest.mark.parametrize(
    ("key", "here", "near_miss"),
    [
        ("bare", some(owner=""), some(owner="", mirror=True)),
        ("static", some(owner="", mirror=True), some(owner="")),
        ("daemonset", some(owner="DaemonSet/agent"), some(owner="Deployment/agent")),
        ("stateful", some(owner="StatefulSet/db"), some(owner="StatefulSetLike/db")),
        ("storage", some(storage=("emptyDir",)), some(owner="DaemonSet/agent", storage=("hostPath",))),
        ("storage", some(storage=("local",)), some(storage=())),
        ("single", some(siblings=0), some(siblings=1)),
        ("single", some(siblings=0), some(owner="DaemonSet/agent", siblings=0)),
        ("bare", some(owner=""), some(owner="", phase="Succeeded")),
    ],
)
def test_kinds(key: str, here: Pod, near_miss: Pod) -> None:
    assert found(here)[key] == ["default/web"]
    assert found(near_miss)[key] == []


@pytest.mark.parametrize(
    ("item", "budgets", "words"),
    [
        (some(budgets=("web",)), (SHUT,), "default/web: it allows 0 disruptions, 1 of 1 needed Pods are healthy"),
        (some(budgets=("web",)), (OPEN,), ""),
        (some(budgets=()), (SHUT,), ""),
        (some(budgets=("web",), namespace="other"), (SHUT,), ""),
        (some(budgets=("web",), phase="Pending"), (SHUT,), ""),
        (some(budgets=("web",), deleting=True), (SHUT,), ""),
        (some(budgets=("web",), ready=False), (SHUT,), ""),
        (some(budgets=("web",), ready=False), (Budget("default", "web", 0, 0, 1, False),), "default/web"),
        (some(budgets=("web",), ready=False), (Budget("default", "web", 0, 0, 1, True),), ""),
        (some(budgets=("web",), ready=False), (Budget("default", "web", 0, 0, 0, False),), "default/web"),
        (some(budgets=("web", "b")), (OPEN, Budget("default", "b", 1, 2, 1, False)), "default/web, default/b cover it"),
    ],
)
def test_who_is_held_by_a_budget(item: Pod, budgets: tuple[Budget, ...], words: str) -> None:
    held = blocking(item, budgets)
    assert words in held
    assert bool(held) is bool(words)


def test_in_words() -> None:
    many = [some(f"db-{number}", owner="StatefulSet/db", storage=("local",)) for number in range(7)]
    seen = found(*many, some("alone", owner=""), some("agent", owner="DaemonSet/agent"))
    assert runs(seen) == "9 Pods run there, 1 of DaemonSets, 7 of StatefulSets"
    assert losses(seen).startswith(
        "1 bare, which nobody would make again (default/alone); 7 with data on this node only"
    )
    assert losses(seen).endswith("default/db-4 and 2 more)")


def test_what_an_older_listing_lacks_is_unknown_and_the_rest_is_said() -> None:
    seen = found(pod("web", container()), budgets=unknown("no list"))
    assert (seen["pods"], seen["bare"], seen["blocked"]) == (1, [], {"unknown": "no list"})
    assert "unknown" in seen["storage"]
    words = notes("restart-kubelet", healthy_cluster())
    assert words[0] == "1 Pod runs there"
    assert "how many are with data on this node only is unknown" in words[1]


def test_the_plan_says_what_runs_there_and_why_it_does_not_drain() -> None:
    pods = (some(budgets=("web",)), some("alone", owner=""))
    cluster = healthy_cluster(**{**SILENT, "node__pods": pods, "node__budgets": (SHUT,)})
    step = plan(diagnose(healthy_node(**STOPPED), cluster), cluster, Policy())[0]
    assert (step.step, step.permitted) == ("restart-kubelet", True)
    assert step.notes[0] == "2 Pods run there"
    assert step.notes[1].startswith(
        "no drain: containers run on while the kubelet is started; a drain would cost: 1 bare"
    )
    assert "a drain would be held up at default/web (PodDisruptionBudget default/web: it allows 0" in step.notes[1]


def test_pods_that_nobody_listed_are_said_to_be_unknown() -> None:
    words = notes("start-containerd", healthy_cluster(node__pods=unknown("no list")))
    assert words == (
        "what runs there is unknown: no list",
        "no drain: containers run on while containerd is started",
    )
    assert notes("uncordon-node", healthy_cluster()) == ()
