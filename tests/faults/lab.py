# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run a fault's steps in the lab."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import typing as t
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from . import shell
from .model import Fault, Step

ROOT: t.Final = Path(__file__).parents[2]
STATE: t.Final = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "outward-kubelet" / "lab"
INSIDE: t.Final = "OUTWARD_INSIDE"
PAUSE: t.Final = 1.0


class NotInjected(Exception):
    """A step failed, or the fault did not take hold; the text says which and how."""


@dataclass(frozen=True)
class Result:
    """How a step ended, and the end of what it said."""

    code: int
    output: str


Runner = Callable[[Step, str, float], Result]


def within(command: Sequence[str]) -> list[str]:
    """*command* inside the lab's network."""
    return [sys.executable, "-m", "tests.lab", "exec", "--", *command]


def enter(module: str) -> None:
    """Go on as ``python -m`` *module* inside the lab's network, unless this is there: the API server is only there."""
    if INSIDE not in os.environ:
        os.environ[INSIDE] = "yes"
        command = within([sys.executable, "-m", module, *sys.argv[1:]])
        os.execv(command[0], command)


def executed(
    command: Sequence[str], seconds: float, environment: Mapping[str, str], text: str = ""
) -> subprocess.CompletedProcess[str]:
    """*command* as :func:`within`, reading *text*; all that it says is in ``stdout``. Raises subprocess.TimeoutExpired."""
    return subprocess.run(
        within(command),
        input=text,
        env=environment,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        timeout=seconds,
        check=False,
    )


def in_lab(step: Step, host: str, seconds: float) -> Result:
    """Run *step* for *host* in the lab's network; its time-out is a result (124) like any other."""
    if step.place == "node":
        command = ["ssh", "-F", str(STATE / "ssh_config"), host, "sh -s"]
        script = shell.NODE
    else:
        command = ["sh", "-s"]
        script = shell.CONTROLLER
    environment = {**os.environ, "HOST": host, "PYTHON": sys.executable, "LAB": str(STATE)}
    try:
        done = executed(command, seconds, environment, whole(script, step.script))
    except subprocess.TimeoutExpired:
        return Result(124, f"no end after {seconds:.0f} s")
    return Result(done.returncode, done.stdout.strip()[-1000:])


def whole(helpers: str, script: str) -> str:
    """What a shell is to read: parsed to its end before it runs, so that no command eats the rest of it."""
    return f"{helpers}{{\n{script}\n}} </dev/null\n"


def inject(fault: Fault, host: str, run: Runner = in_lab) -> float:
    """Bring *fault* about on *host* and wait until it holds; seconds that took. Raises NotInjected."""
    start = time.monotonic()
    carry_out(fault.inject, host, run, "inject")
    end = time.monotonic() + fault.deadline
    while (result := run(fault.holds, host, 30)).code:
        if time.monotonic() > end:
            raise NotInjected(f"{fault.id} did not take hold in {fault.deadline:.0f} s: {result.output}")
        time.sleep(PAUSE)
    return time.monotonic() - start


def undo(fault: Fault, host: str, run: Runner = in_lab) -> None:
    """Take *fault* away again. Raises NotInjected."""
    carry_out(fault.undo, host, run, "undo")


def carry_out(steps: Sequence[Step], host: str, run: Runner, what: str) -> None:
    """One after the other. Raises NotInjected at the first that fails."""
    for number, step in enumerate(steps, 1):
        result = run(step, host, 300)
        if result.code:
            raise NotInjected(f"{what}, step {number}, on the {step.place}: status {result.code}: {result.output}")
