# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!
"""Causes in counted resources: processes, handles, watches, connections, and time on the processor and the disk."""

from __future__ import annotations

from collections.abc import Iterator

from ..cluster import ClusterEvidence
from ..node import NodeEvidence
from ..registry import cause
from ..signs import (
    RECENT,
    inotify_short,
    lately,
    lease_fresh,
    processors_busy,
    quote,
    running,
    said,
    size,
    young,
)
from ..thresholds import EVICTION_HARD, threshold

# The kernel's last word on each victim; a container's own limit says "Memory cgroup out of memory" instead.
OUT_OF_MEMORY = r"^Out of memory: Killed process \d+ \(([^)]{1,64})\)"
TABLE_FULL = r"nf_conntrack: table full, dropping packet"
# A slow node in the lab answers healthz within 0.5 s with all that we ask of it at the same time.
SLUGGISH = 2.0
# Seconds. A kubelet that was started may find a Lease that had expired (it lives 40 s), and renews it every 10 s.
SETTLED = 60.0


def suffering(node: NodeEvidence, cluster: ClusterEvidence) -> str | None:
    """How one sees that a kubelet which runs does not get to its work; pressure alone is a busy node, not a fault.

    One that has just started, or that is started again and again, is slow and keeps a small node busy by itself.
    """
    healthz, unit = node.kubelet.healthz, node.kubelet.unit
    if not running(unit) or unit.process_state in ("T", "t") or young(node, unit, SETTLED):
        return None
    if healthz.outcome == "timeout" or healthz.seconds >= SLUGGISH:
        return f"the kubelet's healthz took {healthz.seconds:.1f} s ({healthz.outcome})"
    if healthz.outcome == "ok" and node.network.api.outcome == "ok" and not lease_fresh(node, cluster):
        return "the kubelet reaches the API server and does not renew its Lease in time"
    return None


def killed_long_ago(node: NodeEvidence, cluster: ClusterEvidence) -> bool:
    """The memory is there again, and nothing was killed lately."""
    return lately(node, OUT_OF_MEMORY, node.kernel.journal, seconds=RECENT) is None


def instances_left(node: NodeEvidence, cluster: ClusterEvidence) -> bool:
    """Nobody fails yet."""
    return node.pressure.inotify_instances < node.pressure.inotify_max_instances


def room_left(node: NodeEvidence, cluster: ClusterEvidence) -> bool:
    """What nobody watches is not short now."""
    return not any(unwatched(node))


def unwatched(node: NodeEvidence) -> Iterator[str]:
    """What is below the kubelet's default threshold and has none."""
    limits, pressure, disk = node.kubelet.config.eviction_hard, node.pressure, node.pressure.nodefs
    memory, nodefs = EVICTION_HARD["memory.available"], EVICTION_HARD["nodefs.available"]
    if "memory.available" not in limits and pressure.memory_available < threshold(memory, pressure.memory_capacity):
        yield f"memory: {size(pressure.memory_available)} available"
    if "nodefs.available" not in limits and disk.available < threshold(nodefs, disk.size):
        yield f"nodefs ({disk.mount_point}): {size(disk.available)} of {size(disk.size)} available"


@cause(
    id="kernel-oom-system",
    layer="pressure",
    title="The kernel has run out of memory and killed processes",
    restart="useless",
    refusal="a restart frees no memory",
    explains=("kubelet-oom-killed", "sym:flapping"),
    latent=killed_long_ago,
    advice="ssh {host} 'sudo dmesg | grep -B60 \"Out of memory\"' shows who held it then (now {most_memory}); set limits, "
    "reserve memory for the system (systemReserved, kubeReserved)",
)
def kernel_oom_system(node: NodeEvidence, cluster: ClusterEvidence) -> Iterator[str]:
    """The node ran out, not a container: that says CONSTRAINT_MEMCG and is the application's own limit."""
    found = said(node.kernel.journal, OUT_OF_MEMORY)
    if found:
        yield quote(found[0])


@cause(
    id="pid-exhaustion",
    layer="pressure",
    title="The node has hardly any process or thread left to give",
    restart="harmful",
    refusal="the kubelet needs threads to start, and might not come back",
    explains=("containerd-shim-hung", "sym:node-notready", "sym:node-unknown"),
    advice="{most_processes}; ssh {host} systemd-cgtop -m -n1 -b --order=tasks shows it as it is now; end it, and set "
    "podPidsLimit",
)
def pid_exhaustion(node: NodeEvidence, cluster: ClusterEvidence) -> Iterator[str]:
    """PIDPressure has no threshold by default and stays False; a Pod's own limit leaves the node room."""
    used, most = node.pressure.pids, node.pressure.pid_max
    if used >= 0.9 * most:
        yield f"{used} of {most} processes and threads are in use (kernel.pid_max, kernel.threads-max)"


@cause(
    id="inotify-exhaustion",
    layer="pressure",
    title="root has hardly any inotify instance or watch left",
    restart="harmful",
    refusal="a starting kubelet needs some, and would not come back",
    automate="safe",
    repair="raise-inotify-limits",
    explains=("containerd-cri-plugin-load-failed", "kubelet-insufficient-inotify-startup"),
    latent=instances_left,
    advice="ssh {host} sudo sysctl -w fs.inotify.max_user_instances=1024 fs.inotify.max_user_watches=524288, "
    "and the same in a file below /etc/sysctl.d",
)
def inotify_exhaustion(node: NodeEvidence, cluster: ClusterEvidence) -> Iterator[str]:
    """It calls itself `too many open files` with descriptors left; the running kubelet and containerd live on."""
    if inotify_short(node):
        used, most = node.pressure.inotify_instances, node.pressure.inotify_max_instances
        yield f"{used} of {most} inotify instances of root are in use (fs.inotify.max_user_instances)"


@cause(
    id="file-handle-exhaustion",
    layer="pressure",
    title="The node has hardly any file handle left",
    restart="partial",
    refusal="a restart gives back only what the kubelet itself leaked",
    automate="guarded",
    repair="raise-file-limit",
    explains=("containerd-hung",),
    advice="ssh {host} sudo sysctl -w fs.file-max=1000000 gives room; then look for who leaks: "
    "sudo lsof -n | awk '{{print $1, $2}}' | sort | uniq -c | sort -n | tail",
)
def file_handle_exhaustion(node: NodeEvidence, cluster: ClusterEvidence) -> Iterator[str]:
    """`too many open files` everywhere: the sum of the node (file-nr), not the limit of one process."""
    numbers = node.kernel.sysctls.get("fs.file-nr", "").split()
    if len(numbers) == 3 and int(numbers[0]) >= 0.9 * int(numbers[2]):
        yield f"{numbers[0]} of {numbers[2]} file handles are in use (fs.file-nr)"


@cause(
    id="conntrack-exhaustion",
    layer="pressure",
    title="The table of tracked connections is full, and packets are dropped",
    restart="useless",
    refusal="a restart opens more connections",
    automate="guarded",
    repair="raise-conntrack-limit",
    explains=("sym:flapping",),
    advice="ssh {host} sudo sysctl -w net.netfilter.nf_conntrack_max=262144 (kube-proxy's conntrack.maxPerCore keeps "
    "it), then look for who opens so many: sudo conntrack -L | awk '{{print $5}}' | sort | uniq -c | sort -n | tail",
)
def conntrack_exhaustion(node: NodeEvidence, cluster: ClusterEvidence) -> Iterator[str]:
    """The kernel's line is conclusive while it is new; time-outs without it and with room in the table are not this."""
    sysctls = node.kernel.sysctls
    used, most = (int(sysctls.get(f"net.netfilter.nf_conntrack_{name}", "0")) for name in ("count", "max"))
    line = lately(node, TABLE_FULL, node.kernel.journal, seconds=RECENT)
    if most and used >= 0.95 * most:
        yield f"{used} of {most} connections are tracked (nf_conntrack_max)"
    if line and used >= 0.5 * most:
        yield quote(line[0])


@cause(
    id="cpu-starvation",
    layer="pressure",
    title="The processors are busy, and the kubelet does not get its share",
    restart="useless",
    refusal="a restart adds to the load",
    explains=("kubelet-pleg-unhealthy", "kubelet-syncloop-stuck", "sym:flapping", "sym:node-unknown"),
    advice="ssh {host} systemd-cgtop -n2 -b --order=cpu names who takes them; set limits, reserve processors "
    "(systemReserved, kubeReserved), or move the Pod away",
)
def cpu_starvation(node: NodeEvidence, cluster: ClusterEvidence) -> Iterator[str]:
    """Tasks wait for a processor most of the time and the kubelet is one of them; slow housekeeping proves nothing."""
    pressure, stall = node.pressure, node.pressure.psi_cpu
    effect = suffering(node, cluster) if processors_busy(node) else None
    if effect:
        share = f"tasks waited for a processor {stall.some:.0f} % of the last 10 s (PSI)" if stall else "no PSI"
        yield f"load {pressure.load:.1f} on {pressure.cpus} processors; {share}"
        yield effect


@cause(
    id="io-stall",
    layer="pressure",
    title="The disk is so slow that the kubelet does not get on",
    restart="useless",
    refusal="a restart reads more from the same disk",
    explains=(
        "containerd-hung",
        "kernel-hung-task",
        "kubelet-pleg-unhealthy",
        "kubelet-syncloop-stuck",
        "sym:flapping",
        "sym:node-unknown",
    ),
    advice="ssh {host} sudo iotop -obn1 names who writes; fewer writers, or an SSD instead of the card",
)
def io_stall(node: NodeEvidence, cluster: ClusterEvidence) -> Iterator[str]:
    """Everything waits for the disk (PSI full) and the kubelet with it; pulling an image alone does not stop it."""
    stall = node.pressure.psi_io
    if not stall or stall.full < 40:
        return
    effect = suffering(node, cluster)
    if effect:
        yield f"everything waited for the disk {stall.full:.0f} % of the last 10 s (PSI)"
        yield effect


@cause(
    id="eviction-thresholds-disabled",
    layer="pressure",
    title="The kubelet is configured not to watch what is running out",
    restart="helps",
    refusal="a restart helps only when evictionHard has been mended",
    automate="guarded",
    repair="restore-eviction-thresholds",
    explains=("kernel-oom-system",),
    latent=room_left,
    advice="give evictionHard in {config} of {host} all its keys (or mergeDefaultEvictionSettings: true from 1.33), "
    "then: sudo systemctl restart {unit}",
)
def eviction_thresholds_disabled(node: NodeEvidence, cluster: ClusterEvidence) -> Iterator[str]:
    """One key of evictionHard set by hand drops the defaults of all others; no pressure condition is ever True then."""
    missing = [key for key in ("memory.available", "nodefs.available") if key not in node.kubelet.config.eviction_hard]
    if missing:
        yield f"evictionHard has no {' and no '.join(missing)}"
        yield from unwatched(node)
