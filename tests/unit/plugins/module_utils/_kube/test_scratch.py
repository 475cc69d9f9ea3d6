# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Keys of a killed run do not stay in /tmp, and nobody's keys are taken away while they are used."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ansible_collections.outward.kubelet.plugins.module_utils._kube import scratch


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return tmp_path


def aged(path: Path) -> Path:
    os.utime(path, (time.time() - 61,) * 2)
    return path


def test_it_goes_with_the_connection(place: Path) -> None:
    with scratch.directory() as name:
        (Path(name) / "key").write_text("x")
        assert Path(name).stat().st_mode & 0o077 == 0
    assert list(place.iterdir()) == []


def test_what_a_killed_process_left_goes_with_the_next_connection(place: Path) -> None:
    left = place / ".outward-kube-left"
    left.mkdir()
    (left / "key").write_text("x")
    with scratch.directory():
        assert left.exists()  # it may be a moment old, and about to be locked
    aged(left)
    with scratch.directory() as name:
        assert [path for path in place.iterdir() if path != Path(name)] == []


def test_what_is_in_use_stays_until_its_process_is_killed(place: Path) -> None:
    script = "import sys, time; from ansible_collections.outward.kubelet.plugins.module_utils._kube import scratch\n"
    script += "with scratch.directory() as name: print(name, flush=True); time.sleep(60)"
    environment = {**os.environ, "TMPDIR": str(place), "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, env=environment) as other:
        assert other.stdout is not None
        used = aged(Path(other.stdout.readline().strip()))
        scratch.sweep(place)
        assert used.exists()
        other.kill()
        other.wait()
    scratch.sweep(place)
    assert not used.exists()
