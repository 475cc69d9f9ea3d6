# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Record what the lab's API server lists now: ``python3 -m tests.recordings.api.record NAME`` from the root.

What the product does not read is cut away to keep the files small, and what may be secret is never written.
"""

from __future__ import annotations

import json
import subprocess
import sys
import typing as t
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path

Object = dict[str, t.Any]
LISTS: t.Final = {
    "nodes": "/api/v1/nodes",
    "leases": "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases",
    "pods": "/api/v1/pods?fieldSelector=spec.nodeName!=,status.phase!=Succeeded",
    "events-nodes": "/api/v1/events?fieldSelector=involvedObject.kind=Node",
    "events-pods": "/api/v1/events?fieldSelector=involvedObject.kind=Pod,type=Warning",
    "csrs": "/apis/certificates.k8s.io/v1/certificatesigningrequests",
}
DROPPED: t.Final = ("kubectl.kubernetes.io/last-applied-configuration",)


def main(name: str) -> None:
    """Write one directory beside this file."""
    where = Path(__file__).parent / name
    where.mkdir(parents=True, exist_ok=True)
    for kind, path in LISTS.items():
        items = [_cut(kind, item) for item in json.loads(_raw(path))["items"]]
        (where / f"{kind}.json").write_text(json.dumps(items, indent=1) + "\n")
    (where / "date.txt").write_text(format_datetime(datetime.now(UTC), usegmt=True) + "\n")


def _raw(path: str) -> str:
    command = [sys.executable, "-m", "tests.lab", "kubectl", "get", "--raw", path]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def _cut(kind: str, item: Object) -> Object:
    metadata = item["metadata"]
    for key in DROPPED:
        metadata.get("annotations", {}).pop(key, None)
    if kind != "nodes":
        metadata.pop("managedFields", None)
    if kind == "nodes":
        item["status"].pop("images", None)
    if kind == "pods":
        item["spec"] = {"nodeName": item["spec"]["nodeName"]}
    if kind == "csrs" and item["status"].get("certificate"):
        item["status"]["certificate"] = "eA=="
    return item


if __name__ == "__main__":
    main(sys.argv[1])
