# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""node_ledger as Ansible calls it, on a ledger of this machine."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import pytest
import yaml
from ansible.module_utils.testing import patch_module_args

from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.ledger import Order
from ansible_collections.outward.kubelet.plugins.module_utils._host.ledger import now, opened
from ansible_collections.outward.kubelet.plugins.modules import node_ledger

Result = dict[str, t.Any]


@pytest.fixture
def path(tmp_path: Path) -> str:
    """A ledger with one action that failed."""
    where = str(tmp_path / "ledger.jsonl")
    order = Order("restart-kubelet", "kubelet-stopped", "ab12", "anna@controller", "", "inv/0")
    with opened(where) as book:
        book.end(book.begin(order, now()), "failed", now())
    return where


def call(capsys: pytest.CaptureFixture[str], **arguments: t.Any) -> Result:
    with patch_module_args(arguments), pytest.raises(SystemExit):
        node_ledger.main()
    return t.cast(Result, json.loads(capsys.readouterr().out))


def test_to_read_changes_nothing(path: str, capsys: pytest.CaptureFixture[str]) -> None:
    result = call(capsys, ledger=path)
    assert (result["changed"], result["forgiven"]) == (False, [])
    assert [(entry["result"], entry["counts"]) for entry in result["entries"]] == [("failed", True)]
    assert set(result) - {"changed", "invocation"} == set(yaml.safe_load(node_ledger.RETURN))
    documented = yaml.safe_load(node_ledger.RETURN)["entries"]["sample"][0]
    assert set(result["entries"][0]) == set(documented)


def test_to_forgive_once(path: str, capsys: pytest.CaptureFixture[str]) -> None:
    asked = {"ledger": path, "forgive": "all", "reason": "new card", "holder": "anna@controller"}
    before = Path(path).read_bytes()
    would = call(capsys, **asked, _ansible_check_mode=True)
    assert (would["changed"], len(would["forgiven"]), Path(path).read_bytes()) == (True, 1, before)
    did = call(capsys, **asked)
    assert (did["changed"], did["forgiven"]) == (True, would["forgiven"])
    assert did["entries"][0]["forgiven"]["reason"] == "new card"
    again = call(capsys, **asked)
    assert (again["changed"], again["forgiven"]) == (False, [])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"forgive": "all", "reason": " "}, "to forgive needs a reason"),
        ({"forgive": "beef", "reason": "x"}, "the ledger has no entry beef"),
        ({"period": 31 * 86400}, "period must be 1 to 2592000"),
        ({"budget": -1}, "budget must be 0 to 1000"),
        ({"reason": "x" * 501}, "reason has 501 characters"),
        ({"ledger": "ledger.jsonl"}, "ledger must be an absolute path"),
    ],
)
def test_bad_input(path: str, arguments: Result, words: str, capsys: pytest.CaptureFixture[str]) -> None:
    result = call(capsys, **{"ledger": path, **arguments})
    assert result["failed"]
    assert words in result["msg"]


def test_a_ledger_that_proves_nothing_is_told(path: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path(path).write_bytes(b"what is this\n")
    assert "line 1 of the ledger cannot be read" in call(capsys, ledger=path)["msg"]


def test_a_node_without_a_ledger(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    result = call(capsys, ledger=str(tmp_path / "none" / "ledger.jsonl"), forgive="all", reason="x")
    assert (result["changed"], result["entries"]) == (False, [])
    assert list(tmp_path.iterdir()) == []
