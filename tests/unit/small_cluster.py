# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One node with Pods that can be evicted, behind the small HTTP server, and a clock that only moves when somebody waits."""

from __future__ import annotations

import copy
import typing as t
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from ansible_collections.outward.kubelet.plugins.module_utils._kube.cost import BUDGETS
from ansible_collections.outward.kubelet.plugins.module_utils._kube.drain import Clock
from tests.unit.api_server import DATE, LEASES, FakeApi

Object = dict[str, t.Any]
NODE: t.Final = "/api/v1/nodes/pi-04"
PODS: t.Final = "/api/v1/pods"
NOW: t.Final = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
assert NOW.strftime("%a, %d %b %Y %H:%M:%S GMT") == DATE


def held(budget: str = "web") -> tuple[int, Object]:
    """What the API server says when a budget holds a Pod (recorded from 1.37)."""
    message = f"The disruption budget {budget} needs 1 healthy pods and has 1 currently"
    details = {"causes": [{"reason": "DisruptionBudget", "message": message}]}
    text = "Cannot evict pod as it would violate the pod's disruption budget."
    return 429, {"kind": "Status", "code": 429, "reason": "TooManyRequests", "message": text, "details": details}


def pod(name: str, *, owner: str = "ReplicaSet/web-5d9f", ready: bool = True, **changes: t.Any) -> Object:
    """A running Pod of an owner (empty: none); *changes* are for metadata, spec or status."""
    kind, dummy, owned = owner.partition("/")
    references = [{"kind": kind, "name": owned, "controller": True}] if owner else []
    item: Object = {
        "metadata": {
            "name": name,
            "namespace": "default",
            "uid": f"uid-{name}",
            "labels": {"app": "web"},
            "ownerReferences": references,
        },
        "spec": {"nodeName": "pi-04", "terminationGracePeriodSeconds": 30, "containers": []},
        "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": str(ready)}]},
    }
    for part in ("metadata", "spec", "status"):
        item[part] |= changes.get(part, {})
    return item


def empty_dir() -> Object:
    """The spec of a Pod with one."""
    return {"volumes": [{"name": "cache", "emptyDir": {}}]}


@dataclass
class SmallCluster:
    """The API's objects, how each Pod behaves, and what was written."""

    api: FakeApi
    time: float = 0.0
    lasts: dict[str, float | None] = field(default_factory=dict)  # Pod -> seconds from eviction to its end; None: never
    answers: dict[str, list[tuple[int, Object]]] = field(
        default_factory=dict
    )  # Pod -> answers before the first success
    events: list[tuple[float, t.Callable[[], None]]] = field(default_factory=list)
    evictions: list[tuple[str, Object]] = field(default_factory=list)  # Pod and body, accepted or not
    patches: list[Object] = field(default_factory=list)
    rival: t.Callable[[Object], None] | None = None  # what somebody else does to the Node just before our patch

    def __post_init__(self) -> None:
        self.api.react = self.react
        self.api.lists[PODS] = []
        self.api.objects[NODE] = {
            "metadata": {"name": "pi-04", "uid": "u-1", "resourceVersion": "1", "annotations": {}, "managedFields": []},
            "spec": {},
            "status": {"conditions": [{"type": "Ready", "status": "True", "reason": "KubeletReady"}]},
        }
        self.lease(5)

    @property
    def node(self) -> Object:
        """The Node."""
        return t.cast(Object, self.api.objects[NODE])

    @property
    def pods(self) -> list[Object]:
        """The Pods on it."""
        return self.api.lists[PODS]

    @property
    def names(self) -> list[str]:
        """Their names."""
        return [item["metadata"]["name"] for item in self.pods]

    @property
    def clock(self) -> Clock:
        """Waiting moves it."""
        return Clock(lambda: self.time, self.wait)

    def lease(self, seconds_ago: float) -> None:
        """Renewed so long ago."""
        renewed = (NOW - timedelta(seconds=seconds_ago)).isoformat()
        spec = {"holderIdentity": "pi-04", "leaseDurationSeconds": 40, "renewTime": renewed}
        self.api.objects[f"{LEASES}/pi-04"] = {"metadata": {"name": "pi-04", "resourceVersion": "9"}, "spec": spec}

    def die(self) -> None:
        """The kubelet falls silent, and the controller manager has noticed."""
        self.lease(300)
        self.node["status"]["conditions"][0] |= {"status": "Unknown", "reason": "NodeStatusUnknown"}

    def budget(self, allowed: int, name: str = "web") -> None:
        """A PodDisruptionBudget over the Pods of web."""
        status = {"disruptionsAllowed": allowed, "currentHealthy": 1, "desiredHealthy": 1}
        spec = {"selector": {"matchLabels": {"app": "web"}}}
        metadata = {"name": name, "namespace": "default"}
        self.api.lists.setdefault(BUDGETS.path, []).append({"metadata": metadata, "spec": spec, "status": status})

    def wait(self, seconds: float) -> None:
        """Let the time pass, and what is due happen."""
        self.time += seconds
        for due, event in list(self.events):
            if due <= self.time:
                self.events.remove((due, event))
                event()

    def react(self, method: str, path: str, body: Object) -> tuple[int, Object]:
        """The API server's side of a write."""
        if method == "PATCH" and path == NODE:
            return self._patch(body)
        assert (method, path.rpartition("/")[2]) == ("POST", "eviction")
        return self._evict(path.split("/")[-2], body)

    def _patch(self, body: Object) -> tuple[int, Object]:
        self.patches.append(body)
        if self.rival:
            rival, self.rival = self.rival, None
            rival(self.node)
            self.node["metadata"]["resourceVersion"] += "0"
        metadata = self.node["metadata"]
        if body["metadata"]["resourceVersion"] != metadata["resourceVersion"]:
            return 409, {"kind": "Status", "reason": "Conflict", "message": "the object has been modified"}
        metadata["resourceVersion"] += "1"
        _merge(metadata["annotations"], body["metadata"].get("annotations", {}))
        if "spec" in body:
            _merge(self.node["spec"], body["spec"])
            written_by(self.node, "outward.kubelet")
        return 200, copy.deepcopy(self.node)

    def _evict(self, name: str, body: Object) -> tuple[int, Object]:
        self.evictions.append((name, body))
        if self.answers.get(name):
            return self.answers[name].pop(0)
        item = next((item for item in self.pods if item["metadata"]["name"] == name), None)
        if item is None:
            return 404, {"kind": "Status", "reason": "NotFound", "message": f'pods "{name}" not found'}
        if body["deleteOptions"]["preconditions"]["uid"] != item["metadata"]["uid"]:
            return 409, {
                "kind": "Status",
                "reason": "Conflict",
                "message": "the UID in the precondition does not match",
            }
        item["metadata"]["deletionTimestamp"] = "2026-11-23T15:00:30Z"
        lasts = self.lasts.get(name, 2.0)
        if lasts is not None:
            self.events.append((self.time + lasts, lambda: self.pods.remove(item)))
        return 201, {"kind": "Status", "status": "Success"}


def written_by(node: Object, manager: str) -> None:
    """Who has last written spec.unschedulable."""
    fields: Object = {"f:spec": {"f:unschedulable": {}}}
    node["metadata"]["managedFields"] = [{"manager": manager, "time": "2026-11-23T14:00:00Z", "fieldsV1": fields}]


def _merge(old: Object, new: Object) -> None:
    """RFC 7386, for one level."""
    for key, value in new.items():
        if value is None:
            old.pop(key, None)
        else:
            old[key] = value
