# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Certificates and keys, against those that the `cryptography` library makes."""

from __future__ import annotations

import random
import typing as t
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509 as made
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import NameOID

from ansible_collections.outward.kubelet.plugins.module_utils._parse import x509
from ansible_collections.outward.kubelet.plugins.module_utils._parse.errors import ParseError

Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
BEGIN = datetime(2026, 11, 23, 15, 0, 0, tzinfo=UTC)
RSA = rsa.generate_private_key(65537, 2048)
OTHER_RSA = rsa.generate_private_key(65537, 2048)
EC = ec.generate_private_key(ec.SECP256R1())
PKCS1, PKCS8 = serialization.PrivateFormat.TraditionalOpenSSL, serialization.PrivateFormat.PKCS8


def name(common_name: str) -> made.Name:
    """O=system:nodes, CN=..."""
    return made.Name(
        [
            made.NameAttribute(NameOID.ORGANIZATION_NAME, "system:nodes"),
            made.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )


def certificate(key: Key, signer: Key, issuer: str = "kubernetes", **changes: t.Any) -> str:
    """PEM of a certificate for system:node:pi-04."""
    builder = made.CertificateBuilder(
        issuer_name=name(issuer),
        subject_name=name(changes.get("subject", "system:node:pi-04")),
        public_key=key.public_key(),
        serial_number=0x00F1_0203,
        not_valid_before=BEGIN,
        not_valid_after=changes.get("end", BEGIN + timedelta(days=365)),
    )
    digest: t.Any = changes.get("digest", hashes.SHA256())
    return builder.sign(signer, digest).public_bytes(serialization.Encoding.PEM).decode()


def pem(key: Key, form: serialization.PrivateFormat) -> str:
    """A private key without a passphrase."""
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()).decode()


def test_what_names_a_certificate() -> None:
    found = x509.certificates("# a comment\n" + certificate(EC, RSA))[0]
    assert (found.common_name, found.organizations) == ("system:node:pi-04", ("system:nodes",))
    assert found.issuer_text == "O=system:nodes, CN=kubernetes"
    assert found.serial == "00F10203"
    assert (found.not_before, found.not_after) == (BEGIN, BEGIN + timedelta(days=365))


def test_years_behind_2049() -> None:
    """RFC 5280: GeneralizedTime from 2050 on."""
    end = datetime(2061, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert x509.certificates(certificate(EC, RSA, end=end))[0].not_after == end


@pytest.mark.parametrize("form", [PKCS1, PKCS8])
@pytest.mark.parametrize("key", [RSA, EC])
def test_a_key_and_its_certificate(key: Key, form: serialization.PrivateFormat) -> None:
    half = x509.public_half(certificate(key, RSA) + pem(key, form))
    assert x509.belongs(half, x509.certificates(certificate(key, RSA))[0])
    assert not x509.belongs(half, x509.certificates(certificate(OTHER_RSA, RSA))[0])


@pytest.mark.parametrize("digest", [hashes.SHA256(), hashes.SHA384(), hashes.SHA512()])
def test_who_signed(digest: hashes.HashAlgorithm) -> None:
    ca = x509.certificates(certificate(RSA, RSA, subject="kubernetes"))[0]
    impostor = x509.certificates(certificate(OTHER_RSA, OTHER_RSA, subject="kubernetes"))[0]
    child = x509.certificates(certificate(EC, RSA, digest=digest))[0]
    assert x509.signed_by(child, ca) is True
    assert x509.signed_by(child, impostor) is False
    assert x509.signed_by(ca, child) is False


def test_an_expired_certificate_is_signed_all_the_same() -> None:
    ca = x509.certificates(certificate(RSA, RSA, subject="kubernetes"))[0]
    expired = certificate(EC, RSA, end=BEGIN + timedelta(seconds=1))
    assert x509.signed_by(x509.certificates(expired)[0], ca) is True


def test_other_signatures_are_left_to_openssl() -> None:
    edwards: t.Any = ed25519.Ed25519PrivateKey.generate()
    for signer, digest in ((EC, hashes.SHA256()), (edwards, None)):
        ca = x509.certificates(certificate(signer, signer, subject="kubernetes", digest=digest))[0]
        assert x509.signed_by(x509.certificates(certificate(RSA, signer, digest=digest))[0], ca) is None
        assert x509.to_pem(ca.encoded).decode() == certificate_of(ca.encoded)


def certificate_of(data: bytes) -> str:
    """What the library writes for the same certificate."""
    return made.load_der_x509_certificate(data).public_bytes(serialization.Encoding.PEM).decode()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "empty"),
        ("\0" * 1024, "empty"),
        ("garbage", "no PEM certificate"),
        ("-----BEGIN CERTIFICATE-----\nAAAA\n", "no PEM certificate"),
        ("-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n", "another shape"),
        ("-----BEGIN CERTIFICATE-----\nabc\n-----END CERTIFICATE-----\n", "not base64"),
        (pem(EC, PKCS8), "no PEM certificate"),
    ],
)
def test_what_is_no_certificate(text: str, words: str) -> None:
    with pytest.raises(ParseError, match=words):
        x509.certificates(text)


@pytest.mark.parametrize(
    "text", ["", "x", certificate(EC, RSA), "-----BEGIN PRIVATE KEY-----\nMAMCAQA=\n-----END PRIVATE KEY-----"]
)
def test_what_is_no_key(text: str) -> None:
    with pytest.raises(ParseError):
        x509.public_half(text)


def test_damaged_certificates_and_keys_end_in_an_error_or_an_answer() -> None:
    whole = certificate(EC, RSA) + pem(RSA, PKCS8)
    ca = x509.certificates(certificate(RSA, RSA, subject="kubernetes"))[0]
    for seed in range(1500):
        source, text = random.Random(seed), list(whole)
        for at in source.sample(range(40, 700), source.randint(1, 5)):
            text[at] = source.choice("AZaz09+/=\n")
        try:
            found = x509.certificates("".join(text))[0]
            x509.belongs(x509.public_half("".join(text)), found)
            assert x509.signed_by(found, ca) in (True, False, None)
        except ParseError:
            continue
