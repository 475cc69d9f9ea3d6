# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Budgets by their selectors, claims by their volumes, owners by their other Pods."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.evidence import Undecided
from ansible_collections.outward.kubelet.plugins.module_utils._kube.convert_pods import pod as converted
from ansible_collections.outward.kubelet.plugins.module_utils._kube.cost import Cost, matches
from tests.unit.small_cluster import Object, pod

CLAIM = {"volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "data-db-0"}}]}


def term(operator: str, *values: str) -> Object:
    return {"matchExpressions": [{"key": "app", "operator": operator, "values": [*values]}]}


@pytest.mark.parametrize(
    ("selector", "holds", "without"),
    [
        ({}, True, True),
        ({"matchLabels": {"app": "web"}}, True, False),
        ({"matchLabels": {"app": "db"}}, False, False),
        (term("In", "web", "db"), True, False),
        (term("In", "db"), False, False),
        (term("NotIn", "web"), False, True),
        (term("NotIn", "db"), True, True),
        (term("Exists"), True, False),
        (term("DoesNotExist"), False, True),
        (term("Like", "web"), False, False),
        ({"matchLabels": {"app": "web"}, **term("NotIn", "web")}, False, False),
    ],
)
def test_selectors(selector: Object, holds: bool, without: bool) -> None:
    assert (matches(selector, {"app": "web"}), matches(selector, {"tier": "1"})) == (holds, without)


def budget(selector: t.Any, namespace: str = "default") -> Object:
    return {"metadata": {"namespace": namespace, "name": "b"}, "spec": {"selector": selector}}


@pytest.mark.parametrize(
    ("item", "covers"),
    [
        (budget({}), True),
        (budget(None), False),
        (budget({}, "other"), False),
        (budget({"matchLabels": {"app": "x"}}), False),
    ],
)
def test_whom_a_budget_covers(item: Object, covers: bool) -> None:
    cost = Cost()
    cost.add_budgets([item])
    placed = cost.place(pod("web-1"), converted(pod("web-1")))
    assert bool(placed.budgets) is covers
    assert bool(cost.budgets([placed])) is covers


def volume(kind: str, claim: str, namespace: str = "default") -> Object:
    return {"metadata": {"name": "pv"}, "spec": {kind: {}, "claimRef": {"namespace": namespace, "name": claim}}}


@pytest.mark.parametrize(
    ("spec", "volumes", "storage"),
    [
        ({}, [], ()),
        ({"volumes": [{"name": "c", "configMap": {}}]}, [], ()),
        ({"volumes": [{"name": "e", "emptyDir": {}}, {"name": "h", "hostPath": {}}]}, [], ("emptyDir", "hostPath")),
        (CLAIM, [volume("local", "data-db-0")], ("local",)),
        (CLAIM, [volume("hostPath", "data-db-0")], ("local",)),
        (CLAIM, [volume("nfs", "data-db-0")], ()),
        (CLAIM, [volume("local", "data-db-0", "other")], ()),
        (CLAIM, [], ()),
        ({"volumes": [{"name": "scratch", "ephemeral": {}}]}, [volume("local", "db-0-scratch")], ("local",)),
    ],
)
def test_where_the_data_lies(spec: Object, volumes: list[Object], storage: tuple[str, ...]) -> None:
    cost = Cost()
    cost.add_volumes([*volumes, {"metadata": {"name": "free"}, "spec": {"local": {}}}])
    assert cost.place(pod("db-0", spec=spec), converted(pod("db-0"))).storage == storage


def test_volumes_that_could_not_be_listed_are_unknown_where_there_is_a_claim() -> None:
    cost = Cost()
    cost.no_volumes("no list")
    assert cost.place(pod("web-1"), converted(pod("web-1"))).storage == ()
    with pytest.raises(Undecided, match="no list"):
        assert cost.place(pod("db-0", spec=CLAIM), converted(pod("db-0"))).storage


def test_siblings_are_ready_and_of_the_same_owner_and_namespace() -> None:
    cost = Cost()
    others = [
        pod("web-2"),
        pod("web-3", ready=False),
        pod("web-4", metadata={"deletionTimestamp": "2026-11-23T15:00:00Z"}),
        pod("web-5", metadata={"namespace": "other"}),
        pod("db-0", owner="StatefulSet/db"),
    ]
    for item in [pod("web-1"), *others]:
        cost.count(converted(item))
    assert cost.complete(converted(pod("web-1"))).siblings == 1
    assert cost.complete(converted(pod("web-3", ready=False))).siblings == 2
    assert cost.complete(converted(pod("db-0", owner="StatefulSet/db"))).siblings == 0
