# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``python3 -m tests.matrix.table``: write docs/matrix.md from docs/results/matrix.json."""

from __future__ import annotations

import json
import sys
import typing as t
from pathlib import Path

from tests.faults.pairs import PAIRS

from .results import ROOT, Row

SOURCE: t.Final = ROOT / "docs" / "results" / "matrix.json"
TARGET: t.Final = ROOT / "docs" / "matrix.md"
MARKS: t.Final = {True: "yes", False: "**no**", None: "not run"}
COLUMNS: t.Final = (
    "fault",
    "kind",
    "verdict",
    "outcome",
    "done",
    "verdict after",
    "Ready changed after",
    "right",
    "note",
)
ALIKE: t.Final = ("fault", "looks like", "both show", "what tells them apart", "told apart")
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
        took(row),
        changed(row),
        MARKS[row["ok"]],
        row["note"],
    ]


def took(row: Row) -> str:
    """How long it took."""
    return f"{row['seconds']:.0f} s" if row["seconds"] else "-"


def changed(row: Row) -> str:
    """When the API's Ready condition changed, counted from the injection as the verdict is."""
    if row.get("ready_changed_after") is not None:
        return f"{row['ready_changed_after']:.0f} s"
    return f"not within {row['ready_watched']:.0f} s" if row.get("ready_watched") else "-"


def look_alikes(rows: list[Row]) -> list[str]:
    """The table of faults that people take for each other; both must have been named right."""
    right = {row["case"]: row["ok"] for row in rows}
    lines = head(ALIKE)
    for pair in PAIRS:
        marks = {right.get(pair.first), right.get(pair.second)}
        mark = "yes" if marks == {True} else "not run" if None in marks else "**no**"
        lines.append(line([f"`{pair.first}`", f"`{pair.second}`", pair.alike, pair.apart, mark]))
    return lines


def count(rows: list[Row], by: str = "kind") -> str:
    """How many were right, of those that could be run, for each kind (or what else rows are told apart *by*)."""
    sentences = []
    for kind in dict.fromkeys(row[by] for row in rows):
        run = [row for row in rows if row[by] == kind and row["ok"] is not None]
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
        "and one run of the real playbook. Times count from the beginning of the injection: until the playbook has",
        "ended, and until the Ready condition of the Node changed, on an emulated CPU.",
    ]
    for mode, title in TITLES.items():
        rows = [row for row in data["rows"] if row["mode"] == mode]
        if rows:
            lines += ["", title, "", count(rows), "", *head(COLUMNS)]
            lines += [line(cells(row)) for row in rows]
        if rows and mode == "diagnose":
            lines += ["", "## Look-alikes", "", *look_alikes(rows)]
    return "\n".join(lines) + "\n"


def head(columns: t.Sequence[str]) -> list[str]:
    """The first two lines of a table."""
    return [line(columns), line(["---"] * len(columns))]


def line(texts: t.Iterable[str]) -> str:
    """One line of a table; no cell can break it."""
    return f"| {' | '.join(' '.join(text.replace('|', '/').split()) for text in texts)} |"


def main(source: Path = SOURCE, target: Path = TARGET) -> int:
    """Write the page."""
    target.write_text(page(json.loads(source.read_text())))
    return 0


if __name__ == "__main__":
    sys.exit(main())
