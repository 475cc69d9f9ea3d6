# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What makes a row of tests/disk right: enough is freed, nothing of anybody's went, and an owner is named."""

from __future__ import annotations

import json
import typing as t
from dataclasses import replace

import pytest

from tests.disk.verdict import CASES, Case, View, gone, seen, view, wanted, wrong

UID = "0123abcd-0000-4000-8000-00000000feed"
VOLUME = f"/var/lib/kubelet/pods/{UID}/volumes/kubernetes.io~empty-dir/data/table"
LOG = f"/var/log/pods/default_web_{UID}/app"
OLD, LIVE, DEB = f"{LOG}/0.log.20261123-150000", f"{LOG}/0.log", "/var/cache/apt/archives/x.deb"
BEFORE = View(100, 50, {VOLUME: 9, OLD: 7, LIVE: 2, DEB: 5}, frozenset({UID}), frozenset({"web:1"}), frozenset())
BY_NAME = {case.fault.id: case for case in CASES}
LOGS, VOLUMES = BY_NAME["container-log-growth"], BY_NAME["disk-pressure-volume"]
WHY = "9 GiB are needed. The largest there: volumes of Pod default/outward-fault-pi-04 1.2 GiB"


def without(*paths: str, available: int = 200, **more: t.Any) -> View:
    files = {path: size for path, size in BEFORE.files.items() if path not in paths}
    return replace(BEFORE, available=available, files=files, **more)


def report(case: Case, why: str = WHY) -> dict[str, t.Any]:
    acted = bool(case.fault.actions)
    return {
        "diagnosis": {"root_causes": case.fault.root_causes, "findings": []},
        "outcome": case.fault.outcome,
        "actions": [{"step": step, "changes": ["freed 7 B in 1 of 3 pieces"]} for step in case.fault.actions],
        "plan": [{"step": step, "permitted": True, "why": ""} for step in case.fault.actions]
        or [{"step": "free-disk-space", "permitted": False, "why": why}],
        "proof": {"proven": acted, "checks": {}},
        "next": "kubectl describe pod -n default outward-fault-pi-04 says whose data fills the disk",
        "evidence": None,
    }


def test_what_nobody_misses_may_go_and_the_row_says_what_went_and_what_was_kept() -> None:
    after = without(OLD)
    assert wrong(LOGS, "pi-04", report(LOGS), BEFORE, after) == []
    found = seen(LOGS, report(LOGS), BEFORE, after)
    assert found["available"] == {"before": 100, "after": 200, "freed": 100}
    assert found["gone"] == {"rotated logs": "1 files, 7 bytes"}
    assert found["kept"] == {
        "live logs": "1 files, 2 bytes",
        "packages": "1 files, 5 bytes",
        "volumes": "1 files, 9 bytes",
        "images": 1,
    }


@pytest.mark.parametrize(
    ("case", "after", "words"),
    [
        (LOGS, without(OLD, LIVE), f"{LIVE} went"),
        (LOGS, without(OLD, VOLUME), f"{VOLUME} went"),
        (LOGS, without(OLD, available=100), "only 0 were freed"),
        (VOLUMES, without(VOLUME), f"{VOLUME} went"),
        (VOLUMES, without(DEB), f"{DEB} went"),
        (VOLUMES, without(images=frozenset()), "image web:1 went"),
    ],
)
def test_each_thing_that_must_not_happen(case: Case, after: View, words: str) -> None:
    assert wrong(case, "pi-04", report(case), BEFORE, after) == [words]


def test_an_owner_has_to_be_named_in_the_plan_and_in_the_next_command() -> None:
    assert wrong(VOLUMES, "pi-04", report(VOLUMES), BEFORE, BEFORE) == []
    unnamed = wrong(VOLUMES, "pi-04", report(VOLUMES, "it is full") | {"next": "du"}, BEFORE, BEFORE)
    assert unnamed == ["default/outward-fault-pi-04 is not named: ['it is full']", "next: du"]
    assert wanted(VOLUMES, "pi-04")["owner"] == "default/outward-fault-pi-04"
    assert wanted(VOLUMES, "pi-04")["gone"] == "nothing"


def test_what_the_kubelet_takes_down_with_a_pod_is_not_ours() -> None:
    assert gone(BEFORE, without(OLD, LIVE, VOLUME, pods=frozenset())) == []
    removed = without(images=frozenset(), by_kubelet=frozenset({"sha256:ab"}))
    assert wrong(VOLUMES, "pi-04", report(VOLUMES), BEFORE, removed) == []


def test_a_view_is_what_the_node_printed() -> None:
    data = {"available": 1, "inodes": 2, "files": {"/a": 3}, "pods": ["p"], "images": ["i"], "by_kubelet": []}
    assert view(json.dumps(data)) == View(1, 2, {"/a": 3}, frozenset({"p"}), frozenset({"i"}), frozenset())


def test_every_way_to_fill_a_disk_is_there() -> None:
    assert {case.kind for case in CASES} >= {"logs", "images", "inodes", "volume"}
    assert all(case.fault.outcome == "refused" for case in CASES if case.owner)


def test_the_log_of_a_pod_that_was_evicted_before_the_first_look_is_none_of_ours() -> None:
    late = f"/var/log/pods/default_agent_{UID.replace('feed', 'beef')}/agent/0.log"
    before = replace(BEFORE, files={**BEFORE.files, late: 3})
    assert gone(before, BEFORE) == []
    assert gone(before, replace(BEFORE, files={late: 3})) == sorted(BEFORE.files)
