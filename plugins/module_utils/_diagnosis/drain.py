# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!
"""Which Pods a drain evicts, waits for, leaves or refuses to touch. Pure; the loop over the API is in ``_kube``."""

from __future__ import annotations

import typing as t
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from .cluster import Node, Pod
from .signs import instant, lease_expired
from .workload import bare, finished, name, of_daemonset

Verdict = t.Literal["evict", "wait", "leave", "refuse"]
# Kubernetes deletes a Pod with a grace of 0 from the API at once, without the kubelet's word (rest.BeforeDelete).
UNCONFIRMED: t.Final = 0
SHORTEST: t.Final = 1


@dataclass(frozen=True)
class Allowed:
    """What the person who drains has allowed; ``silent``: why the kubelet cannot confirm anything, empty: it can."""

    bare: bool = False
    empty_dir: bool = False
    grace: int | None = None  # seconds for every Pod; None: each Pod's own
    silent: str = ""


@dataclass(frozen=True)
class Fate:
    """What becomes of one Pod, and why, in one clause."""

    pod: Pod
    verdict: Verdict
    why: str


def fate(pod: Pod, allowed: Allowed) -> Fate:
    """The rules of ``kubectl drain``, in its order, but for two: what is terminating is only waited for, and a bare Pod and
    an emptyDir each need leave of their own.
    """
    if pod.mirror:
        return Fate(pod, "leave", "a static Pod: its file on the node is what counts")
    if of_daemonset(pod) and not finished(pod):
        return Fate(pod, "leave", f"of {pod.owner}: it would be back at once")
    if pod.deleting:
        return Fate(pod, "wait", "it is terminating already")
    if finished(pod):
        return Fate(pod, "evict", f"it has ended ({pod.phase})")
    missing = [words for words, permitted in _needs(pod, allowed) if not permitted]
    if missing:
        return Fate(pod, "refuse", " and ".join(missing))
    return Fate(pod, "evict", "; ".join([*(words for words, dummy in _needs(pod, allowed)), *_stays_behind(pod)]))


def _needs(pod: Pod, allowed: Allowed) -> list[tuple[str, bool]]:
    needs = [("nobody would make it again (delete_bare_pods)", allowed.bare)] if bare(pod) else []
    if "emptyDir" in pod.storage:
        needs.append(("the data in its emptyDir would be lost (delete_emptydir_data)", allowed.empty_dir))
    return needs


def _stays_behind(pod: Pod) -> list[str]:
    left = [kind for kind in pod.storage if kind != "emptyDir"]
    return [f"its data stays on this node ({', '.join(left)})"] if left else []


def fates(pods: Iterable[Pod], allowed: Allowed) -> tuple[Fate, ...]:
    """One for each Pod, in the order of their names."""
    return tuple(fate(pod, allowed) for pod in sorted(pods, key=name))


def refusal(found: Iterable[Fate], allowed: Allowed) -> str | None:
    """The one error that names everything that needs leave; None: nothing does."""
    if allowed.silent and allowed.grace == UNCONFIRMED:
        return (
            f"grace_period 0 deletes Pods from the API without the kubelet's word, and {allowed.silent}:"
            " they may still run, and a second one would start; leave grace_period out"
        )
    refused = [f"{name(f.pod)}: {f.why}" for f in found if f.verdict == "refuse"]
    return "; ".join(refused) or None


def grace(pod: Pod, allowed: Allowed) -> int | None:
    """``gracePeriodSeconds`` of its eviction; None: the Pod's own, as the API server knows it.

    Under a silent kubelet a grace of 0 would take a Pod that may still run out of the API, so it becomes 1.
    """
    wanted = pod.grace if allowed.grace is None else allowed.grace
    if allowed.silent and wanted == UNCONFIRMED and not finished(pod):
        return SHORTEST
    return allowed.grace


def silence(node: Node, now: datetime) -> str:
    """Why nobody can confirm the end of a Pod; empty: the kubelet can, or may yet.

    Both must say so: a Lease alone looks old when the node's clock is wrong, and Ready alone can be of before.
    """
    ready = node.condition("Ready")
    if ready is None or ready.status != "Unknown":
        return ""
    if node.lease is None:
        return "its kubelet is silent: it has no Lease"
    if not lease_expired(node.lease, now):
        return ""
    return f"its kubelet is silent since {instant(node.lease.renewed)}"


def lingers(pod: Pod, silent: str) -> str:
    """Why a Pod that is terminating is still there."""
    until = f" since its grace period ended at {instant(pod.deletion)}" if pod.deletion else ""
    if pod.finalizers:
        return f"terminating{until}: waits for its finalizers {', '.join(pod.finalizers)}"
    return f"terminating{until}: {silent or 'its kubelet has not confirmed the end'}"
