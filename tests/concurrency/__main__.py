# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``python -m tests.concurrency``: several recoveries at once of the same broken nodes; never more than the cap in hand."""

from __future__ import annotations

import argparse
import os
import re
import shutil
import sys
import time
import typing as t
from dataclasses import dataclass
from pathlib import Path

from tests.chaos import outside
from tests.chaos.play import Ended, Player, read
from tests.faults.lab import NotInjected, inject
from tests.faults.table import FAULTS
from tests.lab._lab import Lab, open_lab
from tests.lab._model import LabError, default_paths
from tests.matrix.results import MARKS, ROOT, Results, Row, commit, unrun
from tests.matrix.row import NotReset, locked, reset, too_few, versions_of

from .verdict import mistakes, most, most_down, statuses
from .watch import Watch

NODES: t.Final = 3
RUNS: t.Final = (2, 4)
MODE: t.Final = "concurrency"


@dataclass(frozen=True)
class Case:
    """How many nodes are broken, so many seconds *apart*, and how many may be in hand.

    The cap counts the Nodes that are unavailable for whatever reason: with a smaller one than there are broken nodes
    nothing may be done at all (tests/mustnot).
    """

    name: str
    nodes: int
    cap: int
    apart: float = 0.0


FAULT: t.Final = "kubelet-stopped"
CASES: t.Final = (
    Case("one node", 1, 1),
    # Further apart than two losses that count as one (causes/fleet.py, 60 s, and a renewal).
    Case("three nodes", NODES, NODES, apart=80),
)


def together(number: int, cap: int, hosts: list[str], place: Path) -> list[Ended]:
    """So many runs over all *hosts* at once, each with reports of its own, to their ends."""
    player = Player(cap=cap)
    directories = [place / str(run) for run in range(number)]
    for directory in directories:
        directory.mkdir()
    started = [player.start(",".join(hosts), directory) for directory in directories]
    return [run.wait() for run in started]


def row(case: Case, number: int, lab: Lab, workers: list[str]) -> tuple[Row, dict[str, str]]:
    """One row, and the versions that were seen. Never raises for a row that could not be run."""
    hosts = workers[: case.nodes]
    expected = {"in_hand_at_most": case.cap, "recovered": case.nodes, "actions": case.nodes}
    name = f"{case.name}, {number} runs"
    entry = unrun(name, kind="concurrent", mode=MODE, host=", ".join(hosts), at=commit(), expected=expected)
    if lack := too_few(case.nodes, hosts):
        return {**entry, "note": lack}, {}
    try:
        return measured(case, number, lab, kept(name), entry)
    except (NotReset, NotInjected, LabError) as why:
        return {**entry, "note": f"could not be run: {why}"}, {}


def kept(name: str) -> Path:
    """An empty directory for the reports of one row: for a person who wonders about it (not committed)."""
    place = ROOT / ".build" / MODE / name.replace(" ", "-")
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    return place


def measured(case: Case, number: int, lab: Lab, place: Path, entry: Row) -> tuple[Row, dict[str, str]]:
    """Break all, run, watch, judge."""
    hosts = entry["host"].split(", ")
    for host in hosts:
        reset(host)
    for host in hosts:
        time.sleep(case.apart if host != hosts[0] else 0)
        inject(FAULTS[FAULT], host)
    start = time.monotonic()
    with Watch(lab, hosts) as watch:
        ended = together(number, case.cap, hosts, place)
    seconds = round(time.monotonic() - start, 1)
    found = {host: [read(place / str(run) / f"{host}.json") or {} for run in range(number)] for host in hosts}
    reports = [{host: found[host][run] for host in hosts} for run in range(number)]
    views = {host: outside.look(lab, host) for host in hosts}
    seen = {"in_hand": most(watch.changes), "down": most_down(watch.samples), "changes": len(watch.changes)}
    wrong = [*mistakes(case.cap, reports, views, seen), *statuses(ended)]
    outcomes = {host: [report.get("outcome", "no report") for report in found[host]] for host in hosts}
    versions = versions_of(reports[0][hosts[0]])
    told = {**seen, "samples": len(watch.samples), "outcomes": outcomes}
    return {**entry, "seen": told, "ok": not wrong, "seconds": seconds, "note": "; ".join(wrong)}, versions


def main() -> int:
    """0 when every row that could be run is right."""
    parser = argparse.ArgumentParser(prog="python -m tests.concurrency", description=__doc__)
    parser.add_argument("--only", default="", help="rows whose name has this regular expression")
    parser.add_argument("--again", action="store_true", help="also rows that are already there")
    parser.add_argument("--results", type=Path, default=ROOT / "docs" / "results" / "concurrency.json")
    options = parser.parse_args()
    lab, results = open_lab(default_paths(os.environ, Path.home())), Results(options.results, "make concurrency")
    hosts = sorted(item["metadata"]["name"] for item in lab.kubectl.list("nodes"))[:NODES]
    wanted = {f"{case.name}, {number} runs": (case, number) for case in CASES for number in RUNS}
    names = [name for name in wanted if re.search(options.only, name)]
    with locked(*hosts):
        for name in names:
            if options.again or not results.done(name, MODE, commit()):
                entry, versions = row(*wanted[name], lab, hosts)
                results.put(entry, versions)
                mark = MARKS[entry["ok"]]
                print(
                    f"{mark:8} {name:40} {entry['seconds'] or 0:6.1f} s  {entry['note'] or entry['seen']}", flush=True
                )
        for host in hosts:
            reset(host)
    return 1 if any(entry["ok"] is False for entry in results.rows if entry["case"] in names) else 0


if __name__ == "__main__":
    sys.exit(main())
