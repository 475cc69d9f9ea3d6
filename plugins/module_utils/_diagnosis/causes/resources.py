# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Causes in the node's resources and storage."""

from __future__ import annotations

from collections.abc import Iterator

from ..cluster import ClusterEvidence
from ..node import NodeEvidence
from ..registry import cause
from ..signs import size
from ..thresholds import threshold


@cause(
    id="disk-pressure-nodefs",
    layer="pressure",
    title="The filesystem of the kubelet is nearly full",
    restart="useless",
    refusal="a restart frees no space",
    automate="guarded",
    repair="free-disk-space",
    explains=("containerd-down", "image-gc-failing", "sym:evictions", "sym:taint-disk-pressure"),
    advice="ssh {host} 'sudo du -axh -d3 {mount} | sort -h | tail' names what fills it",
)
def disk_pressure_nodefs(node: NodeEvidence, cluster: ClusterEvidence) -> Iterator[str]:
    """The kubelet's own signal is below its own threshold; the condition itself lags by up to five minutes.

    Where images lie on the same filesystem, imagefs.available counts too, and its default (15 %) comes first.
    """
    disk, images = node.pressure.nodefs, node.pressure.imagefs
    signals = ["nodefs.available"] + ["imagefs.available"] * (images.mount_point == disk.mount_point)
    for signal in signals:
        limit = node.kubelet.config.eviction_hard.get(signal)
        if limit and disk.available < threshold(limit, disk.size):
            yield (
                f"{signal} ({disk.mount_point}): {size(disk.available)} of {size(disk.size)} available,"
                f" eviction below {limit}"
            )


@cause(
    id="memory-pressure",
    layer="pressure",
    title="The node is out of memory",
    restart="useless",
    refusal="a restart frees no memory",
    explains=(
        "containerd-hung",
        "kernel-oom-system",
        "kubelet-pleg-unhealthy",
        "kubelet-syncloop-stuck",
        "sym:evictions",
        "sym:flapping",
    ),
    advice="{most_memory}; ssh {host} systemd-cgtop -m -n1 -b shows it as it is now; set limits, or move the Pod away",
)
def memory_pressure(node: NodeEvidence, cluster: ClusterEvidence) -> Iterator[str]:
    """By the kubelet's signal, or by the kernel's: MemAvailable is gone and tasks stall, which Ready never shows."""
    pressure = node.pressure
    limit = node.kubelet.config.eviction_hard.get("memory.available")
    floor = threshold(limit, pressure.memory_capacity) if limit else 0.0
    if pressure.memory_available < floor:
        yield f"memory: {size(pressure.memory_available)} available by the kubelet's signal, eviction below {limit}"
    stall = pressure.psi_memory
    # 1 % of wall time with all tasks stalled: idle nodes show 0.0, the lab's starved one 4.1 (lab.md section 3).
    if stall and stall.full >= 1 and pressure.memory_free_estimate < max(floor, 0.05 * pressure.memory_capacity):
        yield (
            f"memory: {size(pressure.memory_free_estimate)} of {size(pressure.memory_capacity)} left;"
            f" everything stalled {stall.full:.1f} % of the last 10 s (PSI)"
        )


@cause(
    id="rootfs-read-only",
    layer="storage",
    title="A filesystem that the node writes to is mounted read-only",
    restart="harmful",
    refusal="the kubelet cannot write its state, and would not come back",
    explains=("containerd-metadata-db-corrupt", "image-gc-failing", "containerd-down"),
    advice="ssh {host} 'sudo dmesg | tail -50' says why; save what matters, then check or replace the medium",
)
def rootfs_read_only(node: NodeEvidence, cluster: ClusterEvidence) -> Iterator[str]:
    """After errors ext4 turns read-only while Ready stays True; an overlay root is read-only by design."""
    if not node.storage.overlay_root:
        for filesystem in node.storage.read_only:
            yield f"{filesystem.mount_point} ({filesystem.device}, {filesystem.kind}) is mounted read-only"


@cause(
    id="disk-pressure-imagefs",
    layer="pressure",
    title="The filesystem of the container runtime is nearly full",
    restart="useless",
    refusal="a restart frees no space",
    automate="guarded",
    repair="free-disk-space",
    explains=("containerd-down", "sym:evictions"),
    advice="ssh {host} 'sudo du -axh -d3 {runtime_root} | sort -h | tail' names what fills it",
)
def disk_pressure_imagefs(node: NodeEvidence, cluster: ClusterEvidence) -> Iterator[str]:
    """Only where images have a filesystem of their own; else it is the kubelet's, and that cause says it."""
    disk, limit = node.pressure.imagefs, node.kubelet.config.eviction_hard.get("imagefs.available")
    if disk.mount_point != node.pressure.nodefs.mount_point and limit and disk.available < threshold(limit, disk.size):
        yield f"imagefs ({disk.mount_point}): {size(disk.available)} of {size(disk.size)} available, eviction below {limit}"


@cause(
    id="inode-exhaustion",
    layer="pressure",
    title="A filesystem of the node has hardly any inode left",
    restart="useless",
    refusal="a restart frees no inodes",
    automate="guarded",
    repair="free-inodes",
    explains=("containerd-down", "sym:evictions", "sym:kubelet-crashloop"),
    advice="ssh {host} 'sudo du -x --inodes -d3 {mount} | sort -n | tail' names who has so many files",
)
def inode_exhaustion(node: NodeEvidence, cluster: ClusterEvidence) -> Iterator[str]:
    """No space left on device with gigabytes free; DiskPressure has the same face for it."""
    limits = node.kubelet.config.eviction_hard
    for name, disk in (("nodefs", node.pressure.nodefs), ("imagefs", node.pressure.imagefs)):
        limit = limits.get(f"{name}.inodesFree")
        if limit and disk.inodes and disk.inodes_free < threshold(limit, disk.inodes):
            yield f"{name} ({disk.mount_point}): {disk.inodes_free} of {disk.inodes} inodes free, eviction below {limit}"


@cause(
    id="nfs-mount-hung",
    layer="storage",
    title="A network filesystem does not answer",
    restart="harmful",
    refusal="a kubelet that touches the mount at its start hangs with it",
    explains=(
        "containerd-shim-hung",
        "kernel-hung-task",
        "kubelet-pleg-unhealthy",
        "kubelet-syncloop-stuck",
        "orphaned-pod-volumes",
        "sym:pods-terminating",
    ),
    advice="bring its server back; or ssh {host} 'sudo umount -f -l MOUNT' and delete the Pod that uses it",
)
def nfs_mount_hung(node: NodeEvidence, cluster: ClusterEvidence) -> Iterator[str]:
    """Whoever touches it sleeps in the kernel until its server answers."""
    for mount in node.storage.network_mounts:
        if not mount.answers:
            yield f"{mount.mount_point} ({mount.kind} from {mount.device}) does not answer"
