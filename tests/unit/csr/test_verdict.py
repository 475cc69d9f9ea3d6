# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How a hostile request is judged on the lab: everything that may be wrong with one is seen."""

from __future__ import annotations

import datetime
import ssl
import typing as t
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

from ansible_collections.outward.kubelet.plugins.action.kubelet_csr import told as words_of
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.signing import Verdict
from ansible_collections.outward.kubelet.plugins.module_utils._kube.signing import REASON, Review, request
from tests.csr import forge
from tests.csr.cases import CASES, Ask, End
from tests.csr.client import Answer, Client
from tests.csr.judges import command
from tests.csr.people import bootstrap, minted
from tests.csr.stage import body
from tests.csr.verdict import AUTOMATIC, Found, State, Told, mistake, mistakes, told
from tests.unit.requests_made import SERVING, signing_request

PENDING = State("pending", "", certificate=False)
OURS = State("approved", REASON, certificate=True)
THEIRS = State("approved", AUTOMATIC, certificate=True)
KEY = Told("its key is RSA 1024, and a kubelet's is EC P-256")


def found(end: End, state: State | None, said: Told | None, refusal: str = "") -> Found:
    return Found("outward-hostile-000", Ask(end, "its key is"), refusal, state, said)


RIGHT = [
    found("left", PENDING, KEY),
    found("would", PENDING, Told()),
    found("kubernetes", THEIRS, None),
    found("refused", None, None, "403: its key is odd"),
]


@pytest.mark.parametrize("one", RIGHT)
def test_what_is_as_it_had_to_be(one: Found) -> None:
    assert mistake(one, "" if one.ask.end == "would" else "its key is") == ""


def test_what_was_approved_and_signed() -> None:
    assert mistake(found("approved", OURS, Told()), "") == ""


@pytest.mark.parametrize(
    ("one", "words"),
    [
        (found("left", OURS, Told()), "approved, and not left"),
        (found("left", THEIRS, KEY), "by_kubernetes, and not left"),
        (found("left", State("approved", "Anna", certificate=True), KEY), "approved by Anna, and not left"),
        (found("left", State("denied", "", certificate=False), KEY), "denied, and not left"),
        (found("left", State("pending", "", certificate=True), KEY), "left, and it has a certificate"),
        (found("left", PENDING, None), "not named"),
        (found("left", PENDING, Told()), "said to be approved"),
        (found("left", PENDING, Told("it is old")), "named for another reason: it is old"),
        (found("left", None, None), "gone, and not left"),
        (found("left", None, None, "403: no"), "refused, and not left: 403: no"),
        (found("refused", None, None, "500: oops"), "refused in other words: 500: oops"),
        (found("refused", PENDING, KEY), "left, and not refused"),
        (found("approved", PENDING, KEY), "left, and not approved"),
        (found("approved", THEIRS, Told()), "by_kubernetes, and not approved"),
        (found("approved", State("approved", REASON, certificate=False), Told()), "approved, and not signed"),
        (found("approved", OURS, None), "not named"),
        (found("approved", OURS, KEY), "said to be left: its key"),
        (found("would", OURS, Told()), "approved, and not left"),
        (found("would", PENDING, KEY), "said to be left"),
        (found("kubernetes", PENDING, None), "left, and not by_kubernetes"),
    ],
)
def test_whatever_is_wrong_is_seen(one: Found, words: str) -> None:
    assert mistake(one, one.ask.words).startswith(words)


def test_what_is_wrong_with_many_is_said_once() -> None:
    assert mistakes([found("left", OURS, Told())] * 50, {}) == ["approved, and not left (50 times)"]


def test_what_the_playbook_says_is_understood() -> None:
    """The lines of the product's own functions."""
    good, bad = request(signing_request("csr-good", signer=SERVING)), request(signing_request("csr-bad"))
    lines = words_of("pi-05", Review((Verdict(good, ()),), (Verdict(bad, ("its key is odd", "it is old")),)))
    other = "csr-eve (example.com/any) left: eve asks, and it is about no host of this play"
    text = "\n".join(["TASK [Approve] ***", *lines, other, "changed: [pi-05]"])
    assert told(text) == {
        "csr-good": Told(),
        "csr-bad": Told("its key is odd; it is old"),
        "csr-eve": Told("eve asks, and it is about no host of this play"),
    }


def test_an_object_of_the_api() -> None:
    conditions = [{"type": "Approved", "reason": REASON}]
    assert State.of({"status": {"conditions": conditions, "certificate": "eA=="}}) == OURS
    assert State.of({"status": {}}) == PENDING
    assert State.of({"status": {"conditions": [*conditions, {"type": "Denied", "reason": "x"}]}}).answer == "denied"


def test_what_is_sent_is_what_the_sender_writes() -> None:
    ask = next(case for case in CASES if case.id == "a ServiceAccount that says it is the node").asks[0]
    item = body("x", ask, "text")
    assert (item["spec"]["username"], item["spec"]["signerName"]) == ("system:node:pi-05", SERVING)


def test_the_playbook_has_the_rights_that_we_ship() -> None:
    checked = next(case for case in CASES if case.check)
    words = command(checked, "pi-05", "/nowhere")
    assert (words[1], words[-1]) == ("certificates-approve.yml", "--check")
    assert {"-l", "pi-05"} <= set(words)
    assert "certificates.kubeconfig" in " ".join(words)


def test_an_answer_in_one_line() -> None:
    assert Answer(201, "").refusal == ""
    assert Answer(422, "spec.request:\n  no").refusal == "422: spec.request: no"


def test_what_proves_somebody_is_never_shown() -> None:
    assert "s3cret" not in repr(Client(Path("ca.crt"), token="s3cret"))


def test_a_stolen_certificate_is_one_of_the_clusters_ca(tmp_path: Path) -> None:
    own, now = forge.key(), datetime.datetime.now(datetime.UTC)
    name = x509.Name([x509.NameAttribute(forge.PARTS["CN"], "kubernetes")])
    builder = x509.CertificateBuilder(name, name, own.public_key(), x509.random_serial_number())
    dated = builder.not_valid_before(now).not_valid_after(now + datetime.timedelta(days=1))
    authority = dated.sign(own, hashes.SHA256())
    form, plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    (tmp_path / "ca.crt").write_bytes(authority.public_bytes(serialization.Encoding.PEM))
    (tmp_path / "ca.key").write_bytes(own.private_bytes(serialization.Encoding.PEM, form, plain))
    path = tmp_path / "neighbour.pem"
    path.write_text(minted(tmp_path, "system:node:pi-04", "system:nodes"))
    ssl.create_default_context().load_cert_chain(path)  # the key is the certificate's
    certificate = x509.load_pem_x509_certificate(path.read_bytes())
    certificate.verify_directly_issued_by(authority)
    assert certificate.subject.rfc4514_string() == "CN=system:node:pi-04,O=system:nodes"


def test_a_bootstrap_token_of_one_group() -> None:
    item: dict[str, t.Any] = bootstrap("abc123", "0123456789abcdef", "system:bootstrappers:x")
    assert (item["metadata"]["name"], item["metadata"]["namespace"]) == ("bootstrap-token-abc123", "kube-system")
    assert item["stringData"]["auth-extra-groups"] == "system:bootstrappers:x"
