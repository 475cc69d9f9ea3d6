# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""The Pods that have a living process, by their control groups: true without the kubelet and without the runtime."""

from __future__ import annotations

import os
import re
import typing as t
from collections.abc import Iterator

# Below a v1 hierarchy the same tree hangs under each controller; every kubelet uses pids.
ROOTS: t.Final = ("/sys/fs/cgroup", "/sys/fs/cgroup/pids")
# kubelet, pkg/kubelet/cm: the driver decides how it spells the top of its tree.
DRIVERS: t.Final = {"kubepods.slice": "systemd", "kubepods": "cgroupfs"}
_POD: t.Final = re.compile(r"(?:kubepods.*-)?pod([0-9a-f_-]{32,36})(?:\.slice)?")


def running_pods(roots: tuple[str, ...] = ROOTS) -> dict[str, str]:
    """UID of the Pod (of a static Pod: its hash) -> driver of its cgroup (systemd, cgroupfs)."""
    found: dict[str, str] = {}
    for root in roots:
        for top, driver in DRIVERS.items():
            found.update(dict.fromkeys(_populated(os.path.join(root, top)), driver))
    return found


def drivers_in_use() -> tuple[str, ...]:
    """The drivers of the cgroups that hold running Pods, sorted; empty when no Pod runs."""
    return tuple(sorted(set(running_pods().values())))


def _populated(top: str) -> Iterator[str]:
    """Pods lie directly below the top (guaranteed) or below a class of service; there is no other level."""
    for directory in (top, *_directories(top)):
        for path in _directories(directory):
            uid = pod_of(os.path.basename(path))
            if uid and _has_process(path):
                yield uid


def pod_of(group: str) -> str | None:
    """The UID of the Pod (of a static Pod: its hash) whose cgroup has this name; None: it is no Pod's."""
    match = _POD.fullmatch(group)
    return match.group(1).replace("_", "-") if match else None


def _directories(path: str) -> list[str]:
    """A directory that vanishes while we look holds nothing."""
    try:
        with os.scandir(path) as entries:
            return [entry.path for entry in entries if entry.is_dir(follow_symlinks=False)]
    except OSError:
        return []


def _has_process(path: str) -> bool:
    """cgroup v2 says so for the whole subtree; in v1 each level is asked."""
    events = _read(os.path.join(path, "cgroup.events"))
    if events:
        return "populated 1" in events
    if _read(os.path.join(path, "cgroup.procs")).strip():
        return True
    return any(_has_process(child) for child in _directories(path))


def _read(path: str) -> str:
    try:
        with open(path, encoding="ascii") as file:
            return file.read(4096)
    except OSError:
        return ""
