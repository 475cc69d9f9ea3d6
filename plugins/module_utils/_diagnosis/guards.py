# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""What can refuse a step: each guard is one small rule that returns the words of its refusal, or nothing.

A guard that touches what could not be observed refuses as well: unknown permits nothing.
"""

from __future__ import annotations

import typing as t
from collections.abc import Callable
from dataclasses import dataclass

from .cluster import ClusterEvidence
from .diagnose import Diagnosis, Finding
from .registry import ancestors
from .steps import RESTART

Automate = t.Literal["none", "safe", "guarded"]


@dataclass(frozen=True)
class Policy:
    """What the person who runs us allows (outward_automate, outward_max_unavailable)."""

    automate: Automate = "guarded"
    max_unavailable: int = 1


Guard = Callable[[Finding, Diagnosis, ClusterEvidence, Policy], t.Optional[str]]


def scope(finding: Finding, diagnosis: Diagnosis, cluster: ClusterEvidence, policy: Policy) -> str | None:
    """Nothing is done on a node while the fault is outside it."""
    outside = [f.cause.title for f in diagnosis.roots if f.cause.kind == "external"]
    return f"frozen: {outside[0]}" if outside else None


def single_root(finding: Finding, diagnosis: Diagnosis, cluster: ClusterEvidence, policy: Policy) -> str | None:
    """Two equal roots are both reported, and none is repaired unless that is safe."""
    others = [f.cause.id for f in diagnosis.roots if f is not finding and f.cause.kind != "not-a-node-fault"]
    if others and finding.cause.automate != "safe":
        return f"there is a second root cause, {', '.join(others)}: it has to be cured first"
    return None


def no_doubt(finding: Finding, diagnosis: Diagnosis, cluster: ClusterEvidence, policy: Policy) -> str | None:
    """A stronger cause upstream must be ruled out, not overlooked."""
    for cause in sorted(ancestors(finding.cause.id) & set(diagnosis.undecided)):
        return f"cannot rule out {cause}: {diagnosis.undecided[cause]}"
    return None


def latent_faults(finding: Finding, diagnosis: Diagnosis, cluster: ClusterEvidence, policy: Policy) -> str | None:
    """A restart would bring a latent fault to effect."""
    hidden = [f.cause.id for f in diagnosis.findings if f.role == "latent" and f.cause.stops_a_start]
    if finding.cause.repair == RESTART and hidden:
        return f"the kubelet would not come back: {', '.join(hidden)}"
    return None


def automation(finding: Finding, diagnosis: Diagnosis, cluster: ClusterEvidence, policy: Policy) -> str | None:
    """outward_automate: none, safe, guarded."""
    allowed = {"none": (), "safe": ("safe",), "guarded": ("safe", "guarded")}[policy.automate]
    if finding.cause.automate not in allowed:
        return f"{finding.cause.id} is {finding.cause.automate}, and outward_automate is {policy.automate}"
    return None


def control_plane(finding: Finding, diagnosis: Diagnosis, cluster: ClusterEvidence, policy: Policy) -> str | None:
    """This release repairs workers only."""
    if cluster.node and cluster.node.control_plane:
        return "it is a control-plane node, and only workers are repaired"
    return None


def capacity(finding: Finding, diagnosis: Diagnosis, cluster: ClusterEvidence, policy: Policy) -> str | None:
    """An absolute cap on Nodes that are unavailable for whatever reason, this one included."""
    others = [name for name in cluster.fleet.unavailable if name != cluster.name]
    if len(others) + 1 > policy.max_unavailable:
        return (
            f"{', '.join(others)} unavailable too: with this node {len(others) + 1},"
            f" and outward_max_unavailable is {policy.max_unavailable}"
        )
    return None


GUARDS: tuple[Guard, ...] = (scope, single_root, no_doubt, latent_faults, automation, control_plane, capacity)
