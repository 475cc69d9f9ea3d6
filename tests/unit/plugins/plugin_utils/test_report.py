# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A report is written whole or not at all, and says where it could not be."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from ansible.errors import AnsibleActionFail

from ansible_collections.outward.kubelet.plugins.plugin_utils._report import writable, write_report


def test_a_report_replaces_the_one_before_and_leaves_nothing_else(tmp_path: Path) -> None:
    for outcome in ("failed", "healthy"):
        write_report(tmp_path / "new", {"host": "pi-04", "outcome": outcome})
    assert [p.name for p in (tmp_path / "new").iterdir()] == ["pi-04.json"]
    assert json.loads((tmp_path / "new" / "pi-04.json").read_text())["outcome"] == "healthy"


def test_a_directory_that_cannot_be_is_said_before_anything_is_touched(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(AnsibleActionFail, match=r"cannot write .*file/reports/summary.json: .*set outward_report_dir"):
        writable(tmp_path / "file" / "reports")
