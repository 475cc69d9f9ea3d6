# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A small PKI for tests: a CA, and certificates for a server and a kubelet."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
PEM = serialization.Encoding.PEM
NOW = datetime.now(UTC).replace(microsecond=0)


@dataclass(frozen=True)
class Issued:
    """A certificate and its key, as PEM."""

    certificate: str
    key: str

    def write(self, path: Path) -> str:
        """Both in one file, as the kubelet keeps them; returns its path."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(self.certificate + self.key)
        return str(path)


class Authority:
    """A CA called kubernetes, with an RSA key as kubeadm makes it or an EC key as k3s does."""

    def __init__(self, elliptic: bool = False) -> None:
        self._key = _key(elliptic)
        self.certificate = self._sign(
            "kubernetes", (), self._key, (NOW - timedelta(days=1), NOW + timedelta(days=9)), True
        )

    def issue(self, name: str, groups: tuple[str, ...] = (), days: tuple[float, float] = (-1, 1)) -> Issued:
        """For *name*, valid from and until so many days from now; for 127.0.0.1 as a server."""
        key = _key(True)
        span = (NOW + timedelta(days=days[0]), NOW + timedelta(days=days[1]))
        form, none = serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
        return Issued(self._sign(name, groups, key, span, False), key.private_bytes(PEM, form, none).decode())

    def _sign(self, name: str, groups: tuple[str, ...], key: Key, span: tuple[datetime, datetime], ca: bool) -> str:
        subject = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, group) for group in groups]
        builder = x509.CertificateBuilder(
            issuer_name=x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "kubernetes")]),
            subject_name=x509.Name([*subject, x509.NameAttribute(NameOID.COMMON_NAME, name)]),
            public_key=key.public_key(),
            serial_number=x509.random_serial_number(),
            not_valid_before=span[0],
            not_valid_after=span[1],
        )
        address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
        builder = builder.add_extension(address, critical=False)
        builder = builder.add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        return builder.sign(self._key, hashes.SHA256()).public_bytes(PEM).decode()


def _key(elliptic: bool) -> Key:
    return ec.generate_private_key(ec.SECP256R1()) if elliptic else rsa.generate_private_key(65537, 2048)
