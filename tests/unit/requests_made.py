# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Really generated certificate requests: a kubelet's, and those of people who want more."""

from __future__ import annotations

import base64
import typing as t
from datetime import UTC, datetime

from cryptography import x509 as made

from tests.csr import forge

NOW = datetime(2026, 11, 23, 15, 0, 0, tzinfo=UTC)
CLIENT = "kubernetes.io/kube-apiserver-client-kubelet"
SERVING = "kubernetes.io/kubelet-serving"
NODE = "system:node:pi-04"
SUBJECT = (("O", "system:nodes"), ("CN", NODE))


def pem(
    subject: forge.Subject = SUBJECT,
    names: t.Iterable[str] = (),
    owner: forge.Key | None = None,
    extensions: t.Iterable[made.ExtensionType] = (),
) -> str:
    """A request in PEM; *names* are its alternative names."""
    return forge.pem(subject, names, owner, extensions)


def signing_request(name: str = "csr-1", text: str | None = None, **changes: t.Any) -> dict[str, t.Any]:
    """A CertificateSigningRequest as the API has it: pi-04's rotation, but for *changes*."""
    server = changes.get("signer") == SERVING
    spec = {
        "signerName": changes.get("signer", CLIENT),
        "username": changes.get("username", NODE),
        "groups": list(changes.get("groups", ("system:nodes", "system:authenticated"))),
        "usages": list(changes.get("usages", ("digital signature", "server auth" if server else "client auth"))),
        "request": base64.b64encode((text or pem()).encode()).decode(),
    }
    return {
        "metadata": {
            "name": name,
            "resourceVersion": "1",
            "creationTimestamp": changes.get("created", "2026-11-23T14:59:00Z"),
        },
        "spec": spec,
        "status": changes.get("status", {}),
    }
