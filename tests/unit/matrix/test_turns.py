# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Faults on several hosts do not begin together, and no two rows are measured at once."""

from __future__ import annotations

import time

from tests.matrix.__main__ import Turns
from tests.unit.side_by_side import course


def test_the_next_one_waits_for_what_is_left_of_the_time() -> None:
    now, slept = [100.0], []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        now[0] += seconds

    turns = Turns(75.0, lambda: now[0], sleep)
    for spent in (50, 80, 0):
        with turns.turn():
            now[0] += spent
    assert slept == [0, 25, 0]


def test_a_turn_lasts_until_it_is_given_back() -> None:
    assert course(Turns(0.0, time.monotonic, time.sleep).turn) == ["first", "second"]
