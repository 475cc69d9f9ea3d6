# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a healthy node of the lab really answered: nothing is left unknown that could have been known."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.evidence import from_json, to_json, unknowns
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.gate import refusals
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.node import NodeEvidence

RECORDING = Path(__file__).parents[4] / "recordings" / "v1.37.2" / "healthy.json"


def recorded() -> NodeEvidence:
    """kubelet v1.37.2, containerd 1.7.24, Debian 13, in the lab."""
    data: dict[str, t.Any] = json.loads(RECORDING.read_text())
    return from_json(NodeEvidence, data["node"])


def test_everything_is_known_but_what_was_not_worth_asking() -> None:
    # A field that was added since is not in it.
    found = {path: why for path, why in unknowns(recorded()).items() if not why.endswith("is not in the evidence")}
    assert found == {"kubelet.version": "the version was not asked: the installed kubelet runs"}
    assert to_json(from_json(NodeEvidence, to_json(recorded()))) == to_json(recorded())


def test_a_healthy_node_may_be_restarted() -> None:
    """All but what this recording is too old to hold, and what is unknown permits nothing."""
    assert [(refusal.rule, refusal.doubt) for refusal in refusals(recorded())] == [("upkeep", True)]


def test_nothing_secret_is_in_it() -> None:
    text = RECORDING.read_text()
    for word in ("PRIVATE", "BEGIN", "certificate-authority-data", "eyJ"):
        assert word not in text
