# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Faults on several hosts do not begin together."""

from __future__ import annotations

from tests.matrix.__main__ import Turns


def test_the_next_one_waits_for_what_is_left_of_the_time() -> None:
    time, slept = [100.0], []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        time[0] += seconds

    turns = Turns(75.0, lambda: time[0], sleep)
    turns.take()
    time[0] += 50
    turns.take()
    time[0] += 80
    turns.take()
    assert slept == [0, 25, 0]
