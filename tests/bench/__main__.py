# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``python3 -m tests.bench``: what we cost, beside what everybody knows, in one run on one lab node."""

from __future__ import annotations

import argparse
import json
import sys
import typing as t
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from tests.faults.lab import enter
from tests.matrix.results import ROOT, commit
from tests.matrix.row import locked, reset

from . import cost, hung, recovery
from .node import install, ssh
from .rows import Row, line

VERSIONS: t.Final = "kubelet --version; containerd --version; python3 --version"


def main() -> int:
    """0 when every goal was reached."""
    options = arguments()
    enter("tests.bench")
    with locked(options.host):
        found = measured(options)
    write(options.results, found, options.host)
    for row in found:
        print(line(row))
    return 0 if all(row["ok"] for row in found) else 1


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python3 -m tests.bench", description=__doc__)
    parser.add_argument("--host", default="pi-04")
    parser.add_argument("--rounds", type=int, default=7, help="of each pair; recovery takes less")
    parser.add_argument("--only", choices=["cost", "hung", "recovery"])
    parser.add_argument("--results", type=Path, default=ROOT / "docs" / "results" / "bench.json")
    return parser.parse_args()


def measured(options: argparse.Namespace) -> list[Row]:
    """All rows, from a clean node."""
    host, rounds = options.host, options.rounds
    wanted = [options.only] if options.only else ["cost", "hung", "recovery"]
    reset(host)
    install(host)
    found: list[Row] = []
    if "cost" in wanted:
        found += cost.rows(cost.measure(host, rounds, say))
    if "hung" in wanted:
        found += hung.rows(host, 3, say)
    if "recovery" in wanted:
        found += recovery.rows(host, min(rounds, 3), say)
    reset(host)
    return found


def write(path: Path, rows: list[Row], host: str) -> None:
    """The whole file anew: rows of one run can be compared, those of two cannot."""
    kubelet, containerd, python = ssh(host, VERSIONS).splitlines()
    versions = {
        "kubelet": kubelet.split()[-1],
        "containerd": containerd.split()[2],
        "python on the node": python.split()[-1],
        "ansible-core": version("ansible-core"),
    }
    data = {"made_by": "make bench", "commit": commit(), "date": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({**data, "versions": versions, "rows": rows}, indent=1) + "\n")


def say(text: str) -> None:
    """Progress."""
    sys.stderr.write(f"{datetime.now(UTC):%H:%M:%S} {text}\n")


if __name__ == "__main__":
    sys.exit(main())
