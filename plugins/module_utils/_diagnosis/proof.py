# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""The proof that an action worked: evidence newer than the action, never "Ready is True" alone."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass
from datetime import datetime, timedelta

from .cluster import ClusterEvidence, Node, Pod
from .diagnose import evicts
from .evidence import Undecided
from .explain import chosen
from .health import examine, ready
from .node import NodeEvidence
from .registry import CAUSES, Cause, judge
from .repair import REPAIRS
from .signs import running
from .steps import JOIN, RENEW, STARTING, follow_up


@dataclass(frozen=True)
class Action:
    """One step that was taken for one cause."""

    step: str
    cause: str
    effective: t.Optional[datetime] = None  # of a repair: when it had been done, by the node's clock


@dataclass(frozen=True)
class Proof:
    """``checks``: name -> True, False, or None for "nobody could tell"; all must be True.

    ``in_the_way``: the ids of root causes that have to be mended before that can be.
    """

    checks: dict[str, t.Optional[bool]]
    in_the_way: tuple[str, ...] = ()

    @property
    def proven(self) -> bool:
        """Everything was shown."""
        return bool(self.checks) and all(self.checks.values())

    @property
    def missing(self) -> list[str]:
        """The checks that were not shown."""
        return [name for name, ok in self.checks.items() if not ok]


@dataclass(frozen=True)
class Moment:
    """What was known of the node and of the cluster at one time."""

    node: NodeEvidence
    cluster: ClusterEvidence


def prove(actions: tuple[Action, ...], before: Moment, after: Moment) -> Proof:
    """Compare the evidence from before *actions* with that from after them. Pure."""
    checks: dict[str, t.Optional[bool]] = {c.name: c.ok for c in examine(after.node, after.cluster)}
    for action in actions:
        for name, question in _questions(action).items():
            checks[name] = checks.get(name, True) and _ask(question, action, before, after)
    return Proof(checks)


def left(root_causes: t.Iterable[str], steps: t.Collection[str]) -> list[Cause]:
    """The roots on this node that none of *steps* is for."""
    found = [CAUSES[cause] for cause in root_causes if cause in CAUSES]
    return [cause for cause in found if cause.kind == "root" and _cures(cause).isdisjoint(steps)]


def _cures(cause: Cause) -> set[str]:
    return {*follow_up(cause.repair), *((RENEW,) if cause.renewed else ())}


def in_the_way(others: t.Iterable[Cause], proof: Proof, after: Moment) -> tuple[str, ...]:
    """The ids of *others* that are still there and keep the node from Ready, when what was acted upon is gone.

    Nothing was done for them, so that no waiting shows the rest of *proof*.
    """
    if proof.proven or not proof.checks.get("cause_gone"):
        return ()
    verdicts = [judge(cause, after.node, after.cluster) for cause in others if cause.keeps_from_ready]
    return tuple(verdict.cause.id for verdict in verdicts if verdict.evidence and not verdict.latent)


def _questions(action: Action) -> dict[str, Question]:
    """What is not done for a cause of the catalogue has none to be gone; of a machine that becomes a node, more is asked."""
    asked = {n: question for n, question in QUESTIONS.items() if n not in KUBELET_ONLY or action.step in STARTING}
    if action.cause not in CAUSES:
        del asked["cause_gone"]
    return {**asked, **(OF_A_JOIN if action.step == JOIN else {})}


def _ask(question: Question, action: Action, before: Moment, after: Moment) -> bool | None:
    try:
        return question(action, before, after)
    except Undecided:
        return None


def survived(proof: Proof, after: NodeEvidence, later: Moment) -> Proof:
    """*proof* with what the soak adds: the kubelet was not restarted and still answers, and the API has it as Ready.

    A kubelet whose runtime has just come back can post Ready=False once more, up to 10 s after it had posted True.
    """
    calm, still = _calm(after, later.node), _ready(later)
    return Proof({**proof.checks, "no_restart_during_soak": calm, "ready_after_soak": still})


def _ready(moment: Moment) -> bool | None:
    try:
        return ready(moment.node, moment.cluster)
    except Undecided:
        return None


def _calm(after: NodeEvidence, later: NodeEvidence) -> bool | None:
    try:
        first, second = after.kubelet.unit, later.kubelet.unit
        same = (first.invocation_id, first.main_pid) == (second.invocation_id, second.main_pid)
        return same and running(second) and later.kubelet.healthz.outcome == "ok"
    except Undecided:
        return None


def began(action: Action, node: NodeEvidence) -> datetime:
    """When the process that the action started began, by the node's own clock, which also writes the Lease."""
    if action.effective is not None and action.step in REPAIRS:
        return action.effective
    unit = node.kubelet.unit if action.step in STARTING else node.runtime.unit
    if unit.started is None:
        return node.observed
    # The clock is read right after the uptime; the look ends seconds later, and a Lease of these seconds counts.
    return node.clock.now - timedelta(seconds=node.identity.uptime - unit.started)


def new_process(action: Action, before: Moment, after: Moment) -> bool:
    """Another invocation of the unit, or another main process."""
    old, new = before.node.kubelet.unit, after.node.kubelet.unit
    return (old.invocation_id, old.main_pid) != (new.invocation_id, new.main_pid) and running(new)


def lease_renewed(action: Action, before: Moment, after: Moment) -> bool:
    """The Lease moved, and by the clock that writes it (the kubelet's) later than the new process began."""
    if after.cluster.node is None or after.cluster.node.lease is None:
        return False
    lease = after.cluster.node.lease
    earlier = before.cluster.node.lease if before.cluster.node else None
    moved = earlier is None or earlier.resource_version != lease.resource_version
    return moved and lease.renewed > began(action, after.node)


def ready_reported(action: Action, before: Moment, after: Moment) -> bool:
    """Ready was posted by the kubelet after the new process began (seconds: the API keeps no fractions)."""
    condition = after.cluster.node.condition("Ready") if after.cluster.node else None
    if condition is None or condition.heartbeat is None:
        return False
    return condition.heartbeat >= began(action, after.node).replace(microsecond=0)


def pods_run_again(action: Action, before: Moment, after: Moment) -> bool:
    """As :func:`run_again`; a Node that the API did not have before had no Pods."""
    if before.cluster.node is None or after.cluster.node is None:
        return before.cluster.node is None
    return run_again(action.cause, before.cluster.node, after.cluster.node)


def run_again(cause: str, before: Node, after: Node) -> bool:
    """Every Pod that ran before is ready, or is not on this node any more, or the kubelet evicted it for this very *cause*."""
    gone = {pod.uid for pod in after.pods if pod.reason == "Evicted" and evicts(cause)}
    now = {pod.uid: pod for pod in after.pods if pod.uid not in gone}
    return all(_fine(now.get(pod.uid)) for pod in before.pods if _was_running(pod))


def cause_gone(action: Action, before: Moment, after: Moment) -> bool:
    """The rule of the cause does not fire on the fresh evidence."""
    (cause,) = chosen([action.cause])
    return not tuple(cause.rule(after.node, after.cluster))


def node_is_this_machine(action: Action, before: Moment, after: Moment) -> bool:
    """By what the kubelet has told the API of the machine that it runs on."""
    return after.cluster.node is not None and after.cluster.node.machine_id == after.node.identity.machine_id


def pods_started(action: Action, before: Moment, after: Moment) -> bool:
    """Those that every node has; whether an application works is not the node's affair."""
    pods = after.cluster.node.pods if after.cluster.node else ()
    own = [pod for pod in pods if pod.owner.startswith("DaemonSet/") and not pod.deleting]
    return all(any(c.state != "waiting" for c in pod.containers) for pod in own)


def _was_running(pod: Pod) -> bool:
    return pod.phase == "Running" and not pod.deleting and all(c.state == "running" for c in pod.containers)


def _fine(pod: Pod | None) -> bool:
    return pod is None or pod.ready or pod.deleting


Question = t.Callable[[Action, Moment, Moment], bool]
QUESTIONS: t.Final[dict[str, Question]] = {
    "new_process": new_process,
    "lease_renewed_after_action": lease_renewed,
    "ready_reported_after_action": ready_reported,
    "pods_run_again": pods_run_again,
    "cause_gone": cause_gone,
}
OF_A_JOIN: t.Final[dict[str, Question]] = {
    "node_is_this_machine": node_is_this_machine,
    "pods_started": pods_started,
}
# What is true of the node and not yet on the way to the API: as long as it is not, the node is looked at again.
OF_THE_NODE: t.Final = frozenset(
    {"kubelet_answers", "kubelet_calm", "runtime_ready", "network_ready", "new_process", "cause_gone"}
)
# Starting containerd leaves the kubelet's process alone; Ready may not even have changed yet.
KUBELET_ONLY: t.Final = frozenset({"new_process", "ready_reported_after_action"})
