# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A diagnosis of a healthy node."""

from __future__ import annotations

from tests.tools.scenario import Report, Units


def test_report_says_healthy_and_nothing_else(report: Report) -> None:
    assert (report["diagnosis"]["status"], report["diagnosis"]["findings"]) == ("healthy", [])
    assert (report["mode"], report["outcome"], report["actions"]) == ("diagnose", "diagnosed", [])


def test_units_are_the_same_invocations(before: Units, now: Units) -> None:
    assert now == before
    assert now["kubelet.service"]["ActiveState"] == "active"
