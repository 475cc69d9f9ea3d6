# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Who listens, and who sends again what was not answered, from /proc/net/tcp and /proc/net/tcp6 (proc(5))."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator

LISTEN = "0A"  # TCP_LISTEN
ROW = re.compile(rf" {{0,9}}\d{{1,9}}: [0-9A-F]{{8,32}}:([0-9A-F]{{4}}) [0-9A-F]{{8,32}}:0000 {LISTEN} ")
MAPPED = bytes(10) + b"\xff\xff"  # RFC 4291, 2.5.5.2
PEER, TIMEOUTS, INODE = 2, 6, 9  # columns; the second: how often in a row the oldest segment was sent again


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


def sends_again(address: bytes, port: int, *tables: str) -> bool:
    """Whether a connection to *port* of *address* waits for the answer to what it has sent more than once."""
    peers = {f"{form}:{port:04X}" for form in _forms(address)}
    rows = (line.split() for table in tables for line in table.splitlines())
    return any(row[PEER] in peers and row[TIMEOUTS].strip("0") for row in rows if len(row) > TIMEOUTS)


def _forms(address: bytes) -> Iterator[str]:
    """As the kernel prints it: words of four bytes in the machine's own order; of IPv4 also as IPv6 has it."""
    for form in (address, MAPPED + address) if len(address) == 4 else (address,):
        words = (form[start : start + 4] for start in range(0, len(form), 4))
        yield "".join(f"{int.from_bytes(word, sys.byteorder):08X}" for word in words)
