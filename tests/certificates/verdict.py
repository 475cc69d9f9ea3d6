# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether what was seen is what a case asks for. Pure."""

from __future__ import annotations

import typing as t

from tests.chaos.verdict import refusals
from tests.matrix.playbook import Report

LONGEST: t.Final = 600  # characters


def mistakes(expected: dict[str, t.Any], seen: dict[str, t.Any]) -> list[str]:
    """Everything that is not as expected; None is expected where nothing is asked for."""
    return [
        f"{name}: expected {want}, saw {seen[name]}"
        for name, want in expected.items()
        if want is not None and seen[name] != want
    ]


def why(report: Report) -> str:
    """What the run itself says of an end that is not a good one, in one line; empty: nothing."""
    failed = [f"{action['step']}: {action['detail']}" for action in report["actions"] if action["result"] == "failed"]
    unproven = [name for name, shown in report["proof"]["checks"].items() if not shown]
    told = [
        report.get("error", ""),
        *failed,
        *refusals(report),
        f"not proven: {', '.join(unproven)}" if unproven else "",
        *report["diagnosis"]["unknown"],
        *report.get("notes", ()),
    ]
    return " ".join("; ".join(text for text in told if text).split())[:LONGEST]
