# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Who this machine is; its modules, sysctls and control groups."""

from __future__ import annotations

import os
import typing as t

from ..._diagnosis.node import Identity
from ..._parse import netfiles, procfs
from ..files import attempt, names, read, read_or_none

Fields = dict[str, t.Any]
MODULES: t.Final = ("overlay", "br_netfilter", "nf_conntrack", "vxlan")
SYSCTLS: t.Final = (
    "fs.file-max",
    "fs.file-nr",
    "fs.inotify.max_user_watches",
    "kernel.panic",
    "kernel.panic_on_oops",
    "net.bridge.bridge-nf-call-ip6tables",
    "net.bridge.bridge-nf-call-iptables",
    "net.ipv4.ip_forward",
    "net.ipv6.conf.all.forwarding",
    "net.netfilter.nf_conntrack_count",
    "net.netfilter.nf_conntrack_max",
    "vm.overcommit_memory",
    "vm.panic_on_oom",
)
_CGROUPS: t.Final = "/sys/fs/cgroup"
_POD_GROUPS: t.Final = {"systemd": "kubepods.slice", "cgroupfs": "kubepods"}


def identity() -> Identity:
    """Hostname, ids, kernel and addresses."""
    system = os.uname()
    return Identity(
        hostname=system.nodename,
        machine_id=attempt(lambda: read("/etc/machine-id").strip()),
        boot_id=attempt(lambda: read("/proc/sys/kernel/random/boot_id").strip()),
        uptime=attempt(lambda: float(read("/proc/uptime").split()[0])),
        kernel=system.release,
        architecture=system.machine,
        os=attempt(lambda: procfs.os_name(read("/etc/os-release"))),
        addresses=attempt(
            lambda: netfiles.addresses(read("/proc/net/fib_trie"), read_or_none("/proc/net/if_inet6") or "")
        ),
    )


def ask() -> Fields:
    """Every field of Kernel but `journal`, `blocked_tasks`, `upkeep` and `boot_before`."""
    unified = read_or_none(f"{_CGROUPS}/cgroup.controllers")
    return {
        "cgroup_version": 1 if unified is None else 2,
        "cgroup_controllers": attempt(_v1_controllers) if unified is None else tuple(unified.split()),
        "modules": attempt(_modules),
        "sysctls": _sysctls(),
        "vxlan_module": attempt(_vxlan),
        "pod_cgroup_drivers": attempt(_pod_drivers, unified is not None),
        "module_trees": attempt(lambda: tuple(names("/lib/modules"))),
        "page_size": os.sysconf("SC_PAGESIZE"),
    }


def _v1_controllers() -> tuple[str, ...]:
    """/proc/cgroups: name, hierarchy, number, enabled."""
    rows = (line.split() for line in read("/proc/cgroups").splitlines() if not line.startswith("#"))
    return tuple(row[0] for row in rows if len(row) == 4 and row[3] == "1")


def _modules() -> dict[str, bool]:
    """Loaded, or built in (a built-in one without parameters has no directory below /sys/module)."""
    missing = [name for name in MODULES if not os.path.isdir(f"/sys/module/{name}")]
    builtin = read_or_none(f"/lib/modules/{os.uname().release}/modules.builtin") or "" if missing else ""
    kinds = read("/proc/filesystems").split() if missing else []
    return {name: name not in missing or f"/{name}.ko" in builtin or name in kinds for name in MODULES}


def _vxlan() -> bool:
    """Whether flannel could use it: the module is loaded on demand, so its file is enough (a directory since 5.17)."""
    if _modules()["vxlan"]:
        return True
    drivers = f"/lib/modules/{os.uname().release}/kernel/drivers/net"
    return any(name.startswith("vxlan.ko") for name in (*names(f"{drivers}/vxlan"), *names(drivers)))


def _sysctls() -> dict[str, str]:
    """Those that are there: a missing one belongs to a module that is not loaded."""
    found = {name: attempt(read_or_none, f"/proc/sys/{name.replace('.', '/')}") for name in SYSCTLS}
    return {name: text.strip() for name, text in found.items() if isinstance(text, str)}


def _pod_drivers(unified: bool) -> tuple[str, ...]:
    """The drivers in whose control groups processes run now."""
    return tuple(driver for driver, name in _POD_GROUPS.items() if _populated(name, unified))


def _populated(name: str, unified: bool) -> bool:
    if unified:
        return "populated 1" in (read_or_none(f"{_CGROUPS}/{name}/cgroup.events") or "")
    walk = os.walk(f"{_CGROUPS}/pids/{name}")
    return any((read_or_none(f"{place}/cgroup.procs") or "").strip() for place, dummy, dummy in walk)
