# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which requests are approved: a kubelet's own, and none of those that want more. Every request here is a real one."""

from __future__ import annotations

import json
import typing as t
from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography import x509 as made
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.signing import (
    FLOOD,
    Station,
    Verdict,
    group,
    judged,
)
from ansible_collections.outward.kubelet.plugins.module_utils._kube.signing import request
from tests.csr.forge import key
from tests.unit.api_server import RECORDINGS
from tests.unit.requests_made import CLIENT, NODE, NOW, SERVING, SUBJECT, pem, signing_request

PI = Station("pi-04", frozenset({"10.77.0.14"}), frozenset({"10.77.0.14", "pi-04"}))
TOKEN = Station("pi-04", token="abc123", since=NOW - timedelta(minutes=2))
BOOTSTRAP: dict[str, t.Any] = {
    "username": "system:bootstrap:abc123",
    "groups": (
        "system:bootstrappers",
        "system:bootstrappers:outward-kubelet",
        "system:bootstrappers:outward-kubelet:pi-04",
        "system:authenticated",
    ),
}
OTHER = [("O", "system:nodes"), ("CN", "system:node:pi-05")]
MASTERS = [("O", "system:masters"), ("CN", NODE)]
BOTH = [("O", "system:nodes"), ("O", "system:masters"), ("CN", NODE)]
TWO_NAMES = [*SUBJECT, ("CN", "kubernetes-admin")]
Item = dict[str, t.Any]


def verdicts(*items: Item, station: Station = PI) -> tuple[Verdict, ...]:
    return judged([request(item) for item in items], station, NOW)


def approved(*items: Item, station: Station = PI) -> list[str]:
    """Names of those that would be approved."""
    return [verdict.request.name for verdict in verdicts(*items, station=station) if not verdict.objections]


@pytest.mark.parametrize(
    ("item", "station"),
    [
        (signing_request(), PI),
        (signing_request(usages=("digital signature", "key encipherment", "client auth")), PI),
        (signing_request(text=pem(names=["10.77.0.14", "pi-04"]), signer=SERVING), PI),
        (signing_request(text=pem(names=["::ffff:10.77.0.14"]), signer=SERVING), PI),
        (signing_request(**BOOTSTRAP), TOKEN),
    ],
)
def test_what_a_kubelet_asks_for_is_approved(item: Item, station: Station) -> None:
    assert approved(item, station=station) == ["csr-1"]


HOSTILE: t.Final = {
    "another node's name": (
        signing_request(text=pem(OTHER)),
        "it is for the name system:node:pi-05, not system:node:pi-04",
    ),
    "asked for by another node": (signing_request(username="system:node:pi-05"), "system:node:pi-05 asks"),
    "asked for by an admin": (
        signing_request(username="kubernetes-admin", groups=("system:masters", "system:authenticated")),
        "kubernetes-admin asks, not system:node:pi-04",
    ),
    "a cluster admin's group": (signing_request(text=pem(MASTERS)), "it is for the groups system:masters"),
    "a second group": (signing_request(text=pem(BOTH)), "it is for the groups system:masters, system:nodes"),
    "a second name": (signing_request(text=pem(TWO_NAMES)), "it is for the name kubernetes-admin, system:node:pi-04"),
    "no group": (signing_request(text=pem([("CN", NODE)])), "it is for the groups none"),
    "in other capitals": (
        signing_request(text=pem([("O", "system:nodes"), ("CN", "System:Node:pi-04")])),
        "for the name System",
    ),
    "one more attribute": (signing_request(text=pem([*SUBJECT, ("OU", "x")])), "it asks for the attribute"),
    "a CA": (
        signing_request(text=pem(extensions=[made.BasicConstraints(ca=True, path_length=None)])),
        "it asks for the extension 551d13",
    ),
    "a client with addresses": (signing_request(text=pem(names=["10.77.0.14"])), "a client has no other names"),
    "a client with a URI": (signing_request(text=pem(names=["URI:spiffe://c/admin"])), "it asks for the name URI"),
    "the general signer of clients": (
        signing_request(signer="kubernetes.io/kube-apiserver-client"),
        "it is for the signer kubernetes.io/kube-apiserver-client,",
    ),
    "the legacy signer": (signing_request(signer="kubernetes.io/legacy-unknown"), "it is for the signer"),
    "the usages of a server for a client": (
        signing_request(usages=("digital signature", "server auth")),
        "its usages are digital signature, server auth",
    ),
    "both usages": (signing_request(usages=("digital signature", "client auth", "server auth")), "its usages are"),
    "a usage twice": (signing_request(usages=("digital signature", "client auth", "client auth")), "its usages are"),
    "signing certificates": (
        signing_request(usages=("digital signature", "client auth", "cert sign")),
        "its usages are",
    ),
    "a group too many of who asks": (
        signing_request(groups=("system:nodes", "system:masters", "system:authenticated")),
        "whoever asks is in the groups system:authenticated, system:masters, system:nodes",
    ),
    "an RSA key": (signing_request(text=pem(owner=rsa.generate_private_key(65537, 1024))), "its key is RSA 1024"),
    "another curve": (signing_request(text=pem(owner=ec.generate_private_key(ec.SECP521R1()))), "its key is EC P-521"),
    "yesterday's": (signing_request(created="2026-11-22T15:00:00Z"), "does not wait for it any more"),
    "tomorrow's": (signing_request(created="2026-11-24T15:00:00Z"), "in the future"),
    "no request at all": (signing_request(text="garbage"), "cannot be read: not one PEM block"),
    "two requests in one": (signing_request(text=pem() + pem(MASTERS)), "cannot be read"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_a_hostile_request_is_left_and_named(case: str) -> None:
    item, words = HOSTILE[case]
    (verdict,) = verdicts(item)
    assert any(words in objection for objection in verdict.objections), verdict.objections


SERVERS: t.Final = {
    "the API server's address": (["10.77.0.14", "10.77.0.1"], "the Node does not have 10.77.0.1"),
    "the API server's name": (
        ["10.77.0.14", "kubernetes.default.svc"],
        "the Node does not have kubernetes.default.svc",
    ),
    "a wildcard": (["*.cluster.local"], "the Node does not have *.cluster.local"),
    "no address": ([], "it is for no address"),
    "an address twice": (["10.77.0.14", "::ffff:10.77.0.14"], "an address is in it twice"),
    "a URI": (["10.77.0.14", "URI:https://10.77.0.14"], "it asks for the name URI"),
    "an email address": (["10.77.0.14", "email:root@pi-04"], "it asks for the name email"),
}


@pytest.mark.parametrize("case", SERVERS)
def test_a_hostile_request_of_a_server_is_left_and_named(case: str) -> None:
    names, words = SERVERS[case]
    (verdict,) = verdicts(signing_request(text=pem(names=names), signer=SERVING))
    assert any(words in objection for objection in verdict.objections), verdict.objections


def test_an_address_that_the_kubelet_alone_claims_is_not_enough() -> None:
    """Whoever owns a node writes its Node's addresses: the API server's among them."""
    owned = Station("pi-04", PI.addresses, PI.reported | {"10.77.0.1"})
    (verdict,) = verdicts(signing_request(text=pem(names=["10.77.0.1"]), signer=SERVING), station=owned)
    assert verdict.objections == ("the inventory does not give it 10.77.0.1 (outward_node_addresses)",)


BOOTSTRAPPING: t.Final[dict[str, tuple[dict[str, t.Any], str]]] = {
    "another token": ({**BOOTSTRAP, "username": "system:bootstrap:zzz999"}, "system:bootstrap:zzz999 asks"),
    "the group of another node": (
        {**BOOTSTRAP, "groups": (*BOOTSTRAP["groups"][:2], group("pi-05"), "system:authenticated")},
        "in the groups",
    ),
    "the group of kubeadm": (
        {**BOOTSTRAP, "groups": (*BOOTSTRAP["groups"], "system:bootstrappers:kubeadm:default-node-token")},
        "in the groups",
    ),
    "from before the token": ({**BOOTSTRAP, "created": "2026-11-23T14:57:00Z"}, "from before its token was made"),
    "another signer": ({**BOOTSTRAP, "signer": SERVING}, "which is none that this node asks"),
    "the certificate of before": ({}, "system:node:pi-04 asks, not system:bootstrap:abc123"),
}


@pytest.mark.parametrize("case", BOOTSTRAPPING)
def test_with_a_token_nothing_else_is_approved(case: str) -> None:
    changes, words = BOOTSTRAPPING[case]
    (verdict,) = verdicts(signing_request(**changes), station=TOKEN)
    assert any(words in objection for objection in verdict.objections), verdict.objections


def test_with_a_token_for_another_name_nothing_is_approved() -> None:
    assert approved(signing_request(text=pem(OTHER), **BOOTSTRAP), station=TOKEN) == []


@pytest.mark.parametrize("status", [{"certificate": "TUlJ"}, {"conditions": [{"type": "Denied"}]}, {}])
def test_a_key_that_was_shown_before_is_a_replay(status: Item) -> None:
    text = pem(owner=key())
    before = signing_request("csr-0", text, created="2026-11-23T14:50:00Z", status=status, username="system:node:pi-05")
    found = verdicts(before, signing_request("csr-1", text))
    assert "another request has the same key" in found[-1].objections


@pytest.mark.parametrize("signer", [CLIENT, "example.com/any"])
def test_a_copy_that_somebody_else_makes_does_not_keep_the_node_from_its_certificate(signer: str) -> None:
    """Every node can read all requests, and send them to a signer of nobody's."""
    text = pem(owner=key())
    own = signing_request("csr-1", text)
    for created in ("2026-11-23T14:59:00Z", "2026-11-23T14:59:01Z"):  # the API has no fractions
        theirs = signing_request("csr-0", text, created=created, username="system:node:pi-05", signer=signer)
        assert approved(own, theirs) == ["csr-1"]
    earlier = signing_request("csr-0", text, created="2026-11-23T14:58:59Z", username="system:node:pi-05")
    assert approved(own, earlier) == []


def test_a_node_that_shows_a_key_twice_at_once_has_none_approved() -> None:
    text = pem(owner=key())
    assert approved(signing_request("csr-1", text), signing_request("csr-2", text)) == []


@pytest.mark.parametrize("state", [{"conditions": [{"type": "Approved"}]}, {"certificate": "TUlJ"}])
def test_what_is_older_than_what_was_approved_is_left(state: Item) -> None:
    """Or of several that wait, one more would be approved at every look."""
    old = signing_request("csr-0", created="2026-11-23T14:58:00Z")
    (verdict,) = verdicts(old, signing_request("csr-1", status=state))
    assert verdict.objections == ("the newer csr-1 asks for the same, and was approved",)
    other = signing_request("csr-1", pem(names=["10.77.0.14"]), signer=SERVING, status=state)
    theirs = signing_request("csr-2", username="system:node:pi-05", status=state)
    before = signing_request("csr-3", created="2026-11-23T14:57:00Z", status=state)
    assert approved(old, other, theirs, before) == ["csr-0"]


def test_a_lifetime_that_a_kubelet_never_asks_for() -> None:
    item = signing_request()
    item["spec"]["expirationSeconds"] = 2**31 - 1
    (verdict,) = verdicts(item)
    assert verdict.objections == ("it asks to be good for 2147483647 s, and a kubelet leaves that to the signer",)


def test_of_several_the_newest_is_approved_alone() -> None:
    found = verdicts(
        signing_request("csr-2", created="2026-11-23T14:58:00Z"),
        signing_request("csr-1", created="2026-11-23T14:57:00Z"),
    )
    assert [(v.request.name, v.objections) for v in found] == [
        ("csr-1", ("the newer csr-2 asks for the same",)),
        ("csr-2", ()),
    ]


def test_one_of_each_signer() -> None:
    serving = signing_request("csr-s", pem(names=["10.77.0.14"]), signer=SERVING)
    assert sorted(approved(signing_request("csr-c"), serving)) == ["csr-c", "csr-s"]


def test_a_hostile_newer_one_does_not_hold_up_the_good_one() -> None:
    assert approved(
        signing_request("csr-1"), signing_request("csr-2", pem(MASTERS), created="2026-11-23T14:59:30Z")
    ) == ["csr-1"]


def test_a_flood_is_answered_by_nobody() -> None:
    flood = [signing_request(f"csr-{number}") for number in range(FLOOD + 1)]
    assert approved(*flood[:-1]) == [f"csr-{FLOOD - 1}"]
    found = verdicts(*flood)
    assert len(found) == FLOOD + 1
    assert {v.objections for v in found} == {
        (f"{FLOOD + 1} such requests wait, more than a kubelet makes: a person has to look",)
    }


@pytest.mark.parametrize("state", ["Approved", "Denied", "Failed"])
def test_what_was_answered_is_not_touched(state: str) -> None:
    assert verdicts(signing_request(status={"conditions": [{"type": state}]})) == ()


def test_what_has_nothing_to_do_with_the_node_is_not_named() -> None:
    assert verdicts(signing_request(text=pem(OTHER), username="system:node:pi-05")) == ()


def test_groups_of_two_nodes_are_never_the_same() -> None:
    """A group may have no dots (BootstrapGroupPattern), and no node has a colon in its name."""
    assert group("pi-04.home") == "system:bootstrappers:outward-kubelet:pi-04:home"
    assert len({group(name) for name in ("pi-04.home", "pi-04-home", "pi-04", "pi.04.home")}) == 4


def test_the_signers_are_those_of_kubernetes() -> None:
    assert (CLIENT, SERVING) == ("kubernetes.io/kube-apiserver-client-kubelet", "kubernetes.io/kubelet-serving")


RECORDED = json.loads((RECORDINGS / "v1.37.2" / "healthy" / "csrs.json").read_text())


@pytest.mark.parametrize("item", RECORDED, ids=lambda item: item["metadata"]["name"])
def test_what_real_kubelets_have_asked_for_is_approved(item: Item) -> None:
    """Recorded from kubelet v1.37.2: as if it were pending, and, of a join, made with a token of ours."""
    joined = item["spec"]["username"].startswith("system:bootstrap:")
    spec = {**item["spec"], **(BOOTSTRAP if joined else {})}
    asked = request({**item, "spec": spec, "status": {}})
    assert asked.asked is not None
    node = asked.asked.common_names[0].removeprefix("system:node:")
    address = {"pi-04": "10.77.0.14", "pi-05": "10.77.0.15"}[node]
    if joined:
        groups = tuple(name.replace("pi-04", node) for name in asked.groups)
        (verdict,) = judged([replace(asked, groups=groups)], Station(node, token="abc123"), asked.created)
    else:
        known = frozenset({address})
        (verdict,) = judged([asked], Station(node, known, known), asked.created)
    assert verdict.objections == ()
