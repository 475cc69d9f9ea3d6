# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The page about certificates says what the files say, whichever of them there are."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import pytest

from tests.certificates.cases import CASES as SPOILED
from tests.join.cases import CASES as JOINED
from tests.matrix.results import Row, unrun
from tests.tools.certificates import PAGE, SECTIONS, hidden, page


def test_the_page_is_that_of_the_files() -> None:
    assert PAGE.read_text() == page()


def row(case: str, mode: str, expected: Row, seen: Row | None, ok: bool | None = True) -> Row:
    blank = unrun(case, kind="x", mode=mode, host="pi-04", at="abc", expected=expected)
    return {**blank, "seen": seen, "ok": ok, "seconds": 41.2}


def kept(place: Path, name: str, *rows: Row) -> str:
    (place / f"{name}.json").write_text(json.dumps({"made_by": f"make {name}", "rows": rows}))
    return page(place)


def test_files_that_nobody_has_made_have_no_table(tmp_path: Path) -> None:
    assert "## " not in page(tmp_path)
    text = kept(tmp_path, "csr", row("x", "approve", {}, None, ok=None))
    assert "| x | approve | x | - | - | 41 s | not run |  |" in text
    assert text.count("## ") == 1


def test_a_certificate_that_was_recovered(tmp_path: Path) -> None:
    case = SPOILED["kubelet-client-cert-expired"]
    seen = {**case.expected, "tokens_seen": 1}
    text = kept(tmp_path, "certificates", row(case.fault.id, case.mode, case.expected, seen))
    wanted = (
        "| kubelet-client-cert-expired | recover | recovered | `renew-client-certificate` | yes | none | 41 s | yes |"
    )
    assert wanted in text


def test_a_machine_that_joined(tmp_path: Path) -> None:
    by_hand, fresh, *dummy = JOINED
    seen = {**fresh.expected, "tokens_seen": 1, "works": "no Lease", "tokens_left": 1, "found_in": ["journal"]}
    rows = [row(by_hand.id, "join", by_hand.expected, {"works": True}), row(fresh.id, "join", fresh.expected, seen)]
    text = kept(tmp_path, "join", *rows)
    assert "| kubeadm join by hand | - | yes | - | - | 41 s | yes |" in text
    assert "| fresh machine | recovered | no Lease | healthy | 1 left; journal | 41 s | yes |" in text


def test_requests_that_were_answered(tmp_path: Path) -> None:
    seen = {"ends": {"by_kubernetes": 1, "left": 9}, "words": ["its key is RSA 1024", "no | more"]}
    text = kept(tmp_path, "csr", row("ten", "approve", {}, seen))
    assert "| ten | approve | x | 1 by kubernetes, 9 left | its key is RSA 1024; no / more | 41 s | yes |" in text


@pytest.mark.parametrize(
    ("seen", "words"),
    [
        ({}, "-"),
        ({"tokens_seen": 0, "tokens_left": 0, "found_in": []}, "-"),
        ({"tokens_seen": 1, "tokens_left": 0, "found_in": []}, "none"),
        ({"tokens_seen": 1, "tokens_left": 1, "found_in": []}, "1 left"),
    ],
)
def test_of_a_token_that_nobody_saw_nothing_is_said(seen: dict[str, t.Any], words: str) -> None:
    assert hidden(seen) == words


def test_each_file_has_one_table() -> None:
    assert [part.file for part in SECTIONS] == ["certificates.json", "join.json", "csr.json"]
