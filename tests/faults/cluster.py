# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Faults of what stands around the node: the control plane, and the machine itself."""

from __future__ import annotations

import typing as t

from .model import Fault, controller

QEMU: t.Final = "$(lab status | awk -v host=\"$HOST\" '$1 == host && $2 ~ /^[0-9]+$/ {print $2}')"

FAULTS: t.Final[tuple[Fault, ...]] = (
    Fault(
        id="apiserver-unavailable",
        inject=(controller("lab apiserver stop"),),
        holds=controller("! kubectl get --raw /readyz --request-timeout=3s"),
        undo=(controller("lab apiserver start"),),
        outcome="external",
        scope="cluster",
    ),
    Fault(
        id="node-dead",
        roots=("node-unreachable",),
        inject=(controller(f"kill -STOP {QEMU}"),),
        holds=controller('[ "$(condition Ready)" = Unknown ]'),
        undo=(controller(f"kill -CONT {QEMU}"),),
        outcome="needs-operator",
        actions=("cordon-node",),
        deadline=120,
        note="the virtual machine is stopped: nothing answers, not even ARP",
    ),
)
