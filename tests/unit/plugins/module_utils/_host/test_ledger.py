# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The ledger's file on a real filesystem: durable, private, exclusive, and closed when in doubt."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.ledger import (
    Entry,
    Ledger,
    Moment,
    Order,
    Pardon,
    lines,
)
from ansible_collections.outward.kubelet.plugins.module_utils._host import ledger as module
from ansible_collections.outward.kubelet.plugins.module_utils._host.ledger import (
    LedgerUnusable,
    now,
    opened,
    peek,
    read,
)

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


def test_a_pardon_is_an_entry_of_its_own(path: str) -> None:
    act(path)
    before = Path(path).read_bytes()
    with opened(path) as book:
        book.forgive(book.ledger.entries, Pardon("new card", "anna@controller", now()))
    assert Path(path).read_bytes().startswith(before)
    (entry,) = read(path).entries
    assert entry.pardon is not None
    assert (entry.pardon.reason, entry.pardon.holder, entry.result) == ("new card", "anna@controller", "done")


OLD = Moment(now().wall - 90 * 86400, "boot-0", 5.0)
FAILED = Order("restart-kubelet", "kubelet-stopped", "cd34", "run-1", "", "inv/0")


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "COMPACT", 2000)
    monkeypatch.setattr(module, "LARGEST", 4000)


def history(path: str, count: int, order: Order = ORDER, result: str = "done") -> None:
    """So many actions of an earlier boot, 90 days ago, each for another fingerprint."""
    with opened(path):
        pass
    with Path(path).open("ab") as file:
        for number in range(count):
            one = Order(**{**vars(order), "fingerprint": f"{order.fingerprint}{number:02d}"})
            file.write(lines(Entry(f"{order.fingerprint}-{number}", one, OLD, result, OLD)))


@pytest.mark.usefixtures("small")
def test_a_large_ledger_is_compacted_and_loses_nothing_that_counts(path: str) -> None:
    history(path, 1, FAILED, "failed")
    history(path, 30)
    act(path)
    assert Path(path).stat().st_size < 4000
    assert peek(path).entries[0].result == "failed"
    assert peek(path).entries[-1].order == ORDER
    assert oct(Path(path).stat().st_mode & 0o7777) == "0o600"
    assert [file.name for file in Path(path).parent.iterdir()] == ["ledger.jsonl"]


@pytest.mark.usefixtures("small")
def test_a_ledger_full_of_what_counts_refuses_until_it_is_forgiven(path: str) -> None:
    history(path, 30, FAILED, "failed")
    with pytest.raises(LedgerUnusable, match="full of actions that still count: forgive those that are done with"):
        act(path)
    with opened(path) as book:
        book.forgive(book.ledger.entries, Pardon("all mended", "anna@controller", now()))
    act(path)
    assert [entry.result for entry in peek(path).entries] == ["done"]


@pytest.mark.usefixtures("small")
def test_the_new_file_is_locked_as_the_old_one_was(path: str) -> None:
    history(path, 9)
    with opened(path) as book:
        before = Path(path).stat().st_ino
        book.begin(ORDER, now())
        assert Path(path).stat().st_ino != before
        with pytest.raises(LedgerUnusable, match="another run is acting on this node"), opened(path):
            pass


def test_a_file_that_was_replaced_while_it_was_opened_is_not_written_to(
    path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    act(path)
    real = module._lock

    def late(descriptor: int, where: str) -> None:
        """Somebody else has written it anew between our open and our lock, once."""
        monkeypatch.setattr(module, "_lock", real)
        os.close(module._written_anew(path, Path(path).read_bytes()))
        real(descriptor, where)

    monkeypatch.setattr(module, "_lock", late)
    act(path)
    assert [entry.result for entry in peek(path).entries] == ["done", "done"]


@pytest.mark.usefixtures("small")
def test_killed_while_it_is_written_anew_leaves_the_old_one(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    history(path, 9)
    before = Path(path).read_bytes()

    def killed(source: str, target: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "rename", killed)
    with pytest.raises(KeyboardInterrupt):
        act(path)
    assert Path(path).read_bytes() == before
    monkeypatch.undo()
    monkeypatch.setattr(module, "COMPACT", 2000)
    act(path)
    assert [file.name for file in Path(path).parent.iterdir()] == ["ledger.jsonl"]


def test_reading_needs_no_writing(path: str) -> None:
    assert read("/dev/null/outward-kubelet/ledger.jsonl") == Ledger((), 0)
    act(path)
    assert len(read(path).entries) == 1
