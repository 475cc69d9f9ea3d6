# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every fault is complete, is valid shell, and expects what our own rules can say."""

from __future__ import annotations

import subprocess
from collections import Counter
from pathlib import Path

import pytest

from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.diagnose import diagnose
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.registry import CAUSES
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.steps import CONTAINING, STEPS
from tests.faults import shell
from tests.faults.model import Fault, Step
from tests.faults.table import FAULTS, FIRST, NOT_INJECTED

CATALOGUE = set(Path(__file__).with_name("catalogue.txt").read_text().split())
# An injection may be there before its rule.
RULED = [fault for fault in FAULTS.values() if set(fault.root_causes) <= set(CAUSES)]
STEPS_OF_ALL = [
    pytest.param(step, id=f"{fault.id}-{number}")
    for fault in FAULTS.values()
    for number, step in enumerate((*fault.inject, fault.holds, *fault.undo))
]


@pytest.mark.parametrize("fault", FAULTS.values(), ids=lambda fault: fault.id)
def test_a_fault_is_named_as_the_catalogue_names_it(fault: Fault) -> None:
    assert callable(diagnose)  # importing it enters every rule
    assert set(fault.root_causes) <= CATALOGUE | set(CAUSES)
    assert set(fault.actions) <= set(STEPS)
    # What is safe to repair is repaired beside another root, which then is for the next run or for a person.
    beside = fault.outcome == "needs-operator" and len(fault.root_causes) > 1
    repaired = bool(set(fault.actions) - CONTAINING)
    assert repaired <= (fault.outcome == "recovered" or beside)
    assert (fault.outcome == "recovered") <= repaired


@pytest.mark.parametrize("fault", RULED, ids=lambda fault: fault.id)
def test_what_is_expected_fits_the_kind_of_its_cause(fault: Fault) -> None:
    kinds = {"root" if CAUSES[cause].kind == "derived" else CAUSES[cause].kind for cause in fault.root_causes}
    if "external" in kinds:  # whatever else was found, scope comes first
        assert fault.outcome == "external"
        return
    of_others = {"external", "not-a-node-fault", "healthy"}
    assert ("root" in kinds) == (fault.outcome not in of_others)
    assert fault.outcome not in of_others - {"healthy"} or kinds == {fault.outcome}
    assert (kinds == {"not-a-node-fault"}) == (fault.outcome == "not-a-node-fault")


def test_quiet_nodes_and_compounds_are_as_many_as_promised() -> None:
    kinds = Counter(fault.kind for fault in FAULTS.values())
    assert kinds["compound"] >= 15
    assert all(
        not fault.root_causes or fault.outcome == "not-a-node-fault"
        for fault in FAULTS.values()
        if fault.kind == "quiet"
    )


@pytest.mark.parametrize("step", STEPS_OF_ALL)
def test_every_script_parses(step: Step) -> None:
    helpers = shell.NODE if step.place == "node" else shell.CONTROLLER
    done = subprocess.run(["sh", "-n"], input=helpers + step.script, text=True, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_every_cause_that_we_know_has_an_injection_or_a_reason() -> None:
    injected = {cause for fault in FAULTS.values() for cause in (*fault.root_causes, fault.id)}
    assert set(CAUSES) - injected == set(NOT_INJECTED)


def test_the_first_causes_are_there() -> None:
    assert set(FAULTS) >= FIRST
