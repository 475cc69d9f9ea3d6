# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What was to be seen after a drain, and whether it is what the case asks for. Pure."""

from __future__ import annotations

import re
import typing as t

from tests.lab._kubectl import Object

from .cases import Case
from .tools import Ended

FINISHED: t.Final = {"Succeeded", "Failed"}


def seen(case: Case, ended: Ended, before: set[str], after: list[Object], node: Object) -> dict[str, t.Any]:
    """``end`` as the tool says; how many of the Pods from *before* (UIDs) are left on the node; whether it is cordoned;
    whether the tool *named* what the case is about; of what was terminating, whether it was evicted once more.
    """
    left = [pod for pod in after if pod["metadata"]["uid"] in before and pod["status"].get("phase") not in FINISHED]
    return {
        "end": "done" if ended.ok else "failed",
        "left": len(left),
        "cordoned": bool(node["spec"].get("unschedulable")),
        "named": bool(re.search(case.words, ended.text, re.IGNORECASE)),
    }


def evicted(pods: list[Object]) -> bool:
    """Whether one of them bears the mark of the eviction API."""
    marks = (c for pod in pods for c in pod["status"].get("conditions") or ())
    return any(c["type"] == "DisruptionTarget" and c.get("reason") == "EvictionByEvictionAPI" for c in marks)


def mistakes(case: Case, found: dict[str, t.Any], seconds: float) -> list[str]:
    """Everything that is not as the case asks; nothing when the row is right."""
    wrong = [f"{key}: expected {want}, saw {found[key]}" for key, want in case.expected.items() if found[key] != want]
    least, most = case.within
    if not least <= seconds <= most:
        wrong.append(f"took {seconds:.0f} s, not {least:.0f} to {most:.0f}")
    return wrong
