# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Trees of control groups as kubelets of both drivers make them."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.outward.kubelet.plugins.module_utils._host.pods import running_pods

UID = "2f8a0b1c-5d6e-4f70-8192-a3b4c5d6e7f8"
SYSTEMD = UID.replace("-", "_")
STATIC = "0123456789abcdef0123456789abcdef"
POPULATED = "populated 1\nfrozen 0\n"
EMPTY = "populated 0\nfrozen 0\n"


@pytest.mark.parametrize(
    ("files", "pods"),
    [
        ({}, {}),
        ({"kubepods.slice/cgroup.events": EMPTY}, {}),
        (
            {
                f"kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod{SYSTEMD}.slice/cgroup.events": POPULATED,
                f"kubepods.slice/kubepods-pod{STATIC}.slice/cgroup.events": POPULATED,
            },
            {UID: "systemd", STATIC: "systemd"},
        ),
        (
            {
                f"kubepods/burstable/pod{UID}/cgroup.events": POPULATED,
                f"kubepods/besteffort/pod{STATIC}/cgroup.events": EMPTY,
                "kubepods.slice/kubepods-burstable.slice/cgroup.events": EMPTY,
            },
            {UID: "cgroupfs"},
        ),
        (
            {
                f"kubepods/pod{UID}/cgroup.procs": "",
                f"kubepods/pod{UID}/abcdef/cgroup.procs": "4711\n",
                f"kubepods/pod{STATIC}/cgroup.procs": "",
                f"kubepods/pod{STATIC}/abcdef/cgroup.procs": "",
            },
            {UID: "cgroupfs"},  # v1 has no cgroup.events
        ),
    ],
)
def test_a_pod_runs_when_its_cgroup_holds_a_process(
    files: dict[str, str], pods: dict[str, str], tmp_path: Path
) -> None:
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    assert running_pods((str(tmp_path),)) == pods
