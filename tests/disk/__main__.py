# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``python -m tests.disk``: a disk filled in one way after another; what is freed, what is kept, and who is named."""

from __future__ import annotations

import argparse
import os
import re
import sys
import tempfile
import time
import typing as t
from pathlib import Path

from tests.chaos.play import Player
from tests.faults.lab import NotInjected, inject
from tests.lab._lab import Lab, open_lab
from tests.lab._model import LabError, default_paths, parse_host
from tests.matrix.results import MARKS, ROOT, Results, Row, commit, unrun
from tests.matrix.row import NotReset, locked, reset, versions_of

from .verdict import CASES, Case, View, seen, view, wanted, wrong

MODE: t.Final = "disk"
LOOKER: t.Final = Path(__file__).with_name("looker.py")


def look(lab: Lab, host: str, path: str) -> View:
    """The node's disk now. Raises LabError."""
    return view(lab.guest(parse_host(host)).run(f"python3 - {path} <<'LOOK'\n{LOOKER.read_text()}LOOK\n", timeout=120))


def row(case: Case, lab: Lab, host: str) -> tuple[Row, dict[str, str]]:
    """One row, and the versions that were seen. Never raises for a row that could not be run."""
    entry = unrun(case.fault.id, kind=case.kind, mode=MODE, host=host, at=commit(), expected=wanted(case, host))
    entry["note"] = case.fault.note
    try:
        reset(host)
        inject(case.fault, host)
        before, start = look(lab, host, case.path), time.monotonic()
        with tempfile.TemporaryDirectory(prefix="outward-disk-") as place:
            ended = Player()(host, Path(place))
        seconds, after = round(time.monotonic() - start, 1), look(lab, host, case.path)
    except (NotReset, NotInjected, LabError) as why:
        return {**entry, "note": f"could not be run: {why}"}, {}
    if ended.report is None:
        return {**entry, "note": f"could not be run: no report: {ended.output[-500:]}"}, {}
    found = wrong(case, host, ended.report, before, after)
    note = "; ".join([*found, case.fault.note])
    result = {"seen": seen(case, ended.report, before, after), "ok": not found, "seconds": seconds, "note": note}
    return {**entry, **result}, versions_of(ended.report)


def line(entry: Row) -> str:
    """One row for a person who watches."""
    got = entry["seen"] or {}
    what = f"{got.get('outcome', '-')}, freed {got.get('available', {}).get('freed', '-')} bytes"
    return f"{MARKS[entry['ok']]:8} {entry['case']:36} {entry['seconds'] or 0:6.1f} s  {what}  {entry['note']}".rstrip()


def main() -> int:
    """0 when every row that could be run is right."""
    parser = argparse.ArgumentParser(prog="python -m tests.disk", description=__doc__)
    parser.add_argument("--host", default="pi-04")
    parser.add_argument("--only", default="", help="rows whose name has this regular expression")
    parser.add_argument("--again", action="store_true", help="also rows that are already there")
    parser.add_argument("--list", action="store_true", help="name the rows, and run none")
    parser.add_argument("--results", type=Path, default=ROOT / "docs" / "results" / "disk.json")
    options = parser.parse_args()
    chosen = [case for case in CASES if re.search(options.only, case.fault.id)]
    if options.list:
        print("\n".join(f"{case.kind}: {case.fault.id}" for case in chosen))
        return 0
    results, lab = Results(options.results, "make disk"), open_lab(default_paths(os.environ, Path.home()))
    for case in chosen:
        if options.again or not results.done(case.fault.id, MODE, commit()):
            with locked(options.host):
                entry, versions = row(case, lab, options.host)
                results.put(entry, versions)
                print(line(entry), flush=True)
    with locked(options.host):
        reset(options.host)
    wanted_rows = {case.fault.id for case in chosen}
    return 1 if any(entry["ok"] is False for entry in results.rows if entry["case"] in wanted_rows) else 0


if __name__ == "__main__":
    sys.exit(main())
