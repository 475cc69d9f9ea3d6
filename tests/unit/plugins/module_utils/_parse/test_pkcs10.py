# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a certificate request asks for, against what the `cryptography` library and openssl make."""

from __future__ import annotations

import base64
import random
import subprocess
from pathlib import Path

import pytest
from cryptography import x509 as made
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from ansible_collections.outward.kubelet.plugins.module_utils._parse.errors import ParseError
from ansible_collections.outward.kubelet.plugins.module_utils._parse.pkcs10 import LARGEST, normal, pkcs10
from tests.csr.forge import key
from tests.unit.requests_made import SUBJECT, pem

WHOLE = pem(names=["10.77.0.14", "pi-04", "fd00::14"])


def test_what_a_kubelet_writes() -> None:
    found = pkcs10(WHOLE)
    assert (found.common_names, found.organizations) == (("system:node:pi-04",), ("system:nodes",))
    assert (found.dns_names, found.addresses) == (("pi-04",), ("10.77.0.14", "fd00::14"))
    assert (found.key, found.more) == ("EC P-256", ())


def test_the_same_key_has_the_same_id() -> None:
    owner = key()
    assert pkcs10(pem(owner=owner)).key_id == pkcs10(pem(names=["pi-04"], owner=owner)).key_id
    assert pkcs10(pem()).key_id != pkcs10(pem()).key_id


def test_as_openssl_makes_it(tmp_path: Path) -> None:
    command = ["openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    more = ["-subj", "/O=system:nodes/CN=system:node:pi-04", "-addext", "subjectAltName=IP:10.77.0.14,DNS:pi-04"]
    command += [*more, "-keyout", str(tmp_path / "key")]
    found = pkcs10(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    assert (found.common_names, found.addresses, found.dns_names) == (
        ("system:node:pi-04",),
        ("10.77.0.14",),
        ("pi-04",),
    )
    assert (found.key, found.more) == ("EC P-256", ())


def test_kinds_of_keys() -> None:
    assert pkcs10(pem(owner=ec.generate_private_key(ec.SECP384R1()))).key == "EC P-384"
    assert pkcs10(pem(owner=ec.generate_private_key(ec.SECP256K1()))).key == "EC of another curve"
    assert pkcs10(pem(owner=rsa.generate_private_key(65537, 1024))).key == "RSA 1024"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (pem(subject=[*SUBJECT, ("OU", "x")]), "the attribute 55040b in its subject"),
        (pem(names=["URI:spiffe://cluster/admin"]), "the name URI spiffe://cluster/admin"),
        (pem(names=["email:root@pi-04"]), "the name email root@pi-04"),
        (pem(names=["DNS:10.77.0.14"]), "the name of the kind DNS for the address 10.77.0.14"),
        (pem(extensions=[made.BasicConstraints(ca=True, path_length=None)]), "the extension 551d13"),
    ],
)
def test_whatever_else_is_asked_for_is_named(text: str, words: str) -> None:
    assert pkcs10(text).more == (words,)


def test_every_name_is_seen_and_not_the_first_alone() -> None:
    found = pkcs10(pem(subject=[("O", "system:nodes"), ("O", "system:masters"), ("CN", "a"), ("CN", "b")]))
    assert (found.organizations, found.common_names) == (("system:nodes", "system:masters"), ("a", "b"))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "garbage",
        WHOLE + WHOLE,
        WHOLE + "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n",
        "Proc-Type: 4,ENCRYPTED\n" + WHOLE,
        WHOLE.replace("CERTIFICATE REQUEST", "CERTIFICATE"),
        WHOLE.replace("-----\nM", "-----\n!M"),
        WHOLE.replace("-----\nM", "-----\n=M"),
        WHOLE + "x" * LARGEST,
        "-----BEGIN CERTIFICATE REQUEST-----\nMAA=\n-----END CERTIFICATE REQUEST-----\n",
        pem(subject=[("CN", "system:node:pi-04\0.evil")]),
        pem(subject=[("CN", "system:node:pi-04\u202e")]),
    ],
)
def test_what_no_kubelet_writes_is_not_read(text: str) -> None:
    with pytest.raises(ParseError):
        pkcs10(text)


def der(text: str) -> bytes:
    """The content of the block."""
    return base64.b64decode("".join(text.splitlines()[1:-1]))


def block(data: bytes) -> str:
    """A block with this content."""
    return (
        f"-----BEGIN CERTIFICATE REQUEST-----\n{base64.b64encode(data).decode()}\n-----END CERTIFICATE REQUEST-----\n"
    )


def test_a_string_of_another_type_is_not_read() -> None:
    """T61String, which readers take for different alphabets; a BMPString has two octets a character."""
    data = der(WHOLE)
    for tag in (b"\x14", b"\x1e", b"\x16"):
        changed = data.replace(b"\x0c\x11system:node:pi-04", tag + b"\x11system:node:pi-04")
        assert changed != data
        with pytest.raises(ParseError, match="of a type that no kubelet writes"):
            pkcs10(block(changed))


def test_what_follows_the_end_is_not_read() -> None:
    with pytest.raises(ParseError):
        pkcs10(block(der(WHOLE) + b"\x30\x00"))


def test_one_form_of_an_address() -> None:
    assert normal("::ffff:10.77.0.14") == normal("10.77.0.14") == "10.77.0.14"
    assert normal("FD00:0::14") == "fd00::14"


def test_damaged_requests_end_in_an_error_or_in_an_answer_about_the_same_bytes() -> None:
    data = der(WHOLE)
    for seed in range(2000):
        source, octets = random.Random(seed), bytearray(data)
        for at in source.sample(range(len(octets)), source.randint(1, 4)):
            octets[at] = source.randrange(256)
        try:
            found = pkcs10(block(bytes(octets)))
        except ParseError:
            continue
        assert all(name.encode() in octets for name in (*found.common_names, *found.dns_names))


def test_whatever_we_read_others_read_alike() -> None:
    """The library's strict parser (Rust) is the second opinion."""
    data, agreed = der(WHOLE), 0
    for seed in range(2000):
        source, octets = random.Random(seed), bytearray(data)
        for at in source.sample(range(60, 220), 1):
            octets[at] = source.randrange(256)
        try:
            ours = pkcs10(block(bytes(octets)))
            theirs = made.load_der_x509_csr(bytes(octets))
            names = theirs.subject.get_attributes_for_oid(made.NameOID.COMMON_NAME)
        except ValueError:
            continue
        assert ours.common_names == tuple(name.value for name in names)
        agreed += 1
    assert agreed > 100


def test_the_id_is_that_of_the_public_key() -> None:
    owner = key()
    whole = owner.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert whole in der(pem(owner=owner))
