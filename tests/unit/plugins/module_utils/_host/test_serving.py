# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A kubelet that serves with a new certificate: files with a way back, and proof by what it presents."""

from __future__ import annotations

import hashlib
import typing as t
from pathlib import Path

import pytest

from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.evidence import amended
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.ledger import Policy
from ansible_collections.outward.kubelet.plugins.module_utils._host.errors import WrongCall
from ansible_collections.outward.kubelet.plugins.module_utils._host.modules.serving_certificate import answer, serving
from ansible_collections.outward.kubelet.plugins.module_utils._host.profile import PROFILES
from ansible_collections.outward.kubelet.plugins.module_utils._host.restart import Run
from ansible_collections.outward.kubelet.plugins.module_utils._host.serving import Serving, presented, switched_on
from ansible_collections.outward.kubelet.plugins.module_utils._host.task import Outcome, Request
from tests.unit.helpers import certificate, healthy_node
from tests.unit.helpers_host import NEW, Scripted
from tests.unit.plugins.module_utils._host.test_client_certificate import Change
from tests.unit.plugins.module_utils._host.test_renewal import at, whole

PLACE = PROFILES["kubeadm"]
PEM = "/var/lib/kubelet/pki/kubelet-server-current.pem"
DER = b"what the kubelet presents"
OLD = amended(certificate(PEM), fingerprint="old")
FRESH = amended(certificate(PEM), fingerprint=hashlib.sha256(DER).hexdigest())


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "var/lib/kubelet/pki").mkdir(parents=True)
    at(tmp_path, PLACE.config).write_text("kind: KubeletConfiguration\nrotateCertificates: true\n")
    pki = at(tmp_path, PLACE.pki_dir)
    (pki / "kubelet-server-2025.pem").write_text("of before")
    (pki / "kubelet-server-current.pem").symlink_to("kubelet-server-2025.pem")
    (pki / "kubelet-client-current.pem").write_text("the client's")
    return tmp_path


@pytest.mark.parametrize("switch", [False, True])
def test_it_is_turned_on_and_can_be_taken_back(root: Path, switch: bool) -> None:
    before = whole(root)
    change = Serving(PLACE, switch, str(root))
    assert (change.make(), change.arrived()) == (None, False)
    assert ("serverTLSBootstrap: true" in at(root, PLACE.config).read_text()) is switch
    assert (at(root, PLACE.pki_dir) / "kubelet-client-current.pem").exists()
    assert (change.undo(), whole(root)) == (None, before)


def test_it_is_kept_and_nothing_is_left(root: Path) -> None:
    change = Serving(PLACE, True, str(root))
    change.make()
    (at(root, PLACE.pki_dir) / "kubelet-server-current.pem").write_text("new")
    assert (change.arrived(), change.keep()) == (True, None)
    assert "of before" not in str(whole(root))
    assert not (root / "var/lib/outward-kubelet/serving-certificate").exists()


def test_a_run_that_was_killed_is_carried_on_with(root: Path) -> None:
    before = whole(root)
    Serving(PLACE, True, str(root)).make()
    second = Serving(PLACE, True, str(root))
    assert (second.make(), second.undo(), whole(root)) == (None, None, before)


def test_a_configuration_that_somebody_has_changed_after_a_run_that_was_cut_off_comes_back(root: Path) -> None:
    Serving(PLACE, True, str(root)).make()
    at(root, PLACE.config).write_text("kind: KubeletConfiguration\nmaxPods: 50\n")
    second = Serving(PLACE, True, str(root))
    assert second.make() is None
    assert "serverTLSBootstrap: true" in at(root, PLACE.config).read_text()
    assert "beside" in (second.undo() or "")
    assert at(root, PLACE.config).read_text() == "kind: KubeletConfiguration\nmaxPods: 50\n"
    assert (at(root, PLACE.pki_dir) / "kubelet-server-current.pem").read_text() == "of before"


def test_a_certificate_that_came_after_a_run_that_was_cut_off_comes_back(root: Path) -> None:
    """It has been in use since, and the one of before may have expired."""
    Serving(PLACE, False, str(root)).make()
    (at(root, PLACE.pki_dir) / "kubelet-server-current.pem").write_text("in use")
    second = Serving(PLACE, False, str(root))
    assert (second.make(), second.arrived()) == (None, False)
    second.undo()
    assert (at(root, PLACE.pki_dir) / "kubelet-server-current.pem").read_text() == "in use"


def test_a_configuration_that_is_not_there_is_told(root: Path) -> None:
    at(root, PLACE.config).unlink()
    change = Serving(PLACE, True, str(root))
    assert "No such file" in (change.make() or "")
    assert (change.undo(), (at(root, PLACE.pki_dir) / "kubelet-server-2025.pem").exists()) == (None, True)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: 1\n", "a: 1\nserverTLSBootstrap: true\n"),
        ("serverTLSBootstrap: false\nb: 2\n", "serverTLSBootstrap: true\nb: 2\n"),
        ("x:\n  serverTLSBootstrap: false", "x:\n  serverTLSBootstrap: false\nserverTLSBootstrap: true\n"),
    ],
)
def test_the_switch(text: str, expected: str) -> None:
    assert switched_on(text) == expected


def test_what_nobody_presents() -> None:
    assert presented(1) is None


def run(tmp: Path, later: t.Any, shown: bytes | None = DER, **before: t.Any) -> tuple[Outcome, Change, Scripted]:
    host = Scripted(healthy_node(**{"certificates__serving": OLD, **before}), [later])
    request = Request(
        "serving-certificate-due", "ab12", "job", "", Policy(3, 86400.0), str(tmp / "l"), 120.0, False, False
    )
    change = Change()
    task = serving(t.cast(t.Any, change), "pi-04", lambda: shown)
    return Run(task, host, request).carry_out(), change, host


def test_a_new_certificate_in_use_is_kept(tmp_path: Path) -> None:
    outcome, change, host = run(tmp_path, healthy_node(**NEW, certificates__serving=FRESH))
    assert (outcome.result, change.asked) == ("done", ["make", "keep"])
    assert host.commands == [("restart", "kubelet.service")]


@pytest.mark.parametrize(
    ("there", "shown", "missing"),
    [
        (OLD, DER, "serving_certificate_issued"),
        (amended(FRESH, signed_by_ca=False), DER, "serving_certificate_issued"),
        (amended(FRESH, signed_by_ca=None), DER, "serving_certificate_issued"),
        (amended(FRESH, common_name="system:node:pi-05"), DER, "serving_certificate_issued"),
        (FRESH, b"another", "serving_certificate_presented"),
        (FRESH, None, "serving_certificate_presented"),
        (None, DER, "serving_certificate_presented"),
    ],
)
def test_what_is_not_shown_is_taken_back(tmp_path: Path, there: t.Any, shown: bytes | None, missing: str) -> None:
    outcome, change, dummy = run(tmp_path, healthy_node(**NEW, certificates__serving=there), shown)
    assert (outcome.result, change.asked, outcome.checks[missing]) == ("failed", ["make", "undo"], False)


@pytest.mark.parametrize(
    ("before", "words"),
    [({"pressure__swap_devices": ("/swap",)}, "swap is on"), ({"profile__name": "k3s"}, "in its own way")],
)
def test_the_gate_refuses(tmp_path: Path, before: dict[str, t.Any], words: str) -> None:
    outcome, change, dummy = run(tmp_path, healthy_node(**NEW, certificates__serving=FRESH), **before)
    assert (outcome.result, change.asked) == ("refused", [])
    assert any(words in refusal for refusal in outcome.refusals)


def test_a_node_without_a_name_is_a_wrong_call() -> None:
    with pytest.raises(WrongCall, match="node_name is missing"):
        answer({"node_name": "", "profile": "auto"}, False)
