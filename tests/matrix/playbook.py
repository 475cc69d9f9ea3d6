# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run the real playbook of the example against one host and read its report (design.md section 5)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import typing as t
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.faults.lab import STATE, executed, within

from .results import ROOT

Report = dict[str, t.Any]
Mode = t.Literal["diagnose", "recover", "join"]
EXAMPLE: t.Final = ROOT / "examples" / "pi-cluster"
PATIENCE: t.Final = 900  # seconds; a dead node costs some time-outs of ssh


class NoReport(Exception):
    """The playbook ended without a report; the text is the end of what it said."""


def inside(command: Sequence[str]) -> list[str]:
    """*command* where a person would type it, in the example's directory, and inside the lab's network."""
    return within(typed(command))


def typed(command: Sequence[str]) -> list[str]:
    """*command* in the example's directory."""
    return ["sh", "-c", 'cd "$0" && exec "$@"', str(EXAMPLE), *command]


def environment() -> dict[str, str]:
    """In which ansible-playbook finds this checkout."""
    return {**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".build"), "ANSIBLE_NOCOLOR": "1"}


def ran(command: Sequence[str], seconds: float = PATIENCE, **variables: str) -> subprocess.CompletedProcess[str]:
    """*command* as :func:`inside`; all that it says is in ``stdout``. Raises subprocess.TimeoutExpired."""
    return executed(typed(command), seconds, {**environment(), **variables})


@dataclass(frozen=True)
class Run:
    """How the playbook is called."""

    mode: Mode
    soak_seconds: int
    max_unavailable: int
    more: Mapping[str, t.Any] = field(default_factory=dict)  # other variables
    access: str = ""  # whose rights; empty: the role that is called like the mode

    def command(self, host: str, reports: Path) -> list[str]:
        """As a person would type it, with the lab's inventory."""
        variables = {
            "outward_kubeconfig": str(STATE / f"{self.access or self.mode}.kubeconfig"),
            "outward_report_dir": str(reports),
            "outward_soak_seconds": self.soak_seconds,
            "outward_max_unavailable": self.max_unavailable,
            **self.more,
        }
        inventory = str(STATE / "inventory" / "hosts.yml")
        playbook = f"node-{self.mode}.yml"
        tool = str(Path(sys.executable).with_name("ansible-playbook"))
        return [tool, playbook, "-i", inventory, "-l", host, "-e", json.dumps(variables)]

    def __call__(self, host: str) -> Report:
        """Run it inside the lab's network; raises NoReport."""
        with tempfile.TemporaryDirectory(prefix="outward-reports-") as name:
            try:
                done = ran(self.command(host, Path(name)))
            except subprocess.TimeoutExpired as late:
                raise NoReport(f"the playbook did not end in {PATIENCE} s") from late
            path = Path(name) / f"{host}.json"
            if not path.exists():
                raise NoReport(f"status {done.returncode}, no report: {done.stdout.strip()[-1500:]}")
            return t.cast(Report, json.loads(path.read_text()))
