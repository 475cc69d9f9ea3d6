# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""API objects, as JSON, to evidence. Pure; what may be secret (environment, annotations of others) is not taken over."""

from __future__ import annotations

import binascii
import json
import typing as t
from datetime import datetime

from .._diagnosis.cluster import Condition, Event, Lease, Node, SigningRequest, Taint
from .._diagnosis.evidence import parse_time, unknown
from .._parse import der, x509
from .._parse.errors import ParseError
from .._parse.redact import redact

Object = dict[str, t.Any]
OURS: t.Final = "outward.kubelet/"
# Where the CNI's agent on a node publishes the address that the others are to send to.
CNI_ADDRESSES: t.Final = ("flannel.alpha.coreos.com/public-ip", "projectcalico.org/IPv4Address")
CONTROL_PLANE: t.Final = frozenset({"node-role.kubernetes.io/control-plane", "node-role.kubernetes.io/master"})
TEXT: t.Final = 500  # characters of a message that are kept
LEASE_SECONDS: t.Final = 40  # nodeLeaseDurationSeconds of the kubelet, 1.25 to 1.37
COMMON_NAME: t.Final = "550403"  # its object identifier 2.5.4.3 in DER
# Reasons that only one writer uses (pkg/controller/nodelifecycle, pkg/kubelet/nodestatus of Kubernetes 1.37).
CONTROLLER: t.Final = frozenset({"NodeStatusUnknown", "NodeStatusNeverUpdated"})


def node(item: Object, lease_of: Lease | None) -> Node:
    """One Node object; what belongs to it from other lists (Pods, events, CSRs) is unknown until it is put in."""
    metadata, spec, status = item["metadata"], item.get("spec") or {}, item.get("status") or {}
    info = status.get("nodeInfo") or {}
    return Node(
        name=metadata["name"],
        uid=metadata["uid"],
        resource_version=metadata["resourceVersion"],
        created=moment(metadata.get("creationTimestamp")),
        unschedulable=bool(spec.get("unschedulable")),
        control_plane=not CONTROL_PLANE.isdisjoint(metadata.get("labels") or {}),
        taints=tuple(_taint(taint) for taint in spec.get("taints") or ()),
        conditions=conditions(status.get("conditions") or (), metadata.get("managedFields") or ()),
        annotations={k: v for k, v in (metadata.get("annotations") or {}).items() if k.startswith(OURS)},
        addresses=tuple(a["address"] for a in status.get("addresses") or () if a.get("type") != "Hostname"),
        internal_addresses=tuple(a["address"] for a in status.get("addresses") or () if a.get("type") == "InternalIP"),
        cni_address=_cni_address(metadata.get("annotations") or {}),
        boot_id=info.get("bootID", ""),
        machine_id=info.get("machineID", ""),
        kubelet_version=info.get("kubeletVersion", ""),
        runtime_version=info.get("containerRuntimeVersion", ""),
        lease=lease_of,
        pods=unknown("the Pods were not listed"),
        events=unknown("the events were not listed"),
        signing_requests=unknown("the CertificateSigningRequests were not listed"),
        pod_cidrs=tuple(spec.get("podCIDRs") or ([spec["podCIDR"]] if spec.get("podCIDR") else ())),
        unschedulable_by=_writer_of(metadata.get("managedFields") or (), "f:unschedulable"),
    )


def conditions(items: t.Iterable[Object], managed: t.Iterable[Object]) -> tuple[Condition, ...]:
    """The conditions of a Node, each with its last writer by ``metadata.managedFields``, or else by its reason."""
    writers = _writers(managed)
    return tuple(
        Condition(
            type=item["type"],
            status=item["status"],
            reason=item.get("reason", ""),
            message=line(item.get("message")),
            writer=writers.get(item["type"]) or _by_reason(item.get("reason", "")),
            heartbeat=moment(item.get("lastHeartbeatTime")),
            transition=moment(item.get("lastTransitionTime")),
        )
        for item in items
    )


def lease(item: Object) -> Lease | None:
    """A node Lease; None when nobody has ever renewed it."""
    spec = item.get("spec") or {}
    renewed = moment(spec.get("renewTime"))
    if renewed is None:
        return None
    duration = int(spec.get("leaseDurationSeconds") or LEASE_SECONDS)
    return Lease(spec.get("holderIdentity") or "", renewed, duration, item["metadata"]["resourceVersion"])


def event(item: Object) -> Event:
    """One event of core/v1, also when it was written as events.k8s.io/v1 (series, eventTime)."""
    about, series = item["involvedObject"], item.get("series") or {}
    name = f"{about['namespace']}/{about['name']}" if about["kind"] == "Pod" else about["name"]
    last = series.get("lastObservedTime") or item.get("lastTimestamp") or item.get("eventTime")
    return Event(
        kind=about["kind"],
        name=name,
        reason=item.get("reason") or "",
        message=line(item.get("message")),
        source=(item.get("source") or {}).get("component") or item.get("reportingComponent") or "",
        count=int(series.get("count") or item.get("count") or 1),
        last=moment(last or item["metadata"].get("creationTimestamp")),
        first=moment(item.get("firstTimestamp") or item.get("eventTime")),
    )


def signing_request(item: Object) -> SigningRequest:
    """One CertificateSigningRequest, without its contents."""
    spec, status = item["spec"], item.get("status") or {}
    said = {c["type"] for c in status.get("conditions") or ()}
    # Denied and Failed are final; a certificate is issued only after Approved (certificates.k8s.io/v1).
    final = next((kind for kind in ("Denied", "Failed") if kind in said), None)
    state = final or ("issued" if status.get("certificate") else "approved" if "Approved" in said else "pending")
    return SigningRequest(
        name=item["metadata"]["name"],
        signer=spec.get("signerName", ""),
        requestor=redact(spec.get("username", "")),
        state=state.lower(),
        created=moment(item["metadata"].get("creationTimestamp")),
    )


def subject_node(item: Object) -> str | None:
    """The Node that a CertificateSigningRequest names: by the CN that it asks for, else by who asks; None: no Node."""
    for user in (common_name(item["spec"].get("request", "")), item["spec"].get("username", "")):
        if user and user.startswith("system:node:"):
            return str(user.removeprefix("system:node:"))
    return None


def common_name(request: str) -> str | None:
    """The CN of a PKCS#10 request (RFC 2986) in PEM in base64, as the API carries it; None when it has none."""
    try:
        blocks = x509.pem_blocks(binascii.a2b_base64(request).decode("ascii"))
        information = der.sequence(der.sequence(blocks[0][1], 1)[0].encoded, 2)
        groups = der.children(information[1].content)
        attributes = [der.sequence(a.encoded, 2) for group in groups for a in der.children(group.content)]
    except (ParseError, ValueError, IndexError):
        return None
    names = (value.content for kind, value, *dummy in attributes if kind.content.hex() == COMMON_NAME)
    return next((name.decode("utf-8", "replace") for name in names), None)


def moment(text: str | None) -> datetime | None:
    """A time of the API, if there is one."""
    return parse_time(text) if text else None


def line(text: str | None) -> str:
    """A message as one bounded line without secrets."""
    return redact(" ".join((text or "")[: 4 * TEXT].split()))[:TEXT]


def _cni_address(annotations: t.Mapping[str, str]) -> str | None:
    """Calico writes it with the length of its prefix."""
    found = [annotations[name] for name in CNI_ADDRESSES if name in annotations]
    return found[0].partition("/")[0] if found else None


def _taint(item: Object) -> Taint:
    return Taint(item["key"], item.get("value") or "", item["effect"], moment(item.get("timeAdded")))


def _writers(managed: t.Iterable[Object]) -> dict[str, str]:
    """Type of condition -> manager that owns its status; of several owners the one that wrote last."""
    found: dict[str, str] = {}
    for entry in sorted(managed, key=lambda e: str(e.get("time", ""))):
        fields = ((entry.get("fieldsV1") or {}).get("f:status") or {}).get("f:conditions") or {}
        for key, owned in fields.items():
            if key.startswith("k:") and "f:status" in owned:
                found[json.loads(key[2:])["type"]] = entry.get("manager", "")
    return found


def _writer_of(managed: t.Iterable[Object], field: str) -> str:
    """The manager that last wrote a field of the spec; empty when nobody owns it."""
    owners = (m for m in managed if field in ((m.get("fieldsV1") or {}).get("f:spec") or {}))
    last = max(owners, key=lambda m: str(m.get("time", "")), default={})
    return str(last.get("manager", ""))


def _by_reason(reason: str) -> t.Any:
    if reason in CONTROLLER:
        return "kube-controller-manager"
    if reason.startswith("Kubelet"):
        return "kubelet"
    return unknown(f"nobody owns the condition in managedFields (reason {reason})")
