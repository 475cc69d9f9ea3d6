# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``python3 -m tests.drain``: ours, kubectl's and kubernetes.core's drain of one lab node, side by side."""

from __future__ import annotations

import argparse
import os
import re
import sys
import typing as t
from importlib.metadata import version
from pathlib import Path

from tests.faults.lab import enter
from tests.lab._lab import open_lab
from tests.lab._model import KUBERNETES_VERSION, LabError, default_paths
from tests.matrix.results import MARKS, ROOT, Results, Row, commit, unrun
from tests.matrix.row import locked

from . import neighbour
from .cases import CASES, Case
from .stage import Stage
from .tools import TOOLS, Place, Tool
from .verdict import mistakes, seen

OWN: t.Final = next(iter(TOOLS))


def main() -> int:
    """0 when ours was right in every case; the others are there to compare."""
    options = arguments()
    place = neighbour.fetch()  # from outside: no way leads out of the lab's network
    enter("tests.drain")
    results = Results(options.results, "make drain")
    lab = open_lab(default_paths(os.environ, Path.home()))
    stage, means = Stage(lab, options.host), Place(lab.kubectl, lab.paths.access("recover"), place)
    cases = [case for case in CASES if re.fullmatch(options.only, case.id)]
    with locked(options.host), stage.kept():
        rows = [_put(results, case, name, means, stage) for case in cases for name in options.tool or TOOLS]
    return 0 if all(row["ok"] for row in rows if row["mode"] == OWN) else 1


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python3 -m tests.drain", description=__doc__)
    parser.add_argument("--host", default="pi-04")
    parser.add_argument("--only", default=".*", help="cases, as a regular expression")
    parser.add_argument("--tool", action="append", choices=list(TOOLS))
    parser.add_argument("--results", type=Path, default=ROOT / "docs" / "results" / "drain.json")
    return parser.parse_args()


def _put(results: Results, case: Case, name: str, place: Place, stage: Stage) -> Row:
    expected = {**case.expected, "seconds": list(case.within)}
    row = unrun(case.id, kind="drain", mode=name, host=stage.host, at=commit(), expected=expected)
    try:
        row |= measured(case, TOOLS[name], place, stage)
    except LabError as why:
        row |= {"seen": {}, "note": f"could not be run: {why}"}
    results.put(row, versions())
    verdict = MARKS[row["ok"]]
    print(f"{case.id:24} {name:28} {verdict:8} {row['seconds'] or 0:6.1f} s  {row['note']}", flush=True)
    return row


def measured(case: Case, tool: Tool, place: Place, stage: Stage) -> dict[str, t.Any]:
    """Run one tool on one case. Raises LabError when the case could not be brought about."""
    with stage.set(case) as uids, stage.meanwhile(case, uids) as notes:
        ended = tool(place, stage.host, case.options)
        found = {**seen(case, ended, uids, stage.pods(), stage.node()), **notes}
    wrong = mistakes(case, found, ended.seconds)
    said = " ".join(ended.text.split())[:400]
    return {
        "seen": {**found, "said": said},
        "ok": not wrong,
        "seconds": round(ended.seconds, 1),
        "note": "; ".join(wrong),
    }


def versions() -> dict[str, str]:
    """Of what is compared."""
    return {
        "kubelet": KUBERNETES_VERSION,
        "kubectl": KUBERNETES_VERSION,
        "ansible-core": version("ansible-core"),
        "kubernetes.core": neighbour.version(),
        "kubernetes": version("kubernetes"),
    }


if __name__ == "__main__":
    sys.exit(main())
