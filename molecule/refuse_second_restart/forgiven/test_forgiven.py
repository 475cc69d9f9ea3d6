# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The same node after its ledger was forgiven, with a reason: the start is permitted again."""

from __future__ import annotations

import json

from testinfra.host import Host

from tests.tools.scenario import LEDGER, Report, Units


def test_kubelet_was_started(now: Units) -> None:
    assert now["kubelet.service"]["ActiveState"] == "active"


def test_the_ledger_keeps_both_actions_and_who_forgave_why(host: Host) -> None:
    lines = [json.loads(line) for line in host.file(LEDGER).content_string.splitlines()]
    assert [line["phase"] for line in lines] == ["intent", "result", "pardon", "intent", "result"]
    assert lines[2]["id"] == lines[0]["id"] != lines[3]["id"]
    assert lines[2]["reason"] == "whoever stopped it has been found"


def test_report_says_what_was_done_again(report: Report) -> None:
    assert report["diagnosis"]["root_causes"] == ["kubelet-stopped"]
    assert [action["step"] for action in report["actions"]] == ["restart-kubelet"]
    assert report["outcome"] == "recovered"
