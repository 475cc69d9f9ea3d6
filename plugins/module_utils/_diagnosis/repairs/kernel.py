# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Repairs of the kernel's settings, modules, limits and clock: each made to last beyond the next boot."""

from __future__ import annotations

import typing as t
from collections.abc import Iterator

from ..change import Change, Content, Module, Sysctl, Unit
from ..node import NodeEvidence
from ..repair import LOOPING, Repair, entered
from ..signs import size

# The last of its kind: sysctl.d(5) reads in lexical order of names, and the last word counts.
SYSCTL_FILE: t.Final = "/etc/sysctl.d/99-zz-outward-{}.conf"
MODULE_FILE: t.Final = "/etc/modules-load.d/outward-{}.conf"
OURS: t.Final = "# written by outward.kubelet\n"
# An entry of the connection table takes about 320 bytes, and its hash bucket; the catalogue asks for more than 1 GB.
LEAST_MEMORY: t.Final = 900 * 1024 * 1024
MOST: t.Final = "net.netfilter.nf_conntrack_max"
INSTANCES, WATCHES, CONNECTIONS, FILES = 1024, 524288, 262144, 1_000_000
# The one that is installed; Debian lets none of them stand beside another.
TIME_SERVICES: t.Final = (
    "chrony.service",
    "chronyd.service",
    "ntpsec.service",
    "ntp.service",
    "systemd-timesyncd.service",
)


def lasting(topic: str, values: dict[str, int]) -> tuple[Change, ...]:
    """Settings for now, and a file of them for every boot to come."""
    text = OURS + "".join(f"{name} = {value}\n" for name, value in values.items())
    return (*(Sysctl(name, str(value)) for name, value in values.items()), Content(SYSCTL_FILE.format(topic), text))


def lasting_module(name: str) -> Content:
    """A module for every boot to come (modules-load.d(5))."""
    return Content(MODULE_FILE.format(name), f"{OURS}{name}\n")


def not_forwarding(node: NodeEvidence) -> Iterator[str]:
    """The half of the cause's rule that the node alone can tell."""
    if node.kernel.sysctls.get("net.ipv4.ip_forward") == "0":
        yield "net.ipv4.ip_forward is 0"


FORWARD: t.Final = entered(
    Repair(
        step="enable-ip-forward",
        words="sets net.ipv4.ip_forward to 1, now and at every boot",
        asks=frozenset({"kernel"}),
        changes=lambda node: lasting("ip-forward", {"net.ipv4.ip_forward": 1}),
        sign=not_forwarding,
    )
)
BRIDGE: t.Final = entered(
    Repair(
        step="enable-bridge-netfilter",
        words="loads br_netfilter and lets it show bridged traffic to iptables, now and at every boot",
        asks=frozenset({"kernel", "network"}),
        changes=lambda node: (
            Module("br_netfilter"),
            lasting_module("br_netfilter"),
            *lasting("bridge", {f"net.bridge.bridge-nf-call-{kind}": 1 for kind in ("iptables", "ip6tables")}),
        ),
    )
)
INOTIFY: t.Final = entered(
    Repair(
        step="raise-inotify-limits",
        words=f"raises fs.inotify.max_user_instances to {INSTANCES} or twice what is used, and the watches, now and at every boot",
        asks=LOOPING | {"kernel", "kubelet-journal", "pressure"},
        changes=lambda node: lasting(
            "inotify",
            {
                "fs.inotify.max_user_instances": max(INSTANCES, 2 * node.pressure.inotify_instances),
                "fs.inotify.max_user_watches": max(WATCHES, _setting(node, "fs.inotify.max_user_watches")),
            },
        ),
    )
)
FILE_HANDLES: t.Final = entered(
    Repair(
        step="raise-file-limit",
        words=f"raises fs.file-max to {FILES} or twice what is used, now and at every boot; who leaks is still to be found",
        asks=frozenset({"kernel"}),
        changes=lambda node: lasting("files", {"fs.file-max": max(FILES, 2 * _setting(node, "fs.file-nr"))}),
    )
)


def _setting(node: NodeEvidence, name: str) -> int:
    """The first number of a setting; 0 when it is not there."""
    return int((node.kernel.sysctls.get(name) or "0").split()[0])


def little_memory(node: NodeEvidence) -> Iterator[str]:
    """A larger table takes memory of the kernel, which nobody can evict."""
    if node.pressure.memory_capacity < LEAST_MEMORY:
        yield f"the node has {size(node.pressure.memory_capacity)} of memory: a larger table is not for it"


CONNTRACK: t.Final = entered(
    Repair(
        step="raise-conntrack-limit",
        words=f"raises net.netfilter.nf_conntrack_max to {CONNECTIONS} or twice what is used, now and at every boot; "
        "kube-proxy sets its own conntrack.maxPerCore again when it starts",
        asks=frozenset({"kernel", "kernel-log", "pressure"}),
        changes=lambda node: lasting(
            "conntrack", {MOST: max(CONNECTIONS, 2 * _setting(node, "net.netfilter.nf_conntrack_count"))}
        ),
        refuse=little_memory,
    )
)


def keeps_time_already(node: NodeEvidence) -> Iterator[str]:
    """To start it again would not make its servers answer."""
    if node.clock.service is not None:
        yield f"{node.clock.service} runs already, and the clock is wrong: look at the servers that it asks"


TIME: t.Final = entered(
    Repair(
        step="start-time-sync",
        words="starts the time service that is installed, now and at every boot; it sets the clock",
        asks=LOOPING | {"api", "clock"},
        changes=lambda node: (Unit("enable", TIME_SERVICES), Unit("start", TIME_SERVICES)),
        refuse=keeps_time_already,
    )
)
