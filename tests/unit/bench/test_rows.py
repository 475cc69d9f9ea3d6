# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rows of bench.json."""

from __future__ import annotations

from tests.bench.cost import rows
from tests.bench.node import Cost
from tests.bench.rows import limit, line, ratio


def test_the_median_pair_counts_and_not_the_ratio_of_sums() -> None:
    row = ratio("ours to theirs", [(1.0, 1.0), (9.0, 2.0), (1.2, 1.0)], 1.3)
    assert (row["seen"]["ratio"], row["seen"]["ratios"], row["ok"]) == (1.2, [1.0, 4.5, 1.2], True)


def test_a_goal_is_reached_at_its_limit_and_missed_above() -> None:
    assert [limit("peak", value, 40.0)["ok"] for value in (39.9, 40.0, 40.1)] == [True, True, False]
    assert line(limit("peak", 41.0, 40.0)).split() == ["MISSED", "peak", "41.0", "(goal", "<=", "40.0)"]


def test_a_clock_that_stood_still_is_no_pair() -> None:
    assert ratio("cpu", [(1.0, 0.0), (2.0, 1.0)], 1.3)["seen"]["ratios"] == [2.0]


def test_diagnosis_is_set_beside_ping_and_setup() -> None:
    def runs(wall: float, cpu: float, peak: float) -> list[tuple[float, Cost]]:
        return [(wall, Cost(wall - 1, cpu, peak))] * 3

    found = rows({"ping": runs(10, 4, 20), "node_diagnosis": runs(12, 5, 30), "setup": runs(20, 10, 40)})
    assert [(row["case"].split(",")[0], row["ok"]) for row in found] == [
        ("node_diagnosis to ping", True),
        ("node_diagnosis to ping", True),
        ("node_diagnosis to setup", True),
        ("node_diagnosis to setup", True),
        ("node_diagnosis", True),
    ]
    assert found[1]["seen"]["ratio"] == 1.25
