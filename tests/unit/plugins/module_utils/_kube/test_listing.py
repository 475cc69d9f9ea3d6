# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Listings of a real API server (v1.37.2), served again through the real client."""

from __future__ import annotations

import json
import typing as t
from collections.abc import Iterator
from datetime import timedelta

import pytest

from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.cluster import ClusterEvidence, Node, of_node
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.evidence import Undecided, unknowns
from ansible_collections.outward.kubelet.plugins.module_utils._kube.connect import connect
from ansible_collections.outward.kubelet.plugins.module_utils._kube.errors import KubeError
from ansible_collections.outward.kubelet.plugins.module_utils._kube.listing import list_cluster
from ansible_collections.outward.kubelet.plugins.module_utils._kube.options import Access
from ansible_collections.outward.kubelet.plugins.module_utils._kube.poll import look
from tests.unit.api_server import LEASES, POD_EVENTS, FakeApi, serving


@pytest.fixture
def api() -> Iterator[FakeApi]:
    with serving() as fake:
        yield fake


def listing(api: FakeApi, names: list[str] | None = None) -> t.Any:
    return list_cluster(Access(host=api.url, api_key="x"), names)


def node_of(data: t.Any, name: str) -> Node:
    node = of_node(data, name).node
    assert node is not None
    return node


def test_healthy(api: FakeApi) -> None:
    api.load("v1.37.2/healthy")
    evidence = of_node(listing(api), "pi-04")
    node = evidence.node
    assert node is not None
    assert evidence.fleet.ready == ("pi-04", "pi-05")
    assert evidence.fleet.unavailable == ()
    assert {(c.type, c.status, c.writer) for c in node.conditions} == {
        ("MemoryPressure", "False", "kubelet"),
        ("DiskPressure", "False", "kubelet"),
        ("PIDPressure", "False", "kubelet"),
        ("Ready", "True", "kubelet"),
    }
    assert node.lease is not None
    assert evidence.api.now is not None
    assert timedelta(0) <= evidence.api.now - node.lease.renewed < timedelta(seconds=40)
    assert sorted(pod.owner for pod in node.pods) == ["DaemonSet/agent", "Deployment/web"]
    assert all(pod.ready for pod in node.pods)
    assert (node.addresses, node.kubelet_version, node.control_plane) == (("10.77.0.14",), "v1.37.2", False)
    assert {(r.signer.rpartition("/")[2], r.state) for r in node.signing_requests} == {
        ("kube-apiserver-client-kubelet", "issued"),
        ("kubelet-serving", "issued"),
    }
    assert unknowns(evidence) == {}


def test_a_stopped_kubelet(api: FakeApi) -> None:
    api.load("v1.37.2/kubelet-stopped")
    data = listing(api)
    evidence, node = of_node(data, "pi-05"), node_of(data, "pi-05")
    assert (evidence.fleet.ready, evidence.fleet.silent) == (("pi-04",), ("pi-05",))
    assert evidence.fleet.expired_leases == evidence.fleet.unavailable == ("pi-05",)
    ready = node.condition("Ready")
    assert ready is not None
    assert (ready.status, ready.reason) == ("Unknown", "NodeStatusUnknown")
    assert ready.writer == "kube-controller-manager"
    assert ("node.kubernetes.io/unreachable", "NoExecute") in {(taint.key, taint.effect) for taint in node.taints}
    assert "NodeNotReady" in {event.reason for event in node.events}
    other = node_of(data, "pi-04").condition("Ready")
    assert other is not None
    assert other.writer == "kubelet"


def test_an_application_that_fails_everywhere(api: FakeApi) -> None:
    api.load("v1.37.2/crashing")
    pods = node_of(listing(api), "pi-05").pods
    elsewhere = {pod.owner: pod.failing_elsewhere for pod in pods}
    assert elsewhere == {
        "DaemonSet/agent": (),
        "Deployment/web": (),
        "Deployment/crash": ("pi-04",),
        "Deployment/badtag": ("pi-04",),
    }
    crashed = next(pod.containers[0] for pod in pods if pod.owner == "Deployment/crash")
    assert crashed.last_exit_code == 3


def test_the_number_of_calls_is_that_of_the_lists(api: FakeApi) -> None:
    api.load("v1.37.2/healthy")
    listing(api)
    few = len(api.asked)
    template = api.lists["/api/v1/nodes"][0]
    api.lists["/api/v1/nodes"] = [
        {**template, "metadata": {**template["metadata"], "name": f"n{i}"}} for i in range(400)
    ]
    listing(api)
    assert (few, len(api.asked) - few) == (10, 10)


def test_in_detail_of_one_node(api: FakeApi) -> None:
    api.load("v1.37.2/crashing")
    data = listing(api, ["pi-05"])
    assert list(data["nodes"]) == ["pi-05"]
    assert node_of(data, "pi-05") == node_of(listing(api), "pi-05")


@pytest.mark.parametrize("path", ["/version", LEASES, "/api/v1/nodes"])
def test_a_server_in_trouble_is_evidence(api: FakeApi, path: str) -> None:
    api.load("v1.37.2/healthy")
    api.refusals[path] = (500, '{"message": "etcdserver: request timed out"}')
    evidence = of_node(listing(api), "pi-04")
    silent(evidence, "500 to .*etcdserver: request timed out")


def test_no_server_is_evidence() -> None:
    with serving() as api:
        pass
    silent(of_node(listing(api), "pi-04"), "connection refused")


def silent(evidence: ClusterEvidence, problem: str) -> None:
    assert (evidence.api.reachable, evidence.api.now) == (False, None)
    reason = f"the API server does not answer the controller: .*{problem}"
    with pytest.raises(Undecided, match=reason):
        assert evidence.fleet.ready
    with pytest.raises(Undecided, match=reason):
        assert evidence.node


def test_one_list_that_fails_leaves_the_others(api: FakeApi) -> None:
    api.load("v1.37.2/healthy")
    api.refusals[POD_EVENTS] = (504, "")
    evidence = of_node(listing(api), "pi-04")
    assert unknowns(evidence) == {"node.events": "the API server did not list events: it answers 504 to list events"}
    assert evidence.api.reachable


def test_a_missing_permission_is_an_error(api: FakeApi) -> None:
    api.load("v1.37.2/healthy")
    api.refusals["/api/v1/pods"] = (403, '{"message": "User \\"jane\\" cannot list"}')
    with pytest.raises(KubeError, match=r"the user jane .* may not list pods \(403\)"):
        listing(api)


def test_nothing_of_a_pod_that_may_be_secret(api: FakeApi) -> None:
    api.load("v1.37.2/healthy")
    pod = api.lists["/api/v1/pods"][0]
    pod["spec"]["containers"] = [{"name": "main", "env": [{"name": "PASSWORD", "value": "hunter2"}]}]
    pod["metadata"]["annotations"] = {"note": "hunter2"}
    assert "hunter2" not in json.dumps(listing(api))


def test_one_node_in_three_calls(api: FakeApi) -> None:
    api.load("v1.37.2/kubelet-stopped")
    whole = of_node(listing(api), "pi-05")
    assert whole.node is not None
    api.asked.clear()
    with connect(Access(host=api.url, api_key="x"), {}) as connection:
        seen = look(connection, "pi-05", whole.fleet)
        gone = look(connection, "pi-99")
    assert len(api.asked) == 3 + 1
    assert "spec.nodeName%3Dpi-05" in api.asked[2]
    assert seen.node is not None
    assert (seen.node.lease, seen.node.conditions) == (whole.node.lease, whole.node.conditions)
    assert (seen.fleet, seen.api.now) == (whole.fleet, whole.api.now)
    assert gone.node is None
    of_lists = {"node.events", "node.signing_requests", "node.unscheduled", "node.budgets", "orphans"}
    assert set(unknowns(seen)) == {"api.version", *of_lists}


def test_one_node_of_a_silent_server(api: FakeApi) -> None:
    api.load("v1.37.2/healthy")
    api.refusals[f"{LEASES}/pi-04"] = (503, "")
    with connect(Access(host=api.url, api_key="x"), {}) as connection:
        silent(look(connection, "pi-04"), "503")
