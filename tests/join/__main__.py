# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``python -m tests.join``: machines of the lab that join, beside a bare ``kubeadm join``, and interrupted at every task.

Each row: a clean worker, made into a machine that was never a node; runs that are killed, if the case has some; the
playbook with -vvv, and once more. The token is looked for everywhere, as in tests/certificates.
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
from importlib.metadata import version
from pathlib import Path

from ansible_collections.outward.kubelet.plugins.module_utils._kube.bootstrap import token_id
from tests.certificates.__main__ import TOKENS
from tests.certificates.secrets import NotSearched, Sampler, Watch, here, on_node, sample_node
from tests.certificates.verdict import mistakes
from tests.chaos.__main__ import Stage
from tests.chaos.play import Ended, Started
from tests.faults.lab import NotInjected, in_lab
from tests.faults.model import controller
from tests.lab._access import grant
from tests.lab._join import join
from tests.lab._lab import Lab, open_lab
from tests.lab._model import KUBERNETES_VERSION, LabError, default_paths, parse_host
from tests.matrix.playbook import Run, environment, inside
from tests.matrix.results import ROOT, Results, Row, commit
from tests.matrix.row import NotReset, locked, reset

from .cases import CASES, Case, killed
from .machine import do, make_fresh

READY_SECONDS: t.Final = 240.0
SOAK: t.Final = 5
BUDGET: t.Final = 1000  # a machine that is joined over and over is no machine that needs a person


def main() -> int:
    """0 when every row that could be run is right."""
    options = arguments()
    chosen = [case for case in (*CASES, *killed(listing(options.host))) if re.search(options.only, case.id)]
    if options.list:
        print("\n".join(case.id for case in chosen))
        return 0
    lab = open_lab(default_paths(os.environ, Path.home()))
    grant(lab, ("certificates",))
    results = Results(options.results, "make join")
    versions = {"kubelet": KUBERNETES_VERSION, "ansible-core": version("ansible-core")}
    wrong = 0
    with locked(options.host):
        for case in chosen:
            row = measured(case, lab, options.host)
            results.put(row, versions)
            wrong += row["ok"] is False
            verdict = {True: "right", False: "WRONG", None: "not run"}[row["ok"]]
            print(f"{case.id:60} {verdict:8} {row['seconds'] or 0:6.1f} s  {row['note']}", flush=True)
        reset(options.host)
    return 1 if wrong else 0


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.join", description=__doc__)
    parser.add_argument("--host", default="pi-04")
    parser.add_argument("--only", default="", help="cases, as a regular expression")
    parser.add_argument("--list", action="store_true", help="name the cases, and run none")
    parser.add_argument("--results", type=Path, default=ROOT / "docs" / "results" / "join.json")
    return parser.parse_args()


def run_of(case: Case) -> Run:
    """node-join.yml for this case."""
    return Run("join", SOAK, 3, {"outward_budget": BUDGET, **case.variables}, access="certificates")


def listing(host: str) -> str:
    """What ansible-playbook --list-tasks prints of node-join.yml."""
    command = inside([*run_of(CASES[0]).command(host, Path("/nowhere")), "--list-tasks"])
    return subprocess.run(
        command, cwd=ROOT, env=environment(), stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True
    ).stdout


def measured(case: Case, lab: Lab, host: str) -> Row:
    """One row; one that could not be run has ok None."""
    row: Row = {"case": case.id, "kind": "killed" if case.kills else "join", "mode": "join", "host": host}
    row |= {"commit": commit(), "expected": case.expected, "seen": None, "ok": None, "seconds": None, "note": ""}
    try:
        reset(host)
        make_fresh(host, forgotten=case.forgotten)
        do(host, case.prepare)
        with tempfile.TemporaryDirectory(prefix="outward-join-") as name:
            stage = Stage(lab, host, Path(name))
            stage.scratch.mkdir()
            stage.reports.mkdir()
            seen, seconds = by_hand(stage) if case.bare else joined(case, stage)
    except (NotReset, NotInjected, NotSearched, LabError) as why:
        return {**row, "note": f"could not be run: {why}"}
    wrong = mistakes({name: want for name, want in case.expected.items() if name in seen}, seen)
    return {**row, "seen": seen, "ok": not wrong, "seconds": round(seconds, 1), "note": "; ".join(wrong)}


def by_hand(stage: Stage) -> tuple[dict[str, t.Any], float]:
    """From kubeadm's first word until the Node works."""
    start, since = time.monotonic(), time.time()
    join(stage.lab.guest(parse_host(stage.host)), *stage.lab.control_plane.join_token())
    return {"works": works(stage, since)}, time.monotonic() - start


def works(stage: Stage, since: float) -> bool:
    """Ready, with a Lease and Pods of its own, after *since*."""
    try:
        stage.lab.wait_settled(parse_host(stage.host), since, READY_SECONDS)
    except LabError:
        return False
    return True


def joined(case: Case, stage: Stage) -> tuple[dict[str, t.Any], float]:
    """What is to be seen after the runs, and how long the last one but one took. Raises NotSearched."""
    identity = token_id(str(case.variables.get("outward_node_name", stage.host)))
    sample_node(stage.host)
    watch, sampler = Watch(identity), Sampler()
    try:
        for point in case.kills:
            played(case, stage, stage.environment(point))
        since = time.time()
        first = played(case, stage, stage.environment(None))
        second = played(case, stage, stage.environment(None)) if case.outcome == "recovered" else None
    finally:
        secrets, sampled = watch.end(), sampler.end()
    if first.report is None:
        raise NotSearched(f"there is no report: {first.output.strip()[-1000:]}")
    reports = {path.name: path.read_text() for path in stage.reports.glob("*.json")}
    said = {
        "ansible -vvv": first.output,
        "again": second.output if second else "",
        "arguments here": sampled,
        **reports,
    }
    left = in_lab(controller(TOKENS.script.replace("$TOKEN", identity)), stage.host, 60).output
    text = json.dumps(first.report) + first.output
    return {
        "outcome": first.report["outcome"],
        "joined": first.report["outcome"] in ("recovered", "healthy"),
        "checks": first.report["proof"]["checks"],
        "works": works(stage, since) if case.outcome == "recovered" else None,
        "again": (second.report or {}).get("outcome") if second else None,
        "changed_again": changed(second) if second else None,
        "tokens_seen": len(secrets),
        "tokens_left": int(left or 0),
        "found_in": here(secrets, said) + (on_node(stage.host, secrets) if secrets else []),
        "says": bool(re.search(case.says, text)),
    }, first.seconds


def played(case: Case, stage: Stage, variables: dict[str, str]) -> Ended:
    """One run, to its end or to where it is killed."""
    run = run_of(case)
    return Started(
        Loud(run.mode, run.soak_seconds, run.max_unavailable, run.more, run.access),
        stage.host,
        stage.reports,
        variables,
    ).wait()


class Loud(Run):
    """With all that Ansible can say."""

    def command(self, host: str, reports: Path) -> list[str]:
        """With -vvv."""
        return [*super().command(host, reports), "-vvv"]


def changed(ended: Ended) -> int:
    """The sum of what a run says to have changed."""
    return sum(int(count) for count in re.findall(r"^\S+ +: ok=\d+ +changed=(\d+)", ended.output, re.MULTILINE))


if __name__ == "__main__":
    sys.exit(main())
