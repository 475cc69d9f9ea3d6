# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!
"""What runs on a node, and what would be lost when it goes away or is drained. Pure.

It is said in the plan before anything is done. What the API does not show is unknown and is said to be.
"""

from __future__ import annotations

import functools
import typing as t
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from .cluster import Budget, ClusterEvidence, Node, Pod
from .evidence import JSON, Undecided
from .repair import REPAIRS
from .steps import CORDON, RENEW, RESTART, START_RUNTIME

SHOWN: t.Final = 5  # names in one line
FINISHED: t.Final = frozenset({"Succeeded", "Failed"})


def name(pod: Pod) -> str:
    """namespace/name."""
    return f"{pod.namespace}/{pod.name}"


def finished(pod: Pod) -> bool:
    """Its containers have ended for good."""
    return pod.phase in FINISHED


def of_daemonset(pod: Pod) -> bool:
    """The same Pod would come back to the same node at once, cordoned or not."""
    return pod.owner.startswith("DaemonSet/")


def stateful(pod: Pod) -> bool:
    """It has an identity of which there must never be two: of a StatefulSet."""
    return pod.owner.startswith("StatefulSet/")


def stays(pod: Pod) -> bool:
    """No drain touches it: a static Pod is the kubelet's own, and a DaemonSet's would be back at once."""
    return pod.mirror or of_daemonset(pod)


def bare(pod: Pod) -> bool:
    """Nobody would make it again."""
    return not pod.owner and not pod.mirror


def single(pod: Pod) -> bool:
    """Nobody else does its work meanwhile: no other Pod of its owner is ready."""
    return bool(pod.owner) and not of_daemonset(pod) and pod.siblings == 0


def blockers(pod: Pod, budgets: Iterable[Budget]) -> tuple[Budget, ...]:
    """The budgets that do not permit its eviction now; two of them never do, whatever they allow.

    A Pod that has not begun or has ended is evicted without asking them (pkg/registry/core/pod/storage/eviction.go).
    """
    if pod.phase != "Running" or pod.deleting:
        return ()
    covering = tuple(b for b in budgets if b.namespace == pod.namespace and b.name in pod.budgets)
    if len(covering) > 1:
        return covering
    return tuple(b for b in covering if b.allowed < 1 and (pod.ready or not _free(b)))


def _free(budget: Budget) -> bool:
    """Whether a Pod that is not ready may go without being counted."""
    return budget.frees_unready or 0 < budget.desired <= budget.healthy


def told(budget: Budget) -> str:
    """A budget in words."""
    figures = f"it allows {budget.allowed} disruptions, {budget.healthy} of {budget.desired} needed Pods are healthy"
    return f"PodDisruptionBudget {budget.namespace}/{budget.name}: {figures}"


def blocking(pod: Pod, budgets: Iterable[Budget]) -> str:
    """Why no budget lets it go now; empty: none is against it."""
    found = blockers(pod, budgets)
    if len(found) > 1:
        names = ", ".join(f"{b.namespace}/{b.name}" for b in found)
        return f"the PodDisruptionBudgets {names} cover it together, and the API then evicts never"
    return told(found[0]) if found else ""


@dataclass(frozen=True)
class Question:
    """One kind of loss: how the report calls it, what a person reads, and which Pods it is about."""

    key: str
    words: str
    asks: Callable[[Pod], bool]


QUESTIONS: t.Final = (
    Question("daemonset", "of DaemonSets", of_daemonset),
    Question("static", "static", lambda pod: pod.mirror),
    Question("stateful", "of StatefulSets", stateful),
    Question("bare", "bare, which nobody would make again", bare),
    Question("storage", "with data on this node only", lambda pod: bool(pod.storage) and not stays(pod)),
    Question("single", "without a ready sibling elsewhere", single),
)
LOSSES: t.Final = ("bare", "storage", "single")


def describe(node: Node) -> JSON:
    """``pods`` (how many), a list of names for each of :data:`QUESTIONS`, and ``blocked``: Pod -> why, by a budget.

    What nobody could tell is ``{"unknown": reason}``. Raises :class:`Undecided` when the Pods themselves are unknown.
    """
    pods = [pod for pod in node.pods if not finished(pod)]
    found: dict[str, t.Any] = {"pods": len(pods)}
    for question in QUESTIONS:
        found[question.key] = _known(functools.partial(_those, question, pods))
    found["blocked"] = _known(lambda: _blocked(pods, node.budgets))
    return found


def _those(question: Question, pods: Iterable[Pod]) -> list[str]:
    return [name(pod) for pod in pods if question.asks(pod)]


def _blocked(pods: Iterable[Pod], budgets: Iterable[Budget]) -> dict[str, str]:
    said = {name(pod): blocking(pod, budgets) for pod in pods if not stays(pod)}
    return {pod: why for pod, why in said.items() if why}


def _known(answer: Callable[[], t.Any]) -> t.Any:
    try:
        return answer()
    except Undecided as why:
        return {"unknown": str(why)}


def notes(step: str, cluster: ClusterEvidence) -> tuple[str, ...]:
    """What the plan says of *step* before it is done: what runs there, and why it does or does not drain."""
    if step not in WHY_NO_DRAIN:
        return ()
    try:
        if cluster.node is None or step == CORDON:  # what runs on such a node the report says elsewhere (outside.py)
            return (WHY_NO_DRAIN[step],)
        found = describe(cluster.node)
    except Undecided as why:
        return (f"what runs there is unknown: {why}", WHY_NO_DRAIN[step])
    return (runs(found), f"{WHY_NO_DRAIN[step]}{_would(found)}")


def runs(found: JSON) -> str:
    """What runs there, in one line."""
    kinds = [_share(found[q.key], q.words) for q in QUESTIONS if q.key not in LOSSES]
    shown = ", ".join(kind for kind in kinds if kind)
    count = found["pods"]
    return ("1 Pod runs there" if count == 1 else f"{count} Pods run there") + (f", {shown}" if shown else "")


def losses(found: JSON) -> str:
    """What would be lost or stopped without the node, in one line; empty: nothing."""
    words = {q.key: q.words for q in QUESTIONS}
    shares = [_share(found[key], words[key], named=True) for key in LOSSES]
    return "; ".join(share for share in shares if share)


def _would(found: JSON) -> str:
    """What a drain would come up against."""
    lost, blocked = losses(found), found["blocked"]
    cost = f"; a drain would cost: {lost}" if lost else ""
    if "unknown" in blocked:
        return f"{cost}; what budgets allow is unknown ({blocked['unknown']})"
    held = {why: [pod for pod, other in blocked.items() if other == why] for why in blocked.values()}
    by_whom = "; ".join(f"{_some(pods)} ({why})" for why, pods in held.items())
    return cost + (f"; a drain would be held up at {by_whom}" if by_whom else "")


def _share(pods: t.Any, words: str, *, named: bool = False) -> str:
    if isinstance(pods, dict):
        return f"how many are {words} is unknown"
    if not pods:
        return ""
    return f"{len(pods)} {words}" + (f" ({_some(pods)})" if named else "")


def _some(texts: list[str]) -> str:
    more = f" and {len(texts) - SHOWN} more" if len(texts) > SHOWN else ""
    return ", ".join(texts[:SHOWN]) + more


WHY_NO_DRAIN: t.Final = {
    RESTART: "no drain: containers run on while the kubelet is started",
    START_RUNTIME: "no drain: containers run on while containerd is started",
    RENEW: "no drain: containers run on while the kubelet is started",
    **dict.fromkeys(REPAIRS, "no drain: containers run on while this is done"),
    CORDON: "no drain: nobody can confirm that a Pod of this node has ended, and a second one of it must not start",
}
