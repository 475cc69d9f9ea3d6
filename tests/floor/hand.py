# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a person types who knows at once what is wrong, and what shows that the node works again. Pure."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass
from datetime import datetime, timedelta

from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.cluster import Node
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.evidence import parse_time
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.health import clean
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.proof import run_again
from tests.faults.model import Fault, Step, controller
from tests.faults.table import FAULTS
from tests.matrix.results import Row

# What a step comes to when it is typed. Of a step that is not here, the undoing of the fault is the repair.
TYPED: t.Final = {
    "restart-kubelet": "restart kubelet",
    "rebuild-kubelet-config": ": > $CONFIG; kubeadm upgrade node phase kubelet-config",
    "kill-containerd": "systemctl kill -s KILL --kill-whom=main containerd",
    "restart-containerd": "restart containerd",
    "vacuum-journal": "journalctl --rotate --vacuum-size=24M",
    "shorten-container-logs": "rm /var/log/pods/*/*/0.log.*",
    "free-disk-space": "rm /var/cache/apt/archives/*.deb",
    "mount-data-disk": "mount /var/lib/containerd; systemctl start containerd",
    "load-overlay": "modprobe overlay; restart containerd",
    "free-space-beside-images": "rm /var/cache/apt/archives/*.deb",
    "lower-overlay-mtu": "ip link set flannel.1 mtu 1450",
}
# Of a fault whose step comes to something else there.
TYPED_OF_FAULT: t.Final = {
    # By each of its names: the CRI has one of its own besides, and content that has a name stays.
    "disk-pressure-unused-image": "ctr -n k8s.io images rm --sync $(ctr -n k8s.io images ls | awk "
    "'/ballast/ {its[$3]} {of[$1] = $3} END {for (name in of) if (of[name] in its) print name}')",
    "container-log-unrotated": "truncate -s 64M /var/log/pods/default_outward-fault*/app/0.log",
}
# systemd would start a kubelet that crashed by itself, up to 10 s later.
UP: t.Final = "systemctl is-active -q kubelet || restart kubelet"
BLIND: t.Final = "restart kubelet"
REMEMBERED: t.Final = ("said ", "says ")  # by a journal, after it is over
# Where systemd has a kubelet that crashes: a state of now, whatever the journal remembers.
BETWEEN_TURNS: t.Final = ("auto-restart", "stop-sigterm")
# A blind restart has so many times what the repair took by hand, and at least so many seconds.
BLIND_TIMES: t.Final = 3.0
BLIND_LEAST: t.Final = 30.0
READY_POD: t.Final = "{.status.conditions[?(@.type=='Ready')].status}"
# Between the clocks of a node and of the controller; further in the future is a node whose clock is wrong.
SKEW: t.Final = timedelta(seconds=30)


def recovered() -> list[Fault]:
    """The faults of one cause that a recovery is to bring to a proven end."""
    return [fault for fault in FAULTS.values() if fault.kind == "single" and fault.outcome == "recovered"]


def typed(fault: Fault) -> str:
    """The lines for the node."""
    if fault.id in TYPED_OF_FAULT:
        lines = [TYPED_OF_FAULT[fault.id]]
    elif all(step in TYPED for step in fault.actions):
        lines = [TYPED[step] for step in fault.actions]
    else:
        lines = [step.script for step in fault.undo if step.place == "node"]
    return "\n".join([*lines, UP])


def restarts(script: str) -> bool:
    """It starts a kubelet that may be running: that one posts Ready anew."""
    return BLIND in script.replace(UP, "")


def only_restarts(fault: Fault) -> bool:
    """Then a blind restart is what is typed."""
    return fault.actions == ("restart-kubelet",)


def blind_patience(by_hand: float | None) -> float:
    """Seconds that a blind restart has to cure what the repair cured in *by_hand* seconds (None: not in its time)."""
    return max(BLIND_LEAST, BLIND_TIMES * (by_hand or 0.0))


def symptom_gone(fault: Fault) -> Step | None:
    """Succeeds when what the fault was seen by is gone; None: a journal remembers it, and only the API can tell."""
    asked = fault.holds.script
    if "get events" in asked:
        return controller(f'[ "$(kubectl get pod $POD -o "jsonpath={READY_POD}")" = True ]')
    if any(word in asked for word in REMEMBERED) and not any(state in asked for state in BETWEEN_TURNS):
        return None
    return Step(fault.holds.place, f"if ({asked}); then exit 1; fi")


@dataclass(frozen=True)
class Asked:
    """When the last line was typed, and whether Ready must be posted after it (a kubelet that was not well posts anew).

    *before*: what the API had of the node then.
    """

    at: datetime
    posts: bool
    before: Node | None = None


def works(node: Node | None, asked: Asked, now: datetime, cause: str) -> bool:
    """As far as the API can tell the end that a proof of ours waits for: the kubelet lives, and the Pods run again."""
    if node is None or not (lives(node, asked, now) and clean(node)):
        return False
    return asked.before is None or run_again(cause, asked.before, node)


def lives(node: Node | None, asked: Asked, now: datetime) -> bool:
    """The API shows a node that is Ready and that renewed its Lease after *asked*; times are aware."""
    ready = node.condition("Ready") if node else None
    if node is None or node.lease is None or ready is None or ready.status != "True":
        return False
    posted = ready.heartbeat is not None and ready.heartbeat >= asked.at.replace(microsecond=0)
    return asked.at < node.lease.renewed < now + SKEW and (posted or not asked.posts)


def first_change(report: dict[str, t.Any], began: datetime) -> float | None:
    """Seconds from *began* (by our clock) until the first action (by the node's); None: there was none."""
    started = [parse_time(action["started"]) for action in report["actions"] if action.get("started")]
    return round((min(started) - began).total_seconds(), 1) if started else None


def entry(
    ours: float | None, by_hand: float | None, blind: dict[str, t.Any] | None, looked: float | None = None
) -> dict[str, t.Any]:
    """What a row has seen: seconds, None for what was not reached; *blind*: None when it was not tried.

    *looked*: how many of *ours* had passed before anything was changed; dropped when the node's clock was wrong.
    """
    looked = looked if looked is not None and 0 < looked < (ours or 0) else None
    ratio = round(ours / by_hand, 2) if ours is not None and by_hand else None
    seen = {"recovered": ours, "looked": looked, "by_hand": by_hand, "ratio": ratio, "blind_restart": blind}
    return {"seen": seen, "ok": ratio is not None, "seconds": ours}


def kept(row: Row, before: t.Iterable[Row]) -> Row:
    """*row*; of a blind restart that was not tried now, with what the row *before* it saw: no code of ours has a part in it."""
    earlier = [each["seen"] for each in before if each["case"] == row["case"] and each["seen"]]
    if not (earlier and row["seen"]) or row["seen"]["blind_restart"] is not None:
        return row
    return {**row, "seen": {**row["seen"], "blind_restart": earlier[0]["blind_restart"]}}
