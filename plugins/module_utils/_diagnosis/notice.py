# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""What a colleague is to read in the cluster about what was done to a node. Pure: results of actions in, words out."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .evidence import JSON
from .incident import ACTING
from .steps import CONTAINING, CORDON, JOIN, RENEW, RESTART, SERVE, START_RUNTIME, UNCORDON

# step -> (action, reason when done, reason otherwise but for its end), in the manner of Kubernetes' own events
EVENTS: t.Final = {
    RESTART: ("RestartKubelet", "KubeletRestarted", "KubeletRestart"),
    START_RUNTIME: ("StartContainerd", "ContainerdStarted", "ContainerdStart"),
    RENEW: ("RenewClientCertificate", "ClientCertificateRenewed", "ClientCertificateRenewal"),
    SERVE: ("RenewServingCertificate", "ServingCertificateRenewed", "ServingCertificateRenewal"),
    JOIN: ("JoinNode", "NodeJoined", "NodeJoin"),
    CORDON: ("CordonNode", "NodeCordoned", "NodeCordon"),
    UNCORDON: ("UncordonNode", "NodeUncordoned", "NodeUncordon"),
}

# Of every step of repairs/*.py; the note says which.
REPAIR: t.Final = ("RepairNode", "NodeRepaired", "NodeRepair")


@dataclass(frozen=True)
class Notice:
    """One event, and the Node's annotation (empty: nothing was done, so it stays as it is)."""

    action: str
    reason: str
    kind: str  # Normal, Warning
    note: str
    annotation: str


def notices(incident: JSON, acted: t.Sequence[JSON], proof: JSON | None, author: str, reason: str) -> list[Notice]:
    """One for each step that was done, failed, or was refused by the node itself; none in check mode.

    *acted* are results of acting modules; *proof* is that of the report, None when it did not come to one.
    """
    if incident["mode"] not in ACTING:
        return []
    causes = {step["step"]: step["cause"] for step in incident["plan"]}
    told = [result for result in acted if result.get("result") in ("done", "failed", "refused")]
    return [_notice(result, causes.get(result["action"]["step"]), proof, (author, reason)) for result in told]


def _notice(acted: JSON, cause: str | None, proof: JSON | None, who: tuple[str, str]) -> Notice:
    author, reason = who
    step = acted["action"]["step"]
    action, done, other = EVENTS.get(step, REPAIR)
    about = step if step == UNCORDON else f"{step} for {acted.get('cause') or cause or 'an unknown cause'}"
    by = f"by {author}" + (f", whose reason is: {reason}" if reason else "")
    if acted["result"] == "refused":
        return Notice(action, f"{other}Refused", "Warning", f"{about} {by}: refused, {_joined(acted['refusals'])}", "")
    good, how = _came_to(acted, proof)
    said = f"{about}: {how} ({acted['action'].get('finished', 'at an unknown time')}, {by})"
    return Notice(action, done if good else f"{other}Failed", "Normal" if good else "Warning", said, said)


def _came_to(acted: JSON, proof: JSON | None) -> tuple[bool, str]:
    """Whether it went well, and in words; a step that cures nothing has nothing to prove."""
    if acted["result"] != "done":
        return False, f"failed: {acted.get('detail') or 'without a word'}"
    if acted["action"]["step"] in CONTAINING:
        return True, "done"
    if proof and proof["proven"]:
        return True, "done, and proven"
    missing = [name for name, shown in ((proof or {}).get("checks") or {}).items() if not shown]
    return False, f"done, and not proven: {', '.join(missing) or 'nobody looked'}"


def _joined(refusals: t.Sequence[str]) -> str:
    return "; ".join(refusals) or "without a word"
