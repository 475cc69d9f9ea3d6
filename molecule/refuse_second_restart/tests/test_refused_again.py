# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A kubelet that is stopped again soon after it was recovered: whoever stops it is still there."""

from __future__ import annotations

from testinfra.host import Host

from tests.tools.scenario import LEDGER, Report, Units


def test_nothing_was_started(before: Units, now: Units) -> None:
    assert now["kubelet.service"]["ActiveState"] == "inactive"
    assert now["containerd.service"] == before["containerd.service"]


def test_the_ledger_remembers_the_first_action(host: Host) -> None:
    assert "kubelet-stopped" in host.file(LEDGER).content_string


def test_report_says_that_the_cause_came_back(report: Report) -> None:
    assert report["diagnosis"]["root_causes"] == ["kubelet-stopped"]
    refused = {step["step"]: step["why"] for step in report["plan"] if not step["permitted"]}
    assert "the cause came back, so the root cause is still there" in refused["restart-kubelet"]
    assert (report["actions"], report["outcome"]) == ([], "refused")
