# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""One walk over /proc: who is blocked in the kernel, how many inotify instances root holds, who installs software."""

from __future__ import annotations

import os
import time
import typing as t

from ..._parse import procfs
from ..._parse.errors import ParseError
from ..files import attempt, descriptors, read

# A process that waits for a disk is in state D for a moment; one that hangs is there a little later too.
SECOND_LOOK: t.Final = 0.3
_INOTIFY: t.Final = "anon_inode:inotify"
_MOST_BLOCKED: t.Final = 20


# What apt, aptitude, unattended-upgrades and Ansible's apt hold while they change what is installed (apt.conf(5)).
LOCKS: t.Final = ("/var/lib/dpkg/lock-frontend", "/var/lib/dpkg/lock")


def ask() -> tuple[tuple[str, ...], int, t.Any]:
    """(`comm (pid) wchan` of what is in state D both times, inotify instances of uid 0, who installs software)."""
    pids = [name for name in os.listdir("/proc") if name.isdigit()]
    suspects = [pid for pid in pids if _state(pid) == "D"]
    instances = sum(_inotify(pid) for pid in pids)
    working = attempt(_upkeep, pids)
    if not suspects:
        return (), instances, working
    time.sleep(SECOND_LOOK)
    return tuple(_described(pid) for pid in suspects if _state(pid) == "D")[:_MOST_BLOCKED], instances, working


def _upkeep(pids: list[str]) -> tuple[str, ...]:
    """By name and first word alone: a command line may hold a secret."""
    commands = {pid: procfs.upkeep(_arguments(pid)) for pid in pids}
    found = {pid: f"{command} (pid {pid})" for pid, command in commands.items() if command}
    locks = read("/proc/locks")
    for path in LOCKS:
        for pid in procfs.lock_holders(locks, os.stat(path).st_ino) if os.path.exists(path) else ():
            found.setdefault(str(pid), f"{_comm(pid)} (pid {pid}) holds {path}")
    return tuple(found.values())


def _arguments(pid: str) -> list[str]:
    """Of a kernel thread, or of a process that ended meanwhile: none."""
    try:
        return read(f"/proc/{pid}/cmdline").split("\0")[:8]
    except OSError:
        return []


def _comm(pid: int) -> str:
    try:
        return procfs.stat(read(f"/proc/{pid}/stat")).comm
    except (OSError, ParseError):
        return "a process"


def _state(pid: str) -> str:
    """Of a process that ended meanwhile: empty."""
    try:
        return procfs.stat(read(f"/proc/{pid}/stat")).state
    except (OSError, ParseError):
        return ""


def _described(pid: str) -> str:
    try:
        wchan = read(f"/proc/{pid}/wchan") or "?"
        return f"{procfs.stat(read(f'/proc/{pid}/stat')).comm} ({pid}) {wchan}"
    except (OSError, ParseError):
        return f"? ({pid}) ?"


def _inotify(pid: str) -> int:
    """Descriptors of one process of root; a kernel thread has none."""
    try:
        if os.stat(f"/proc/{pid}").st_uid != 0:
            return 0
    except OSError:
        return 0
    return descriptors(f"/proc/{pid}").count(_INOTIFY)
