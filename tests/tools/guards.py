# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Write docs/guards.md from what was measured of the guards: ``python -m tests.tools.guards``."""

from __future__ import annotations

import typing as t
from pathlib import Path

from tests.matrix.results import Row

from .measured import DOCS, RESULTS, Section
from .measured import page as written

PAGE: t.Final = DOCS / "guards.md"
HEAD: t.Final = """<!-- Written by `python3 -m tests.tools.guards` from docs/results; do not edit. -->
# What keeps the cluster safe from us

Each row was run against real nodes and a real API server. Our playbooks and `node_drain` had the access that we ship, the
two other drains an admin's. What a row expects, what was seen and which commit it was stand in the files named below.
"""


def _words(row: Row) -> tuple[str, ...]:
    seen = row["seen"] or {}
    return (seen.get("outcome") or seen.get("end", "-"), str(seen.get("words") or seen.get("said") or "")[:300])


def _twice(row: Row) -> tuple[str, ...]:
    seen = row["seen"] or {"first": {}, "second": {}, "left": []}
    return (*(seen[run].get("outcome", "-") for run in ("first", "second")), ", ".join(seen["left"]) or "nothing")


def _together(row: Row) -> tuple[str, ...]:
    seen = row["seen"] or {"outcomes": {}}
    ends = "; ".join(f"{host}: {', '.join(outcomes)}" for host, outcomes in seen["outcomes"].items())
    return (str(row["expected"]["in_hand_at_most"]), str(seen.get("in_hand", "-")), str(seen.get("down", "-")), ends)


def _drained(row: Row) -> tuple[str, ...]:
    seen = row["seen"] or {}
    return (row["mode"], seen.get("end", "-"), str(seen.get("left", "-")), "yes" if seen.get("named") else "no")


def _refused(row: Row) -> tuple[str, ...]:
    errors = (row["seen"] or {}).get("errors")
    return (str(errors[0]) if errors else "no error",)


SECTIONS: t.Final = (
    Section(
        "must-not-act.json",
        "Where nothing may be done",
        "A run that may act meets a situation in which it must not. Right: not one action, by the node's own units and "
        "ledger, and the words that a person needs.",
        ("outcome", "what it said"),
        _words,
    ),
    Section(
        "chaos.json",
        "Interrupted",
        "A recovery is interrupted, then one more ordinary run follows. Right: that run ends healthy, recovered or refused "
        "with a reason, and within minutes nothing of ours is left on the node, in the API or on the controller.",
        ("interrupted run", "next run", "left"),
        _twice,
    ),
    Section(
        "concurrency.json",
        "Several runs at once",
        "Right: never more nodes in hand or kubelets down than the cap, seen by watching the API and the units from the "
        "outside, and each node recovered exactly once.",
        ("cap", "in hand at most", "kubelets down at most", "outcomes"),
        _together,
    ),
    Section(
        "drain.json",
        "Drain, side by side",
        "The same Pods, drained by each tool. Right is judged by what is left and whether the tool named the reason.",
        ("tool", "end", "Pods left", "named the reason"),
        _drained,
        by="mode",
    ),
    Section(
        "rbac.json",
        "Each right taken away in turn",
        "Right: one error that names the right, before anything is touched.",
        ("error",),
        _refused,
    ),
)


def page(results: Path = RESULTS) -> str:
    """The whole page."""
    return written(HEAD, SECTIONS, results)


if __name__ == "__main__":
    PAGE.write_text(page())
