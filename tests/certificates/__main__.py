# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``python3 -m tests.certificates``: client certificates that do not work, on a real node, recovered by certificates-recover.yml;
and certificates of a healthy node, rotated early by certificates-rotate.yml.

Each row: a clean node, the fault, the playbook with -vvv; what ran before runs on in the same containers, no token is
left, and its secret is nowhere.
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
from tests.faults.lab import NotInjected, in_lab, inject
from tests.faults.model import controller, node
from tests.lab._access import grant
from tests.lab._lab import open_lab
from tests.lab._model import KUBERNETES_VERSION, default_paths
from tests.matrix.playbook import EXAMPLE
from tests.matrix.results import ROOT, Results, Row, commit
from tests.matrix.row import NotReset, locked, reset

from .cases import CASES, RENEW, Case
from .secrets import NotSearched, Sampler, Watch, here, on_node, sample_node
from .verdict import mistakes

PATIENCE: t.Final = 1200
TASKS: t.Final = node("ctr -n k8s.io tasks ls | awk '$3 == \"RUNNING\" {print substr($1, 1, 16)}'")
TOKENS: t.Final = controller(
    "kubectl get secrets -n kube-system -o name | grep -c secret/bootstrap-token-$TOKEN || true"
)


def main() -> int:
    """0 when every row is right."""
    options = arguments()
    lab = open_lab(default_paths(os.environ, Path.home()))
    grant(lab, ("certificates",))
    results = Results(options.results, "make certificates")
    versions = {"kubelet": KUBERNETES_VERSION, "ansible-core": version("ansible-core")}
    wrong = 0
    with locked(options.host):
        for case in (case for name, case in CASES.items() if re.fullmatch(options.only, name)):
            row = measured(case, options.host, lab.paths.access("certificates"))
            results.put(row, versions)
            wrong += not row["ok"]
            verdict = {True: "right", False: "WRONG", None: "not run"}[row["ok"]]
            print(f"{case.fault.id:30} {verdict:8} {row['seconds'] or 0:6.1f} s  {row['note']}", flush=True)
    return 1 if wrong else 0


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python3 -m tests.certificates", description=__doc__)
    parser.add_argument("--host", default="pi-04")
    parser.add_argument("--only", default=".*", help="cases, as a regular expression")
    parser.add_argument("--results", type=Path, default=ROOT / "docs" / "results" / "certificates.json")
    return parser.parse_args()


def measured(case: Case, host: str, kubeconfig: Path) -> Row:
    """One row; one that could not be run has ok None."""
    row: Row = {"case": case.fault.id, "kind": "certificate", "mode": "recover", "host": host, "commit": commit()}
    row |= {"expected": case.expected, "seen": None, "ok": None, "seconds": None}
    try:
        reset(host)
        before = containers(host)
        inject(case.fault, host)
        seen, seconds = recovered(case, host, kubeconfig)
        seen["containers_kept"] = None if case.kept is None else before <= containers(host)
    except (NotReset, NotInjected, NotSearched) as why:
        return {**row, "note": f"could not be run: {why}"}
    wrong = mistakes(case.expected, seen)
    return {**row, "seen": seen, "ok": not wrong, "seconds": round(seconds, 1), "note": "; ".join(wrong)}


def containers(host: str) -> set[str]:
    """IDs of what runs, sandboxes too."""
    found = set(in_lab(TASKS, host, 60).output.split())
    if not found:
        raise NotSearched("no container runs")
    return found


def recovered(case: Case, host: str, kubeconfig: Path) -> tuple[dict[str, t.Any], float]:
    """What is to be seen after one run of the playbook, and how long it took. Raises NotSearched."""
    identity = token_id(host)
    sample_node(host)
    watch, sampler = Watch(identity), Sampler()
    start = time.monotonic()
    try:
        with tempfile.TemporaryDirectory(prefix="outward-reports-") as name:
            said = play(case, host, kubeconfig, Path(name))
            reports = {path.name: path.read_text() for path in Path(name).glob("*.json")}
    finally:
        seconds = time.monotonic() - start
        secrets, sampled = watch.end(), sampler.end()
    if f"{host}.json" not in reports:
        raise NotSearched(f"there is no report: {said.strip()[-1000:]}")
    report = json.loads(reports[f"{host}.json"])
    if (RENEW in case.actions) != bool(secrets):
        raise NotSearched(f"{len(secrets)} tokens were seen")
    left = in_lab(controller(TOKENS.script.replace("$TOKEN", identity)), host, 60).output
    found = here(secrets, {"ansible -vvv": said, "arguments here": sampled, **reports})
    return {
        "outcome": report["outcome"],
        "root_causes": sorted(report["diagnosis"]["root_causes"]),
        "actions": [action["step"] for action in report["actions"]],
        "checks": report["proof"]["checks"],
        "tokens_seen": len(secrets),
        "tokens_left": int(left or 0),
        "found_in": found + (on_node(host, secrets) if secrets else []),
    }, seconds


def play(case: Case, host: str, kubeconfig: Path, reports: Path) -> str:
    """All that the playbook said."""
    variables = {
        "outward_kubeconfig": str(kubeconfig),
        "outward_report_dir": str(reports),
        "outward_max_unavailable": 3,
        **case.variables,
    }
    tool = str(Path(sys.executable).with_name("ansible-playbook"))
    inventory = str(kubeconfig.parent / "inventory" / "hosts.yml")
    words = [tool, "-vvv", case.playbook, "-i", inventory, "-l", host, "-e", json.dumps(variables)]
    inside = [sys.executable, "-m", "tests.lab", "exec", "--", "sh", "-c", 'cd "$0" && exec "$@"', str(EXAMPLE)]
    try:
        done = subprocess.run(
            [*inside, *words],
            cwd=ROOT,
            env={**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".build"), "ANSIBLE_NOCOLOR": "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=PATIENCE,
            check=False,
        )
    except subprocess.TimeoutExpired as late:
        raise NotSearched(f"the playbook did not end in {PATIENCE} s") from late
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())
