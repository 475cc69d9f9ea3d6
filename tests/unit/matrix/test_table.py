# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The page that people read says what the file says."""

from __future__ import annotations

import typing as t

from tests.faults.pairs import PAIRS
from tests.faults.table import FAULTS
from tests.matrix.table import look_alikes, page


def row(case: str, ok: bool | None, **changes: t.Any) -> dict[str, t.Any]:
    seen = {"root_causes": [case], "outcome": "recovered", "actions": ["restart-kubelet"], "api_ready": "Unknown"}
    entry = {"case": case, "kind": "single", "mode": "recover", "ok": ok, "seconds": 41.2, "note": "", "seen": seen}
    entry |= {"ready_changed_after": None, "ready_watched": 41.6}
    return {**entry, **changes}


def test_the_page_counts_and_shows_every_row() -> None:
    rows = [
        row("kubelet-stopped", True),
        row("containerd-down", False, note="saw a|b", ready_changed_after=61.2),
        row("node-dead", None, seen=None, seconds=None, ready_watched=None, note="could not be run: no reset"),
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
        "| `kubelet-stopped` | single | `kubelet-stopped` | recovered | `restart-kubelet` | 41 s | not within 42 s | yes |  |"
        in text
    )
    assert "| 41 s | 61 s | **no** | saw a/b |" in text
    assert "| `node-dead` | single | - | - | nothing | - | - | not run | could not be run: no reset |" in text
    assert "## Diagnosis" not in text


def test_look_alikes_are_told_apart_only_when_both_are_right() -> None:
    rows = [row("kubelet-stopped", True), row("cni-config-missing", True), row("kubelet-unit-masked", False)]
    text = "\n".join(look_alikes(rows))
    assert "| `kubelet-stopped` | `cni-config-missing` | NotReady | " in text
    assert " the controller or the kubelet | yes |" in text
    assert "systemd refuses to start it | **no** |" in text
    assert "| the node is Ready | not run |" in text


def test_every_pair_can_be_injected() -> None:
    assert {name for pair in PAIRS for name in pair[:2]} <= set(FAULTS)
