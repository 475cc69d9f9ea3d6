# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Messages of the CRI, version 1 (cri-api, pkg/apis/runtime/v1/api.proto)."""

from __future__ import annotations

import typing as t
from collections import defaultdict
from datetime import datetime, timezone

from .._diagnosis.node_pods import PROBE_NAMESPACE, Sandbox, SandboxContainer
from .errors import ParseError
from .protobuf import embedded, enum, integer, latest, messages, text

SERVICE: t.Final = "/runtime.v1.RuntimeService/"
SERVICE_BEFORE: t.Final = "/runtime.v1alpha2.RuntimeService/"  # Version is the same in both
STATES: t.Final = ("created", "running", "exited", "unknown")  # enum ContainerState
SOURCE: t.Final = b"kubernetes.io/config.source"
NAMESPACE: t.Final = b"io.kubernetes.pod.namespace"
NAME: t.Final = b"io.kubernetes.pod.name"
# What is ours carries this label, whoever made it and whenever.
LABEL: t.Final = embedded(1, b"outward.kubelet/probe") + embedded(2, b"true")
# ListPodSandboxRequest: filter (1) with a label_selector (3), which is a map.
OUR_SANDBOXES: t.Final = embedded(1, embedded(3, LABEL))
# Year 2116 in nanoseconds; what is more is no time.
_LATEST: t.Final = 1 << 62
_LONGEST: t.Final = 253  # of a name in Kubernetes


class Condition(t.NamedTuple):
    """One RuntimeCondition."""

    ready: bool
    message: str | None  # reason and message when not ready


def version(message: bytes) -> str:
    """VersionResponse -> name and version of the runtime, `containerd 1.7.24`."""
    return f"{text(message, 2)} {text(message, 3)}"


def conditions(message: bytes) -> dict[str, Condition]:
    """StatusResponse -> type of the condition -> state."""
    found: dict[str, Condition] = {}
    for status in messages(message, 1):
        for condition in messages(status, 1):
            ready = bool(integer(condition, 2))
            words = f"{text(condition, 3)}: {text(condition, 4)}"
            found[text(condition, 1)] = Condition(ready, None if ready else words)
    return found


def sandboxes(message: bytes, containers: bytes = b"") -> tuple[Sandbox, ...]:
    """ListPodSandboxResponse, and the ListContainersResponse that belongs to it."""
    inside = _by_sandbox(containers)
    return tuple(_sandbox(item, inside) for item in messages(message, 1))


def ready(message: bytes) -> int:
    """ListPodSandboxResponse -> how many are ready, which is 0 in the enum PodSandboxState."""
    return sum(1 for item in messages(message, 1) if not latest(item).get(3))


def running(message: bytes) -> int:
    """ListContainersResponse -> how many containers run."""
    return sum(1 for item in messages(message, 1) if latest(item).get(6) == STATES.index("running"))


def container(name: str) -> bytes:
    """ContainerStatusRequest of one container by its id."""
    return embedded(1, name.encode())


def mounts(message: bytes) -> tuple[str, tuple[str, ...]]:
    """ContainerStatusResponse -> namespace/name of its Pod, and the paths of the host that it can write to."""
    found: list[str] = []
    names: dict[bytes, str] = {}
    for status in messages(message, 1):
        for label in map(latest, messages(status, 12)):
            names[_octets(label.get(1))] = _string(label.get(2))
        mounted = [latest(mount) for mount in messages(status, 14)]
        found += [_path(mount.get(2)) for mount in mounted if not _number(mount.get(3))]
    return f"{names.get(NAMESPACE, '')}/{names.get(NAME, '')}", tuple(path for path in found if path)


def _path(value: t.Union[int, bytes, None]) -> str:
    return _octets(value).decode("utf-8", "replace")


def _by_sandbox(message: bytes) -> t.Mapping[str, list[SandboxContainer]]:
    found: defaultdict[str, list[SandboxContainer]] = defaultdict(list)
    for item in messages(message, 1):
        values = latest(item)
        metadata = latest(_octets(values.get(3)))
        state = _number(values.get(6))
        container = SandboxContainer(
            id=_string(values.get(1)),
            name=_string(metadata.get(1)),
            attempt=_number(metadata.get(2)),
            state=STATES[state] if state < len(STATES) else "unknown",
            created=_time(values.get(7)),
        )
        found[_string(values.get(2))].append(container)
    return found


def _sandbox(item: bytes, inside: t.Mapping[str, list[SandboxContainer]]) -> Sandbox:
    values = latest(item)
    metadata = latest(_octets(values.get(2)))
    name = _string(values.get(1))
    annotations = (latest(entry) for entry in messages(item, 6))
    source = next((entry.get(2) for entry in annotations if entry.get(1) == SOURCE), b"")
    return Sandbox(
        id=name,
        uid=_string(metadata.get(2)),
        namespace=_string(metadata.get(3)),
        name=_string(metadata.get(1)),
        attempt=_number(metadata.get(4)),
        ready=not _number(values.get(3)),
        created=_time(values.get(4)),
        source=_string(source),
        containers=tuple(inside.get(name, ())),
    )


def _octets(value: t.Union[int, bytes, None]) -> bytes:
    return value if isinstance(value, bytes) else b""


def _string(value: t.Union[int, bytes, None]) -> str:
    return _octets(value)[:_LONGEST].decode("utf-8", "replace")


def _number(value: t.Union[int, bytes, None]) -> int:
    return value if isinstance(value, int) else 0


def _time(value: t.Union[int, bytes, None]) -> datetime:
    """Nanoseconds since 1970, as the CRI counts."""
    nanoseconds = _number(value)
    if nanoseconds >= _LATEST:
        raise ParseError("a time that is none")
    return datetime.fromtimestamp(nanoseconds // 1_000_000_000, timezone.utc)


def sandbox_request(uid: str, cgroup_parent: str) -> bytes:
    """RunPodSandboxRequest for a sandbox of ours, as the kubelet asks for one of a Pod with a network of its own.

    As it does (pkg/kubelet/kuberuntime): its own network and IPC, a PID namespace for each container, seccomp's
    default profile, and a DNS configuration, without which containerd copies a file that may not be there.
    """
    metadata = embedded(1, PROBE_NAMESPACE.encode()) + embedded(2, uid.encode()) + embedded(3, PROBE_NAMESPACE.encode())
    namespaces = enum(2, 1)  # pid: CONTAINER; network and ipc: POD, which is 0
    security = embedded(1, namespaces) + embedded(9, b"")  # seccomp: RuntimeDefault, which is 0
    config = (
        embedded(1, metadata)
        + embedded(2, PROBE_NAMESPACE.encode())  # hostname
        + embedded(4, embedded(1, b"127.0.0.1"))  # dns_config: servers
        + embedded(6, LABEL)
        + embedded(8, embedded(1, cgroup_parent.encode()) + embedded(2, security))
    )
    return embedded(1, config)


def sandbox_id(message: bytes) -> str:
    """RunPodSandboxResponse -> the id."""
    return text(message, 1)


def sandbox_named(name: str) -> bytes:
    """StopPodSandboxRequest or RemovePodSandboxRequest."""
    return embedded(1, name.encode())


def cgroup_driver(message: bytes) -> str | None:
    """RuntimeConfigResponse -> systemd or cgroupfs; None when the runtime does not say."""
    linux = messages(message, 1)
    return ("systemd", "cgroupfs")[min(integer(linux[-1], 1), 1)] if linux else None
