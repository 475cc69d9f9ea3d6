# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A kubelet that is started with a token: proven and kept, or not proven and taken back."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.evidence import Undecided, amended, unknown
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.ledger import Policy
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.node import (
    ApiPath,
    NodeEvidence,
    Setting,
)
from ansible_collections.outward.kubelet.plugins.module_utils._host import renewal
from ansible_collections.outward.kubelet.plugins.module_utils._host.errors import WrongCall
from ansible_collections.outward.kubelet.plugins.module_utils._host.ledger import LedgerBusy, opened, peek
from ansible_collections.outward.kubelet.plugins.module_utils._host.modules.client_certificate import (
    answer,
    dropped,
    renewing,
)
from ansible_collections.outward.kubelet.plugins.module_utils._host.profile import PROFILES
from ansible_collections.outward.kubelet.plugins.module_utils._host.restart import Run
from ansible_collections.outward.kubelet.plugins.module_utils._host.task import Outcome, Request
from tests.unit.helpers import certificate, file, healthy_node
from tests.unit.helpers_host import NEW, Scripted
from tests.unit.plugins.module_utils._host.probes.pki import Authority

PEM = "/var/lib/kubelet/pki/kubelet-client-current.pem"
FLAGS = tuple(
    Setting(flag, "/usr/lib/systemd/system/kubelet.service.d/10-kubeadm.conf")
    for flag in (
        "--bootstrap-kubeconfig=/etc/kubernetes/bootstrap-kubelet.conf",
        "--kubeconfig=/etc/kubernetes/kubelet.conf",
    )
)
TWO = {"kubelet__config__flags": FLAGS}
LOOPING = {**TWO, "kubelet__unit__active_state": "activating", "kubelet__unit__sub_state": "auto-restart"}
BROKEN = {
    **LOOPING,
    "certificates__client": None,
    "certificates__client_file": file(PEM, exists=False),
    "certificates__kubeconfig__file": file("/etc/kubernetes/kubelet.conf", exists=False),
    "network__api": unknown("/etc/kubernetes/kubelet.conf: No such file or directory"),
}
API = ApiPath("https://10.77.0.1:6443", "ok", "HTTP 200; asked without a certificate", ("10.77.0.1",), 200, None, 0.2)
WORKS = healthy_node(**TWO, **NEW)


@dataclass
class Change:
    """Remembers what was asked of it."""

    problem: str | None = None
    there: bool = True
    asked: list[str] = field(default_factory=list)

    def make(self) -> str | None:
        self.asked.append("make")
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
    tmp: Path, change: Change, later: NodeEvidence, api: ApiPath | Exception = API, **broken: t.Any
) -> tuple[Outcome, Scripted]:
    """One renewal of a node that is BROKEN but for *broken*."""
    host = Scripted(healthy_node(**{**BROKEN, **broken}), [later])
    request = Request(
        "kubelet-kubeconfig-missing", "ab12", "job", "", Policy(3, 86400.0), str(tmp / "l"), 120.0, False, False
    )

    def reach() -> ApiPath:
        if isinstance(api, Exception):
            raise api
        return api

    task = renewing(t.cast(t.Any, change), "pi-04", reach)
    return Run(task, host, request).carry_out(), host


def test_a_new_certificate_that_works_is_kept(tmp_path: Path) -> None:
    change = Change()
    outcome, host = run(tmp_path, change, WORKS)
    assert (outcome.result, change.asked, host.commands) == ("done", ["make", "keep"], [("restart", "kubelet.service")])
    assert outcome.checks["certificate_renewed"]
    assert outcome.checks["certificate_accepted"]
    assert outcome.action is not None
    assert outcome.action.step == "renew-client-certificate"
    assert [entry.result for entry in peek(str(tmp_path / "l")).entries] == ["done"]


CERTIFICATE = certificate(PEM)


@pytest.mark.parametrize(
    ("changes", "missing"),
    [
        ({"certificates__client": amended(CERTIFICATE, common_name="system:node:pi-05")}, "certificate_renewed"),
        ({"certificates__client": amended(CERTIFICATE, organizations=("system:masters",))}, "certificate_renewed"),
        ({"certificates__client": amended(CERTIFICATE, signed_by_ca=False)}, "certificate_renewed"),
        ({"certificates__client": amended(CERTIFICATE, key_matches=None)}, "certificate_renewed"),
        ({"certificates__client": None}, "certificate_renewed"),
        ({"network__api__status": 401, "network__api__outcome": "http"}, "certificate_accepted"),
        ({"network__api__detail": "HTTP 200; asked without a certificate: x"}, "certificate_accepted"),
        ({"kubelet__healthz__outcome": "refused"}, "healthz_ok"),
    ],
)
def test_what_is_not_shown_is_taken_back(tmp_path: Path, changes: dict[str, t.Any], missing: str) -> None:
    change = Change()
    outcome, host = run(tmp_path, change, healthy_node(**{**TWO, **NEW, **changes}))
    assert (outcome.result, change.asked, outcome.checks[missing]) == ("failed", ["make", "undo"], False)
    assert host.commands == [("restart", "kubelet.service")] * 2
    assert outcome.notes == ("what was there before was put back",)
    assert f"not shown: {missing}" in outcome.detail


def test_a_request_that_nobody_answers_is_waited_for_and_then_taken_back(tmp_path: Path) -> None:
    change = Change(there=False)
    outcome, host = run(tmp_path, change, healthy_node(**TWO, **NEW, certificates__client=None))
    assert (outcome.result, change.asked, host.clock >= 120) == ("failed", ["make", "undo"], True)


def test_a_kubelet_that_did_not_run_does_not_run_afterwards(tmp_path: Path) -> None:
    down: dict[str, t.Any] = {"kubelet__unit__active_state": "failed", "kubelet__unit__sub_state": "failed"}
    later = healthy_node(**{**TWO, **NEW, "kubelet__healthz__outcome": "refused"})
    dummy, host = run(tmp_path, Change(), later, **down)
    assert [command[0] for command in host.commands] == ["reset-failed", "start", "stop"]


def test_files_that_cannot_be_changed_leave_the_kubelet_alone(tmp_path: Path) -> None:
    change = Change(problem="the kubelet's files could not be changed: No space left on device")
    outcome, host = run(tmp_path, change, WORKS)
    assert (outcome.result, change.asked, host.commands) == ("failed", ["make", "undo"], [])
    assert outcome.detail.startswith("the kubelet's files could not be changed")


@pytest.mark.parametrize(
    ("broken", "api", "words"),
    [
        ({}, Undecided("api: no answer within 10 s"), "cannot tell whether the clock is right"),
        ({}, amended(API, outcome="tls", detail="self-signed"), "cannot be reached from this node (tls: self-signed)"),
        ({}, amended(API, outcome="refused"), "cannot be reached from this node"),
        ({}, amended(API, offset=-90000.0), "the clock is not to be trusted"),
        ({"pressure__swap_devices": ("/swap",)}, API, "swap is on"),
        ({"kernel__upkeep": ("kubeadm",)}, API, "at work on the node: kubeadm"),
        ({"kubelet__config__flags": FLAGS[1:]}, API, "is not started with --bootstrap-kubeconfig="),
        ({"profile__name": "k3s"}, API, "joins in its own way"),
        (
            {"certificates__client_ca_file": file("/etc/other.crt", exists=False)},
            API,
            "clientCAFile /etc/other.crt is not",
        ),
    ],
)
def test_the_gate_refuses_and_nothing_is_touched(
    tmp_path: Path, broken: dict[str, t.Any], api: ApiPath | Exception, words: str
) -> None:
    change = Change()
    outcome, host = run(tmp_path, change, WORKS, api, **broken)
    assert (outcome.result, change.asked, host.commands) == ("refused", [], [])
    assert any(words in refusal for refusal in outcome.refusals), outcome.refusals


def test_the_file_of_the_ca_may_be_gone_for_it_is_written(tmp_path: Path) -> None:
    gone: dict[str, t.Any] = {"certificates__client_ca_file": file("/etc/kubernetes/pki/ca.crt", exists=False)}
    assert run(tmp_path, Change(), WORKS, **gone)[0].result == "done"


def test_what_another_run_still_needs_is_not_dropped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    change, ledger, gone = (
        renewal.Renewal(PROFILES["kubeadm"], renewal.Handed("", "", "")),
        str(tmp_path / "l"),
        list[bool](),
    )
    monkeypatch.setattr(renewal.Renewal, "drop", lambda self: gone.append(True))
    with opened(ledger), pytest.raises(LedgerBusy, match="another run is acting on this node"):
        dropped(change, ledger)
    assert gone == []
    dropped(change, ledger)
    assert gone == [True]


GOOD: t.Final[dict[str, t.Any]] = {
    "profile": "kubeadm",
    "timeout": 120,
    "state": "renewed",
    "cause": "kubelet-client-cert-expired",
    "fingerprint": "ab12",
    "node_name": "pi-04",
    "server": "https://10.77.0.1:6443",
    "authority": Authority().certificate,
    "token": "abc123.0123456789abcdef",
}


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"node_name": ""}, "node_name is missing"),
        ({"server": "http://10.77.0.1"}, "server must be a URL"),
        ({"token": "s3cret"}, "token is no bootstrap token"),
        ({"authority": "x"}, "authority is no certificate"),
    ],
)
def test_a_wrong_call_is_told_without_the_secret(
    wrong: dict[str, str], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "ansible_collections.outward.kubelet.plugins.module_utils._host.modules.client_certificate.resolve",
        lambda name: PROFILES["kubeadm"],
    )
    with pytest.raises(WrongCall, match=words) as caught:
        answer({**GOOD, **wrong}, False)
    assert "s3cret" not in str(caught.value)


def test_a_token_is_not_in_what_python_shows_of_it() -> None:
    """In the process on the node nothing formats it but the file that it is for."""
    handed = renewal.Handed("https://10.77.0.1:6443", GOOD["authority"], GOOD["token"])
    assert handed.access().server == "https://10.77.0.1:6443"
    assert GOOD["token"] not in repr(handed.access())
