# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""What looks like a node fault and is none: the application, the image, a person's intention."""

from __future__ import annotations

from collections.abc import Iterator

from ..cluster import ClusterEvidence, Container, Pod
from ..cordon import ours
from ..node import NodeEvidence
from ..registry import cause
from ..signs import just_now

AGAIN = 2  # restarts that are no accident any more
MOMENT = 60.0  # seconds; who has come through them since the last crash may have come through for good


def _containers(cluster: ClusterEvidence) -> Iterator[tuple[Pod, Container]]:
    for pod in cluster.node.pods if cluster.node else ():
        for container in pod.containers:
            yield pod, container


def failing(cluster: ClusterEvidence, *, waiting: tuple[str, ...]) -> Iterator[tuple[Pod, Container]]:
    """Containers of this node that wait for one of these reasons."""
    return (each for each in _containers(cluster) if each[1].state == "waiting" and each[1].reason in waiting)


def given_up(cluster: ClusterEvidence) -> Iterator[tuple[Pod, Container]]:
    """Containers that ended again and again, and are not started now: without a network the kubelet does not try."""
    return (each for each in _containers(cluster) if each[1].state == "terminated" and each[1].restarts >= AGAIN)


def on_its_way(cluster: ClusterEvidence) -> Iterator[tuple[Pod, Container]]:
    """Containers that ended again and again, the last time a moment ago, and that run now: on their way to the next end."""
    again = (each for each in _containers(cluster) if each[1].state == "running" and each[1].restarts >= AGAIN)
    return (each for each in again if just_now(each[1].last_finished, cluster, MOMENT))


def crashed_by_itself(container: Container) -> bool:
    """It was started, ran, and exited with a status of its own (128 and StartError are the runtime's)."""
    return container.last_reason == "Error" and container.last_exit_code not in (None, 0, 128)


@cause(
    id="app-crashloop",
    layer="application",
    kind="not-a-node-fault",
    title="An application exits by itself",
    restart="useless",
    refusal="the node is not at fault",
    advice="kubectl logs --previous of the Pod named above",
)
def app_crashloop(node: NodeEvidence, cluster: ClusterEvidence) -> Iterator[str]:
    """Its container reached Started and exited with its own status; a node fault fails before that, and for all."""
    ended = (*failing(cluster, waiting=("CrashLoopBackOff",)), *given_up(cluster), *on_its_way(cluster))
    crashing = [each for each in ended if crashed_by_itself(each[1])]
    owners = {pod.owner or pod.name for pod, dummy in crashing if not pod.failing_elsewhere}
    healthy = {pod.owner or pod.name for pod in (cluster.node.pods if cluster.node else ()) if pod.ready}
    # Several unrelated workloads that crash here only, beside none that works, are the node's fault until shown.
    if len(owners) > 1 and not healthy:
        return
    for pod, container in crashing:
        yield (
            f"{pod.namespace}/{pod.name}: container {container.name} exited with status"
            f" {container.last_exit_code}, {container.restarts} restarts"
            + (f"; the same on {', '.join(pod.failing_elsewhere)}" if pod.failing_elsewhere else "")
        )


@cause(
    id="imagepull-bad-tag",
    layer="application",
    kind="not-a-node-fault",
    title="An image or its tag does not exist",
    restart="useless",
    refusal="the node is not at fault",
    advice="mend the image's name in the workload named above",
)
def imagepull_bad_tag(node: NodeEvidence, cluster: ClusterEvidence) -> Iterator[str]:
    """The registry was reached and said that there is no such thing: 404, manifest unknown."""
    for pod, container in failing(cluster, waiting=("ErrImagePull", "ImagePullBackOff")):
        if any(word in container.message for word in (": not found", "manifest unknown", "404 Not Found")):
            yield f"{pod.namespace}/{pod.name}: {container.image}: not found in its registry"


@cause(
    id="node-cordoned",
    layer="application",
    kind="not-a-node-fault",
    title="Somebody has cordoned the node",
    restart="useless",
    refusal="the node is not at fault",
    advice="ask who cordoned it; then: kubectl uncordon {node}",
)
def node_cordoned(node: NodeEvidence, cluster: ClusterEvidence) -> Iterator[str]:
    """A cordon is an intention, not a failure; we never take away one that is not ours."""
    if cluster.node and cluster.node.unschedulable and not ours(cluster.node):
        yield f"{cluster.name} is unschedulable (spec.unschedulable)"
