# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The API server was down: nothing was done to the node."""

from __future__ import annotations

from testinfra.host import Host

from tests.tools.scenario import LEDGER, Report, Units


def test_units_are_the_same_invocations(before: Units, now: Units) -> None:
    assert now == before


def test_node_has_no_entry_in_its_ledger(host: Host) -> None:
    assert not host.file(LEDGER).exists


def test_report_says_that_it_is_not_this_node(report: Report) -> None:
    assert report["diagnosis"]["status"] == "external"
    assert report["diagnosis"]["root_causes"] == ["apiserver-unavailable"]
    assert not any(step["permitted"] for step in report["plan"])
    assert (report["actions"], report["outcome"]) == ([], "external")
