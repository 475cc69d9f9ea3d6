# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether an interruption came to a good end. Pure: what was seen in, sentences out."""

from __future__ import annotations

import re
import signal
import typing as t

from tests.matrix.playbook import Report

from .play import Ended
from .points import Point

# What one more ordinary run may come to; a refusal has to say why.
GOOD: t.Final = frozenset({"healthy", "recovered"})
TOLD: t.Final = re.compile(r"was interrupted|which had \S+ in hand|left it unproven")


def seen(ended: Ended) -> dict[str, t.Any]:
    """One run in a row's words."""
    report = ended.report or {}
    return {
        "status": ended.status,
        "outcome": report.get("outcome", "no report"),
        "finished": bool(report.get("finished")),
        "actions": [f"{action['step']} ({action['result']})" for action in report.get("actions", ())],
        "refused": refusals(report),
        "notes": [*report.get("notes", ()), *(text for text in (_took_over(report),) if text)],
        "seconds": ended.seconds,
    }


def refusals(report: Report) -> list[str]:
    """Why steps were not taken."""
    return [f"{step['step']}: {step['why']}" for step in report.get("plan", ()) if not step["permitted"]]


def _took_over(report: Report) -> str:
    return str((report.get("lock") or {}).get("took_over") or "")


def mistakes(point: Point, first: Ended, second: Ended, works: str, left: t.Sequence[str]) -> list[str]:
    """Everything that is not as it should be; nothing when the row is right.

    *works*: what keeps the node from working after the second run, by others' words; *left*: what of ours is there.
    """
    wrong = _first(point, first)
    got = seen(second)
    refused = got["outcome"] == "refused" and any(got["refused"])
    if got["outcome"] not in GOOD and not refused:
        wrong.append(f"the next run ended {got['outcome']}")
    if got["outcome"] in GOOD and works:
        wrong.append(f"the next run ended {got['outcome']}, and {works}")
    if second.status != (0 if got["outcome"] in GOOD else 2):
        wrong.append(f"the next run has the exit status {second.status}")
    if not got["finished"]:
        wrong.append("the next run has no finished report")
    if point.told and not any(TOLD.search(note) for note in got["notes"]):
        wrong.append("the next run does not say that one was interrupted")
    return wrong + [f"left: {thing}" for thing in left]


def _first(point: Point, first: Ended) -> list[str]:
    wrong = []
    if not point.event and first.status != -signal.SIGKILL:
        wrong.append(f"it was not killed: status {first.status}")
    if point.event and (first.status is None or first.status < 0):
        wrong.append("the run did not end by itself")
    if point.says and not re.search(point.says, " ".join(first.output.split())):
        wrong.append(f"it does not say {point.says!r}")
    if point.event == "report-dir-full" and first.status == 0:
        wrong.append("a run whose report could not be written ended with 0")
    return wrong
