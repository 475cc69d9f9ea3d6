# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Hands off: whoever says so, in which words, and what only looks like it."""

from __future__ import annotations

import typing as t
from dataclasses import replace

import pytest

from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.cluster import Taint
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.evidence import unknown
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.guards import Policy
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.windows import window
from tests.unit.plugins.module_utils._diagnosis.test_diagnose import SILENT, STOPPED, Changes
from tests.unit.plugins.module_utils._diagnosis.test_plan import RESTART, steps

MARK = "outward.kubelet/hands-off"
CORDONED = {**SILENT, "node__unschedulable": True}
BOARD = Taint("example.com/board", "swap-psu", "NoSchedule", None)
ORDINARY = Taint("node.kubernetes.io/unschedulable", "", "NoSchedule", None)
# NOW of the tests is 15:00 UTC
INSIDE, OUTSIDE = window("14:00-16:00 UTC"), window("15:01-16:00 UTC")


def why(api: Changes, policy: Policy | None = None, **node: t.Any) -> str:
    """The words of the refusal to start a stopped kubelet; empty: it would be started."""
    step = steps({**STOPPED, **node}, api, policy)[RESTART]
    return "" if step.permitted else step.why


@pytest.mark.parametrize(
    ("api", "policy", "node", "words"),
    [
        ({"node__annotations": {MARK: "Anna changes the disk"}}, {}, {}, f"annotation {MARK}: Anna changes the disk;"),
        (
            {"node__annotations": {MARK: ""}},
            {},
            {},
            f"annotation {MARK}: without a reason; to lift it: kubectl annotate",
        ),
        ({}, {"hands_off": "Anna is at the board"}, {}, "hands off, says outward_hands_off: Anna is at the board"),
        (
            {},
            {"maintenance": (OUTSIDE, INSIDE)},
            {},
            "hands off until 2026-11-23T16:00:00Z: the maintenance window 14:00",
        ),
        ({}, {}, {"kernel__upkeep": ("kubeadm upgrade (pid 8)",)}, "at work on the node: kubeadm upgrade (pid 8)"),
        ({}, {}, {"kernel__upkeep": unknown("timed out")}, "cannot tell: timed out"),
        (CORDONED, {}, {}, "somebody has cordoned it: ask who, or give your reason in outward_reason"),
        ({**CORDONED, "node__taints": (ORDINARY, BOARD)}, {}, {}, "(its taints: example.com/board=swap-psu)"),
        ({**CORDONED, "node__annotations": {MARK: "x"}}, {"reason": "I am Anna"}, {}, "hands off"),
        ({}, {"maintenance": (INSIDE,), "reason": "urgent"}, {}, "hands off until"),
    ],
)
def test_hands_off(api: Changes, policy: dict[str, t.Any], node: Changes, words: str) -> None:
    assert words in why({**SILENT, **api}, replace(Policy(), **policy), **node)


@pytest.mark.parametrize(
    ("api", "policy"),
    [
        ({"node__annotations": {"outward.kubelet/last-action": "hands off"}}, {}),
        ({}, {"maintenance": (OUTSIDE,)}),
        (CORDONED, {"reason": "I have cordoned it myself"}),
        ({**CORDONED, "node__annotations": {"outward.kubelet/cordoned-by": "outward.kubelet"}}, {}),
        ({"node__taints": (BOARD,)}, {}),
    ],
)
def test_what_only_looks_like_it(api: Changes, policy: dict[str, t.Any]) -> None:
    assert why({**SILENT, **api}, replace(Policy(), **policy)) == ""


def test_what_others_have_written_is_bounded() -> None:
    assert len(why({**SILENT, "node__annotations": {MARK: "x" * 10_000}})) < 400
