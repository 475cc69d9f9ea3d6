# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""The other side of the runner: a process that answers one batch of questions."""

from __future__ import annotations

import gc
import os
import re
import signal
import sys
import typing as t

from .._diagnosis.evidence import unknown
from .errors import EXPECTED, words
from .wire import encode

Ask = t.Callable[[], t.Any]
# The line that says that the code is loaded, and the first question begins.
OPENED: t.Final = b""
# Per cent of the last 10 s in which a task waited for memory (PSI); idle nodes show 0, the lab's starved one 12.5.
STALLED: t.Final = 5.0


class Question(t.NamedTuple):
    """Its name, and the seconds after which its process is killed."""

    name: str
    deadline: float


class Batch(t.NamedTuple):
    """Questions for one process. ``open`` is called there: it imports what is needed, and says how to ask each.

    ``then`` is what the same process does next: a process costs a slow node more than a short question.
    """

    questions: tuple[Question, ...]
    open: t.Callable[[], t.Mapping[str, Ask]]
    then: t.Optional[Batch] = None

    def after(self, left: t.Iterable[Question]) -> t.Optional[Batch]:
        """What is still to do when only *left* of its questions are; None: nothing."""
        questions = tuple(left)
        return self._replace(questions=questions) if questions else self.then

    def every(self) -> t.Iterator[Question]:
        """Its questions, and those of all that follow."""
        batch: t.Optional[Batch] = self
        while batch:
            yield from batch.questions
            batch = batch.then


def start(batch: Batch) -> tuple[int, int]:
    """Fork; returns the reading end of the child's pipe, and its pid. The child never returns.

    Raises ``OSError`` when there is no process or descriptor left.
    """
    source, sink = os.pipe()
    try:
        pid = os.fork()
    except OSError:
        os.close(source)
        os.close(sink)
        raise
    if pid == 0:
        try:
            _isolate(sink)
            _serve(sink, batch)
        finally:
            os._exit(0)
    os.close(sink)
    return source, pid


def _serve(sink: int, batch: Batch) -> None:
    """Answer one question after the other; a mistake in one of them does not cost those behind it. Does not return."""
    name = batch.questions[0].name
    answered = 0
    following = batch.then
    try:
        asks = batch.open()
        _write(sink, OPENED)
        for question in batch.questions:
            name = question.name
            _write(sink, encode(_answer(name, asks[name])))
            answered += 1
    finally:
        # What nobody expected is a mistake of ours: it has to be seen, and must not run on in a copy of the parent.
        if answered < len(batch.questions):
            _write(sink, encode(unknown(f"{name}: a mistake in the probe: {sys.exc_info()[1]!r:.300}")))
            following = batch.after(batch.questions[answered + 1 :])
        if following:
            _serve(sink, following)
        os._exit(0)


def _answer(name: str, ask: Ask) -> t.Any:
    try:
        return ask()
    except EXPECTED as error:
        return unknown(f"{name}: {words(error)}")


def _isolate(sink: int) -> None:
    """Own session, no standard streams, no inherited descriptor but *sink*."""
    os.setsid()
    gc.disable()
    null = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(null, stream)
    os.closerange(3, sink)
    os.closerange(sink + 1, 1024)


def _write(sink: int, data: bytes) -> None:
    """One line; JSON has no line breaks of its own."""
    view = memoryview(data + b"\n")
    while view:
        view = view[os.write(sink, view) :]


def busy(pid: int) -> bool:
    """Whether the process or a command of its is slow, and does not hang: it wants the processor now, or it waits
    for its own pages (state D) on a node that is short of memory.
    """
    try:
        commands = _text(f"/proc/{pid}/task/{pid}/children").split()
        states = [_text(f"/proc/{each}/stat").rpartition(")")[2].split()[0] for each in (pid, *commands)]
    except (OSError, IndexError):
        return False
    return "R" in states or ("D" in states and _thrashing())


def _thrashing() -> bool:
    try:
        match = re.match(r"some avg10=([0-9.]{1,8}) ", _text("/proc/pressure/memory"))
    except OSError:  # a kernel without PSI
        return False
    return match is not None and float(match.group(1)) >= STALLED


def _text(path: str) -> str:
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read()


def kill_group(pid: int) -> None:
    """Also when the child has not made itself a group of its own yet."""
    for kill in (os.killpg, os.kill):
        try:
            kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue


def reap(pid: int) -> None:
    """Take the exit status if it is there; a process that is stuck in the kernel is left to init."""
    try:
        os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return
