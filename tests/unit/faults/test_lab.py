# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Injecting: in order, patient, and honest about what failed."""

from __future__ import annotations

import dataclasses

import pytest

from tests.faults import lab
from tests.faults.lab import NotInjected, Result, inject, undo
from tests.faults.model import Fault, Step, controller, node

FAULT = Fault(
    id="broken",
    inject=(node("break"), controller("break more")),
    holds=node("holds"),
    undo=(node("mend"),),
    outcome="needs-operator",
    deadline=5.0,
)


class Shell:
    """Answers from a script's name to its results, one after the other; the last one stays."""

    def __init__(self, answers: dict[str, list[int]]) -> None:
        self.answers = answers
        self.asked: list[tuple[str, str, str]] = []

    def __call__(self, step: Step, host: str, seconds: float) -> Result:
        self.asked.append((step.place, step.script, host))
        codes = self.answers.get(step.script, [0])
        return Result(codes.pop(0) if len(codes) > 1 else codes[0], f"said by {step.script}")


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lab, "PAUSE", 0.001)


def test_steps_run_in_order_and_then_it_is_polled_until_it_holds() -> None:
    shell = Shell({"holds": [1, 1, 0]})
    inject(FAULT, "pi-04", shell)
    assert [script for dummy, script, dummy in shell.asked] == ["break", "break more", "holds", "holds", "holds"]
    assert [place for place, dummy, dummy in shell.asked][:2] == ["node", "controller"]
    assert {host for dummy, dummy, host in shell.asked} == {"pi-04"}


def test_a_fault_that_does_not_take_hold_is_no_fault() -> None:
    with pytest.raises(NotInjected, match="broken did not take hold in 0 s: said by holds"):
        inject(dataclasses.replace(FAULT, deadline=0.05), "pi-04", Shell({"holds": [1]}))


def test_a_step_that_fails_is_named_and_the_next_is_not_taken() -> None:
    shell = Shell({"break": [7]})
    with pytest.raises(NotInjected, match="inject, step 1, on the node: status 7: said by break"):
        inject(FAULT, "pi-04", shell)
    assert len(shell.asked) == 1


def test_undo_says_when_it_could_not() -> None:
    with pytest.raises(NotInjected, match="undo, step 1"):
        undo(FAULT, "pi-04", Shell({"mend": [1]}))
