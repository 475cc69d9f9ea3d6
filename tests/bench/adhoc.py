# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One task from the command line, timed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import typing as t
from pathlib import Path

from tests.faults.lab import ROOT, STATE

from .node import INTERPRETER, Cost, take

Task = tuple[str, dict[str, t.Any]]
PING: t.Final[Task] = ("ansible.builtin.ping", {})
SETUP: t.Final[Task] = ("ansible.builtin.setup", {})
FACTS: t.Final[Task] = ("outward.kubelet.node_facts", {})
DIAGNOSIS: t.Final[Task] = ("outward.kubelet.node_diagnosis", {"kubeconfig": str(STATE / "diagnose.kubeconfig")})
INVENTORY: t.Final = STATE / "inventory" / "hosts.yml"


def tool(name: str) -> str:
    """A program of the environment that we run in."""
    return str(Path(sys.executable).with_name(name))


def environment() -> dict[str, str]:
    """The same for every task: pipelining for all, or ping would pay for copying its module."""
    return {
        **os.environ,
        "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".build"),
        "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_FORCE_COLOR": "0",
        "ANSIBLE_PIPELINING": "1",
    }


def run(host: str, task: Task, weighed: bool = True) -> tuple[float, dict[str, t.Any]]:
    """(seconds on the controller's wall clock, the task's result); raises RuntimeError when it failed."""
    name, arguments = task
    command = [tool("ansible"), host, "-i", str(INVENTORY), "-m", name]
    if arguments:
        command += ["-a", json.dumps(arguments)]
    if weighed:
        command += ["-e", f"ansible_python_interpreter={INTERPRETER}"]
    start = time.monotonic()
    done = subprocess.run(command, env=environment(), cwd=ROOT, capture_output=True, text=True, check=False)
    seconds = time.monotonic() - start
    if done.returncode:
        raise RuntimeError(f"{name}: {(done.stdout + done.stderr)[-1500:]}")
    return round(seconds, 2), json.loads(done.stdout.partition("=>")[2])


def weigh(host: str, task: Task) -> tuple[float, Cost]:
    """(seconds on the controller, cost on the node) of one run."""
    seconds, _result = run(host, task)
    return seconds, take(host)
