# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``python3 -m tests.tools.molecule [SCENARIO]``: run Molecule inside the lab's network, on the lab's inventory."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.faults.lab import STATE
from tests.matrix.row import locked

ROOT = Path(__file__).parents[2]
HOST = "pi-04"


def command(scenario: str | None) -> list[str]:
    """What is run: every scenario, or one."""
    molecule = [str(Path(sys.executable).with_name("molecule")), "test"]
    chosen = ["--scenario-name", scenario] if scenario else ["--all"]
    return [
        sys.executable,
        "-m",
        "tests.lab",
        "exec",
        "--",
        *molecule,
        "--destroy=never",
        "--continue-on-failure",
        *chosen,
    ]


def environment() -> dict[str, str]:
    """What .config/molecule/config.yml reads."""
    return {
        **os.environ,
        "MOLECULE_COMMAND_BORDERS": "0",
        "OUTWARD_INVENTORY": str(STATE / "inventory" / "hosts.yml"),
        "OUTWARD_SSH_CONFIG": str(STATE / "ssh_config"),
        "OUTWARD_KUBECONFIG": str(STATE / "admin.kubeconfig"),
    }


def main() -> int:
    """Molecule's exit status."""
    scenario = sys.argv[1] if len(sys.argv) > 1 else None
    with locked(HOST):
        return subprocess.run(command(scenario), cwd=ROOT, env=environment(), check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
