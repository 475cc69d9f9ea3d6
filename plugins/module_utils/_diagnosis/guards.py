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
from datetime import datetime

from . import cordon
from .causes.joining import PATIENCE, requests, since_issued, waiting
from .cluster import ClusterEvidence, Fleet
from .diagnose import Diagnosis, Finding, ancestors
from .evidence import Undecided
from .registry import CAUSES, Cause
from .signing import CLIENT
from .signs import api_now, instant, some
from .steps import CORDON, RENEW, RENEWED, RESTART, STARTING, follow_up
from .windows import Window

HANDS_OFF: t.Final = "outward.kubelet/hands-off"
KUBERNETES: t.Final = ("node.kubernetes.io/", "node-role.kubernetes.io/")  # taints that are no person's reason
QUOTED: t.Final = 200  # characters of what somebody else has written

Automate = t.Literal["none", "safe", "guarded"]


@dataclass(frozen=True)
class Policy:
    """What the person who runs us allows: the variables outward_ of the same names, but for the last four."""

    automate: Automate = "guarded"
    max_unavailable: int = 1
    control_plane: bool = False
    hands_off: str = ""  # why nothing may be done; empty: it may
    maintenance: tuple[Window, ...] = ()  # when somebody else works on the nodes
    reason: str = ""  # a person's, to do what the ledger or somebody else's cordon refuses
    certificates: bool = False  # whether this run renews client certificates, which takes rights of its own
    allowed: frozenset[str] = frozenset()  # steps that are permitted whatever the level of their cause (outward_steps)
    forbidden: frozenset[str] = frozenset()
    locked: bool = False  # this node is in our hands; what others have in theirs no longer makes us wait, it counts


def cure(cause: Cause, policy: Policy) -> str | None:
    """Our step for *cause* in a run that is allowed what *policy* says; None: a person does it, or another playbook."""
    if policy.certificates and cause.renewed:
        return RENEW
    return None if cause.repair == RENEW and not policy.certificates else cause.repair


Guard = Callable[[Finding, Diagnosis, ClusterEvidence, Policy], t.Optional[str]]


def scope(finding: Finding, diagnosis: Diagnosis, cluster: ClusterEvidence, policy: Policy) -> str | None:
    """Nothing is done on a node while the fault is outside it."""
    outside = [f.cause.title for f in diagnosis.roots if f.cause.kind == "external"]
    return f"frozen: {outside[0]}" if outside else None


def hands_off(finding: Finding, diagnosis: Diagnosis, cluster: ClusterEvidence, policy: Policy) -> str | None:
    """Somebody has said so: by outward_hands_off, or by an annotation of the Node that colleagues see too."""
    return _hands_off(cluster, policy)


def _hands_off(cluster: ClusterEvidence, policy: Policy) -> str | None:
    if policy.hands_off:
        return f"hands off, says outward_hands_off: {policy.hands_off}"
    if cluster.node is not None and HANDS_OFF in cluster.node.annotations:
        why = cluster.node.annotations[HANDS_OFF].strip() or "without a reason"
        return (
            f"hands off, says the Node's annotation {HANDS_OFF}: {why[:QUOTED]};"
            f" to lift it: kubectl annotate node {cluster.name} {HANDS_OFF}-"
        )
    return None


def maintenance(finding: Finding, diagnosis: Diagnosis, cluster: ClusterEvidence, policy: Policy) -> str | None:
    """Inside a maintenance window somebody else works on the nodes; by the API server's clock."""
    return _maintenance(cluster, policy)


def intentions(cluster: ClusterEvidence, policy: Policy) -> tuple[str, ...]:
    """What people have said of this Node or of this hour; it holds for a machine that is no node yet too."""
    return tuple(words for words in (_hands_off(cluster, policy), _maintenance(cluster, policy)) if words)


def _maintenance(cluster: ClusterEvidence, policy: Policy) -> str | None:
    now = api_now(cluster) if policy.maintenance else None
    for window in policy.maintenance if now else ():
        until = window.until(t.cast(datetime, now))
        if until is not None:
            return f"hands off until {instant(until)}: the maintenance window {window.text} of outward_maintenance"
    return None


def upkeep(finding: Finding, diagnosis: Diagnosis, cluster: ClusterEvidence, policy: Policy) -> str | None:
    """Software that is being exchanged on the node; what is half-installed looks broken, and is not."""
    working = diagnosis.node.kernel.upkeep
    return f"at work on the node: {', '.join(working)}; run this again when it has ended" if working else None


def foreign_cordon(finding: Finding, diagnosis: Diagnosis, cluster: ClusterEvidence, policy: Policy) -> str | None:
    """A cordon that is not ours is somebody's intention, and perhaps he is at the board right now."""
    if cluster.node is None or not cluster.node.unschedulable or cordon.ours(cluster.node):
        return None
    if policy.reason:
        return None
    taints = [f"{x.key}={x.value}".rstrip("=") for x in cluster.node.taints if not x.key.startswith(KUBERNETES)]
    named = f" (its taints: {', '.join(taints)[:QUOTED]})" if taints else ""
    return f"somebody has cordoned it{named}: ask who, or give your reason in outward_reason"


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


def doubt_outside(finding: Finding, diagnosis: Diagnosis, cluster: ClusterEvidence, policy: Policy) -> str | None:
    """A cordon is right whatever is wrong on the node; that nothing outside it explains the silence must be known."""
    for cause in sorted(diagnosis.undecided):
        if CAUSES[cause].kind == "external" and finding.cause.id in CAUSES[cause].explains:
            return f"cannot rule out {cause}: {diagnosis.undecided[cause]}"
    return None


def latent_faults(finding: Finding, diagnosis: Diagnosis, cluster: ClusterEvidence, policy: Policy) -> str | None:
    """A restart would bring a latent fault to effect, unless it is one that the same step cures."""
    step = cure(finding.cause, policy)
    cured = RENEWED if step == RENEW else frozenset()
    hidden = [
        f.cause.id
        for f in diagnosis.findings
        if f.role == "latent" and f.cause.stops_a_start and f.cause.repair not in cured
    ]
    if STARTING & set(follow_up(step)) and hidden:
        return f"the kubelet would not come back: {', '.join(hidden)}"
    return None


def signer(finding: Finding, diagnosis: Diagnosis, cluster: ClusterEvidence, policy: Policy) -> str | None:
    """Nothing is given up for a new certificate while nobody issues one."""
    if cure(finding.cause, policy) != RENEW:
        return None
    late = [
        r for r in since_issued(requests(cluster, CLIENT)) if r.state == "approved" and waiting(r, cluster, PATIENCE)
    ]
    return (
        f"{late[-1].name} is approved and not issued: look at the signer of kube-controller-manager" if late else None
    )


def automation(finding: Finding, diagnosis: Diagnosis, cluster: ClusterEvidence, policy: Policy) -> str | None:
    """outward_automate: none, safe, guarded; and what outward_steps says of a step by its name."""
    step = cure(finding.cause, policy)
    steps = {*follow_up(step), *((CORDON,) if finding.cause.contain else ())}
    forbidden = sorted(steps & policy.forbidden)
    if forbidden:
        return f"outward_steps forbids {', '.join(forbidden)}"
    if {step, finding.cause.contain} & policy.allowed:
        return None
    allowed = {"none": (), "safe": ("safe",), "guarded": ("safe", "guarded")}[policy.automate]
    if finding.cause.automate not in allowed:
        return f"{finding.cause.id} is {finding.cause.automate}, and outward_automate is {policy.automate}"
    return None


def control_plane(finding: Finding, diagnosis: Diagnosis, cluster: ClusterEvidence, policy: Policy) -> str | None:
    """Control-plane nodes only when they are named, and never below etcd's quorum, which lives on them when stacked."""
    if not (cluster.node and cluster.node.control_plane):
        return None
    if not policy.control_plane:
        return "it is a control-plane node, and outward_control_plane is not set for this host"
    every = set(cluster.fleet.control_plane) | {cluster.name}
    left = every - {cluster.name, *_down(cluster.fleet), *cluster.fleet.in_hand}
    if 2 * len(left) <= len(every):
        return (
            f"without it {len(left)} of {len(every)} control-plane nodes would be Ready, and etcd needs more than half"
        )
    return None


def capacity(finding: Finding, diagnosis: Diagnosis, cluster: ClusterEvidence, policy: Policy) -> str | None:
    """An absolute cap on Nodes that are unavailable for whatever reason, this one included."""
    return crowded(cluster, policy)


def crowded(cluster: ClusterEvidence, policy: Policy) -> str | None:
    """The same, whatever is to be done."""
    others = set(cluster.fleet.unavailable) - {cluster.name}
    if policy.locked:
        others |= set(cluster.fleet.in_hand) - {cluster.name}
    if len(others) + 1 <= policy.max_unavailable:
        return None
    # What is being recovered by another run comes back, and the lock waits for that.
    others -= set() if policy.locked else _in_hand(cluster.fleet)
    if len(others) + 1 <= policy.max_unavailable:
        return None
    return (
        f"{some(sorted(others))} unavailable too: with this node {len(others) + 1},"
        f" and outward_max_unavailable is {policy.max_unavailable}"
    )


def last_node(finding: Finding, diagnosis: Diagnosis, cluster: ClusterEvidence, policy: Policy) -> str | None:
    """Never the last Node that can take Pods; one whose kubelet does not answer takes none, whatever Ready says."""
    if (
        _answers(diagnosis) is False
        or cluster.name in cluster.fleet.unavailable
        or cluster.name not in cluster.fleet.able
    ):
        return None
    if not set(cluster.fleet.able) - {cluster.name, *cluster.fleet.in_hand}:
        return "it is the last node that can take Pods: no other is Ready, schedulable and without a taint"
    return None


def flapping(finding: Finding, diagnosis: Diagnosis, cluster: ClusterEvidence, policy: Policy) -> str | None:
    """Ready that comes and goes over a quiet, healthy kubelet is the path's or the control plane's doing."""
    signs = {signal.id: signal for signal in diagnosis.signals}
    turns = signs.get("flapping")
    if RESTART not in follow_up(finding.cause.repair) or turns is None or finding.cause.id in turns.explained:
        return None
    calm = {check.name: check.ok for check in diagnosis.checks}
    if "noise" in signs or not (calm.get("kubelet_answers") and calm.get("kubelet_calm")):
        return None
    return f"{turns.evidence[0]}, and its kubelet is quiet and healthy: look at the way to the API server"


def _down(fleet: Fleet) -> set[str]:
    """Not Ready or without a valid Lease; a cordon does not stop etcd."""
    return {*fleet.not_ready, *fleet.silent, *fleet.expired_leases}


def _in_hand(fleet: Fleet) -> set[str]:
    """What an older listing does not say is in nobody's hands, which refuses more."""
    try:
        return set(fleet.in_hand)
    except Undecided:
        return set()


def _answers(diagnosis: Diagnosis) -> bool | None:
    return next((check.ok for check in diagnosis.checks if check.name == "kubelet_answers"), None)


GUARDS: tuple[Guard, ...] = (
    scope,
    hands_off,
    maintenance,
    upkeep,
    foreign_cordon,
    single_root,
    no_doubt,
    latent_faults,
    flapping,
    signer,
    automation,
    control_plane,
    capacity,
    last_node,
)
# For a step that cures nothing and stops nothing that runs: what only a login could tell (which cause on the node it is,
# and whether software is being exchanged there) does not make it wrong. All that the cluster can tell does.
CONTAINMENT: tuple[Guard, ...] = (*(guard for guard in GUARDS if guard not in (upkeep, no_doubt)), doubt_outside)
