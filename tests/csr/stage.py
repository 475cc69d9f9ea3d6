# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""CertificateSigningRequests of the lab's API server: made, aged, read back, and taken away again."""

from __future__ import annotations

import base64
import http.client
import json
import time
import typing as t
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from tests.lab._control_plane import ETCD_CLIENT
from tests.lab._kubectl import Object
from tests.lab._lab import Lab
from tests.lab._model import LabError, parse_host
from tests.lab._shell import wait_for

from .cases import Ask
from .client import REQUESTS
from .people import LABELS, NAMESPACE, People
from .verdict import State

PREFIX: t.Final = f"{NAMESPACE}-"
SIGNED: t.Final = 20.0  # seconds for kube-controller-manager


@dataclass(frozen=True)
class Sent:
    """One request that was sent."""

    name: str
    ask: Ask
    refusal: str  # the API server's; empty: it took it


@dataclass
class Stage:
    """What one row has sent."""

    lab: Lab
    host: str
    other: str
    sent: list[Sent] = field(default_factory=list)
    text: str = ""  # the PKCS#10 of the last one

    @property
    def places(self) -> dict[str, str]:
        """What the texts of the cases speak of."""
        node, other = parse_host(self.host), parse_host(self.other)
        return {"node": node.name, "address": node.address, "other": other.name, "other_address": other.address}

    def send(self, asks: Iterable[Ask], people: People) -> None:
        """All of these, in their order. Raises LabError."""
        for ask in asks:
            for dummy in range(ask.count):
                self._send(ask, people)

    def _send(self, ask: Ask, people: People) -> None:
        name = f"{PREFIX}{len(self.sent):03d}"
        self.text = self.text if ask.copy else ask.text(self.places)
        try:
            answer = people.clients[ask.who].post(REQUESTS, body(name, ask, self.text))
        except OSError as error:
            raise LabError(f"the API server: {error}") from error
        self.sent.append(Sent(name, ask, answer.refusal))
        if ask.age and not answer.refusal:
            self._age(name, ask.age)

    def _age(self, name: str, seconds: int) -> None:
        """The API server itself gives an object its time, so what it has stored is written anew with another one."""
        item = json.loads(self.lab.kubectl("get", "csr", name, "-o", "json"))
        made = datetime.now(UTC) - timedelta(seconds=seconds)
        item["metadata"] = {**item["metadata"], "creationTimestamp": f"{made:%Y-%m-%dT%H:%M:%SZ}"}
        del item["metadata"]["resourceVersion"]
        store(f"/registry/certificatesigningrequests/{name}", json.dumps(item))

    def states(self) -> dict[str, State]:
        """How the API server has them now; of what was approved it is waited for the certificate."""
        signed = [sent.name for sent in self.sent if not sent.refusal and sent.ask.end in ("approved", "kubernetes")]
        end = time.monotonic() + SIGNED
        while True:
            found = {item["metadata"]["name"]: State.of(item) for item in self.lab.kubectl.list("csr")}
            waiting = [name for name in signed if name in found and found[name].answer == "approved"]
            if time.monotonic() > end or all(found[name].certificate for name in waiting):
                return found
            time.sleep(0.5)

    def await_kubernetes(self) -> None:
        """Until kube-controller-manager has answered what is its to answer. Raises LabError."""
        names = {sent.name for sent in self.sent if sent.ask.end == "kubernetes" and not sent.refusal}
        if names:
            wait_for("kube-controller-manager answers", lambda: self._answered(names), SIGNED)

    def _answered(self, names: set[str]) -> bool:
        found = self.lab.kubectl.list("csr")
        return all(item["status"].get("conditions") for item in found if item["metadata"]["name"] in names)

    def clear(self) -> None:
        """None of ours is left, also of a run that was killed."""
        names = [item["metadata"]["name"] for item in self.lab.kubectl.list("csr")]
        ours = [name for name in names if name.startswith(PREFIX)]
        if ours:
            self.lab.kubectl("delete", "csr", "--ignore-not-found", *ours)


def body(name: str, ask: Ask, text: str) -> Object:
    """As it is sent."""
    return {
        "apiVersion": "certificates.k8s.io/v1",
        "kind": "CertificateSigningRequest",
        "metadata": {"name": name, "labels": dict(LABELS)},
        "spec": {
            "signerName": ask.signer,
            "usages": list(ask.asked_usages),
            "request": base64.b64encode(text.encode()).decode(),
            **ask.spec,
        },
        "status": ask.status,
    }


def store(key: str, value: str) -> None:
    """Into etcd, as the API server would: it reads JSON as well as what it writes itself. Raises LabError."""
    words = {"key": base64.b64encode(key.encode()).decode(), "value": base64.b64encode(value.encode()).decode()}
    connection = http.client.HTTPConnection(ETCD_CLIENT.removeprefix("http://"), timeout=20)
    try:
        connection.request("POST", "/v3/kv/put", json.dumps(words))
        response = connection.getresponse()
        said = response.read().decode()
    except OSError as error:
        raise LabError(f"etcd: {error}") from error
    finally:
        connection.close()
    if response.status != 200:
        raise LabError(f"etcd: {response.status}: {said}")
