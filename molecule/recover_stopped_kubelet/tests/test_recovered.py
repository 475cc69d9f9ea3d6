# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A stopped kubelet was started, once, and the node is proven."""

from __future__ import annotations

from testinfra.host import Host

from tests.tools.scenario import Report, Units

ASK = 'import urllib.request as r; print(r.urlopen("http://127.0.0.1:10248/healthz", timeout=10).read().decode())'


def test_kubelet_was_started_and_containerd_left_alone(before: Units, now: Units) -> None:
    assert before["kubelet.service"]["ActiveState"] == "inactive"
    assert now["kubelet.service"]["ActiveState"] == "active"
    assert now["containerd.service"] == before["containerd.service"]


def test_kubelet_answers(host: Host) -> None:
    assert host.check_output(f"python3 -c '{ASK}'") == "ok"


def test_report_names_cause_step_and_proof(report: Report) -> None:
    assert report["diagnosis"]["root_causes"] == ["kubelet-stopped"]
    assert [(action["step"], action["result"]) for action in report["actions"]] == [("restart-kubelet", "done")]
    assert report["proof"]["proven"] is True
    assert all(report["proof"]["checks"].values())
    assert report["outcome"] == "recovered"
