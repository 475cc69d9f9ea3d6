# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The page about the guards says what the files say."""

from __future__ import annotations

import json
from pathlib import Path

from tests.tools.guards import PAGE, page


def test_the_page_is_that_of_the_files() -> None:
    assert PAGE.read_text() == page()


def test_a_row_that_could_not_be_run_is_shown_and_a_file_that_nobody_made_is_not(tmp_path: Path) -> None:
    row = {
        "case": "killed after Report",
        "kind": "killed",
        "seen": None,
        "ok": None,
        "seconds": None,
        "note": "no reset",
    }
    (tmp_path / "chaos.json").write_text(json.dumps({"made_by": "make chaos", "rows": [row]}))
    text = page(tmp_path)
    assert "| killed after Report | - | - | nothing | - | not run | no reset |" in text
    assert "## Drain" not in text
