# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Only what carries our mark is ours."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from tests.lab import _process
from tests.lab._model import LabError, Paths


@pytest.mark.parametrize(
    ("environ", "name"),
    [
        (b"A=1\0OUTWARD_LAB_PROCESS=/state:etcd\0B=2\0", "etcd"),
        (b"OUTWARD_LAB_PROCESS=/state:pi-04", "pi-04"),
        (b"OUTWARD_LAB_PROCESS=/state-of-another:etcd\0", None),
        (b"X_OUTWARD_LAB_PROCESS=/state:etcd\0", None),
        (b"", None),
    ],
)
def test_match(environ: bytes, name: str | None) -> None:
    assert _process.match(environ, "/state") == name


def test_table_reads_every_process(tmp_path: Path) -> None:
    paths = Paths(Path("/state"), Path("/cache"))
    for pid, environ in (("7", b"OUTWARD_LAB_PROCESS=/state:etcd\0"), ("8", b"A=1\0"), ("sys", b"")):
        (tmp_path / pid).mkdir()
        (tmp_path / pid / "environ").write_bytes(environ)
    (tmp_path / "9").mkdir()
    assert _process.table(paths, tmp_path) == {"etcd": _process.Process("etcd", 7)}


def test_a_process_is_started_once_found_and_ended(tmp_path: Path) -> None:
    paths = Paths(tmp_path, tmp_path)
    _process.start(paths, "sleeper", ["sleep", "60"])
    first = _process.table(paths)
    _process.start(paths, "sleeper", ["sleep", "60"])
    assert _process.table(paths) == first
    assert first["sleeper"].pid != os.getpid()
    _process.stop(paths, ["another"])
    assert "sleeper" in _process.table(paths)
    _process.stop(paths, ["sleeper"])
    assert _process.table(paths) == {}


def test_what_ends_at_once_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(LabError, match=r"broken ended at once with 3: see .*broken\.log"):
        _process.start(Paths(tmp_path, tmp_path), "broken", ["sh", "-c", "exit 3"])


def test_what_is_frozen_runs_on_but_not_what_another_froze(tmp_path: Path) -> None:
    paths = Paths(tmp_path, tmp_path)
    for name in ("ours", "theirs"):
        _process.start(paths, name, ["sleep", "60"])
    running = _process.table(paths)
    try:
        for process in running.values():
            os.kill(process.pid, signal.SIGSTOP)
        _process.wake(paths, but={"theirs"})
        _until(running["ours"].pid, "S")
        _until(running["theirs"].pid, "T")
    finally:
        _process.stop(paths, running)


def _until(pid: int, state: str) -> None:
    """proc_pid_stat(5); a signal takes a moment."""
    end = time.monotonic() + 5
    while Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != state:
        assert time.monotonic() < end
        time.sleep(0.02)
