# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether a repair was taken back, by its report and by the node. Pure: what was seen in, sentences out."""

from __future__ import annotations

import re
import typing as t
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tests.chaos.play import Ended

from .places import Fingerprint, copied, differences, unwatched
from .tree import FORCED

BACK: t.Final = "taken back: "
PUT_BACK: t.Final = "what was there before was put back"  # as a step says it that is no repair
# What came of it is told behind what was done, and is nothing that could be taken back.
CAME_OF_IT: t.Final = re.compile(r"freed |\S+ was started at once")
# How the report says that something is not as it was.
NOT_BACK: t.Final = re.compile(r"taken back in part|cannot be taken back|could not take back")


@dataclass(frozen=True)
class Kept:
    """What of a step stays when it is taken back, and why; the report has to say it in these words."""

    words: str  # a regular expression
    places: str  # a regular expression of what may be different on the node
    why: str


@dataclass(frozen=True)
class Seen:
    """One run: the step, the node before and after, where the step works, and what of ours is left."""

    step: str
    ended: Ended
    before: Fingerprint
    after: Fingerprint
    wanted: Sequence[str]
    left: Sequence[str]

    @property
    def action(self) -> dict[str, t.Any]:
        """The step as the report has it; empty when it was not taken."""
        actions = (self.ended.report or {}).get("actions", ())
        return next((action for action in actions if action["step"] == self.step), {})

    @property
    def undone(self) -> list[str]:
        """What it says was taken back; a step that is no repair says it in the report's notes."""
        notes = (self.ended.report or {}).get("notes", ())
        return self.action.get("undone") or [note for note in notes if note == PUT_BACK]


def told(seen: Seen) -> dict[str, t.Any]:
    """The row's ``seen``."""
    report = seen.ended.report or {}
    return {
        "outcome": report.get("outcome", "no report"),
        "status": seen.ended.status,
        "actions": [f"{action['step']} ({action['result']})" for action in report.get("actions", ())],
        "changes": seen.action.get("changes", []),
        "undone": seen.undone,
        "proof_without_us": _said_no(seen) or "it held",
        "backup": len(seen.action.get("backup", [])),
        "different": differences(seen.before, seen.after, seen.wanted),
        "containers": f"{len(seen.before.containers & seen.after.containers)} of {len(seen.before.containers)} run on",
        "left": list(seen.left),
    }


def _said_no(seen: Seen) -> str:
    """What the proof missed of itself, beside the one that was forced."""
    found = re.match(r"not shown: ([\w, ]+)", seen.action.get("detail", ""))
    names = found.group(1).split(", ") if found else []
    return ", ".join(name for name in names if name != FORCED)


def mistakes(seen: Seen, kept: Kept | None) -> list[str]:
    """Everything that is not as it should be; nothing when the row is right."""
    if not seen.action:
        return [f"the step was not taken: {_reasons(seen)}"]
    return [*_report(seen), *_truth(seen, kept), *_node(seen, kept)]


def _reasons(seen: Seen) -> str:
    report = seen.ended.report or {}
    refused = [f"{step['step']}: {step['why']}" for step in report.get("plan", ()) if not step["permitted"]]
    roots = report.get("diagnosis", {}).get("root_causes", [])
    return f"{roots} {'; '.join(refused)} {report.get('error', '')} {seen.ended.output[-300:] if not report else ''}".strip()


def _report(seen: Seen) -> list[str]:
    report = seen.ended.report or {}
    wrong = []
    if seen.ended.status != 2 or report.get("outcome") != "failed":
        wrong.append(f"exit status {seen.ended.status}, outcome {report.get('outcome')}")
    if len(report["actions"]) != 1 or seen.action["result"] != "failed":
        wrong.append(f"actions: {[(action['step'], action['result']) for action in report['actions']]}")
    if FORCED not in seen.action["detail"]:
        wrong.append(f"it failed before the proof: {seen.action['detail']}")
    return wrong


def _truth(seen: Seen, kept: Kept | None) -> list[str]:
    """Each change is answered for; nothing is said to stay that has no reason to."""
    if "changes" not in seen.action:
        return [] if seen.undone else [f"it does not say that {PUT_BACK}"]
    undone = seen.undone
    silent = [words for words in seen.action["changes"] if not any(words in line for line in undone)]
    wrong = [f"nothing is said of: {words}" for words in silent if not CAME_OF_IT.match(words)]
    staying = [line for line in undone if not line.startswith(BACK)]
    wrong += [f"in other words: {line}" for line in staying if not NOT_BACK.match(line)]
    return wrong + [line for line in staying if not (kept and re.search(kept.words, line))]


def _node(seen: Seen, kept: Kept | None) -> list[str]:
    found: Mapping[str, str] = differences(seen.before, seen.after, seen.wanted)
    stays = [place for place in found if kept and re.fullmatch(kept.places, place)]
    wrong = [f"{place}: {was}" for place, was in found.items() if place not in stays]
    wrong += [f"no copy of what was {place}" for place in stays if not copied(place, seen.before, seen.after)]
    wrong += [f"nobody looks at {path}" for path in unwatched(seen.wanted)]
    gone = seen.before.containers - seen.after.containers
    wrong += [f"{len(gone)} of {len(seen.before.containers)} containers do not run on"] if gone else []
    return wrong + [f"left: {thing}" for thing in seen.left]
