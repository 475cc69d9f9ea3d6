# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every fault by its id."""

from __future__ import annotations

import typing as t

from . import (
    auth,
    certificates,
    clock,
    cluster,
    compound,
    kernel,
    kubelet,
    kubelet_start,
    limits,
    network,
    pod_network,
    pressure,
    quiet,
    runtime,
    storage,
    workload,
)
from .model import Fault

LAYERS: t.Final = (
    kubelet,
    kubelet_start,
    runtime,
    auth,
    certificates,
    clock,
    pressure,
    limits,
    network,
    pod_network,
    storage,
    kernel,
    workload,
    cluster,
)
SINGLE: t.Final[dict[str, Fault]] = {fault.id: fault for layer in LAYERS for fault in layer.FAULTS}
FAULTS: t.Final[dict[str, Fault]] = SINGLE | {fault.id: fault for fault in (*compound.faults(SINGLE), *quiet.FAULTS)}

# What a recovery is measured with: the first causes, so that every path from a diagnosis to its end is there.
FIRST: t.Final = frozenset(
    """
    kubelet-stopped kubelet-unit-masked kubelet-unit-disabled kubelet-unknown-flag kubelet-config-missing
    kubelet-config-empty kubelet-config-invalid kubelet-swap-on kubelet-syncloop-stuck kubelet-node-shutting-down
    containerd-down containerd-hung
    containerd-config-invalid kubelet-client-cert-expired kubelet-client-pem-missing node-object-deleted
    clock-skew-past clock-skew-past-day node-ready-stale-after-clock-step disk-pressure-nodefs memory-pressure
    cni-config-missing apiserver-firewalled apiserver-unavailable node-dead ssh-dead-kubelet-alive rootfs-read-only
    app-crashloop imagepull-bad-tag node-cordoned
    """.split()
)

# Causes that have a rule and no injection, and why none is possible here.
NOT_INJECTED: t.Final[dict[str, str]] = {
    "kubelet-cgroup-v1-refused": "needs another kernel command line, and the lab's systemd has no cgroup v1",
    "cgroup-memory-controller-missing": "needs another kernel command line, which the lab gives from outside",
    "io-stall": "the guests have no device-mapper tools, and a throttled control group stalls only itself",
    "kernel-page-size-16k": "needs an arm64 kernel with pages of 16 KiB",
    "volume-attach-stuck": "needs a volume that a controller attaches, and a node that died with it",
    "kubelet-device-plugin-checkpoint": "it matters only to Pods with devices, and the lab has no device plugin",
    "containerd-cri-v1-unimplemented": "needs containerd 1.5, which this kubelet and no package here goes with",
    "containerd-runtimeconfig-unsupported": "needs kubelet 1.38, which is not released",
    "duplicate-node-identity": "needs a second machine that plays the first, and a fault breaks one host",
    "apiserver-stale-connection": "every kubelet from 1.25 on closes a dead HTTP/2 connection within 45 s by itself; what is left"
    " are proxies that we do not have",
    "flannel-subnet-env-missing": "the lab's network is a plain bridge; Debian has no flannel plugin",
    "flannel-vxlan-unsupported": "the lab has no flannel",
    "cni-agent-down": "the lab's network has no agent",
    "kube-proxy-down": "the lab has no kube-proxy",
    "pod-cidr-unassigned": "the lab's controller manager hands out no networks, and its bridge does not need them",
    "heartbeat-delay-apiserver-overload": "a control plane that is too slow for Leases and fast enough to be listed cannot be held"
    " in that state here; delaying the lab's bridge would delay our own sessions too",
    "controller-manager-down": "the lab's controller manager runs without leader election, so it has no Lease",
}

# Modes of the catalogue that are no cause of ours, and why.
DROPPED: t.Final[dict[str, str]] = {
    "clock-jump-backwards-lease": "no blip on 1.37 (lab.md section 4); before, it heals by itself within 10 s and only two "
    "listings could show it; node-ready-stale-after-clock-step and clock-skew-* say what is left",
    "unattended-upgrade-restart": "the history of a cause and not a cause: what an upgrade broke (a flag, a configuration, "
    "a stopped unit, missing modules) has a rule and a remedy of its own, and as its root it would block that remedy",
}
