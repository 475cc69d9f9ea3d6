# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A small HTTP server that answers as an API server would, from lists that were recorded or made up."""

from __future__ import annotations

import contextlib
import itertools
import json
import ssl
import threading
import typing as t
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

RECORDINGS = Path(__file__).parents[1] / "recordings" / "api"
DATE = "Mon, 23 Nov 2026 15:00:00 GMT"
LEASES = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"
REQUESTS = "/apis/certificates.k8s.io/v1/certificatesigningrequests"
NODE_EVENTS, POD_EVENTS = "involvedObject.kind=Node", "involvedObject.kind=Pod,type=Warning"


@dataclass
class FakeApi:
    """What is answered by path (for events: by field selector), and which requests came."""

    url: str = ""
    date: str = DATE
    lists: dict[str, list[t.Any]] = field(default_factory=dict)
    objects: dict[str, t.Any] = field(default_factory=dict)
    refusals: dict[str, tuple[int, str]] = field(default_factory=dict)  # path -> status and body
    asked: list[str] = field(default_factory=list)
    tokens: set[str] = field(default_factory=set)
    written: dict[str, t.Any] = field(default_factory=dict)  # objects that somebody made, by path
    kinds: set[tuple[str, str]] = field(default_factory=set)  # methods that wrote, and of what type
    answers: dict[str, t.Callable[[t.Any], tuple[int, t.Any]]] = field(
        default_factory=dict
    )  # POST to path: body -> answer
    guard: threading.Lock = field(default_factory=threading.Lock)
    versions: t.Iterator[int] = field(default_factory=lambda: itertools.count(1))
    watch: t.Callable[[], None] = lambda: None  # called after each write, with nothing else going on
    # What is answered instead to a request that writes: method, path and body in, status and body out
    react: Callable[[str, str, t.Any], tuple[int, t.Any]] | None = None

    def load(self, recording: str) -> None:
        """Answer with the lists of a directory below tests/recordings/api."""
        where = RECORDINGS / recording
        self.date = (where / "date.txt").read_text().strip()
        names = {"/api/v1/nodes": "nodes", LEASES: "leases", "/api/v1/pods": "pods", REQUESTS: "csrs"}
        names |= {NODE_EVENTS: "events-nodes", POD_EVENTS: "events-pods"}
        for path, name in names.items():
            self.lists[path] = json.loads((where / f"{name}.json").read_text())
        for path in ("/api/v1/nodes", LEASES):
            self.objects |= {f"{path}/{item['metadata']['name']}": item for item in self.lists[path]}

    def answer(self, path: str, query: dict[str, list[str]]) -> tuple[int, t.Any]:
        """Status and body."""
        key = query["fieldSelector"][0] if path == "/api/v1/events" else path
        if path == "/version":
            return self.refusals.get(path, (200, {"gitVersion": "v1.37.2"}))
        if key in self.refusals:
            return self.refusals[key]
        if path in self.objects or path in self.written:
            return 200, self.written.get(path) or self.objects[path]
        if "limit" not in query:
            return 404, {"kind": "Status", "message": "not found"}
        start, limit = int(query.get("continue", ["0"])[0]), int(query["limit"][0])
        items = self.lists.get(key, []) + [o for at, o in self.written.items() if at.rpartition("/")[0] == path]
        more = {"continue": str(start + limit)} if start + limit < len(items) else {}
        return 200, {"metadata": more, "items": items[start : start + limit]}

    def write(self, method: str, path: str, body: t.Any) -> tuple[int, t.Any]:
        """POST, PUT, PATCH (RFC 7386) or DELETE, with the conflicts of a real API server."""
        with self.guard:
            if self.react:
                return self.react(method, path, body)
            if path in self.refusals:
                return self.refusals[path]
            if path in self.answers:
                return self.answers[path](body)
            if method == "DELETE":
                wanted = (body or {}).get("preconditions", {}).get("uid")
                if wanted and path in self.written and wanted != self.written[path]["metadata"].get("uid"):
                    return 409, {"kind": "Status", "message": "the UID in the precondition does not match"}
                return (200 if self.written.pop(path, None) else 404), {"kind": "Status"}
            at = f"{path}/{body['metadata']['name']}" if method == "POST" else path
            old = self.written.get(at)
            if (method == "POST") == (old is not None):
                return (409 if old else 404), {"kind": "Status", "message": "already exists" if old else "not found"}
            version = body.get("metadata", {}).get("resourceVersion")
            if old and version and version != old["metadata"]["resourceVersion"]:
                return 409, {"kind": "Status", "message": "the object has been modified"}
            new = merged(old, body) if method == "PATCH" else body
            version = str(next(self.versions))
            made = {"uid": f"uid-{version}"} if method == "POST" else {}
            self.written[at] = merged(new, {"metadata": {"resourceVersion": version, **made}})
            self.watch()
            return (201 if method == "POST" else 200), self.written[at]


def merged(old: t.Any, change: t.Any) -> t.Any:
    """RFC 7386: null removes."""
    if not isinstance(change, dict):
        return change
    base = old if isinstance(old, dict) else {}
    new = {**base, **{name: merged(base.get(name), value) for name, value in change.items()}}
    return {name: value for name, value in new.items() if change.get(name, value) is not None}


@contextlib.contextmanager
def serving(tls: tuple[Path, Path] | None = None) -> Iterator[FakeApi]:
    """A running :class:`FakeApi`; with *tls*, the paths of certificate and key, over TLS."""
    api = FakeApi()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(api))
    if tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*tls)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    api.url = f"http{'s' if tls else ''}://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield api
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _handler(api: FakeApi) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            with api.guard:
                answer = api.answer(parts.path.rstrip("/"), parse_qs(parts.query))
            self._reply(*answer)

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))) or "null")
            api.kinds.add((self.command, self.headers["Content-Type"]))
            self._reply(*api.write(self.command, urlsplit(self.path).path, body))

        def _reply(self, status: int, body: t.Any) -> None:
            api.asked.append(self.path)
            api.tokens.add(self.headers.get("Authorization", ""))
            data = (body if isinstance(body, str) else json.dumps(body)).encode()
            self.send_response_only(status)
            self.send_header("Date", api.date)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: t.Any) -> None:
            """Not into the output of the tests."""

    for method in ("PUT", "PATCH", "DELETE"):
        setattr(Handler, f"do_{method}", Handler.do_POST)
    return Handler
