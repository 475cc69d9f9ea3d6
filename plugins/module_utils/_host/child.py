# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""The other side of the runner: a process that answers one batch of questions."""

from __future__ import annotations

import gc
import os
import signal
import sys
import typing as t

from .._diagnosis.evidence import unknown
from .errors import EXPECTED, words
from .wire import encode

Ask = t.Callable[[], t.Any]


class Question(t.NamedTuple):
    """Its name, and the seconds after which its process is killed."""

    name: str
    deadline: float


class Batch(t.NamedTuple):
    """Questions for one process. ``open`` is called there: it imports what is needed, and says how to ask each."""

    questions: tuple[Question, ...]
    open: t.Callable[[], t.Mapping[str, Ask]]


def start(batch: Batch) -> tuple[int, int]:
    """Fork; returns the reading end of the child's pipe, and its pid. The child never returns."""
    source, sink = os.pipe()
    pid = os.fork()
    if pid == 0:
        current = batch.questions[0].name
        try:
            _isolate(sink)
            asks = batch.open()
            for current, _ in batch.questions:
                _write(sink, encode(_answer(current, asks[current])))
        finally:
            # What nobody expected is a mistake of ours: it has to be seen, and must not run on in a copy.
            mistake = sys.exc_info()[1]
            if mistake is not None:
                _write(sink, encode(unknown(f"{current}: a mistake in the probe: {mistake!r:.300}")))
            os._exit(0)
    os.close(sink)
    return source, pid


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
