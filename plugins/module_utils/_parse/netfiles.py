# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Routes, addresses and connections from /proc/net, without a process and without netlink."""

from __future__ import annotations

import re
import typing as t

RTF_UP: t.Final = 0x1
IPV6_GLOBAL: t.Final = "00"
PEER, REPEATED = 2, 6  # columns of /proc/net/tcp
ESTABLISHED: t.Final = "01"
RETRANSMITS: t.Final = "01"  # the timer that runs: of retransmission
# After four in a row about five seconds have passed without a sign of the peer (tcp(7), the time-out doubles).
OFTEN: t.Final = 4


def default_route(route: str, ipv6_route: str) -> bool:
    """Whether /proc/net/route or /proc/net/ipv6_route has a default route that is up (and not lo's `unreachable`)."""
    for line in route.splitlines()[1:]:
        fields = line.split()
        if len(fields) >= 8 and fields[1] == fields[7] == "00000000" and _is_up(fields[3]):
            return True
    for line in ipv6_route.splitlines():
        fields = line.split()
        if len(fields) == 10 and fields[0] == "0" * 32 and fields[1] == "00" and fields[9] != "lo":
            return True
    return False


def _is_up(flags: str) -> bool:
    return bool(re.fullmatch(r"[0-9A-Fa-f]{1,8}", flags) and int(flags, 16) & RTF_UP)


def addresses(fib_trie: str, if_inet6: str) -> tuple[str, ...]:
    """The host's own addresses: local IPv4 ones of /proc/net/fib_trie, global IPv6 ones of /proc/net/if_inet6."""
    found: dict[str, None] = {}
    candidate = ""
    for line in fib_trie.splitlines():
        match = re.match(r" {0,400}\|-- ([0-9.]{7,15})$", line)
        if match:
            candidate = match.group(1)
        elif line.strip() == "/32 host LOCAL" and not candidate.startswith("127."):
            found[candidate] = None
    for line in if_inet6.splitlines():
        fields = line.split()
        if len(fields) == 6 and fields[3] == IPV6_GLOBAL and re.fullmatch(r"[0-9A-Fa-f]{32}", fields[0]):
            found[_ipv6(fields[0])] = None
    return tuple(found)


def stuck(*tables: str) -> tuple[str, ...]:
    """Peers of established connections in /proc/net/tcp and tcp6 with unacknowledged data that was sent often."""
    found: dict[str, None] = {}
    for fields in _repeating(tables):
        waiting, timer = fields[4].partition(":")[0], fields[5].partition(":")[0]
        often = int(fields[REPEATED], 16) >= OFTEN
        if fields[3] == ESTABLISHED and int(waiting, 16) and timer == RETRANSMITS and often:
            found[_peer(fields[PEER])] = None
    return tuple(found)


def sends_again(address: str, port: int, *tables: str) -> bool:
    """Whether a connection to *port* of *address*, or one that is to be, waits for the answer to what was sent more than once."""
    peer = f"[{address.partition('%')[0]}]:{port}" if ":" in address else f"{address}:{port}"
    return any(_peer(fields[PEER]) == peer for fields in _repeating(tables))


def _repeating(tables: t.Iterable[str]) -> t.Iterator[list[str]]:
    """The columns of the connections that have sent their oldest segment again (proc(5))."""
    for table in tables:
        rows = (line.split() for line in table.splitlines()[1:])
        yield from (fields for fields in rows if len(fields) > REPEATED and int(fields[REPEATED], 16))


def _peer(text: str) -> str:
    """`0100007F:1F90`: each word of the address is in the machine's order; all that we run on are little-endian."""
    digits, dummy, port = text.partition(":")
    words = [bytes.fromhex(digits[at : at + 8])[::-1] for at in range(0, len(digits), 8)]
    if len(words) == 4 and words[:3] == [b"\0\0\0\0", b"\0\0\0\0", b"\0\0\xff\xff"]:
        words = words[3:]
    name = ".".join(str(octet) for octet in words[0]) if len(words) == 1 else f"[{_ipv6(b''.join(words).hex())}]"
    return f"{name}:{int(port, 16)}"


def _ipv6(digits: str) -> str:
    """32 hexadecimal digits -> the longest run of zero groups becomes `::` (RFC 5952)."""
    groups = [f"{int(digits[at : at + 4], 16):x}" for at in range(0, 32, 4)]
    text = ":".join(groups)
    runs = [match.group() for match in re.finditer(r"(?:^|:)0(?::0)+(?=:|$)", text)]
    if not runs:
        return text
    return re.sub(r":{3,}", "::", text.replace(max(runs, key=len), "::", 1))
