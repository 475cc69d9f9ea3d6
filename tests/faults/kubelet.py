# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Faults of the kubelet itself: its unit, its files, its process."""

from __future__ import annotations

import typing as t

from .model import Fault, node


def _crash(id: str, script: str, line: str, *, undo: str = "back", note: str = "") -> Fault:
    """The kubelet is started again on something that makes it exit, and says *line*."""
    return Fault(
        id=id,
        inject=(node(f"{script}\nrestart kubelet"),),
        holds=node(f"[ $(substate kubelet) = auto-restart ] && said kubelet '{line}'"),
        undo=(node(f"{undo}; restart kubelet"),),
        outcome="needs-operator",
        note=note,
    )


FAULTS: t.Final[tuple[Fault, ...]] = (
    Fault(
        id="kubelet-stopped",
        inject=(node("systemctl stop kubelet"),),
        holds=node("[ $(systemctl show -P ActiveState kubelet) = inactive ]"),
        undo=(node("systemctl start kubelet"),),
        outcome="recovered",
        actions=("restart-kubelet",),
    ),
    Fault(
        id="kubelet-unit-masked",
        inject=(node("systemctl stop kubelet; systemctl mask kubelet"),),
        holds=node("[ $(systemctl show -P LoadState kubelet) = masked ]"),
        undo=(node("systemctl unmask kubelet; systemctl start kubelet"),),
        outcome="needs-operator",
    ),
    Fault(
        id="kubelet-unit-disabled",
        inject=(node("systemctl disable kubelet; systemd-run --on-active=1 systemctl reboot"),),
        holds=node(
            "[ $(cut -d. -f1 /proc/uptime) -lt 290 ] && systemctl is-active containerd && "
            "[ $(systemctl show -P ActiveState kubelet) = inactive ] && "
            "! journalctl -b -q -u kubelet -n 1 | grep -q ."
        ),
        undo=(node("systemctl enable --now kubelet"),),
        outcome="recovered",
        actions=("restart-kubelet",),
        deadline=300,
        note="a real boot: the journal of this boot has no line of the kubelet",
    ),
    _crash(
        "kubelet-unknown-flag",
        "keep $FLAGS; sed -i 's/KUBELET_KUBEADM_ARGS=\"/&--container-runtime=remote /' $FLAGS",
        "unknown flag: --container-runtime",
        note="a flag that 1.27 removed",
    ),
    _crash("kubelet-config-missing", "keep $CONFIG; rm $CONFIG", "failed to load kubelet config file.*no such file"),
    _crash(
        "kubelet-config-invalid",
        "keep $CONFIG; sed -i 's/^kind: .*/kind: KubeletConfig/' $CONFIG",
        "no kind .KubeletConfig. is registered",
    ),
    _crash(
        "kubelet-swap-on",
        "fallocate -l 64M /swap.outward; chmod 600 /swap.outward; mkswap /swap.outward; swapon /swap.outward",
        "running with swap on is not supported",
        undo="swapoff /swap.outward; rm -f /swap.outward",
    ),
    Fault(
        id="kubelet-syncloop-stuck",
        inject=(node("systemctl kill -s STOP kubelet"),),
        holds=node("[ $(state kubelet) = T ]"),
        undo=(node("systemctl kill -s CONT kubelet"),),
        outcome="recovered",
        actions=("restart-kubelet",),
        note="SIGSTOP: the process is there, healthz accepts and never answers",
    ),
)
