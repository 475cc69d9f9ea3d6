# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which certificates of a node are due, and when they are not rotated all the same."""

from __future__ import annotations

import typing as t
from datetime import timedelta

import pytest

from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.conclude import Look
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.evidence import amended, unknown
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.guards import Policy
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.incident import close
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.rotation import Kind, opened
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.words import verdict
from tests.unit.helpers import NOW, certificate, healthy_node
from tests.unit.helpers_cluster import fleet, healthy_cluster
from tests.unit.helpers_host import STOPPED

PEM = "/var/lib/kubelet/pki/kubelet-client-current.pem"
SERVED = certificate("/var/lib/kubelet/pki/kubelet-server-current.pem")
LEAST = timedelta(days=14)
SOON = {"not_after": NOW + timedelta(days=3)}
CLIENT: t.Final[dict[str, t.Any]] = {"certificates__client": amended(certificate(PEM), **SOON)}
SERVING: t.Final[dict[str, t.Any]] = {"certificates__serving": amended(SERVED, **SOON)}
OFF: t.Final[dict[str, t.Any]] = {"kubelet__config__server_tls_bootstrap": False}
JSON = dict[str, t.Any]
ALONE = Policy()


def judged(
    kinds: tuple[Kind, ...] = ("client", "serving"),
    policy: Policy = ALONE,
    *,
    api: JSON | None = None,
    **changes: t.Any,
) -> JSON:
    node = healthy_node(**{"certificates__serving": SERVED, **changes})
    look = Look("pi-04", "rotate", NOW, node, healthy_cluster(**(api or {})), "pi-04")
    return t.cast(JSON, opened(look, kinds, LEAST, policy))


def steps(found: JSON) -> dict[str, tuple[bool, str]]:
    return {step["step"]: (step["permitted"], step["why"]) for step in found["incident"]["plan"]}


def test_nothing_is_due() -> None:
    found = judged()
    assert (found["permitted"], steps(found), found["incident"]["outcome"]) == ({}, {}, "healthy")
    assert verdict(close(found["incident"], [], None, None, NOW))[0] == "pi-04: no certificate is due"


@pytest.mark.parametrize(
    ("changes", "step", "why"),
    [
        (CLIENT, "renew-client-certificate", "its client certificate is good until 2026-11-26"),
        (SERVING, "renew-serving-certificate", "its serving certificate is good until 2026-11-26"),
        (OFF, "renew-serving-certificate", "serverTLSBootstrap is off"),
        ({"certificates__serving": None}, "renew-serving-certificate", "no serving certificate of the cluster"),
        (
            {"certificates__serving": certificate("/x/kubelet.crt")},
            "renew-serving-certificate",
            "no serving certificate",
        ),
    ],
)
def test_what_is_due_is_permitted(changes: JSON, step: str, why: str) -> None:
    found = judged(**changes)
    assert list(found["permitted"]) == [step]
    assert why in steps(found)[step][1]


def test_only_what_is_asked_for() -> None:
    assert judged(("client",), **SERVING)["permitted"] == {}
    assert len(judged(**CLIENT, **SERVING)["permitted"]) == 2


@pytest.mark.parametrize(
    ("policy", "api", "changes", "why"),
    [
        (Policy(), {}, STOPPED, "the node is not healthy"),
        (Policy(), {"node__control_plane": True}, {}, "kubeadm certs renew"),
        (Policy(hands_off="Anna"), {}, {}, "hands off, says outward_hands_off: Anna"),
        (Policy(), {"fleet": fleet(ready=("pi-04",), silent=("pi-05",))}, {}, "outward_max_unavailable is 1"),
        (
            Policy(),
            {},
            {"certificates__client": unknown("permission denied")},
            "cannot tell whether the certificate is due",
        ),
    ],
)
def test_the_guards_are_asked(policy: Policy, api: JSON, changes: JSON, why: str) -> None:
    found = judged(("client",), policy, api=api, **{**CLIENT, **changes})
    permitted, words = steps(found)["renew-client-certificate"]
    assert (permitted, found["permitted"], found["incident"]["outcome"]) == (False, {}, "refused")
    assert why in words


def test_by_a_clock_that_is_wrong_nothing_is_due() -> None:
    assert judged(("client",), **CLIENT, network__api__offset=9e5)["permitted"] == {}


def test_the_ledger_knows_certificates_apart() -> None:
    assert judged(**CLIENT)["fingerprint"] != judged()["fingerprint"]
    assert judged(**CLIENT)["fingerprint"] == judged(**CLIENT)["fingerprint"]
