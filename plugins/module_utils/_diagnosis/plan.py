# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""``plan(diagnosis, cluster, policy)``: the steps that would help, each permitted or refused with the reason."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .cluster import ClusterEvidence
from .diagnose import Diagnosis, Finding
from .evidence import Undecided
from .guards import GUARDS, Policy
from .steps import RESTART


@dataclass(frozen=True)
class Step:
    """One step that was thought of."""

    step: str
    permitted: bool
    why: str
    cause: str | None  # the root cause that it would cure; None for the restart that cures none


def plan(diagnosis: Diagnosis, cluster: ClusterEvidence, policy: Policy) -> tuple[Step, ...]:
    """The steps for *diagnosis*; a kubelet restart is always among them unless the node is healthy."""
    if diagnosis.status == "healthy":
        return ()
    steps = {f.cause.repair: _step(f, diagnosis, cluster, policy) for f in diagnosis.roots if f.cause.repair}
    if RESTART not in steps:
        steps[RESTART] = Step(RESTART, False, _why_no_restart(diagnosis), None)
    return tuple(steps.values())


def _step(finding: Finding, diagnosis: Diagnosis, cluster: ClusterEvidence, policy: Policy) -> Step:
    step = t.cast(str, finding.cause.repair)
    for guard in GUARDS:
        try:
            refusal = guard(finding, diagnosis, cluster, policy)
        except Undecided as why:
            refusal = f"cannot tell: {why}"
        if refusal:
            return Step(step, False, refusal, finding.cause.id)
    return Step(step, True, finding.cause.refusal, finding.cause.id)


def _why_no_restart(diagnosis: Diagnosis) -> str:
    if diagnosis.roots:
        return "; ".join(dict.fromkeys(f.cause.refusal for f in diagnosis.roots))
    return "no cause was found that a restart can cure"
