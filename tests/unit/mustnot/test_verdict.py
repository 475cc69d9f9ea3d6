# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""When a row of docs/results/must-not-act.json is right, and that the table has what was promised."""

from __future__ import annotations

import dataclasses
import re
import subprocess
import sys
import typing as t

import pytest

from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.ledger import (
    Moment,
    Order,
    Policy,
    judge,
    parse,
)
from tests.chaos.outside import Unit
from tests.chaos.play import Ended
from tests.mustnot.cases import CASES, Case, entries
from tests.mustnot.verdict import mistakes, quoted
from tests.unit.chaos.test_verdict import NODE, VIEW

BY_ID: t.Final = {case.id: case for case in CASES}
STOPPED: t.Final = BY_ID["hands-off-annotation"]
SAID: t.Final = "refused     restart-kubelet: hands off, says the Node's\n   annotation x: Anna changes its disk"
REPORT: t.Final[dict[str, t.Any]] = {"outcome": "refused", "actions": []}
CORDONED: t.Final[dict[str, t.Any]] = {"metadata": {}, "spec": {"unschedulable": True}}
OURS: t.Final = {"metadata": {"annotations": {"outward.kubelet/cordoned-by": "x"}}, "spec": {"unschedulable": True}}
CORDON_CHANGED: t.Final = "the Node's cordon is not as it was"


@pytest.mark.parametrize(
    ("ended", "item", "wrong"),
    [
        (Ended(2, SAID, REPORT, 1.0), NODE, []),
        (Ended(2, SAID, {**REPORT, "actions": [{"step": "restart-kubelet"}]}, 1.0), NODE, ["it did restart-kubelet"]),
        (Ended(2, "refused", REPORT, 1.0), NODE, ["it does not say 'hands off, .* Anna changes its disk'"]),
        (
            Ended(2, SAID, {**REPORT, "outcome": "healthy"}, 1.0),
            NODE,
            ["outcome: expected refused, saw healthy", "exit status 2"],
        ),
        (Ended(0, SAID, REPORT, 1.0), NODE, ["exit status 0"]),
        (Ended(2, SAID, REPORT, 1.0), CORDONED, [CORDON_CHANGED]),
        (Ended(2, SAID, REPORT, 1.0), OURS, [CORDON_CHANGED]),
        (Ended(4, "no such file", None, 1.0), NODE, ["no report: no such file"]),
    ],
)
def test_a_row(ended: Ended, item: dict[str, t.Any], wrong: list[str]) -> None:
    assert mistakes(STOPPED, ended, VIEW, VIEW, item) == wrong


def test_a_restart_that_the_report_does_not_have() -> None:
    after = dataclasses.replace(VIEW, containerd=Unit("bbbb", 0, "active", "1"), ledger=1)
    assert mistakes(STOPPED, Ended(2, SAID, REPORT, 1.0), VIEW, after, NODE) == [
        "1 actions in the ledger",
        "containerd: another invocation (active, then active)",
    ]


def test_somebody_elses_cordon_has_to_stay_and_must_not_become_ours() -> None:
    case = BY_ID["cordoned-by-somebody"]
    ended = Ended(2, "somebody has cordoned it: ask who", REPORT, 1.0)
    assert mistakes(case, ended, VIEW, VIEW, CORDONED) == []
    for item in (NODE, OURS):
        assert mistakes(case, ended, VIEW, VIEW, item) == [CORDON_CHANGED]


def test_the_situations_that_were_promised() -> None:
    promised = {
        "api-server-down",
        "api-blackholed-for-all-nodes",
        "two-of-three-down",
        "last-ready-node",
        "hands-off-annotation",
        "flapping-with-a-healthy-kubelet",
        "ledger-spent",
        "ledger-unwritable",
    }
    assert promised <= set(BY_ID)
    assert {"useless", "gate"} <= {case.kind for case in CASES}
    assert len(BY_ID) == len(CASES)
    for case in CASES:
        re.compile(case.words)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_what_is_done_elsewhere_can_be_undone(case: Case) -> None:
    assert case.fault.undo or case.fault.scope == "host"
    assert case.workers == 1 or case.fault.scope == "cluster"


def test_the_ledger_that_is_put_on_a_node_is_one() -> None:
    program = entries("a", "b", "c").partition("ENTRIES'\n")[2].removesuffix("ENTRIES")
    ledger = parse(subprocess.run([sys.executable, "-c", program], check=True, capture_output=True).stdout)
    begun = ledger.entries[0].begun
    now = Moment(begun.wall + 60, begun.boot, begun.monotonic + 60)
    order = Order("restart-kubelet", "kubelet-stopped", "ffff", "x", "", "y")
    assert judge(ledger, order, now, Policy(3, 86400)).refusals
    assert not judge(ledger, order, now, Policy(4, 86400)).refusals
    assert re.search(BY_ID["ledger-spent"].words, judge(ledger, order, now, Policy(3, 86400)).refusals[0])


def test_the_words_are_quoted_with_what_stands_around_them() -> None:
    assert "Anna changes its disk" in quoted(STOPPED, Ended(2, SAID, REPORT, 1.0))
    assert quoted(STOPPED, Ended(2, "nothing", REPORT, 1.0)) == ""
