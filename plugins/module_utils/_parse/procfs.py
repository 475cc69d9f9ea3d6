# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Files below /proc and /sys (proc(5), the kernel's Documentation/accounting/psi.rst) -> values."""

from __future__ import annotations

import re
import typing as t

from .._diagnosis.node import Stall
from .errors import ParseError

_NUMBER: t.Final = re.compile(r"[0-9]{1,20}")  # int() would take digits of any script
_SHARE: t.Final = r"[0-9]{1,9}(?:\.[0-9]{1,9})?"


def key_values(text: str) -> dict[str, int]:
    """`Name:  123 kB` (meminfo) and `name 123` (memory.stat) lines; kB are turned into bytes."""
    found: dict[str, int] = {}
    for line in text.splitlines():
        words = line.replace(":", " ", 1).split()
        if len(words) in (2, 3) and _NUMBER.fullmatch(words[1]):
            found[words[0]] = int(words[1]) * (1024 if words[2:] == ["kB"] else 1)
    return found


def number(values: t.Mapping[str, int], key: str) -> int:
    """One of :func:`key_values`; raises :class:`ParseError` when it is not there."""
    if key not in values:
        raise ParseError(f"{key} is missing")
    return values[key]


def swaps(text: str) -> tuple[str, ...]:
    """The devices and files of /proc/swaps."""
    lines = text.splitlines()
    if not lines or not lines[0].startswith("Filename"):
        raise ParseError("/proc/swaps has no heading")
    return tuple(unescape(line.split()[0]) for line in lines[1:] if line.strip())


def pressure(text: str) -> Stall:
    """One file of /proc/pressure; the cpu file of kernels before 5.13 has no `full` line, which counts as 0."""
    shares: dict[str, float] = {}
    for line in text.splitlines():
        match = re.match(rf"(some|full) avg10=({_SHARE}) ", line)
        if match:
            shares[match.group(1)] = float(match.group(2))
    if "some" not in shares:
        raise ParseError("no line `some avg10=`")
    return Stall(some=shares["some"], full=shares.get("full", 0.0))


class Stat(t.NamedTuple):
    """What is used of /proc/PID/stat."""

    comm: str
    state: str
    parent: int
    started: int  # clock ticks after boot


def stat(text: str) -> Stat:
    """/proc/PID/stat; the name in brackets may itself hold brackets and blanks."""
    start, end = text.find("("), text.rfind(")")
    fields = text[end + 2 :].split()
    numbers = [each for each in fields[1:20:18] if _NUMBER.fullmatch(each)]
    if not 0 <= start < end or len(numbers) < 2:
        raise ParseError("no line of /proc/PID/stat")
    return Stat(text[start + 1 : end], fields[0], *map(int, numbers))


# What exchanges a node's software: program -> the first words that do; None: whatever it is called with.
_UPKEEP: t.Final[dict[str, t.Optional[frozenset[str]]]] = {
    "kubeadm": frozenset({"init", "join", "reset", "upgrade"}),
    **dict.fromkeys(
        ("apt", "apt-get", "aptitude"),
        frozenset("install reinstall remove purge autoremove upgrade full-upgrade dist-upgrade safe-upgrade".split()),
    ),
    "dpkg": frozenset("-i --install --unpack --configure -r --remove -P --purge".split()),
    "unattended-upgrade": None,  # unattended-upgrade-shutdown runs on every Debian, and waits for a signal only
    "unattended-upgrades": None,
}
_SCRIPT: t.Final = re.compile(r"(python|perl)[0-9.]*|(ba|da)?sh")


def upkeep(arguments: t.Sequence[str]) -> str | None:
    """`kubeadm upgrade` for the arguments of a process that exchanges software; None: it does not."""
    words = [word for word in arguments if word]
    if words and _SCRIPT.fullmatch(words[0].rpartition("/")[2]):
        words = [word for word in words[1:] if not word.startswith("-")] or [""]
    program = words[0].rpartition("/")[2] if words else ""
    if program not in _UPKEEP:
        return None
    known = _UPKEEP[program]
    if known is None:
        return program
    return next((f"{program} {word}" for word in words[1:] if word in known), None)


def lock_holders(text: str, inode: int) -> tuple[int, ...]:
    """The processes that hold a POSIX lock to write on the file *inode* in /proc/locks (proc_locks(5)).

    Those that wait for one have an arrow in their line. The device there is that of the filesystem, which on btrfs and
    overlay is another than the file's, so the inode decides: to wait for nothing is better than to disturb.
    """
    found = []
    for line in text.splitlines():
        match = re.match(r"[0-9]+: POSIX +\S+ +WRITE +([0-9]{1,10}) [0-9a-f]+:[0-9a-f]+:([0-9]{1,20}) ", line)
        if match and int(match.group(2)) == inode:
            found.append(int(match.group(1)))
    return tuple(dict.fromkeys(found))


def load(text: str) -> tuple[float, int]:
    """/proc/loadavg: the load of one minute, and the number of threads in the system."""
    match = re.match(rf"({_SHARE}) {_SHARE} {_SHARE} [0-9]{{1,9}}/([0-9]{{1,9}}) ", text)
    if not match:
        raise ParseError("no line of /proc/loadavg")
    return float(match.group(1)), int(match.group(2))


def os_name(text: str) -> str:
    """PRETTY_NAME of /etc/os-release (os-release(5))."""
    match = re.search(r"^PRETTY_NAME=[\"']?([^\"'\n]{1,200})", text, re.MULTILINE)
    return match.group(1) if match else "unknown"


def unescape(text: str) -> str:
    r"""The kernel's octal escapes of blanks (`\040`) in mountinfo, swaps and fstab."""
    return re.sub(r"\\([0-7]{3})", lambda match: chr(int(match.group(1), 8)), text)
