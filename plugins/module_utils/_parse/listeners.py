# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Ports that somebody listens on, from /proc/net/tcp and /proc/net/tcp6 (proc(5))."""

from __future__ import annotations

import re
from collections.abc import Iterator

LISTEN = "0A"  # TCP_LISTEN
ROW = re.compile(rf" {{0,9}}\d{{1,9}}: [0-9A-F]{{8,32}}:([0-9A-F]{{4}}) [0-9A-F]{{8,32}}:0000 {LISTEN} ")
INODE = 9  # the column behind the time-out


def listening(*tables: str) -> frozenset[int]:
    """The ports of all *tables*, whatever address they are on."""
    return frozenset(port for port, dummy in _rows(tables))


def sockets(port: int, *tables: str) -> frozenset[str]:
    """How the sockets on *port* are called among the descriptors of who holds them (proc_pid_fd(5))."""
    lines = [line.split() for found, line in _rows(tables) if found == port]
    return frozenset(f"socket:[{words[INODE]}]" for words in lines if len(words) > INODE)


def _rows(tables: tuple[str, ...]) -> Iterator[tuple[int, str]]:
    for table in tables:
        for line in table.splitlines():
            match = ROW.match(line)
            if match:
                yield int(match.group(1), 16), line
