# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``python -m tests.rbac``: each right of each role taken away in turn from a real ServiceAccount of the lab.

What is expected: the one clear error that names the right, before anything is touched; with all rights, none. The roles
are installed under a name of their own, so that whoever uses the shipped ones meanwhile is not disturbed.
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
from pathlib import Path

from ansible_collections.outward.kubelet.plugins.module_utils._kube.refusal import Question
from ansible_collections.outward.kubelet.plugins.module_utils._kube.rights import (
    NAMESPACE,
    RIGHTS,
    ROLES,
    Role,
    manifest,
)
from tests.lab._access import kubeconfig
from tests.matrix.results import ROOT, Results, commit

Row = dict[str, t.Any]
SCRATCH: t.Final = "outward-rbac-test"
LABEL: t.Final = "outward.kubelet"  # of every object of ours
PLAY: t.Final = ROOT / "tests" / "rbac" / "preflight.yml"
SETTLE: t.Final = 2.0  # seconds until the API server's authorizer has seen a change of roles


def lab(*words: str, stdin: str = "") -> str:
    """The lab's kubectl, as admin; raises CalledProcessError."""
    command = [sys.executable, "-m", "tests.lab", "kubectl", "--", *words]
    done = subprocess.run(command, cwd=ROOT, input=stdin, capture_output=True, text=True, check=True)
    return done.stdout


def scratch(item: t.Any) -> t.Any:
    """The manifest, or a part of it, under a name of its own; what it gives rights for keeps its name."""
    if isinstance(item, dict):
        return {key: value if key == "rules" else scratch(value) for key, value in item.items()}
    if isinstance(item, list):
        return [scratch(each) for each in item]
    ours = isinstance(item, str) and (item in (NAMESPACE, LABEL) or item.startswith(f"{NAMESPACE}-"))
    return item.replace(NAMESPACE, SCRATCH).replace(LABEL, SCRATCH) if ours else item


def install(role: Role, without: Question | None) -> None:
    """The role, less one right; what an earlier row has left is taken away first."""
    remove()
    items = scratch(manifest(role, without))
    lab("apply", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": items}))
    time.sleep(SETTLE)


def remove() -> None:
    """Roles and bindings of ours in every namespace; the namespace stays until the end."""
    chosen = f"app.kubernetes.io/part-of={SCRATCH}"
    lab("delete", "clusterroles,clusterrolebindings", "-l", chosen, "--ignore-not-found")
    for place in sorted({question.namespace for rights in RIGHTS.values() for question in rights} - {""}):
        lab("delete", "roles,rolebindings", "-n", place, "-l", chosen, "--ignore-not-found")


def minted(role: Role, directory: Path) -> Path:
    """A kubeconfig of the scratch ServiceAccount, for ten minutes."""
    cluster = json.loads(lab("config", "view", "--raw", "--minify", "-o", "json"))["clusters"][0]["cluster"]
    token = lab("create", "token", role, "-n", SCRATCH, "--duration=10m").strip()
    path = directory / "kubeconfig"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(kubeconfig(cluster, role, token), file)
    return path


def preflight(role: Role, directory: Path, access: Path) -> tuple[int, list[str]]:
    """Exit status of the play, and the messages of tasks that failed."""
    settings = {"outward_kubeconfig": str(access), "outward_report_dir": str(directory / "reports"), "rbac_mode": role}
    tool = str(Path(sys.executable).with_name("ansible-playbook"))
    command = [
        sys.executable,
        "-m",
        "tests.lab",
        "exec",
        "--",
        tool,
        str(PLAY),
        "-i",
        "pi-04,",
        "-e",
        json.dumps(settings),
    ]
    environ = {**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".build"), "ANSIBLE_NOCOLOR": "1"}
    done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, check=False)
    return done.returncode, messages(done.stdout)


def messages(output: str) -> list[str]:
    """The `msg` of each host that failed, out of what ansible-playbook prints."""
    found = re.findall(r"^fatal: \[[^\]]+\]: FAILED! => (\{.*?\})$", output, re.MULTILINE)
    return [str(json.loads(text)["msg"]) for text in found]


def row(role: Role, without: Question | None, status: int, said: list[str], seconds: float) -> Row:
    """One row of the table (design.md section 6)."""
    right = str(without) if without else "nothing"
    wanted = [f"lacks 1 of the rights that {role} needs: {right}."] if without else []
    ok = (status == 2 and len(said) == 1 and wanted[0] in said[0]) if without else (status == 0 and not said)
    return {
        "case": f"{role} without {right}",
        "mode": role,
        "kind": "right",
        "commit": commit(),
        "expected": {"status": 2 if without else 0, "errors": wanted},
        "seen": {"status": status, "errors": said},
        "ok": ok,
        "seconds": round(seconds, 1),
        "note": "",
    }


def tried(role: Role, without: Question | None) -> Row:
    """Install, mint, run, judge."""
    install(role, without)
    with tempfile.TemporaryDirectory(prefix="outward-rbac-") as name:
        access = minted(role, Path(name))
        start = time.monotonic()
        status, said = preflight(role, Path(name), access)
        return row(role, without, status, said, time.monotonic() - start)


def main() -> int:
    """0 when every row is right."""
    parser = argparse.ArgumentParser(prog="python -m tests.rbac", description=__doc__)
    parser.add_argument("--results", type=Path, default=ROOT / "docs" / "results" / "rbac.json")
    results = Results(parser.parse_args().results, "make rbac")
    versions = {"kubelet": json.loads(lab("version", "-o", "json"))["serverVersion"]["gitVersion"]}
    wrong = 0
    try:
        for role in ROLES:
            for without in (None, *dict.fromkeys(RIGHTS[role])):
                found = tried(role, without)
                wrong += not found["ok"]
                results.put(found, versions)
                print(f"{'ok   ' if found['ok'] else 'WRONG'} {found['case']}: {'; '.join(found['seen']['errors'])}")
    finally:
        remove()
        lab("delete", "namespace", SCRATCH, "--ignore-not-found", "--wait=false")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
