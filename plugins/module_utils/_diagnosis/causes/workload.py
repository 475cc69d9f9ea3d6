# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""What looks like a node fault and is one of a Pod: its limits, its probes, its references, its place."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

from ..cluster import ClusterEvidence, Container, Event, Pod
from ..node import NodeEvidence
from ..registry import cause
from ..signs import api_now, just_now, quote
from .application import failing

NOT_THE_NODE = "the node is not at fault"
PULLS = ("ErrImagePull", "ImagePullBackOff")
REFUSED = re.compile(
    r"pull access denied|insufficient_scope|authorization failed|no basic auth credentials|toomanyrequests"
    r"|(?:status(?: code)?|HEAD request|GET request)[^:]{0,200}: ?(?:401 Unauthorized|403 Forbidden|429 Too Many Requests)"
    r"|(?:401 Unauthorized|403 Forbidden|429 Too Many Requests)"
)
# The hit limit is a Pod's or a container's own: that of kubepods itself would be the node's (allocatable).
OWN_LIMIT = r"oom-kill:constraint=CONSTRAINT_MEMCG,.{0,300}oom_memcg=/kubepods(?:\.slice)?/"
NO_OBJECT = re.compile(
    r'(?:configmap|secret)s? "[^"]{1,253}" not found|couldn\'t find key \S{1,253} in (?:ConfigMap|Secret) '
)
# A time-out may be the node's doing; the message of a command that says nothing is empty.
FAILED_PROBE = re.compile(
    r"(?P<kind>Liveness|Startup|Readiness) probe failed:(?!.{0,400}(?:deadline exceeded|[Tt]imeout|timed out))"
)
PROBES = 3
POLICY = frozenset(
    {"SysctlForbidden", "AppArmor", "NodeAffinity", "NodeSelectorMismatching", "Forbidden", "PodOSNotSupported"}
)
NEWS = 3600.0  # seconds
STUCK = timedelta(seconds=30)


def on_node(cluster: ClusterEvidence) -> tuple[Pod, ...]:
    """The Pods of the node."""
    return cluster.node.pods if cluster.node else ()


def recent(event: Event, cluster: ClusterEvidence) -> bool:
    """It is still so, as far as one can see."""
    return just_now(event.last, cluster)


@cause(
    id="app-oomkilled",
    layer="application",
    kind="not-a-node-fault",
    title="A container exceeds its own memory limit",
    restart="useless",
    refusal=NOT_THE_NODE,
    explains=("app-crashloop",),
    advice="raise resources.limits.memory of the workload named above, or make it use less",
)
def app_oomkilled(node: NodeEvidence, cluster: ClusterEvidence) -> Iterator[str]:
    """CONSTRAINT_MEMCG below kubepods is the container's own limit; CONSTRAINT_NONE would be the node's memory."""
    killed = [
        (pod, container)
        for pod in on_node(cluster)
        for container in pod.containers
        if "OOMKilled" in (container.reason, container.last_reason) and not _runs_again(container, cluster)
    ]
    said = [line for line in node.kernel.journal.lines if re.search(OWN_LIMIT, line.text)] if killed else []
    if said:
        for pod, container in killed:
            yield f"{pod.namespace}/{pod.name}: container {container.name} was OOMKilled, {container.restarts} restarts"
        yield quote(said[-1])


def _runs_again(container: Container, cluster: ClusterEvidence) -> bool:
    """And has done so for a while: what was killed a moment ago and runs is on its way to its limit again."""
    return container.state == "running" and not just_now(container.last_finished, cluster)


@cause(
    id="imagepull-auth-or-ratelimit",
    layer="application",
    kind="not-a-node-fault",
    title="A registry refuses to hand out an image",
    restart="useless",
    refusal=NOT_THE_NODE,
    advice="give the workload named above an imagePullSecret, or a mirror when the registry says too many requests",
)
def imagepull_refused(node: NodeEvidence, cluster: ClusterEvidence) -> Iterator[str]:
    """A status of HTTP comes from the registry itself, so the network works: 401, 403, 429."""
    for pod, container in failing(cluster, waiting=PULLS):
        match = REFUSED.search(container.message)
        if match:
            yield f"{pod.namespace}/{pod.name}: {container.image}: {match.group()}"


@cause(
    id="probe-failure-app",
    layer="application",
    kind="not-a-node-fault",
    title="An application fails its own probe",
    restart="useless",
    refusal=NOT_THE_NODE,
    explains=("app-crashloop",),
    advice="kubectl describe and kubectl logs of the Pod named above",
)
def probe_failure(node: NodeEvidence, cluster: ClusterEvidence) -> Iterator[str]:
    """One workload answers wrongly beside others that work; a time-out may be the node's, and several would be."""
    pods = {f"{pod.namespace}/{pod.name}": pod for pod in on_node(cluster)}
    events = cluster.node.events if cluster.node else ()
    unhealthy = [e for e in events if e.reason == "Unhealthy" and e.name in pods and recent(e, cluster)]
    owners = {pods[event.name].owner or event.name for event in unhealthy}
    others_work = any(pod.ready for pod in pods.values() if (pod.owner or f"{pod.namespace}/{pod.name}") not in owners)
    if len(owners) != 1 or not others_work:
        return
    for event in unhealthy:
        restarts = sum(container.restarts for container in pods[event.name].containers)
        match = FAILED_PROBE.match(event.message)
        # A Pod that starts is not ready yet, and that is no failure.
        if match and (event.count >= PROBES or (restarts and match.group("kind") != "Readiness")):
            yield f"{event.name}: {event.message[:200]} ({event.count} times, {restarts} restarts)"


@cause(
    id="pod-unschedulable",
    layer="application",
    kind="not-a-node-fault",
    title="A Pod that may run on this node only does not fit",
    restart="useless",
    refusal=NOT_THE_NODE,
    advice="kubectl describe the Pod named above: its requests, its affinity, its tolerations",
)
def pod_unschedulable(node: NodeEvidence, cluster: ClusterEvidence) -> Iterator[str]:
    """No node is involved yet. A taint that a sick node carries would be that node's, so there must be none."""
    if cluster.node is None or cluster.node.taints or cluster.node.unschedulable:
        return
    for pod in cluster.node.unscheduled:
        if "untolerated taint" not in pod.message:
            yield f"{pod.namespace}/{pod.name}: {pod.message[:300]}"


@cause(
    id="config-error",
    layer="application",
    kind="not-a-node-fault",
    title="A ConfigMap or Secret that a Pod names does not exist",
    restart="useless",
    refusal=NOT_THE_NODE,
    advice="create the object named above, or correct its name in the workload",
)
def config_error(node: NodeEvidence, cluster: ClusterEvidence) -> Iterator[str]:
    """The API says `not found`; a time-out or `no relationship found` would be the way to it."""
    for pod, container in failing(cluster, waiting=("CreateContainerConfigError",)):
        match = NO_OBJECT.search(container.message)
        if match:
            yield f"{pod.namespace}/{pod.name}: container {container.name}: {match.group()}"
    for event in cluster.node.events if cluster.node else ():
        match = NO_OBJECT.search(event.message) if event.reason == "FailedMount" else None
        if match and recent(event, cluster):
            yield f"{event.name}: {match.group()}"


@cause(
    id="image-exec-format",
    layer="application",
    kind="not-a-node-fault",
    title="An image's program is not made for this machine",
    restart="useless",
    refusal=NOT_THE_NODE,
    explains=("app-crashloop",),
    advice="use an image that has the architecture of {node} (kubectl get node {node} -o wide)",
)
def image_exec_format(node: NodeEvidence, cluster: ClusterEvidence) -> Iterator[str]:
    """The kernel refuses the program: another architecture, or no program. A disk that errs would damage files here only."""
    waiting = failing(cluster, waiting=("CrashLoopBackOff", "RunContainerError", "CreateContainerError"))
    for pod, container in waiting:
        logged = f"{pod.uid}/{container.name}" in node.runtime.exec_format
        sound = bool(pod.failing_elsewhere) or not any(node.storage.ext4_errors.values())
        if sound and (logged or "exec format error" in container.message):
            yield f"{pod.namespace}/{pod.name}: container {container.name} ({container.image}): exec format error"
            yield f"this machine is {node.identity.architecture}"


@cause(
    id="pod-finalizer-stuck",
    layer="application",
    kind="not-a-node-fault",
    title="A Pod is kept by a finalizer; its containers are gone",
    restart="useless",
    refusal=NOT_THE_NODE,
    advice="ask the owner of the finalizer named above why it does not act",
)
def pod_finalizer_stuck(node: NodeEvidence, cluster: ClusterEvidence) -> Iterator[str]:
    """The node has done its part. A container that still runs would be the runtime's or a volume's doing."""
    for pod in on_node(cluster):
        if not pod.deleting or any(container.state != "terminated" for container in pod.containers):
            continue
        if pod.finalizers and pod.deletion and api_now(cluster) - pod.deletion > STUCK:
            yield f"{pod.namespace}/{pod.name}: all containers have ended; finalizers: {', '.join(pod.finalizers)}"


@cause(
    id="runtimeclass-or-security",
    layer="application",
    kind="not-a-node-fault",
    title="The kubelet refuses a Pod for what its specification asks",
    restart="useless",
    refusal=NOT_THE_NODE,
    advice="correct the specification of the Pod named above, or allow on the kubelet what it asks",
)
def pod_refused(node: NodeEvidence, cluster: ClusterEvidence) -> Iterator[str]:
    """A policy's reason for one Pod; `OutOf...` is left out: it comes in storms after each start of a kubelet."""
    for pod in on_node(cluster):
        if pod.phase != "Failed" or pod.reason not in POLICY:
            continue
        if just_now(pod.created, cluster, NEWS):
            yield f"{pod.namespace}/{pod.name}: {pod.reason}: {pod.message[:200]}"
