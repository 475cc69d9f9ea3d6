# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""One command with a deadline, bounded output and a fixed locale. Runs inside a probe's own session."""

from __future__ import annotations

import os
import select
import subprocess
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
    with subprocess.Popen(
        list(arguments),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=ENVIRONMENT,
    ) as process:
        try:
            out, err = _gather(process, arguments[0], seconds)
        except ProbeError:
            process.kill()
            raise
    return Output(process.returncode, out, err)


def _gather(process: subprocess.Popen[bytes], name: str, seconds: float) -> tuple[str, str]:
    pipes = (t.cast("t.IO[bytes]", process.stdout), t.cast("t.IO[bytes]", process.stderr))
    parts = {pipe.fileno(): bytearray() for pipe in pipes}
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
