# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Repairs of the kubelet's own unit and files."""

from __future__ import annotations

import typing as t
from collections.abc import Iterator

from ..change import Aside, Disabled, Lines, SwapOff, Unit
from ..node import NodeEvidence
from ..repair import LOOPING, Repair, entered
from ..signs import size

# What the node must keep after the swap's pages are back in memory: the kubelet's own eviction threshold, and some.
SWAP_MARGIN: t.Final = 256 * 1024 * 1024
# fstab(5): a line that is no comment and whose third field is swap.
SWAP_LINE: t.Final = r"^(?=[^#\s]\S*\s+\S+\s+swap\s)"

# What makes swap at boot on Raspberry Pi OS until bookworm, and by Debian's package zram-tools.
SWAP_MAKERS: t.Final = ("dphys-swapfile.service", "zramswap.service")

UNMASK: t.Final = entered(
    Repair(
        step="unmask-kubelet",
        words="takes the mask off the kubelet's unit; done only when outward_steps allows it by name",
        asks=frozenset({"units"}),
        changes=lambda node: (Unit("unmask", (node.profile.unit,)),),
        restart=True,
    )
)


def no_room_for_swap(node: NodeEvidence) -> Iterator[str]:
    """swapoff reads every page back into memory, and a node without room for them kills processes."""
    used, free = node.pressure.swap_used, node.pressure.memory_free_estimate
    if free < used + SWAP_MARGIN:
        yield (
            f"{size(used)} of swap would have to fit into {size(free)} of free memory, with {size(SWAP_MARGIN)} to "
            "spare: end something first"
        )


SWAP: t.Final = entered(
    Repair(
        step="switch-off-swap",
        words="switches swap off, makes its lines in /etc/fstab comments, and disables dphys-swapfile and zramswap; what rpi-swap or "
        "zram-generator make is back at the next boot, and a person has to take it out of their configuration",
        asks=LOOPING | {"kubelet-files", "pressure"},
        changes=lambda node: (
            *(SwapOff(device) for device in node.pressure.swap_devices),
            Disabled(SWAP_MAKERS),
            Lines("/etc/fstab", SWAP_LINE, "# outward.kubelet: the kubelet refuses swap: "),
        ),
        refuse=no_room_for_swap,
    )
)


def checkpoint(step: str, *files: str) -> Repair:
    """A state file of a kubelet that crashes on it; systemd starts the kubelet again, and it writes a new one."""
    return entered(
        Repair(
            step=step,
            words=f"moves {' and '.join(files)} of the kubelet into our backup; it makes a new one at its next start",
            asks=LOOPING | {"kubelet-journal"},
            changes=lambda node: tuple(Aside(f"{node.profile.root_dir}/{file}") for file in files),
        )
    )


CPU_MANAGER: t.Final = checkpoint("set-aside-cpu-state", "cpu_manager_state")
MEMORY_MANAGER: t.Final = checkpoint("set-aside-memory-state", "memory_manager_state")
POD_STATE: t.Final = checkpoint(
    "set-aside-pod-state", "allocated_pods_state", "actuated_pods_state", "pod_status_manager_state"
)
