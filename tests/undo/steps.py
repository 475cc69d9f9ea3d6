# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which fault each repair is tried on, and what of a step stays by its nature."""

from __future__ import annotations

import typing as t

from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.diagnose import RULES
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.repair import REPAIRS
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.steps import REPAIRING
from tests.faults.model import Fault
from tests.faults.table import SINGLE

from .verdict import Kept

ENTERED: t.Final = (RULES, REPAIRING)  # importing them is what fills REPAIRS
DELETED: t.Final = Kept(
    "cannot be taken back", r"(?!)", "what was deleted is not there any more; nothing else is touched"
)
NEW_PROCESS: t.Final = Kept("cannot be taken back", r"(?!)", "a process that was ended does not come back")
STATE: t.Final = Kept(
    "taken back in part .* was made anew meanwhile",
    r"file /var/lib/kubelet/\w+_state",
    "the kubelet had started and made a new one; the one before is in the backup",
)
KEPT: t.Final[dict[str, Kept]] = {
    "set-aside-cpu-state": STATE,
    "set-aside-memory-state": STATE,
    "set-aside-pod-state": STATE,
    "free-disk-space": DELETED,
    "free-inodes": DELETED,
    "vacuum-journal": DELETED,
    "delete-rotated-logs": DELETED,
    "free-space-beside-images": DELETED,
    "kill-containerd": NEW_PROCESS,
    "restart-containerd": NEW_PROCESS,
}
# What a person has to say before a step is taken at all.
ALLOWED: t.Final = {"kubelet-unit-masked": "unmask-kubelet"}


def rows() -> list[tuple[str, Fault]]:
    """(repair, fault) for each; the first fault of each repair first, and then the others, the quick ones first."""
    steps = {fault.id: ALLOWED.get(fault.id, next(iter(fault.actions), "")) for fault in SINGLE.values()}
    pairs = [(steps[fault.id], fault) for fault in SINGLE.values() if steps[fault.id] in REPAIRS]
    pairs.sort(key=lambda pair: pair[1].deadline)
    first = dict(reversed(pairs))
    ahead = [(step, fault) for step, fault in pairs if first[step] is fault]
    return ahead + [pair for pair in pairs if pair not in ahead]


def variables(fault: Fault) -> dict[str, t.Any]:
    """What a person would give for it."""
    return {"outward_steps": {"allow": [ALLOWED[fault.id]]}} if fault.id in ALLOWED else {}


def without() -> list[str]:
    """Repairs that no fault of ours leads to."""
    tried = {step for step, dummy in rows()}
    return [step for step in REPAIRS if step not in tried]
