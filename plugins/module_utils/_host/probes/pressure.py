# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Memory, disks, swap and stalls, by the formulas of the kubelet's eviction manager."""

from __future__ import annotations

import os
import typing as t

from ..._diagnosis.evidence import unknown
from ..._diagnosis.node import Filesystem, Profile, Stall
from ..._diagnosis.node_pods import Consumer
from ..._parse import mounts, procfs
from ..errors import ProbeError
from ..files import attempt, read, read_or_none
from ..pods import pod_of

Fields = dict[str, t.Any]
CGROUPS: t.Final = "/sys/fs/cgroup"
UNIT: t.Final = (".service", ".scope")
MOST: t.Final = 5


def ask(profile: Profile) -> Fields:
    """Every field of Pressure but `inotify_instances`."""
    table = mounts.mountinfo(read("/proc/self/mountinfo"))
    return {
        "nodefs": attempt(filesystem, profile.root_dir, table),
        "imagefs": attempt(filesystem, profile.runtime_root, table),
        "rootfs": attempt(filesystem, "/", table),
        **_memory(),
        "swap_devices": attempt(_swap_devices),
        **_processes(),
        "inotify_max_instances": attempt(_integer, "/proc/sys/fs/inotify/max_user_instances"),
        **{f"psi_{name}": attempt(_stall, f"/proc/pressure/{name}") for name in ("cpu", "memory", "io")},
        "cpus": os.cpu_count() or 1,
        "consumers": attempt(consumers),
    }


def filesystem(path: str, table: t.Sequence[mounts.MountLine]) -> Filesystem:
    """statvfs as cAdvisor counts it: blocks are f_frsize, available is f_bavail.

    A directory that is not there yet (no kubelet has ever run) will be on the filesystem of the one above.
    """
    place = os.path.realpath(path)
    while not os.path.lexists(place):
        place = os.path.dirname(place)
    mount = mounts.holding(table, place)
    found = os.statvfs(place)
    return Filesystem(
        path=path,
        mount_point=mount.mount_point,
        device=mount.device,
        kind=mount.kind,
        read_only=mount.read_only,
        size=found.f_blocks * found.f_frsize,
        available=found.f_bavail * found.f_frsize,
        inodes=found.f_files,
        inodes_free=found.f_ffree,
    )


def _memory() -> Fields:
    info = procfs.key_values(read("/proc/meminfo"))
    total, free = attempt(procfs.number, info, "SwapTotal"), attempt(procfs.number, info, "SwapFree")
    capacity = procfs.number(info, "MemTotal")
    return {
        "memory_capacity": capacity,
        "memory_available": attempt(_available, capacity),
        "memory_free_estimate": attempt(procfs.number, info, "MemAvailable"),
        "swap_total": total,
        "swap_used": total - free if isinstance(total, int) and isinstance(free, int) else unknown("no SwapFree"),
    }


def _available(capacity: int) -> int:
    """Capacity minus the working set of the root control group, as the kubelet sees it.

    On cgroup v2 the root has no memory.current: opencontainers/cgroups (fs2/memory.go, rootStatsFromMeminfo) takes
    anon + file, and cAdvisor subtracts inactive_file.
    """
    text = read_or_none("/sys/fs/cgroup/memory.stat")
    if text is not None:
        stat = procfs.key_values(text)
        usage = procfs.number(stat, "anon") + procfs.number(stat, "file")
        inactive = procfs.number(stat, "inactive_file")
    else:
        stat = procfs.key_values(read("/sys/fs/cgroup/memory/memory.stat"))
        usage = _integer("/sys/fs/cgroup/memory/memory.usage_in_bytes")
        inactive = procfs.number(stat, "total_inactive_file")
    return capacity - max(0, usage - inactive)


def consumers(root: str = CGROUPS) -> tuple[Consumer, ...]:
    """Those with most memory, and those with most processes; on cgroup v2, where one tree has both."""
    if not os.path.exists(f"{root}/cgroup.controllers"):
        raise ProbeError("control groups are measured on cgroup v2 only")
    found = []
    for place, below, dummy in os.walk(root):
        name = os.path.basename(place)
        pod = pod_of(name)
        if pod or name.endswith(UNIT):
            below.clear()
            found += _measured(place, pod or name, pod is not None)
    heavy = sorted(found, key=lambda each: -each.memory)[:MOST]
    return (*heavy, *(each for each in sorted(found, key=lambda each: -each.pids)[:MOST] if each not in heavy))


def _measured(place: str, group: str, pod: bool) -> list[Consumer]:
    """None of a group that ended meanwhile, or whose controllers are off (a kernel without the memory controller)."""
    usage, stat, pids = (read_or_none(f"{place}/{name}") for name in ("memory.current", "memory.stat", "pids.current"))
    if usage is None or stat is None or pids is None:
        return []
    inactive = procfs.number(procfs.key_values(stat), "inactive_file")
    return [Consumer(group, pod, max(0, int(usage) - inactive), int(pids))]


def _swap_devices() -> tuple[str, ...]:
    text = read_or_none("/proc/swaps")  # absent: a kernel without swap
    return procfs.swaps(text) if text else ()


def _processes() -> Fields:
    """The kubelet counts threads (/proc/loadavg) against the smaller of the two limits (stats/pidlimit)."""
    load, threads = procfs.load(read("/proc/loadavg"))
    limits = [_integer(f"/proc/sys/kernel/{name}") for name in ("pid_max", "threads-max")]
    return {"load": load, "pids": threads, "pid_max": min(limits)}


def _stall(path: str) -> Stall | None:
    """None: the kernel has no PSI (or it is off: the file is there and cannot be read, EOPNOTSUPP)."""
    try:
        text = read_or_none(path)
    except OSError as error:
        if error.errno == 95:
            return None
        raise
    return procfs.pressure(text) if text is not None else None


def _integer(path: str) -> int:
    return int(read(path).split()[0])
