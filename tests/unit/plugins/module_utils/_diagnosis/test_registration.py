# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Labels and taints of an inventory: which can be meant, and what a Node has not."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.registration import labels, missing, taints

ONLY = {"key": "storage", "value": "only", "effect": "NoSchedule"}
READY = {"key": "node.kubernetes.io/not-ready", "effect": "NoExecute", "timeAdded": "2026-11-23T15:00:00Z"}


def node(**labels: str) -> t.Any:
    return {"metadata": {"resourceVersion": "7", "labels": labels}, "spec": {"taints": [READY]}}


def test_yaml_is_understood() -> None:
    given = {"disk": "ssd", "node-role.kubernetes.io/worker": None, "gpu": True, "rack": 4}
    assert labels(given) == {"disk": "ssd", "node-role.kubernetes.io/worker": "", "gpu": "true", "rack": "4"}
    assert (labels(None), taints(None)) == ({}, ())
    assert taints([ONLY, {"key": "x", "effect": "NoExecute"}]) == (ONLY, {"key": "x", "effect": "NoExecute"})


@pytest.mark.parametrize("given", [{"a b": "x"}, {"-a": "x"}, {"a": "b c"}, {"a": "x" * 64}, {"A/b/c": "x"}, {"": "x"}])
def test_what_is_no_label(given: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="is no label"):
        labels(given)


@pytest.mark.parametrize(
    "given",
    [
        {"key": "a"},
        {"key": "a", "effect": "Never"},
        {**ONLY, "x": "y"},
        {"effect": "NoExecute"},
        {**ONLY, "value": "?"},
    ],
)
def test_what_is_no_taint(given: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="is no taint"):
        taints([given])


def test_what_is_missing_is_given_and_the_rest_is_left() -> None:
    patch, told = missing(node(disk="hdd", zone="a"), {"disk": "ssd", "zone": "a"}, [ONLY])
    assert patch == {
        "metadata": {"resourceVersion": "7", "labels": {"disk": "ssd"}},
        "spec": {"taints": [READY, ONLY]},
    }
    assert told == ("label disk=ssd", "taint storage=only:NoSchedule")


def test_a_second_time_nothing_is_missing() -> None:
    item = node(disk="ssd")
    item["spec"]["taints"] += [{**ONLY, "timeAdded": None}]
    assert missing(item, {"disk": "ssd"}, [ONLY]) == (None, ())
    assert missing({"metadata": {"resourceVersion": "7"}}, {}, []) == (None, ())


def test_a_taint_of_another_value_is_replaced() -> None:
    item = node()
    item["spec"]["taints"] += [{**ONLY, "value": "old"}]
    patch, dummy = missing(item, {}, [ONLY])
    assert patch["spec"]["taints"] == [READY, ONLY]
    assert patch["metadata"]["labels"] == {}
