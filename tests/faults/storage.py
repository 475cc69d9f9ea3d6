# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Faults of filesystems and devices."""

from __future__ import annotations

import typing as t

from .model import Fault, controller, node

FAULTS: t.Final[tuple[Fault, ...]] = (
    Fault(
        id="rootfs-read-only",
        inject=(node("echo u > /proc/sysrq-trigger"),),
        holds=node("! touch /var/lib/kubelet/outward 2>/dev/null"),
        # The journal of an emergency remount is not replayed by remounting: only the snapshot is clean.
        undo=(controller('lab reset "$HOST"'),),
        outcome="needs-operator",
    ),
)
