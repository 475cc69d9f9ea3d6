# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``python -m tests.advice``: what node-recover tells a person to type is typed, and the node works again.

Each row: a clean node, the fault, node-recover.yml (whose row goes into the matrix as well), the commands that it prints
under ``next``, what only hands can do, and node-diagnose.yml until it finds nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
import typing as t
from dataclasses import dataclass
from pathlib import Path

from tests.faults.lab import STATE, NotInjected, carry_out, in_lab, undo
from tests.faults.model import Fault, Step
from tests.faults.table import SINGLE
from tests.lab._access import grant
from tests.lab._lab import Lab, open_lab
from tests.lab._model import LabError, default_paths, parse_host
from tests.matrix.playbook import NoReport, Report, Run, ran
from tests.matrix.results import MARKS, ROOT, Results, Row, commit, unrun
from tests.matrix.row import Bench, NotReset, keep_report, locked, reset, versions_of
from tests.matrix.row import row as matrix_row

from .mirror import give
from .table import ADVICE, HANDS, Advice
from .verdict import Typed, mistakes, roots, told

MODE: t.Final = "advice"
TYPING: t.Final = 900.0  # seconds that a command may take: a playbook on an emulated node
PAUSE: t.Final = 5.0  # between two looks, seconds; longer for a cure that may take long
LOOKS: t.Final = 60


@dataclass(frozen=True)
class Desk:
    """Where a person types: the lab's ssh, kubectl and inventory by their usual names."""

    lab: Lab
    tools: Path

    def __post_init__(self) -> None:
        """Write the names."""
        variables = {
            "outward_kubeconfig": str(STATE / "certificates.kubeconfig"),
            "outward_report_dir": str(self.tools),
            "outward_soak_seconds": 5,
            "outward_max_unavailable": 3,
        }
        playbook = Path(sys.executable).with_name("ansible-playbook")
        inventory = STATE / "inventory" / "hosts.yml"
        self._tool("ssh", f"exec /usr/bin/ssh -F {STATE / 'ssh_config'}")
        self._tool("kubectl", f"cd {ROOT}; exec {sys.executable} -m tests.lab kubectl --")
        self._tool("ansible-playbook", f"exec {playbook} -i {inventory} -e '{json.dumps(variables)}'")

    def _tool(self, name: str, script: str) -> None:
        path = self.tools / name
        path.write_text(f'#!/bin/sh\n{script} "$@"\n')
        path.chmod(0o755)

    def type(self, command: str) -> Typed:
        """One command as it stands there."""
        try:
            done = ran(["sh", "-c", command], TYPING, PATH=f"{self.tools}:{os.environ['PATH']}")
        except subprocess.TimeoutExpired:
            return Typed(command, 124, f"no end after {TYPING:.0f} s")
        return Typed(command, done.returncode, done.stdout.strip())


def followed(advice: Advice, fault: Fault, host: str, desk: Desk) -> list[Typed]:
    """All acts in their order. Raises NotInjected when a hand fails."""
    typed = []
    for act in advice.acts:
        if act == HANDS:
            undo(fault, host)
        elif isinstance(act, Step):
            carry_out([act], host, in_lab, "by hand")
        else:
            typed.append(desk.type(act.format(host=host, node=host)))
    return typed


def row(fault: Fault, host: str, desk: Desk) -> tuple[Row, Row, dict[str, str]]:
    """The row of the matrix, ours, and the versions that were seen."""
    advice, now = ADVICE[fault.id], commit()
    reports: list[Report] = []
    play = Run("recover", soak_seconds=5, max_unavailable=3)

    def keep(each: Fault, report: Report) -> None:
        keep_report(each, report)
        reports.append(report)

    bench = Bench(
        mode="recover",
        commit=now,
        record=False,
        play=lambda each, name: play(name),
        reset=reset,
        keep=keep,
        versions=dict,
    )
    entry = unrun(fault.id, kind=MODE, mode=MODE, host=host, at=now, expected={"root_causes_after": []})
    recover, versions = matrix_row(fault, host, bench)
    if not reports:
        return recover, {**entry, "note": recover["note"]}, versions
    begin = time.monotonic()
    try:
        if advice.package:
            give(desk.lab.guest(parse_host(host)), advice.package)
        typed = followed(advice, fault, host, desk)
        after = until_cured(host, advice.cured)
    except (NotInjected, NoReport, LabError, subprocess.SubprocessError) as why:
        return recover, {**entry, "note": f"could not be run: {why}"}, versions
    wrong = mistakes(advice, host, reports[0], typed, after)
    seconds = round(time.monotonic() - begin, 1)
    seen = told(advice, reports[0], typed, after)
    return (
        recover,
        {**entry, "seen": seen, "ok": not wrong, "seconds": seconds, "note": "; ".join(wrong)},
        versions_of(after),
    )


def until_cured(host: str, seconds: float) -> Report:
    """The last look, when it finds nothing any more or the time is over. Raises NoReport."""
    end = time.monotonic() + seconds
    while True:
        report = Run("diagnose", soak_seconds=0, max_unavailable=3)(host)
        if not roots(report) or time.monotonic() > end:
            return report
        time.sleep(max(PAUSE, seconds / LOOKS))


def line(entry: Row) -> str:
    """One row for a person who watches."""
    return f"{MARKS[entry['ok']]:8} {entry['case']:36} {entry['seconds'] or 0:6.1f} s  {entry['note']}".rstrip()


def main() -> int:
    """0 when every row that could be run is right."""
    parser = argparse.ArgumentParser(prog="python -m tests.advice", description=__doc__)
    parser.add_argument("--host", default="pi-04")
    parser.add_argument("--only", default="", help="faults whose name has this regular expression")
    parser.add_argument("--again", action="store_true", help="also rows that are already there")
    parser.add_argument("--results", type=Path, default=ROOT / "docs" / "results" / "advice.json")
    options = parser.parse_args()
    faults = [SINGLE[name] for name in ADVICE if re.search(options.only, name)]
    lab = open_lab(default_paths(os.environ, Path.home()))
    grant(lab, ("certificates", "diagnose", "recover"))
    results, matrix = Results(options.results, "make advice"), Results(ROOT / "docs/results/matrix.json", "make matrix")
    with tempfile.TemporaryDirectory(prefix="outward-desk-") as place, locked(options.host):
        desk = Desk(lab, Path(place))
        for fault in sorted(faults, key=lambda each: each.deadline):
            if options.again or not results.done(fault.id, MODE, commit()):
                recover, entry, versions = row(fault, options.host, desk)
                matrix.put(recover, versions)
                results.put(entry, versions)
                sys.stderr.write(f"{line(entry)}\n")
        reset(options.host)
    wanted = {fault.id for fault in faults}
    return 1 if any(entry["ok"] is False for entry in results.rows if entry["case"] in wanted) else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except NotReset as why:
        sys.exit(str(why))
