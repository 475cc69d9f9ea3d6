# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``python -m tests.csr``: hostile certificate requests, made at the lab's real API server as whoever an attacker would be, and
answered by us with the rights that we ship. The node is only asked for its certificate; all that was made is deleted again.
"""

from __future__ import annotations

import argparse
import os
import re
import signal
import sys
import typing as t
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

from tests.certificates.__main__ import keep
from tests.faults.lab import enter
from tests.lab._access import grant
from tests.lab._lab import Lab, open_lab
from tests.lab._model import KUBERNETES_VERSION, LabError, default_paths
from tests.lab._settled import condition
from tests.lab._shell import locked as alone
from tests.matrix.results import MARKS, ROOT, Results, Row, commit, unrun
from tests.matrix.row import NotReset, locked, reset

from .cases import CASES, Case
from .judges import Answered, answered
from .people import People, gathered
from .stage import Stage
from .verdict import Found, expected, mistakes, seen


def main() -> int:
    """0 when every row that could be run is right."""
    options = arguments()
    chosen = [case for case in CASES if re.search(options.only, f"{case.mode} {case.id}")]
    if options.list:
        print("\n".join(f"{case.mode} {case.id}" for case in chosen))
        return 0
    enter("tests.csr")
    lab = open_lab(default_paths(os.environ, Path.home()))
    grant(lab, ("certificates",))
    results = Results(options.results, "make csr")
    due = [case for case in chosen if options.again or not results.done(case.id, case.mode, commit())]
    signal.signal(signal.SIGTERM, ended)
    for beside in (False, True):
        cases = [case for case in due if case.beside == beside]
        try:
            put(results, cases, Stage(lab, options.host, options.other))
        except (NotReset, LabError) as reason:
            print(f"could not be run: {reason}")
            return 1
    wanted = {(case.id, case.mode) for case in chosen}
    return 1 if any(row["ok"] is False for row in results.rows if (row["case"], row["mode"]) in wanted) else 0


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.csr", description=__doc__)
    parser.add_argument("--host", default="pi-05", help="the node that the requests are about")
    parser.add_argument("--other", default="pi-04", help="the node that has nothing to do with it")
    parser.add_argument("--only", default="", help="rows whose mode and name have this regular expression")
    parser.add_argument("--again", action="store_true", help="also rows that are already there")
    parser.add_argument("--list", action="store_true", help="name the rows, and run none")
    parser.add_argument("--results", type=Path, default=ROOT / "docs" / "results" / "csr.json")
    return parser.parse_args()


def ended(number: int, frame: object) -> t.NoReturn:
    """Whoever ends this, what was made is taken away again."""
    sys.exit(128 + number)


def put(results: Results, cases: list[Case], empty: Stage) -> None:
    """These rows, all in one turn: a row takes seconds, and those of others that it would wait for take minutes.

    Raises NotReset and LabError when there is no node that works.
    """
    if not cases:
        return
    lab, host, other = empty.lab, empty.host, empty.other
    hosts = [host, other] if any(case.beside for case in cases) else [host]
    # What is made here is to be in nobody's baseline, and a reset of the whole API is to wait; one of a node need not.
    with locked(*hosts):
        reset(host)
        with alone(lab.paths.state / "lock", shared=True), gathered(lab, host, other) as people:
            for case in cases:
                row = measured(case, replace(empty, sent=[]), people)
                results.put(row, {"kubelet": KUBERNETES_VERSION, "ansible-core": version("ansible-core")})
                print(line(row), flush=True)


def line(row: Row) -> str:
    """One row for a person who watches."""
    says = row["note"] or "; ".join((row["seen"] or {"words": []})["words"])
    return f"{MARKS[row['ok']]:8} {row['mode']:8} {row['case']:56} {row['seconds'] or 0:6.1f} s  {says[:200]}".rstrip()


def measured(case: Case, stage: Stage, people: People) -> Row:
    """One row; one that could not be run has ok None."""
    wanted = expected(case.asks, stage.places)
    row = unrun(case.id, kind=case.kind, mode=case.mode, host=stage.host, at=commit(), expected=wanted)
    try:
        require_ready(stage.lab, stage.host)
        stage.clear()
        try:
            said = answered(case, stage, people)
            found = judged(stage, said)
        finally:
            stage.clear()
    except LabError as reason:
        return {**row, "note": " ".join(f"could not be run: {reason}".split())}
    keep("csr", f"{case.mode} {case.id}", said.output, {})
    wrong = [*mistakes(found, stage.places), *said.problems]
    return {**row, "seen": seen(found), "ok": not wrong, "seconds": round(said.seconds, 1), "note": "; ".join(wrong)}


def judged(stage: Stage, said: Answered) -> list[Found]:
    """What the API server has of each request, beside what was said of it. Raises LabError."""
    states = stage.states()
    return [
        Found(sent.name, sent.ask, sent.refusal, states.get(sent.name), said.told.get(sent.name)) for sent in stage.sent
    ]


def require_ready(lab: Lab, host: str) -> None:
    """Raises LabError when somebody has broken it or resets it: then what the API server has of it is no node's."""
    found = [item for item in lab.kubectl.list("nodes") if item["metadata"]["name"] == host]
    if not found or condition(found[0], "Ready") != "True":
        raise LabError(f"{host} is not Ready")


if __name__ == "__main__":
    sys.exit(main())
