# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Questions to a node that may never answer, asked in processes of their own with hard deadlines.

A process that hangs in the kernel cannot even be killed; so nobody waits for it, and it holds nothing that
somebody else waits for: it has its own session, /dev/null for standard streams, and one end of its own pipe. Few run
at a time, because our own load fakes time-outs on a small node. Questions that need the same code form a batch: one
process answers them one after the other; when one of them hangs, the process is killed and the questions behind
it are asked in another.
"""

from __future__ import annotations

import gc
import os
import select
import time
import typing as t
from collections import deque

from .._diagnosis.evidence import NO_TIME, unknown
from .child import OPENED, Ask, Batch, Question, busy, kill_group, reap, start
from .errors import words
from .wire import decode

WIDTH: t.Final = 3
# Loading a batch's code takes 0.05 s on a fast core and 0.9 s on an emulated one. A node that needs longer is
# starved, not hung: there each question and the whole get more time, up to three times as much.
LOADING: t.Final = 1.5
SLOWEST: t.Final = 3.0
LONGEST_LOADING: t.Final = 6.0
# A question whose process wants the processor at its deadline is slow, and is looked at again after so long.
GRACE: t.Final = 1.0
LARGEST_ANSWER: t.Final = 4 * 1024 * 1024
_CHUNK: t.Final = 65536


class Answer(t.NamedTuple):
    """What came back: the value, or unknown; ``timed_out`` when it was asked and killed at its deadline."""

    name: str
    value: t.Any
    seconds: float
    timed_out: bool = False


class _Child:
    """A running batch, seen from the parent."""

    def __init__(self, batch: Batch) -> None:
        self.pace = 1.0  # how much slower than it should it loaded its code
        self.data = b""
        self._begin(batch)
        self.source, self.pid = start(batch)

    def _begin(self, batch: Batch) -> None:
        self.batch = batch
        self.left = deque(batch.questions)
        self.opened = False
        self.grace = 0.0
        self.since = time.monotonic()  # when what it is at now began

    @property
    def end(self) -> float:
        """When it has to be through with what it is at."""
        if not self.opened:
            return self.since + LONGEST_LOADING + self.grace
        # Who waits for systemd does not want the processor itself, but systemd does.
        return self.since + (self.left[0].deadline * self.pace if self.left else GRACE) + self.grace

    def open(self) -> None:
        """Its code is loaded; how long that took says how fast this node is."""
        now = time.monotonic()
        self.pace = max(self.pace, min((now - self.since) / LOADING, SLOWEST))
        self.opened, self.since, self.grace = True, now, 0.0

    def answer(self, value: t.Any, timed_out: bool = False) -> Answer:
        """The answer to the question that it is at."""
        now = time.monotonic()
        seconds, self.since, self.grace = round(now - self.since, 3), now, 0.0
        return Answer(self.left.popleft().name, value, seconds, timed_out)

    def hear(self, chunk: bytes) -> t.Iterator[Answer]:
        """The answers that are complete; each is a line."""
        *lines, self.data = (self.data + chunk).split(b"\n")
        for line in lines:
            if line == OPENED:
                self.open()
            elif self.left:
                answer = self.answer(_decoded(line, self.left[0].name))
                if not self.left and self.batch.then:
                    self._begin(self.batch.then)
                yield answer


def _decoded(line: bytes, name: str) -> t.Any:
    try:
        return decode(line)
    except ValueError:
        return unknown(f"{name}: an answer that cannot be read")


class Runner:
    """At most *width* batches at a time, and an end to everything after *budget* seconds (more on a starved node)."""

    def __init__(self, batches: t.Iterable[Batch], budget: float, width: int = WIDTH) -> None:
        self._waiting = deque(batches)
        self._running: dict[int, _Child] = {}
        self._answers: dict[str, Answer] = {}
        self._poller = select.poll()
        self._width = width
        self._begin = time.monotonic()
        self._budget = budget
        self._pace = 1.0

    @property
    def _end(self) -> float:
        return self._begin + self._budget * self._pace

    def run(self) -> dict[str, Answer]:
        """Question -> answer, for every question of every batch."""
        gc.freeze()  # or each child would copy every page that the collector touches
        while self._waiting or self._running:
            if self._over():
                self._give_up()
            while self._waiting and len(self._running) < self._width:
                self._start(self._waiting.popleft())
            if self._running:
                self._sleep()
                self._kill_late()
        return self._answers

    def _over(self) -> bool:
        """Whether the time has passed. While one of them wants the processor the node is slow, and a little is added."""
        if time.monotonic() < self._end:
            return False
        if self._pace >= SLOWEST or not any(busy(child.pid) for child in self._running.values()):
            return True
        self._pace = min(self._pace + GRACE / self._budget, SLOWEST)
        return False

    def _start(self, batch: Batch) -> None:
        """A node without a process or a descriptor left is evidence too."""
        try:
            child = _Child(batch)
        except OSError as error:
            for question in batch.every():
                reason = f"{question.name}: no process could be started: {words(error)}"
                self._keep(Answer(question.name, unknown(reason), 0.0))
            return
        self._running[child.source] = child
        self._poller.register(child.source, select.POLLIN)

    def _give_up(self) -> None:
        while self._waiting:
            for question in self._waiting.popleft().every():
                self._keep(Answer(question.name, unknown(f"{question.name}: {NO_TIME} to ask"), 0.0))

    def _keep(self, answer: Answer) -> None:
        self._answers[answer.name] = answer

    def _sleep(self) -> None:
        """Until somebody says something, or the next deadline."""
        end = min([self._end, *(child.end for child in self._running.values())])
        for source, dummy in self._poller.poll(max(0, int((end - time.monotonic()) * 1000)) + 1):
            child = self._running[source]
            chunk = os.read(source, _CHUNK)
            for answer in child.hear(chunk):
                self._keep(answer)
            self._pace = max(self._pace, child.pace)
            if not chunk or len(child.data) > LARGEST_ANSWER:
                self._finish(child, "ended without an answer" if not chunk else "the answer is too long", False)

    def _kill_late(self) -> None:
        over, now = self._over(), time.monotonic()
        for child in list(self._running.values()):
            if now < child.end and not over:
                continue
            if not over and busy(child.pid):
                child.grace += GRACE
            else:
                spent = f"{now - child.since:.0f} s"
                reason = f"no answer within {spent}" if now >= child.end else f"{NO_TIME} after {spent}"
                self._finish(child, reason, True)

    def _finish(self, child: _Child, reason: str, timed_out: bool) -> None:
        """The question that it is at is lost; those behind it go to another process."""
        self._poller.unregister(child.source)
        del self._running[child.source]
        os.close(child.source)
        if child.left:
            kill_group(child.pid)
            self._keep(child.answer(unknown(f"{child.left[0].name}: {reason}"), timed_out))
            rest = child.batch.after(child.left)
            if rest:
                self._waiting.append(rest)
        reap(child.pid)


class Task(t.NamedTuple):
    """One question with a process of its own."""

    name: str
    deadline: float
    ask: Ask


def run(tasks: t.Iterable[Task], budget: float) -> dict[str, Answer]:
    """Ask each of *tasks*, and end after *budget* seconds. Never raises."""
    return Runner([_batch(task) for task in tasks], budget).run()


def _batch(task: Task) -> Batch:
    return Batch((Question(task.name, task.deadline),), lambda: {task.name: task.ask})
