# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""The API server as the kubelet would reach it: same address, same CA, same certificate, a new connection."""

from __future__ import annotations

import contextlib
import os
import re
import socket
import ssl
import sys
import time
import typing as t
from datetime import datetime, timezone

from ..._diagnosis.node import ApiPath, Profile
from ..._parse import kubeconfig
from ..._parse.errors import ParseError
from ..._parse.netfiles import sends_again
from ..errors import ProbeError, words
from ..files import read, tcp_tables
from .certificates import authority_text

SECONDS: t.Final = 4.0
# The first try has the SYNs of 0, 1 and 3 s (RFC 6298, tcp(7)).
AGAIN: t.Final = 0.2
# Spread over half a second: a firewall may take only so many at once.
HANDSHAKES: t.Final = 20
APART: t.Final = 0.025
# A SYN that got no answer is sent again after one second (RFC 6298), and the kernel counts that.
PATIENCE: t.Final = 1.1
# tcpi_total_retrans of struct tcp_info (linux/tcp.h), which has been there since Linux 2.6.
_REPEATED: t.Final = slice(100, 104)
_LONGEST: t.Final = 16384
# X509_V_FLAG_NO_CHECK_TIME (OpenSSL 1.1): the clock is judged by the Date that comes back, so a wrong clock must
# not keep it from coming. X509_V_FLAG_PARTIAL_CHAIN: an intermediate CA in the kubeconfig is enough, as in Go.
_FLAGS: t.Final = 0x200000 | 0x80000
_MONTHS: t.Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_DATE: t.Final = re.compile(
    rb"\r\n[Dd]ate: [A-Z][a-z]{2}, ([0-9]{2}) ([A-Z][a-z]{2}) ([0-9]{4}) ([0-9]{2}):([0-9]{2}):([0-9]{2}) GMT\r\n"
)


class _Failed(Exception):
    """The way ended here; what is known so far is in the arguments: outcome, detail."""


class _Http(t.NamedTuple):
    """What the server said, and when by the node's own clock."""

    status: int
    date: datetime | None
    asked: datetime
    heard: datetime
    repeated: int  # segments that TCP sent again


def ask(profile: Profile) -> ApiPath:
    """GET /readyz. Raises :class:`ProbeError` or :class:`ParseError` when the kubeconfig does not say where."""
    try:
        access = kubeconfig.access(read(profile.kubeconfig))
    except kubeconfig.Unusable as error:
        raise ProbeError(f"{profile.kubeconfig}: {error}") from error
    return reach(access, profile)


def reach(access: kubeconfig.Access, profile: Profile, name: str = "") -> ApiPath:
    """GET /readyz with what *access* has; with *name*, the server there must have a certificate for that name.

    Where packets seem to be lost, of this connection or of one that is there (the kubelet's), handshakes are tried besides:
    they show how many. Not on a calm way, since each is a failed TLS handshake in the metrics of the API server.

    Raises :class:`ParseError` for a server that is no https address.
    """
    host, port = _address(access.server)
    addresses: tuple[str, ...] = ()
    notes: list[str] = []
    try:
        addresses = _resolve(host, port)
        context = _context(access, profile, notes)
        answer = _exchange(addresses, (name or host, port), context, time.monotonic() + SECONDS)
    except _Failed as failure:
        outcome, detail = failure.args
        loss = _loss(addresses, port, outcome == "timeout")
        return ApiPath(access.server, outcome, "; ".join([detail, *notes]), addresses, None, None, None, *loss)
    handshakes, late = _loss(addresses, port, answer.repeated > 0 or _others_repeat(addresses, port))
    return ApiPath(
        server=access.server,
        outcome="ok" if 200 <= answer.status < 300 else "http",
        detail="; ".join([f"HTTP {answer.status}", *notes]),
        addresses=addresses,
        status=answer.status,
        date=answer.date,
        offset=_offset(answer),
        handshakes=handshakes,
        late=late,
    )


def _address(server: str) -> tuple[str, int]:
    match = re.match(r"https://(?:\[([0-9A-Fa-f:.]{2,60})\]|([^:/\[\]]{1,255}))(?::([0-9]{1,5}))?(?:/|$)", server)
    if not match:
        raise ParseError("the server of the kubeconfig is no https address")
    return match.group(1) or match.group(2), int(match.group(3) or 443)


def _resolve(host: str, port: int) -> tuple[str, ...]:
    os.environ["RES_OPTIONS"] = "timeout:1 attempts:1"  # resolv.conf(5): or a silent DNS server takes all our time
    begin = time.monotonic()
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except socket.gaierror as error:
        raise _Failed("unresolvable", f"{host}: {words(error)} after {time.monotonic() - begin:.1f} s") from error
    return tuple(dict.fromkeys(str(entry[4][0]) for entry in found))


def _context(access: kubeconfig.Access, profile: Profile, notes: list[str]) -> ssl.SSLContext:
    """As client-go sets it up; what cannot be loaded is noted, and left out."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.verify_flags |= ssl.VerifyFlags(_FLAGS)
    try:
        text = authority_text(access, profile)
        if text is not None:
            context.load_verify_locations(cadata=text)
    except (OSError, ValueError) as error:
        raise _Failed("tls", f"the CA of the kubeconfig cannot be loaded: {words(error)}") from error
    if access.client_certificate:
        try:
            context.load_cert_chain(access.client_certificate, access.client_key)
        except OSError as error:  # ssl.SSLError is one
            notes.append(f"asked without a certificate: {access.client_certificate}: {words(error)}")
    else:
        notes.append("asked without a certificate: the kubeconfig names no file")
    return context


def _exchange(addresses: t.Sequence[str], server: tuple[str, int], context: ssl.SSLContext, end: float) -> _Http:
    plain = _connect(addresses, server[1], end)
    with plain:
        try:
            plain.settimeout(max(0.001, end - time.monotonic()))
            with context.wrap_socket(plain, server_hostname=server[0]) as secure:
                return _get(secure, server[0], end)
        except (TimeoutError, socket.timeout) as error:
            raise _Failed("timeout", f"connected, and no answer within {SECONDS:.0f} s") from error
        except ssl.SSLCertVerificationError as error:
            raise _Failed("tls", f"the server's certificate: {error.verify_message}") from error
        except ssl.SSLError as error:
            raise _Failed("tls", f"TLS: {error.reason or words(error)}") from error
        except (ParseError, OSError) as error:
            raise _Failed("closed", f"connected, and then: {words(error)}") from error


def _connect(addresses: t.Sequence[str], port: int, end: float) -> socket.socket:
    """The first address that takes the connection; each gets its share of the time."""
    failure = _Failed("unresolvable", "no address")
    for number, address in enumerate(addresses):
        share = max(0.1, (end - time.monotonic()) / (len(addresses) - number))
        where = f"{address}:{port}"
        try:
            return _connect_twice((address, port), share)
        except ConnectionRefusedError:
            failure = _Failed("refused", f"{where}: connection refused")
        except (TimeoutError, socket.timeout):
            failure = _Failed("timeout", f"{where}: no answer to a connection within {share:.0f} s")
        except OSError as error:
            failure = _Failed("unreachable", f"{where}: {words(error)}")
    raise failure


def _connect_twice(address: tuple[str, int], seconds: float) -> socket.socket:
    """A node that got no processor for seconds finds its time over and the answer there: so it is asked once more."""
    try:
        return socket.create_connection(address, timeout=seconds * (1 - AGAIN))
    except (TimeoutError, socket.timeout):
        return socket.create_connection(address, timeout=seconds * AGAIN)


def _get(secure: ssl.SSLSocket, host: str, end: float) -> _Http:
    asked = datetime.now(timezone.utc)
    secure.sendall(f"GET /readyz HTTP/1.1\r\nHost: {host}\r\nAccept: */*\r\nConnection: close\r\n\r\n".encode())
    data = b""
    while b"\r\n\r\n" not in data and len(data) < _LONGEST:
        secure.settimeout(max(0.001, end - time.monotonic()))
        chunk = secure.recv(_LONGEST)
        if not chunk:
            break
        data += chunk
    match = re.match(rb"HTTP/1\.[01] ([0-9]{3})", data)
    if not match:
        raise ParseError("no HTTP answer")
    heard = datetime.now(timezone.utc)
    return _Http(int(match.group(1)), _date(data), asked, heard, _repeated(secure))


def _loss(addresses: t.Sequence[str], port: int, suspected: bool) -> tuple[int, int]:
    """(handshakes that were tried, those that had to send their SYN again or are not done)."""
    if not suspected:
        return 0, 0
    with contextlib.ExitStack() as stack:
        tried: list[socket.socket] = []
        for _number in range(HANDSHAKES):
            one = stack.enter_context(socket.socket(socket.AF_INET6 if ":" in addresses[0] else socket.AF_INET))
            one.setblocking(False)
            one.connect_ex((addresses[0], port))
            tried.append(one)
            time.sleep(APART)
        time.sleep(PATIENCE)
        # By the kernel's count, not by when this process woke up: a busy node sleeps longer.
        return HANDSHAKES, sum(_repeated(one) > 0 for one in tried)


def _others_repeat(addresses: t.Iterable[str], port: int) -> bool:
    """One short exchange can be lucky: it was, where seven of ten packets were lost (lab, v1.37.2)."""
    with contextlib.suppress(OSError):  # more connections than we read are no answer, and no suspicion
        tables = tcp_tables()
        return any(sends_again(each, port, *tables) for each in addresses)
    return False


def _repeated(connection: socket.socket) -> int:
    counters = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _REPEATED.stop)
    return int.from_bytes(counters[_REPEATED], sys.byteorder)


def _date(data: bytes) -> datetime | None:
    match = _DATE.search(data.partition(b"\r\n\r\n")[0] + b"\r\n")
    if not match or match.group(2).decode() not in _MONTHS:
        return None
    day, year, hour, minute, second = (int(match.group(number)) for number in (1, 3, 4, 5, 6))
    return datetime(year, _MONTHS.index(match.group(2).decode()) + 1, day, hour, minute, second, tzinfo=timezone.utc)


def _offset(answer: _Http) -> float | None:
    """Node minus server: in the middle of the round trip; Date has no fractions, so it is half a second early."""
    if answer.date is None:
        return None
    middle = answer.asked + (answer.heard - answer.asked) / 2
    return round((middle - answer.date).total_seconds() - 0.5, 1)
