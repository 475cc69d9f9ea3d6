# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``python3 -m tests.tools.molecule [SCENARIO...]``: run Molecule inside the lab's network, on the lab's inventory.

One Molecule a scenario: after a failure it goes on only like this, and takes the fault away again.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import yaml

from tests.faults.lab import ROOT, STATE
from tests.faults.table import FAULTS
from tests.matrix.row import locked

SCENARIOS = ROOT / "molecule"
HOST = "pi-04"
OTHERS = ("pi-05",)


def scenarios() -> list[str]:
    """All of them, the healthy node first."""
    names = [path.parent.name for path in SCENARIOS.glob("*/molecule.yml")]
    return sorted(names, key=lambda name: (name != "default", name))


def hosts(scenario: str) -> tuple[str, ...]:
    """The hosts that nobody else may use meanwhile: a fault of the cluster is everybody's."""
    settings = yaml.safe_load((SCENARIOS / scenario / "molecule.yml").read_text())
    fault = FAULTS.get(settings["ansible"]["env"].get("FAULT", ""))
    return (HOST, *OTHERS) if fault and fault.scope == "cluster" else (HOST,)


def command(scenario: str) -> list[str]:
    """What is run for one scenario."""
    molecule = [str(Path(sys.executable).with_name("molecule")), "test", "--scenario-name", scenario]
    return [sys.executable, "-m", "tests.lab", "exec", "--", *molecule]


def environment() -> dict[str, str]:
    """What .config/molecule/config.yml reads."""
    return {
        **os.environ,
        "MOLECULE_COMMAND_BORDERS": "0",
        "OUTWARD_INVENTORY": str(STATE / "inventory" / "hosts.yml"),
        "OUTWARD_SSH_CONFIG": str(STATE / "ssh_config"),
        "OUTWARD_KUBECONFIG": str(STATE / "recover.kubeconfig"),
    }


def run(scenario: str) -> tuple[bool, float]:
    """(whether it passed, seconds without those spent on waiting for the hosts)."""
    with locked(*hosts(scenario)):
        start = time.monotonic()
        done = subprocess.run(command(scenario), cwd=ROOT, env=environment(), check=False)
        return done.returncode == 0, time.monotonic() - start


def main() -> int:
    """0 when every scenario passed."""
    ends = {scenario: run(scenario) for scenario in sys.argv[1:] or scenarios()}
    for scenario, (passed, seconds) in ends.items():
        print(f"    {scenario:28} {'passed' if passed else 'FAILED'} {seconds:6.0f} s", flush=True)
    return 0 if all(passed for passed, _seconds in ends.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
