# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""What a cause is, and the registry that every rule enters itself into.

A rule is a generator: it yields the lines of evidence that prove its cause, and yields nothing when the
cause does not hold. It never does I/O, never parses, and never asks whether a probe failed.
"""

from __future__ import annotations

import typing as t
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from .cluster import ClusterEvidence
from .evidence import Undecided
from .node import NodeEvidence

Rule = Callable[[NodeEvidence, ClusterEvidence], Iterator[str]]
Predicate = Callable[[NodeEvidence, ClusterEvidence], bool]
# In the order in which we look: from the kubelet outward.
Layer = t.Literal[
    "kubelet", "runtime", "auth", "clock", "pressure", "network", "storage", "kernel", "control-plane", "application"
]
Kind = t.Literal["root", "derived", "symptom", "external", "not-a-node-fault"]
Effect = t.Literal["helps", "partial", "useless", "harmful"]
Level = t.Literal["safe", "guarded", "manual"]


@dataclass(frozen=True)
class Cause:
    """One failure mode: how it is recognised, what it explains, and what may be done about it."""

    id: str
    layer: Layer
    kind: Kind
    title: str  # the cause in one sentence for a person
    restart: Effect  # what a restart of the kubelet does to it
    refusal: str  # why a restart is (not) the remedy, in one clause
    automate: Level
    repair: str | None  # name of our step that cures it; None: a person does
    explains: tuple[str, ...]  # ids of causes and symptoms downstream of it
    advice: str  # the one thing to type next; {node}, {host}, {unit}, ... are filled in
    latent: Predicate | None  # when it holds, the fault is there and has no effect yet
    rule: Rule
    contain: str | None = None  # name of our step that keeps it from spreading until a person comes; it cures nothing
    renewed: bool = (
        False  # a new client certificate cures it too: a run that may renew one does that, and not the repair
    )

    @property
    def why(self) -> str:
        """The expert's reason, from the rule's docstring."""
        return " ".join((self.rule.__doc__ or "").split())

    @property
    def keeps_from_ready(self) -> bool:
        """Whether the kubelet does not run while it is there, or does not come to Ready."""
        return not {"sym:kubelet-crashloop", "sym:node-unknown", "sym:node-notready"}.isdisjoint(self.explains)

    @property
    def stops_a_start(self) -> bool:
        """Whether a kubelet that starts while it is there does not come up, or not to Ready."""
        return self.restart == "harmful" or (self.restart != "helps" and self.keeps_from_ready)


@dataclass(frozen=True)
class Verdict:
    """What one rule said: its evidence (empty: does not hold), or why it could not tell."""

    cause: Cause
    evidence: tuple[str, ...]
    latent: bool
    undecided: str | None


CAUSES: dict[str, Cause] = {}


def cause(
    *,
    id: str,
    layer: Layer,
    title: str,
    restart: Effect,
    refusal: str,
    advice: str,
    kind: Kind = "root",
    automate: Level = "manual",
    repair: str | None = None,
    explains: tuple[str, ...] = (),
    latent: Predicate | None = None,
    contain: str | None = None,
    renewed: bool = False,
) -> Callable[[Rule], Rule]:
    """Enter a rule into :data:`CAUSES`; raises ``ValueError`` for an id that is taken."""

    def enter(rule: Rule) -> Rule:
        if id in CAUSES:
            raise ValueError(f"two causes are called {id}")
        told = (id, layer, kind, title, restart, refusal, automate, repair, explains, advice, latent, rule)
        CAUSES[id] = Cause(*told, contain, renewed)
        return rule

    return enter


def judge(cause: Cause, node: NodeEvidence, cluster: ClusterEvidence) -> Verdict:
    """Ask one rule."""
    try:
        evidence = tuple(cause.rule(node, cluster))
    except Undecided as why:
        return Verdict(cause, (), False, str(why))
    return Verdict(cause, evidence, bool(evidence) and _is_latent(cause, node, cluster), None)


def _is_latent(cause: Cause, node: NodeEvidence, cluster: ClusterEvidence) -> bool:
    """A root is a claim that the fault has an effect; when that cannot be told, it is not claimed."""
    if cause.latent is None:
        return False
    try:
        return cause.latent(node, cluster)
    except Undecided:
        return True
