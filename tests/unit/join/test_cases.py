# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is asked of machines that join, and that every task of the role is one to be killed after."""

from __future__ import annotations

import re

import pytest
import yaml

from tests.chaos.play import Ended
from tests.join.__main__ import changed, run_of
from tests.join.cases import CASES, FAILED, JOIN, KEY, ROLE, Case, killed, tasks, untainted
from tests.matrix.results import ROOT


def listing() -> str:
    """As ansible-playbook --list-tasks prints it."""
    (block,) = yaml.safe_load((ROOT / "roles/node_join/tasks/main.yml").read_text())
    lines = [f"      {ROLE}{task['name']}\tTAGS: []" for task in (*block["block"], *block["rescue"])]
    return "\n".join(["  play #3 (all): x\tTAGS: []", "    tasks:", "      Sum up\tTAGS: []", *lines])


def test_every_task_is_one_to_be_killed_after() -> None:
    found = tasks(listing())
    assert JOIN in found
    assert len(found) > 8
    struck = [point.task for case in killed(listing()) for point in case.kills]
    assert set(found) - {FAILED} == set(struck)
    assert struck[: found.index(JOIN)] == found[: found.index(JOIN)]
    names = [case.id for case in killed(listing())]
    assert len(set(names)) == len(names)
    assert struck.count(JOIN) == 6


def test_a_role_that_has_changed_is_told() -> None:
    with pytest.raises(ValueError, match="the role has no task"):
        killed("  play #1 (all): x\tTAGS: []")


def test_cases_have_names_and_expressions_of_their_own() -> None:
    names = [case.id for case in CASES]
    assert len(set(names)) == len(names)
    assert all(re.compile(case.says) for case in CASES)


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        (Case("x"), ("recovered", 0, True, "healthy", 0)),
        (Case("x", outcome="refused"), ("refused", 2, None, None, None)),
        (Case("x", bare=True), (None, None, True, None, None)),
        (killed(listing())[0], (None, 0, True, None, None)),
    ],
)
def test_what_is_expected(case: Case, expected: tuple[object, ...]) -> None:
    found = case.expected
    assert tuple(found[name] for name in ("outcome", "status", "works", "again", "changed_again")) == expected


def test_what_a_second_run_has_changed() -> None:
    recap = "PLAY RECAP ***\npi-04                      : ok=9    changed=2    unreachable=0    failed=0\n"
    assert changed(Ended(0, recap, None, 1.0)) == 2


def test_it_is_called_with_the_rights_that_we_ship() -> None:
    command = " ".join(run_of(CASES[1]).command("pi-04", ROOT))
    assert "node-join.yml" in command
    assert "certificates.kubeconfig" in command


def test_the_name_that_is_taken_is_the_other_machines() -> None:
    (case,) = [case for case in CASES if case.machines > 1]
    assert case.beside(["pi-04", "pi-06"]).variables["outward_node_name"] == "pi-04"
    assert CASES[1].beside([]) == CASES[1]


def test_only_the_taint_that_a_case_asks_for_is_overlooked() -> None:
    taints = [{"key": KEY}, {"key": "node.kubernetes.io/not-ready"}]
    items = [{"kind": "Node", "spec": {"taints": taints}}, {"kind": "Pod", "spec": {}}]
    assert untainted(items) == [{"kind": "Node", "spec": {"taints": taints[1:]}}, items[1]]
