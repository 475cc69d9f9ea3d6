# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""`--check` says what a real run would do, and changes nothing on the node and in the cluster."""

from __future__ import annotations

import json
from pathlib import Path

from tests.tools.scenario import Report
from tests.tools.untouched import state


def test_units_files_and_objects_are_what_they_were(reports: Path) -> None:
    before = json.loads((reports / "state.json").read_text())
    now = state("pi-04")
    assert {kind: len(before[kind]) > 5 for kind in ("files", "objects")} == {"files": True, "objects": True}
    for kind in before:
        assert now[kind] == before[kind]


def test_the_plan_is_that_of_a_real_run(report: Report) -> None:
    assert report["diagnosis"]["root_causes"] == ["kubelet-stopped"]
    assert [(step["step"], step["permitted"]) for step in report["plan"]] == [("restart-kubelet", True)]
    assert (report["mode"], report["actions"], report["outcome"]) == ("check", [], "diagnosed")
