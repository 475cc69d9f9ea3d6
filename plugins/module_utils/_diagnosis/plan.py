# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""``plan(diagnosis, cluster, policy)``: the steps that would help, each permitted or refused with the reason."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from . import cordon
from .cluster import ClusterEvidence
from .diagnose import Diagnosis, Finding
from .evidence import Undecided
from .guards import CONTAINMENT, GUARDS, Policy, cure
from .repair import REPAIRS
from .steps import CORDON, RENEW, RESTART, UNCORDON, follow_up
from .workload import notes


@dataclass(frozen=True)
class Step:
    """One step that was thought of."""

    step: str
    permitted: bool
    why: str
    cause: str | None  # the root cause that it would cure or contain; None: none
    notes: tuple[str, ...] = ()  # of a step that is permitted: what runs on the node, and what becomes of it


def plan(diagnosis: Diagnosis, cluster: ClusterEvidence, policy: Policy) -> tuple[Step, ...]:
    """The steps for *diagnosis*; a kubelet restart is always among them unless the node is healthy."""
    if diagnosis.status == "healthy":
        return tuple(_own_cordon(cluster, policy, "the node is healthy"))
    steps: dict[str, Step] = {}
    for finding in diagnosis.roots:
        for name in follow_up(cure(finding.cause, policy)):
            found = _step(name, finding, diagnosis, cluster, policy)
            # Two roots may need the same step; one of them is enough to take it, and none to take it twice.
            steps[name] = steps[name] if name in steps and steps[name].permitted else found
    if RESTART not in steps:
        steps[RESTART] = Step(RESTART, False, _why_no_restart(diagnosis), None)
    cures = any(step.permitted for step in steps.values())
    contained = [_contain(f, diagnosis, cluster, policy) for f in diagnosis.roots if f.cause.contain]
    after = () if contained else _own_cordon(cluster, policy, "once the node is proven to work" if cures else "")
    return (*steps.values(), *contained[:1], *after)


def _step(name: str, finding: Finding, diagnosis: Diagnosis, cluster: ClusterEvidence, policy: Policy) -> Step:
    for guard in CONTAINMENT if name == CORDON else GUARDS:
        try:
            refusal = guard(finding, diagnosis, cluster, policy)
        except Undecided as why:
            refusal = f"cannot tell: {why}"
        if refusal:
            return Step(name, False, refusal, _whose(name, finding, policy))
    told = REPAIRS[name].words if name in REPAIRS else finding.cause.refusal
    words = f"{told}; its kubelet asks for a new certificate" if name == RENEW else told
    return Step(name, True, words, finding.cause.id, notes(name, cluster))


def _whose(name: str, finding: Finding, policy: Policy) -> str | None:
    """A step that is only ever done when it is allowed by name is no cure that a guard has refused: a person has to act."""
    manual = finding.cause.automate == "manual" and finding.cause.repair not in policy.allowed
    return None if manual and name != CORDON else finding.cause.id


def _contain(finding: Finding, diagnosis: Diagnosis, cluster: ClusterEvidence, policy: Policy) -> Step:
    """A cordon, which is all that is safe from outside."""
    step = _step(CORDON, finding, diagnosis, cluster, policy)
    if not step.permitted:
        return step
    if cluster.node is None:
        return Step(CORDON, False, "the API has no such Node", finding.cause.id)
    if cluster.node.unschedulable:
        whose = cordon.told(cluster.node) if cordon.ours(cluster.node) else "by somebody else"
        return Step(CORDON, False, f"it is cordoned already: {whose}", finding.cause.id)
    return Step(CORDON, True, "no new Pods for it until a person has seen it", finding.cause.id, step.notes)


def _own_cordon(cluster: ClusterEvidence, policy: Policy, when: str) -> t.Iterator[Step]:
    """What becomes of a cordon of ours that is found; *when* it may go, empty: it has to stay."""
    try:
        if cluster.node is None or not cordon.ours(cluster.node):
            return
    except Undecided:
        return
    words = f"our own cordon ({cordon.told(cluster.node)})"
    if policy.automate == "none":
        yield Step(UNCORDON, False, f"{words} stays: outward_automate is none", None)
    elif when:
        yield Step(UNCORDON, True, f"{words} goes: {when}", None)
    else:
        yield Step(UNCORDON, False, f"{words} stays until the node is proven to work", None)


def _why_no_restart(diagnosis: Diagnosis) -> str:
    if diagnosis.roots:
        return "; ".join(dict.fromkeys(f.cause.refusal for f in diagnosis.roots))
    return "no cause was found that a restart can cure"
