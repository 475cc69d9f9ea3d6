# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs of node-recover.yml that may not come to their end."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import tempfile
import time
import typing as t
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.matrix.playbook import PATIENCE, Report, Run, environment, inside
from tests.matrix.results import ROOT


@dataclass(frozen=True)
class Ended:
    """How a run ended: its exit status (negative: the signal that killed it; None: not in time), words and report."""

    status: int | None
    output: str
    report: Report | None
    seconds: float


class Started:
    """One run. Its output goes to a file: what a killed run leaves behind would keep a pipe open."""

    def __init__(self, run: Run, host: str, reports: Path, variables: Mapping[str, str]) -> None:
        self._path = reports / f"{host}.json"
        descriptor, name = tempfile.mkstemp(prefix="outward-run-")
        self._output = Path(name)
        self._since = time.monotonic()
        self._process = subprocess.Popen(
            inside(run.command(host, reports)),
            cwd=ROOT,
            env={**environment(), **variables},
            stdin=subprocess.DEVNULL,
            stdout=descriptor,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        os.close(descriptor)

    def wait(self) -> Ended:
        """Until it has ended, or is late and therefore killed."""
        status: int | None = None
        try:
            status = self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        said = self._output.read_text(errors="replace")
        self._output.unlink()
        return Ended(status, said, read(self._path), round(time.monotonic() - self._since, 1))


def read(path: Path) -> Report | None:
    """A report, if there is one."""
    with contextlib.suppress(FileNotFoundError):
        return t.cast(Report, json.loads(path.read_text()))
    return None


@dataclass(frozen=True)
class Player:
    """How runs are called: ``soak`` in seconds; ``variables`` of ours, ``environment`` of the process."""

    soak: int = 5
    cap: int = 1
    variables: Mapping[str, t.Any] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)

    def start(self, host: str, reports: Path) -> Started:
        """node-recover.yml on *host*."""
        return Started(Run("recover", self.soak, self.cap, self.variables), host, reports, self.environment)

    def __call__(self, host: str, reports: Path) -> Ended:
        """The same, to its end."""
        return self.start(host, reports).wait()


def tasks(host: str) -> str:
    """What ansible-playbook --list-tasks prints of node-recover.yml."""
    command = [*Run("recover", 5, 1).command(host, Path("/nowhere")), "--list-tasks"]
    done = subprocess.run(
        inside(command),
        cwd=ROOT,
        env=environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout
