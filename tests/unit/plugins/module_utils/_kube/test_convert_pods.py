# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Owners, container states and the same failure on other nodes."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.cluster import Pod
from ansible_collections.outward.kubelet.plugins.module_utils._kube.convert_pods import (
    Elsewhere,
    container,
    only_home,
    owner,
    pod,
)

CRASH = {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 5m0s restarting failed container=main"}}
EXITED = {"terminated": {"exitCode": 3, "reason": "Error", "message": "password=hunter2"}}
PULL = {"waiting": {"reason": "ImagePullBackOff", "message": "Back-off pulling image"}}
RUNNING = {"running": {"startedAt": "2026-11-23T14:00:00Z"}}


def item(
    name: str, state: dict[str, t.Any], owner_name: str = "web-5d9f", namespace: str = "default"
) -> dict[str, t.Any]:
    """A Pod of a ReplicaSet."""
    reference = {"kind": "ReplicaSet", "name": owner_name, "controller": True}
    return {
        "metadata": {
            "name": name,
            "namespace": namespace,
            "uid": name,
            "labels": {"pod-template-hash": owner_name.rpartition("-")[2]},
            "ownerReferences": [reference] if owner_name else [],
        },
        "spec": {"nodeName": "unused"},
        "status": {"phase": "Running", "containerStatuses": [{"name": "main", "state": state, "restartCount": 4}]},
    }


@pytest.mark.parametrize(
    ("labels", "reference", "expected"),
    [
        ({"pod-template-hash": "7fdd4bbbf7"}, ("ReplicaSet", "web-7fdd4bbbf7"), "Deployment/web"),
        ({"pod-template-hash": "7fdd4bbbf7"}, ("ReplicaSet", "by-hand"), "ReplicaSet/by-hand"),
        ({}, ("ReplicaSet", "web-7fdd4bbbf7"), "ReplicaSet/web-7fdd4bbbf7"),
        (None, ("DaemonSet", "kube-proxy"), "DaemonSet/kube-proxy"),
        (None, ("Node", "pi-04"), "Node/pi-04"),
    ],
)
def test_owner(labels: dict[str, str] | None, reference: tuple[str, str], expected: str) -> None:
    kind, name = reference
    owners = [{"kind": "Other", "name": "x"}, {"kind": kind, "name": name, "controller": True}]
    assert owner({"labels": labels, "ownerReferences": owners}) == expected
    assert owner({"labels": labels, "ownerReferences": owners[:1]}) == ""


def test_a_container_that_crashes() -> None:
    status = {"name": "main", "image": "lab/web:1", "restartCount": 4, "state": CRASH, "lastState": EXITED}
    found = container(status)
    assert (found.state, found.reason, found.restarts) == ("waiting", "CrashLoopBackOff", 4)
    assert (found.last_reason, found.last_exit_code) == ("Error", 3)
    assert found.message.startswith("back-off 5m0s")


def test_what_an_application_says_is_not_kept_and_what_the_runtime_says_is() -> None:
    assert container({"name": "main", "state": EXITED}).message == ""
    start = {"exitCode": 128, "reason": "StartError", "message": "exec: no such file"}
    assert container({"name": "main", "state": {"terminated": start}}).message == "exec: no such file"


def test_a_container_without_a_state() -> None:
    found = container({"name": "main"})
    assert (found.state, found.reason, found.exit_code, found.last_exit_code) == ("none", "", None, None)


def elsewhere(*placed: tuple[str, dict[str, t.Any]]) -> dict[str, tuple[str, ...]]:
    """Name of Pod -> other nodes with the same failure, of Pods that are placed on nodes."""
    index, pods = Elsewhere(), [(where, pod(data)) for where, data in placed]
    for where, each in pods:
        index.add(where, each)
    found: list[Pod] = [index.of(where, each) for where, each in pods]
    return {each.name: each.failing_elsewhere for each in found}


def test_one_deployment_fails_on_two_nodes_in_both_faces_of_a_crash_loop() -> None:
    # Two ReplicaSets of one Deployment, as during a roll-out.
    found = elsewhere(
        ("pi-04", item("a", CRASH)), ("pi-05", item("b", EXITED, "web-77aa")), ("pi-06", item("c", RUNNING))
    )
    assert found == {"a": ("pi-05",), "b": ("pi-04",), "c": ()}


@pytest.mark.parametrize(
    "other",
    [
        item("b", RUNNING),
        item("b", PULL),
        item("b", CRASH, "other-5d9f"),
        item("b", CRASH, namespace="elsewhere"),
        item("b", CRASH, ""),
    ],
)
def test_what_is_not_the_same_failure(other: dict[str, t.Any]) -> None:
    assert elsewhere(("pi-04", item("a", CRASH)), ("pi-05", other)) == {"a": (), "b": ()}


def test_the_same_node_twice_is_not_elsewhere() -> None:
    assert elsewhere(("pi-04", item("a", CRASH)), ("pi-04", item("b", CRASH))) == {"a": (), "b": ()}


def test_a_pull_that_fails_has_two_faces() -> None:
    pulling = {"waiting": {"reason": "ErrImagePull", "message": "manifest unknown"}}
    assert elsewhere(("pi-04", item("a", PULL)), ("pi-05", item("b", pulling)))["a"] == ("pi-05",)


def test_a_start_in_progress_is_no_failure() -> None:
    starting = {"waiting": {"reason": "ContainerCreating"}}
    assert elsewhere(("pi-04", item("a", starting)), ("pi-05", item("b", starting)))["a"] == ()


UNSCHEDULABLE = {
    "type": "PodScheduled",
    "status": "False",
    "reason": "Unschedulable",
    "message": "0/2 nodes are available",
}


@pytest.mark.parametrize(
    ("spec", "home"),
    [
        ({"nodeSelector": {"kubernetes.io/hostname": "pi-04"}}, "pi-04"),
        ({}, None),
        ({"nodeSelector": {"disk": "ssd"}}, None),
    ],
)
def test_the_only_node_of_a_pod_without_one(spec: dict[str, t.Any], home: str | None) -> None:
    assert only_home({"spec": spec, "status": {"conditions": [UNSCHEDULABLE]}}) == home
    assert only_home({"spec": spec, "status": {}}) is None


def test_a_daemonsets_pod_names_its_node_by_a_field() -> None:
    terms = [{"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["pi-05"]}]}]
    required = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": terms}}
    spec = {"affinity": {"nodeAffinity": required}}
    assert only_home({"spec": spec, "status": {"conditions": [UNSCHEDULABLE]}}) == "pi-05"
