# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An expired client certificate: diagnosed, and the kubelet left as it was."""

from __future__ import annotations

from testinfra.host import Host

from tests.tools.scenario import LEDGER, Report, Units


def test_containerd_is_the_same_invocation(before: Units, now: Units) -> None:
    assert now["containerd.service"] == before["containerd.service"]


def test_nobody_but_systemd_restarted_the_kubelet(before: Units, now: Units, host: Host) -> None:
    # The kubelet is in systemd's crash loop; a restart by hand would have begun to count from 0 again.
    assert int(now["kubelet.service"]["NRestarts"]) > int(before["kubelet.service"]["NRestarts"])
    assert not host.file(LEDGER).exists


def test_report_names_cause_and_refuses_the_restart(report: Report) -> None:
    assert report["diagnosis"]["root_causes"] == ["kubelet-client-cert-expired"]
    refused = {step["step"]: step["why"] for step in report["plan"] if not step["permitted"]}
    assert refused["restart-kubelet"]
    assert (report["actions"], report["outcome"]) == ([], "needs-operator")
