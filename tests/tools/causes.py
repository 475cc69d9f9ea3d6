# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Write docs/causes.md from the cause objects: ``python -m tests.tools.causes``; the test compares it with the code."""

from __future__ import annotations

from pathlib import Path

from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.diagnose import RULES
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.plan import STEPS
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.registry import Cause, outward

PAGE = Path(__file__).resolve().parents[2] / "docs" / "causes.md"
HEAD = """# Causes

What this release recognises, in the order in which it looks: from the kubelet outward. Written from the code by
`make docs`; how often each was right on the real cluster stands in [matrix.md](matrix.md).

A *restart* of the kubelet `helps`, is `useless`, or is `harmful`: it would make things worse. *By us* names the step
that repairs the cause without a person, and the level of `outward_automate` that permits it.

"""


def page() -> str:
    """The whole page."""
    assert RULES  # importing them is what fills the registry
    rows = [row(cause) for cause in outward()]
    table = "| cause | what happened | restart | by us |\n|---|---|---|---|\n" + "".join(rows)
    details = "".join(detail(cause) for cause in outward())
    steps = "".join(f"- `{name}`: {text}\n" for name, text in STEPS.items())
    return f"{HEAD}{table}\n## Steps\n\n{steps}\n## Why we think so, and what to type\n{details}"


def row(cause: Cause) -> str:
    """One line of the table."""
    ours = f"`{cause.repair}` ({cause.automate})" if cause.repair else ""
    return f"| [`{cause.id}`](#{cause.id}) | {cause.title} | {cause.restart} | {ours} |\n"


def detail(cause: Cause) -> str:
    """One section."""
    downstream = ", ".join(f"`{name}`" for name in cause.explains) or "nothing else"
    return (
        f"\n### {cause.id}\n\n{cause.title} (layer {cause.layer}, {cause.kind}). {cause.why}\n\n"
        f"- a restart is {cause.restart}: {cause.refusal}\n- explains: {downstream}\n- next: `{cause.advice}`\n"
    )


if __name__ == "__main__":
    PAGE.write_text(page())
