# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""kubelet_restart and containerd_start as Ansible calls them; the node itself is a stand-in."""

from __future__ import annotations

import json
import typing as t
from types import ModuleType

import pytest
import yaml
from ansible.module_utils.testing import patch_module_args

from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.repair import REPAIRS
from ansible_collections.outward.kubelet.plugins.module_utils._host import call as calling
from ansible_collections.outward.kubelet.plugins.module_utils._host.modules import node_repair as repairing
from ansible_collections.outward.kubelet.plugins.module_utils._host.repair.run import Repaired, Repairing
from ansible_collections.outward.kubelet.plugins.module_utils._host.repair.tools import Op, Shown
from ansible_collections.outward.kubelet.plugins.module_utils._host.restart import Run
from ansible_collections.outward.kubelet.plugins.module_utils._host.task import Outcome
from ansible_collections.outward.kubelet.plugins.modules import containerd_start, kubelet_restart, node_repair
from ansible_collections.outward.kubelet.tests.unit.helpers import healthy_node

GIVEN: dict[str, t.Any] = {"cause": "kubelet-stopped", "fingerprint": "ab12cd34"}
Answer = tuple[int, dict[str, t.Any]]


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> list[Run]:
    """Every run that a module starts; nothing is done."""
    seen: list[Run] = []

    def refuse(run: Run) -> Outcome:
        seen.append(run)
        return Outcome("refused", healthy_node(), ("swap is on",))

    monkeypatch.setattr(Run, "carry_out", refuse)
    monkeypatch.setattr(calling, "resolve", lambda name: healthy_node().profile)
    return seen


def call(module: ModuleType, arguments: dict[str, t.Any], capsys: pytest.CaptureFixture[str]) -> Answer:
    """Exit status and the result that Ansible would see."""
    with patch_module_args(arguments), pytest.raises(SystemExit) as end:
        module.main()
    return t.cast(int, end.value.code), json.loads(capsys.readouterr().out)


@pytest.mark.parametrize(
    ("module", "step"), [(kubelet_restart, "restart-kubelet"), (containerd_start, "start-containerd")]
)
def test_a_refusal_is_a_result_and_no_error(
    module: ModuleType, step: str, runs: list[Run], capsys: pytest.CaptureFixture[str]
) -> None:
    status, result = call(module, GIVEN, capsys)
    assert (status, result["result"], result["changed"]) == (0, "refused", False)
    assert result["refusals"] == ["swap is on"]
    assert result["action"] == {"step": step, "cause": "kubelet-stopped", "result": "refused"}
    assert [run.task.step for run in runs] == [step]


def test_the_parameters_reach_the_run(runs: list[Run], capsys: pytest.CaptureFixture[str]) -> None:
    given = {"reason": "new card", "holder": "job 7", "budget": 5, "timeout": 30, "enable": True, "ledger": "/l"}
    call(kubelet_restart, {**GIVEN, **given, "_ansible_check_mode": True}, capsys)
    (run,) = runs
    request = run.request
    assert (request.reason, request.holder, request.policy.budget) == ("new card", "job 7", 5)
    assert (request.timeout, request.enable, request.ledger, request.check) == (30.0, True, "/l", True)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"cause": "x"}, "missing required arguments: fingerprint"),
        ({**GIVEN, "fingerprint": "$(reboot)"}, "fingerprint must be 4 to 128 hexadecimal digits"),
        ({**GIVEN, "profile": "openshift"}, "value of profile must be one of"),
        ({**GIVEN, "force": True}, "Unsupported parameters"),
    ],
)
def test_bad_input_is_one_clear_error(
    arguments: dict[str, t.Any], words: str, runs: list[Run], capsys: pytest.CaptureFixture[str]
) -> None:
    status, result = call(kubelet_restart, arguments, capsys)
    assert (status, runs) == (1, [])
    assert words in result["msg"]


def test_a_host_that_is_no_node_is_told_so(capsys: pytest.CaptureFixture[str]) -> None:
    status, result = call(kubelet_restart, {**GIVEN, "profile": "k3s"}, capsys)
    assert status == 1
    assert result["msg"].startswith("this does not look like a k3s node")


@pytest.mark.parametrize("module", [kubelet_restart, containerd_start])
def test_everything_returned_is_documented(
    module: ModuleType, runs: list[Run], capsys: pytest.CaptureFixture[str]
) -> None:
    dummy, result = call(module, GIVEN, capsys)
    documented = yaml.safe_load(module.RETURN)
    of_the_action_plugin = {"lock_lost"}
    assert set(result) - {"changed", "invocation"} == set(documented) - of_the_action_plugin


SWAP: dict[str, t.Any] = {"step": "switch-off-swap", "cause": "kubelet-swap-on", "fingerprint": "ab12cd34"}


@pytest.fixture
def repairs(monkeypatch: pytest.MonkeyPatch) -> list[Repairing]:
    """Every repair that is started; nothing is done."""
    seen: list[Repairing] = []

    def permit(run: Repairing) -> Repaired:
        seen.append(run)
        op = Op("switches it off", Shown("/etc/x", "password=hunter2\n", ""), lambda: None, None)
        return Repaired("permitted", healthy_node(), ops=(op,))

    monkeypatch.setattr(Repairing, "carry_out", permit)
    monkeypatch.setattr(repairing, "resolve", lambda name: healthy_node().profile)
    return seen


def test_a_repair_says_what_it_would_do(repairs: list[Repairing], capsys: pytest.CaptureFixture[str]) -> None:
    status, result = call(node_repair, {**SWAP, "_ansible_check_mode": True}, capsys)
    assert (status, result["result"], result["changed"]) == (0, "permitted", True)
    assert result["notes"] == ["would do: switches it off"]
    assert result["action"]["changes"] == ["switches it off"]
    assert [run.repair.step for run in repairs] == ["switch-off-swap"]
    assert "hunter2" not in json.dumps(result)
    assert set(result) - {"changed", "invocation"} == set(yaml.safe_load(node_repair.RETURN)) - {"lock_lost"}


@pytest.mark.parametrize("cause", ["kubelet-stopped", "no-such-cause"])
def test_a_repair_is_for_its_cause_alone(
    cause: str, repairs: list[Repairing], capsys: pytest.CaptureFixture[str]
) -> None:
    status, result = call(node_repair, {**SWAP, "cause": cause}, capsys)
    assert (status, repairs) == (1, [])
    assert result["msg"] == f"switch-off-swap is no repair of {cause}"


def test_every_repair_is_a_documented_choice() -> None:
    assert yaml.safe_load(node_repair.DOCUMENTATION)["options"]["step"]["choices"] == list(REPAIRS)
