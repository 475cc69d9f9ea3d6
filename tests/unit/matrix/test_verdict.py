# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A row is right only when everything is, and nothing was done without permission."""

from __future__ import annotations

import typing as t

import pytest

from tests.faults.model import Fault, node
from tests.matrix.verdict import api_ready, expected, mistakes, seen

FAULT = Fault(
    id="kubelet-stopped",
    inject=(node("x"),),
    holds=node("x"),
    undo=(node("x"),),
    outcome="recovered",
    actions=("restart-kubelet",),
)
RIGHT: dict[str, t.Any] = {
    "diagnosis": {"root_causes": ["kubelet-stopped"], "findings": []},
    "plan": [{"step": "restart-kubelet", "permitted": True, "why": ""}],
    "actions": [{"step": "restart-kubelet", "result": "done"}],
    "outcome": "recovered",
    "evidence": {"cluster": {"node": {"conditions": [{"type": "Ready", "status": "Unknown"}]}}},
}


def test_a_right_report_has_no_mistakes() -> None:
    assert mistakes(expected(FAULT, "recover"), RIGHT) == []
    assert seen(RIGHT)["api_ready"] == "Unknown"


@pytest.mark.parametrize(
    ("change", "mistake"),
    [
        ({"outcome": "failed"}, "outcome: expected recovered, saw failed"),
        ({"actions": []}, "actions: expected ['restart-kubelet'], saw []"),
        (
            {"diagnosis": {"root_causes": ["kubelet-stopped", "x"], "findings": []}},
            "root_causes: expected ['kubelet-stopped'], saw ['kubelet-stopped', 'x']",
        ),
        (
            {"plan": [{"step": "restart-kubelet", "permitted": False, "why": ""}]},
            "restart-kubelet was done without a permission in the plan",
        ),
        ({"error": "oops"}, "error: oops"),
    ],
)
def test_each_mistake_is_named(change: dict[str, t.Any], mistake: str) -> None:
    assert mistakes(expected(FAULT, "recover"), {**RIGHT, **change}) == [mistake]


def test_a_refusal_that_was_not_expected_says_why() -> None:
    plan = [{"step": "restart-kubelet", "permitted": False, "why": "pi-05 is unavailable too"}]
    report = {**RIGHT, "outcome": "refused", "actions": [], "plan": plan}
    assert mistakes(expected(FAULT, "recover"), report)[-1] == "restart-kubelet: pi-05 is unavailable too"


def test_a_diagnosis_expects_no_action_and_its_own_outcome() -> None:
    wanted = expected(FAULT, "diagnose")
    assert wanted == {"root_causes": ["kubelet-stopped"], "outcome": "diagnosed", "actions": []}
    assert mistakes(wanted, {**RIGHT, "outcome": "diagnosed", "actions": []}) == []
    assert mistakes(wanted, {**RIGHT, "outcome": "diagnosed"}) == ["actions: expected [], saw ['restart-kubelet']"]


@pytest.mark.parametrize(
    ("cluster", "said"),
    [
        ({"api": {"reachable": True}, "node": None}, "no Node"),
        ({"api": {"reachable": False}, "node": {"unknown": "no answer"}}, "no answer"),
        ({"node": {"conditions": []}}, "no condition"),
    ],
)
def test_what_the_api_says_of_ready(cluster: dict[str, t.Any], said: str) -> None:
    assert api_ready({"evidence": {"cluster": cluster}}) == said
