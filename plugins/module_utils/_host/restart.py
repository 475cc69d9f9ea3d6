# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Starting the kubelet or its runtime: look, gate, write down, act, prove, write down; all in the process that looked.

Everything outside (systemd, endpoints, time) is behind :class:`~.task.Host`, and what differs between the kubelet and
its runtime is a :class:`~.task.Task`, so that this is the only order in which anything of ours is started.
"""

from __future__ import annotations

import contextlib
import typing as t
from collections.abc import Callable
from dataclasses import dataclass, replace

from .._diagnosis.evidence import Undecided, unknown
from .._diagnosis.ledger import Order
from .._diagnosis.node import NodeEvidence, Unit
from .observe import GATING
from .ordered import Ordered
from .task import ALIVE, Action, Checks, Host, Outcome, Request, Task, Trial

# A unit that came up, exited and came up again this often does not stay up.
CRASH_TURNS: t.Final = 2
# Between two cheap looks (/proc, one HTTP request, one CRI call), seconds.
PAUSE: t.Final = 0.5
# Lines of the unit's journal that are quoted when an action could not be proven.
QUOTED: t.Final = 3


@dataclass(frozen=True)
class Run(Ordered):
    """One task, once, on this host."""

    task: Task
    host: Host
    request: Request

    def carry_out(self) -> Outcome:
        """Look, then refuse in words, or act and prove."""
        evidence, refusals = self._look()
        seen = Outcome("refused", evidence, refusals)
        try:
            unit = self.task.unit(evidence)
            state = f"{unit.invocation_id}/{unit.main_pid}"
        except Undecided as doubt:
            return replace(seen, refusals=(*seen.refusals, f"cannot tell what the unit does: {doubt}"))
        wanted = self.request
        order = Order(self.task.step, wanted.cause, wanted.fingerprint, wanted.holder, wanted.reason, state)
        return self.ordered(order, replace(seen, before=unit))

    def _look(self) -> tuple[NodeEvidence, tuple[str, ...]]:
        """A busy node can miss a deadline; when doubt is all that refuses, it is looked at once more."""
        evidence = self.host.observe(GATING)
        refusals = self.task.refuse(self.host, evidence)
        if refusals and all(refusal.doubt for refusal in refusals):
            evidence = self.host.observe(GATING)
            refusals = self.task.refuse(self.host, evidence)
        return evidence, tuple(refusal.words for refusal in refusals)

    def attempt(self, order: Order, seen: Outcome) -> Outcome:
        """Through systemd, and proven or not."""
        before = t.cast(Unit, seen.before)
        started, pods = self.host.wall(), self.host.pods()
        until = self.host.now().monotonic + self.request.timeout
        verb = "restart" if before.active_state in ALIVE else "start"
        unchanged = self.task.change.make() if self.task.change else None
        problem = unchanged or (None if self.task.starts else self._start(verb, before))
        acted = self._sample(before.name, until)

        def trial(evidence: NodeEvidence) -> Trial:
            return Trial(before, acted, evidence, pods <= self.host.pods())

        # What systemd could not start is looked at once more, for the reason, and not waited for.
        evidence, checks = self._prove(trial, acted, until if problem is None else 0.0)
        result = "done" if problem is None and all(checks.values()) else "failed"
        effective = self.host.wall(_known_start(acted))
        left = self._settled(result, None if self.task.starts or unchanged else before)
        return replace(
            seen,
            result=result,
            notes=(*seen.notes, *left),
            evidence=evidence,
            action=Action(order.step, order.cause, verb, started, effective, self.host.wall(), result),
            after=_latest(self.task, evidence),
            checks=checks,
            detail="" if result == "done" else _why(problem, checks, self.task, evidence),
        )

    def _settled(self, result: str, started: t.Optional[Unit]) -> tuple[str, ...]:
        """Keep what was changed, or put it back; a unit that was *started* then does again what it did before."""
        change = self.task.change
        if change is None:
            return ()
        if result == "done":
            problems = [change.keep()]
        else:
            problems = [change.undo() or "what was there before was put back"]
            if started is not None:
                verb = "restart" if started.active_state in ALIVE else "stop"
                problems.append(self.host.systemctl(verb, started.name, seconds=self.request.timeout))
        return tuple(problem for problem in problems if problem is not None)

    def _start(self, verb: str, unit: Unit) -> t.Optional[str]:
        """Through systemd alone; it sends SIGCONT after SIGTERM, so that a stopped process ends as well."""
        systemctl, seconds = self.host.systemctl, self.request.timeout
        if self.request.enable and unit.unit_file_state != "enabled":
            problem = systemctl("enable", unit.name, seconds=seconds)
            if problem is not None:
                return problem
        if unit.active_state == "failed":  # else StartLimitBurst may refuse it
            systemctl("reset-failed", unit.name, seconds=seconds)
        return systemctl(verb, unit.name, seconds=seconds)

    def _sample(self, name: str, until: float) -> Unit:
        """What was started, to compare with later; a systemd that is too busy to answer is asked again."""
        while True:
            try:
                return self.host.unit(name)
            except Undecided as doubt:
                if self.host.now().monotonic >= until:
                    gone = dict.fromkeys(Unit.__annotations__, unknown(str(doubt)))
                    return Unit(**{**gone, "name": name})
            self.host.sleep(PAUSE)

    def _prove(self, trial: Callable[[NodeEvidence], Trial], acted: Unit, until: float) -> tuple[NodeEvidence, Checks]:
        """Look each time that it seems to be up, until all is shown; closely, for the reason, when time or hope is gone."""
        while True:
            hope = self._await(acted, until) and self.host.now().monotonic < until
            evidence = self.host.observe(self.task.showing if hope else None)
            checks = _answers(self.task, trial(evidence))
            if not hope or all(checks.values()):
                return evidence, checks
            self.host.sleep(PAUSE)

    def _await(self, acted: Unit, until: float) -> bool:
        """It came up (True); it does not stay up, or the time is over (False)."""
        newest = acted
        while not self._came_up():
            if self.host.now().monotonic >= until:
                return False
            with contextlib.suppress(Undecided):
                newest = newest if self.host.alive(newest.main_pid) else self.host.unit(acted.name)
                if newest.restarts - acted.restarts >= CRASH_TURNS:
                    return False
            self.host.sleep(PAUSE)
        return True

    def _came_up(self) -> bool:
        try:
            return self.task.came_up(self.host)
        except Undecided:
            return False


def _answers(task: Task, trial: Trial) -> Checks:
    return {name: _answer(question, trial) for name, question in task.questions.items()}


def _answer(question: Callable[[Trial], bool], trial: Trial) -> t.Optional[bool]:
    try:
        return question(trial)
    except Undecided:
        return None


def _known_start(unit: Unit) -> t.Optional[float]:
    try:
        return unit.started
    except Undecided:
        return None


def _latest(task: Task, evidence: NodeEvidence) -> t.Optional[Unit]:
    try:
        return task.unit(evidence)
    except Undecided:
        return None


def _why(problem: t.Optional[str], checks: Checks, task: Task, evidence: NodeEvidence) -> str:
    """What systemd said, what was not shown, and the unit's own last words."""
    missing = [name for name, shown in checks.items() if not shown]
    said = [problem or f"not shown: {', '.join(missing)}"]
    with contextlib.suppress(Undecided):
        said += [f'log: "{line.text}"' for line in task.journal(evidence).lines[-QUOTED:] if line.current]
    return "; ".join(said)
