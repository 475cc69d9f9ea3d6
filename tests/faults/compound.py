# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Two faults at once: one that explains the other, and two that have nothing to do with each other."""

from __future__ import annotations

import typing as t

from .model import Fault, Step, awaited, controller, node
from .pods import pod

FILL: t.Final = "set -- $(df -B1 --output=avail / | tail -1); fallocate -l $(($1 - 1048576)) /var/lib/outward-fill"
RESTART: t.Final = node("restart kubelet")
LOOPS: t.Final = "[ $(systemctl show -P NRestarts kubelet) -ge 1 ]"


def faults(single: t.Mapping[str, Fault]) -> tuple[Fault, ...]:
    """All of them, made of the *single* ones (id -> fault)."""
    return (*_explained(single), *_independent(single))


def _then(id: str, first: Fault, more: tuple[Step, ...], holds: Step | None = None, **changes: t.Any) -> Fault:
    """*first* has taken hold for good, and *more* happens: what is seen then has *first* for its only root."""
    fields: dict[str, t.Any] = {
        "outcome": first.outcome,
        "actions": first.actions,
        "roots": first.roots or (first.id,),
        "deadline": 120,
    }
    return Fault(
        id=id,
        inject=(*first.inject, awaited(first.holds), *more),
        holds=holds or first.holds,
        undo=(controller('lab reset "$HOST"'),),
        kind="compound",
        **{**fields, **changes},
    )


def _both(first: Fault, second: Fault, **changes: t.Any) -> Fault:
    """Two that are independent: both are reported, and neither hides the other."""
    fields: dict[str, t.Any] = {"outcome": "needs-operator", "deadline": max(120, first.deadline, second.deadline)}
    return Fault(
        id=f"{first.id}+{second.id}",
        inject=(*first.inject, awaited(first.holds), *second.inject),
        holds=second.holds,
        undo=(controller('lab reset "$HOST"'),),
        roots=(*first.root_causes, *second.root_causes),
        kind="compound",
        **{**fields, **changes},
    )


def _explained(single: t.Mapping[str, Fault]) -> tuple[Fault, ...]:
    return (
        _then(
            "containerd-down-then-kubelet-restarted",
            single["containerd-down"],
            (RESTART,),
            node(LOOPS),
            note="the kubelet fails to start in a loop; the runtime is why",
        ),
        _then(
            "containerd-hung-then-kubelet-restarted",
            single["containerd-hung"],
            (RESTART,),
            node(f"{LOOPS} || said kubelet 'DeadlineExceeded|context deadline exceeded'"),
            note="a kubelet that starts while its runtime hangs exits",
        ),
        _then(
            "containerd-config-invalid-then-kubelet-restarted",
            single["containerd-config-invalid"],
            (RESTART,),
            node(LOOPS),
        ),
        _then(
            "containerd-cri-disabled-then-kubelet-restarted",
            single["containerd-cri-disabled"],
            (RESTART,),
            node(LOOPS),
        ),
        _then(
            "disk-full-stops-containerd",
            single["disk-pressure-nodefs"],
            (node(f"rm /var/lib/outward-fill; {FILL}; restart containerd"),),
            note="not a byte is left, and containerd was started again on that",
        ),
        _then(
            "disk-pressure-evicts-pods",
            single["disk-pressure-nodefs"],
            (pod(),),
            note="the Pod of a person is evicted or not admitted; nothing is wrong with it",
        ),
        _then(
            "clock-makes-certificate-invalid",
            single["clock-skew-future"],
            (node("sleep 20"),),
            note="by the node's clock its certificate has expired; by everybody else's it has not",
        ),
        _then(
            "clock-before-certificate",
            single["clock-skew-past-day"],
            (RESTART, node("sleep 10")),
            note="the CA's certificate is not yet valid by the node's clock",
        ),
        _then(
            "nfs-blocks-pods",
            single["nfs-mount-hung"],
            (
                pod(
                    spec='"volumes": [{"name": "v", "hostPath": {"path": "/mnt/outward-nfs"}}], ',
                    container=', "volumeMounts": [{"name": "v", "mountPath": "/v"}]',
                ),
                node("sleep 20"),
            ),
            note="the Pod waits in ContainerCreating for a mount whose server does not answer",
        ),
        _then(
            "unknown-flag-after-upgrade-and-reboot",
            single["kubelet-unknown-flag"],
            (node("systemd-run --on-active=1 systemctl reboot; sleep 3"),),
            node("[ $(cut -d. -f1 /proc/uptime) -lt 290 ] && [ $(substate kubelet) = auto-restart ]"),
            deadline=300,
            note="the flag was there for long; the start after a boot found it",
        ),
        _then(
            "swap-on-after-reboot",
            single["kubelet-swap-on"],
            (node("sleep 60"),),
            note="the start limit or ten more failures do not make it another cause",
        ),
        _then(
            "expired-certificate-then-restarts",
            single["kubelet-client-cert-expired"],
            (RESTART, node("sleep 15"), RESTART, node("sleep 15")),
            note="somebody restarted it twice, as everybody does",
        ),
        _then(
            "firewall-then-kubelet-restarted",
            single["apiserver-firewalled"],
            (RESTART, node("sleep 30")),
        ),
        _then(
            "cni-config-missing-with-pod",
            single["cni-config-missing"],
            (pod(), node("sleep 15")),
            note="a Pod waits in ContainerCreating because the network is not ready",
        ),
        _then(
            "runc-missing-with-restarts",
            single["containerd-runc-missing"],
            (node("restart containerd; sleep 15"),),
        ),
        _then(
            "read-only-root-stops-kubelet",
            single["rootfs-read-only"],
            (RESTART, node("sleep 20")),
            note="the kubelet cannot write its state any more; why is in the mount",
        ),
    )


def _independent(single: t.Mapping[str, Fault]) -> tuple[Fault, ...]:
    refused: dict[str, t.Any] = {"outcome": "refused", "note": "two roots, so nothing is done"}
    return (
        _both(single["kubelet-stopped"], single["node-cordoned"], outcome="recovered", actions=("restart-kubelet",)),
        _both(single["kubelet-stopped"], single["containerd-down"], **refused),
        _both(single["kubelet-unit-masked"], single["containerd-config-invalid"]),
        _both(single["kubelet-unknown-flag"], single["kubelet-client-cert-expired"]),
        _both(single["kubelet-config-invalid"], single["containerd-down"], **refused),
        _both(single["kubelet-client-cert-expired"], single["disk-pressure-nodefs"], **refused),
        _both(
            single["clock-skew-past"],
            single["kubelet-client-cert-expired"],
            outcome="failed",
            actions=("start-time-sync",),
            note="the clock is safe to set; the certificate is for a person",
        ),
        _both(single["disk-pressure-nodefs"], single["kubelet-stopped"], **refused),
        _both(single["cni-config-missing"], single["app-crashloop"]),
        _both(single["apiserver-firewalled"], single["containerd-down"], **refused),
    )
