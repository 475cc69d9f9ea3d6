# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""The registry of repairs: each is one small object (repairs/*.py) that says what its step changes, and when it may not.

A cause names its repair by the step (``repair=`` of registry.cause). Everything is a pure function of fresh evidence.
"""

from __future__ import annotations

import typing as t
from collections.abc import Callable, Iterator

from .change import Change
from .node import NodeEvidence

Rule = Callable[[NodeEvidence], Iterator[str]]
# What tells whether the kubelet crashes again and again: whatever keeps it from starting asks this.
LOOPING: t.Final = frozenset({"units", "healthz"})


def nothing(node: NodeEvidence) -> Iterator[str]:
    """Nothing speaks against it."""
    yield from ()


def anything(node: NodeEvidence) -> bool:
    """That the rule does not hold any more is enough."""
    return True


class Repair(t.NamedTuple):
    """One step that cures its cause without a person."""

    step: str
    words: str  # what it does, for the docs, the plan and the person
    # The questions (_host.questions) that its gate and its proof rest on. A look at all that a node can tell takes several
    # times as long, and is made only when these do not decide.
    asks: frozenset[str]
    changes: Callable[[NodeEvidence], tuple[Change, ...]]
    # Why it must not be done on this node, in words; asked right before. What cannot be told refuses as well.
    refuse: Rule = nothing
    # What is seen of the cause on the node alone; None: its rule asks the cluster nothing, and is asked itself.
    sign: t.Optional[Rule] = None
    # What is to be seen on the node besides, when a cause can be gone with its subject (a killed process does not hang).
    shows: Callable[[NodeEvidence], bool] = anything
    trial: bool = False  # the proof is a Pod sandbox that is made; what was said before the repair is no evidence
    restart: bool = False  # the kubelet does not see by itself that it was repaired: restart-kubelet comes after it
    patience: int = 0  # seconds that the API may take to show it, when that is more than outward_proof_timeout


REPAIRS: t.Final[dict[str, Repair]] = {}


def entered(repair: Repair) -> Repair:
    """Enter it into :data:`REPAIRS`; raises ``ValueError`` for a step that is taken."""
    if repair.step in REPAIRS:
        raise ValueError(f"two repairs are called {repair.step}")
    REPAIRS[repair.step] = repair
    return repair
