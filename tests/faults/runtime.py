# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Faults of the container runtime."""

from __future__ import annotations

import typing as t

from .model import Fault, node

FAULTS: t.Final[tuple[Fault, ...]] = (
    Fault(
        id="containerd-down",
        inject=(node("systemctl stop containerd"),),
        holds=node("[ $(systemctl show -P ActiveState containerd) = inactive ]"),
        undo=(node("systemctl start containerd"),),
        outcome="recovered",
        actions=("start-containerd",),
        note="the kubelet recovers by itself",
    ),
    Fault(
        id="containerd-hung",
        inject=(node("systemctl kill -s STOP --kill-whom=main containerd"),),
        holds=node("[ $(state containerd) = T ]"),
        undo=(node("systemctl kill -s CONT --kill-whom=main containerd"),),
        outcome="needs-operator",
        note="SIGSTOP: it accepts and never answers",
    ),
    Fault(
        id="containerd-config-invalid",
        inject=(node("keep $CONTAINERD; echo '[[broken' >> $CONTAINERD; restart containerd"),),
        holds=node("[ $(substate containerd) = auto-restart ] && said containerd 'failed to load TOML|toml: '"),
        undo=(node("back; restart containerd"),),
        outcome="needs-operator",
    ),
)
