# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""``diagnose(node, cluster) -> Diagnosis``: the rules of faults.md section 3, as pure code.

The same code serves a live node, recorded evidence and a saved report.
"""

from __future__ import annotations

import hashlib
import re
import typing as t
from dataclasses import dataclass

from .causes import (
    application,
    board,
    fleet,
    heartbeat,
    identity,
    joining,
    kernel,
    kubelet,
    kubelet_node,
    kubelet_start,
    limits,
    network,
    pod_network,
    resources,
    runtime,
    runtime_pods,
    volumes,
    workload,
)
from .cluster import ClusterEvidence
from .health import Check, examine
from .node import NodeEvidence
from .registry import CAUSES, Cause, Layer, Verdict, judge
from .signals import Signal, signals

# Importing a module of causes enters its rules into the registry.
RULES: t.Final = (
    kubelet,
    kubelet_start,
    runtime,
    identity,
    resources,
    limits,
    network,
    volumes,
    kernel,
    board,
    kubelet_node,
    runtime_pods,
    application,
    joining,
    heartbeat,
    fleet,
    pod_network,
    workload,
)

Status = t.Literal["healthy", "faulty", "external", "not-a-node-fault", "unknown"]
Role = t.Literal["root", "explained", "latent"]


@dataclass(frozen=True)
class Finding:
    """A cause that was recognised, and its place among the others."""

    cause: Cause
    role: Role
    evidence: tuple[str, ...]


@dataclass(frozen=True)
class Diagnosis:
    """Findings ordered by causality: roots first, then what they explain, then what is latent."""

    node: NodeEvidence  # what was diagnosed
    status: Status
    findings: tuple[Finding, ...]
    unexplained: tuple[str, ...]  # checks of health that fail and no finding is the cause of
    unknown: tuple[str, ...]  # what could not be observed, each reason once
    undecided: dict[str, str]  # cause id -> why its rule could not tell
    checks: tuple[Check, ...]
    signals: tuple[Signal, ...] = ()  # what was seen over time; no verdict

    @property
    def roots(self) -> tuple[Finding, ...]:
        """The findings that nothing else explains."""
        return tuple(f for f in self.findings if f.role == "root")

    @property
    def root_causes(self) -> list[str]:
        """The ids of :attr:`roots`."""
        return [f.cause.id for f in self.roots]


def outward() -> list[Cause]:
    """All causes from the kubelet outward, layer by layer."""
    layers = t.get_args(Layer)
    return sorted(CAUSES.values(), key=lambda cause: layers.index(cause.layer))


def named(cause: object) -> Cause | None:
    """The cause of this id; None: there is none."""
    return CAUSES.get(str(cause))


def evicts(cause: str) -> bool:
    """A kubelet that suffers from *cause* evicts Pods by itself: what it ends then, no repair of it has ended."""
    return cause in ancestors("sym:evictions")


def ancestors(target: str) -> frozenset[str]:
    """Ids of all causes that explain *target*, directly or through others."""
    found: set[str] = set()
    frontier = {target}
    while frontier:
        frontier = {c.id for c in CAUSES.values() if frontier & set(c.explains)} - found - {target}
        found |= frontier
    return frozenset(found)


def diagnose(node: NodeEvidence, cluster: ClusterEvidence) -> Diagnosis:
    """Judge every cause and order what was recognised. Pure; never raises for any evidence."""
    verdicts = [judge(cause, node, cluster) for cause in outward()]
    findings = _order([v for v in verdicts if v.evidence])
    checks = tuple(examine(node, cluster))
    undecided = {v.cause.id: v.undecided for v in verdicts if v.undecided}
    status = _status(findings, checks, undecided)
    failing = [c.detail for c in checks if c.ok is False]
    return Diagnosis(
        node=node,
        status=status,
        findings=findings,
        unexplained=tuple(f"not so: {detail}" for detail in failing) if status == "unknown" else (),
        unknown=tuple(dict.fromkeys([*undecided.values(), *(c.reason for c in checks if c.ok is None)])),
        undecided=undecided,
        checks=checks,
        signals=_signals(findings, node, cluster),
    )


def fingerprint(diagnosis: Diagnosis) -> str:
    """What the ledger knows a fault by: its root causes and the shape of their evidence.

    Numbers are left out of the evidence, so that the same fault at another time is still the same.
    """
    shape = [(f.cause.id, [re.sub(r"\d+", "#", line) for line in f.evidence]) for f in diagnosis.roots]
    return hashlib.sha256(repr(shape).encode()).hexdigest()[:16]


def _signals(findings: tuple[Finding, ...], node: NodeEvidence, cluster: ClusterEvidence) -> tuple[Signal, ...]:
    active = [f.cause for f in findings if f.role != "latent"]
    return tuple(
        Signal(kind.id, kind.title, lines, tuple(cause.id for cause in active if kind.symptom in cause.explains))
        for kind, lines in signals(node, cluster)
    )


def _order(recognised: list[Verdict]) -> tuple[Finding, ...]:
    active = {v.cause.id for v in recognised if not v.latent}
    findings = [Finding(v.cause, _role(v, active), v.evidence) for v in recognised]
    rank = {"root": 0, "explained": 1, "latent": 2}
    return tuple(sorted(findings, key=lambda f: rank[f.role]))


def _role(verdict: Verdict, active: set[str]) -> Role:
    if verdict.latent:
        return "latent"
    above = set(ancestors(verdict.cause.id))
    if verdict.cause.kind == "derived":
        # A cause of last resort: whatever explains its symptoms, and is not its own doing, is the better word for it.
        rivals = {other for symptom in verdict.cause.explains for other in ancestors(symptom)}
        above |= {other for other in rivals if verdict.cause.id not in {other, *ancestors(other)}}
    return "explained" if above & active else "root"


def _status(findings: tuple[Finding, ...], checks: tuple[Check, ...], undecided: t.Mapping[str, str]) -> Status:
    """A node is cleared by what was seen, never by what could not be looked at."""
    kinds = {f.cause.kind for f in findings if f.role == "root"}
    if "external" in kinds:
        return "external"
    if kinds - {"not-a-node-fault"}:
        return "faulty"
    if undecided or not all(c.ok for c in checks):
        return "unknown"
    return "not-a-node-fault" if kinds else "healthy"
