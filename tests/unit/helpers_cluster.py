# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The API's side of a healthy node, and the same with one thing changed."""

from __future__ import annotations

import typing as t
from datetime import timedelta

from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis import cluster as c
from tests.unit.helpers import NOW, _changed


def healthy_cluster(**changes: t.Any) -> c.ClusterEvidence:
    """The evidence of a healthy Node pi-04 beside pi-05; *changes* as in ``healthy_node``."""
    evidence = c.ClusterEvidence(
        schema=c.SCHEMA,
        observed=NOW,
        name="pi-04",
        api=c.ApiServer("https://10.77.0.1:6443", True, None, "v1.37.2", NOW, NOW),
        fleet=fleet(ready=("pi-04", "pi-05")),
        node=_node(),
        orphans=(),
    )
    for path, value in changes.items():
        evidence = t.cast(c.ClusterEvidence, _changed(evidence, path.split("__"), value))
    return evidence


def fleet(**fields: t.Any) -> c.Fleet:
    """A fleet in which nothing happened, with these *fields*."""
    calm: dict[str, t.Any] = dict.fromkeys(c.Fleet.__annotations__, ())
    return c.Fleet(**{**calm, "controller_manager": lease(1), **fields})


def condition(kind: str, status: str, reason: str = "Kubelet") -> c.Condition:
    """A condition that was posted ten seconds ago."""
    return c.Condition(kind, status, reason, "", "kubelet", NOW - timedelta(seconds=10), NOW - timedelta(hours=1))


def conditions(**statuses: str) -> tuple[c.Condition, ...]:
    """The four conditions of a node, clean unless *statuses* says otherwise."""
    clean = {"MemoryPressure": "False", "DiskPressure": "False", "PIDPressure": "False", "Ready": "True"}
    return tuple(condition(kind, status) for kind, status in {**clean, **statuses}.items())


def pod(name: str, *containers: c.Container, elsewhere: tuple[str, ...] = ()) -> c.Pod:
    """A Pod of a Deployment; ready when all its containers run."""
    ready = all(container.state == "running" for container in containers)
    return c.Pod(
        "default",
        name,
        f"uid-{name}",
        "Running",
        "",
        f"Deployment/{name}",
        False,
        ready,
        False,
        NOW,
        containers,
        elsewhere,
        "",
        (),
        None,
    )


def container(
    state: str = "running", reason: str = "", message: str = "", last: tuple[str, int | None] = ("", None)
) -> c.Container:
    """A container of an image that does not matter."""
    return c.Container("main", "lab/web:1", state, reason, message, None, 3 if reason else 0, last[0], last[1], "id")


def lease(seconds_ago: float, version: str = "100") -> c.Lease:
    """A node Lease of 40 s."""
    return c.Lease("pi-04", NOW - timedelta(seconds=seconds_ago), 40, version)


def _node() -> c.Node:
    return c.Node(
        name="pi-04",
        uid="u-1",
        resource_version="1000",
        created=NOW - timedelta(days=1),
        unschedulable=False,
        control_plane=False,
        taints=(),
        conditions=conditions(),
        annotations={},
        addresses=("10.77.0.14",),
        boot_id="b" * 36,
        machine_id="m" * 32,
        kubelet_version="v1.37.2",
        runtime_version="containerd://1.7.24",
        lease=lease(5),
        pods=(pod("web", container()),),
        events=(),
        signing_requests=(),
        internal_addresses=("10.77.0.14",),
        cni_address=None,
        pod_cidrs=("10.244.4.0/24",),
        unscheduled=(),
    )


def changed(pod: c.Pod, **fields: t.Any) -> c.Pod:
    """The same Pod with other *fields*."""
    return c.Pod(**{**vars(pod), **fields})


def event(about: str, reason: str, message: str = "", *, count: int = 1, ago: float = 10) -> c.Event:
    """An event about a Pod (`namespace/name`) or a Node."""
    kind = "Pod" if "/" in about else "Node"
    return c.Event(kind, about, reason, message, "kubelet", count, NOW - timedelta(seconds=ago))


def request(signer: str, state: str, *, ago: float = 600, name: str = "csr-1") -> c.SigningRequest:
    """A request of pi-04 to one of the signers of Kubernetes."""
    created = NOW - timedelta(seconds=ago)
    return c.SigningRequest(name, f"kubernetes.io/{signer}", "system:node:pi-04", state, created)
