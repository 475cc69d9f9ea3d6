# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Units, kernel settings, modules, swap and the host's name: what is not a file."""

from __future__ import annotations

import contextlib
import os
import re
import typing as t
from collections.abc import Iterator

from ..._diagnosis.change import Disabled, Hostname, Module, Mounted, Mtu, SwapOff, Sysctl, Unit
from ..._diagnosis.signs import TOLD
from ..errors import ProbeError
from ..files import read, read_or_none
from ..profile import UNIT_DIRS
from .files import keep, put_back
from .tools import NotPossible, Op, Shown, Tools

MASK: t.Final = "/dev/null"
HOSTNAME: t.Final = "/etc/hostname"
# systemd waits here until the control group is empty, or for TimeoutStopSec. It learns the one by inotify, and without a
# watch it does not; at a daemon-reload it looks (systemd 257: seen; a mere restart took those 90 s).
STOPPING: t.Final = ("stop-sigterm", "stop-sigkill", "final-sigterm", "final-sigkill")
UNSEEN: t.Final = "all its processes had ended, and systemd had not seen it (daemon-reload)"
ENABLED: t.Final = ("enabled", "enabled-runtime", "static", "alias", "indirect", "generated")


def unit(change: Unit, tools: Tools) -> Iterator[Op]:
    """The first unit that is installed; a state that is there already is no change."""
    name = next((each for each in change.names if _installed(each, tools)), None)
    if name is None:
        raise NotPossible(f"none of {', '.join(change.names)} is installed")
    yield from _VERBS[change.verb](name, tools)


def _installed(name: str, tools: Tools) -> bool:
    """A mask is a link, and there is a unit below it somewhere."""
    return any(os.path.lexists(tools.path(f"{place}/{name}")) for place in UNIT_DIRS)


def disabled(change: Disabled, tools: Tools) -> Iterator[Op]:
    """Those that are installed and enabled; one that is not there is no change."""
    for name in change.names:
        before = state(tools, name, "UnitFileState") if _installed(name, tools) else ""
        if before.startswith("enabled"):
            shown = Shown(name, f"{before}\n", "disabled\n")
            yield Op(f"disables {name}", shown, _systemctl(tools, name, "disable"), _systemctl(tools, name, "enable"))


def state(tools: Tools, name: str, what: str) -> str:
    """A property of a unit (systemctl show)."""
    return tools.ask("systemctl", "--no-ask-password", "show", "-P", what, name).strip()


def next_turn(tools: Tools, name: str) -> str:
    """Why *name* waited for its next turn, which it has got; empty: it runs, was stopped or was given up, and is left.

    systemd refuses a mere start while it waits itself; ``restart`` also begins the count of its own restarts anew
    (systemd 257: seen).
    """
    why = _waiting(tools, name)
    if why == UNSEEN:
        tools.run("systemctl", "--no-ask-password", "daemon-reload")
    if why:
        tools.run("systemctl", "--no-ask-password", "--no-block", "restart", name)
    return why


def _waiting(tools: Tools, name: str) -> str:
    now = state(tools, name, "SubState")
    if now in ("auto-restart", "auto-restart-queued"):
        return "it waited for its next turn"
    if now in STOPPING and state(tools, name, "Result") not in TOLD:
        group = state(tools, name, "ControlGroup")
        events = read_or_none(tools.path(f"/sys/fs/cgroup{group}/cgroup.events")) or ""
        return UNSEEN if "populated 0" in events.splitlines() else ""
    return ""


def forget_restarts(tools: Tools, name: str) -> None:
    """systemd's count of its own restarts of *name* begins anew; what runs runs on (systemd 257: seen)."""
    tools.run("systemctl", "--no-ask-password", "reset-failed", name)


def _systemctl(tools: Tools, name: str, *words: str) -> t.Callable[[], None]:
    return lambda: tools.run("systemctl", "--no-ask-password", *words, name)


def _unmask(name: str, tools: Tools) -> Iterator[Op]:
    """A mask is a link to /dev/null, below /etc for good or below /run until the next boot; each needs its own word."""
    for place, runtime in (("/etc/systemd/system", ()), ("/run/systemd/system", ("--runtime",))):
        path = tools.path(f"{place}/{name}")
        if os.path.islink(path) and os.readlink(path) == MASK:
            yield Op(
                f"takes the mask off {name} ({place})",
                Shown(f"{place}/{name}", f"-> {MASK}\n", ""),
                _systemctl(tools, name, "unmask", *runtime),
                _systemctl(tools, name, "mask", *runtime),
            )


def _enable(name: str, tools: Tools) -> Iterator[Op]:
    before = state(tools, name, "UnitFileState")
    if before == "masked":
        raise NotPossible(f"{name} is masked: somebody does not want it to run")
    if before not in ENABLED:
        shown = Shown(name, f"{before}\n", "enabled\n")
        yield Op(f"enables {name}", shown, _systemctl(tools, name, "enable"), _systemctl(tools, name, "disable"))


def _start(name: str, tools: Tools) -> Iterator[Op]:
    before = state(tools, name, "ActiveState")
    if before != "active":
        shown = Shown(name, f"{before}\n", "active\n")
        yield Op(f"starts {name}", shown, _systemctl(tools, name, "start"), _systemctl(tools, name, "stop"))


def _restart(name: str, tools: Tools) -> Iterator[Op]:
    shown = Shown(name, f"process {state(tools, name, 'MainPID')}\n", "a new process\n")
    yield Op(f"restarts {name}", shown, _systemctl(tools, name, "restart"), None)


def _reread(name: str, tools: Tools) -> Iterator[Op]:
    """What it reads was changed before, and was changed back before this is undone: it may not start with that."""
    for op in _restart(name, tools):
        yield op._replace(undo=_systemctl(tools, name, "--no-block", "restart"))


def _kill(name: str, tools: Tools) -> Iterator[Op]:
    """The main process alone (systemctl(1), --kill-whom, called --kill-who before 252); systemd starts it again."""
    if state(tools, name, "Restart") in ("", "no", "on-success", "on-watchdog"):
        raise NotPossible(f"{name} has no Restart= that counts: systemd would not start it again")
    pid = int(state(tools, name, "MainPID") or 0)
    if not pid:
        raise NotPossible(f"{name} has no main process")
    shown = Shown(name, f"process {pid}\n", "a new process\n")
    yield Op(f"kills the main process of {name} ({pid})", shown, lambda: os.kill(pid, 9), None)


_VERBS: t.Final = {
    "unmask": _unmask,
    "enable": _enable,
    "start": _start,
    "restart": _restart,
    "reread": _reread,
    "kill": _kill,
}


def sysctl(change: Sysctl, tools: Tools) -> Iterator[Op]:
    """A setting that belongs to a module which is loaded by the same repair is not there yet."""
    place = f"/proc/sys/{change.name.replace('.', '/')}"
    before = read_or_none(tools.path(place))
    if before is not None and before.strip() == change.value:
        return

    def undo() -> None:
        if before is not None:
            _write(tools.path(place), before)

    shown = Shown(change.name, before or "", f"{change.value}\n")
    words = f"sets {change.name} to {change.value} (it is {(before or 'not there').strip()})"
    yield Op(words, shown, lambda: _write(tools.path(place), f"{change.value}\n"), undo)


def _write(path: str, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_TRUNC | os.O_CLOEXEC)
    try:
        os.write(descriptor, text.encode())
    finally:
        os.close(descriptor)


def module(change: Module, tools: Tools) -> Iterator[Op]:
    """``install NAME /bin/false`` in modprobe.d(5) is somebody's wish; a module without a file cannot be loaded."""
    if os.path.isdir(tools.path(f"/sys/module/{change.name}")):
        return
    try:
        needed = tools.ask("modprobe", "--show-depends", change.name)
    except (OSError, ProbeError) as error:
        raise NotPossible(f"the kernel has no module {change.name}: {error}") from error
    if re.search(r"^install ", needed, re.MULTILINE):
        raise NotPossible(f"somebody has forbidden {change.name} in /etc/modprobe.d: {' '.join(needed.split())[:200]}")
    yield Op(
        f"loads the module {change.name}",
        Shown(f"module {change.name}", "", "loaded\n"),
        lambda: tools.run("modprobe", change.name),
        lambda: tools.run("modprobe", "-r", change.name),
    )


def swap_off(change: SwapOff, tools: Tools) -> Iterator[Op]:
    """By the name that /proc/swaps has for it."""
    rows = read(tools.path("/proc/swaps")).splitlines()
    row = next((line for line in rows if line.split()[:1] == [change.device]), "")
    if row:
        yield Op(
            f"switches the swap {change.device} off",
            Shown("/proc/swaps", f"{row}\n", ""),
            lambda: tools.run("swapoff", change.device),
            lambda: tools.run("swapon", change.device),
        )


def hostname(change: Hostname, tools: Tools) -> Iterator[Op]:
    """Through systemd-hostnamed, which keeps it for the next boot as well (hostnamectl(1))."""
    if not re.fullmatch(r"[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?", change.name):
        raise NotPossible(f"{change.name!r} is no name of a host")
    before = read(tools.path("/proc/sys/kernel/hostname")).strip()
    kept = os.path.exists(tools.path(HOSTNAME))

    def do() -> None:
        if kept:
            keep(tools, HOSTNAME)
        tools.run("hostnamectl", "set-hostname", change.name)

    def undo() -> None:
        """The name until the next boot and the one in the file may have been two, or there was no file."""
        tools.run("hostnamectl", "set-hostname", before)
        if kept:
            put_back(tools, HOSTNAME)
        else:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(tools.path(HOSTNAME))

    if before != change.name:
        shown = Shown("hostname", f"{before}\n", f"{change.name}\n")
        yield Op(f"renames the host from {before} to {change.name}", shown, do, undo)


def mtu(change: Mtu, tools: Tools) -> Iterator[Op]:
    """A link that has it already is no change."""
    before = read(tools.path(f"/sys/class/net/{change.link}/mtu")).strip()
    if before != str(change.octets):
        yield Op(
            f"sets the MTU of {change.link} from {before} to {change.octets}",
            Shown(f"MTU of {change.link}", f"{before}\n", f"{change.octets}\n"),
            lambda: tools.run("ip", "link", "set", "dev", change.link, "mtu", str(change.octets)),
            lambda: tools.run("ip", "link", "set", "dev", change.link, "mtu", before),
        )


def mounted(change: Mounted, tools: Tools) -> Iterator[Op]:
    """mount(8) with what /etc/fstab says; containers that a stopped runtime left running still have their layers below."""
    point = change.point
    wanted = ("findmnt", "--noheadings", "--fstab", "--evaluate", "--output", "SOURCE", "--mountpoint", point)
    source = tools.ask(*wanted).strip()
    if not source.startswith("/") or not os.path.exists(tools.path(source)):
        raise NotPossible(f"the disk of {point} is not there ({source or 'no such line in /etc/fstab'})")
    if _below(point, tools):
        raise NotPossible(f"something is mounted from below {point}: containers still run on what the mount would hide")

    def do() -> None:
        tools.run("mount", point)
        tools.run("systemctl", "--no-ask-password", "start", change.unit)

    def undo() -> t.Optional[str]:
        if _below(point, tools):
            return f"containers run by now on what is mounted there: {point} and {change.unit} stay"
        tools.run("systemctl", "--no-ask-password", "stop", change.unit)
        tools.run("umount", point)
        return None

    yield Op(f"mounts {source} on {point}, and starts {change.unit}", Shown(point, "", f"{source}\n"), do, undo)


def _below(point: str, tools: Tools) -> bool:
    """Something is mounted from below *point*, or on something there."""
    rows = read(tools.path("/proc/self/mountinfo")).splitlines()
    return any(f"{lead}{point}/" in row for row in rows for lead in " =:")
