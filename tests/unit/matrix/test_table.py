# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The page that people read says what the file says."""

from __future__ import annotations

import typing as t

from tests.matrix.table import page


def row(case: str, ok: bool | None, **changes: t.Any) -> dict[str, t.Any]:
    seen = {"root_causes": [case], "outcome": "recovered", "actions": ["restart-kubelet"], "api_ready": "Unknown"}
    entry = {"case": case, "kind": "single", "mode": "recover", "ok": ok, "seconds": 41.2, "note": "", "seen": seen}
    return {**entry, **changes}


def test_the_page_counts_and_shows_every_row() -> None:
    rows = [
        row("kubelet-stopped", True),
        row("containerd-down", False, note="saw a|b"),
        row("node-dead", None, seen=None, seconds=None, note="could not be run: no reset"),
    ]
    text = page(
        {
            "made_by": "make matrix",
            "date": "2026-11-23T15:00:00Z",
            "commit": "abc",
            "versions": {"kubelet": "v1"},
            "rows": rows,
        }
    )
    assert "single: 1 of 2 right; 1 could not be run." in text
    assert (
        "| `kubelet-stopped` | single | `kubelet-stopped` | recovered | `restart-kubelet` | Unknown | 41 | yes |  |"
        in text
    )
    assert "**no** | saw a/b |" in text
    assert "| `node-dead` | single | - | - | nothing | - | - | not run | could not be run: no reset |" in text
    assert "## Diagnosis" not in text
