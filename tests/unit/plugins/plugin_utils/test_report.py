# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A report is written whole or not at all, and says where it could not be."""

from __future__ import annotations

import errno
import json
import os
import time
from pathlib import Path

import pytest
from ansible.errors import AnsibleActionFail

from ansible_collections.outward.kubelet.plugins.plugin_utils._report import (
    report_before,
    writable,
    write_report,
)


def test_a_report_replaces_the_one_before_and_leaves_nothing_else(tmp_path: Path) -> None:
    for outcome in ("failed", "healthy"):
        write_report(tmp_path / "new", {"host": "pi-04", "outcome": outcome})
    assert [p.name for p in (tmp_path / "new").iterdir()] == ["pi-04.json"]
    assert json.loads((tmp_path / "new" / "pi-04.json").read_text())["outcome"] == "healthy"


def test_a_directory_that_cannot_be_is_said_before_anything_is_touched(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(AnsibleActionFail, match=r"cannot write .*file/reports/summary.json: .*set outward_report_dir"):
        writable(tmp_path / "file" / "reports", 1)


def test_a_full_directory_is_said_before_anything_is_touched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.statvfs(tmp_path)
    full = os.statvfs_result((4096, 4096, real[2], 75, 75, *real[5:]))  # 300 KiB
    monkeypatch.setattr("os.statvfs", lambda path: full)
    writable(tmp_path, 2)
    with pytest.raises(AnsibleActionFail, match="has 300 KiB left, and 3 reports may need 384: make room"):
        writable(tmp_path, 3)


def test_a_disk_that_fills_up_keeps_the_old_report_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    write_report(tmp_path, {"host": "pi-04", "outcome": "healthy"})
    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(AnsibleActionFail, match="No space left on device; set outward_report_dir"):
        write_report(tmp_path, {"host": "pi-04", "outcome": "failed"})
    assert [path.name for path in tmp_path.iterdir()] == ["pi-04.json"]
    assert "healthy" in (tmp_path / "pi-04.json").read_text()


def test_what_a_killed_run_was_writing_goes_with_the_next_report(tmp_path: Path) -> None:
    for name, age in ((".pi-04.json.old", 700), (".pi-04.json.new", 5), (".pi-05.json.old", 700)):
        (tmp_path / name).write_text("{")
        os.utime(tmp_path / name, (time.time() - age,) * 2)
    write_report(tmp_path, {"host": "pi-04"})
    assert sorted(path.name for path in tmp_path.iterdir()) == [".pi-04.json.new", ".pi-05.json.old", "pi-04.json"]


@pytest.mark.parametrize("text", [None, "{", "[]", '{"schema": "other"}'])
def test_what_is_no_report_of_ours_tells_nothing(tmp_path: Path, text: str | None) -> None:
    if text is not None:
        (tmp_path / "pi-04.json").write_text(text)
    assert report_before(tmp_path, "pi-04") == {}
