# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!
"""Whose a cordon is, and what is to be done about it. Pure.

An annotation says that a cordon is ours: who set it, when by the API server's clock, and why. Whatever has none is
somebody else's and is never taken off. One whose ``spec.unschedulable`` was last written by another manager is somebody
else's too: a person took ours off and set another, which kubectl does without touching our annotations.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass
from datetime import datetime

from .cluster import Node
from .evidence import JSON, Undecided
from .signs import instant

BY: t.Final = "outward.kubelet/cordoned-by"
AT: t.Final = "outward.kubelet/cordoned-at"
WHY: t.Final = "outward.kubelet/cordoned-because"
ANNOTATIONS: t.Final = (BY, AT, WHY)
MANAGER: t.Final = "outward.kubelet"  # the field manager of what we write: the API server takes it from our User-Agent


@dataclass(frozen=True)
class Mark:
    """Who sets a cordon and why."""

    by: str
    why: str


@dataclass(frozen=True)
class Move:
    """What is to be written to the Node (None: nothing), and why."""

    patch: JSON
    why: str


def ours(node: Node) -> bool:
    """The Node is cordoned, and by us."""
    return node.unschedulable and BY in node.annotations and _written_by_us(node)


def _written_by_us(node: Node) -> bool:
    """A listing that does not say who wrote it, or a server that does not keep it: then the annotation alone counts."""
    try:
        return node.unschedulable_by in ("", MANAGER)
    except Undecided:
        return True


def told(node: Node) -> str:
    """Our cordon in words: who, when, why."""
    said = node.annotations
    return f"cordoned by {said[BY]} at {said.get(AT, 'an unknown time')} ({said.get(WHY, 'no reason given')})"


def state(node: Node) -> JSON:
    """``cordoned``, ``ours``, and for ours ``by``, ``at`` and ``why``; None where that is not known."""
    mine = ours(node)
    names = {"by": BY, "at": AT, "why": WHY}
    return {
        "cordoned": node.unschedulable,
        "ours": mine,
        **{key: node.annotations.get(name) if mine else None for key, name in names.items()},
    }


def cordon(node: Node, mark: Mark, now: datetime) -> Move:
    """Set ours, unless there is one."""
    if node.unschedulable:
        return Move(None, told(node) if ours(node) else "somebody else has cordoned it; that cordon stays theirs")
    notes = {BY: mark.by, AT: instant(now), WHY: mark.why}
    return Move(_patch(node, True, notes), f"cordoned by {mark.by} ({mark.why})")


def uncordon(node: Node) -> Move:
    """Take ours off, or what is left of it, and no other."""
    gone: dict[str, str | None] = {name: None for name in ANNOTATIONS if name in node.annotations}
    if ours(node):
        return Move(_patch(node, None, gone), f"our cordon is taken off: it was {told(node)}")
    if gone:
        words = "somebody else has cordoned it since" if node.unschedulable else "somebody has taken our cordon off"
        return Move(_patch(node, node.unschedulable or None, gone), f"{words}: our annotations are removed")
    return Move(
        None, "somebody else has cordoned it; that cordon stays" if node.unschedulable else "it is not cordoned"
    )


def _patch(node: Node, unschedulable: bool | None, annotations: t.Mapping[str, str | None]) -> JSON:
    """A merge patch (RFC 7386) that the API server refuses when the Node has changed since it was read."""
    same = node.unschedulable == bool(unschedulable)
    spec: JSON = {} if same else {"spec": {"unschedulable": unschedulable}}
    return {"metadata": {"resourceVersion": node.resource_version, "annotations": dict(annotations)}, **spec}


def patched(node: Node, move: Move) -> JSON:
    """What the Node's cordon is before and after *move*, for a diff."""
    before = {"unschedulable": node.unschedulable, "annotations": _notes(node.annotations)}
    if move.patch is None:
        return {"before": before, "after": before}
    told_of = {**node.annotations, **move.patch["metadata"]["annotations"]}
    wanted = move.patch.get("spec", {}).get("unschedulable", node.unschedulable)
    return {"before": before, "after": {"unschedulable": bool(wanted), "annotations": _notes(told_of)}}


def _notes(annotations: t.Mapping[str, str | None]) -> dict[str, str]:
    return {name: value for name, value in annotations.items() if name in ANNOTATIONS and value is not None}
