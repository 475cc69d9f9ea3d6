# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A node that does what a test says, for the acting side."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.evidence import (
    Evidence,
    Unknown,
    amended,
    unknown,
)
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.ledger import Moment
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.node import (
    Cri,
    Endpoint,
    Journal,
    LogLine,
    NodeEvidence,
    Unit,
)
from ansible_collections.outward.kubelet.plugins.module_utils._host.observe import SECTIONS, Answers
from ansible_collections.outward.kubelet.tests.unit.helpers import NOW

STOPPED: dict[str, t.Any] = {
    "kubelet__unit__active_state": "inactive",
    "kubelet__unit__sub_state": "dead",
    "kubelet__unit__main_pid": 0,
    "kubelet__unit__process_state": None,
    "kubelet__healthz__outcome": "refused",
}
RUNTIME_DOWN: dict[str, t.Any] = {
    "runtime__unit__active_state": "inactive",
    "runtime__unit__sub_state": "dead",
    "runtime__unit__main_pid": 0,
    "runtime__cri__outcome": "refused",
    "runtime__cri__runtime_ready": None,
}
START = 1000.0
NEW: dict[str, t.Any] = {"kubelet__unit__invocation_id": "new", "kubelet__unit__main_pid": 800}
PANIC = Journal((LogLine("panic: unknown gate", 1, 1.0, 1.0, True),), False)


# The fields of the kubelet's configuration that another question than its section's fills.
SETTINGS = {"unknown_flags": "kubelet-binary", "cgroup_driver": "cri"}


def answered(node: NodeEvidence, only: t.Collection[str] | None) -> NodeEvidence:
    """*node* as a look at the questions *only* finds it: what any other would have answered was not asked."""
    if only is None:
        return node
    nobody = Answers(node.profile, {}, unknown("storage: not asked"))
    silent = {name: build(nobody) for name, (dummy, build) in SECTIONS.items() if name in vars(node)}
    seen = amended(node, **{name: _heard(vars(node)[name], value, only) for name, value in silent.items()})
    config = vars(vars(seen)["kubelet"]).get("config")
    if isinstance(config, Unknown):
        return seen
    lost = {name: unknown(f"{question}: not asked") for name, question in SETTINGS.items() if question not in only}
    return amended(seen, kubelet=amended(seen.kubelet, config=amended(config, **lost)))


def _heard(value: t.Any, silent: t.Any, only: t.Collection[str]) -> t.Any:
    if isinstance(silent, Unknown):
        return value if silent.reason.partition(":")[0] in only else silent
    if isinstance(silent, Evidence) and isinstance(value, Evidence):
        fields = vars(silent)
        return amended(value, **{name: _heard(each, fields[name], only) for name, each in vars(value).items()})
    return value


@dataclass
class Scripted:
    """A node that is ``first`` until systemctl has run, and then each of ``later`` for three seconds."""

    first: NodeEvidence
    later: list[NodeEvidence]
    problems: dict[str, str] = field(default_factory=dict)  # verb -> what systemctl says
    kept: bool = True
    config_problem: str | None = None
    commands: list[tuple[str, ...]] = field(default_factory=list)
    clock: float = START

    @property
    def current(self) -> NodeEvidence:
        if not self.commands:
            return self.first
        return self.later[min(int(self.clock - START) // 3, len(self.later) - 1)]

    def observe(self, only: t.Collection[str] | None = None) -> NodeEvidence:
        return self.current

    def unit(self, name: str) -> Unit:
        current = self.current
        return current.kubelet.unit if name == "kubelet.service" else current.runtime.unit

    def alive(self, pid: int) -> bool:
        return pid != 0

    def healthz(self) -> Endpoint:
        return self.current.kubelet.healthz

    def cri(self) -> Cri:
        return self.current.runtime.cri

    def pods(self) -> frozenset[str]:
        return frozenset({"pod-1", "pod-2"} if self.kept or not self.commands else {"pod-1"})

    def systemctl(self, *arguments: str, seconds: float) -> str | None:
        assert 0 < seconds <= 120
        self.commands.append(arguments)
        return self.problems.get(arguments[0])

    def runtime_config(self) -> str | None:
        return self.config_problem

    def now(self) -> Moment:
        return Moment(NOW.timestamp() + self.clock, "boot", self.clock)

    def wall(self, started: float | None = None) -> datetime:
        return NOW + timedelta(seconds=self.clock if started is None else started)

    def sleep(self, seconds: float) -> None:
        self.clock += seconds
