# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every way in which a container runtime can fail to answer, over real sockets."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import typing as t
from collections.abc import Iterator
from pathlib import Path

import pytest

from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.evidence import Unknown
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.node import Cri
from ansible_collections.outward.kubelet.plugins.module_utils._host.probes import cri
from ansible_collections.outward.kubelet.plugins.module_utils._parse import hpack, http2
from ansible_collections.outward.kubelet.plugins.module_utils._parse.protobuf import embedded, enum

Answers: t.TypeAlias = "dict[str, bytes | int]"
READY = embedded(
    1, embedded(1, embedded(1, b"RuntimeReady") + enum(2, 1)) + embedded(1, embedded(1, b"NetworkReady") + enum(2, 1))
)
HEALTHY: Answers = {
    "Version": embedded(2, b"containerd") + embedded(3, b"2.1.0"),
    "Status": READY,
    "RuntimeConfig": embedded(1, enum(1, 1)),
    "ListPodSandbox": embedded(1, embedded(1, b"s1") + enum(3, 0)) * 3 + embedded(1, enum(3, 1)),
    "ListContainers": embedded(1, embedded(2, b"s1") + enum(6, 1)) * 4 + embedded(1, enum(6, 2)),
}

MANY = embedded(1, embedded(2, b"s1") + enum(6, 1) + embedded(8, b"x" * 120)) * 1000


def answer(stream: int, body: bytes | int) -> bytes:
    """A message, or a status other than 0."""
    status = body if isinstance(body, int) else 0
    trailers = hpack.encode(
        [("grpc-status", str(status)), ("grpc-message", "because%20I%20say%20so" if status else "")]
    )
    frames = http2.frame(http2.HEADERS, http2.END_HEADERS, stream, b"\x88")
    if isinstance(body, bytes):
        data = struct.pack(">BI", 0, len(body)) + body
        parts = [data[at : at + 16384] for at in range(0, len(data), 16384)]
        frames += b"".join(http2.frame(http2.DATA, 0, stream, part) for part in parts)
    return frames + http2.frame(http2.HEADERS, http2.END_HEADERS | http2.END_STREAM, stream, trailers)


def serve(listener: socket.socket, answers: Answers) -> None:
    """One connection: each HEADERS frame is answered by its path or method; one that is not there, never."""
    with listener.accept()[0] as connection:
        connection.recv(24)
        connection.sendall(http2.frame(http2.SETTINGS, 0, 0) + http2.frame(http2.PING, 0, 0, b"pingpong"))
        for frame in frames_of(connection):
            path = dict(hpack.decode(frame.payload))[":path"] if frame.kind == http2.HEADERS else ""
            key = path if path in answers else path.rpartition("/")[2]
            if key in answers:
                connection.sendall(answer(frame.stream, answers[key]))


def frames_of(connection: socket.socket) -> Iterator[http2.Frame]:
    """Until the other side closes."""
    buffer = b""
    while chunk := connection.recv(65536):
        buffer += chunk
        while found := http2.next_frame(buffer):
            buffer = buffer[found[1] :]
            yield found[0]


@contextlib.contextmanager
def runtime(path: Path, answers: Answers) -> Iterator[str]:
    """A runtime that listens on a socket."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        thread = threading.Thread(target=serve, args=(listener, answers), daemon=True)
        thread.start()
        yield str(path)
        thread.join(5)


def ask(tmp_path: Path, answers: Answers, seconds: float = 5.0) -> Cri:
    """Of such a runtime."""
    with runtime(tmp_path / "s", answers) as path:
        return cri.question(path, seconds)


def test_a_healthy_runtime(tmp_path: Path) -> None:
    found = ask(tmp_path, HEALTHY)
    assert (found.outcome, found.detail, found.runtime) == ("ok", "", "containerd 2.1.0")
    assert (found.runtime_ready, found.runtime_message) == (True, None)
    assert (found.network_ready, found.network_message) == (True, None)
    assert (found.sandboxes, found.containers, found.cgroup_driver) == (3, 4, "cgroupfs")


def test_a_thousand_containers(tmp_path: Path) -> None:
    found = ask(tmp_path, {**HEALTHY, "ListContainers": MANY})
    assert found.containers == 1000
    # Of half a list nobody could say what is missing in it.
    assert vars(found)["pods"] == Unknown("CRI: more than 500 sandboxes or containers")


def test_network_not_ready(tmp_path: Path) -> None:
    status = embedded(
        1, embedded(1, embedded(1, b"NetworkReady") + embedded(3, b"NetworkPluginNotReady") + embedded(4, b"no"))
    )
    found = ask(tmp_path, {**HEALTHY, "Status": status})
    assert (found.network_ready, found.network_message) == (False, "NetworkPluginNotReady: no")
    assert found.runtime_ready is None


@pytest.mark.parametrize(
    ("status", "outcome"), [(12, "unimplemented"), (7, "permission"), (4, "timeout"), (2, "error"), (14, "error")]
)
def test_a_refusal(tmp_path: Path, status: int, outcome: str) -> None:
    found = ask(tmp_path, {"Version": status})
    assert found.outcome == outcome
    assert found.detail == f"{tmp_path}/s: because I say so"
    assert isinstance(vars(found)["runtime_ready"], Unknown)


def test_a_runtime_of_the_version_before_says_who_it_is(tmp_path: Path) -> None:
    old = embedded(2, b"containerd") + embedded(3, b"1.5.9")
    found = ask(tmp_path, {"Version": 12, "/runtime.v1alpha2.RuntimeService/Version": old})
    assert (found.outcome, found.runtime) == ("unimplemented", "containerd 1.5.9")
    (tmp_path / "s").unlink()
    assert ask(tmp_path, {"Version": 12}).runtime is None


def test_what_is_known_before_a_failure_stays(tmp_path: Path) -> None:
    found = ask(tmp_path, {"Version": HEALTHY["Version"]}, seconds=0.4)
    assert (found.outcome, found.runtime) == ("timeout", "containerd 2.1.0")


def test_a_call_that_an_old_runtime_does_not_know(tmp_path: Path) -> None:
    found = ask(tmp_path, {**HEALTHY, "RuntimeConfig": 12, "ListContainers": 2})
    assert (found.outcome, found.cgroup_driver) == ("ok", None)
    assert vars(found)["containers"] == Unknown("CRI ListContainers: because I say so")


def test_it_accepts_and_never_answers(tmp_path: Path) -> None:
    found = ask(tmp_path, {}, seconds=0.3)
    assert (found.outcome, found.detail) == ("timeout", f"{tmp_path}/s: no answer within 0 s")


def test_nobody_takes_connections_any_more(tmp_path: Path) -> None:
    path = str(tmp_path / "s")
    with socket.socket(socket.AF_UNIX) as listener, contextlib.ExitStack() as stack:
        listener.bind(path)
        listener.listen(0)
        stack.enter_context(socket.socket(socket.AF_UNIX)).connect(path)
        found = cri.question(path, 0.3)
    assert found.outcome == "timeout"


def test_no_socket_nobody_listens_and_no_runtime(tmp_path: Path) -> None:
    path = tmp_path / "s"
    assert cri.question(str(path), 1.0).outcome == "no-socket"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
    assert cri.question(str(path), 1.0).outcome == "refused"


def test_something_else_listens(tmp_path: Path) -> None:
    path = tmp_path / "s"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()

        def talk() -> None:
            with listener.accept()[0] as connection:
                connection.recv(10)
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        threading.Thread(target=talk, daemon=True).start()
        found = cri.question(str(path), 2.0)
    assert found.outcome == "error"
