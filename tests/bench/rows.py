# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rows of docs/results/bench.json (design.md section 6)."""

from __future__ import annotations

import typing as t
from statistics import median

Row = dict[str, t.Any]


def ratio(case: str, pairs: list[tuple[float, float]], goal: float, note: str = "") -> Row:
    """Ours to theirs, pair by pair; the median counts. Never divides by zero: a clock that stood still is no pair."""
    ratios = [round(ours / theirs, 2) for ours, theirs in pairs if theirs > 0]
    middle = round(median(ratios), 2)
    seen = {"ratio": middle, "ratios": ratios, "pairs": pairs}
    return {
        "case": case,
        "kind": "ratio",
        "expected": {"ratio": f"<= {goal}"},
        "seen": seen,
        "ok": middle <= goal,
        "seconds": round(median(ours for ours, _theirs in pairs), 2),
        "note": note,
    }


def limit(case: str, value: float, goal: float, note: str = "", more: dict[str, t.Any] | None = None) -> Row:
    """A value with a limit of its own."""
    return {
        "case": case,
        "kind": "limit",
        "expected": {"value": f"<= {goal}"},
        "seen": {"value": round(value, 2), **(more or {})},
        "ok": value <= goal,
        "seconds": None,
        "note": note,
    }


def line(row: Row) -> str:
    """One row for a person who watches."""
    value = row["seen"].get("ratio", row["seen"].get("value"))
    wanted = next(iter(row["expected"].values()))
    return f"{'reached' if row['ok'] else 'MISSED':8} {row['case']:48} {value}  (goal {wanted})"
