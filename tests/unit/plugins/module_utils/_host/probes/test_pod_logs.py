# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The last words of containers that never ran (the runtime's line as CRI logs it), and of one that did."""

from __future__ import annotations

from pathlib import Path

from ansible_collections.outward.kubelet.plugins.module_utils._host.probes.pod_logs import exec_format

LINE = "2026-11-23T15:00:00.0Z stderr F exec /app/x: exec format error\n"


def test_only_the_newest_log_and_only_its_end_count(tmp_path: Path) -> None:
    for name, text in (
        ("a/main/0", "ran"),
        ("a/main/10", LINE),
        ("b/main/0", LINE),
        ("b/main/1", "ran"),
        ("c/main/0", LINE + "x\n"),
    ):
        path = tmp_path / f"default_pod_uid-{name}.log"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    assert exec_format(str(tmp_path)) == ("uid-a/main",)
    assert exec_format(str(tmp_path / "nowhere")) == ()
