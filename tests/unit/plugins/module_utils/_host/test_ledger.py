# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The ledger's file on a real filesystem: durable, private, exclusive, and closed when in doubt."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.ledger import Ledger, Order
from ansible_collections.outward.kubelet.plugins.module_utils._host.ledger import LedgerUnusable, now, opened, peek

ORDER = Order("restart-kubelet", "kubelet-stopped", "ab12", "run-1", "", "inv/0")


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "outward-kubelet" / "ledger.jsonl")


def act(path: str) -> None:
    """One action that ended well."""
    with opened(path) as book:
        book.end(book.begin(ORDER, now()), "done", now())


def test_an_action_is_remembered_privately(path: str) -> None:
    act(path)
    act(path)
    assert [(entry.order, entry.result) for entry in peek(path).entries] == [(ORDER, "done")] * 2
    assert oct(Path(path).stat().st_mode & 0o7777) == "0o600"
    assert oct(Path(path).parent.stat().st_mode & 0o7777) == "0o700"


def test_the_intent_is_on_the_disk_before_the_action(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[int] = []
    monkeypatch.setattr(os, "fsync", lambda descriptor: synced.append(os.fstat(descriptor).st_size))
    with opened(path) as book:
        synced.clear()
        book.begin(ORDER, now())
        assert synced == [Path(path).stat().st_size]
        assert [entry.result for entry in peek(path).entries] == [None]


def test_now_is_this_boot() -> None:
    first, second = now(), now()
    assert first.boot == second.boot == Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    assert first.monotonic <= second.monotonic


def test_only_one_run_acts_at_a_time(path: str) -> None:
    with opened(path), pytest.raises(LedgerUnusable, match="another run is acting on this node"), opened(path):
        pass
    act(path)


def test_a_torn_line_is_cut_off_by_the_next_action(path: str) -> None:
    act(path)
    with Path(path).open("ab") as torn:
        torn.write(b'{"v": 1, "pha')
    act(path)
    assert [entry.result for entry in peek(path).entries] == ["done", "done"]
    assert peek(path).torn == 0


def test_a_corrupt_line_refuses(path: str) -> None:
    act(path)
    with Path(path).open("ab") as corrupt:
        corrupt.write(b"what is this\n")
    with pytest.raises(LedgerUnusable, match="line 3 of the ledger cannot be read"), opened(path):
        pass
    with pytest.raises(LedgerUnusable, match="line 3 of the ledger cannot be read"):
        peek(path)


def test_a_ledger_that_others_can_write_to_refuses(path: str) -> None:
    act(path)
    Path(path).chmod(0o666)
    with pytest.raises(LedgerUnusable, match="can be written to by others"), opened(path):
        pass


def test_a_link_is_not_followed(path: str, tmp_path: Path) -> None:
    Path(path).parent.mkdir()
    Path(path).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(LedgerUnusable, match="cannot be written"), opened(path):
        pass
    assert not (tmp_path / "elsewhere").exists()


def test_a_directory_in_its_place_refuses(path: str) -> None:
    Path(path).mkdir(parents=True)
    with pytest.raises(LedgerUnusable, match="Is a directory"), opened(path):
        pass


def test_a_place_that_cannot_be_written_refuses_in_check_mode_too() -> None:
    where = "/dev/null/outward-kubelet/ledger.jsonl"
    with pytest.raises(LedgerUnusable, match=where), opened(where):
        pass
    with pytest.raises(LedgerUnusable, match=where):
        peek(where)


def test_a_full_disk_refuses_and_leaves_no_half_line(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    act(path)
    before = Path(path).read_bytes()
    real = os.write

    def full(descriptor: int, data: bytes) -> int:
        real(descriptor, data[:20])
        raise OSError(errno.ENOSPC, "No space left on device")

    with opened(path) as book:
        monkeypatch.setattr(os, "write", full)
        with pytest.raises(LedgerUnusable, match="No space left on device"):
            book.begin(ORDER, now())
    assert Path(path).read_bytes() == before


def test_to_look_changes_nothing(path: str, tmp_path: Path) -> None:
    assert peek(path) == Ledger((), 0)
    assert list(tmp_path.iterdir()) == []
