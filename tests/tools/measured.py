# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Pages about what was measured: a table for each file of docs/results, whatever of them there is yet."""

from __future__ import annotations

import json
import typing as t
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.matrix.results import ROOT, Row
from tests.matrix.table import MARKS, count, head, line, took

DOCS: t.Final = ROOT / "docs"
RESULTS: t.Final = DOCS / "results"


@dataclass(frozen=True)
class Section:
    """The table of one file: its columns beside the case, the time and the mark, and what stands in them."""

    file: str
    title: str
    about: str
    columns: tuple[str, ...]
    cells: Callable[[Row], tuple[str, ...]]
    by: str = "kind"  # what right rows are counted by


def page(top: str, sections: Sequence[Section], results: Path = RESULTS) -> str:
    """The whole page; a file that nobody has made has no section."""
    parts = [_section(part, results / part.file) for part in sections if (results / part.file).exists()]
    return "\n".join([top, *parts])


def _section(part: Section, path: Path) -> str:
    data = json.loads(path.read_text())
    counted = count(data["rows"], part.by)
    lines = [f"## {part.title}", "", part.about, ""]
    lines += [f"`{data['made_by']}` writes [{part.file}](results/{part.file}). {counted}", ""]
    lines += head(("case", *part.columns, "time", "right", "note"))
    for row in data["rows"]:
        lines.append(line((row["case"], *part.cells(row), took(row), MARKS[row["ok"]], row["note"])))
    return "\n".join(lines) + "\n"
