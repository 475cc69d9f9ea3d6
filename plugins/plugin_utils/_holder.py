# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Who this run is, in the eyes of the lock, and whether another one has ended."""

from __future__ import annotations

import hashlib
import os
import re
import socket
import typing as t
from collections.abc import Mapping
from pathlib import Path

from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.lock import Holder

PROC: t.Final = Path("/proc")
# AWX gives each job, and each slice of one, a number of its own.
AWX: t.Final = ("awx_job_id", "tower_job_id")


def this_run(variables: Mapping[str, t.Any], node: str) -> Holder:
    """This run with *node* in hand; tasks run in children of ansible-playbook, which is the process that counts."""
    number = next((str(variables[name]) for name in AWX if variables.get(name)), "")
    process = os.getppid()
    job = f"awx-{number}" if number else f"pid-{process}-{_started(process) or 0}-{_place() or 0}"
    return Holder(re.sub(r"[^A-Za-z0-9.-]", "-", job), socket.gethostname(), node)


def gone(holder: Holder) -> bool:
    """Whether the process of *holder* has surely ended: only where its number means the same as here."""
    match = re.fullmatch(r"pid-([0-9]{1,20})-([1-9][0-9]{0,20})-([0-9a-f]{12})", holder.job)
    if match is None or match.group(3) != _place():
        return False
    process = int(match.group(1))
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return True
    except PermissionError:  # it is somebody else's, and there
        return False
    started = _started(process)
    return started is not None and started != int(match.group(2))


def _started(process: int) -> int | None:
    """Clock ticks from boot to the start of a process; None where nobody can tell (proc_pid_stat(5), field 22)."""
    try:
        stat = (PROC / str(process) / "stat").read_text()
    except OSError:
        return None
    return int(stat.rpartition(")")[2].split()[19])


def _place() -> str | None:
    """This boot of this machine and its namespace of processes; a host name is not enough: containers share it."""
    try:
        boot = (PROC / "sys/kernel/random/boot_id").read_text().strip()
        namespace = str((PROC / "self/ns/pid").readlink())
    except OSError:
        return None
    return hashlib.sha256(f"{boot} {namespace}".encode()).hexdigest()[:12]
