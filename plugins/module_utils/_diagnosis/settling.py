# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""A node in the middle of something: what is seen of it now says little of what it will come to."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .diagnose import Diagnosis
from .evidence import NO_TIME, Undecided
from .node import NodeEvidence

# Seconds. A node that boots has every processor busy, and its kubelet has not renewed its Lease: a Pi is through in one
# minute, the lab's nodes take as long.
BOOT: t.Final = 120.0
# When an API server comes back, a kubelet lists its own Node again after up to 30 s and as much again at random (client-go,
# tools/cache/reflector.go); until then it does not see that Ready was made Unknown, and does not contradict.
TRANSIENT: t.Final = 60.0
# A node that several runs look at, or whose Pods all start, has its processors free again after some ten seconds.
STARVED: t.Final = 30.0


@dataclass(frozen=True)
class TooEarly:
    """Look again in so many *seconds*, and why."""

    seconds: float
    why: str


def too_early(diagnosis: Diagnosis) -> TooEarly | None:
    """Whether one more look, later, would say more; None: what is known stands."""
    if diagnosis.status == "healthy":
        return None
    try:
        rest = BOOT - diagnosis.node.identity.uptime
    except Undecided:
        rest = 0.0
    if rest > 0 and not left_alone(diagnosis.node):
        return TooEarly(rest, f"it booted {BOOT - rest:.0f} s ago")
    unasked = [probe.name for probe in diagnosis.node.probes if NO_TIME in (probe.problem or "")]
    if unasked:
        return TooEarly(STARVED, f"it had no time for {', '.join(unasked)}")
    return TooEarly(TRANSIENT, "nothing is found, and not all is well") if diagnosis.status == "unknown" else None


def left_alone(node: NodeEvidence) -> bool:
    """No boot starts a unit that is disabled or masked (systemctl(1)), however long it is waited for."""
    try:
        unit = node.kubelet.unit
        return unit.unit_file_state in ("disabled", "masked") and not unit.invocation_id
    except Undecided:
        return False
