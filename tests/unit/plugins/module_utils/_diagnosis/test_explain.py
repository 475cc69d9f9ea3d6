# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A rule that is asked why says what it looked at, what it saw, and why its cause holds or not."""

from __future__ import annotations

import re
import typing as t

import pytest

from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.conclude import Look, conclude
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.diagnose import diagnose
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.evidence import unknown
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.explain import (
    MOST,
    UnknownCause,
    chosen,
    explanations,
)
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.guards import Policy
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.node import Journal, LogLine
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.registry import CAUSES
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.trace import Trace, shown
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.words import verdict
from tests.unit.helpers import NOW, healthy_node
from tests.unit.helpers_cluster import container, healthy_cluster, pod
from tests.unit.plugins.module_utils._diagnosis.test_diagnose import BAD_TOML, NO_SOCKET, NO_SWAP, SILENT, journal

Changes = dict[str, t.Any]


def asked(cause: str, changes: Changes, api: Changes | None = None) -> dict[str, t.Any]:
    node, cluster = healthy_node(**changes), healthy_cluster(**(api or {}))
    (found,) = explanations(chosen([cause]), node, cluster, diagnose(node, cluster))
    return t.cast("dict[str, t.Any]", found)


def saw(explanation: dict[str, t.Any]) -> dict[str, t.Any]:
    return {look["field"]: look["value"] for look in explanation["saw"]}


def test_a_cause_that_holds_shows_its_lines_and_what_they_come_from() -> None:
    found = asked("containerd-down", NO_SOCKET)
    assert found["answer"] == "holds"
    assert found["evidence"][0] == "containerd.service is inactive (dead), last result success"
    assert saw(found)["node.runtime.unit.active_state"] == "inactive"
    assert saw(found)["node.runtime.cri.outcome"] == "refused"


def test_a_cause_that_does_not_hold_names_the_look_that_ended_it() -> None:
    found = asked("containerd-down", {})
    assert found["answer"] == "does-not-hold"
    assert found["because"].endswith('what it looked at last: node.runtime.unit.sub_state ("running")')
    assert saw(found) == {"node.runtime.unit.active_state": "active", "node.runtime.unit.sub_state": "running"}


def test_a_cause_that_cannot_be_decided_names_the_gap_and_its_reason() -> None:
    found = asked("containerd-down", {**NO_SOCKET, "runtime__cri": unknown("cri: no answer within 5 s")})
    assert found["answer"] == "undecided"
    assert found["because"] == "node.runtime.cri is unknown: cri: no answer within 5 s"
    assert saw(found)["node.runtime.cri"] == {"unknown": "cri: no answer within 5 s"}


def test_a_cause_that_follows_from_another_says_from_which() -> None:
    found = asked("containerd-down", {**NO_SOCKET, "runtime__journal": journal(BAD_TOML)})
    assert (found["answer"], "follows from containerd-config-invalid" in found["because"]) == ("explained", True)


def test_a_latent_cause_says_why_it_is_latent() -> None:
    assert "no effect yet" in asked("kubelet-swap-on", NO_SWAP)["because"]
    found = asked("kubelet-swap-on", NO_SWAP, {"node": unknown("the API server does not answer")})
    assert found["answer"] == "latent"
    assert "cluster.node is unknown: the API server does not answer" in found["because"]


def test_presence_alone_is_a_look_too() -> None:
    assert saw(asked("node-object-deleted", {})) == {"cluster.node": "there"}
    assert saw(asked("node-object-deleted", {}, {"node": None}))["cluster.node"] is None


def test_elements_are_called_by_their_names() -> None:
    found = saw(asked("app-crashloop", {}, {"node__pods": (pod("web", container()),)}))
    assert found["cluster.node.pods"] == ["web"]
    assert found["cluster.node.pods[web].containers[main].state"] == "running"


def test_every_rule_can_be_asked_and_answers_as_it_diagnoses() -> None:
    node, cluster = healthy_node(**NO_SOCKET), healthy_cluster(**SILENT)
    diagnosis = diagnose(node, cluster)
    found = {e["cause"]: e for e in explanations(chosen(["all"]), node, cluster, diagnosis)}
    proven = {f.cause.id: list(f.evidence) for f in diagnosis.findings}
    assert found.keys() == CAUSES.keys()
    assert {name: e["evidence"] for name, e in found.items() if e["evidence"]} == proven
    assert {n for n, e in found.items() if e["answer"] == "undecided"} == diagnosis.undecided.keys()


def test_tracing_changes_nothing_for_the_rules() -> None:
    node, cluster = healthy_node(**NO_SOCKET), healthy_cluster()
    trace = Trace()
    traced = trace.of(node, "node"), trace.of(cluster, "cluster")
    assert diagnose(*traced).root_causes == diagnose(node, cluster).root_causes
    assert vars(type(node)).get("__getattribute__") is None


def test_what_is_shown_is_bounded() -> None:
    assert len(shown("x" * 5000)) < 300
    assert len(shown(tuple(map(str, range(100))))) == 11
    assert len(shown({str(n): "" for n in range(100)})) == 11
    lines = tuple(LogLine("y" * 1000, 1, 1.0, 1.0, True) for dummy in range(60))
    assert shown(Journal(lines, False).lines).startswith("60 lines, the newest: yyy")
    many = tuple(pod(f"p{number}", container()) for number in range(200))
    found = asked("app-crashloop", {}, {"node__pods": many})
    assert (len(found["saw"]), found["not_shown"] > 100) == (MOST, True)


def test_the_report_and_the_screen_say_it_only_when_asked() -> None:
    node, cluster = healthy_node(), healthy_cluster()
    look = Look("pi-04", "diagnose", NOW, node, cluster, "pi-04")
    assert "explanations" not in conclude(look, Policy())["incident"]
    text = "\n".join(verdict(conclude(look, Policy(), chosen(["containerd-down"]))["incident"]))
    assert "asked       containerd is not running (containerd-down): does-not-hold" in text
    assert 'saw         node.runtime.unit.active_state = "active"' in text


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("containerd-dwn", "did you mean containerd-down"),
        ("pem", "did you mean kubelet-client-pem-corrupt"),
        ("%%", "docs/causes.md"),
    ],
)
def test_a_cause_that_there_is_not_is_refused_with_those_like_it(name: str, hint: str) -> None:
    with pytest.raises(UnknownCause, match=f"there is no cause {re.escape(repr(name))}: .*{hint}"):
        chosen(["containerd-down", name])


def test_causes_are_taken_once_and_blanks_do_not_count() -> None:
    assert [c.id for c in chosen([" containerd-down", "", "kubelet-stopped", "containerd-down "])] == [
        "containerd-down",
        "kubelet-stopped",
    ]
    assert chosen([]) == []
