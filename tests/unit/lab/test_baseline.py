# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a reset takes away, puts back and leaves alone."""

from __future__ import annotations

import base64
import subprocess
from typing import Any

import pytest

from tests.lab import _baseline


def item(kind: str, name: str, namespace: str = "default", **parts: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": name, "namespace": namespace}, **parts}


def node(**spec: Any) -> dict[str, Any]:
    metadata = {"name": "pi-04", "labels": {"a": "1"}, "annotations": {}}
    return {"kind": "Node", "metadata": metadata, "spec": spec}


BEFORE = [item("ConfigMap", "settings", data={"a": "1"}), item("Secret", "known")]
BASELINE = _baseline.record(BEFORE, [node()])
THEN = BASELINE.nodes["pi-04"]


def test_a_baseline_survives_the_state_directory() -> None:
    assert _baseline.from_json(_baseline.to_json(BASELINE)) == BASELINE


@pytest.mark.parametrize(
    ("left", "removed"),
    [
        (item("Secret", "left"), True),
        (item("Secret", "known"), False),
        (item("Secret", "bootstrap-token-x", "kube-system", type="bootstrap.kubernetes.io/token"), False),
        (item("Lease", "pi-04", "kube-node-lease"), False),
        (item("Namespace", "outward-kubelet", ""), False),
        (item("ServiceAccount", "recover", "outward-kubelet"), False),
        (item("Role", "outward-kubelet-recover", "kube-system"), False),
        (item("Lease", "outward-kubelet-0", "kube-system"), True),  # a lock that was left behind
        (item("Role", "outward-kubelets", "kube-system"), True),
        (item("ConfigMap", "kube-root-ca.crt"), False),
    ],
)
def test_extras(left: dict[str, Any], removed: bool) -> None:
    assert bool(_baseline.extras([*BEFORE, left], BASELINE)) is removed


def test_what_belongs_to_an_owner_goes_with_it() -> None:
    owned = item("ReplicaSet", "web-1")
    owned["metadata"]["ownerReferences"] = [{"kind": "Deployment", "name": "web"}]
    assert _baseline.extras([owned], BASELINE) == []


@pytest.mark.parametrize(
    ("now", "broken"),
    [
        (BEFORE, []),
        ([item("ConfigMap", "settings", data={"a": "2"})], ["settings"]),
        ([], ["settings"]),
    ],
)
def test_damaged(now: list[dict[str, Any]], broken: list[str]) -> None:
    assert [found["metadata"]["name"] for found in _baseline.damaged(now, BASELINE)] == broken


def test_an_untouched_node_needs_no_patch() -> None:
    assert _baseline.node_patch(node(taints=[{"key": "node.kubernetes.io/unreachable"}]), THEN) == {}


def test_a_cordon_is_lifted() -> None:
    assert _baseline.node_patch(node(unschedulable=True), THEN) == {"spec": {"unschedulable": None}}


def test_only_the_taints_of_the_node_controller_stay() -> None:
    own, ours = {"key": "node.kubernetes.io/unreachable"}, {"key": "outward.example/hands-off"}
    assert _baseline.node_patch(node(taints=[own, ours]), THEN) == {"spec": {"taints": [own]}}


def test_labels_return_to_what_they_were() -> None:
    touched = node()
    touched["metadata"]["labels"] = {"a": "2", "b": "3"}
    assert _baseline.node_patch(touched, THEN) == {"metadata": {"labels": {"a": "1", "b": None}}}


@pytest.mark.parametrize(
    ("metadata", "phase", "leftover"),
    [
        ({"ownerReferences": [{}]}, "Running", False),
        ({"ownerReferences": [{}]}, "Failed", True),
        ({"ownerReferences": [{}], "deletionTimestamp": "2026-11-23T15:00:00Z"}, "Running", True),
        ({}, "Running", True),
    ],
)
def test_leftover_pods(metadata: dict[str, Any], phase: str, leftover: bool) -> None:
    assert _baseline.is_leftover({"metadata": metadata, "status": {"phase": phase}}) is leftover


@pytest.mark.parametrize(
    ("name", "known", "found"),
    [("pi-04", False, True), ("pi-04", True, False), ("pi-05", False, False), ("pi-040", False, False)],
)
def test_requests_for_a_node_since_the_baseline(name: str, known: bool, found: bool) -> None:
    subject = ["-subj", f"/O=system:nodes/CN=system:node:{name}"]
    made = [
        "openssl",
        "req",
        "-new",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
        "-keyout",
        "/dev/null",
    ]
    pem = subprocess.run([*made, *subject], check=True, capture_output=True).stdout
    spec = {"username": "system:bootstrap:abcdef", "request": base64.b64encode(pem).decode()}
    request = item("CertificateSigningRequest", "csr-1", spec=spec)
    baseline = _baseline.record([request] if known else [], [])
    assert _baseline.is_request_for(request, "pi-04", baseline) is found


def pod(name: str, owner: tuple[str, str], on: str = "pi-04") -> dict[str, Any]:
    found = item("Pod", name, spec={"nodeName": on})
    found["metadata"]["ownerReferences"] = [{"kind": owner[0], "name": owner[1]}]
    return found


def test_a_tests_workload_is_found_by_its_pod_on_the_node() -> None:
    replicas = item("ReplicaSet", "crash-1")
    replicas["metadata"]["ownerReferences"] = [{"kind": "Deployment", "name": "crash"}]
    known, crash = item("DaemonSet", "agent"), item("Deployment", "crash")
    baseline = _baseline.record([known], [])
    items = [pod("agent-x", ("DaemonSet", "agent")), pod("crash-1-x", ("ReplicaSet", "crash-1"))]
    listed = [*items, replicas, known, crash]
    assert _baseline.foreign(listed, "pi-04", baseline) == [crash]
    assert _baseline.foreign(listed, "pi-05", baseline) == []
