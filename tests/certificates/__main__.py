# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``python -m tests.certificates``: client certificates that do not work, on a real node, recovered by certificates-recover.yml;
and certificates of a healthy node, rotated early by certificates-rotate.yml, and looked at by certificates-check.yml.

Each row: a clean node, the fault, the playbook with -vvv; what ran before runs on in the same containers, no token is
left, and its secret is nowhere. What the playbook said stays below .build/certificates.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import tempfile
import typing as t
from functools import partial
from importlib.metadata import version
from pathlib import Path

from ansible_collections.outward.kubelet.plugins.module_utils._kube.bootstrap import token_id
from tests.chaos.play import Started
from tests.faults.lab import NotInjected, in_lab, inject
from tests.faults.model import node
from tests.lab._access import grant
from tests.lab._lab import open_lab
from tests.lab._model import KUBERNETES_VERSION, default_paths
from tests.matrix.results import MARKS, ROOT, Results, Row, commit, unrun
from tests.matrix.row import NotReset, locked, reset

from .cases import CASES, RENEW, Case
from .checks import CHECKS, MODE, Check, looked
from .secrets import Loud, NotSearched, Sampler, Watch, here, on_node, sample_node, tokens_left
from .verdict import mistakes, why

SOAK: t.Final = 5
TASKS: t.Final = node("ctr -n k8s.io tasks ls | awk '$3 == \"RUNNING\" {print substr($1, 1, 16)}'")


def main() -> int:
    """0 when every row that could be run is right."""
    options = arguments()
    chosen = [case for name, case in CASES.items() if re.search(options.only, name)]
    checks = [check for check in CHECKS if re.search(options.only, check.id)]
    names = [*(case.fault.id for case in chosen), *(check.id for check in checks)]
    if options.list:
        print("\n".join(names))
        return 0
    grant(open_lab(default_paths(os.environ, Path.home())), ("certificates", "diagnose"))
    results = Results(options.results, "make certificates")
    versions = {"kubelet": KUBERNETES_VERSION, "ansible-core": version("ansible-core")}
    rows = [(case.fault.id, case.mode, partial(measured, case, options.host)) for case in chosen]
    rows += [(check.id, MODE, partial(checked, check, options.host)) for check in checks]
    for name, mode, measure in rows:
        if options.again or not results.done(name, mode, commit()):
            with locked(options.host):
                row = measure()
                results.put(row, versions)
                print(line(row), flush=True)
    with locked(options.host):
        reset(options.host)
    return 1 if any(row["ok"] is False for row in results.rows if row["case"] in names) else 0


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.certificates", description=__doc__)
    parser.add_argument("--host", default="pi-04")
    parser.add_argument("--only", default="", help="rows whose name has this regular expression")
    parser.add_argument("--again", action="store_true", help="also rows that are already there")
    parser.add_argument("--list", action="store_true", help="name the rows, and run none")
    parser.add_argument("--results", type=Path, default=ROOT / "docs" / "results" / "certificates.json")
    return parser.parse_args()


def line(row: Row) -> str:
    """One row for a person who watches."""
    return f"{MARKS[row['ok']]:8} {row['case']:56} {row['seconds'] or 0:6.1f} s  {row['note']}".rstrip()


def measured(case: Case, host: str) -> Row:
    """One row; one that could not be run has ok None."""
    row = unrun(
        case.fault.id, kind="certificate", mode=case.mode, host=host, at=commit(), expected=case.expected, note=""
    )
    try:
        reset(host)
        before = containers(host)
        inject(case.fault, host)
        seen, words, seconds = played(case, host)
        seen["containers_kept"] = None if case.kept is None else before <= containers(host)
    except (NotReset, NotInjected, NotSearched) as reason:
        return {**row, "note": " ".join(f"could not be run: {reason}".split())}
    wrong = mistakes(case.expected, seen)
    note = "; ".join([*wrong, f"it says: {words}"] if wrong else [])
    return {**row, "seen": seen, "ok": not wrong, "seconds": round(seconds, 1), "note": note}


def checked(check: Check, host: str) -> Row:
    """One row of a node that is only looked at; one that could not be run has ok None."""
    row = unrun(check.id, kind="check", mode=MODE, host=host, at=commit(), expected=check.expected)
    try:
        reset(host)
        inject(check.fault, host)
        seen, words, seconds = looked(check, host)
    except (NotReset, NotInjected, NotSearched) as reason:
        return {**row, "note": " ".join(f"could not be run: {reason}".split())}
    wrong = mistakes(check.expected, seen)
    note = "; ".join([*wrong, f"it says: {words}"] if wrong else [])
    return {**row, "seen": seen, "ok": not wrong, "seconds": round(seconds, 1), "note": note}


def containers(host: str) -> set[str]:
    """IDs of what runs, sandboxes too."""
    found = set(in_lab(TASKS, host, 60).output.split())
    if not found:
        raise NotSearched("no container runs")
    return found


def played(case: Case, host: str) -> tuple[dict[str, t.Any], str, float]:
    """What is to be seen after one run of the playbook, its own words, and how long it took. Raises NotSearched."""
    identity = token_id(host)
    sample_node(host)
    watch, sampler = Watch(identity), Sampler()
    try:
        with tempfile.TemporaryDirectory(prefix="outward-reports-") as name:
            ended = Started(run_of(case), host, Path(name), {}).wait()
            reports = {path.name: path.read_text() for path in Path(name).glob("*.json")}
    finally:
        secrets, sampled = watch.end(), sampler.end()
    keep("certificates", case.fault.id, ended.output, reports)
    report = ended.report
    if report is None:
        raise NotSearched(f"there is no report: {ended.output.strip()[-1000:]}")
    actions = [action["step"] for action in report["actions"]]
    if RENEW in actions and not secrets:
        raise NotSearched("the token was not seen, so it could not be looked for")
    found = here(secrets, {"ansible -vvv": ended.output, "arguments here": sampled, **reports})
    return (
        {
            "outcome": report["outcome"],
            "status": ended.status,
            "root_causes": sorted(report["diagnosis"]["root_causes"]),
            "actions": actions,
            "checks": report["proof"]["checks"],
            "tokens_seen": len(secrets),
            "tokens_left": tokens_left(host, identity),
            "found_in": found + (on_node(host, secrets) if secrets else []),
        },
        why(report),
        ended.seconds,
    )


def run_of(case: Case) -> Loud:
    """The playbook of this case."""
    return Loud("recover", SOAK, 3, case.variables, access="certificates", playbook=case.playbook)


def keep(kind: str, case: str, said: str, reports: dict[str, str]) -> None:
    """All that was said and reported, for a person who wonders about a row (not committed)."""
    place = ROOT / ".build" / kind / re.sub(r"[^A-Za-z0-9]+", "-", case)
    place.mkdir(parents=True, exist_ok=True)
    for name, text in {"ansible.log": said, **reports}.items():
        (place / name).write_text(text)


if __name__ == "__main__":
    sys.exit(main())
