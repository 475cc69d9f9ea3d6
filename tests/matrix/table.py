# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``python3 -m tests.matrix.table``: write docs/matrix.md from docs/results/matrix.json."""

from __future__ import annotations

import json
import sys
import typing as t
from pathlib import Path

from .results import ROOT, Row

SOURCE: t.Final = ROOT / "docs" / "results" / "matrix.json"
TARGET: t.Final = ROOT / "docs" / "matrix.md"
MARKS: t.Final = {True: "yes", False: "**no**", None: "not run"}
COLUMNS: t.Final = ("fault", "kind", "verdict", "outcome", "done", "API's Ready then", "seconds", "right", "note")
TITLES: t.Final = {
    "recover": "## Recovery: `node-recover.yml`",
    "diagnose": "## Diagnosis: `node-diagnose.yml`",
}


def cells(row: Row) -> list[str]:
    """One row of the table."""
    seen = row["seen"] or {}
    return [
        f"`{row['case']}`",
        row["kind"],
        ", ".join(f"`{cause}`" for cause in seen.get("root_causes", [])) or "-",
        seen.get("outcome", "-"),
        ", ".join(f"`{step}`" for step in seen.get("actions", [])) or "nothing",
        seen.get("api_ready", "-"),
        f"{row['seconds']:.0f}" if row["seconds"] else "-",
        MARKS[row["ok"]],
        " ".join(row["note"].replace("|", "/").split()),
    ]


def count(rows: list[Row]) -> str:
    """How many were right, of those that could be run, for each kind."""
    sentences = []
    for kind in dict.fromkeys(row["kind"] for row in rows):
        run = [row for row in rows if row["kind"] == kind and row["ok"] is not None]
        right = sum(row["ok"] for row in run)
        sentences.append(f"{kind}: {right} of {len(run)} right")
    missing = sum(row["ok"] is None for row in rows)
    return "; ".join(sentences) + (f"; {missing} could not be run" if missing else "") + "."


def page(data: dict[str, t.Any]) -> str:
    """The whole page."""
    versions = ", ".join(f"{name} {version}" for name, version in sorted(data["versions"].items()))
    lines = [
        "<!-- Written by `python3 -m tests.matrix.table` from docs/results/matrix.json; do not edit. -->",
        "# Every fault, injected for real",
        "",
        f"Made by `{data['made_by']}` on {data['date'][:10]} at commit {data['commit']}: {versions}.",
        "Each row is a clean node in a virtual machine, broken as `python3 -m tests.faults show FAULT` prints,",
        "and one run of the real playbook. Seconds count from the beginning of the injection to the end of the run,",
        "on an emulated CPU.",
    ]
    for mode, title in TITLES.items():
        rows = [row for row in data["rows"] if row["mode"] == mode]
        if rows:
            lines += ["", title, "", count(rows), "", _line(COLUMNS), _line(["---"] * len(COLUMNS))]
            lines += [_line(cells(row)) for row in rows]
    return "\n".join(lines) + "\n"


def _line(texts: t.Iterable[str]) -> str:
    return f"| {' | '.join(texts)} |"


def main(source: Path = SOURCE, target: Path = TARGET) -> int:
    """Write the page."""
    target.write_text(page(json.loads(source.read_text())))
    return 0


if __name__ == "__main__":
    sys.exit(main())
