# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether the cap held, by what was seen from the outside: a near miss for each thing that is asked."""

from __future__ import annotations

import dataclasses
import json
import typing as t
from datetime import UTC, datetime, timedelta

import pytest

from tests.chaos.outside import View
from tests.chaos.play import Ended
from tests.concurrency.verdict import Change, Sample, change, mistakes, most, most_down, statuses
from tests.concurrency.watch import documents
from tests.unit.chaos.test_verdict import UNIT, VIEW

BEGIN: t.Final = datetime(2026, 11, 23, 15, tzinfo=UTC)
SEEN: t.Final = {"in_hand": 1, "down": 1, "changes": 9}
DONE: t.Final = dataclasses.replace(VIEW, ledger=1)
Runs = list[dict[str, dict[str, t.Any]]]
RUNS: t.Final[Runs] = [{"pi-04": {"outcome": "recovered"}}, {"pi-04": {"outcome": "healthy"}}]


def held(seconds: float, slot: int, node: str, lasts: float = 60) -> Change:
    at = BEGIN + timedelta(seconds=seconds)
    return Change(at, f"outward-kubelet-{slot}", node, at + timedelta(seconds=lasts))


def sample(seconds: float, host: str, state: str) -> Sample:
    return Sample(BEGIN + timedelta(seconds=seconds), host, state)


def test_a_lease_as_it_comes() -> None:
    spec = {"holderIdentity": "pid-1@x/pi-04", "renewTime": "2026-11-23T15:00:00.000000Z", "leaseDurationSeconds": 60}
    item = {"metadata": {"name": "outward-kubelet-0"}, "spec": spec}
    assert change(item, BEGIN) == held(0, 0, "pi-04")
    assert change({**item, "spec": {}}, BEGIN).node == ""


@pytest.mark.parametrize(
    ("changes", "nodes"),
    [
        ([held(0, 0, "pi-04"), held(5, 0, ""), held(6, 0, "pi-05")], 1),
        ([held(0, 0, "pi-04"), held(5, 1, "pi-05")], 2),
        ([held(5, 1, "pi-05"), held(0, 0, "pi-04")], 2),  # whatever the order they are given in
        ([held(0, 0, "pi-04"), held(60, 1, "pi-05")], 1),  # the first had expired
        ([held(0, 0, "pi-04"), held(59, 1, "pi-05")], 2),
        ([held(0, 0, "pi-04"), held(59, 0, "pi-04"), held(60, 1, "pi-05")], 2),  # it was renewed
        ([], 0),
    ],
)
def test_how_many_nodes_were_in_hand(changes: list[Change], nodes: int) -> None:
    assert most(changes) == nodes


def test_how_many_kubelets_were_down() -> None:
    up = [sample(0, host, "active") for host in ("pi-04", "pi-05", "pi-06")]
    one = [sample(1, "pi-04", "deactivating"), sample(2, "pi-04", "active"), sample(3, "pi-05", "activating")]
    assert most_down([*up, *one]) == 1
    assert most_down([*up, *one, sample(1.5, "pi-06", "inactive")]) == 2
    assert most_down([sample(0, "pi-04", "inactive"), sample(0, "pi-05", "inactive")]) == 0  # as they were found


@pytest.mark.parametrize(
    ("runs", "after", "seen", "wrong"),
    [
        (RUNS, DONE, SEEN, []),
        (RUNS, DONE, {**SEEN, "in_hand": 2}, ["2 nodes were in hand at once"]),
        (RUNS, DONE, {**SEEN, "down": 2}, ["2 kubelets were down at once"]),
        (RUNS, DONE, {**SEEN, "changes": 0}, ["nothing was seen of the lock: the watch did not work"]),
        ([RUNS[0], RUNS[0]], DONE, SEEN, ["pi-04: recovered, recovered"]),
        ([RUNS[0], {}], DONE, SEEN, ["pi-04: recovered, no report"]),
        ([RUNS[0], {"pi-04": {"outcome": "refused"}}], DONE, SEEN, ["pi-04: recovered, refused"]),
        (RUNS, dataclasses.replace(DONE, ledger=2), SEEN, ["pi-04: its ledger has 2 actions"]),
        (
            RUNS,
            dataclasses.replace(DONE, kubelet=dataclasses.replace(UNIT, state="failed")),
            SEEN,
            ["pi-04: its kubelet is failed"],
        ),
    ],
)
def test_a_row(runs: Runs, after: View, seen: dict[str, int], wrong: list[str]) -> None:
    assert mistakes(1, runs, {"pi-04": after}, seen) == wrong


def test_runs_that_did_not_end_well() -> None:
    assert statuses([Ended(0, "", None, 1.0), Ended(2, "", None, 1.0)]) == ["run 2 ended with 2"]


def test_each_object_of_a_watch_comes_when_it_is_whole() -> None:
    stream = json.dumps({"a": 1}, indent=4) + "\n" + json.dumps({"b": [2]}, indent=4) + "\n{"
    assert list(documents(stream.splitlines(keepends=True))) == [{"a": 1}, {"b": [2]}]
