# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is typed is a repair of the node alone, and only news from after it counts."""

from __future__ import annotations

import subprocess
import typing as t
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tests.faults.lab import whole
from tests.faults.model import Fault
from tests.faults.shell import NODE
from tests.faults.table import FAULTS
from tests.floor.hand import (
    UP,
    Asked,
    blind_patience,
    entry,
    first_change,
    kept,
    lives,
    only_restarts,
    recovered,
    restarts,
    symptom_gone,
    typed,
    works,
)
from tests.floor.table import page
from tests.unit.helpers import NOW
from tests.unit.helpers_cluster import changed, condition, conditions, container, healthy_cluster, lease, pod

RUNS: t.Final = pod("web", container())


@pytest.mark.parametrize("fault", recovered(), ids=lambda fault: fault.id)
def test_every_recovered_fault_can_be_repaired_by_hand(fault: Fault) -> None:
    script = typed(fault)
    assert script not in ("", UP)
    assert subprocess.run(["sh", "-n"], input=whole(NODE, script), text=True, check=False).returncode == 0
    gone = symptom_gone(fault)
    if gone is not None:
        assert subprocess.run(["sh", "-n"], input=gone.script, text=True, check=False).returncode == 0


def test_the_undo_of_a_fault_is_its_repair_unless_the_step_has_lines_of_its_own() -> None:
    assert typed(FAULTS["kubelet-feature-gate-invalid"]) == f"back; restart kubelet\n{UP}"
    assert typed(FAULTS["kubelet-stopped"]).startswith("restart kubelet\n")
    # Of two steps one is not known: nothing of the step that is known is typed twice.
    assert typed(FAULTS["kubelet-node-ip-invalid"]) == f"back; restart kubelet\n{UP}"


def test_what_is_typed_removes_what_fills_the_disk() -> None:
    assert typed(FAULTS["disk-pressure-unused-image"]).startswith("ctr -n k8s.io images rm --sync ")
    assert typed(FAULTS["container-log-unrotated"]).startswith("truncate ")
    assert typed(FAULTS["disk-pressure-package-cache"]).startswith("rm /var/cache/apt/archives/")


def test_what_is_tidied_up_elsewhere_is_not_typed() -> None:
    assert "kubectl" not in typed(FAULTS["containerd-sandbox-image-missing"])


def test_only_a_restart_that_is_asked_for_makes_a_new_kubelet() -> None:
    assert restarts(typed(FAULTS["kubelet-stopped"]))
    assert not restarts(typed(FAULTS["ip-forward-disabled"]))
    assert only_restarts(FAULTS["node-object-deleted"])
    assert not only_restarts(FAULTS["kubelet-node-ip-invalid"])


def test_a_blind_restart_is_given_more_time_than_the_repair_took() -> None:
    assert [blind_patience(hand) for hand in (None, 4.0, 100.0)] == [30.0, 30.0, 300.0]


def test_a_symptom_that_a_journal_remembers_is_not_waited_for() -> None:
    assert symptom_gone(FAULTS["containerd-cri-disabled"]) is None
    assert symptom_gone(FAULTS["image-gc-failing-package-cache"]) is None
    crashes = symptom_gone(FAULTS["kubelet-swap-on"])
    assert crashes is not None
    assert crashes.script.startswith("if ([ $(substate kubelet) = auto-restart ]")
    assert symptom_gone(FAULTS["kubelet-end-unnoticed"]) is not None
    pod = symptom_gone(FAULTS["cni-ipam-exhausted"])
    assert pod is not None
    assert (pod.place, "kubectl get pod $POD" in pod.script) == ("controller", True)


@pytest.mark.parametrize(
    ("status", "posted", "renewed", "posts", "good"),
    [
        ("True", 1, 5, True, True),
        ("False", 1, 5, True, False),
        ("Unknown", 1, 5, False, False),
        ("True", -1, 5, True, False),
        ("True", -1, 5, False, True),  # a kubelet that was well all the time posts each 5 min
        ("True", 1, -5, True, False),
        ("True", 1, 3600, True, False),  # a node whose clock is wrong
    ],
)
def test_only_news_counts(status: str, posted: int, renewed: int, posts: bool, good: bool) -> None:
    asked = Asked(NOW - timedelta(seconds=60), posts)
    ready = replace(condition("Ready", status), heartbeat=asked.at + timedelta(seconds=posted))
    renewal = replace(lease(0, "101"), renewed=asked.at + timedelta(seconds=renewed))
    cluster = healthy_cluster(node__conditions=(ready,), node__lease=renewal)
    assert lives(cluster.node, asked, NOW) is good


def test_a_node_without_a_lease_or_without_a_node_does_not_work() -> None:
    asked = Asked(NOW, posts=False)
    assert not works(None, asked, NOW, "kubelet-swap-on")
    assert not works(healthy_cluster(node__lease=None).node, asked, NOW, "kubelet-swap-on")


@pytest.mark.parametrize(
    ("before", "now", "good"),
    [
        ({}, {}, True),
        ({}, {"node__pods": (changed(RUNS, ready=False),)}, False),
        ({"node__pods": (changed(RUNS, phase="Pending"),)}, {"node__pods": (changed(RUNS, ready=False),)}, True),
        ({}, {"node__conditions": conditions(DiskPressure="True")}, False),
    ],
    ids=["well", "a Pod is not ready yet", "nor was it before", "under pressure"],
)
def test_it_works_when_what_our_proof_waits_for_is_there(
    before: dict[str, t.Any], now: dict[str, t.Any], good: bool
) -> None:
    shown = {"node__pods": (RUNS,)}
    asked = Asked(NOW - timedelta(seconds=60), False, healthy_cluster(**{**shown, **before}).node)
    after = {**shown, "node__lease": replace(lease(0, "101"), renewed=NOW), **now}
    assert works(healthy_cluster(**after).node, asked, NOW, "kubelet-swap-on") is good


def test_a_row_is_right_when_both_ways_came_to_an_end() -> None:
    assert entry(60.0, 40.0, None)["seen"]["ratio"] == 1.5
    pairs: tuple[tuple[float | None, float | None], ...] = ((60.0, 40.0), (None, 40.0), (60.0, None))
    assert [entry(ours, by_hand, None)["ok"] for ours, by_hand in pairs] == [True, False, False]


def test_what_has_passed_before_anything_was_changed() -> None:
    later = {"actions": [{"started": "2026-11-25T10:00:07Z"}, {"started": "2026-11-25T10:00:05.500000Z"}, {}]}
    began = datetime(2026, 11, 25, 10, tzinfo=UTC)
    assert (first_change(later, began), first_change({"actions": []}, began)) == (5.5, None)
    assert entry(12.0, 4.0, None, 5.5)["seen"]["looked"] == 5.5
    # A clock that is wrong on the node says nothing of it.
    assert [entry(12.0, 4.0, None, looked)["seen"]["looked"] for looked in (-80.0, 900.0)] == [None, None]


def test_the_page_has_the_median_and_what_a_blind_restart_did() -> None:
    cured = {"cured": True, "seconds": 30.0}
    rows = [
        {"case": "a", "note": "", **entry(60.0, 40.0, None)},
        {"case": "b", "note": "", **entry(90.0, 30.0, {"cured": False, "seconds": None}, 12.0)},
        {"case": "c", "note": "", **entry(20.0, 20.0, cured)},
        {"case": "d", "note": "could not be run: no reset", "seen": None},
    ]
    text = page({"made_by": "x", "date": "2026-11-25T00:00:00Z", "commit": "abc", "versions": {}, "rows": rows})
    assert (
        "**Median ratio 1.50 over 3 faults; 12 s (median) pass before anything is changed, and what comes after "
        in text
    )
    assert "after takes 2.60 times what the hands took; a blind restart cured 1 of 2 within 3 times " in text
    assert "within 3 times what the hands took, 30 s at least." in text
    assert "| `b` | 90 s | 12 s | 30 s | 3.00 | does not cure |  |" in text
    assert "| `c` | 20 s | - | 20 s | 1.00 | cures, 30 s |  |" in text
    assert "| `d` | not run | - | not run | - | not run | could not be run: no reset |" in text


def test_what_a_blind_restart_did_is_kept_when_it_is_not_tried_again() -> None:
    cures, useless = {"cured": True, "seconds": 5.0}, {"cured": False, "seconds": None}
    new, old = {"case": "a", **entry(8.0, 4.0, None)}, {"case": "a", **entry(9.0, 3.0, cures)}
    assert kept(new, [old]) == {"case": "a", **entry(8.0, 4.0, cures)}
    assert kept(new, [{**old, "case": "b"}, {"case": "a", "seen": None}]) == new
    tried = {"case": "a", **entry(8.0, 4.0, useless)}
    assert kept(tried, [old]) == tried
