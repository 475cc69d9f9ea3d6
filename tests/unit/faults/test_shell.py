# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The helpers of the injected scripts do what they say, in a real shell."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.faults import shell
from tests.faults.lab import whole


def run(script: str, kept: Path) -> subprocess.CompletedProcess[str]:
    helpers = shell.NODE.replace("KEPT=/run/outward-fault", f"KEPT={kept}")
    return subprocess.run(["sh", "-s"], input=whole(helpers, script), text=True, capture_output=True, check=False)


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    return tmp_path / "kept"


def test_what_was_kept_comes_back_as_it_was(tmp_path: Path, kept: Path) -> None:
    config, link = tmp_path / "config.yaml", tmp_path / "current.pem"
    config.write_text("kind: A\n")
    config.chmod(0o640)
    link.symlink_to("nowhere.pem")
    assert run(f"keep {config} {link}; echo broken > {config}; rm {link}", kept).returncode == 0
    assert run(f"keep {config}; echo worse > {config}", kept).returncode == 0
    assert run("back", kept).returncode == 0
    assert (config.read_text(), config.stat().st_mode & 0o777) == ("kind: A\n", 0o640)
    assert link.is_symlink()
    assert not kept.exists()


def test_what_was_not_there_is_gone_again(tmp_path: Path, kept: Path) -> None:
    new = tmp_path / "default"
    run(f"keep {new}; echo x > {new}; keep {new}", kept)
    assert new.exists()
    run("back", kept)
    assert not new.exists()


def test_back_without_anything_kept_does_nothing(kept: Path) -> None:
    assert run("back", kept).returncode == 0


def test_a_command_cannot_eat_the_rest_of_its_script(kept: Path) -> None:
    assert run("cat\necho reached", kept).stdout == "reached\n"


def test_a_failing_line_ends_the_script(kept: Path) -> None:
    done = run("false\necho reached", kept)
    assert (done.returncode, done.stdout) == (1, "")
