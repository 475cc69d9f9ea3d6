# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""The steps that this release takes on a node: ``restart-kubelet`` and ``start-containerd``."""

from __future__ import annotations

import typing as t

from .._diagnosis import gate
from .._diagnosis.gate import Refusal
from .._diagnosis.node import NodeEvidence, Unit
from .._diagnosis.signs import running
from .task import Host, Task


def _refuse_kubelet(host: Host, node: NodeEvidence) -> tuple[Refusal, ...]:
    return gate.refusals(node)


def _refuse_runtime(host: Host, node: NodeEvidence) -> tuple[Refusal, ...]:
    """The gate, and the runtime's own opinion of its configuration; a gate that says no is enough."""
    refusals = gate.runtime_refusals(node)
    problem = None if refusals else host.runtime_config()
    return refusals if problem is None else (Refusal("runtime-config", problem),)


def _kubelet_came_up(host: Host) -> bool:
    if host.healthz().outcome != "ok":
        return False
    cri = host.cri()
    return cri.outcome == "ok" and bool(cri.runtime_ready and cri.network_ready)


def _ready(host: Host) -> bool:
    cri = host.cri()
    return cri.outcome == "ok" and bool(cri.runtime_ready)


def _replaced(old: Unit, new: Unit) -> bool:
    return running(new) and (old.invocation_id, old.main_pid, old.started) != (
        new.invocation_id,
        new.main_pid,
        new.started,
    )


def _calm(acted: Unit, now: Unit) -> bool:
    """What the action started is what runs, and systemd did not have to start it again."""
    return (acted.invocation_id, acted.main_pid, acted.restarts) == (now.invocation_id, now.main_pid, now.restarts)


KUBELET: t.Final = Task(
    step="restart-kubelet",
    unit=lambda node: node.kubelet.unit,
    journal=lambda node: node.kubelet.journal,
    refuse=_refuse_kubelet,
    came_up=_kubelet_came_up,
    questions={
        "new_process": lambda trial: _replaced(trial.before, trial.after.kubelet.unit),
        "no_further_restart": lambda trial: _calm(trial.acted, trial.after.kubelet.unit),
        "healthz_ok": lambda trial: trial.after.kubelet.healthz.outcome == "ok",
        "runtime_ready": lambda trial: bool(trial.after.runtime.cri.runtime_ready),
        "network_ready": lambda trial: bool(trial.after.runtime.cri.network_ready),
    },
)

RUNTIME: t.Final = Task(
    step="start-containerd",
    unit=lambda node: node.runtime.unit,
    journal=lambda node: node.runtime.journal,
    refuse=_refuse_runtime,
    came_up=_ready,
    questions={
        "new_process": lambda trial: _replaced(trial.before, trial.after.runtime.unit),
        "no_further_restart": lambda trial: _calm(trial.acted, trial.after.runtime.unit),
        "runtime_ready": lambda trial: bool(trial.after.runtime.cri.runtime_ready),
        "pods_kept": lambda trial: trial.kept,
    },
)
