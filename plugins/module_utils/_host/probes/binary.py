# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Does the installed kubelet know its flags? Asked of the binary itself, and only when it is worth its seconds."""

from __future__ import annotations

import os
import re
import time
import typing as t

from ..._diagnosis.evidence import unknown
from ..._diagnosis.node import Profile, Setting
from ..._parse import procfs
from ..._parse.errors import ParseError
from ..command import Output, run
from ..files import read
from .kubelet import binary_path, flags, showable, unit_lines

# A kubelet with a flag that it does not know exits within a second or two, also on a slow node.
STABLE_SECONDS: t.Final = 30.0
_SECONDS: t.Final = 6.0
_UNKNOWN: t.Final = re.compile(r"unknown (?:shorthand )?flag: (?:'(.)' in )?(\S{1,200})")
_VERSION: t.Final = re.compile(r"Kubernetes (v[0-9][^\s]{0,60})")
_MOST_UNKNOWN: t.Final = 3


def ask(profile: Profile) -> tuple[str | None, tuple[Setting, ...], bool]:
    """The version (None: not installed), the flags that the installed binary refuses, and whether it is what runs.

    The one that runs is not asked for its version, which costs a second on a slow node: the API has it.
    """
    if profile.name != "kubeadm":
        return unknown(f"the kubelet is a part of {profile.binary}"), (), unknown(f"{profile.binary} was not compared")
    lines = unit_lines(profile.unit)
    path, given = binary_path(profile, lines), flags(lines)
    if not os.path.exists(path):
        return None, (), False
    if _runs_with(profile.unit, path, given):
        return unknown("the installed kubelet was not asked for its version: it runs"), (), True
    return (*_try(path, given), False)


def _runs_with(unit: str, path: str, given: t.Sequence[Setting]) -> bool:
    """The unit's process has run for a while from this very file with all of these flags: it knows them."""
    installed = os.stat(path)
    for pid in _processes(unit):
        try:
            running = os.stat(f"/proc/{pid}/exe")
            if (running.st_dev, running.st_ino) != (installed.st_dev, installed.st_ino) or _age(pid) < STABLE_SECONDS:
                continue
            arguments = set(read(f"/proc/{pid}/cmdline").split("\0"))
            return all({setting.flag, setting.flag.partition("=")[0]} & arguments for setting in given)
        except OSError:  # it has ended meanwhile
            continue
    return False


def _processes(unit: str) -> list[str]:
    """The processes of a unit's control group, on cgroup v2 and v1."""
    for place in ("/sys/fs/cgroup", "/sys/fs/cgroup/systemd"):
        try:
            return read(f"{place}/system.slice/{unit}/cgroup.procs").split()
        except (FileNotFoundError, NotADirectoryError):
            continue
    return []


def _age(pid: str) -> float:
    started = procfs.stat(read(f"/proc/{pid}/stat")).started / os.sysconf("SC_CLK_TCK")
    return time.clock_gettime(time.CLOCK_BOOTTIME) - started


def _try(path: str, given: t.Sequence[Setting]) -> tuple[str | None, tuple[Setting, ...]]:
    """`kubelet --version FLAGS`: the flags are parsed first, then the version is printed, and nothing else is done.

    (cmd/kubelet/app/server.go; `--help` hides some of the flags that it takes.)
    """
    left = list(given)
    refused: list[Setting] = []
    end = time.monotonic() + _SECONDS
    while True:
        answer = run([path, "--version", *(setting.flag for setting in left)], max(0.1, end - time.monotonic()))
        name = _refused(answer)
        if name is None:
            match = _VERSION.search(answer.out)
            if match is None:
                raise ParseError(f"{path} --version: {(answer.err or answer.out)[:200]}")
            return match.group(1), tuple(refused)
        matching = [setting for setting in left if setting.flag.partition("=")[0] == name]
        left = [setting for setting in left if setting not in matching]
        refused += map(showable, matching)
        if not matching or len(refused) >= _MOST_UNKNOWN:
            return unknown(f"{path} refuses its flags"), tuple(refused)


def _refused(answer: Output) -> str | None:
    match = _UNKNOWN.search(answer.err + answer.out) if answer.status != 0 else None
    if match is None:
        return None
    return f"-{match.group(1)}" if match.group(1) else match.group(2).strip("\"'")
