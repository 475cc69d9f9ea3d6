# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The API server as one person reaches it, without anything of ours between: what it answers is what an attacker is told."""

from __future__ import annotations

import http.client
import json
import ssl
import typing as t
from dataclasses import dataclass, field
from pathlib import Path

from tests.lab._model import API_PORT, GATEWAY

SECONDS: t.Final = 20.0
REQUESTS: t.Final = "/apis/certificates.k8s.io/v1/certificatesigningrequests"
WHOAMI: t.Final = "/apis/authentication.k8s.io/v1/selfsubjectreviews"


@dataclass(frozen=True)
class Answer:
    """A status of HTTP, and the message of the object that came with it."""

    status: int
    message: str

    @property
    def refusal(self) -> str:
        """In one line; empty: it was taken."""
        return "" if self.status == 201 else f"{self.status}: {' '.join(self.message.split())}"


@dataclass(frozen=True)
class Client:
    """One identity. What proves it is never shown."""

    authority: Path
    certificate: Path | None = None  # with its key
    token: str = field(default="", repr=False)

    def post(self, path: str, body: t.Any) -> Answer:
        """Make an object. Raises OSError when nobody answers."""
        context = ssl.create_default_context(cafile=str(self.authority))
        if self.certificate:
            context.load_cert_chain(self.certificate)
        bearer = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        connection = http.client.HTTPSConnection(GATEWAY, API_PORT, timeout=SECONDS, context=context)
        try:
            connection.request("POST", path, json.dumps(body), {"Content-Type": "application/json", **bearer})
            response = connection.getresponse()
            text = response.read().decode()
        finally:
            connection.close()
        return Answer(response.status, str(json.loads(text).get("message", "")) if text.startswith("{") else text)

    def known(self) -> bool:
        """Whether the API server takes it for somebody."""
        review = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
        return self.post(WHOAMI, review).status == 201
