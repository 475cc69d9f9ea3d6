# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""The kubelet's configuration file, made anew by kubeadm or pointed to a resolver that is there; and a kubelet left over."""

from __future__ import annotations

import contextlib
import functools
import os
import re
import shutil
import signal
import time
import typing as t
from collections.abc import Iterator

from ..._diagnosis.change import KubeletConfig, Leftover, Lines, Resolver
from ..._parse import procfs
from ..._parse.errors import ParseError
from ..._parse.listeners import sockets
from ..durable import write
from ..errors import ProbeError
from ..files import descriptors, names, read, read_or_none, tcp_tables
from .files import keep, lines, put_back
from .system import state
from .tools import NotPossible, Op, Shown, Tools

KUBEADM: t.Final = ("kubeadm", "upgrade", "node", "phase", "kubelet-config")
# Where kubeadm copies a configuration to before it writes another one; it does not tidy up there.
COPIES, COPY = "/etc/kubernetes/tmp", "kubeadm-kubelet-config"
SOURCE: t.Final = "what kubeadm makes of ConfigMap kube-system/kubelet-config\n"
# The host's own, and those of what usually stands behind it.
RESOLVERS: t.Final = (
    "/etc/resolv.conf",
    "/run/systemd/resolve/resolv.conf",
    "/run/NetworkManager/no-stub-resolv.conf",
    "/run/NetworkManager/resolv.conf",
)
LOOPBACK: t.Final = re.compile(r"^\s{0,80}nameserver\s{1,80}(?:127\.|::1\b)", re.MULTILINE)

# Whose children are those that nobody waits for.
INIT: t.Final = 1
# A kubelet has nothing to hand over when it ends; systemd gives it 90 s, and one that needs more is stuck.
ENDING: t.Final = 30.0


def rebuilt(change: KubeletConfig, tools: Tools) -> Iterator[Op]:
    """kubeadm wants to keep the file before it writes another, so that an empty one has to be there."""
    try:
        tools.ask("kubeadm", "version", "-o", "short")
    except (OSError, ProbeError) as error:
        raise NotPossible(f"kubeadm cannot be run here: {error}") from error
    place, copies = tools.path(change.path), tools.path(COPIES)
    before = read_or_none(place)
    copied = names(copies) if os.path.isdir(copies) else None

    def do() -> None:
        if before is None:
            write(place, "", 0o644)
        else:
            keep(tools, change.path)
        tools.run(*KUBEADM)
        if not os.path.getsize(place):
            raise ProbeError("kubeadm has written nothing")

    def undo() -> None:
        if before is None:
            os.unlink(place)
        else:
            put_back(tools, change.path)
        _without_copies(copies, copied)

    yield Op(f"makes {change.path} anew: {' '.join(KUBEADM)}", Shown(change.path, before or "", SOURCE), do, undo)


def _without_copies(place: str, before: t.Optional[list[str]]) -> None:
    """Only what was there *before*; None: the directory was not there either."""
    for name in names(place):
        if name.startswith(COPY) and name not in (before or ()):
            shutil.rmtree(f"{place}/{name}")
    if before is None:
        with contextlib.suppress(OSError):  # not there, or by now somebody else's too
            os.rmdir(place)


def resolver(change: Resolver, tools: Tools) -> Iterator[Op]:
    """A server on a loopback address is the host's own: in a Pod there is nobody at it."""
    texts = {path: read_or_none(tools.path(path)) for path in RESOLVERS}
    good = [path for path, text in texts.items() if text is not None and not LOOPBACK.search(text)]
    if not good:
        raise NotPossible(f"none of {', '.join(RESOLVERS)} is there without a server on a loopback address")
    yield from lines(Lines(change.path, r"^resolvConf\s*:.*$", f"resolvConf: {good[0]}", needed=True), tools)


def leftover(change: Leftover, tools: Tools) -> Iterator[Op]:
    """Only a kubelet that nobody keeps: another unit would start it again, and who waits for it has a wish with it."""
    held = sockets(change.port, *tcp_tables(tools.path))
    running = [pid for pid in names(tools.path("/proc")) if pid.isdigit()]
    pids = [pid for pid in running if held.intersection(descriptors(tools.path(f"/proc/{pid}")))]
    if not pids:
        raise NotPossible(f"nobody listens on port {change.port} now")
    for pid in pids:
        _left_over(pid, change, tools)
        shown = Shown(f"port {change.port}", f"process {pid}\n", "")
        yield Op(f"ends the kubelet that was left over (process {pid})", shown, functools.partial(_end, int(pid)), None)


def _left_over(pid: str, change: Leftover, tools: Tools) -> None:
    """Raises :class:`NotPossible` for any other process."""
    try:
        program = os.readlink(tools.path(f"/proc/{pid}/exe")).removesuffix(" (deleted)")
        parent = procfs.stat(read(tools.path(f"/proc/{pid}/stat"))).parent
        group = read(tools.path(f"/proc/{pid}/cgroup"))
    except (OSError, ParseError) as error:
        raise NotPossible(f"process {pid} listens on port {change.port}, and cannot be looked at: {error}") from error
    if program not in (change.binary, os.path.realpath(change.binary)):
        raise NotPossible(f"{program} (process {pid}) listens on port {change.port}: stop it where it is started")
    if parent != INIT:
        raise NotPossible(f"process {parent} started another kubelet (process {pid}) and waits for it: end it there")
    owners = {change.unit, *(name for name in group.replace("/", " ").split() if name.endswith(".service"))}
    for owner in sorted(owners):
        if state(tools, owner, "MainPID") == pid:
            raise NotPossible(f"{owner} keeps the kubelet (process {pid}) that listens on port {change.port}")


def _end(pid: int) -> None:
    """SIGTERM, as systemd does; a kubelet closes its server and goes. Raises :class:`ProbeError` when it stays."""
    end = time.monotonic() + ENDING
    os.kill(pid, signal.SIGTERM)
    while time.monotonic() < end:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return
        time.sleep(0.2)
    raise ProbeError(f"process {pid} is still there {ENDING:.0f} s after it was asked to end")
