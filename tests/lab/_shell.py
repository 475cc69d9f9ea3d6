# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run commands, write files whole, wait, and tell the person what is going on."""

from __future__ import annotations

import contextlib
import fcntl
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from tests.lab._model import NETNS, LabError

NETNS_FILE = Path("/run/netns") / NETNS


def in_netns(command: Sequence[str]) -> list[str]:
    """The same command inside the lab's network; nsenter execs it, so its PID is the command's."""
    return ["nsenter", f"--net={NETNS_FILE}", "--", *command]


def run(
    command: Sequence[str],
    *,
    stdin: str = "",
    timeout: float = 120,
    check: bool = True,
    env: Mapping[str, str] | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run to the end, with nothing from the terminal; a failure names the command and its words."""
    try:
        done = subprocess.run(
            command,
            input=stdin,
            timeout=timeout,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            env={**os.environ, **env} if env else None,
        )
    except FileNotFoundError as error:
        raise LabError(f"{command[0]}: {error.strerror}") from error
    except subprocess.TimeoutExpired as error:
        if check:
            raise LabError(f"{' '.join(command)}: no end after {timeout:.0f} s") from error
        return subprocess.CompletedProcess(command, 124, "", f"no end after {timeout:.0f} s")
    if check and done.returncode:
        words = (done.stderr.strip() or done.stdout.strip())[-2000:]
        raise LabError(f"{' '.join(command)} ended with {done.returncode}: {words}")
    return done


def write(path: Path, text: str, mode: int = 0o644) -> None:
    """Write a file whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    with os.fdopen(handle, "w", encoding="utf-8") as stream:
        os.fchmod(stream.fileno(), mode)
        stream.write(text)
    Path(name).replace(path)


def say(text: str) -> None:
    """One line of progress, at once."""
    # In one write: hosts are worked on at once, and their lines must not mix.
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


@contextlib.contextmanager
def step(title: str) -> Iterator[None]:
    """Say what is being done, and how long it took."""
    say(f"  {title} ...")
    start = time.monotonic()
    yield
    say(f"  {title}: {time.monotonic() - start:.1f} s")


def wait_for(what: str, probe: Callable[[], bool], seconds: float, pause: float = 0.5) -> None:
    """Ask until it is so, or say what did not come to be."""
    end = time.monotonic() + seconds
    while not probe():
        if time.monotonic() > end:
            raise LabError(f"{what}: not so after {seconds:.0f} s")
        time.sleep(pause)


@contextlib.contextmanager
def locked(path: Path, shared: bool = False) -> Iterator[None]:
    """One at a time, or with *shared* any number that all say so, however many checkouts there are.

    A dead holder's lock is gone with it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
    with path.open("a", encoding="utf-8") as stream:
        try:
            fcntl.flock(stream, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"  waiting for another lab command ({path})")
            fcntl.flock(stream, kind)
        yield
