# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Causes of pressure, volumes, kernel and board: each once as it is, and once as it only looks.

The lines are those of the reports and sources named beside them.
"""

from __future__ import annotations

import typing as t
from datetime import timedelta

import pytest

from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis import cluster as c
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis import node as n
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.diagnose import diagnose
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.evidence import unknown
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.guards import Policy
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.plan import plan
from tests.unit.helpers import GIB, NOW, filesystem, healthy_node
from tests.unit.helpers_cluster import container, healthy_cluster, lease, pod
from tests.unit.plugins.module_utils._diagnosis.test_diagnose import SILENT, STOPPED

Changes = dict[str, t.Any]
Roles = dict[str, str]
UPTIME = 3600.0  # of the healthy node
MIB = 1024**2


def log(text: str, *, ago: float = 60.0, count: int = 1, current: bool = True) -> n.Journal:
    """A journal of one line that was said *ago* seconds before now."""
    return n.Journal((n.LogLine(text, count, UPTIME - ago, UPTIME - ago, current),), False)


def kernel(text: str, **more: t.Any) -> Changes:
    """The kernel said so."""
    return {"kernel__journal": log(text, **more)}


def kubelet(text: str, **more: t.Any) -> Changes:
    """The kubelet said so."""
    return {"kubelet__journal": log(text, **more)}


def disk(available: float, size: int = 8 * GIB) -> n.Filesystem:
    """A root filesystem with a share of *available* left."""
    return n.Filesystem(**{**vars(filesystem("/")), "size": size, "available": int(available * size)})


def full(available: float) -> Changes:
    """One disk for everything, with a share of *available* left."""
    names = ("pressure__nodefs", "pressure__imagefs", "pressure__rootfs", "storage__log_space")
    return dict.fromkeys(names, disk(available))


def event(kind: str, name: str, reason: str, message: str, *, ago: float = 30.0, count: int = 1) -> c.Event:
    """An event of the kubelet or of a controller."""
    return c.Event(kind, name, reason, message, "kubelet", count, NOW - timedelta(seconds=ago))


def waiting(reason: str, message: str, *, ago: float = 30.0, state: str = "waiting") -> Changes:
    """A Pod on the node, and an event about it."""
    return {
        "node__pods": (pod("db", container(state)), pod("web", container())),
        "node__events": (event("Pod", "default/db", reason, message, ago=ago),),
    }


def roles(changes: Changes, api: Changes) -> Roles:
    """What is recognised, and as what."""
    diagnosis = diagnose(healthy_node(**changes), healthy_cluster(**api))
    return {finding.cause.id: finding.role for finding in diagnosis.findings}


# Kernel source mm/oom_kill.c; the other is the limit of a container.
OOM = "Out of memory: Killed process 4321 (java) total-vm:4194304kB, anon-rss:812345kB, file-rss:0kB, shmem-rss:0kB"
MEMCG = "Memory cgroup out of memory: Killed process 4321 (java) total-vm:4194304kB, anon-rss:812345kB, file-rss:0kB"
# k8s#71261.
DROPPED = "nf_conntrack: nf_conntrack: table full, dropping packet"
TRACKED = {"net.netfilter.nf_conntrack_max": "131072", "net.netfilter.nf_conntrack_count": "131000"}
HALF = {"net.netfilter.nf_conntrack_max": "131072", "net.netfilter.nf_conntrack_count": "70000"}
FEW = {"net.netfilter.nf_conntrack_max": "131072", "net.netfilter.nf_conntrack_count": "54"}
BUSY: Changes = {"pressure__psi_cpu": n.Stall(97.0, 0.0), "pressure__load": 52.0}
NO_PSI: Changes = {"pressure__psi_cpu": None, "pressure__load": 52.0}
STALLED: Changes = {"pressure__psi_io": n.Stall(91.0, 84.0)}
SLOW: Changes = {"kubelet__healthz": n.Endpoint("ok", 200, "ok", 2.7)}
GONE: Changes = {"kubelet__healthz": n.Endpoint("timeout", None, "", 3.0)}
MEMORY_ONLY: Changes = {"kubelet__config__eviction_hard": {"memory.available": "50Mi"}}


@pytest.mark.parametrize(
    ("changes", "api", "expected"),
    [
        (kernel(OOM), {}, {"kernel-oom-system": "root"}),
        (kernel(OOM, ago=3000), {}, {"kernel-oom-system": "latent"}),
        (kernel(MEMCG), {}, {}),
        (
            {**kernel(OOM), "pressure__memory_available": 50 * MIB},
            {},
            {"memory-pressure": "root", "kernel-oom-system": "explained"},
        ),
        ({"pressure__pids": 1150, "pressure__pid_max": 1200}, {}, {"pid-exhaustion": "root"}),
        ({"pressure__pids": 1150, "pressure__pid_max": 10532}, {}, {}),
        # A Pod's own limit (eks-node-monitoring-agent): the node has room.
        (kernel("cgroup: fork rejected by pids controller in /kubepods.slice/kubepods-pod1.slice"), {}, {}),
        ({"pressure__inotify_instances": 128}, {}, {"inotify-exhaustion": "root"}),
        ({"pressure__inotify_instances": 120}, {}, {"inotify-exhaustion": "latent"}),
        ({"pressure__inotify_instances": 60}, {}, {}),
        ({"kernel__sysctls": {"fs.file-nr": "1248\t0\t1268"}}, {}, {"file-handle-exhaustion": "root"}),
        ({"kernel__sysctls": {"fs.file-nr": "1248\t0\t9223372036854775807"}}, {}, {}),
        ({"kernel__sysctls": TRACKED}, {}, {"conntrack-exhaustion": "root"}),
        ({"kernel__sysctls": HALF, **kernel(DROPPED, count=40)}, {}, {"conntrack-exhaustion": "root"}),
        ({"kernel__sysctls": HALF, **kernel(DROPPED, count=40, ago=3000)}, {}, {}),
        ({"kernel__sysctls": FEW, **kernel(DROPPED)}, {}, {}),
        ({**BUSY, **SLOW}, {}, {"cpu-starvation": "root"}),
        ({**NO_PSI, **SLOW}, {}, {"cpu-starvation": "root"}),
        # It would look like a kubelet that hangs, and a restart would add to the load.
        ({**BUSY, **GONE}, SILENT, {"cpu-starvation": "root", "kubelet-syncloop-stuck": "explained"}),
        (BUSY, {}, {}),
        (SLOW, {}, {}),
        # A kubelet that starts every ten seconds, for want of a token (lab, kubelet v1.37.2): it is the load itself.
        ({**BUSY, **SLOW, "kubelet__unit__started": 3590.0}, {}, {}),
        ({**STALLED, **SLOW}, {}, {"io-stall": "root"}),
        ({**STALLED, "network__api__outcome": "ok"}, {"node__lease": lease(90)}, {"io-stall": "root"}),
        (STALLED, {}, {}),
        ({**MEMORY_ONLY, **full(0.05)}, {}, {"eviction-thresholds-disabled": "root"}),
        (MEMORY_ONLY, {}, {"eviction-thresholds-disabled": "latent"}),
        ({"kubelet__config__eviction_hard": {"memory.available": "50Mi", "nodefs.available": "5%"}}, {}, {}),
    ],
)
def test_counted_resources(changes: Changes, api: Changes, expected: Roles) -> None:
    assert roles(changes, api) == expected


# pkg/kubelet/kubelet.go; k8s#71869.
FAILED = (
    '"Image garbage collection failed multiple times in a row" err="Wanted to free 4305076224 bytes, but freed 0 bytes"'
)
FAILED_ONCE = '"Image garbage collection failed once. Stats initialization may not have completed yet" err="x"'
LOGS: Changes = {"storage__pod_logs": {"default/web/app": 2 * GIB}}
# pkg/volume/csi/csi_client.go.
NO_DRIVER = (
    'MountVolume.SetUp failed for volume "v" : kubernetes.io/csi: mounter.SetUpAt failed to get CSI client: '
    "driver name csi.example.com not found in the list of registered CSI drivers"
)
MULTI = (
    'Multi-Attach error for volume "pvc-1" Volume is already exclusively attached to one node and can\'t be attached'
)
# pkg/kubelet/kubelet_volumes.go.
ORPHAN = (
    'orphaned pod "ce591a55-9ad6-11e8" found, but failed to rmdir() volume at path /var/lib/kubelet/pods/x: not empty'
)


@pytest.mark.parametrize(
    ("changes", "api", "expected"),
    [
        ({**full(0.12), **kubelet(FAILED, count=2)}, {}, {"image-gc-failing": "root"}),
        ({**full(0.05), **kubelet(FAILED)}, {}, {"disk-pressure-nodefs": "root", "image-gc-failing": "explained"}),
        ({**full(0.12), **kubelet(FAILED_ONCE)}, {}, {}),
        ({**full(0.12), **kubelet(FAILED, ago=1500)}, {}, {}),
        (kubelet(FAILED), {}, {}),
        ({**full(0.15), **LOGS}, {}, {"container-log-growth": "root"}),
        ({**full(0.05), **LOGS}, {}, {"container-log-growth": "root", "disk-pressure-nodefs": "explained"}),
        (LOGS, {}, {}),
        ({**full(0.15), "storage__pod_logs": {"default/web/app": 200 * MIB}}, {}, {}),
        ({**full(0.15), "storage__journal_size": 2 * GIB}, {}, {"journald-growth": "root"}),
        # systemd's own limit is a tenth.
        ({**full(0.15), "storage__journal_size": 800 * MIB}, {}, {}),
        ({"storage__journal_size": 2 * GIB}, {}, {}),
        ({}, waiting("FailedMount", NO_DRIVER), {"csi-driver-not-registered": "root"}),
        ({}, waiting("FailedMount", NO_DRIVER, state="running"), {}),
        ({}, waiting("FailedMount", NO_DRIVER, ago=900), {}),
        (kubelet('"Error" err="RegisterPlugin error -- dial failed at socket /x-reg.sock, err: timeout"'), {}, {}),
        ({}, waiting("FailedAttachVolume", MULTI), {"volume-attach-stuck": "root"}),
        ({}, waiting("FailedAttachVolume", MULTI, state="running"), {}),
        (kubelet(ORPHAN, count=40), {}, {"orphaned-pod-volumes": "root"}),
        (kubelet(ORPHAN), {}, {}),
        (kubelet(ORPHAN, count=40, current=False), {}, {}),
        ({"storage__fstab_missing": ("/var/lib/containerd",)}, {}, {"data-mount-missing": "root"}),
        ({"storage__fstab_missing": ("/var",)}, {}, {"data-mount-missing": "root"}),
        # containerd waits for its disk (RequiresMountsFor=): it is not to be started without it.
        (
            {
                "storage__fstab_missing": ("/var/lib/containerd",),
                "runtime__unit__active_state": "inactive",
                "runtime__unit__sub_state": "dead",
                "runtime__cri__outcome": "no-socket",
            },
            {},
            {"data-mount-missing": "root", "containerd-down": "explained"},
        ),
        ({"storage__fstab_missing": ("/mnt/backup", "/var/lib/container")}, {}, {}),
    ],
)
def test_volumes(changes: Changes, api: Changes, expected: Roles) -> None:
    assert roles(changes, api) == expected


CONTROLLERS = ("cpuset", "cpu", "io", "pids")
NO_TREE: Changes = {"kernel__module_trees": ("6.12.57+rpt-rpi-v8",)}
LOADED = {"overlay": True, "br_netfilter": True, "nf_conntrack": True, "vxlan": False}
UNLOADED: Changes = {"kernel__modules": {**LOADED, "br_netfilter": False}}
# raspberrypi/bookworm-feedback#107: jemalloc aborts.
ABORTS = container("waiting", "CrashLoopBackOff", last=("Error", 134))
EXITS = container("waiting", "CrashLoopBackOff", last=("Error", 1))
YOUNG: Changes = {"identity__uptime": 300.0, "kernel__boot_before": "abrupt"}
HUNG = "INFO: task jbd2/mmcblk0p2-:123 blocked for more than 120 seconds."
STILL = ("jbd2/mmcblk0p2- (123) wait_on_page_bit",)
LOCKUP = "watchdog: BUG: soft lockup - CPU#1 stuck for 23s! [kubelet:812]"
REBOOTED = "Node pi-04 has been rebooted, boot id: 6f1b"


def boots(count: int, ago: float = 600.0) -> Changes:
    """As many events of the kubelet; each has its own boot ID."""
    found = [event("Node", "pi-04", "Rebooted", f"{REBOOTED}{number}", ago=ago) for number in range(count)]
    return {"node__events": tuple(found)}


@pytest.mark.parametrize(
    ("changes", "api", "expected"),
    [
        ({"kernel__cgroup_controllers": CONTROLLERS}, {}, {"cgroup-memory-controller-missing": "root"}),
        # raspberrypi/linux#6980: the row is gone from /proc/cgroups, and the controller is there.
        ({"kernel__cgroup_version": 1, "kernel__cgroup_controllers": CONTROLLERS}, {}, {}),
        ({**NO_TREE, **UNLOADED}, {}, {"kernel-modules-missing": "root", "br-netfilter-missing": "explained"}),
        ({**NO_TREE, "kernel__modules": LOADED}, {}, {"kernel-modules-missing": "latent"}),
        ({"kernel__modules": LOADED}, {}, {}),
        (
            {"kernel__page_size": 16384},
            {"node__pods": (pod("db", ABORTS), pod("web", container()))},
            {"kernel-page-size-16k": "root", "app-crashloop": "explained"},
        ),
        ({"kernel__page_size": 16384}, {"node__pods": (pod("db", EXITS),)}, {"app-crashloop": "root"}),
        (
            {"kernel__page_size": 16384},
            {"node__pods": (pod("db", ABORTS, elsewhere=("pi-05",)),)},
            {"app-crashloop": "root"},
        ),
        (YOUNG, {}, {"kernel-panic-reboot": "root"}),
        ({**YOUNG, "identity__uptime": 1800.0}, {}, {"kernel-panic-reboot": "latent"}),
        ({**YOUNG, "kernel__boot_before": "orderly"}, {}, {}),
        (kernel("Internal error: Oops: 0000000096000004 [#1] PREEMPT SMP"), {}, {"kernel-panic-reboot": "root"}),
        ({**kernel(HUNG), "kernel__blocked_tasks": STILL}, {}, {"kernel-hung-task": "root"}),
        (kernel(HUNG), {}, {}),
        ({**kernel(HUNG), "kernel__blocked_tasks": ("dd (124) blk_mq",)}, {}, {}),
        (kernel(LOCKUP, count=3), {}, {"kernel-hung-task": "root"}),
        # A virtual machine that was paused says so once.
        (kernel(LOCKUP), {}, {}),
        ({"identity__uptime": 300.0}, boots(3), {"reboot-loop": "root"}),
        ({"identity__uptime": 300.0}, boots(1), {}),
        ({"identity__uptime": 300.0}, boots(5, ago=3000), {}),
        (YOUNG, boots(3), {"kernel-panic-reboot": "root", "reboot-loop": "explained"}),
    ],
)
def test_kernel(changes: Changes, api: Changes, expected: Roles) -> None:
    assert roles(changes, api) == expected


# raspberrypi/linux#5584 and #2512.
LOW = "hwmon hwmon1: Undervoltage detected!"
LOW_BEFORE = "Under-voltage detected! (0x00050005)"
# node-rpi-ws281x-native#61.
CARD = "mmcblk0: error -110 transferring data, sector 10372992, nr 8, cmd response 0x900, card status 0xc00"
# drivers/thermal/intel/therm_throt.c.
HOT = "CPU0: Core temperature is above threshold, cpu clock is throttled (total events = 1)"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (kernel(LOW), {"undervoltage": "root"}),
        (kernel(LOW_BEFORE), {"undervoltage": "root"}),
        (kernel(LOW, ago=3000), {"undervoltage": "latent"}),
        (kernel("hwmon hwmon1: Voltage normalised"), {}),
        ({"board__throttled": 0x50005}, {"undervoltage": "root"}),
        ({"board__throttled": 0x50000}, {"undervoltage": "latent"}),
        ({"board__throttled": 0, "board__temperature": 48.0}, {}),
        ({"board__throttled": 0xE000E, "board__temperature": 86.0}, {"thermal-throttle": "root"}),
        ({"board__throttled": 0x40000}, {"thermal-throttle": "latent"}),
        # The soft limit of a 3B+ is 60 degrees, and under-voltage caps the clock too.
        ({"board__throttled": 0x80008, "board__temperature": 62.0}, {}),
        ({"board__throttled": 0x50007, "board__temperature": 61.0}, {"undervoltage": "root"}),
        (kernel(HOT), {"thermal-throttle": "root"}),
        (kernel(CARD, count=2), {"sd-card-io-errors": "root"}),
        ({**kernel(CARD), "storage__ext4_errors": {"mmcblk0p2": 3}}, {"sd-card-io-errors": "root"}),
        (kernel(CARD, count=2, ago=3000), {"sd-card-io-errors": "latent"}),
        (kernel(CARD), {}),
        (kernel("mmc1: error -110 whilst initialising SD card", count=4), {}),
        (kernel("I/O error, dev loop0, sector 8 op 0x1:(WRITE) flags 0x800 phys_seg 1 prio class 2", count=9), {}),
        (
            {**kernel(LOW), **kernel(CARD, count=2), "board__throttled": 1},
            {"undervoltage": "root", "sd-card-io-errors": "explained"},
        ),
        ({"clock__service": None}, {"time-sync-absent": "latent"}),
        ({"clock__synchronized": False}, {"time-sync-absent": "latent"}),
        ({"clock__synchronized": False, "identity__uptime": 90.0}, {}),
        ({"clock__service": None, "network__api__offset": -600.0}, {"clock-skew-past": "root"}),
    ],
)
def test_board(changes: Changes, expected: Roles) -> None:
    assert roles(changes, {}) == expected


@pytest.mark.parametrize(
    ("latent", "permitted"),
    [
        ({"clock__service": None}, True),
        ({"board__throttled": 0x50000}, True),
        ({"pressure__inotify_instances": 120}, False),
    ],
)
def test_what_is_latent_stops_a_start_only_when_it_would(latent: Changes, permitted: bool) -> None:
    api = healthy_cluster(**SILENT)
    diagnosis = diagnose(healthy_node(**latent, **STOPPED), api)
    assert diagnosis.root_causes == ["kubelet-stopped"]
    assert [(step.step, step.permitted) for step in plan(diagnosis, api, Policy())] == [("restart-kubelet", permitted)]


def test_what_could_not_be_asked_is_not_said_to_be_well() -> None:
    gone = unknown("storage: no answer within 3 s")
    diagnosis = diagnose(healthy_node(storage=gone, board=gone), healthy_cluster())
    assert {"journald-growth", "data-mount-missing", "undervoltage"} <= set(diagnosis.undecided)
    assert diagnosis.root_causes == []
