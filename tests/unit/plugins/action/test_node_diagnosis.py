# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""When a node is looked at again or asked one more question, and what becomes of the answer."""

from __future__ import annotations

import time
import typing as t
from types import SimpleNamespace

import pytest

from ansible_collections.outward.kubelet.plugins.action import node_diagnosis
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.evidence import Unknown, to_json
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.node import NodeEvidence, Probe
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.node_pods import SandboxTrial
from ansible_collections.outward.kubelet.plugins.plugin_utils._remote import Answer
from tests.unit.helpers import healthy_node
from tests.unit.helpers_cluster import conditions, healthy_cluster
from tests.unit.plugins.module_utils._diagnosis.test_diagnose import STOPPED, Changes
from tests.unit.plugins.module_utils._diagnosis.test_starting import FAILED, NOTHING, STUCK

Asked = list[dict[str, t.Any]]


def tried(
    monkeypatch: pytest.MonkeyPatch,
    api: dict[str, t.Any],
    *,
    check: bool = False,
    allowed: bool = True,
    **answer: t.Any,
) -> tuple[NodeEvidence, Asked]:
    """The evidence after the second question, and what was asked; *answer* replaces fields of a failed trial's."""
    asked: Asked = []

    def ask(action: t.Any, module: str, arguments: dict[str, t.Any], variables: dict[str, t.Any]) -> Answer:
        asked.append(arguments)
        evidence = to_json(healthy_node(sandbox=FAILED))
        return Answer(**{"result": {"evidence": evidence}, "unreachable": None, "failed": None, **answer})

    monkeypatch.setattr(node_diagnosis, "ask", ask)
    action: t.Any = object.__new__(node_diagnosis.ActionModule)
    action._task = SimpleNamespace(check_mode=check)
    options = {"profile": "auto", "try_sandbox": allowed}
    node: NodeEvidence = action._tried(options, {}, healthy_node(**NOTHING), healthy_cluster(**api))
    return node, asked


def test_a_trial_is_asked_for_when_it_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    node, asked = tried(monkeypatch, STUCK)
    assert (node.sandbox, asked) == (FAILED, [{"profile": "auto", "gather_subset": ["sandbox"]}])
    assert node.runtime.cri.pods == ()  # the rest is what was seen before


@pytest.mark.parametrize(
    ("api", "more"), [({}, {}), (STUCK, {"check": True}), (STUCK, {"allowed": False})], ids=["calm", "check", "no"]
)
def test_and_not_otherwise(monkeypatch: pytest.MonkeyPatch, api: dict[str, t.Any], more: dict[str, t.Any]) -> None:
    node, asked = tried(monkeypatch, api, **more)
    assert (vars(node)["sandbox"], asked) == (Unknown("making a Pod sandbox was not tried"), [])


def test_a_node_that_is_lost_meanwhile_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    node, dummy = tried(monkeypatch, STUCK, unreachable="timed out")
    assert vars(node)["sandbox"] == Unknown("making a Pod sandbox: timed out")
    assert isinstance(FAILED, SandboxTrial)


DISABLED = {**STOPPED, "kubelet__unit__unit_file_state": "disabled"}
MASKED = {**STOPPED, "kubelet__unit__unit_file_state": "masked", "kubelet__unit__load_state": "masked"}


@pytest.mark.parametrize(
    ("node", "api", "uptime", "slept"),
    [
        ({}, {}, 40.0, []),
        (STOPPED, {}, 3600.0, []),
        # Whatever it is: it may be the boot (chaos: a boot was called a lack of processors).
        (STOPPED, {}, 40.0, [80.0]),
        # Floor: a disabled kubelet was looked at again for nothing; one that somebody has started is in the middle of it.
        ({**DISABLED, "kubelet__unit__invocation_id": ""}, {}, 40.0, []),
        ({**MASKED, "kubelet__unit__invocation_id": ""}, {}, 40.0, []),
        (DISABLED, {}, 40.0, [80.0]),
        # Chaos: the API server had just come back.
        ({}, {"node__conditions": conditions(Ready="Unknown")}, 3600.0, [60.0]),
        # Concurrency: four runs looked at one node at the same time.
        ({**STOPPED, "probes": (Probe("processes", 0.0, "processes: no time was left to ask"),)}, {}, 3600.0, [30.0]),
        ({**STOPPED, "probes": (Probe("storage", 5.0, "storage: no answer within 5 s"),)}, {}, 3600.0, []),
    ],
    ids=["well", "found", "booted", "disabled", "masked", "started", "unknown", "starved", "hung"],
)
def test_a_node_in_the_middle_of_something_is_looked_at_again(
    monkeypatch: pytest.MonkeyPatch, node: Changes, api: Changes, uptime: float, slept: list[float]
) -> None:
    first = healthy_node(**node, identity__uptime=uptime, kubelet__unit__started=1.0)
    looks = [(healthy_node(), healthy_cluster()), (first, healthy_cluster(**api))]
    waited: list[float] = []
    monkeypatch.setattr(time, "sleep", waited.append)
    action: t.Any = object.__new__(node_diagnosis.ActionModule)
    action._display = SimpleNamespace(display=lambda line: None)
    monkeypatch.setattr(action, "_both", lambda *dummy: looks.pop())
    seen, dummy = action._settled({"cluster": {}}, "pi-04", {})
    assert waited == slept
    assert (seen == healthy_node()) == bool(slept)
