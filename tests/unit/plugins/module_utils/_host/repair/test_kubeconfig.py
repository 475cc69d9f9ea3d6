# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The kubelet's kubeconfig: only an address that serves this node is written, and only with what the node itself holds."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest

from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.evidence import unknown
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.node import ApiPath, File
from ansible_collections.outward.kubelet.plugins.module_utils._parse.kubeconfig import access
from tests.unit.helpers import healthy_node
from tests.unit.helpers_repair import Fake, Patient, repair, request
from tests.unit.plugins.module_utils._host.probes.pki import NOW, Authority, Issued
from tests.unit.plugins.module_utils._host.probes.place import kubeconfig

CA, OTHER = Authority(), Authority()
NAME, GROUPS = "system:node:pi-04", ("system:nodes",)
CURRENT, CA_FILE = "/var/lib/kubelet/pki/kubelet-client-current.pem", "/etc/kubernetes/pki/ca.crt"
PATH = "/etc/kubernetes/kubelet.conf"
OLD, NEW = "https://10.77.0.250:6443", "https://10.77.0.1:6443"
BEFORE = kubeconfig(OLD, CA.certificate, CURRENT)
MOVED: dict[str, t.Any] = {
    "network__api__server": OLD,
    "network__api__outcome": "unreachable",
    "network__api__detail": "10.77.0.250:6443: No route to host",
}
GONE: dict[str, t.Any] = {
    "certificates__kubeconfig__file": File(PATH, False, 0, None, None),
    "certificates__bootstrap_kubeconfig": File("/etc/kubernetes/bootstrap-kubelet.conf", False, 0, None, None),
    "certificates__client_file__path": CURRENT,
    "clock__now": NOW,
    "network__api": unknown("there is no kubeconfig"),
}
GOOD = CA.issue(NAME, GROUPS)


def pem(issued: Issued) -> str:
    return f"{issued.certificate}{issued.key}"


def silent(outcome: str, detail: str) -> ApiPath:
    return ApiPath(NEW, outcome, detail, (), None, None, None)


def mended(
    tmp_path: Path, desk: Fake, broken: dict[str, t.Any], cause: str, *, works: bool = True, check: bool = False
) -> tuple[str, str]:
    """What came of it, in a word and in words."""
    first = healthy_node(**broken)
    done = repair(Patient(first, [healthy_node() if works else first]), desk, request(tmp_path, cause, check=check))
    return done.result, "; ".join(done.refusals)


@pytest.mark.parametrize("outcome", ["unreachable", "refused", "tls", "unresolvable"])
@pytest.mark.parametrize("cause", ["apiserver-endpoint-stale", "apiserver-dns-failure"])
def test_the_address_changes_and_nothing_else_of_the_file(tmp_path: Path, cause: str, outcome: str) -> None:
    desk = Fake(tmp_path, files={PATH: BEFORE}, server=f"{NEW}/")
    assert mended(tmp_path, desk, {**MOVED, "network__api__outcome": outcome}, cause) == ("done", "")
    assert desk.read(PATH) == BEFORE.replace(OLD, NEW)
    # It was tried with the CA and the certificate of the file.
    (asked,) = desk.reached
    assert (asked.server, asked.client_certificate) == (NEW, CURRENT)
    assert asked.ca_data == CA.certificate.encode()
    assert desk.commands == []  # the restart is a step of its own


def test_what_was_written_is_taken_back_when_it_is_not_proven(tmp_path: Path) -> None:
    desk = Fake(tmp_path, files={PATH: BEFORE}, server=NEW)
    assert mended(tmp_path, desk, MOVED, "apiserver-endpoint-stale", works=False)[0] == "failed"
    assert desk.read(PATH) == BEFORE


def test_in_check_mode_nothing_is_written(tmp_path: Path) -> None:
    desk = Fake(tmp_path, files={PATH: BEFORE}, server=NEW)
    assert mended(tmp_path, desk, MOVED, "apiserver-endpoint-stale", check=True)[0] == "permitted"
    assert desk.read(PATH) == BEFORE


TWO = BEFORE.replace("contexts:", f"- cluster:\n    server: {NEW}\n  name: d\ncontexts:")
TOLD: dict[str, t.Any] = {"server": NEW}


@pytest.mark.parametrize(
    ("text", "desk", "words"),
    [
        (BEFORE, {}, "at which address the controller reaches the API server is not known"),
        (BEFORE, {"server": "https://127.0.0.1:6443"}, "which on this node is the node itself"),
        (BEFORE, {"server": "https://localhost:6443"}, "which on this node is the node itself"),
        (BEFORE, {"server": "https://10.77.0.1:6443/path"}, "which is no plain https address"),
        (BEFORE, {"server": "https://10.77.0.1:6443\n    insecure-skip-tls-verify: true"}, "no plain https address"),
        (BEFORE, {"server": "http://10.77.0.1:8080"}, "which is no plain https address"),
        (BEFORE, {**TOLD, "answer": silent("tls", "unknown CA")}, "does not serve this node: unknown CA"),
        (BEFORE, {**TOLD, "answer": silent("http", "HTTP 401")}, "does not serve this node: HTTP 401"),
        (TWO, TOLD, "has 2 lines that name a server"),
        ("a: 1\n", TOLD, "has 0 lines that name a server"),
        (BEFORE.replace(OLD, NEW), TOLD, "has no line that could be changed"),
    ],
)
def test_an_address_that_is_not_sure_is_not_written(
    tmp_path: Path, text: str, desk: dict[str, t.Any], words: str
) -> None:
    node = Fake(tmp_path, files={PATH: text}, **desk)
    result, why = mended(tmp_path, node, MOVED, "apiserver-endpoint-stale")
    assert (result, words in why, node.read(PATH)) == ("refused", True, text)


NAMED = BEFORE.replace(OLD, "https://api.example.org:6443")
UNRESOLVED: dict[str, t.Any] = {**MOVED, "network__api__outcome": "unresolvable"}


@pytest.mark.parametrize(
    ("by_name", "result", "words"),
    [
        (silent("tls", "Hostname mismatch"), "done", ""),
        (healthy_node().network.api, "refused", "the API server's certificate is for api.example.org too"),
        (
            silent("timeout", "no answer"),
            "refused",
            "whether api.example.org is a name of this cluster's cannot be told",
        ),
    ],
)
def test_a_name_of_the_cluster_is_not_replaced_by_one_address(
    tmp_path: Path, by_name: ApiPath, result: str, words: str
) -> None:
    desk = Fake(tmp_path, files={PATH: NAMED}, server=NEW, answer_by_name=by_name)
    said, why = mended(tmp_path, desk, UNRESOLVED, "apiserver-dns-failure")
    assert (said, words in why) == (result, True)
    assert (desk.read(PATH) == NAMED) == (result == "refused")


@pytest.mark.parametrize("outcome", ["ok", "timeout", "http"])
def test_a_server_that_is_there_or_only_silent_keeps_its_address(tmp_path: Path, outcome: str) -> None:
    desk = Fake(tmp_path, files={PATH: BEFORE}, server=NEW)
    result, why = mended(tmp_path, desk, {**MOVED, "network__api__outcome": outcome}, "apiserver-endpoint-stale")
    assert (result, "is not there any more" in why) == ("refused", True)


def files(client: str = pem(GOOD)) -> dict[str, str]:
    return {CA_FILE: CA.certificate, CURRENT: client}


def test_a_kubeconfig_that_is_gone_is_made_of_what_the_node_holds(tmp_path: Path) -> None:
    desk = Fake(tmp_path, files=files(), server=NEW)
    assert mended(tmp_path, desk, GONE, "kubelet-kubeconfig-missing") == ("done", "")
    made = access(desk.read(PATH) or "")
    assert (made.server, made.client_certificate, made.client_key) == (NEW, CURRENT, CURRENT)
    assert (made.ca_data or b"").split() == CA.certificate.encode().split()
    assert "PRIVATE KEY" not in (desk.read(PATH) or "")
    assert Path(desk.path(PATH)).stat().st_mode & 0o777 == 0o600
    assert desk.reached[0].client_certificate == CURRENT


@pytest.mark.parametrize("empty", [True, False])
def test_it_goes_again_when_it_is_not_proven(tmp_path: Path, empty: bool) -> None:
    there = {PATH: ""} if empty else {}
    broken = {**GONE, "certificates__kubeconfig__file": File(PATH, empty, 0, None, None)}
    desk = Fake(tmp_path, files={**files(), **there}, server=NEW)
    assert mended(tmp_path, desk, broken, "kubelet-kubeconfig-missing", works=False)[0] == "failed"
    assert desk.read(PATH) == ("" if empty else None)


@pytest.mark.parametrize(
    ("node", "desk", "words"),
    [
        ({"clock__synchronized": False}, {"files": files()}, "the clock is not synchronised"),
        ({}, {"files": {CURRENT: pem(GOOD)}}, "the cluster's CA has to come from another node"),
        ({}, {"files": {CA_FILE: CA.certificate}}, "is no certificate for system:node:pi-04"),
        ({}, {"files": files(pem(OTHER.issue(NAME, GROUPS)))}, "is no certificate for system:node:pi-04"),
        ({}, {"files": files(pem(CA.issue("system:node:x", GROUPS)))}, "is no certificate for system:node:pi-04"),
        ({}, {"files": files(pem(CA.issue(NAME, GROUPS, days=(-9, -2))))}, "is no certificate for system:node:pi-04"),
        ({}, {"files": files(), "answer": silent("tls", "unknown CA")}, "does not serve this node: unknown CA"),
    ],
)
def test_a_kubeconfig_is_not_made_of_what_does_not_fit(
    tmp_path: Path, node: dict[str, t.Any], desk: dict[str, t.Any], words: str
) -> None:
    there = Fake(tmp_path, server=NEW, **desk)
    result, why = mended(tmp_path, there, {**GONE, **node}, "kubelet-kubeconfig-missing")
    assert (result, words in why, there.read(PATH)) == ("refused", True, None)
