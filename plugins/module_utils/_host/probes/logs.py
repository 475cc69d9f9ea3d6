# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""The journals of the two units, and the kernel's own ring buffer."""

from __future__ import annotations

import os
import typing as t

from ..._diagnosis.node import Journal
from ..._parse.journal import FIELDS, ended, entries, fold, kmsg
from ..command import run
from ..errors import ProbeError, words
from ..files import read

# A turn of a crash loop is about 128 lines (lab.md section 5): enough for two turns, and a second on a slow node.
MOST: t.Final = 300
_SECONDS: t.Final = 10.0
_RECORDS: t.Final = 8000
# How the boot before ended is asked for only while that is news: it costs a process.
_YOUNG: t.Final = 3600.0


def unit(name: str) -> Journal:
    """The newest lines of one unit in this boot, systemd's own about it included."""
    answer = run(
        [
            "journalctl",
            "--no-pager",
            "--quiet",
            "--boot",
            f"--unit={name}",
            f"--lines={MOST}",
            "--output=json",
            f"--output-fields={FIELDS}",
        ],
        _SECONDS,
    )
    if answer.status != 0:
        raise ProbeError(f"journalctl: {words(ProbeError(answer.err))}")
    found = entries(answer.out)
    return fold(found, truncated=len(found) >= MOST)


def kernel() -> Journal:
    """/dev/kmsg: costs no process, and answers when the journal is dead. Truncated: its first lines are gone."""
    records = list(_records())
    first = records[0].split(",", 2)[1] if records else "0"
    return fold(kmsg(records), truncated=first != "0")


def _records() -> t.Iterator[str]:
    """One record a read; a reader that was overtaken is told so by EPIPE, and goes on with the oldest one."""
    descriptor = os.open("/dev/kmsg", os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        for dummy in range(_RECORDS):
            try:
                yield os.read(descriptor, 8192).decode("utf-8", "replace")
            except BrokenPipeError:
                continue
            except BlockingIOError:
                return
    finally:
        os.close(descriptor)


def boot_before() -> str | None:
    """orderly or abrupt, by the last lines of its journal; None: there is none (a volatile journal), or it is history."""
    if float(read("/proc/uptime").split()[0]) > _YOUNG:
        return None
    answer = run(["journalctl", "--no-pager", "--quiet", "--boot=-1", "--lines=20", "--output=cat"], _SECONDS)
    return ended(answer.out) if answer.status == 0 and answer.out.strip() else None
