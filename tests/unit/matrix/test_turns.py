# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Faults on several hosts do not begin together, and no two rows are measured at once."""

from __future__ import annotations

import threading
import time as real

from tests.matrix.__main__ import Turns


def test_the_next_one_waits_for_what_is_left_of_the_time() -> None:
    time, slept = [100.0], []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        time[0] += seconds

    turns = Turns(75.0, lambda: time[0], sleep)
    for spent in (50, 80, 0):
        with turns.turn():
            time[0] += spent
    assert slept == [0, 25, 0]


def test_a_turn_lasts_until_it_is_given_back() -> None:
    turns, course = Turns(0.0, real.monotonic, real.sleep), []

    def second() -> None:
        with turns.turn():
            course.append("second")

    with turns.turn():
        thread = threading.Thread(target=second)
        thread.start()
        real.sleep(0.1)
        course.append("first")
    thread.join()
    assert course == ["first", "second"]
