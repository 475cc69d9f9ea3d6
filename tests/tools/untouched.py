# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What `--check` must leave as it was: ``python -m tests.tools.untouched HOST FILE`` keeps it before the playbook."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import typing as t
from pathlib import Path

from tests.tools.scenario import SHOW

ROOT: t.Final = Path(__file__).parents[2]
DIRECTORIES: t.Final = "/etc /root /usr/lib/systemd /usr/local /var/lib/kubelet /var/lib/cni /var/lib/outward-kubelet"
HASHES: t.Final = f"find {DIRECTORIES} -xdev -type f -exec sha256sum {{}} + 2>/dev/null | sort -k2"
# Leases and events are how a cluster breathes; the other nodes' heartbeats move their Nodes.
KINDS: t.Final = "nodes,pods,deployments,daemonsets,replicasets,configmaps,secrets,serviceaccounts,clusterroles,csr"
SETTLING: t.Final = 150.0  # seconds until the control plane has done all that it does about a silent node

State = dict[str, dict[str, str]]


def lab(*words: str) -> str:
    """What a command of the lab prints."""
    command = [sys.executable, "-m", "tests.lab", *words]
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True, timeout=300).stdout


def state(host: str) -> State:
    """Invocations of the units, hashes of the files, and versions of the API's objects that concern *host*."""
    hashes = (line.split(maxsplit=1) for line in lab("ssh", host, "--", HASHES).splitlines())
    return {
        "units": dict(enumerate_lines(lab("ssh", host, "--", SHOW))),
        "files": {path: digest for digest, path in hashes},
        "objects": versions(json.loads(lab("kubectl", "get", KINDS, "-A", "-o", "json")), host),
    }


def enumerate_lines(text: str) -> t.Iterator[tuple[str, str]]:
    """Numbered lines."""
    return ((str(number), line) for number, line in enumerate(text.splitlines()))


def versions(listing: dict[str, t.Any], host: str) -> dict[str, str]:
    """kind/namespace/name -> resourceVersion, without the Nodes whose heartbeats go on."""
    return {
        "/".join((item["kind"], item["metadata"].get("namespace", ""), item["metadata"]["name"])): item["metadata"][
            "resourceVersion"
        ]
        for item in listing["items"]
        if item["kind"] != "Node" or item["metadata"]["name"] == host
    }


def settled(host: str) -> State:
    """The state once two looks in a row agree. Raises TimeoutError."""
    end = time.monotonic() + SETTLING
    last, silent = state(host), False
    while time.monotonic() < end:
        time.sleep(5)
        jsonpath = '{.status.conditions[?(@.type=="Ready")].status}'
        silent = silent or lab("kubectl", "get", "node", host, "-o", f"jsonpath={jsonpath}").strip() == "Unknown"
        now = state(host)
        if silent and now == last:
            return now
        last = now
    raise TimeoutError(f"{host} and its objects were still changing after {SETTLING:.0f} s")


if __name__ == "__main__":
    Path(sys.argv[2]).write_text(json.dumps(settled(sys.argv[1])))
