# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""X.509 certificates and the public halves of keys (RFC 5280, 5915, 8017), without a process or a library.

`openssl x509` costs half a second a file on a slow node and need not be installed; this costs milliseconds. Only
what names a certificate is read: nothing here decides whether to trust it.
"""

from __future__ import annotations

import binascii
import hashlib
import re
import typing as t
from datetime import datetime, timezone

from . import der
from .errors import ParseError

_ATTRIBUTES: t.Final = {"550403": "CN", "55040a": "O", "55040b": "OU", "550406": "C", "550408": "ST", "550407": "L"}
_USAGES: t.Final = {"2b06010505070301": "serverAuth", "2b06010505070302": "clientAuth"}
_EXTENSIONS, _EXTENDED_KEY_USAGE = 0xA3, "551d25"
_RSA: t.Final = bytes.fromhex("2a864886f70d010101")
# signature algorithm -> digest and the DER that precedes it in a PKCS #1 v1.5 signature (RFC 8017, 9.2 note 1)
_RSA_SIGNATURES: t.Final = {
    "2a864886f70d01010b": ("sha256", "3031300d060960864801650304020105000420"),
    "2a864886f70d01010c": ("sha384", "3041300d060960864801650304020205000430"),
    "2a864886f70d01010d": ("sha512", "3051300d060960864801650304020305000440"),
}


class X509(t.NamedTuple):
    """One certificate; names are in the order in which they are encoded."""

    encoded: bytes  # all of it, DER
    subject: bytes  # DER, to compare
    issuer: bytes
    common_name: str
    organizations: tuple[str, ...]
    issuer_text: str
    serial: str
    not_before: datetime
    not_after: datetime
    public_key: bytes  # DER of SubjectPublicKeyInfo
    signed: bytes  # the part that the signature covers
    algorithm: bytes
    signature: bytes
    usages: tuple[str, ...]  # extended key usages: clientAuth, serverAuth, or the object identifier in hexadecimal


def pin(certificate: X509) -> str:
    """The hash of its public key, as `kubeadm token create --print-join-command` shows it (RFC 7469)."""
    return f"sha256:{hashlib.sha256(certificate.public_key).hexdigest()}"


def pem_blocks(text: str) -> list[tuple[str, bytes]]:
    """(label, DER) of each PEM block. Raises :class:`ParseError` for a block that is not base64."""
    found: list[tuple[str, bytes]] = []
    for match in re.finditer(r"-----BEGIN ([A-Z0-9 ]{1,40})-----([^-]*)-----END \1-----", text):
        try:
            found.append((match.group(1), binascii.a2b_base64(match.group(2))))
        except ValueError as error:  # binascii.Error, or characters that are not ASCII
            raise ParseError(f"a PEM block {match.group(1)} that is not base64") from error
    return found


def certificates(text: str) -> list[X509]:
    """All certificates of a PEM file, in their order; raises :class:`ParseError` when there is none."""
    found = [certificate(data) for label, data in pem_blocks(text) if label == "CERTIFICATE"]
    if not found:
        raise ParseError("empty" if not text.strip("\0 \r\n") else "no PEM certificate in it")
    return found


def certificate(data: bytes) -> X509:
    """One certificate in DER."""
    signed, algorithm, signature = der.sequence(data, 3)[:3]
    parts = der.sequence(signed.encoded, 6)
    if parts[0].tag == 0xA0:  # the version is left out in version 1
        parts = parts[1:]
    if len(parts) < 6:
        raise ParseError("a certificate with too few parts")
    serial, dummy, issuer, validity, subject, key = parts[:6]
    times = der.children(validity.content)
    if len(times) != 2 or serial.tag != der.INTEGER or signature.tag != der.BIT_STRING:
        raise ParseError("a certificate of another shape")
    names = _names(subject)
    return X509(
        encoded=data,
        subject=subject.encoded,
        issuer=issuer.encoded,
        common_name=next((value for name, value in names if name == "CN"), ""),
        organizations=tuple(value for name, value in names if name == "O"),
        issuer_text=", ".join(f"{name}={value}" for name, value in _names(issuer)),
        serial=serial.content.hex().upper(),
        not_before=_time(times[0]),
        not_after=_time(times[1]),
        public_key=key.encoded,
        signed=signed.encoded,
        algorithm=algorithm.encoded,
        signature=signature.content[1:],
        usages=_usages(parts[6:]),
    )


def _usages(rest: list[der.Element]) -> tuple[str, ...]:
    """Of the extension in what follows the key; none when a certificate does not have it."""
    wanted = (der.sequence(part.content, 0) for part in rest if part.tag == _EXTENSIONS)
    for extension in (der.sequence(item.encoded, 2) for items in wanted for item in items):
        if extension[0].content.hex() == _EXTENDED_KEY_USAGE:
            kinds = der.sequence(extension[-1].content, 0)
            return tuple(_USAGES.get(kind.content.hex(), kind.content.hex()) for kind in kinds)
    return ()


def to_pem(data: bytes) -> bytes:
    """A certificate in DER as a PEM block."""
    lines = [binascii.b2a_base64(data[at : at + 48]) for at in range(0, len(data), 48)]
    return b"-----BEGIN CERTIFICATE-----\n" + b"".join(lines) + b"-----END CERTIFICATE-----\n"


def _names(name: der.Element) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for group in der.children(name.content):
        for attribute in der.children(group.content):
            kind, value = [*der.children(attribute.content), attribute, attribute][:2]
            label = _ATTRIBUTES.get(kind.content.hex(), "?")
            found.append((label, value.content.decode("utf-8", "replace")))
    return found


def _time(item: der.Element) -> datetime:
    """UTCTime or GeneralizedTime; two digits of a year mean 1950 to 2049."""
    text = item.content.decode("ascii", "replace")
    match = re.fullmatch(r"((?:[0-9]{2})?[0-9]{2})([0-9]{2})([0-9]{2})([0-9]{2})([0-9]{2})([0-9]{2})Z", text)
    if not match or item.tag not in (0x17, 0x18):
        raise ParseError("a time that is none")
    year, *rest = match.groups()
    if len(year) == 2:
        year = ("19" if year >= "50" else "20") + year
    month, day, hour, minute, second = (int(part) for part in rest)
    try:
        # strptime would import the whole locale machinery.
        return datetime(int(year), month, day, hour, minute, second, tzinfo=timezone.utc)
    except ValueError as error:
        raise ParseError("a time that is none") from error


def public_half(text: str) -> bytes:
    """What of a PEM private key stands in the certificate too: the RSA modulus, or the point of an EC key.

    Raises :class:`ParseError` when there is no key or none that carries its public half.
    """
    for label, data in pem_blocks(text):
        if label == "RSA PRIVATE KEY":
            return _modulus(data)
        if label == "EC PRIVATE KEY":
            return _point(data)
        if label == "PRIVATE KEY":
            dummy, algorithm, inner = der.sequence(data, 3)[:3]
            is_rsa = der.children(algorithm.content)[0].content == _RSA
            return _modulus(inner.content) if is_rsa else _point(inner.content)
    raise ParseError("empty" if not text.strip("\0 \r\n") else "no private key that can be read")


def _modulus(data: bytes) -> bytes:
    return der.sequence(data, 3)[1].content


def _point(data: bytes) -> bytes:
    """ECPrivateKey (RFC 5915): the public key is in the optional element [1]."""
    for item in der.sequence(data, 2):
        if item.tag == 0xA1:
            return der.element(item.content).content[1:]
    raise ParseError("a private key without its public half")


def belongs(half: bytes, owner: X509) -> bool:
    """Whether a key's :func:`public_half` is that of this certificate."""
    algorithm, bits = der.sequence(owner.public_key, 2)[:2]
    public = bits.content[1:]
    if der.children(algorithm.content)[0].content == _RSA:
        return der.sequence(public, 2)[0].content == half
    return public == half


def signed_by(child: X509, issuer: X509) -> bool | None:
    """Whether *issuer* signed *child*; None for a kind of signature that only openssl can check (all but RSA).

    No date is looked at: an expired certificate is signed all the same.
    """
    if child.issuer != issuer.subject:
        return False
    algorithm = der.sequence(child.algorithm, 1)[0].content.hex()
    kind, bits = der.sequence(issuer.public_key, 2)[:2]
    if algorithm not in _RSA_SIGNATURES or der.children(kind.content)[0].content != _RSA:
        return None
    modulus, exponent = (int.from_bytes(part.content, "big") for part in der.sequence(bits.content[1:], 2)[:2])
    size = (modulus.bit_length() + 7) // 8
    if size > 1024 or exponent.bit_length() > 64 or not modulus:
        return None
    digest, prefix = _RSA_SIGNATURES[algorithm]
    tail = bytes.fromhex(prefix) + hashlib.new(digest, child.signed).digest()
    expected = b"\0\1" + b"\xff" * (size - len(tail) - 3) + b"\0" + tail
    return pow(int.from_bytes(child.signature, "big"), exponent, modulus).to_bytes(size, "big") == expected
