# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What runs cost on the node, measured there: Ansible is given an interpreter that weighs what it starts."""

from __future__ import annotations

import subprocess
import typing as t
from dataclasses import dataclass

from tests.faults.lab import STATE

PLACE: t.Final = "/dev/shm/outward-bench"
INTERPRETER: t.Final = f"{PLACE}/python3"
# Each run gets a control group of its own, so that every process of a module is counted and nothing else is.
# cpu.stat and memory.peak are the kernel's own sums; the clock is the node's uptime.
WRAPPER: t.Final = r"""#!/bin/sh
group=/sys/fs/cgroup/outward-bench
rmdir $group 2>/dev/null
mkdir $group
read begin rest </proc/uptime
sh -c 'echo $$ >/sys/fs/cgroup/outward-bench/cgroup.procs; exec /usr/bin/python3 "$@"' sh "$@"
status=$?
read end rest </proc/uptime
read name cpu <$group/cpu.stat
read peak <$group/memory.peak
echo "$begin $end $cpu $peak" >>/dev/shm/outward-bench/runs
exit $status
"""
INSTALL: t.Final = f"""
mkdir -p {PLACE}
cat >{INTERPRETER} <<'END'
{WRAPPER}END
chmod 755 {INTERPRETER}
grep -q memory /sys/fs/cgroup/cgroup.subtree_control || echo +memory >/sys/fs/cgroup/cgroup.subtree_control
grep -q cpu /sys/fs/cgroup/cgroup.subtree_control || echo +cpu >/sys/fs/cgroup/cgroup.subtree_control
"""
MIB: t.Final = 1024 * 1024


@dataclass(frozen=True)
class Cost:
    """One run of an interpreter and all that it started: seconds, seconds of CPU, MiB at the most."""

    wall: float
    cpu: float
    peak: float


def ssh(host: str, script: str) -> str:
    """What *script* prints on the node; raises CalledProcessError."""
    command = ["ssh", "-F", str(STATE / "ssh_config"), host, "sh -s"]
    return subprocess.run(command, input=script, check=True, capture_output=True, text=True).stdout


def install(host: str) -> None:
    """Put the weighing interpreter onto *host*."""
    ssh(host, INSTALL)


def take(host: str) -> Cost:
    """The one run since the last call; raises ValueError when it was not one."""
    (line,) = ssh(host, f"cat {PLACE}/runs && rm {PLACE}/runs").splitlines()
    begin, end, cpu, peak = line.split()
    return Cost(round(float(end) - float(begin), 2), round(int(cpu) / 1e6, 2), round(int(peak) / MIB, 1))
