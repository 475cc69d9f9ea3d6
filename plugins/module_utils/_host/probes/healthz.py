# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""The kubelet's own health endpoint on this host."""

from __future__ import annotations

import re
import socket
import time
import typing as t

from ..._diagnosis.node import Endpoint, Profile
from ..._parse.errors import ParseError
from ..files import read

PORT: t.Final = 10248
SECONDS: t.Final = 3.0
_LONGEST: t.Final = 4096


def ask(profile: Profile) -> Endpoint:
    """GET /healthz on the port that the configuration names (one line of it is enough to know)."""
    return get("127.0.0.1", _port(profile.config), SECONDS)


def _port(path: str) -> int:
    try:
        match = re.search(r"^healthzPort: *([0-9]{1,5})\s*$", read(path), re.MULTILINE)
    except OSError:
        return PORT
    return int(match.group(1)) if match else PORT


def get(host: str, port: int, seconds: float) -> Endpoint:
    """One plain HTTP question; every way in which it can fail is an outcome."""
    begin = time.monotonic()
    try:
        answer = _exchange(host, port, begin + seconds)
        status, body = _status(answer)
        outcome = "ok" if 200 <= status < 300 else "http"
        return Endpoint(outcome, status, body, _since(begin))
    except (TimeoutError, socket.timeout):  # two classes before Python 3.10
        outcome = "timeout"
    except ConnectionRefusedError:
        outcome = "refused"
    except (OSError, ParseError):
        outcome = "closed"
    return Endpoint(outcome, None, "", _since(begin))


def _exchange(host: str, port: int, end: float) -> bytes:
    data = b""
    with socket.create_connection((host, port), timeout=end - time.monotonic()) as connection:
        connection.sendall(f"GET /healthz HTTP/1.0\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
        while len(data) < _LONGEST:
            connection.settimeout(max(0.001, end - time.monotonic()))
            chunk = connection.recv(_LONGEST)
            if not chunk:
                break
            data += chunk
    return data


def _status(answer: bytes) -> tuple[int, str]:
    match = re.match(rb"HTTP/1\.[01] ([0-9]{3})[^\r\n]{0,200}\r\n", answer)
    if not match:
        raise ParseError("no HTTP answer")
    return int(match.group(1)), answer.partition(b"\r\n\r\n")[2][:200].decode("utf-8", "replace")


def _since(begin: float) -> float:
    return round(time.monotonic() - begin, 3)
