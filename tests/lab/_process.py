# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lab's own long-lived processes, found by a mark in their environment.

A PID file can be lost between the start of a process and the writing of the
file; a mark that the process carries from its first instruction cannot. So a
lab that was killed at any point still finds, and ends, exactly its own.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.lab._model import LabError, Paths

MARK = "OUTWARD_LAB_PROCESS"


@dataclass(frozen=True)
class Process:
    """A running process of the lab."""

    name: str
    pid: int


def mark(paths: Paths, name: str) -> str:
    """The value of the mark: which lab, and which of its processes."""
    return f"{paths.state}:{name}"


def match(environ: bytes, state: str) -> str | None:
    """The lab's name for a process with this environment, if it is one of `state`'s."""
    prefix = f"{MARK}={state}:".encode()
    for entry in environ.split(b"\0"):
        if entry.startswith(prefix):
            return entry[len(prefix) :].decode()
    return None


def _environments(proc: Path) -> Iterator[tuple[int, bytes]]:
    for directory in proc.iterdir():
        if directory.name.isdigit():
            # It may end while we look, and those of others are not ours to read.
            with contextlib.suppress(FileNotFoundError, ProcessLookupError, PermissionError):
                yield int(directory.name), (directory / "environ").read_bytes()


def table(paths: Paths, proc: Path = Path("/proc")) -> dict[str, Process]:
    """Every running process of this lab, by its name."""
    found = {}
    for pid, environ in _environments(proc):
        name = match(environ, str(paths.state))
        if name:
            found[name] = Process(name, pid)
    return found


def start(paths: Paths, name: str, command: Sequence[str], env: Mapping[str, str] | None = None) -> None:
    """Start a process that outlives us, unless it runs already; its output goes to the log."""
    if name in table(paths):
        return
    paths.logs.mkdir(parents=True, exist_ok=True)
    with (paths.logs / f"{name}.log").open("ab") as log:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd="/",
            start_new_session=True,
            env={**os.environ, **(env or {}), MARK: mark(paths, name)},
        )
    time.sleep(0.1)
    if process.poll() is not None:
        raise LabError(f"{name} ended at once with {process.returncode}: see {log.name}")


def _signal(paths: Paths, process: Process, number: signal.Signals) -> None:
    """Signal exactly this process: the file descriptor cannot come to mean another one."""
    with contextlib.suppress(ProcessLookupError, FileNotFoundError):
        descriptor = os.pidfd_open(process.pid)
        try:
            environ = Path(f"/proc/{process.pid}/environ").read_bytes()
            if match(environ, str(paths.state)) == process.name:
                signal.pidfd_send_signal(descriptor, number)
        finally:
            os.close(descriptor)


def wake(paths: Paths, but: Collection[str]) -> None:
    """Let every process run on that somebody stopped with SIGSTOP, *but* those."""
    for process in table(paths).values():
        if process.name not in but:
            _signal(paths, process, signal.SIGCONT)


def stop(paths: Paths, names: Iterable[str], patience: float = 10) -> None:
    """Ask these processes to end, and end those that do not, also when they are frozen."""
    wanted = set(names)
    for number, seconds in ((signal.SIGTERM, patience), (signal.SIGKILL, 5.0)):
        end = time.monotonic() + seconds
        for process in _running(paths, wanted):
            _signal(paths, process, number)
            _signal(paths, process, signal.SIGCONT)
        while _running(paths, wanted):
            if time.monotonic() > end:
                break
            time.sleep(0.1)
        else:
            return
    left = ", ".join(f"{process.name} ({process.pid})" for process in _running(paths, wanted))
    raise LabError(f"these processes cannot be ended: {left}")


def _running(paths: Paths, wanted: set[str]) -> list[Process]:
    return [process for name, process in table(paths).items() if name in wanted]
