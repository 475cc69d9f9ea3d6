# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Messages of the CRI, version 1 (cri-api, pkg/apis/runtime/v1/api.proto)."""

from __future__ import annotations

import typing as t

from .protobuf import embedded, enum, fields, integer, messages, text

SERVICE: t.Final = "/runtime.v1.RuntimeService/"
SERVICE_BEFORE: t.Final = "/runtime.v1alpha2.RuntimeService/"  # Version is the same in both
SANDBOX_READY: t.Final = 0
CONTAINER_RUNNING: t.Final = 1

# Only what runs: filter (1) with a state (2), whose message has the enum in field 1.
READY_SANDBOXES: t.Final = embedded(1, embedded(2, enum(1, SANDBOX_READY)))
RUNNING_CONTAINERS: t.Final = embedded(1, embedded(2, enum(1, CONTAINER_RUNNING)))


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


def count(message: bytes) -> int:
    """ListPodSandboxResponse or ListContainersResponse -> how many."""
    return sum(1 for number, dummy in fields(message) if number == 1)


def cgroup_driver(message: bytes) -> str | None:
    """RuntimeConfigResponse -> systemd or cgroupfs; None when the runtime does not say."""
    linux = messages(message, 1)
    return ("systemd", "cgroupfs")[min(integer(linux[-1], 1), 1)] if linux else None
