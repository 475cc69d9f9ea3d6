# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""One command with a deadline, bounded output and a fixed locale. Runs inside a probe's own session."""

from __future__ import annotations

import errno
import os
import select
import signal
import time
import typing as t

from .errors import ProbeError

ENVIRONMENT: t.Final = {
    "LC_ALL": "C",
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "SYSTEMD_COLORS": "0",
    "SYSTEMD_PAGER": "",
    "HOME": "/",
}
LIMIT: t.Final = 4 * 1024 * 1024


class Output(t.NamedTuple):
    """Exit status and what was printed."""

    status: int
    out: str
    err: str


def run(arguments: t.Sequence[str], seconds: float) -> Output:
    """Raises :class:`ProbeError` when it does not end in time or prints too much, ``OSError`` when it cannot start."""
    out, out_end = os.pipe()
    err, err_end = os.pipe()
    try:
        try:
            pid = _start(arguments, out_end, err_end)
        finally:
            os.close(out_end)
            os.close(err_end)
        try:
            said = _gather((out, err), arguments[0], seconds)
        except ProbeError:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            raise
    finally:
        os.close(out)
        os.close(err)
    return Output(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), *said)


def _start(arguments: t.Sequence[str], out: int, err: int) -> int:
    """The pid. Without the module subprocess, which takes longer to import than most of our commands to answer."""
    streams = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_DUP2, out, 1),
        (os.POSIX_SPAWN_DUP2, err, 2),
    ]
    places = [""] if "/" in arguments[0] else [f"{place}/" for place in ENVIRONMENT["PATH"].split(":")]
    for place in places:
        try:
            return os.posix_spawn(
                place + arguments[0],
                list(arguments),
                ENVIRONMENT,
                file_actions=streams,
                setsigdef=[signal.SIGPIPE, signal.SIGXFSZ],  # which Python ignores
            )
        except (FileNotFoundError, NotADirectoryError):
            continue
    raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), arguments[0])


def _gather(pipes: tuple[int, int], name: str, seconds: float) -> tuple[str, str]:
    parts = {pipe: bytearray() for pipe in pipes}
    out, err = parts.values()
    poller = select.poll()
    for descriptor in parts:
        poller.register(descriptor, select.POLLIN)
    end = time.monotonic() + seconds
    open_ends = len(parts)
    while open_ends:
        ready = poller.poll(max(0, int((end - time.monotonic()) * 1000)))
        if not ready:
            raise ProbeError(f"{name}: no answer within {seconds:.0f} s")
        for descriptor, dummy in ready:
            chunk = os.read(descriptor, 65536)
            parts[descriptor] += chunk
            if not chunk:
                poller.unregister(descriptor)
                open_ends -= 1
        if len(out) + len(err) > LIMIT:
            raise ProbeError(f"{name}: printed more than {LIMIT} bytes")
    return out.decode("utf-8", "replace"), err.decode("utf-8", "replace")
