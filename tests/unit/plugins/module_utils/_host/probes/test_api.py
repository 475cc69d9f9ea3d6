# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The way to the API server, against real TLS servers on this host."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.node import ApiPath
from ansible_collections.outward.kubelet.plugins.module_utils._host.errors import ProbeError
from ansible_collections.outward.kubelet.plugins.module_utils._host.probes import api
from ansible_collections.outward.kubelet.plugins.module_utils._parse.kubeconfig import Access
from ansible_collections.outward.kubelet.tests.unit.plugins.module_utils._host.probes.pki import Authority, Issued
from ansible_collections.outward.kubelet.tests.unit.plugins.module_utils._host.probes.place import (
    below,
    kubeconfig,
    write,
)

CA, OTHER = Authority(), Authority()
SERVER = CA.issue("kube-apiserver")
NODE = CA.issue("system:node:pi-04", ("system:nodes",))
OK = "HTTP/1.1 200 OK\r\nDate: {date}\r\nContent-Length: 2\r\n\r\nok"


def http_date(moment: datetime) -> str:
    """RFC 9110."""
    return moment.strftime("%a, %d %b %Y %H:%M:%S GMT")


@contextlib.contextmanager
def server(tmp_path: Path, issued: Issued, answer: str, seen: list[str]) -> Iterator[int]:
    """Answers one request; *seen* gets the client's common name, or an empty string."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(issued.write(tmp_path / "server.pem"))
    context.verify_mode = ssl.CERT_OPTIONAL
    context.load_verify_locations(cadata=CA.certificate)

    def talk() -> None:
        with contextlib.suppress(OSError), listener.accept()[0] as plain, context.wrap_socket(plain, True) as secure:
            subject = (secure.getpeercert() or {}).get("subject", ())
            seen.append("".join(str(pair[1]) for name in subject for pair in name if pair[0] == "commonName"))
            secure.recv(4096)
            secure.sendall(answer.encode())

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=talk, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        listener.close()
        thread.join(5)


@contextlib.contextmanager
def full(room: int = 0) -> Iterator[int]:
    """A port whose queue has *room* for so many handshakes after the first; the kernel drops the SYNs of the others."""
    with socket.create_server(("127.0.0.1", 0), backlog=room) as listener, contextlib.ExitStack() as stack:
        if not room:
            for each in [stack.enter_context(socket.socket()) for number in range(3)]:
                each.setblocking(False)
                each.connect_ex(listener.getsockname())
        yield int(listener.getsockname()[1])


def ask(tmp_path: Path, url: str, *, ca: str = CA.certificate, pem: str | None = None) -> ApiPath:
    """With a kubeconfig like that of a joined node."""
    place = below(tmp_path)
    write(place.kubeconfig, kubeconfig(url, ca, pem))
    return api.ask(place)


def test_an_answer_with_the_kubelets_certificate(tmp_path: Path) -> None:
    seen: list[str] = []
    pem = NODE.write(tmp_path / "client.pem")
    date = datetime.now(UTC)
    with server(tmp_path, SERVER, OK.format(date=http_date(date)), seen) as port:
        found = ask(tmp_path, f"https://127.0.0.1:{port}", pem=pem)
    assert (found.outcome, found.status, found.detail) == ("ok", 200, "HTTP 200")
    assert found.addresses == ("127.0.0.1",)
    assert found.date == date.replace(microsecond=0)
    assert found.offset is not None
    assert abs(found.offset) < 3
    assert seen == ["system:node:pi-04"]


def test_another_clock(tmp_path: Path) -> None:
    """Nothing is refused for a date: the server's certificate has expired by our clock, and its Date still comes."""
    expired = CA.issue("kube-apiserver", days=(-3, -2))
    with server(tmp_path, expired, OK.format(date="Sun, 01 Nov 2026 10:00:00 GMT"), []) as port:
        found = ask(tmp_path, f"https://127.0.0.1:{port}")
    expected = (datetime.now(UTC) - datetime(2026, 11, 1, 10, tzinfo=UTC)).total_seconds()
    assert found.offset == pytest.approx(expected, abs=5)


@pytest.mark.parametrize(("status", "outcome"), [(401, "http"), (500, "http"), (204, "ok")])
def test_another_status(tmp_path: Path, status: int, outcome: str) -> None:
    with server(tmp_path, SERVER, f"HTTP/1.1 {status} X\r\n\r\n", []) as port:
        found = ask(tmp_path, f"https://127.0.0.1:{port}")
    assert (found.outcome, found.status, found.date, found.offset) == (outcome, status, None, None)


def test_a_missing_certificate_is_said(tmp_path: Path) -> None:
    with server(tmp_path, SERVER, OK, []) as port:
        found = ask(tmp_path, f"https://127.0.0.1:{port}", pem="/no/such/client.pem")
    assert found.outcome == "ok"
    assert "asked without a certificate: /no/such/client.pem: No such file" in found.detail


def test_a_server_of_another_ca(tmp_path: Path) -> None:
    with server(tmp_path, SERVER, OK, []) as port:
        found = ask(tmp_path, f"https://127.0.0.1:{port}", ca=OTHER.certificate)
    assert found.outcome == "tls"
    assert "the server's certificate: " in found.detail


@pytest.mark.parametrize(("name", "outcome"), [("", "ok"), ("127.0.0.1", "ok"), ("api.example.org", "tls")])
def test_whether_the_certificate_there_is_for_a_name(tmp_path: Path, name: str, outcome: str) -> None:
    with server(tmp_path, SERVER, OK, []) as port:
        access = Access(f"https://127.0.0.1:{port}", None, CA.certificate.encode(), None, None, None)
        found = api.reach(access, below(tmp_path), name)
    assert found.outcome == outcome


def test_a_ca_that_is_none(tmp_path: Path) -> None:
    assert ask(tmp_path, "https://127.0.0.1:1", ca="garbage").outcome == "tls"


def test_nobody_listens(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    found = ask(tmp_path, f"https://127.0.0.1:{port}")
    assert (found.outcome, found.detail.split(";")[0]) == ("refused", f"127.0.0.1:{port}: connection refused")


def test_connected_and_silent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "SECONDS", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        found = ask(tmp_path, f"https://127.0.0.1:{listener.getsockname()[1]}")
    assert found.outcome == "timeout"
    assert "connected, and no answer" in found.detail


def test_no_answer_to_a_connection(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "SECONDS", 0.3)
    with full() as port:
        found = ask(tmp_path, f"https://127.0.0.1:{port}")
    assert found.outcome == "timeout"
    assert (found.handshakes, found.late) == (api.HANDSHAKES, api.HANDSHAKES)


def test_some_packets_get_through(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Loss as the node sees it: the server takes five handshakes, and the SYNs of the others are dropped."""
    monkeypatch.setattr(api, "SECONDS", 0.3)
    with full(room=5) as port:
        found = ask(tmp_path, f"https://127.0.0.1:{port}")
    assert found.outcome == "timeout"
    assert (found.handshakes, found.late) == (api.HANDSHAKES, api.HANDSHAKES - 5)


def test_a_way_is_tried_where_another_connection_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ours was lucky, and the kernel says of the kubelet's that it sends again."""
    monkeypatch.setattr(api, "sends_again", lambda address, *where: address == "127.0.0.1")
    with server(tmp_path, SERVER, OK.format(date=http_date(datetime.now(UTC))), []) as port:
        found = ask(tmp_path, f"https://127.0.0.1:{port}")
    assert (found.outcome, found.handshakes) == ("ok", api.HANDSHAKES)


def test_more_connections_than_we_read_cost_no_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def too_many() -> tuple[str, ...]:
        raise OSError(27, "larger than 8388608 bytes", "/proc/net/tcp")

    monkeypatch.setattr(api, "tcp_tables", too_many)
    with server(tmp_path, SERVER, OK.format(date=http_date(datetime.now(UTC))), []) as port:
        found = ask(tmp_path, f"https://127.0.0.1:{port}")
    assert (found.outcome, found.handshakes) == ("ok", 0)


def test_the_kernel_tells_of_a_connection_that_waits() -> None:
    with full() as port, socket.socket() as waiting:
        waiting.setblocking(False)
        waiting.connect_ex(("127.0.0.1", port))
        assert not api._others_repeat(("127.0.0.2",), port)
        time.sleep(1.3)  # its SYN is sent again after a second (RFC 6298)
        assert api._others_repeat(("127.0.0.1",), port)


def test_a_calm_way_is_not_tried(tmp_path: Path) -> None:
    with server(tmp_path, SERVER, OK.format(date=http_date(datetime.now(UTC))), []) as port:
        found = ask(tmp_path, f"https://127.0.0.1:{port}")
    assert (found.outcome, found.handshakes, found.late) == ("ok", 0, 0)


def test_a_node_that_slept_through_its_time_asks_once_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tries: list[float] = []
    connect = socket.create_connection

    def late(address: tuple[str, int], timeout: float) -> socket.socket:
        tries.append(timeout)
        if len(tries) == 1:
            raise TimeoutError
        return connect(address, timeout=timeout)

    monkeypatch.setattr(socket, "create_connection", late)
    with server(tmp_path, SERVER, OK.format(date=http_date(datetime.now(UTC))), []) as port:
        assert ask(tmp_path, f"https://127.0.0.1:{port}").outcome == "ok"
    assert tries[0] == pytest.approx(4 * tries[1], rel=0.05)


def test_plain_http(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def talk() -> None:
            with listener.accept()[0] as connection:
                connection.recv(4096)
                connection.sendall(b"HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n")

        threading.Thread(target=talk, daemon=True).start()
        found = ask(tmp_path, f"https://127.0.0.1:{listener.getsockname()[1]}")
    assert found.outcome == "tls"


def test_a_name_that_does_not_resolve(tmp_path: Path) -> None:
    assert ask(tmp_path, "https://api.invalid:6443").outcome == "unresolvable"


def test_a_kubeconfig_that_says_nothing(tmp_path: Path) -> None:
    place = below(tmp_path)
    with pytest.raises(FileNotFoundError):
        api.ask(place)
    write(place.kubeconfig, "")
    with pytest.raises(ProbeError, match="empty"):
        api.ask(place)
