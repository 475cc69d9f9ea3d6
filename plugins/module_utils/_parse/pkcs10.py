# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""What a PKCS#10 request asks for (RFC 2986), read so strictly that nobody else can read more in it.

A stranger has written it. Whatever a kubelet never writes (a second PEM block, a string of a rare type, an extension
twice) is a :class:`ParseError`, so that a verdict on what is here is a verdict on all that a signer could see.
The request's own signature is not checked: the API server does that before it stores one
(pkg/apis/certificates/validation of Kubernetes 1.37).
"""

from __future__ import annotations

import binascii
import hashlib
import ipaddress
import re
import typing as t

from . import der
from .errors import ParseError

LARGEST: t.Final = 8192  # characters of PEM; a kubelet's request has about 500, one with thirty addresses 2000
_COMMON_NAME, _ORGANIZATION = "550403", "55040a"
_EXTENSIONS, _ALTERNATIVES = "2a864886f70d01090e", "551d11"
_EC, _RSA = "2a8648ce3d0201", "2a864886f70d010101"
_CURVES: t.Final = {"2a8648ce3d030107": "P-256", "2b81040022": "P-384", "2b81040023": "P-521"}
_STRINGS: t.Final = {0x0C: "utf-8", 0x13: "ascii"}  # UTF8String and PrintableString: what Go's encoder writes
_DNS, _IP = 0x82, 0x87
_OTHERS: t.Final = {0x81: "email", 0x86: "URI"}


class Pkcs10(t.NamedTuple):
    """All that one request asks for."""

    common_names: tuple[str, ...]
    organizations: tuple[str, ...]
    dns_names: tuple[str, ...]
    addresses: tuple[str, ...]  # IP addresses in their one normal form
    key: str  # "EC P-256", "RSA 2048", or "another kind"
    key_id: str  # SHA-256 of the SubjectPublicKeyInfo, hexadecimal
    more: tuple[str, ...]  # what is asked for beside these, in words


def pkcs10(text: str) -> Pkcs10:
    """The one request in *text* (PEM, and nothing else in it)."""
    information, *dummy = der.sequence(_only_block(text), 3)
    version, subject, key, attributes = _exactly(der.sequence(information.encoded, 4), 4)
    if version.content != b"\0" or attributes.tag != 0xA0:
        raise ParseError("a request of another shape")
    names = list(_names(subject))
    alternatives, more = _asked(attributes)
    return Pkcs10(
        common_names=tuple(value for kind, value in names if kind == _COMMON_NAME),
        organizations=tuple(value for kind, value in names if kind == _ORGANIZATION),
        dns_names=tuple(value for kind, value in alternatives if kind == "DNS"),
        addresses=tuple(value for kind, value in alternatives if kind == "IP"),
        key=_key(key),
        key_id=hashlib.sha256(key.encoded).hexdigest(),
        more=(
            *(
                f"the attribute {kind} in its subject"
                for kind, dummy in names
                if kind not in (_COMMON_NAME, _ORGANIZATION)
            ),
            *(f"the name {kind} {value}" for kind, value in alternatives if kind not in ("DNS", "IP")),
            *more,
        ),
    )


def _only_block(text: str) -> bytes:
    """The DER. Go reads the first block and passes over what is around it; we want nothing to be around it."""
    if len(text) > LARGEST:
        raise ParseError(f"a request of more than {LARGEST} characters")
    match = re.fullmatch(
        r"\s*-----BEGIN (?:NEW )?CERTIFICATE REQUEST-----\s([A-Za-z0-9+/=\s]+)-----END (?:NEW )?CERTIFICATE REQUEST-----\s*",
        text,
    )
    body = "".join(match.group(1).split()) if match else ""
    try:
        data = binascii.a2b_base64(body)
    except ValueError as error:
        raise ParseError("a request that is not base64") from error
    if not data or binascii.b2a_base64(data, newline=False).decode("ascii") != body:
        raise ParseError("not one PEM block CERTIFICATE REQUEST and nothing else")
    return data


def _exactly(found: list[der.Element], count: int) -> list[der.Element]:
    if len(found) != count:
        raise ParseError("a request of another shape")
    return found


def _names(subject: der.Element) -> t.Iterator[tuple[str, str]]:
    """(object identifier, value) of each attribute of a name; one attribute in each of its sets."""
    for group in der.children(subject.content):
        (attribute,) = _exactly(der.children(group.content), 1)
        kind, value = _exactly(der.sequence(attribute.encoded, 2), 2)
        yield kind.content.hex(), _text(value)


def _text(value: der.Element) -> str:
    """A string of a kind that everybody reads alike, without control characters."""
    try:
        text = value.content.decode(_STRINGS[value.tag])
    except (KeyError, UnicodeDecodeError) as error:
        raise ParseError("a string of a type that no kubelet writes") from error
    if not text.isprintable():
        raise ParseError("a string with characters that cannot be printed")
    return text


def _asked(attributes: der.Element) -> tuple[list[tuple[str, str]], list[str]]:
    """The alternative names, and in words every other attribute and extension."""
    alternatives: list[tuple[str, str]] = []
    more: list[str] = []
    seen: set[str] = set()
    for kind, value in _extensions(attributes, more):
        if kind in seen:
            raise ParseError("an extension that is there twice")
        seen.add(kind)
        if kind == _ALTERNATIVES:
            alternatives = [_alternative(name) for name in der.sequence(value, 1)]
        else:
            more.append(f"the extension {kind}")
    return alternatives, more


def _extensions(attributes: der.Element, more: list[str]) -> t.Iterator[tuple[str, bytes]]:
    """(object identifier, value) of each extension; other attributes are entered in *more*."""
    for attribute in der.children(attributes.content):
        kind, values = _exactly(der.sequence(attribute.encoded, 2), 2)
        if kind.content.hex() != _EXTENSIONS:
            more.append(f"the attribute {kind.content.hex()}")
            continue
        (wanted,) = _exactly(der.children(values.content), 1)
        for extension in der.sequence(wanted.encoded, 0):
            parts = der.sequence(extension.encoded, 2)  # identifier, critical if it is so, value
            yield parts[0].content.hex(), parts[-1].content


def _alternative(name: der.Element) -> tuple[str, str]:
    """("DNS", ...), ("IP", ...), or another kind."""
    if name.tag == _IP:
        return "IP", _address(name.content)
    try:
        text = name.content.decode("ascii")
    except UnicodeDecodeError as error:
        raise ParseError("an alternative name that is not ASCII") from error
    if not text.isprintable():
        raise ParseError("an alternative name with characters that cannot be printed")
    if name.tag == _DNS:
        return ("of the kind DNS for the address" if is_address(text) else "DNS"), text
    return _OTHERS.get(name.tag, f"of the kind {name.tag:#x}"), text


def _address(octets: bytes) -> str:
    if len(octets) not in (4, 16):
        raise ParseError("an IP address of a length that cannot be")
    return normal(str(ipaddress.ip_address(octets)))


def is_address(text: str) -> bool:
    """Whether it is an IP address."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def normal(address: str) -> str:
    """The one form of an IP address; IPv4 in IPv6 (::ffff:10.0.0.1) is IPv4. Raises ``ValueError`` for none."""
    found = ipaddress.ip_address(address)
    return str(getattr(found, "ipv4_mapped", None) or found)


def _key(info: der.Element) -> str:
    """The kind of a key with what its strength depends on."""
    algorithm, bits = _exactly(der.sequence(info.encoded, 2), 2)
    kind, *parameters = der.sequence(algorithm.encoded, 1)
    if kind.content.hex() == _EC and parameters:
        return f"EC {_CURVES.get(parameters[0].content.hex(), 'of another curve')}"
    if kind.content.hex() == _RSA:
        modulus = int.from_bytes(der.sequence(bits.content[1:], 2)[0].content, "big")
        return f"RSA {modulus.bit_length()}"
    return "another kind"
