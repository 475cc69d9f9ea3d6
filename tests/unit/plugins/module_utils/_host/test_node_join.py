# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A machine that is joined: proven and kept, or not proven and taken back; and what is refused before."""

from __future__ import annotations

import time
import typing as t
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import pytest

from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.evidence import Undecided, amended, unknown
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.ledger import Policy
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.node import (
    ApiPath,
    NodeEvidence,
    Profile,
    Unit,
)
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.node_pods import SandboxTrial
from ansible_collections.outward.kubelet.plugins.module_utils._host import joining as own
from ansible_collections.outward.kubelet.plugins.module_utils._host.errors import WrongCall
from ansible_collections.outward.kubelet.plugins.module_utils._host.ledger import opened, peek
from ansible_collections.outward.kubelet.plugins.module_utils._host.modules import node_join
from ansible_collections.outward.kubelet.plugins.module_utils._host.modules.node_join import answer, joining
from ansible_collections.outward.kubelet.plugins.module_utils._host.profile import PROFILES
from ansible_collections.outward.kubelet.plugins.module_utils._host.restart import Run
from ansible_collections.outward.kubelet.plugins.module_utils._host.task import Outcome, Request
from tests.unit.helpers import certificate, file, healthy_node
from tests.unit.helpers_host import NEW, Scripted
from tests.unit.plugins.module_utils._diagnosis.test_membership import ANONYMOUS, FRESH, GROUND, JOINED, PEM, WANTED
from tests.unit.plugins.module_utils._host.probes.pki import Authority

WORKS: t.Final[dict[str, t.Any]] = {**JOINED, **NEW, "certificates__client": certificate(PEM)}


@dataclass
class Change:
    """Remembers what was asked of it; the machine is another one afterwards."""

    host: Scripted
    problem: str | None = None
    there: bool = True
    asked: list[str] = field(default_factory=list)
    before: Unit | None = None

    def make(self) -> str | None:
        self.asked.append("make")
        self.host.commands.append(("kubeadm", "join"))
        return self.problem

    def keep(self) -> str | None:
        self.asked.append("keep")
        return None

    def undo(self) -> str | None:
        self.asked.append("undo")
        return None

    def arrived(self) -> bool:
        return self.there


def run(
    tmp: Path, later: NodeEvidence, api: ApiPath | Exception = ANONYMOUS, problem: str | None = None, **broken: t.Any
) -> tuple[Outcome, Change]:
    """One join of a fresh machine but for *broken*."""
    host = Scripted(healthy_node(**{**FRESH, **broken}), [later])
    change = Change(host, problem)
    request = Request("not-joined", "ab12", "job", "", Policy(3, 86400.0), str(tmp / "l"), 120.0, False, False)

    def reach() -> ApiPath:
        if isinstance(api, Exception):
            raise api
        return api

    task = joining(t.cast(t.Any, change), WANTED, reach, lambda: GROUND)
    return Run(task, host, request).carry_out(), change


def test_a_machine_that_has_joined_is_kept_and_no_unit_is_started_by_us(tmp_path: Path) -> None:
    outcome, change = run(tmp_path, healthy_node(**WORKS))
    assert (outcome.result, change.asked, change.host.commands) == ("done", ["make", "keep"], [("kubeadm", "join")])
    assert outcome.checks["certificate_issued"]
    assert outcome.checks["certificate_accepted"]
    assert [(e.order.step, e.result) for e in peek(str(tmp_path / "l")).entries] == [("join-node", "done")]
    assert change.before is not None
    assert change.before.active_state == "inactive"


@pytest.mark.parametrize(
    ("changes", "missing"),
    [
        ({"certificates__client": amended(certificate(PEM), signed_by_ca=False)}, "certificate_issued"),
        ({"network__api__status": 401, "network__api__outcome": "http"}, "certificate_accepted"),
        ({"kubelet__healthz__outcome": "refused"}, "healthz_ok"),
    ],
)
def test_what_is_not_shown_is_taken_back(tmp_path: Path, changes: dict[str, t.Any], missing: str) -> None:
    outcome, change = run(tmp_path, healthy_node(**{**WORKS, **changes}))
    assert (outcome.result, change.asked, outcome.checks[missing]) == ("failed", ["make", "undo"], False)
    assert change.host.commands == [("kubeadm", "join")]


def test_a_pod_network_that_comes_later_is_no_failure(tmp_path: Path) -> None:
    later = {**WORKS, "runtime__cri__network_ready": False}
    assert run(tmp_path, healthy_node(**later))[0].result == "done"


def test_what_kubeadm_says_is_the_detail(tmp_path: Path) -> None:
    outcome, change = run(tmp_path, healthy_node(**FRESH), problem="kubeadm join ended with status 1: error: x")
    assert (outcome.result, change.asked) == ("failed", ["make", "undo"])
    assert outcome.detail.startswith("kubeadm join ended with status 1: error: x")


@pytest.mark.parametrize(
    ("broken", "api", "words"),
    [
        ({"identity__hostname": "raspberrypi"}, ANONYMOUS, "sudo hostnamectl set-hostname pi-04"),
        ({}, amended(ANONYMOUS, outcome="unresolvable", detail="kube.home"), "unresolvable: kube.home"),
        ({}, Undecided("api: no answer within 10 s"), "cannot tell whether"),
        ({"certificates__kubeconfig__file": file("x"), **JOINED, "certificates__client": certificate(PEM),
          "network__api": healthy_node().network.api}, ANONYMOUS, "it has joined"),
    ],
)  # fmt: skip
def test_nothing_is_touched(tmp_path: Path, broken: dict[str, t.Any], api: ApiPath | Exception, words: str) -> None:
    outcome, change = run(tmp_path, healthy_node(**WORKS), api, **broken)
    assert (outcome.result, change.asked, change.host.commands) == ("refused", [], [])
    assert any(words in refusal for refusal in outcome.refusals), outcome.refusals


GOOD: t.Final[dict[str, t.Any]] = {
    "profile": "auto",
    "timeout": 300,
    "state": "joined",
    "cause": "not-joined",
    "fingerprint": "ab12",
    "node_name": "pi-04",
    "address": "",
    "taints": [],
    "version": "v1.37.2",
    "server": "https://10.77.0.1:6443",
    "authority": Authority().certificate,
    "token": "abc123.0123456789abcdef",
    "reason": "",
    "holder": "",
    "budget": 3,
    "period": 86400,
    "ledger": "/nowhere/ledger",
}


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"node_name": ""}, "node_name or version is missing"),
        ({"version": ""}, "node_name or version is missing"),
        ({"server": "http://10.77.0.1"}, "server must be a URL"),
        ({"token": "s3cret"}, "token is no bootstrap token"),
        ({"authority": "x"}, "authority is no certificate"),
        ({"fingerprint": ""}, "fingerprint must be"),
        ({"profile": "k3s"}, "does not look like a k3s node"),
    ],
)
def test_a_wrong_call_is_told_without_the_secret(wrong: dict[str, str], words: str) -> None:
    with pytest.raises(WrongCall, match=words) as caught:
        answer({**GOOD, **wrong}, False)
    assert "s3cret" not in str(caught.value)


def test_an_orphan_is_ended_and_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    turns = iter([1, 1, 0])
    slept: list[float] = []
    monkeypatch.setattr(node_join, "end_orphans", lambda: next(turns))
    monkeypatch.setattr(time, "sleep", slept.append)
    node_join._end_earlier(str(tmp_path / "ledger"))
    assert len(slept) == 2


def test_a_process_that_acts_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, slept = str(tmp_path / "ledger"), list[float]()
    monkeypatch.setattr(node_join, "end_orphans", lambda: 0)
    monkeypatch.setattr(time, "sleep", slept.append)
    monkeypatch.setattr(node_join, "ORPHANS", 3)
    with opened(path):
        node_join._end_earlier(path)
    assert len(slept) == 3
    node_join._end_earlier(path)
    assert len(slept) == 3


def test_what_an_interrupted_join_has_left_goes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = tmp_path / "join"
    kept.mkdir()
    (kept / "list.json").write_text("[]")
    monkeypatch.setattr(own, "KEPT", str(kept))
    assert answer({**GOOD, "state": "tidied"}, True) == {"changed": True, "notes": []}
    assert kept.exists()
    assert answer({**GOOD, "state": "tidied"}, False) == {"changed": True, "notes": []}
    assert not kept.exists()
    assert answer({**GOOD, "state": "tidied"}, False) == {"changed": False, "notes": []}


class Cluster:
    """What a machine that was set up finds, in the order in which it is asked."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.service: str | None = None
        self.asked: list[str] = []
        self.clock_problem: str | None = None
        self.sandbox = SandboxTrial("ok", "", 1.0, ())
        monkeypatch.setattr(node_join, "time_services", lambda: ("chrony.service",))
        monkeypatch.setattr(
            node_join, "ask", lambda questions, seconds: {"sandbox": SimpleNamespace(value=self.sandbox)}
        )

    def observe(self, only: t.Collection[str]) -> NodeEvidence:
        return healthy_node(clock__service=self.service)

    def start_clock(self, service: str, synchronised: t.Any) -> str | None:
        self.asked.append(service)
        return self.clock_problem

    def unready(self, **api: t.Any) -> str | None:
        place: Profile = PROFILES["kubeadm"]
        return node_join._unready(t.cast(t.Any, self), place, t.cast(t.Any, self), lambda: amended(ANONYMOUS, **api))


def test_the_clock_comes_before_tls(monkeypatch: pytest.MonkeyPatch) -> None:
    found = Cluster(monkeypatch)
    assert (found.unready(), found.asked) == (None, ["chrony.service"])
    found.service = "systemd-timesyncd.service"
    assert (found.unready(), found.asked[-1]) == (None, "systemd-timesyncd.service")
    found.clock_problem = "the clock is not synchronised"
    assert found.unready(outcome="tls") == "the clock is not synchronised"


@pytest.mark.parametrize(
    ("api", "words"),
    [
        ({"outcome": "tls", "detail": "x"}, "cannot be reached from it (tls: x)"),
        ({"offset": -120.0}, "-120 s from the API"),
    ],
)
def test_the_way_to_the_cluster_is_asked_again(
    monkeypatch: pytest.MonkeyPatch, api: dict[str, t.Any], words: str
) -> None:
    assert words in (Cluster(monkeypatch).unready(**api) or "")


@pytest.mark.parametrize(
    ("outcome", "refused"),
    [("ok", False), ("cni", False), ("other", False), ("image", True), ("oci", True), ("storage", True)],
)
def test_a_pod_that_could_never_start_ends_it(monkeypatch: pytest.MonkeyPatch, outcome: str, refused: bool) -> None:
    found = Cluster(monkeypatch)
    found.sandbox = SandboxTrial(outcome, "pause:3.10 not found", 1.0, ())
    assert (found.unready() is not None) is refused
    found.sandbox = unknown("another trial is going on")
    assert found.unready() is None
