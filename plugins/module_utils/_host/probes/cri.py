# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""The container runtime, asked over its own socket (crictl need not be there, and costs more than all of this)."""

from __future__ import annotations

import os
import re
import socket
import time
import typing as t

from ..._diagnosis.evidence import Unknown, unknown
from ..._diagnosis.node import Cri, Profile
from ..._parse import cri, http2
from ..._parse.errors import ParseError
from ..errors import words
from ..files import read_or_none

# faults.md section 3: a Version within 5 s; a healthy containerd answers in milliseconds, on a starved node in 3 s.
SECONDS: t.Final = 5.0
LARGEST: t.Final = http2.WINDOW
UNIMPLEMENTED, PERMISSION_DENIED, DEADLINE_EXCEEDED, UNAUTHENTICATED = 12, 7, 4, 16
_OUTCOMES: t.Final = {
    UNIMPLEMENTED: "unimplemented",
    PERMISSION_DENIED: "permission",
    UNAUTHENTICATED: "permission",
    DEADLINE_EXCEEDED: "timeout",
}


class Refused(Exception):
    """The runtime answered a call with a status other than 0."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.outcome = _OUTCOMES.get(status, "error")


# kubelet: 110 Pods by default, each with some dead containers. Of half a list nobody could say what is missing in it.
MOST_PODS: t.Final = 500


def ask(profile: Profile) -> Cri:
    """Version, Status and the Pods of one runtime."""
    return question(socket_of(profile), SECONDS)


def socket_of(profile: Profile) -> str:
    """The one that the kubelet is configured for, if it is there; else the distribution's own."""
    for path, pattern in (
        *((file, r"--container-runtime-endpoint[= ](?:unix://)?(/[^\s\"']{1,200})") for file in profile.flag_files),
        (profile.config, r"^containerRuntimeEndpoint: *[\"']?(?:unix://)?(/[^\s\"']{1,200})"),
    ):
        match = re.search(pattern, read_or_none(path) or "", re.MULTILINE)
        if match and os.path.exists(match.group(1)):
            return match.group(1)
    return profile.cri_socket


def question(path: str, seconds: float) -> Cri:
    """All calls over one connection; every way in which it can fail is an outcome."""
    begin = time.monotonic()
    facts: dict[str, t.Any] = {}
    try:
        with Connection(path, begin + seconds) as connection:
            _facts(connection, facts)
        outcome, detail = "ok", ""
    except FileNotFoundError:
        outcome, detail = "no-socket", f"{path} does not exist"
    except ConnectionRefusedError:
        outcome, detail = "refused", f"{path}: nobody listens"
    except PermissionError:
        outcome, detail = "permission", f"{path}: permission denied"
    except BlockingIOError:
        outcome, detail = "timeout", f"{path}: nobody takes connections any more (the queue is full)"
    except (TimeoutError, socket.timeout):  # two classes before Python 3.10
        outcome, detail = "timeout", f"{path}: no answer within {seconds:.0f} s"
    except Refused as error:
        outcome, detail = error.outcome, f"{path}: {error}"
    except (OSError, ParseError) as error:
        outcome, detail = "error", f"{path}: {words(error)}"
    return _answer(outcome, detail[:500], facts, round(time.monotonic() - begin, 3))


def _answer(outcome: str, detail: str, facts: t.Mapping[str, t.Any], seconds: float) -> Cri:
    gone = unknown(f"CRI: {detail}")
    names = [name for name in Cri.__annotations__ if name not in ("outcome", "detail", "seconds")]
    return Cri(outcome=outcome, detail=detail, seconds=seconds, **{name: facts.get(name, gone) for name in names})


def _facts(connection: Connection, facts: dict[str, t.Any]) -> None:
    """What is learnt stays in *facts* even when a later call fails."""
    facts["runtime"] = _version(connection, facts)
    conditions = cri.conditions(connection.call("Status"))
    for field, name in (("runtime", "RuntimeReady"), ("network", "NetworkReady")):
        condition = conditions.get(name)
        facts[f"{field}_ready"] = condition.ready if condition else None
        facts[f"{field}_message"] = condition.message if condition else None
    facts["cgroup_driver"] = _optional(connection, "RuntimeConfig", b"", cri.cgroup_driver)
    listed = _optional(connection, "ListPodSandbox", b"", bytes)
    containers = _optional(connection, "ListContainers", b"", bytes)
    facts["sandboxes"] = cri.ready(listed) if isinstance(listed, bytes) else listed
    facts["containers"] = cri.running(containers) if isinstance(containers, bytes) else containers
    facts["pods"] = _pods(listed, containers)


def _version(connection: Connection, facts: dict[str, t.Any]) -> str:
    """A runtime without CRI v1 may know the version before it (containerd below 1.6), and says then who it is."""
    try:
        return cri.version(connection.call("Version"))
    except Refused as error:
        if error.outcome == "unimplemented":
            facts["runtime"] = _optional(connection, "Version", b"", cri.version, cri.SERVICE_BEFORE)
        raise


def _pods(listed: t.Any, containers: t.Any) -> t.Any:
    """Both lists as one, or why there is none."""
    for answer in (listed, containers):
        if not isinstance(answer, bytes):
            return answer or Unknown("CRI: the runtime does not list Pods")
    found = cri.sandboxes(listed, containers)
    if max(len(found), sum(len(pod.containers) for pod in found)) > MOST_PODS:
        return Unknown(f"CRI: more than {MOST_PODS} sandboxes or containers")
    return found


def _optional(
    connection: Connection,
    method: str,
    message: bytes,
    reader: t.Callable[[bytes], t.Any],
    service: str = cri.SERVICE,
) -> t.Any:
    """A call without which the rest is still true. None: the runtime does not know it."""
    try:
        return reader(connection.call(method, message, service))
    except Refused as error:
        return None if error.outcome == "unimplemented" else Unknown(f"CRI {method}: {error}")


class Connection:
    """HTTP/2 over a socket; one call after the other, all before *end*."""

    def __init__(self, path: str, end: float) -> None:
        self._end = end
        self._stream = -1
        self._buffer = b""
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self._patience()
            self._socket.connect(path)
            self._socket.sendall(http2.opening())
        except OSError:
            self._socket.close()
            raise

    def __enter__(self) -> Connection:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def call(self, method: str, message: bytes = b"", service: str = cri.SERVICE) -> bytes:
        """One unary call. Raises :class:`Refused`, ``OSError`` (time-outs too) or :class:`ParseError`."""
        self._stream += 2
        reply = http2.Reply(self._stream)
        self._patience()
        self._socket.sendall(http2.request(self._stream, service + method, message))
        while not reply.ended:
            frame = self._next()
            self._socket.sendall(http2.reply_to(frame))
            reply.add(frame)
            if len(reply.body) > LARGEST:
                raise ParseError("an answer that is too long")
        status, text = reply.status()
        if status:
            raise Refused(status, text)
        return reply.message()

    def _next(self) -> http2.Frame:
        while True:
            found = http2.next_frame(self._buffer)
            if found:
                frame, size = found
                self._buffer = self._buffer[size:]
                return frame
            self._patience()
            chunk = self._socket.recv(65536)
            if not chunk:
                raise ParseError("the connection was closed")
            self._buffer += chunk

    def _patience(self) -> None:
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._socket.settimeout(left)
