# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!
"""Causes in the kernel: what it was built and booted without, and how it stops."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

from ..cluster import ClusterEvidence
from ..node import NodeEvidence
from ..registry import cause
from ..signs import RECENT, api_now, lately, quote, said
from .application import crashed_by_itself, failing

# The watchdog says it again every 20 s or so; once is what a virtual machine says that was paused.
LOCKED = r"watchdog: BUG: soft lockup - CPU#\d+ stuck for"
OOPS = r"Internal error: Oops|BUG: unable to handle|kernel BUG at|Unable to handle kernel"
SIGABRT = 128 + 6
BOOTS, BOOTS_WITHIN = 3, timedelta(minutes=30)


def modules_at_work(node: NodeEvidence, cluster: ClusterEvidence) -> bool:
    """What Pods need is in the kernel already, loaded or built in."""
    there, bridge = node.kernel.modules, "net.bridge.bridge-nf-call-iptables" in node.kernel.sysctls
    return (
        there.get("overlay", True) and there.get("nf_conntrack", True) and (bridge or there.get("br_netfilter", True))
    )


def booted_long_ago(node: NodeEvidence, cluster: ClusterEvidence) -> bool:
    """Whatever the kernel died of, it has worked for a while since, and has not stumbled."""
    return node.identity.uptime > RECENT and said(node.kernel.journal, OOPS) is None


@cause(
    id="cgroup-memory-controller-missing",
    layer="kernel",
    title="The kernel runs without the memory control group",
    restart="useless",
    refusal="it takes a boot with another kernel command line",
    automate="guarded",
    explains=("sym:kubelet-crashloop", "sym:node-unknown"),
    advice="append cgroup_enable=memory to the one line of /boot/firmware/cmdline.txt on {host}, then boot it; "
    "a kernel that calls the option unknown has to be replaced",
)
def cgroup_memory_controller_missing(node: NodeEvidence, cluster: ClusterEvidence) -> Iterator[str]:
    """A Raspberry Pi's firmware switches it off. cgroup.controllers decides: newer kernels leave it out of /proc/cgroups."""
    kernel = node.kernel
    if kernel.cgroup_version != 2 or not kernel.cgroup_controllers or "memory" in kernel.cgroup_controllers:
        return
    yield f"/sys/fs/cgroup/cgroup.controllers has no memory: {' '.join(kernel.cgroup_controllers)}"
    line = said(kernel.journal, r"Disabling memory control group subsystem")
    if line:
        yield quote(line[0])


@cause(
    id="kernel-modules-missing",
    layer="kernel",
    title="The running kernel's modules are not on the disk",
    restart="useless",
    refusal="it takes a boot into the installed kernel, or its package again",
    automate="guarded",
    explains=("br-netfilter-missing", "containerd-overlay-unsupported", "flannel-vxlan-unsupported", "kube-proxy-down"),
    latent=modules_at_work,
    advice="ssh {host} 'uname -r; ls /lib/modules': drain it and boot into the installed kernel, "
    "or install the running one's package again",
)
def kernel_modules_missing(node: NodeEvidence, cluster: ClusterEvidence) -> Iterator[str]:
    """An upgrade took them away under the running kernel; what is loaded goes on working, and nothing new loads."""
    release, trees = node.identity.kernel, node.kernel.module_trees
    if release not in trees:
        yield f"/lib/modules has nothing for the running kernel {release} (it has {', '.join(trees) or 'nothing'})"
        for name, there in node.kernel.modules.items():
            if not there:
                yield f"{name} is not loaded and not built in"


@cause(
    id="kernel-page-size-16k",
    layer="kernel",
    title="An image does not work with this kernel's page size",
    restart="useless",
    refusal="the page size is the kernel's",
    explains=("app-crashloop", "cni-agent-down"),
    advice="an image for larger pages, or kernel=kernel8.img in /boot/firmware/config.txt of {host} and a boot; "
    "a node label keeps the Pod away until then",
)
def kernel_page_size(node: NodeEvidence, cluster: ClusterEvidence) -> Iterator[str]:
    """A Pi 5 has pages of 16 KiB: jemalloc built for 4 KiB aborts there, and the same image runs on the others."""
    if node.kernel.page_size <= 4096:
        return
    for pod, container in failing(cluster, waiting=("CrashLoopBackOff",)):
        aborted = crashed_by_itself(container) and container.last_exit_code == SIGABRT
        if aborted and not pod.failing_elsewhere:
            yield f"pages of {node.kernel.page_size} bytes; {container.image} of {pod.namespace}/{pod.name} aborts, here only"


@cause(
    id="kernel-panic-reboot",
    layer="kernel",
    title="The machine went down without a shutdown: a panic, a watchdog, or the power",
    restart="useless",
    refusal="the kubelet is back; what took the machine down is not mended by it",
    explains=("reboot-loop",),
    latent=booted_long_ago,
    advice="ssh {host} 'sudo journalctl -b -1 -n 50; sudo ls -R /sys/fs/pstore /var/lib/systemd/pstore'; on a Pi look "
    "at the power supply first: vcgencmd get_throttled",
)
def kernel_panic_reboot(node: NodeEvidence, cluster: ClusterEvidence) -> Iterator[str]:
    """The journal of the boot before breaks off; one that was meant ends with systemd's shutdown."""
    if node.kernel.boot_before == "abrupt":
        yield f"the boot before this one ended without a shutdown; this one began {node.identity.uptime:.0f} s ago"
    line = said(node.kernel.journal, OOPS)
    if line:
        yield quote(line[0])


@cause(
    id="kernel-hung-task",
    layer="kernel",
    title="A task hangs in the kernel",
    restart="harmful",
    refusal="nothing can end a task that hangs in the kernel, and the kubelet may hang with it",
    explains=("kubelet-syncloop-stuck", "sym:flapping"),
    advice="ssh {host} 'ps -eo stat,pid,wchan:32,comm | grep ^D; sudo dmesg | grep -A20 blocked': mend what it waits for "
    "(disk, NFS), or boot the machine",
)
def kernel_hung_task(node: NodeEvidence, cluster: ClusterEvidence) -> Iterator[str]:
    """The task that the kernel complained of hangs still; a hang that is over is history."""
    for task in node.kernel.blocked_tasks:
        match = re.match(r".{0,64} \((\d{1,10})\) ", task)
        line = match and said(
            node.kernel.journal, rf"task .{{1,64}}:{match.group(1)} blocked for more than \d+ seconds"
        )
        if line:
            yield f"{task} hangs; {quote(line[0])}"
    locked = lately(node, LOCKED, node.kernel.journal, seconds=120.0)
    if locked and locked[0].count > 1:
        yield quote(locked[0])


@cause(
    id="reboot-loop",
    layer="kernel",
    title="The machine boots again and again",
    restart="useless",
    refusal="the next boot ends it",
    explains=("sym:flapping", "sym:node-unknown"),
    advice="ssh {host} 'journalctl --list-boots | tail; journalctl -b -1 -n 30': an orderly end names who does it "
    "(kured, unattended-upgrades, a watchdog), an abrupt one is power or the kernel",
)
def reboot_loop(node: NodeEvidence, cluster: ClusterEvidence) -> Iterator[str]:
    """The kubelet reports each new boot ID as an event of its Node; one boot is an upgrade."""
    if cluster.node is None or node.identity.uptime > BOOTS_WITHIN.total_seconds():
        return
    since = api_now(cluster) - BOOTS_WITHIN
    boots = [
        e for e in cluster.node.events if e.kind == "Node" and e.reason == "Rebooted" and e.last and e.last > since
    ]
    if sum(event.count for event in boots) >= BOOTS:
        yield f"{sum(event.count for event in boots)} boots within {BOOTS_WITHIN.seconds // 60} minutes"
