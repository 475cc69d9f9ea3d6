# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The result file is written row by row, and tells what need not be run again."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import pytest

from tests.matrix.results import Results


def row(case: str = "kubelet-stopped", **changes: t.Any) -> dict[str, t.Any]:
    return {"case": case, "mode": "recover", "commit": "abc1234", "ok": True, **changes}


def test_a_row_survives_and_is_replaced_not_doubled(tmp_path: Path) -> None:
    path = tmp_path / "docs" / "matrix.json"
    Results(path, "make matrix").put(row(ok=False), {"kubelet": "v1.37.2"})
    later = Results(path, "make matrix")
    later.put(row("other"), {})
    later.put(row(ok=True), {"containerd": "1.7.24"})
    data = json.loads(path.read_text())
    assert [(r["case"], r["ok"]) for r in data["rows"]] == [("kubelet-stopped", True), ("other", True)]
    assert data["versions"] == {"kubelet": "v1.37.2", "containerd": "1.7.24"}
    assert (data["made_by"], data["commit"]) == ("make matrix", "abc1234")


@pytest.mark.parametrize(
    ("entry", "asked", "done"),
    [
        (row(), "abc1234", True),
        (row(ok=False), "abc1234", True),
        (row(ok=None), "abc1234", False),
        (row(), "def5678", False),
        (row(commit="abc1234+"), "abc1234+", False),
        (row(mode="diagnose"), "abc1234", False),
        (row("other"), "abc1234", False),
    ],
)
def test_what_need_not_be_run_again(tmp_path: Path, entry: dict[str, t.Any], asked: str, done: bool) -> None:
    path = tmp_path / "matrix.json"
    Results(path, "make matrix").put(entry, {})
    assert Results(path, "make matrix").done("kubelet-stopped", "recover", asked) is done


def test_rows_of_faults_that_are_no_more_go(tmp_path: Path) -> None:
    path = tmp_path / "matrix.json"
    results = Results(path, "make matrix")
    for case in ("kubelet-stopped", "kubelet-stopped #2", "renamed", "renamed #2"):
        results.put(row(case), {})
    results.keep({"kubelet-stopped"})
    assert [each["case"] for each in Results(path, "make matrix").rows] == ["kubelet-stopped", "kubelet-stopped #2"]
