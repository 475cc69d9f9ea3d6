# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""What acting on the node is made of: the host's port, what is asked, what differs between steps, what came of it."""

from __future__ import annotations

import typing as t
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from .._diagnosis.gate import Refusal
from .._diagnosis.ledger import Moment, Policy
from .._diagnosis.node import Cri, Endpoint, Journal, NodeEvidence, Unit
from .observe import SHOWING

# Of a unit in these states `systemctl start` would change nothing.
ALIVE: t.Final = frozenset({"active", "activating", "reloading", "deactivating"})
Checks = dict[str, t.Optional[bool]]  # None: nobody could tell


class Host(t.Protocol):
    """What the acting side needs of a node. Problems come back as one line of text; None is success."""

    def observe(self, only: t.Optional[t.Collection[str]] = None) -> NodeEvidence:
        """Everything, afresh; or the answers to these questions alone, and all else is unknown."""

    def unit(self, name: str) -> Unit:
        """One unit's state; raises Undecided when systemd does not answer."""

    def alive(self, pid: int) -> bool:
        """There is such a process."""

    def healthz(self) -> Endpoint:
        """The kubelet's own health endpoint; raises Undecided when the question was cut off."""

    def cri(self) -> Cri:
        """The container runtime over its socket; raises Undecided when the question was cut off."""

    def pods(self) -> frozenset[str]:
        """UIDs of the Pods that have a living process."""

    def systemctl(self, *arguments: str, seconds: float) -> t.Optional[str]:
        """`systemctl ARGUMENTS`, killed after *seconds*."""

    def runtime_config(self) -> t.Optional[str]:
        """Why the runtime would not start with its configuration."""

    def now(self) -> Moment:
        """This instant by all clocks."""

    def wall(self, started: t.Optional[float] = None) -> datetime:
        """The node's wall clock now, or when it was *started* seconds since boot (CLOCK_MONOTONIC)."""

    def sleep(self, seconds: float) -> None:
        """Wait."""


class Change(t.Protocol):
    """What a step changes on the node's disk before systemd is asked, and takes back when it did not work."""

    def make(self) -> t.Optional[str]:
        """Why it could not be made, in one line; None: it was."""

    def keep(self) -> t.Optional[str]:
        """What could not be tidied up after it has worked, in one line."""

    def undo(self) -> t.Optional[str]:
        """What could not be put back, in one line."""


@dataclass(frozen=True)
class Request:
    """What is wanted of this run; ``timeout`` in seconds; ``check``: only say whether it would be done."""

    cause: str
    fingerprint: str
    holder: str
    reason: str
    policy: Policy
    ledger: str
    timeout: float
    enable: bool
    check: bool


@dataclass(frozen=True)
class Trial:
    """The unit before the action and right after it, the node now, and whether every Pod still lives."""

    before: Unit
    acted: Unit
    after: NodeEvidence
    kept: bool


@dataclass(frozen=True)
class Task:
    """One step of a plan, on the node. ``came_up`` is asked twice a second and must be cheap.

    ``showing``: the questions of an observation that ``questions`` need. Without a ``change`` it only starts something;
    a change that ``starts`` does that itself, and ends it again when it is undone.
    """

    step: str
    unit: Callable[[NodeEvidence], Unit]
    journal: Callable[[NodeEvidence], Journal]
    refuse: Callable[[Host, NodeEvidence], tuple[Refusal, ...]]
    came_up: Callable[[Host], bool]
    questions: dict[str, Callable[[Trial], bool]]
    showing: frozenset[str] = SHOWING
    change: t.Optional[Change] = None
    starts: bool = False


@dataclass(frozen=True)
class Action:
    """What was done; ``effective``: when the new process started, by the node's clock."""

    step: str
    cause: str
    verb: str  # start, restart
    started: datetime
    effective: datetime
    finished: datetime
    result: str  # done, failed


@dataclass(frozen=True)
class Outcome:
    """What happened: ``result`` is done, failed, refused or, when it was only asked, permitted."""

    result: str
    evidence: NodeEvidence  # the newest
    refusals: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    recent: t.Optional[int] = None  # actions within the period before this one; None: the ledger was not read
    action: t.Optional[Action] = None
    before: t.Optional[Unit] = None
    after: t.Optional[Unit] = None
    checks: Checks = field(default_factory=dict)
    detail: str = ""  # why it failed
