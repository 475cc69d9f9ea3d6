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
from tests.faults.table import FAULTS, SINGLE

from .verdict import Kept

ENTERED: t.Final = (RULES, REPAIRING)  # importing them is what fills REPAIRS
NOTHING: t.Final = r"(?!)"  # matches no place and no words
DELETED: t.Final = Kept(
    "cannot be taken back", NOTHING, "what was deleted is not there any more; nothing else is touched"
)
NEW_PROCESS: t.Final = Kept("cannot be taken back", NOTHING, "a process that was ended does not come back")
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
    "shorten-container-logs": DELETED,
    "free-space-beside-images": DELETED,
    "kill-containerd": NEW_PROCESS,
    "restart-containerd": NEW_PROCESS,
    "end-leftover-kubelet": NEW_PROCESS,
    "restore-eviction-thresholds": DELETED,
    "clear-bridge-address": Kept(
        r"taken back in part .* was given to cni0 meanwhile", "link cni0", "the CNI sets the right address for a Pod"
    ),
    "release-addresses": Kept(
        NOTHING, r"file /var/lib/cni/networks/\w+/[\d.]+", "a Pod that could start meanwhile has its address"
    ),
    "restore-cni-directory": Kept(NOTHING, r"file /etc/cni/net\.d", "containerd makes it when it is started again"),
    "load-overlay": Kept(NOTHING, "module overlay", "containerd's own unit loads it when it is started again"),
}
RENEW: t.Final = "renew-client-certificate"
RECOVER, CERTIFICATES = "node-recover.yml", "certificates-recover.yml"


class Try(t.NamedTuple):
    """One row: a step, the fault that it is for, and how it is asked for."""

    step: str
    fault: Fault
    playbook: str = RECOVER

    @property
    def name(self) -> str:
        """The row's."""
        return f"{self.step}: {self.fault.id}"


def rows() -> list[Try]:
    """The first fault of each repair first, the quick ones before the others, and then what is left of them."""
    tries = [Try(next(iter(f.actions), ""), f) for f in SINGLE.values()]
    tries = [each for each in tries if each.step in REPAIRS]
    tries += [
        Try(RENEW, FAULTS[name], CERTIFICATES) for name in ("kubelet-client-cert-expired", "kubelet-client-ca-rejected")
    ]
    tries.sort(key=lambda each: each.fault.deadline)
    first = {each.step: each for each in reversed(tries)}
    ahead = [each for each in tries if first[each.step] is each]
    return ahead + [each for each in tries if each not in ahead]


def without() -> list[str]:
    """Repairs that no fault of ours leads to."""
    tried = {each.step for each in rows()}
    return [step for step in REPAIRS if step not in tried]
