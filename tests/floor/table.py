# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``python3 -m tests.floor.table``: write docs/floor.md from docs/results/floor.json."""

from __future__ import annotations

import json
import sys
import typing as t
from pathlib import Path
from statistics import median

from tests.matrix.results import ROOT, Row
from tests.matrix.table import head, line

from .hand import BLIND_LEAST, BLIND_TIMES

SOURCE: t.Final = ROOT / "docs" / "results" / "floor.json"
TARGET: t.Final = ROOT / "docs" / "floor.md"
COLUMNS: t.Final = (
    "fault",
    "node-recover",
    "of it before a change",
    "by hand",
    "ratio",
    "a blind restart of the kubelet",
    "note",
)


def seconds(value: float | None, otherwise: str = "not reached") -> str:
    """A time for a person."""
    return otherwise if value is None else f"{value:.0f} s"


def blind(tried: dict[str, t.Any] | None) -> str:
    """What a blind restart did."""
    if tried is None:
        return "not tried"
    return f"cures, {seconds(tried['seconds'])}" if tried["cured"] else "does not cure"


def cells(row: Row) -> list[str]:
    """One row of the table."""
    seen = row["seen"]
    if not seen:
        return [f"`{row['case']}`", "not run", "-", "not run", "-", "not run", row["note"]]
    ratio = "-" if seen["ratio"] is None else f"{seen['ratio']:.2f}"
    times = [seconds(seen["recovered"]), seconds(seen.get("looked"), "-"), seconds(seen["by_hand"])]
    return [f"`{row['case']}`", *times, ratio, blind(seen["blind_restart"]), row["note"]]


def summary(rows: list[Row]) -> str:
    """The medians, of it all and from the first change on, and what a blind restart would have done."""
    seen = [row["seen"] for row in rows if row["seen"]]
    ratios = [each["ratio"] for each in seen if each["ratio"] is not None]
    tried = [each["blind_restart"] for each in seen if each["blind_restart"]]
    middle = f"median ratio {median(ratios):.2f} over {len(ratios)} faults" if ratios else "no pair was measured"
    looked = [each for each in seen if each.get("looked")]
    waited = [each["looked"] for each in looked]
    before = f"; {median(waited):.0f} s (median) pass before anything is changed" if waited else ""
    acted = [(each["recovered"] - each["looked"]) / each["by_hand"] for each in looked if each["ratio"]]
    before += f", and what comes after takes {median(acted):.2f} times what the hands took" if acted else ""
    cured = sum(each["cured"] for each in tried)
    given = f"within {BLIND_TIMES:.0f} times what the hands took, {BLIND_LEAST:.0f} s at least"
    return f"{middle}{before}; a blind restart cured {cured} of {len(tried)} {given}."


def page(data: dict[str, t.Any]) -> str:
    """The whole page."""
    versions = ", ".join(f"{name} {version}" for name, version in sorted(data["versions"].items()))
    lines = [
        "<!-- Written by `python3 -m tests.floor.table` from docs/results/floor.json; do not edit. -->",
        "# A recovery beside the hands of a person who knows",
        "",
        f"Made by `{data['made_by']}` on {data['date'][:10]} at commit {data['commit']}: {versions}.",
        "Each row is one node in a virtual machine, broken anew for each way: `node-recover.yml` from its start to its",
        "proven end (without the soak), the same repair typed over ssh at once by somebody who needs no diagnosis, until",
        "the API shows what our proof waits for too (Ready, a new Lease, no pressure, the Pods that ran are ready) and the",
        "symptom is gone, and `systemctl restart kubelet` alone, which",
        "cured when no diagnosis names the fault again within the time that it may take to take hold either.",
        "`node-diagnose.yml` ran there once in this boot before it was broken, as a schedule does: the first run of a boot",
        "takes longer, since the node's code is compiled then. A node whose kubelet does not answer is left until the API shows",
        "it, some 50 s: before that nobody is told, and it is luck how soon a kubelet that is started posts Ready. Only the blind",
        "restart does not wait for that.",
        "",
        f"**{summary(data['rows'])[0].upper()}{summary(data['rows'])[1:]}**",
        "",
        *head(COLUMNS),
        *(line(cells(row)) for row in data["rows"]),
    ]
    return "\n".join(lines) + "\n"


def main(source: Path = SOURCE) -> int:
    """Write the page; only of the rows that are kept."""
    if source == SOURCE and source.exists():
        TARGET.write_text(page(json.loads(source.read_text())))
    return 0


if __name__ == "__main__":
    sys.exit(main())
