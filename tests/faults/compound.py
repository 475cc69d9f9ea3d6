# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Two faults at once: one that explains the other, and two that have nothing to do with each other."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .model import Fault, Step, awaited, controller, node
from .pods import pod

FILL: t.Final = "set -- $(df -B1 --output=avail / | tail -1); fallocate -l $(($1 - 1048576)) /var/lib/outward-fill"
RESTART: t.Final = node("restart kubelet")
EXPIRED: t.Final = node("! openssl x509 -noout -checkend 0 -in $PKI/kubelet-client-current.pem")
LOOPS: t.Final = "[ $(systemctl show -P NRestarts kubelet) -ge 1 ]"


def faults(single: t.Mapping[str, Fault]) -> tuple[Fault, ...]:
    """All of them, made of the *single* ones (id -> fault)."""
    return (*(_then(single[later.first], later) for later in EXPLAINED), *_independent(single))


@dataclass(frozen=True)
class _Later:
    """*first* has taken hold for good, and *more* happens; *changes* are of the Fault's own fields."""

    id: str
    first: str
    more: tuple[Step, ...]
    holds: Step | None
    changes: t.Mapping[str, t.Any]

    @classmethod
    def of(cls, id: str, first: str, more: tuple[Step, ...], holds: Step | None = None, **changes: t.Any) -> _Later:
        """As it reads in a table."""
        return cls(id, first, more, holds, changes)


def _then(first: Fault, later: _Later) -> Fault:
    """What is seen in the end has *first* for its only root."""
    fields: dict[str, t.Any] = {
        "outcome": first.outcome,
        "actions": first.actions,
        "roots": tuple(first.root_causes),
        "holds": later.holds or first.holds,
        "deadline": 120,
    }
    return _after(later.id, first, later.more, {**fields, **later.changes})


def _both(first: Fault, second: Fault, **changes: t.Any) -> Fault:
    """Two that are independent: both are reported, and neither hides the other."""
    fields: dict[str, t.Any] = {
        "roots": (*first.root_causes, *second.root_causes),
        "holds": second.holds,
        "deadline": max(120, first.deadline, second.deadline),
    }
    return _after(f"{first.id}+{second.id}", first, second.inject, {**fields, **changes})


def _after(id: str, first: Fault, more: tuple[Step, ...], fields: dict[str, t.Any]) -> Fault:
    """*first* has taken hold, then *more*; *fields* are the Fault's other ones."""
    return Fault(
        id=id,
        inject=(*first.inject, awaited(first.holds), *more),
        undo=(controller('lab reset "$HOST"'),),
        kind="compound",
        **{"outcome": "needs-operator", **fields},
    )


# Each has its first fault for the only root.
EXPLAINED: t.Final = (
    _Later.of(
        "containerd-down-then-kubelet-restarted",
        "containerd-down",
        (RESTART,),
        node(LOOPS),
        note="the kubelet fails to start in a loop; the runtime is why",
    ),
    _Later.of(
        "containerd-hung-then-kubelet-restarted",
        "containerd-hung",
        (RESTART,),
        node(f"{LOOPS} || said kubelet 'DeadlineExceeded|context deadline exceeded'"),
        note="a kubelet that starts while its runtime hangs exits",
    ),
    _Later.of(
        "containerd-config-invalid-then-kubelet-restarted",
        "containerd-config-invalid",
        (RESTART,),
        node(LOOPS),
    ),
    _Later.of(
        "containerd-cri-disabled-then-kubelet-restarted",
        "containerd-cri-disabled",
        (RESTART,),
        node(LOOPS),
    ),
    _Later.of(
        "disk-full-stops-containerd",
        "disk-pressure-nodefs",
        (node(f"rm /var/lib/outward-fill; {FILL}; restart containerd"),),
        note="not a byte is left, and containerd was started again on that",
    ),
    _Later.of(
        "disk-pressure-evicts-pods",
        "disk-pressure-nodefs",
        (pod(),),
        note="the Pod of a person is evicted or not admitted; nothing is wrong with it",
    ),
    _Later.of(
        "clock-makes-certificate-invalid",
        "clock-skew-future",
        (node("sleep 20"),),
        note="by the node's clock its certificate has expired; by everybody else's it has not",
    ),
    _Later.of(
        "clock-before-certificate",
        "clock-skew-past-day",
        (RESTART, node("sleep 10")),
        note="the CA's certificate is not yet valid by the node's clock",
    ),
    _Later.of(
        "nfs-blocks-pods",
        "nfs-mount-hung",
        (
            pod(
                spec='"volumes": [{"name": "v", "hostPath": {"path": "/mnt/outward-nfs"}}], ',
                container=', "volumeMounts": [{"name": "v", "mountPath": "/v"}]',
            ),
            node("sleep 20"),
        ),
        note="the Pod waits in ContainerCreating for a mount whose server does not answer",
    ),
    _Later.of(
        "unknown-flag-after-upgrade-and-reboot",
        "kubelet-unknown-flag",
        (node("systemd-run --on-active=1 systemctl reboot; sleep 3"),),
        node("[ $(cut -d. -f1 /proc/uptime) -lt 290 ] && [ $(substate kubelet) = auto-restart ]"),
        deadline=300,
        note="the flag was there for long; the start after a boot found it",
    ),
    _Later.of(
        "swap-on-after-reboot",
        "kubelet-swap-on",
        (node("sleep 60"),),
        note="the start limit or ten more failures do not make it another cause",
    ),
    _Later.of(
        "expired-certificate-then-restarts",
        "kubelet-client-cert-expired",
        (RESTART, node("sleep 15"), RESTART, node("sleep 15")),
        note="somebody restarted it twice, as everybody does",
    ),
    _Later.of(
        "firewall-then-kubelet-restarted",
        "apiserver-firewalled",
        (RESTART, node("sleep 30")),
    ),
    _Later.of(
        "cni-config-missing-with-pod",
        "cni-config-missing",
        (pod(), node("sleep 15")),
        note="a Pod waits in ContainerCreating because the network is not ready",
    ),
    _Later.of(
        "runc-missing-with-restarts",
        "containerd-runc-missing",
        (node("restart containerd; sleep 15"),),
    ),
    _Later.of(
        "read-only-root-stops-kubelet",
        "rootfs-read-only",
        (RESTART, node("sleep 20")),
        note="the kubelet cannot write its state any more; why is in the mount",
    ),
)


def _independent(single: t.Mapping[str, Fault]) -> tuple[Fault, ...]:
    refused: dict[str, t.Any] = {"outcome": "refused", "note": "two roots, so nothing is done"}
    started: dict[str, t.Any] = {
        "outcome": "needs-operator",
        "actions": ("start-containerd",),
        "note": "what is safe is done beside another root, which is for the run after it or for a person",
    }
    return (
        _both(
            single["kubelet-stopped"],
            single["node-cordoned"],
            outcome="refused",
            note="somebody else has cordoned it, and nobody has given a reason",
        ),
        _both(single["kubelet-stopped"], single["containerd-down"], **started),
        _both(single["kubelet-unit-masked"], single["containerd-config-invalid"], **refused),
        # A kubelet that stops at its flags says nothing of its certificate, and one without a valid one tells no condition.
        _both(single["kubelet-unknown-flag"], single["kubelet-client-cert-expired"], holds=EXPIRED, **refused),
        _both(single["kubelet-config-invalid"], single["containerd-down"], **refused),
        _both(single["disk-pressure-nodefs"], single["kubelet-client-cert-expired"], **refused),
        _both(
            single["clock-skew-past"],
            single["kubelet-client-cert-expired"],
            outcome="needs-operator",
            actions=("start-time-sync",),
            note="the clock is safe to set; the certificate is for a person",
        ),
        _both(single["disk-pressure-nodefs"], single["kubelet-stopped"], **refused),
        _both(
            single["app-crashloop"],
            single["cni-config-missing"],
            outcome="recovered",
            actions=("restore-cni-config",),
        ),
        _both(single["apiserver-firewalled"], single["containerd-down"], **started),
    )
