# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One at a time, and never for ever."""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path

import pytest

from ansible_collections.outward.kubelet.plugins.module_utils._host import observe as observing
from ansible_collections.outward.kubelet.plugins.module_utils._host.runner import Answer
from ansible_collections.outward.kubelet.plugins.module_utils._host.turns import alone, in_turn
from tests.unit.plugins.module_utils._host.test_observe import KUBEADM, FakeRunner
from tests.unit.side_by_side import course


def test_one_at_a_time(tmp_path: Path) -> None:
    path = str(tmp_path / "lock")
    with alone(path), pytest.raises(BlockingIOError), alone(path):
        pass
    with alone(path):
        assert Path(path).stat().st_mode & 0o777 == 0o600


def test_who_was_killed_holds_nothing(tmp_path: Path) -> None:
    path = str(tmp_path / "lock")
    pid = os.fork()
    if pid == 0:
        fcntl.flock(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), fcntl.LOCK_EX)
        os.kill(os.getpid(), 9)
    os.waitpid(pid, 0)
    with alone(path):
        pass


def test_a_turn_comes_when_the_one_before_is_over(tmp_path: Path) -> None:
    path = str(tmp_path / "lock")
    assert course(lambda: in_turn(path)) == ["first", "second"]
    with alone(path):  # and gives it back
        pass


def test_nobody_waits_for_ever_for_a_turn(tmp_path: Path) -> None:
    path = str(tmp_path / "lock")
    begin = time.monotonic()
    with alone(path), in_turn(path, 0.5):
        assert 0.5 <= time.monotonic() - begin < 5


def test_where_there_can_be_no_lock_there_are_no_turns(tmp_path: Path) -> None:
    (tmp_path / "lock").symlink_to(tmp_path / "elsewhere")
    with in_turn(str(tmp_path / "lock")), in_turn(str(tmp_path / "none" / "lock")):
        assert not (tmp_path / "elsewhere").exists()


def test_a_look_takes_its_turn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, held = str(tmp_path / "lock"), []

    def run(runner: FakeRunner) -> dict[str, Answer]:
        with pytest.raises(BlockingIOError), alone(path):
            pass
        held.append(path)
        return {}

    monkeypatch.setattr(observing, "TURN", path)
    monkeypatch.setattr(observing, "Runner", FakeRunner)
    monkeypatch.setattr(FakeRunner, "run", run)
    observing.observe(KUBEADM, ())
    assert held == [path]
