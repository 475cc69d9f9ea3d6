# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which certificate fails first; nothing is said about dates by a clock that is wrong."""

from __future__ import annotations

import typing as t
from datetime import timedelta

import pytest

from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.certificates import (
    Item,
    described,
    inspected,
    table,
)
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.evidence import amended, unknown
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.node import Certificate, NodeEvidence
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.signing import CLIENT, SERVING
from tests.unit.helpers import NOW, certificate, file, healthy_node
from tests.unit.helpers_cluster import healthy_cluster, request

LEAST = timedelta(days=14)
PEM = "/var/lib/kubelet/pki/kubelet-client-current.pem"
READ: t.Final = {"usages": ("clientAuth",), "fingerprint": "aa"}


def made(path: str = PEM, **changes: t.Any) -> Certificate:
    """One that was read whole."""
    return amended(certificate(path), **{**READ, **changes})


def node(**changes: t.Any) -> NodeEvidence:
    """Healthy, with everything about certificates known, but for *changes*."""
    known = {
        "certificates__client": made(),
        "certificates__serving": made("/var/lib/kubelet/pki/kubelet-server-current.pem"),
        "certificates__ca": made("/etc/kubernetes/kubelet.conf"),
        "certificates__client_ca": made("/etc/kubernetes/pki/ca.crt"),
    }
    return healthy_node(**{**known, **changes})


def items(**changes: t.Any) -> dict[str, Item]:
    return {item.what: item for item in inspected(node(**changes), healthy_cluster(), LEAST)}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            {"certificates__client": made(not_before=NOW - timedelta(days=300), not_after=NOW + timedelta(days=65))},
            "is due",
        ),
        (
            {"certificates__client": made(not_before=NOW - timedelta(days=340), not_after=NOW + timedelta(days=25))},
            "overdue",
        ),
        ({"kubelet__config__rotate_certificates": False}, "nobody rotates it (rotateCertificates is off)"),
    ],
)
def test_how_rotation_stands_is_told(changes: dict[str, t.Any], words: str) -> None:
    client = items(**changes)["client"]
    assert client.why.endswith(words)
    assert client.state == ("soon" if words == "overdue" else "ok")


def test_a_serving_certificate_of_another_ca() -> None:
    changes = {"certificates__serving": made("/var/lib/kubelet/pki/kubelet-server-current.pem", signed_by_ca=False)}
    assert items(**changes)["serving"].state == "failed"
    assert items(**changes, profile__name="k3s")["serving"].state == "ok"


def test_a_healthy_node() -> None:
    found = items()
    assert {item.state for item in found.values()} == {"ok"}
    assert sorted(found) == ["client", "client-ca", "cluster-ca", "kubeconfig", "serving"]
    assert found["client"].why == "265 days left"
    assert found["client"].subject == "O=system:nodes, CN=system:node:pi-04"


@pytest.mark.parametrize(
    ("changes", "what", "state", "words"),
    [
        ({"certificates__client": made(not_after=NOW - timedelta(hours=1))}, "client", "failed", "it has expired"),
        (
            {"certificates__client": made(not_before=NOW + timedelta(hours=1))},
            "client",
            "failed",
            "it is not valid before",
        ),
        ({"certificates__client": made(not_after=NOW + timedelta(days=13))}, "client", "soon", "13 days left"),
        (
            {"certificates__client": made(not_before=NOW - timedelta(days=336), not_after=NOW + timedelta(days=29))},
            "client",
            "soon",
            "its rotation is overdue",
        ),
        ({"certificates__client": made(key_matches=False)}, "client", "failed", "its key is another certificate's"),
        ({"certificates__client": made(signed_by_ca=False)}, "client", "failed", "has not signed it"),
        (
            {"certificates__client": made(common_name="kubernetes-admin")},
            "client",
            "failed",
            "it is of kubernetes-admin",
        ),
        ({"certificates__client": made(usages=("serverAuth",))}, "client", "failed", "it is not for clients"),
        ({"network__api__status": 401}, "client", "failed", "answers it with 401"),
        (
            {"certificates__client": None, "certificates__client_file": file(PEM, exists=False)},
            "client",
            "failed",
            "it does not exist",
        ),
        (
            {"certificates__client": None, "certificates__client_problem": "empty"},
            "client",
            "failed",
            "no certificate: empty",
        ),
        ({"certificates__serving": None}, "serving", "failed", "serverTLSBootstrap is on"),
        ({"certificates__serving": made(key_matches=False)}, "serving", "failed", "its key is"),
        (
            {"network__api__outcome": "tls", "network__api__detail": "unknown authority"},
            "cluster-ca",
            "failed",
            "unknown authority",
        ),
        ({"certificates__ca": None}, "cluster-ca", "failed", "trusts no CA"),
        (
            {"certificates__client_ca": made(fingerprint="bb")},
            "client-ca",
            "failed",
            "another CA than the kubeconfig's",
        ),
        ({"certificates__client_ca": None}, "client-ca", "failed", "does not exist"),
        ({"certificates__kubeconfig__problem": "empty"}, "kubeconfig", "failed", "it cannot be used: empty"),
        ({"certificates__client": unknown("Permission denied")}, "client", "unknown", "cannot tell: Permission denied"),
    ],
)
def test_what_is_wrong_with_one(changes: dict[str, t.Any], what: str, state: str, words: str) -> None:
    found = items(**changes)
    assert (found[what].state, words in found[what].why) == (state, True), found[what]
    assert {item.state for name, item in found.items() if name != what} == {"ok"}


@pytest.mark.parametrize(
    "clock", [{"network__api__offset": 3600.0}, {"network__api__offset": None, "clock__synchronized": False}]
)
def test_a_clock_that_is_not_to_be_trusted_judges_no_date(clock: dict[str, t.Any]) -> None:
    expired = made(not_after=NOW - timedelta(days=1))
    found = items(certificates__client=expired, **clock)
    dated = {name: item for name, item in found.items() if name != "kubeconfig"}
    assert {item.state for item in dated.values()} == {"unknown"}
    assert all("clock is not to be trusted" in item.why for item in dated.values())


def test_what_is_no_date_is_judged_by_any_clock() -> None:
    assert items(certificates__client=made(key_matches=False), network__api__offset=3600.0)["client"].state == "failed"


def test_requests_that_wait_or_were_denied() -> None:
    asked = (
        request(CLIENT.partition("/")[2], "issued", ago=900, name="csr-0"),
        request(CLIENT.partition("/")[2], "denied", ago=600, name="csr-1"),
        request(SERVING.partition("/")[2], "pending", ago=600, name="csr-2"),
    )
    cluster = healthy_cluster(node__signing_requests=asked)
    found = [item for item in inspected(node(), cluster, LEAST) if item.what == "request"]
    assert [(item.path, item.state) for item in found] == [("csr-1", "failed"), ("csr-2", "soon")]


def test_the_fleet_with_what_fails_first_on_top() -> None:
    rows = [
        {"host": host, **row}
        for host, days in (("pi-05", 300), ("pi-04", 3), ("pi-06", -1))
        for row in described(
            inspected(node(certificates__client=made(not_after=NOW + timedelta(days=days))), healthy_cluster(), LEAST)
        )
        if row["what"] == "client"
    ]
    lines = [line.split()[:3] for line in table(rows)]
    assert lines == [
        ["host", "what", "state"],
        ["pi-06", "client", "failed"],
        ["pi-04", "client", "soon"],
        ["pi-05", "client", "ok"],
    ]
