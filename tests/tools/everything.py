# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``python3 -m tests.tools.everything STEP...``: run make targets one after the other, and sum up.

The lab comes up in the background meanwhile, and goes down at the end if it was this run that brought it up (not with
KEEP_LAB=1). A step that fails does not keep the later ones from running. The last line counts the tests as pytest does.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
import typing as t
from dataclasses import dataclass
from pathlib import Path

ROOT: t.Final = Path(__file__).parents[2]
LOG: t.Final = ROOT / ".build" / "lab-up.log"
PATIENCE: t.Final = 2400  # seconds for the lab; with nothing cached it took 900
PULSE: t.Final = 20
NEEDS_LAB: t.Final = ("molecule", "matrix-quick")
COLOUR: t.Final = re.compile(r"\x1b\[[\d;]*m")
COUNTED: t.Final = re.compile(r"\b(\d+) (passed|failed|error|errors)\b")


@dataclass
class Tally:
    """Tests that pytest counted in all steps."""

    passed: int = 0
    failed: int = 0

    def read(self, line: str) -> None:
        """Count one line of output, if it is a closing line of pytest."""
        plain = COLOUR.sub("", line)
        if not re.search(r" in [\d.]+s", plain):
            return
        for number, word in COUNTED.findall(plain):
            if word == "passed":
                self.passed += int(number)
            else:
                self.failed += int(number)


@dataclass(frozen=True)
class Step:
    """How one step ended."""

    name: str
    ok: bool
    seconds: float


def run(name: str, tally: Tally) -> Step:
    """Run ``make NAME``, showing what it says."""
    say(f"{name}")
    start = time.monotonic()
    with subprocess.Popen(
        ["make", name], cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        for line in t.cast(t.IO[str], process.stdout):
            sys.stdout.write(line)
            sys.stdout.flush()
            tally.read(line)
    step = Step(name, process.returncode == 0, time.monotonic() - start)
    say(f"{name}: {'passed' if step.ok else 'FAILED'} after {step.seconds:.0f} s")
    return step


def say(text: str) -> None:
    """A line that is found again in a long log."""
    print(f"\n==> {time.strftime('%H:%M:%S')} {text}", flush=True)


def make(target: str) -> int:
    """Run a target of the lab quietly; its exit status."""
    quiet = subprocess.DEVNULL
    return subprocess.run(["make", target], cwd=ROOT, stdin=quiet, stdout=quiet, stderr=quiet, check=False).returncode


def begin_lab() -> subprocess.Popen[bytes]:
    """Bring the lab up beside the other steps; what it says goes to a log."""
    LOG.parent.mkdir(exist_ok=True)
    say(f"lab-up, in the background; it writes {LOG.relative_to(ROOT)}")
    with LOG.open("wb") as log:
        return subprocess.Popen(["make", "lab-up"], cwd=ROOT, stdin=subprocess.DEVNULL, stdout=log, stderr=log)


def await_lab(lab: subprocess.Popen[bytes], since: float) -> Step:
    """Wait for it, showing its progress."""
    end = since + PATIENCE
    shown = ""
    while lab.poll() is None and time.monotonic() < end:
        line = last_line()
        if line != shown:
            print(f"    lab-up: {line}", flush=True)
            shown = line
        time.sleep(1 if time.monotonic() - since < PULSE else PULSE)
    if lab.poll() is None:
        lab.terminate()
    ok = lab.wait() == 0
    seconds = time.monotonic() - since
    say(f"lab-up: {'up' if ok else 'FAILED'} after {seconds:.0f} s")
    if not ok:
        print(*LOG.read_text(errors="replace").splitlines()[-60:], sep="\n", flush=True)
    return Step("lab-up", ok, seconds)


def last_line() -> str:
    """The newest line of the lab's log."""
    lines = LOG.read_text(errors="replace").splitlines()
    return lines[-1] if lines else "(nothing yet)"


def steps(names: list[str], tally: Tally) -> list[Step]:
    """Run all of them; those that need the lab come last, and not without it."""
    start = time.monotonic()
    lab = begin_lab() if any(name in NEEDS_LAB for name in names) else None
    done = [run(name, tally) for name in names if name not in NEEDS_LAB]
    if lab is None:
        return done
    done.append(await_lab(lab, start))
    up = done[-1].ok
    return done + [run(name, tally) if up else Step(name, False, 0) for name in names if name in NEEDS_LAB]


def main() -> int:
    """Non-zero when a step failed."""
    tally = Tally()
    start = time.monotonic()
    ours = make("lab-status") != 0
    done = steps(sys.argv[1:], tally)
    if ours and not os.environ.get("KEEP_LAB") and any(step.name == "lab-up" for step in done):
        say("lab-down")
        make("lab-down")
    say(f"all steps after {time.monotonic() - start:.0f} s")
    for step in done:
        print(f"    {step.name:10} {'passed' if step.ok else 'FAILED'} {step.seconds:6.0f} s")
    wrong = sum(not step.ok for step in done)
    print(
        f"\n{tally.passed} passed, {max(tally.failed, wrong)} failed" if wrong else f"\n{tally.passed} passed, 0 failed"
    )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
