# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Single API objects, in the shapes that v1.37.2 gives them."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.evidence import Undecided
from ansible_collections.outward.kubelet.plugins.module_utils._kube import convert


def owned(manager: str, when: str, *fields: str, kind: str = "Ready") -> dict[str, t.Any]:
    """An entry of managedFields for one condition."""
    key = f'k:{{"type":"{kind}"}}'
    paths: dict[str, t.Any] = {"f:status": {"f:conditions": {key: {field: {} for field in fields}}}}
    return {"manager": manager, "operation": "Update", "subresource": "status", "time": when, "fieldsV1": paths}


@pytest.mark.parametrize(
    ("managed", "reason", "writer"),
    [
        # The controller leaves the heartbeat to the kubelet, which wrote it last.
        (
            [
                owned("kube-controller-manager", "2026-11-23T14:00:00Z", "f:status", "f:reason"),
                owned("kubelet", "2026-11-23T15:00:00Z", "f:lastHeartbeatTime"),
            ],
            "NodeStatusUnknown",
            "kube-controller-manager",
        ),
        # Of two owners of one value the later one.
        (
            [
                owned("kubelet", "2026-11-23T15:00:00Z", "f:status"),
                owned("by-hand", "2026-11-23T14:00:00Z", "f:status"),
            ],
            "KubeletReady",
            "kubelet",
        ),
        ([owned("flanneld", "2026-11-23T15:00:00Z", "f:status", kind="NetworkUnavailable")], "KubeletReady", "kubelet"),
        ([], "NodeStatusUnknown", "kube-controller-manager"),
        ([], "NodeStatusNeverUpdated", "kube-controller-manager"),
        ([], "KubeletNotReady", "kubelet"),
        ([{"manager": "kubectl", "fieldsV1": {"f:spec": {"f:unschedulable": {}}}}], "KubeletReady", "kubelet"),
    ],
)
def test_writer(managed: list[dict[str, t.Any]], reason: str, writer: str) -> None:
    condition = {"type": "Ready", "status": "Unknown", "reason": reason}
    assert convert.conditions([condition], managed)[0].writer == writer


def test_a_condition_that_nobody_owns_has_no_known_writer() -> None:
    (condition,) = convert.conditions([{"type": "Ready", "status": "True", "reason": "ByHand"}], [])
    with pytest.raises(Undecided, match=r"managedFields .reason ByHand"):
        assert condition.writer


def test_only_our_annotations_and_a_role_by_its_label() -> None:
    metadata = {
        "name": "cp-1",
        "uid": "u",
        "resourceVersion": "1",
        "labels": {"node-role.kubernetes.io/control-plane": ""},
        "annotations": {"outward.kubelet/cordoned-by": "run-7", "example.org/token": "hidden"},
    }
    taint = {"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"}
    node = convert.node({"metadata": metadata, "spec": {"taints": [taint]}}, None)
    assert node.annotations == {"outward.kubelet/cordoned-by": "run-7"}
    assert node.control_plane is True
    assert (node.taints[0].key, node.taints[0].value, node.taints[0].added) == (taint["key"], "", None)


@pytest.mark.parametrize(
    ("annotation", "address"),
    [
        ({"flannel.alpha.coreos.com/public-ip": "10.77.0.14"}, "10.77.0.14"),
        ({"projectcalico.org/IPv4Address": "10.77.0.14/24"}, "10.77.0.14"),
        ({"example.org/ip": "10.77.0.14"}, None),
    ],
)
def test_the_address_that_the_cni_publishes(annotation: dict[str, str], address: str | None) -> None:
    metadata = {"name": "pi-04", "uid": "u", "resourceVersion": "1", "annotations": annotation}
    kinds = ("InternalIP", "ExternalIP", "Hostname")
    status = {"addresses": [{"type": kind, "address": kind.lower()} for kind in kinds]}
    node = convert.node({"metadata": metadata, "status": status}, None)
    assert (node.cni_address, node.internal_addresses) == (address, ("internalip",))
    assert node.addresses == ("internalip", "externalip")


def test_a_lease_that_was_never_renewed_is_none() -> None:
    item = {"metadata": {"resourceVersion": "1"}, "spec": {"holderIdentity": "pi-04"}}
    assert convert.lease(item) is None
    lease = convert.lease({**item, "spec": {"renewTime": "2026-11-23T15:00:00.123456Z"}})
    assert lease is not None
    assert (lease.holder, lease.duration, lease.renewed.microsecond) == ("", 40, 123456)


def test_an_event_of_a_series() -> None:
    item = {
        "metadata": {"creationTimestamp": "2026-11-23T13:00:00Z"},
        "involvedObject": {"kind": "Pod", "namespace": "default", "name": "web"},
        "reason": "FailedScheduling",
        "message": "no node\nwith token: abcdef.0123456789abcdef",
        "reportingComponent": "default-scheduler",
        "eventTime": "2026-11-23T14:00:00.000001Z",
        "series": {"count": 7, "lastObservedTime": "2026-11-23T15:00:00.000002Z"},
    }
    event = convert.event(item)
    assert (event.name, event.source, event.count) == ("default/web", "default-scheduler", 7)
    assert event.last is not None
    assert event.last.hour == 15
    assert event.message.startswith("no node with token:")
    assert "0123456789abcdef" not in event.message


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ({}, "pending"),
        ({"conditions": [{"type": "Approved"}]}, "approved"),
        ({"conditions": [{"type": "Approved"}], "certificate": "eA=="}, "issued"),
        ({"conditions": [{"type": "Denied"}]}, "denied"),
        ({"conditions": [{"type": "Approved"}, {"type": "Failed"}]}, "failed"),
    ],
)
def test_state_of_a_signing_request(status: dict[str, t.Any], state: str) -> None:
    item = {"metadata": {"name": "csr-1"}, "spec": {"signerName": "s", "username": "u"}, "status": status}
    assert convert.signing_request(item).state == state


@pytest.mark.parametrize("request_", ["", "%%%", "eA==", "LS0tLS1CRUdJTiBYLS0tLS1BQUFBLS0tLS1FTkQgWC0tLS0t"])
def test_a_request_that_cannot_be_read_names_no_node_but_its_asker_does(request_: str) -> None:
    assert convert.common_name(request_) is None
    assert convert.subject_node({"spec": {"request": request_, "username": "system:node:pi-04"}}) == "pi-04"
    assert convert.subject_node({"spec": {"request": request_, "username": "jane"}}) is None


def test_a_message_is_one_bounded_line() -> None:
    assert len(convert.line("word " * 10_000)) == convert.TEXT
