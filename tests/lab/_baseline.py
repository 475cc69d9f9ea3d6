# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the API looks like when nobody has touched it, and what differs from that.

Pure: objects in, names and patches out.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.lab._kubectl import Object

# Everything a test might leave behind; Pods, ReplicaSets and the like follow their owners.
KINDS = (
    "namespaces,configmaps,secrets,serviceaccounts,services,persistentvolumeclaims,deployments,"
    "daemonsets,statefulsets,replicasets,jobs,cronjobs,poddisruptionbudgets,roles,rolebindings,"
    "leases,resourcequotas,limitranges,persistentvolumes,clusterroles,clusterrolebindings,"
    "certificatesigningrequests,priorityclasses,validatingwebhookconfigurations,"
    "mutatingwebhookconfigurations,customresourcedefinitions"
)
# What owns Pods, directly or not.
WORKLOADS = "replicasets,deployments,daemonsets,statefulsets,jobs,cronjobs"
# Objects that are put back as they were; the rest is only ever removed.
RESTORED = ("ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding", "ConfigMap")
SUBSTANCE = ("rules", "aggregationRule", "subjects", "roleRef", "data", "binaryData")
# These come and go by the cluster's own hand.
OWN_NAMESPACES = ("kube-node-lease",)
# The namespace of the ServiceAccounts, and how the roles of rbac/*.yml are called.
ACCESS = "outward-kubelet"
ACCESS_KINDS = ("Namespace", "ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding")
LIFECYCLE = "node.kubernetes.io/"


@dataclass(frozen=True)
class Baseline:
    """The untouched cluster."""

    names: frozenset[str]
    restored: Mapping[str, Object]
    nodes: Mapping[str, Object] = field(default_factory=dict)
    pods: Mapping[str, Sequence[str]] = field(default_factory=dict)


def name_of(item: Object) -> str:
    """`Kind/namespace/name`, the namespace empty for what has none."""
    metadata = item["metadata"]
    return f"{item['kind']}/{metadata.get('namespace', '')}/{metadata['name']}"


def _bare(item: Object) -> Object:
    """An object that can be created again."""
    kept = ("name", "namespace", "labels", "annotations")
    metadata = {key: value for key, value in item["metadata"].items() if key in kept}
    shape = {key: value for key, value in item.items() if key in ("apiVersion", "kind", *SUBSTANCE)}
    return {**shape, "metadata": metadata}


def _node(item: Object) -> Object:
    metadata, spec = item["metadata"], item["spec"]
    return {
        "labels": metadata.get("labels", {}),
        "annotations": metadata.get("annotations", {}),
        "taints": lasting_taints(spec.get("taints", [])),
    }


def lasting_taints(taints: Iterable[Object]) -> list[Object]:
    """Without those that the node controller sets and removes as conditions change."""
    return [taint for taint in taints if not taint["key"].startswith(LIFECYCLE)]


def record(items: Iterable[Object], nodes: Iterable[Object]) -> Baseline:
    """The baseline, from what the API lists now; which Pods a snapshot holds is added with it."""
    listed = list(items)
    restored = {name_of(item): _bare(item) for item in listed if item["kind"] in RESTORED and not is_access(item)}
    names = frozenset(name_of(item) for item in listed)
    return Baseline(names, restored, {item["metadata"]["name"]: _node(item) for item in nodes})


def pods_on(items: Iterable[Object], node: str) -> list[str]:
    """Which Pods, as individuals, are on this node."""
    pods = (item for item in items if item["kind"] == "Pod" and item["spec"].get("nodeName") == node)
    return sorted(pod["metadata"]["uid"] for pod in pods)


def to_json(baseline: Baseline) -> Object:
    """For the state directory."""
    return {
        "names": sorted(baseline.names),
        "restored": dict(baseline.restored),
        "nodes": dict(baseline.nodes),
        "pods": dict(baseline.pods),
    }


def from_json(value: Any) -> Baseline:
    """What to_json made."""
    return Baseline(frozenset(value["names"]), value["restored"], value["nodes"], value["pods"])


def is_access(item: Object) -> bool:
    """What `_access` puts in anew at each `up`: a reset neither removes it nor puts an older one back."""
    place = item["metadata"].get("namespace", "")
    name = item["metadata"]["name"]
    return place == ACCESS or (item["kind"] in ACCESS_KINDS and (name == ACCESS or name.startswith(f"{ACCESS}-")))


def _is_own(item: Object) -> bool:
    metadata = item["metadata"]
    owned = bool(metadata.get("ownerReferences")) or is_access(item)
    return owned or metadata.get("namespace") in OWN_NAMESPACES or _is_bootstrap(item)


def _is_bootstrap(item: Object) -> bool:
    """The lab's own join tokens, and the root CA that every namespace is given."""
    return item.get("type") == "bootstrap.kubernetes.io/token" or (
        item["kind"] == "ConfigMap" and item["metadata"]["name"] == "kube-root-ca.crt"
    )


def extras(items: Iterable[Object], baseline: Baseline) -> list[Object]:
    """What a test left behind."""
    return [item for item in items if name_of(item) not in baseline.names and not _is_own(item)]


def damaged(items: Iterable[Object], baseline: Baseline) -> list[Object]:
    """Objects of the baseline that are gone or say something else now, as they were."""
    now = {name_of(item): _bare(item) for item in items if item["kind"] in RESTORED}
    return [
        item
        for name, item in baseline.restored.items()
        if any(now.get(name, {}).get(part) != item.get(part) for part in SUBSTANCE)
    ]


def _changes(now: Mapping[str, str], then: Mapping[str, str]) -> dict[str, str | None]:
    """A JSON merge patch from one mapping to the other."""
    removed: dict[str, str | None] = {key: None for key in now if key not in then}
    return removed | {key: value for key, value in then.items() if now.get(key) != value}


def node_patch(node: Object, then: Object) -> Object:
    """A merge patch that makes the Node look untouched; empty when it does."""
    metadata, spec = node["metadata"], node["spec"]
    changes = {
        part: difference
        for part in ("labels", "annotations")
        if (difference := _changes(metadata.get(part, {}), then[part]))
    }
    patch: Object = {"metadata": changes} if changes else {}
    taints = spec.get("taints", [])
    if lasting_taints(taints) != then["taints"]:
        own = [taint for taint in taints if taint["key"].startswith(LIFECYCLE)]
        patch["spec"] = {"taints": own + then["taints"]}
    if spec.get("unschedulable"):
        patch["spec"] = {**patch.get("spec", {}), "unschedulable": None}
    return patch


def root(item: Object, listed: Mapping[str, Object]) -> Object:
    """The object at the end of the chain of owners, as far as it is listed."""
    for reference in item["metadata"].get("ownerReferences", []):
        owner = f"{reference['kind']}/{item['metadata'].get('namespace', '')}/{reference['name']}"
        if owner in listed:
            return root(listed[owner], listed)
    return item


def foreign(items: Iterable[Object], node: str, baseline: Baseline) -> list[Object]:
    """The workloads of a test that have a Pod on this node."""
    listed = {name_of(item): item for item in items}
    pods = [item for item in listed.values() if item["kind"] == "Pod"]
    roots = [root(pod, listed) for pod in pods if pod["spec"].get("nodeName") == node]
    found = {name_of(item): item for item in roots}
    return [item for name, item in found.items() if name not in baseline.names]


def is_request_for(item: Object, node: str, baseline: Baseline) -> bool:
    """A CSR since the baseline with this node's name as its subject, whoever asked (a bootstrap token, in a join).

    The next diagnosis would take it for a sign of its own fault.
    """
    if item["kind"] != "CertificateSigningRequest" or name_of(item) in baseline.names:
        return False
    body = [line for line in base64.b64decode(item["spec"]["request"]).splitlines() if not line.startswith(b"-----")]
    name = f"system:node:{node}".encode()
    return bytes([len(name)]) + name in base64.b64decode(b"".join(body))  # DER: its length stands before a text


def is_leftover(pod: Object) -> bool:
    """A Pod that has ended, is stuck in its end, or belongs to no workload."""
    metadata = pod["metadata"]
    ended = pod["status"].get("phase") in ("Failed", "Succeeded")
    return ended or "deletionTimestamp" in metadata or not metadata.get("ownerReferences")
