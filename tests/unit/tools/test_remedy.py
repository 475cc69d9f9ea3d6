# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The page about repairs says what the files say."""

from __future__ import annotations

import json
from pathlib import Path

from tests.matrix.results import Row, unrun
from tests.tools.remedy import PAGE, page


def test_the_page_is_that_of_the_files() -> None:
    assert PAGE.read_text() == page()


def kept(place: Path, name: str, kind: str, expected: Row, seen: Row | None) -> str:
    blank = unrun("x", kind=kind, mode=name, host="pi-04", at="abc", expected=expected)
    row = {**blank, "seen": seen, "ok": True, "seconds": 41.2}
    (place / f"{name}.json").write_text(json.dumps({"made_by": f"make {name}", "rows": [row]}))
    return page(place)


def test_what_was_taken_back(tmp_path: Path) -> None:
    seen = {"undone": ["taken back: sets x"], "different": {}, "containers": "4 of 4 run on"}
    assert "| x | taken back: sets x | nothing | 4 of 4 run on | 41 s |" in kept(tmp_path, "undo", "x", {}, seen)


def test_what_went_of_a_full_disk(tmp_path: Path) -> None:
    seen = {
        "outcome": "recovered",
        "available": {"freed": 7},
        "inodes": {"freed": 3},
        "gone": {"journals": "4 files, 7 bytes"},
        "images_gone": ["a"],
        "kept": {"images": 4},
    }
    wanted = "| x | {} | recovered | {} | journals: 4 files, 7 bytes; 1 images | images: 4 | a/b | 41 s |"
    assert wanted.format("images", "7 bytes") in kept(tmp_path, "disk", "images", {"owner": "a/b"}, seen)
    assert wanted.format("inodes", "3 inodes") in kept(tmp_path, "disk", "inodes", {"owner": "a/b"}, seen)


def test_what_was_typed(tmp_path: Path) -> None:
    seen = {"outcome": "needs-operator", "typed": [{"command": "ssh pi-04 ss", "status": 0}], "by_hand": True}
    assert "| x | needs-operator | `ssh pi-04 ss` | yes | 41 s |" in kept(tmp_path, "advice", "advice", {}, seen)


def test_what_was_not_run_is_said(tmp_path: Path) -> None:
    assert "| x | - | - | - | 41 s |" in kept(tmp_path, "advice", "advice", {}, None)
