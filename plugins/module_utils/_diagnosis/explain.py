# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Asking a rule why: what it looked for, what it saw, and why its cause holds or does not. Pure."""

from __future__ import annotations

import difflib
import json
import typing as t
from collections.abc import Iterable

from .cluster import ClusterEvidence
from .diagnose import Diagnosis, ancestors, outward
from .evidence import JSON, Unknown
from .node import NodeEvidence
from .registry import CAUSES, Cause, Verdict, judge
from .trace import Trace, shown

ALL: t.Final = "all"
MOST: t.Final = 40


class UnknownCause(ValueError):
    """Somebody asked for a cause that there is not; the text names those that are like it."""


def chosen(names: Iterable[str]) -> list[Cause]:
    """The causes that were asked for, each once, in the order of the question; ``all`` is every one, outward.

    Raises :class:`UnknownCause`.
    """
    wanted = list(dict.fromkeys(name.strip() for name in names if name.strip()))
    for name in wanted:
        if name != ALL and name not in CAUSES:
            raise UnknownCause(f"there is no cause {name[:80]!r}: {_hint(name[:80])}")
    return outward() if ALL in wanted else [CAUSES[name] for name in wanted]


def _hint(name: str) -> str:
    near = difflib.get_close_matches(name, CAUSES, 3, 0.5) or sorted(known for known in CAUSES if name in known)[:3]
    return f"did you mean {' or '.join(near)}?" if near else "docs/causes.md lists them; all asks every one"


def explanations(causes: Iterable[Cause], node: NodeEvidence, cluster: ClusterEvidence, diagnosis: Diagnosis) -> JSON:
    """What the report says of each of *causes*: its rule is run once more on evidence that remembers the looks."""
    trace = Trace()
    traced = trace.of(node, "node"), trace.of(cluster, "cluster")
    found = []
    for cause in causes:
        verdict = judge(cause, *traced)
        found.append(_explanation(verdict, trace, diagnosis))
    return found


def _explanation(verdict: Verdict, trace: Trace, diagnosis: Diagnosis) -> JSON:
    read, last = trace.take()
    answer, because = _positive(verdict, read, diagnosis) if verdict.evidence else _negative(verdict, read, last)
    looks = [{"field": path, "value": shown(value)} for path, value in read.items()]
    return {
        "cause": verdict.cause.id,
        "title": verdict.cause.title,
        "looked_for": verdict.cause.why,
        "answer": answer,
        "because": because,
        "evidence": list(verdict.evidence),
        "saw": looks[:MOST],
        "not_shown": max(0, len(looks) - MOST),
    }


def _negative(verdict: Verdict, read: dict[str, t.Any], last: str) -> tuple[str, str]:
    if verdict.undecided:
        return "undecided", "; ".join(_gaps(read)) or verdict.undecided
    value = read.get(last)
    words = f"{len(value)} in all" if isinstance(value, tuple) else compact(shown(value))
    looked = f"; what it looked at last: {last} ({words})" if last else ""
    return "does-not-hold", f"its rule ended without a proof{looked}"


def _positive(verdict: Verdict, read: dict[str, t.Any], diagnosis: Diagnosis) -> tuple[str, str]:
    if verdict.latent:
        gaps = _gaps(read)
        doubt = f"whether it has an effect cannot be told ({'; '.join(gaps)})" if gaps else "it has no effect yet"
        return "latent", f"its rule proves it, and {doubt}"
    above = ancestors(verdict.cause.id)
    by = [f.cause.id for f in diagnosis.findings if f.role != "latent" and f.cause.id in above]
    if by:
        return "explained", f"its rule proves it, and it follows from {' and '.join(by)}"
    return "holds", "its rule proves it, and it follows from nothing else that was found"


def _gaps(read: dict[str, t.Any]) -> list[str]:
    return [f"{path} is unknown: {value.reason}" for path, value in read.items() if isinstance(value, Unknown)]


def compact(value: JSON) -> str:
    """A value on one line."""
    return json.dumps(value)
