# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Really generated certificate requests: a kubelet's, and those of people who want more."""

from __future__ import annotations

import base64
import ipaddress
import typing as t
from datetime import UTC, datetime

from cryptography import x509 as made
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
NOW = datetime(2026, 11, 23, 15, 0, 0, tzinfo=UTC)
KINDS = {"CN": NameOID.COMMON_NAME, "O": NameOID.ORGANIZATION_NAME, "OU": NameOID.ORGANIZATIONAL_UNIT_NAME}
CLIENT = "kubernetes.io/kube-apiserver-client-kubelet"
SERVING = "kubernetes.io/kubelet-serving"
NODE = "system:node:pi-04"
SUBJECT = (("O", "system:nodes"), ("CN", NODE))


def key() -> ec.EllipticCurvePrivateKey:
    """As a kubelet makes one."""
    return ec.generate_private_key(ec.SECP256R1())


def alternative(name: str) -> made.GeneralName:
    """``10.77.0.14``, ``URI:spiffe://x``, ``email:a@b``, or a host name."""
    kind, dummy, rest = name.partition(":")
    if kind == "URI":
        return made.UniformResourceIdentifier(rest)
    if kind == "email":
        return made.RFC822Name(rest)
    try:
        return made.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return made.DNSName(name)


def pem(
    subject: t.Iterable[tuple[str, str]] = SUBJECT,
    names: t.Iterable[str] = (),
    owner: Key | None = None,
    extensions: t.Iterable[made.ExtensionType] = (),
) -> str:
    """A request in PEM; *names* are its alternative names."""
    relative = [made.NameAttribute(KINDS[kind], value) for kind, value in subject]
    builder = made.CertificateSigningRequestBuilder(made.Name(relative))
    found = [alternative(name) for name in names]
    for extension in (*([made.SubjectAlternativeName(found)] if found else []), *extensions):
        builder = builder.add_extension(extension, critical=False)
    return builder.sign(owner or key(), hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()


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
