# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Repairs of containerd. Its containers survive all of them: they live under their shims (KillMode=process)."""

from __future__ import annotations

import typing as t
from collections.abc import Iterator

from ..change import GoodCopy, Lines, Module, PauseImage, Unit
from ..gate import data_mounts, runtime_writable
from ..node import NodeEvidence
from ..repair import LOOPING, Repair, entered
from .kernel import lasting_module

# As long as the line of a sandbox that failed may still count, and the API takes to show it.
STILL_SAID: t.Final = 300
# disabled_plugins = ["cri", "x"]: the CRI's entry goes, the others stay.
CRI_DISABLED: t.Final = (
    r"""^(\s*disabled_plugins\s*=\s*\[.{0,500}?)["'](?:io\.containerd\.grpc\.v1\.)?cri["']\s*,?\s*(.{0,500}\].*)$"""
)


def runtime_restart(node: NodeEvidence) -> Iterator[str]:
    """As for a start: what it writes to must be there, and the unit must be the runtime's alone."""
    if node.profile.runtime_unit == node.profile.unit:
        yield f"{node.profile.unit} holds the kubelet as well (profile {node.profile.name}): it is not the runtime's alone"
    yield from runtime_writable(node)
    yield from data_mounts(node)


def no_list(node: NodeEvidence) -> Iterator[str]:
    """What is nobody's any more can only be told from the list of all sandboxes."""
    if node.runtime.cri.outcome != "ok":
        yield f"the runtime does not list its sandboxes ({node.runtime.cri.outcome})"


def answers(node: NodeEvidence) -> bool:
    """The runtime answers over its socket, and says that it is ready."""
    return node.runtime.cri.outcome == "ok" and bool(node.runtime.cri.runtime_ready)


def restarted(node: NodeEvidence) -> Unit:
    """A restart through systemd; the kubelet reconnects by itself."""
    return Unit("restart", (node.profile.runtime_unit,))


def reread(node: NodeEvidence) -> Unit:
    """A restart for what was changed before."""
    return Unit("reread", (node.profile.runtime_unit,))


def stuck_in_kernel(node: NodeEvidence) -> Iterator[str]:
    """A process in state D takes no signal, and what it waits for is the cause."""
    yield from runtime_restart(node)
    if node.runtime.unit.process_state == "D":
        yield f"containerd's process {node.runtime.unit.main_pid} is blocked in the kernel: no signal ends it"


KILL: t.Final = entered(
    Repair(
        step="kill-containerd",
        words="kills the main process of a containerd that hangs; systemd starts it again, and containers run on",
        asks=LOOPING | {"cri", "kubelet-journal", "pressure", "storage"},
        changes=lambda node: (Unit("kill", (node.profile.runtime_unit,)),),
        refuse=stuck_in_kernel,
        shows=answers,
    )
)
RESTART: t.Final = entered(
    Repair(
        step="restart-containerd",
        words="restarts a containerd whose socket is gone, which it only makes when it starts; containers run on",
        asks=LOOPING | {"cri", "pressure", "storage"},
        changes=lambda node: (restarted(node),),
        refuse=runtime_restart,
        shows=answers,
    )
)


ENABLE_CRI: t.Final = entered(
    Repair(
        step="enable-cri",
        words="takes the CRI out of disabled_plugins of containerd's configuration, and restarts containerd",
        asks=LOOPING | {"cri", "pressure", "runtime-files", "storage"},
        changes=lambda node: (
            Lines(node.profile.runtime_config, CRI_DISABLED, r"\1\2", needed=True),
            reread(node),
        ),
        refuse=runtime_restart,
        shows=answers,
    )
)
OVERLAY: t.Final = entered(
    Repair(
        step="load-overlay",
        words="loads the kernel module overlay, also at the next boot, and restarts containerd",
        asks=frozenset({"kernel", "pressure", "runtime-journal", "storage"}),
        changes=lambda node: (Module("overlay"), lasting_module("overlay"), reread(node)),
        refuse=runtime_restart,
        shows=answers,
    )
)
PAUSE: t.Final = entered(
    Repair(
        step="set-pause-image",
        words="configures containerd for a pause image that is on the node, and restarts it; containers run on",
        asks=frozenset({"cri", "kubelet-journal", "pressure", "runtime-journal", "storage"}),
        changes=lambda node: (PauseImage(node.profile.runtime_config), reread(node)),
        refuse=runtime_restart,
        shows=answers,
        trial=True,
        patience=STILL_SAID,
    )
)
COPY: t.Final = entered(
    Repair(
        step="restore-containerd-config",
        words="puts the newest copy of containerd's configuration beside it in its place, of those that containerd can use and that "
        "have the kubelet's cgroup driver, and starts containerd; a default of the package is never written",
        asks=LOOPING | {"cri", "kubelet-files", "pressure", "runtime-journal", "storage"},
        changes=lambda node: (
            GoodCopy(node.profile.runtime_config, node.kubelet.config.cgroup_driver),
            reread(node),
        ),
        refuse=runtime_restart,
        shows=answers,
    )
)
