# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Many reports of the same nodes -> since when each cause was seen, and whether it came back. Pure."""

from __future__ import annotations

import typing as t
from collections.abc import Iterable

from .evidence import JSON


def history(reports: Iterable[JSON]) -> list[JSON]:
    """One row for each node and root cause, by node and then by when it was seen first.

    A run that could not tell neither shows a cause nor that it is gone; a recovery that was proven ends it.
    """
    rows: dict[tuple[str, str], dict[str, t.Any]] = {}
    for run in sorted(filter(_tells, reports), key=lambda run: str(run["started"])):
        _enter(rows, str(run["node"]), str(run["started"]), run)
    return sorted(rows.values(), key=lambda row: (row["node"], row["first"], row["cause"]))


def _enter(rows: dict[tuple[str, str], dict[str, t.Any]], node: str, at: str, run: JSON) -> None:
    causes = _causes(run)
    for cause in causes:
        row = rows.setdefault((node, cause), _new(node, cause, at))
        if not row["now"]:
            row["since"] = at
            row["returns"] += 1
        row |= {"last": at, "runs": row["runs"] + 1, "now": True}
    for (other, cause), row in rows.items():
        if other == node and (cause not in causes or run.get("outcome") == "recovered"):
            row["now"] = False


def _new(node: str, cause: str, at: str) -> dict[str, t.Any]:
    """`now` is true from the start, so that the first run is no return."""
    return {
        "node": node,
        "cause": cause,
        "first": at,
        "since": at,
        "last": at,
        "runs": 0,
        "returns": 0,
        "now": True,
    }


def _tells(run: JSON) -> bool:
    if not isinstance(run, dict) or not {"node", "started"} <= run.keys():
        return False
    return bool(_causes(run)) or _diagnosis(run).get("status", run.get("status")) != "unknown"


def _causes(run: JSON) -> list[str]:
    found = _diagnosis(run).get("root_causes", run.get("root_causes"))
    return [str(cause) for cause in found] if isinstance(found, list) else []


def _diagnosis(run: JSON) -> JSON:
    inner = run.get("diagnosis")
    return inner if isinstance(inner, dict) else {}
