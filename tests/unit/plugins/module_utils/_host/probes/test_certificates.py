# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Certificates, keys and kubeconfigs in every state that a node can leave them in."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.evidence import Undecided, to_json
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.node import Certificate, Certificates, Profile
from ansible_collections.outward.kubelet.plugins.module_utils._host.probes import certificates
from ansible_collections.outward.kubelet.tests.unit.plugins.module_utils._host.probes.pki import NOW, Authority, Issued
from ansible_collections.outward.kubelet.tests.unit.plugins.module_utils._host.probes.place import (
    CONFIG,
    below,
    kubeconfig,
    write,
)

CA, OTHER, ELLIPTIC = Authority(), Authority(), Authority(elliptic=True)
NODE = ("system:node:pi-04", ("system:nodes",))
SERVER = "https://10.77.0.1:6443"


def joined(root: Path, issued: Issued | None, ca: Authority = CA) -> Profile:
    """A node after `kubeadm join`: the link kubelet-client-current.pem and the kubeconfig that names it."""
    place = below(root)
    link = Path(place.pki_dir) / "kubelet-client-current.pem"
    link.parent.mkdir(parents=True)
    link.symlink_to(link.parent / "kubelet-client-2026.pem")
    if issued:
        issued.write(link.parent / "kubelet-client-2026.pem")
    write(place.kubeconfig, kubeconfig(SERVER, ca.certificate, str(link)))
    write(place.config, CONFIG + f"authentication:\n  x509:\n    clientCAFile: {root}/ca.crt\n")
    return place


def client(found: Certificates) -> Certificate:
    """It is there."""
    assert found.client is not None
    return found.client


def test_a_joined_node(tmp_path: Path) -> None:
    found = certificates.ask(joined(tmp_path, CA.issue(*NODE)))
    assert (found.kubeconfig.problem, found.kubeconfig.server) == (None, SERVER)
    assert (client(found).common_name, client(found).organizations) == NODE
    assert (client(found).key_matches, client(found).signed_by_ca, found.client_problem) == (True, True, None)
    assert client(found).not_before < NOW < client(found).not_after
    assert found.client_file.link_target is not None
    assert found.ca is not None
    assert (found.ca.common_name, found.bootstrap_kubeconfig.exists, found.serving) == ("kubernetes", False, None)
    assert found.client_ca_file is not None
    assert (found.client_ca_file.path, found.client_ca_file.exists) == (f"{tmp_path}/ca.crt", False)


def test_no_key_leaves_the_node(tmp_path: Path) -> None:
    text = str(to_json(certificates.ask(joined(tmp_path, CA.issue(*NODE)))))
    assert "PRIVATE" not in text
    assert "BEGIN" not in text


def test_an_expired_one_is_signed_all_the_same(tmp_path: Path) -> None:
    found = client(certificates.ask(joined(tmp_path, CA.issue(*NODE, days=(-3, -2)))))
    assert (found.signed_by_ca, found.not_after < NOW) == (True, True)


@pytest.mark.parametrize(
    ("signer", "trusted", "signed"), [(OTHER, CA, False), (ELLIPTIC, ELLIPTIC, True), (OTHER, ELLIPTIC, False)]
)
def test_who_signed(tmp_path: Path, signer: Authority, trusted: Authority, signed: bool) -> None:
    assert client(certificates.ask(joined(tmp_path, signer.issue(*NODE), trusted))).signed_by_ca is signed


def test_a_key_of_another_certificate(tmp_path: Path) -> None:
    mixed = Issued(CA.issue(*NODE).certificate, CA.issue(*NODE).key)
    assert client(certificates.ask(joined(tmp_path, mixed))).key_matches is False


def test_a_missing_pem(tmp_path: Path) -> None:
    found = certificates.ask(joined(tmp_path, None))
    assert (found.client, found.client_problem, found.client_file.exists) == (None, None, False)


@pytest.mark.parametrize("text", ["", "\0" * 4096, "-----BEGIN CERTIFICATE-----\nxx"])
def test_a_corrupt_pem(tmp_path: Path, text: str) -> None:
    found = certificates.ask(joined(tmp_path, Issued(text, "")))
    assert found.client is None
    assert found.client_problem in ("empty", "no PEM certificate in it")


def test_an_embedded_certificate(tmp_path: Path) -> None:
    place = joined(tmp_path, None)
    issued = CA.issue(*NODE)
    text = kubeconfig(SERVER, CA.certificate, "PEM").replace("certificate: PEM", f"certificate-data: {encoded(issued)}")
    write(place.kubeconfig, text)
    found = certificates.ask(place)
    assert (client(found).common_name, client(found).path) == (NODE[0], place.kubeconfig)
    assert found.client_file.path == place.kubeconfig


def encoded(issued: Issued) -> str:
    """As in a kubeconfig."""
    return base64.b64encode(issued.certificate.encode()).decode()


def test_an_unusable_kubeconfig_and_one_that_cannot_be_judged(tmp_path: Path) -> None:
    place = joined(tmp_path, CA.issue(*NODE))
    write(place.kubeconfig, "")
    found = certificates.ask(place)
    assert (found.kubeconfig.problem, found.kubeconfig.server) == ("empty", None)
    assert client(found).common_name == NODE[0]  # where the kubelet keeps it
    write(place.kubeconfig, "a: &b c\n")
    with pytest.raises(Undecided, match="cannot be judged: line 1"):
        str(certificates.ask(place).kubeconfig.problem)


def test_nothing_at_all(tmp_path: Path) -> None:
    found = certificates.ask(below(tmp_path))
    assert (found.kubeconfig.file.exists, found.client, found.ca, found.serving) == (False, None, None, None)


def test_the_serving_certificate_and_its_key(tmp_path: Path) -> None:
    place = joined(tmp_path, None)
    issued = CA.issue("pi-04@1795450000")
    write(f"{place.pki_dir}/kubelet.crt", issued.certificate)
    write(f"{place.pki_dir}/kubelet.key", issued.key)
    found = certificates.ask(place).serving
    assert found is not None
    assert (found.common_name, found.key_matches, found.signed_by_ca) == ("pi-04@1795450000", True, None)
