# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a repair asks is enough to tell whether it is right and whether it worked; where it is not, all is asked."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest

from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.evidence import from_json
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.node import NodeEvidence
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.proof import Action, Moment, prove
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.registry import CAUSES, Cause
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.repair import LOOPING, REPAIRS, Repair
from ansible_collections.outward.kubelet.plugins.module_utils._host.observe import SECTIONS, SHOWING
from ansible_collections.outward.kubelet.plugins.module_utils._host.repair.run import ALWAYS, Repairing
from tests.faults.table import FAULTS
from tests.matrix.recording import RECORDINGS
from tests.unit.helpers import healthy_node
from tests.unit.helpers_cluster import healthy_cluster
from tests.unit.helpers_host import answered
from tests.unit.helpers_repair import Fake, Patient, request
from tests.unit.repair_cases import CASES, fake

PLUGINS = Path(__file__).parents[5] / "plugins"
REPAIRED = {cause.id: cause for cause in CAUSES.values() if cause.repair in REPAIRS}


def recorded() -> list[tuple[Path, str]]:
    files = [(file, FAULTS[file.stem]) for file in sorted(RECORDINGS.glob("v*/*.json")) if file.stem in FAULTS]
    singles = [(file, fault.root_causes[0]) for file, fault in files if fault.kind == "single" and fault.root_causes]
    return [(file, cause) for file, cause in singles if cause in REPAIRED]


def asked(cause: Cause) -> tuple[Repair, frozenset[str]]:
    assert cause.repair is not None
    return REPAIRS[cause.repair], ALWAYS | REPAIRS[cause.repair].asks


def test_most_repairs_have_a_recording() -> None:
    assert len({cause for dummy, cause in recorded()}) > 50


@pytest.mark.parametrize(("file", "cause"), recorded(), ids=lambda value: getattr(value, "stem", value))
def test_it_decides_on_a_real_node_as_the_whole_does(file: Path, cause: str, tmp_path: Path) -> None:
    whole = from_json(NodeEvidence, json.loads(file.read_text())["node"])
    repair, questions = asked(REPAIRED[cause])
    run = Repairing(repair, Patient(whole, []), Fake(tmp_path), request(tmp_path, cause))
    assert list(run._refusals(answered(whole, questions))) == list(run._refusals(whole))
    assert repair.changes(answered(whole, questions)) == repair.changes(whole)


@pytest.mark.parametrize("cause", REPAIRED)
def test_it_is_enough_for_the_proof(cause: str) -> None:
    """Else the controller would look at the whole node once more; a step that a restart follows is proven with that."""
    repair, questions = asked(REPAIRED[cause])
    moment = Moment(answered(healthy_node(), questions | SHOWING), healthy_cluster())
    checks = prove((Action(repair.step, cause, moment.node.observed),), moment, moment).checks
    assert [name for name, ok in checks.items() if ok is None] == []


def test_there_are_such_questions() -> None:
    known = {question for questions, dummy in SECTIONS.values() for question in questions}
    assert {question for repair in REPAIRS.values() for question in ALWAYS | repair.asks} <= known


@pytest.mark.parametrize("cause", [c for c in REPAIRED.values() if "sym:kubelet-crashloop" in c.explains])
def test_what_keeps_a_kubelet_from_starting_asks_whether_it_loops(cause: Cause) -> None:
    assert asked(cause)[1] >= LOOPING


def test_no_rule_takes_what_was_not_asked_for_what_is_not_so() -> None:
    """It would, if it caught Undecided."""
    for home in ("causes", "repairs"):
        for file in (PLUGINS / "module_utils/_diagnosis" / home).glob("*.py"):
            names = {node.id for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Name)}
            assert names.isdisjoint({"Undecided", "suppress"}), file


def test_when_it_does_not_decide_all_is_asked(tmp_path: Path) -> None:
    case = next(case for case in CASES if case.cause == "kubelet-swap-on")
    broken = healthy_node(**case.broken)
    host = Patient(broken, [broken, healthy_node()])
    repair = asked(CAUSES[case.cause])[0]._replace(asks=frozenset())
    outcome = Repairing(repair, host, fake(case, tmp_path), request(tmp_path, case.cause)).carry_out()
    assert (outcome.refusals, outcome.result) == ((), "done")
    assert host.asked == [ALWAYS, None, ALWAYS | SHOWING, None]


def test_the_end_of_a_failed_proof_is_looked_at_as_a_whole(tmp_path: Path) -> None:
    """The report is to say what is wrong there."""
    case = next(case for case in CASES if case.cause == "kubelet-swap-on")
    host = Patient(healthy_node(**case.broken), [healthy_node(**case.broken)])
    repair, questions = asked(CAUSES[case.cause])
    outcome = Repairing(repair, host, fake(case, tmp_path), request(tmp_path, case.cause)).carry_out()
    assert outcome.result == "failed"
    assert (host.asked[0], host.asked[1], host.asked[-1]) == (questions, questions | SHOWING, None)
    assert outcome.evidence == host.current
