# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Write docs/causes.md from the cause objects: ``python -m tests.tools.causes``; the test compares it with the code."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.diagnose import RULES, outward
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.registry import Cause
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.steps import RENEW, STEPS
from tests.faults.table import NOT_INJECTED

RESULTS = Path(__file__).resolve().parents[2] / "docs" / "results" / "matrix.json"
PAGE = Path(__file__).resolve().parents[2] / "docs" / "causes.md"
HEAD = """# Causes

What this release recognises, in the order in which it looks: from the kubelet outward. Written from the code by
`make docs`; how often each was right on the real cluster stands in [matrix.md](matrix.md).

A *restart* of the kubelet `helps`, is `useless`, or is `harmful`: it would make things worse. *By us* names the step
that repairs the cause without a person (or *contains* it until a person comes), and the level of `outward_automate` that
permits it. *Proved*: in how many runs on a real node that was broken for it the verdict was exactly right; causes without
a figure rest on sources and recorded lines alone.

"""


def page() -> str:
    """The whole page."""
    assert RULES  # importing them is what fills the registry
    seen = json.loads(RESULTS.read_text())["rows"]
    rows = [row(cause, proved(cause, seen)) for cause in outward()]
    table = "| cause | what happened | restart | by us | proved |\n|---|---|---|---|---|\n" + "".join(rows)
    details = "".join(detail(cause) for cause in outward())
    steps = "".join(f"- `{name}`: {text}\n" for name, text in STEPS.items())
    return f"{HEAD}{table}\n## Steps\n\n{steps}\n## Why we think so, and what to type\n{details}"


def proved(cause: Cause, rows: list[dict[str, t.Any]]) -> str:
    """Right verdicts of those runs on a real node in which this cause was one of the roots; empty: there was none."""
    runs = [row for row in rows if row["ok"] is not None and cause.id in row["expected"]["root_causes"]]
    return f"{sum(row['ok'] for row in runs)} of {len(runs)}" if runs else ""


def row(cause: Cause, proof: str) -> str:
    """One line of the table."""
    ours = f"`{cause.repair}` ({cause.automate})" if cause.repair else ""
    ours += f"; `{RENEW}`" if cause.renewed else ""
    ours = f"`{cause.contain}` contains ({cause.automate})" if cause.contain else ours
    return f"| [`{cause.id}`](#{cause.id}) | {cause.title} | {cause.restart} | {ours} | {proof} |\n"


def detail(cause: Cause) -> str:
    """One section."""
    downstream = ", ".join(f"`{name}`" for name in cause.explains) or "nothing else"
    unproved = f"\n- not injected: {NOT_INJECTED[cause.id]}" if cause.id in NOT_INJECTED else ""
    return (
        f"\n### {cause.id}\n\n{cause.title} (layer {cause.layer}, {cause.kind}). {cause.why}\n\n"
        f"- a restart is {cause.restart}: {cause.refusal}\n- explains: {downstream}\n- next: `{cause.advice}`{unproved}\n"
    )


if __name__ == "__main__":
    PAGE.write_text(page())
