# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""node_facts from its arguments to its result."""

from __future__ import annotations

import json
import typing as t

import pytest
from ansible.module_utils.testing import patch_module_args

from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.evidence import to_json
from ansible_collections.outward.kubelet.plugins.module_utils._host.errors import WrongProfile
from ansible_collections.outward.kubelet.plugins.module_utils._host.modules import node_facts as facts
from ansible_collections.outward.kubelet.plugins.modules import node_facts
from ansible_collections.outward.kubelet.tests.unit.helpers import healthy_node


def run(arguments: dict[str, t.Any], capsys: pytest.CaptureFixture[str]) -> dict[str, t.Any]:
    """What the module prints."""
    with patch_module_args(arguments), pytest.raises(SystemExit):
        node_facts.main()
    result: dict[str, t.Any] = json.loads(capsys.readouterr().out)
    return result


@pytest.mark.parametrize("check", [False, True])
def test_evidence_comes_back_unchanged(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], check: bool
) -> None:
    asked: list[tuple[str, set[str], bool]] = []

    def observe(profile: str, subsets: frozenset[str], tidy: bool) -> t.Any:
        asked.append((profile, set(subsets), tidy))
        return healthy_node()

    monkeypatch.setattr(facts, "observe", observe)
    result = run(
        {"gather_subset": ["kubelet", "clock", "sandbox"], "profile": "kubeadm", "_ansible_check_mode": check}, capsys
    )
    assert (result["changed"], result["evidence"]) == (False, to_json(healthy_node()))
    # Check mode changes nothing, not even for a moment.
    assert asked == [("kubeadm", {"kubelet", "clock", *(() if check else ("sandbox",))}, not check)]


def test_a_wrong_profile_is_one_clear_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def observe(profile: str, subsets: frozenset[str], tidy: bool) -> t.NoReturn:
        raise WrongProfile("this does not look like a k3s node; found kubeadm")

    monkeypatch.setattr(facts, "observe", observe)
    result = run({"profile": "k3s"}, capsys)
    assert (result["failed"], result["msg"]) == (True, "this does not look like a k3s node; found kubeadm")


def test_an_unknown_section_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert "value of gather_subset must be one or more of" in run({"gather_subset": ["kubelets"]}, capsys)["msg"]
