# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``python -m tests.join``: machines of the lab that join, beside a bare ``kubeadm join``, and interrupted at every task.

Each row: a clean worker, made into a machine that was never a node; runs that are killed, if the case has some; the
playbook with -vvv, and once more. The token is looked for everywhere, as in tests/certificates. What the playbooks said
stays below .build/join.
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
from tests.certificates.__main__ import keep, line
from tests.certificates.secrets import Loud, NotSearched, Sampler, Watch, here, on_node, sample_node, tokens_left
from tests.certificates.verdict import mistakes, why
from tests.chaos.__main__ import NotStruck, Stage
from tests.chaos.play import Ended, Started
from tests.chaos.points import Point
from tests.faults.lab import NotInjected
from tests.lab._access import grant
from tests.lab._join import join
from tests.lab._lab import Lab, open_lab
from tests.lab._model import KUBERNETES_VERSION, LabError, default_paths, parse_host
from tests.lab._settled import missing
from tests.lab._shell import wait_for
from tests.matrix.playbook import environment, inside
from tests.matrix.results import ROOT, Results, Row, commit, unrun
from tests.matrix.row import NotReset, locked, reset, too_few

from .cases import CASES, Case, killed, untainted
from .machine import do, make_fresh

MODE: t.Final = "join"
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
    workers = sorted(item["metadata"]["name"] for item in lab.kubectl.list("nodes"))
    hosts = [options.host, *(name for name in workers if name != options.host)]
    for case in chosen:
        if options.again or not results.done(case.id, MODE, commit()):
            with locked(*hosts[: case.machines]):
                row = measured(case, lab, hosts[: case.machines])
                results.put(row, versions)
                print(line(row), flush=True)
    with locked(options.host):
        reset(options.host)
    wanted = {case.id for case in chosen}
    return 1 if any(row["ok"] is False for row in results.rows if row["case"] in wanted) else 0


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.join", description=__doc__)
    parser.add_argument("--host", default="pi-04")
    parser.add_argument("--only", default="", help="rows whose name has this regular expression")
    parser.add_argument("--again", action="store_true", help="also rows that are already there")
    parser.add_argument("--list", action="store_true", help="name the rows, and run none")
    parser.add_argument("--results", type=Path, default=ROOT / "docs" / "results" / "join.json")
    return parser.parse_args()


def run_of(case: Case) -> Loud:
    """node-join.yml for this case."""
    return Loud(MODE, SOAK, 3, {"outward_budget": BUDGET, **case.variables}, access="certificates")


def listing(host: str) -> str:
    """What ansible-playbook --list-tasks prints of node-join.yml."""
    command = inside([*run_of(CASES[0]).command(host, Path("/nowhere")), "--list-tasks"])
    return subprocess.run(
        command, cwd=ROOT, env=environment(), stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True
    ).stdout


def measured(case: Case, lab: Lab, hosts: list[str]) -> Row:
    """One row, on the first of *hosts*; one that could not be run has ok None."""
    kind = "killed" if case.kills else "join"
    row = unrun(case.id, kind=kind, mode=MODE, host=hosts[0], at=commit(), expected=case.expected)
    if lack := too_few(case.machines, hosts):
        return {**row, "note": lack}
    try:
        for host in hosts:
            reset(host)
        make_fresh(hosts[0], forgotten=case.forgotten)
        do(hosts[0], case.prepare)
        with tempfile.TemporaryDirectory(prefix="outward-join-") as name:
            stage = Stage(lab, hosts[0], Path(name))
            stage.scratch.mkdir()
            stage.reports.mkdir()
            seen, words, seconds = by_hand(stage) if case.bare else joined(case.beside(hosts[1:]), stage)
    except (NotReset, NotInjected, NotSearched, NotStruck, LabError) as reason:
        return {**row, "note": " ".join(f"could not be run: {reason}".split())}
    wrong = mistakes({name: want for name, want in case.expected.items() if name in seen}, seen)
    note = "; ".join([*wrong, f"it says: {words}"] if wrong else [])
    return {**row, "seen": seen, "ok": not wrong, "seconds": round(seconds, 1), "note": note}


def by_hand(stage: Stage) -> tuple[dict[str, t.Any], str, float]:
    """From kubeadm's first word until the Node works."""
    start, since = time.monotonic(), time.time()
    join(stage.lab.guest(parse_host(stage.host)), *stage.lab.control_plane.join_token())
    return {"works": works(stage, since)}, "", time.monotonic() - start


def works(stage: Stage, since: float) -> bool | str:
    """Ready, with a Lease and Pods of its own, after *since*; else what is missing."""
    lack = ["nobody asked"]

    def settled() -> bool:
        try:
            lack[0] = missing(untainted(stage.lab.kubectl.list("nodes,leases,pods")), stage.host, since)
        except LabError as error:
            lack[0] = str(error)
        return not lack[0]

    try:
        wait_for(f"{stage.host} works", settled, READY_SECONDS, pause=2)
    except LabError:
        return lack[0]
    return True


def joined(case: Case, stage: Stage) -> tuple[dict[str, t.Any], str, float]:
    """What is to be seen after the runs, the words of the last one but one, and how long that took.

    Raises NotSearched and NotStruck.
    """
    identity = token_id(str(case.variables.get("outward_node_name", stage.host)))
    sample_node(stage.host)
    watch, sampler = Watch(identity), Sampler()
    try:
        said = {f"killed, {point.id}": interrupted(case, stage, point).output for point in case.kills}
        reports = reported(stage, "killed")
        since = time.time()
        first = played(case, stage, None)
        reports |= reported(stage, "")
        second = played(case, stage, None) if case.again else None
        reports |= reported(stage, "again") if second else {}
    finally:
        secrets, sampled = watch.end(), sampler.end()
    said |= {"ansible -vvv": first.output, "again": second.output if second else ""}
    keep(MODE, case.id, "\n\n".join(f"===== {name}\n{text}" for name, text in said.items()), reports)
    report = first.report
    if report is None:
        raise NotSearched(f"there is no report: {first.output.strip()[-1000:]}")
    well = report["outcome"] in ("recovered", "healthy")
    if well and not secrets:
        raise NotSearched("the token was not seen, so it could not be looked for")
    places = {**said, **reports, "arguments here": sampled, **files(stage.scratch)}
    return (
        {
            "outcome": report["outcome"],
            "status": first.status,
            "joined": well,
            "checks": report["proof"]["checks"],
            "works": works(stage, since) if well else None,
            "again": (second.report or {}).get("outcome") if second else None,
            "changed_again": changed(second) if second else None,
            "tokens_seen": len(secrets),
            "tokens_left": tokens_left(stage.host, identity),
            "found_in": here(secrets, places) + (on_node(stage.host, secrets) if secrets else []),
            "says": bool(re.search(case.says, json.dumps(report) + first.output)),
        },
        why(report),
        first.seconds,
    )


def reported(stage: Stage, run: str) -> dict[str, str]:
    """What lies in the directory of the reports after a run: the next one writes over it."""
    return {f"{run}{'-' if run else ''}{path.name}": path.read_text() for path in stage.reports.glob("*.json")}


def interrupted(case: Case, stage: Stage, point: Point) -> Ended:
    """A run that is killed at *point*. Raises NotStruck."""
    mark = stage.place / "struck"
    mark.unlink(missing_ok=True)
    ended = played(case, stage, point)
    if not mark.exists():
        raise NotStruck(f"the task never came: status {ended.status}: {ended.output.strip()[-400:]}")
    return ended


def played(case: Case, stage: Stage, point: Point | None) -> Ended:
    """One run, to its end or to where it is killed."""
    return Started(run_of(case), stage.host, stage.reports, stage.environment(point)).wait()


def files(place: Path) -> dict[str, str]:
    """What runs have left in their TMPDIR, a killed one too."""
    return {
        f"file on the controller: {path.name}": path.read_text(errors="replace")
        for path in place.rglob("*")
        if path.is_file()
    }


def changed(ended: Ended) -> int:
    """The sum of what a run says to have changed."""
    return sum(int(count) for count in re.findall(r"^\S+ +: ok=\d+ +changed=(\d+)", ended.output, re.MULTILINE))


if __name__ == "__main__":
    sys.exit(main())
