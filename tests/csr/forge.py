# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Certificate requests as a kubelet makes them, and as people do who want more."""

from __future__ import annotations

import base64
import ipaddress
import typing as t
from collections.abc import Callable, Iterable

from cryptography import x509 as made
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import NameOID

Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey
Subject = Iterable[tuple[str, str]]
PARTS: t.Final = {"CN": NameOID.COMMON_NAME, "O": NameOID.ORGANIZATION_NAME, "OU": NameOID.ORGANIZATIONAL_UNIT_NAME}
BEGIN: t.Final = "-----BEGIN CERTIFICATE REQUEST-----\n"
END: t.Final = "-----END CERTIFICATE REQUEST-----\n"


def key() -> ec.EllipticCurvePrivateKey:
    """As a kubelet makes one."""
    return ec.generate_private_key(ec.SECP256R1())


KEYS: t.Final[dict[str, Callable[[], Key]]] = {
    "EC P-256": key,
    "EC P-384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "RSA 1024": lambda: rsa.generate_private_key(65537, 1024),
    "RSA 2048": lambda: rsa.generate_private_key(65537, 2048),
    "Ed25519": ed25519.Ed25519PrivateKey.generate,
}


def alternative(name: str) -> made.GeneralName:
    """``10.77.0.14``, a host name, ``DNS:10.77.0.14``, ``URI:spiffe://x``, or ``email:a@b``."""
    kind, dummy, rest = name.partition(":")
    if kind == "URI":
        return made.UniformResourceIdentifier(rest)
    if kind == "email":
        return made.RFC822Name(rest)
    if kind == "DNS":
        return made.DNSName(rest)
    try:
        return made.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return made.DNSName(name)


def pem(
    subject: Subject,
    names: Iterable[str] = (),
    owner: Key | None = None,
    extensions: Iterable[made.ExtensionType] = (),
) -> str:
    """A request in PEM; *names* are its alternative names."""
    relative = [made.NameAttribute(PARTS[kind], value) for kind, value in subject]
    builder = made.CertificateSigningRequestBuilder(made.Name(relative))
    found = [alternative(name) for name in names]
    for extension in (*([made.SubjectAlternativeName(found)] if found else []), *extensions):
        builder = builder.add_extension(extension, critical=False)
    signer = owner or key()
    digest = None if isinstance(signer, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    return builder.sign(signer, digest).public_bytes(serialization.Encoding.PEM).decode()


# What a request can be made into that a parser may stumble over.


def same(text: str) -> str:
    """As it is."""
    return text


def masters_behind(text: str) -> str:
    """With a second request that an admin's group is in: Go reads the first one alone."""
    return text + pem([("O", "system:masters"), ("CN", "kubernetes-admin")])


def worded(text: str) -> str:
    """With words before it, that Go passes over."""
    return f"pi: please approve this one\n{text}"


def headed(text: str) -> str:
    """With a header in the block, that Go passes over."""
    return text.replace(BEGIN, f"{BEGIN}Comment: approved\n\n")


def no_pem(text: str) -> str:
    """Something else."""
    return "not a request"


def no_der(text: str) -> str:
    """A block with something else in it."""
    return f"{BEGIN}{base64.b64encode(b'not a request').decode()}\n{END}"


def cut(text: str) -> str:
    """The first half of it."""
    return _block(_der(text)[:-60])


def unsigned(text: str) -> str:
    """Changed after it was signed."""
    return _block(_der(text).replace(b"system:nodes", b"system:nudes"))


def of_a_certificate(text: str) -> str:
    """In a block of another type."""
    return text.replace("CERTIFICATE REQUEST", "CERTIFICATE")


def _der(text: str) -> bytes:
    return base64.b64decode("".join(text.splitlines()[1:-1]))


def _block(data: bytes) -> str:
    return f"{BEGIN}{base64.encodebytes(data).decode()}{END}"
