# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The sum that CI reads, and what the Molecule verifications read from systemd."""

from __future__ import annotations

import pytest

from tests.tools.everything import Tally
from tests.tools.scenario import units

# pytest 9.2 with and without -q, Molecule 26.10 with colours, and lines that only look like it.
LINES = [
    ("698 passed in 3.27s", 698, 0),
    ("2 failed, 1201 passed in 115.90s (0:01:55)", 1201, 2),
    ("1 failed, 1 error in 4.47s", 0, 2),
    ("\x1b[32m==== \x1b[1m4 passed\x1b[0m\x1b[32m in 6.21s ====\x1b[0m", 4, 0),
    ("================ 3 passed, 1 skipped, 2 warnings in 0.12s ================", 3, 0),
    ("lint: passed after 12 s", 0, 0),
    ("Verifier completed: 3 passed", 0, 0),
]
# systemctl show (systemd 257) for two units.
SHOWN = """Id=kubelet.service
ActiveState=inactive
InvocationID=
NRestarts=0

Id=containerd.service
ActiveState=active
InvocationID=0123456789abcdef0123456789abcdef
NRestarts=2
"""


@pytest.mark.parametrize(("line", "passed", "failed"), LINES)
def test_only_closing_lines_are_counted(line: str, passed: int, failed: int) -> None:
    tally = Tally()
    tally.read(line)
    assert (tally.passed, tally.failed) == (passed, failed)


def test_counts_add_up() -> None:
    tally = Tally()
    for line, _passed, _failed in LINES:
        tally.read(line)
    assert (tally.passed, tally.failed) == (1906, 4)


def test_units_by_name_with_empty_values() -> None:
    shown = units(SHOWN)
    assert shown["kubelet.service"]["InvocationID"] == ""
    assert (shown["containerd.service"]["ActiveState"], shown["containerd.service"]["NRestarts"]) == ("active", "2")
