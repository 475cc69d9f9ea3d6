# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""When a row of docs/results/drain.json is right."""

from __future__ import annotations

import typing as t
import zipfile
from pathlib import Path

import pytest

from tests.drain.cases import BUDGET, CASES, NAMESPACE, Case
from tests.drain.neighbour import COLLECTION, unpack
from tests.drain.tools import TOOLS, Ended
from tests.drain.verdict import evicted, mistakes, seen

NEVER: t.Final = next(case for case in CASES if case.id == "pdb-never-opens")
CORDONED: t.Final = {"spec": {"unschedulable": True}}


def pod(uid: str, phase: str = "Running", *reasons: str) -> dict[str, t.Any]:
    marks = [{"type": "DisruptionTarget", "reason": reason} for reason in reasons]
    return {"metadata": {"uid": uid}, "status": {"phase": phase, "conditions": marks}}


def test_the_cases_that_were_promised() -> None:
    promised = {
        "pdb-opens-after-20s",
        "pdb-never-opens",
        "bare-pod",
        "emptydir",
        "terminating",
        "dead-node",
        "sixty-pods",
    }
    assert promised <= {case.id for case in CASES}
    assert len(TOOLS) == 3


def test_a_right_row() -> None:
    said = f"PodDisruptionBudget {NAMESPACE}/{BUDGET}: it allows 0 disruptions"
    after = [pod("1"), pod("2"), pod("new"), pod("3", "Succeeded")]
    found = seen(NEVER, Ended(False, said, 31.0), {"1", "2", "3"}, after, CORDONED)
    assert found == {"end": "failed", "left": 2, "cordoned": True, "named": True}
    assert mistakes(NEVER, found, 31.0) == []


@pytest.mark.parametrize(
    ("ended", "after", "node", "wrong"),
    [
        (
            Ended(True, BUDGET, 31),
            ["1", "2"],
            CORDONED,
            ["end: expected failed, saw done", "named: expected True, saw False"],
        ),
        (Ended(False, "budget guard", 31), ["1"], CORDONED, ["left: expected 2, saw 1"]),
        (Ended(False, "budget guard", 31), ["1", "2"], {"spec": {}}, ["cordoned: expected True, saw False"]),
        (Ended(False, "budget guard", 3), ["1", "2"], CORDONED, ["took 3 s, not 30 to 50"]),
    ],
)
def test_wrong_rows(ended: Ended, after: list[str], node: dict[str, t.Any], wrong: list[str]) -> None:
    found = seen(NEVER, ended, {"1", "2"}, [pod(uid) for uid in after], node)
    assert mistakes(NEVER, found, ended.seconds) == wrong


def test_the_mark_of_an_eviction() -> None:
    assert evicted([pod("1"), pod("2", "Running", "EvictionByEvictionAPI")])
    assert not evicted([pod("1", "Running", "PreemptionByScheduler")])


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_a_case_asks_for_what_is_seen(case: Case) -> None:
    facts = {"end", "left", "cordoned", "named", "evicted_again"}
    assert set(case.expected) <= facts
    assert ("named" in case.expected) == bool(case.words)
    assert ("evicted_again" in case.expected) == case.deleted
    assert all(item["metadata"]["namespace"] == NAMESPACE for item in case.objects("pi-06"))


def test_only_one_collection_is_unpacked(tmp_path: Path) -> None:
    wheel = tmp_path / "ansible-12.whl"
    with zipfile.ZipFile(wheel, "w") as package:
        package.writestr(f"{COLLECTION}MANIFEST.json", "{}")
        package.writestr("ansible_collections/other/one/MANIFEST.json", "{}")
    unpack(wheel, tmp_path)
    assert [path.name for path in (tmp_path / "ansible_collections").iterdir()] == ["kubernetes"]
