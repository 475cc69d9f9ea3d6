# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""node-recover of a stopped kubelet beside a person who knows at once what to type, and then watches the Lease."""

from __future__ import annotations

import json
import subprocess
import tempfile
import time
import typing as t
from datetime import UTC, datetime

from tests.faults.lab import ROOT, STATE, inject
from tests.faults.table import FAULTS
from tests.matrix.row import reset

from .adhoc import INVENTORY, environment, tool
from .node import ssh
from .rows import Row, ratio

GOAL: t.Final = 2.0
LEASE: t.Final = "jsonpath={.spec.renewTime}"
PATIENCE: t.Final = 180.0
PAUSE: t.Final = 0.5


def by_hand(host: str) -> float:
    """Seconds from typing `systemctl start kubelet` to a Lease that is newer than that."""
    begin, typed = time.monotonic(), datetime.now(UTC)
    ssh(host, "systemctl start kubelet")
    while renewed(host) <= typed:
        if time.monotonic() - begin > PATIENCE:
            raise RuntimeError(f"{host}: no fresh Lease {PATIENCE:.0f} s after the start")
        time.sleep(PAUSE)
    return round(time.monotonic() - begin, 1)


def renewed(host: str) -> datetime:
    """The API server's word on the node's last sign of life."""
    command = [
        "python3",
        "-m",
        "tests.lab",
        "kubectl",
        "--",
        "get",
        "lease",
        host,
        "-n",
        "kube-node-lease",
        "-o",
        LEASE,
    ]
    shown = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.strip()
    return datetime.fromisoformat(shown)


def by_playbook(host: str) -> float:
    """Seconds of node-recover.yml, without a soak; raises RuntimeError unless it proved the recovery."""
    with tempfile.TemporaryDirectory(prefix="outward-bench-") as reports:
        settings = {
            "outward_kubeconfig": str(STATE / "recover.kubeconfig"),
            "outward_report_dir": reports,
            "outward_soak_seconds": 0,
        }
        command = [tool("ansible-playbook"), "-i", str(INVENTORY), "-l", host, "-e", json.dumps(settings)]
        begin = time.monotonic()
        done = subprocess.run(
            [*command, "node-recover.yml"],
            cwd=ROOT / "examples" / "pi-cluster",
            env=environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        seconds = time.monotonic() - begin
    if done.returncode:
        raise RuntimeError(done.stdout[-2000:] + done.stderr[-500:])
    return round(seconds, 1)


def rows(host: str, rounds: int, say: t.Callable[[str], None]) -> list[Row]:
    """Both in turn, each from the same clean node with a kubelet that was stopped."""
    pairs = []
    for number in range(rounds):
        seconds = []
        for way in (by_playbook, by_hand):
            reset(host)
            inject(FAULTS["kubelet-stopped"], host)
            seconds.append(way(host))
        pairs.append((seconds[0], seconds[1]))
        say(f"recovery, round {number}: node-recover {seconds[0]} s, by hand {seconds[1]} s")
    return [ratio("node-recover of a stopped kubelet to systemctl start, wall", pairs, GOAL, "soak not counted")]
