# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Pods, as JSON, to evidence, and which of them fail in the same way on other nodes. Pure."""

from __future__ import annotations

import typing as t
from collections import defaultdict
from collections.abc import Iterable

from .._diagnosis.cluster import Container, Pod
from .._diagnosis.evidence import amended
from .convert import Object, line, moment

MIRROR: t.Final = "kubernetes.io/config.mirror"
HOSTNAME: t.Final = "kubernetes.io/hostname"
# One failure that shows two faces in turn (pkg/kubelet/images, pkg/kubelet/kuberuntime).
SAME: t.Final = {"ErrImagePull": "ImagePullBackOff"}
STARTING: t.Final = frozenset({"ContainerCreating", "PodInitializing"})  # no failure, or not yet
GRACE: t.Final = 30  # what the API server writes where a Pod does not say (pkg/apis/core/v1/defaults.go)
# A terminated container's message is the application's own text, except when the runtime could not run it.
RUNTIME_SAYS: t.Final = frozenset({"StartError", "ContainerCannotRun", "ContainerStatusUnknown"})


class Elsewhere:
    """On which nodes a Pod of an owner fails, and how; small, since most Pods do not fail."""

    def __init__(self) -> None:
        self._nodes: defaultdict[tuple[str, str, str], set[str]] = defaultdict(set)

    def add(self, where: str, item: Pod) -> None:
        """Remember that *item* runs on the node *where*."""
        for key in _failures(item):
            self._nodes[key].add(where)

    def of(self, where: str, item: Pod) -> Pod:
        """*item*, which runs on *where*, with the other nodes on which its owner's Pods fail for the same reason."""
        nodes = {name for key in _failures(item) for name in self._nodes[key]}
        return amended(item, failing_elsewhere=tuple(sorted(nodes - {where})))


def pod(item: Object) -> Pod:
    """One Pod; ``failing_elsewhere`` is empty until all Pods of the fleet are known."""
    metadata, status = item["metadata"], item.get("status") or {}
    return Pod(
        namespace=metadata["namespace"],
        name=metadata["name"],
        uid=metadata["uid"],
        phase=status.get("phase") or "",
        reason=status.get("reason") or "",
        owner=owner(metadata),
        mirror=MIRROR in (metadata.get("annotations") or {}),
        ready=any(c["type"] == "Ready" and c["status"] == "True" for c in status.get("conditions") or ()),
        deleting="deletionTimestamp" in metadata,
        created=moment(metadata.get("creationTimestamp")),
        containers=tuple(container(c) for key in _STATUSES for c in status.get(key) or ()),
        failing_elsewhere=(),
        message=line(status.get("message") or _not_scheduled(status)),
        finalizers=tuple(metadata.get("finalizers") or ()),
        deletion=moment(metadata.get("deletionTimestamp")),
        accepted=moment(status.get("startTime")),
        grace=int(item["spec"].get("terminationGracePeriodSeconds", GRACE)),
    )


def only_home(item: Object) -> str | None:
    """The one Node that a Pod without a Node may run on: of a DaemonSet, or chosen by hostname; None: any."""
    if not _not_scheduled(item.get("status") or {}):
        return None
    spec = item["spec"]
    chosen = (spec.get("nodeSelector") or {}).get(HOSTNAME)
    node_affinity = (spec.get("affinity") or {}).get("nodeAffinity") or {}
    required = node_affinity.get("requiredDuringSchedulingIgnoredDuringExecution") or {}
    fields = [f for term in required.get("nodeSelectorTerms") or () for f in term.get("matchFields") or ()]
    names = {name for f in fields if f.get("key") == "metadata.name" for name in f.get("values") or ()}
    return chosen or (names.pop() if len(names) == 1 else None)


def _not_scheduled(status: Object) -> str:
    """What the scheduler says of a Pod that it has no Node for; empty when it has, or has not looked yet."""
    conditions = status.get("conditions") or ()
    said = (c for c in conditions if c["type"] == "PodScheduled" and c.get("reason") == "Unschedulable")
    return next((c.get("message") or "unschedulable" for c in said if c["status"] == "False"), "")


def owner(metadata: Object) -> str:
    """Kind/name of the controlling owner; a ReplicaSet of a Deployment counts as the Deployment.

    The name of such a ReplicaSet is the Deployment's with the pod-template-hash after it
    (pkg/controller/deployment/sync.go), so that no list of ReplicaSets is needed.
    """
    reference = next((o for o in metadata.get("ownerReferences") or () if o.get("controller")), None)
    if reference is None:
        return ""
    kind, name = str(reference["kind"]), str(reference["name"])
    tail = f"-{(metadata.get('labels') or {}).get('pod-template-hash', '')}"
    if kind == "ReplicaSet" and len(tail) > 1 and name.endswith(tail):
        return f"Deployment/{name.removesuffix(tail)}"
    return f"{kind}/{name}"


def container(item: Object) -> Container:
    """The status of one container."""
    state, now = _state(item.get("state"))
    dummy, before = _state(item.get("lastState"))
    reason = now.get("reason") or ""
    speaks = state == "waiting" or reason in RUNTIME_SAYS
    return Container(
        name=item["name"],
        image=item.get("image") or "",
        state=state,
        reason=reason,
        message=line(now.get("message")) if speaks else "",
        exit_code=now.get("exitCode"),
        restarts=int(item.get("restartCount") or 0),
        last_reason=before.get("reason") or "",
        last_exit_code=before.get("exitCode"),
        id=item.get("containerID") or "",
        last_finished=moment(before.get("finishedAt")),
    )


_STATUSES: t.Final = ("initContainerStatuses", "containerStatuses")


def _state(item: Object | None) -> tuple[str, Object]:
    return next(iter((item or {}).items()), ("none", {}))


def _failures(item: Pod) -> Iterable[tuple[str, str, str]]:
    """(namespace, owner, reason) for each way in which a Pod fails; a bare Pod has nothing to be compared with."""
    if not item.owner:
        return
    for each in item.containers:
        if each.state == "waiting" and each.reason not in STARTING:
            yield item.namespace, item.owner, SAME.get(each.reason, each.reason)
        if each.state == "terminated" and each.exit_code != 0:
            yield item.namespace, item.owner, "CrashLoopBackOff"
