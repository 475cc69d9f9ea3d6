# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``python -m tests.mustnot``: situations in which a recovery must not act; zero actions, and the right words each."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import re
import subprocess
import sys
import tempfile
import time
import typing as t
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from tests.chaos import outside
from tests.chaos.play import Ended, Player
from tests.chaos.verdict import refusals
from tests.faults.lab import NotInjected, inject, undo
from tests.lab._lab import Lab, open_lab
from tests.lab._model import LabError, default_paths
from tests.matrix.results import MARKS, ROOT, Results, Row, commit, unrun
from tests.matrix.row import NotReset, locked, reset, too_few, versions_of

from .cases import BUDGET, CASES, Case
from .verdict import mistakes, quoted

MODE: t.Final = "must-not-act"
DRAIN: t.Final = "outward.kubelet.node_drain"


def blank(id: str, kind: str, host: str, expected: dict[str, t.Any]) -> Row:
    """A row that has not been run."""
    return unrun(id, kind=kind, mode=MODE, host=host, at=commit(), expected=expected)


def row(case: Case, lab: Lab, host: str, workers: list[str]) -> tuple[Row, dict[str, str]]:
    """One row, and the versions that were seen. Never raises for a row that could not be run."""
    expected = {"actions": [], "outcome": list(case.outcomes), "words": case.words}
    entry = blank(case.id, case.kind, host, expected)
    if lack := too_few(case.workers, workers):
        return {**entry, "note": lack}, {}
    try:
        with tempfile.TemporaryDirectory(prefix="outward-mustnot-") as name:
            return measured(case, lab, host, Path(name), entry)
    except (NotReset, NotInjected, LabError) as why:
        return {**entry, "note": f"could not be run: {why}"}, {}


def measured(case: Case, lab: Lab, host: str, place: Path, entry: Row) -> tuple[Row, dict[str, str]]:
    """Bring it about, look, run, look again."""
    player = Player(cap=1, variables=case.variables)
    reset(host)
    with undone(case, host):
        inject(case.fault, host)
        if case.again:
            player(host, place)
            inject(case.fault, host)
        before = outside.look(lab, host)
        start = time.monotonic()
        ended = player(host, place)
        seconds = round(time.monotonic() - start, 1)
        after = outside.look(lab, host)
        # Of a cluster without an API server it is known only when that is back.
        if not lab.kubectl.ready():
            undo(case.fault, host)
        item, held = outside.node(lab, host), outside.holders(outside.leases(lab), datetime.now(UTC))
    wrong = [*mistakes(case, ended, before, after, item), *(f"lock of {holder}" for holder in held)]
    found = {**seen(ended), "words": quoted(case, ended)}
    versions = versions_of(ended.report) if ended.report else {}
    return {**entry, "seen": found, "ok": not wrong, "seconds": seconds, "note": "; ".join(wrong)}, versions


@contextlib.contextmanager
def undone(case: Case, host: str) -> Iterator[None]:
    """What was done beside the node is taken back, whatever happens; the node itself is reset before the next row."""
    try:
        yield
    finally:
        if case.fault.scope == "cluster":
            undo(case.fault, host)


def seen(ended: Ended) -> dict[str, t.Any]:
    """The run in a row's words."""
    report = ended.report or {}
    return {
        "outcome": report.get("outcome", "no report"),
        "root_causes": report.get("diagnosis", {}).get("root_causes", []),
        "actions": [action["step"] for action in report.get("actions", ())],
        "refused": refusals(report),
        "status": ended.status,
    }


def drained(host: str) -> Row:
    """The row about a budget that never allows an eviction, out of one run of tests/drain."""
    expected = {"outcome": ["failed"], "words": "the budget's name", "left": "the Pods that the budget guards"}
    entry = blank(f"drain: {BUDGET}", "drain", host, expected)
    with tempfile.TemporaryDirectory(prefix="outward-mustnot-") as name:
        path = Path(name) / "drain.json"
        words = ["--host", host, "--only", BUDGET, "--tool", DRAIN, "--results", str(path)]
        subprocess.run([sys.executable, "-m", "tests.drain", *words], cwd=ROOT, check=False)
        rows = json.loads(path.read_text())["rows"] if path.exists() else []
    if not rows:
        return {**entry, "note": "could not be run: tests.drain wrote no row"}
    return {**entry, **{key: rows[0][key] for key in ("seen", "ok", "seconds", "note")}}


def line(entry: Row) -> str:
    """One row for a person who watches."""
    mark = MARKS[entry["ok"]]
    found = entry["seen"] or {}
    words = f"{entry['note']} {found.get('refused', '')}" if entry["note"] else found.get("words", "")
    return f"{mark:8} {entry['case']:48} {entry['seconds'] or 0:6.1f} s  {words}"


def main() -> int:
    """0 when every row that could be run is right."""
    parser = argparse.ArgumentParser(prog="python -m tests.mustnot", description=__doc__)
    parser.add_argument("--host", default="pi-04")
    parser.add_argument("--only", default="", help="rows whose name has this regular expression")
    parser.add_argument("--again", action="store_true", help="also rows that are already there")
    parser.add_argument("--results", type=Path, default=ROOT / "docs" / "results" / "must-not-act.json")
    options = parser.parse_args()
    lab, results = open_lab(default_paths(os.environ, Path.home())), Results(options.results, "make must-not-act")
    workers = [item["metadata"]["name"] for item in lab.kubectl.list("nodes")]
    cases = {case.id: case for case in CASES}
    names = [name for name in (*cases, f"drain: {BUDGET}") if re.search(options.only, name)]
    for name in names:
        if not options.again and results.done(name, MODE, commit()):
            continue
        if name not in cases:
            entry, versions = drained(options.host), dict[str, str]()
        else:
            with locked(*(workers if cases[name].fault.scope == "cluster" else [options.host])):
                entry, versions = row(cases[name], lab, options.host, workers)
        results.put(entry, versions)
        print(line(entry), flush=True)
    with locked(options.host):
        reset(options.host)
    return 1 if any(entry["ok"] is False for entry in results.rows if entry["case"] in names) else 0


if __name__ == "__main__":
    sys.exit(main())
