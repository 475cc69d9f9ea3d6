# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Since when a cause was seen, and whether it came back."""

from __future__ import annotations

import typing as t

from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.history import history


def run(day: int, *causes: str, **more: t.Any) -> dict[str, t.Any]:
    status = more.pop("status", "faulty" if causes else "healthy")
    diagnosis = {"status": status, "root_causes": list(causes)}
    return {"node": "pi-04", "started": f"2026-11-{day:02}T00:00:00Z", "diagnosis": diagnosis, **more}


def rows(*runs: dict[str, t.Any]) -> list[tuple[t.Any, ...]]:
    """Cause, days of first, since and last, runs, returns, now."""
    return [
        (r["cause"], *(int(r[k][8:10]) for k in ("first", "since", "last")), r["runs"], r["returns"], r["now"])
        for r in history(runs)
    ]


def test_a_cause_that_stays_is_one_and_does_not_come_back() -> None:
    assert rows(run(1, "a"), run(2, "a")) == [("a", 1, 1, 2, 2, 0, True)]


def test_a_run_without_it_ends_it_and_another_with_it_is_a_return() -> None:
    assert rows(run(3, "a"), run(1, "a"), run(2)) == [("a", 1, 3, 3, 2, 1, True)]
    assert rows(run(1, "a"), run(2, "b")) == [("a", 1, 1, 1, 1, 0, False), ("b", 2, 2, 2, 1, 0, True)]


def test_a_proven_recovery_ends_it() -> None:
    assert rows(run(1, "a", outcome="recovered")) == [("a", 1, 1, 1, 1, 0, False)]
    assert rows(run(1, "a", outcome="recovered"), run(2, "a")) == [("a", 1, 2, 2, 2, 1, True)]


def test_a_run_that_could_not_tell_clears_nothing() -> None:
    assert rows(run(1, "a"), run(2, status="unknown"), run(3, "a")) == [("a", 1, 1, 3, 2, 0, True)]


def test_nodes_are_kept_apart_and_short_rows_will_do() -> None:
    short = {"node": "pi-05", "started": "2026-11-02T00:00:00Z", "root_causes": ["a"]}
    assert [(r["node"], r["now"]) for r in history([run(1, "a"), short, "junk", {}])] == [
        ("pi-04", True),
        ("pi-05", True),
    ]
