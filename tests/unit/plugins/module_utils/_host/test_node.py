# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The real host as far as any machine can show it: commands that fail, hang or are not there, and the clocks."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.evidence import Undecided, amended
from ansible_collections.outward.kubelet.plugins.module_utils._host import command, node
from ansible_collections.outward.kubelet.plugins.module_utils._host.node import ThisNode
from ansible_collections.outward.kubelet.plugins.module_utils._host.probes import cri
from ansible_collections.outward.kubelet.tests.unit.helpers import healthy_node

PROFILE = healthy_node().profile


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory that is the only PATH of commands that are run."""
    monkeypatch.setitem(command.ENVIRONMENT, "PATH", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def script(directory: Path, name: str, text: str) -> None:
    """An executable stand-in."""
    path = directory / name
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("exit 0", None),
        ("exit 3", "systemctl ended with status 3"),
        (
            "echo 'Failed to start kubelet.service: Unit kubelet.service is masked.' >&2; exit 1",
            "Failed to start kubelet.service: Unit kubelet.service is masked.",
        ),
        ("exec /bin/sleep 30", "systemctl: no answer within 0 s"),
    ],
)
def test_what_systemctl_says_when_it_does_not_succeed(text: str, problem: str | None, tools: Path) -> None:
    script(tools, "systemctl", text)
    assert ThisNode(PROFILE).systemctl("start", "kubelet.service", seconds=0.4 if "sleep" in text else 10) == problem


def test_systemctl_gets_its_arguments_as_they_are(tools: Path) -> None:
    script(tools, "systemctl", 'printf "%s|" "$@" >&2; exit 1')
    assert ThisNode(PROFILE).systemctl("start", "a b;c", seconds=10) == "--no-ask-password|start|a b;c|"


def test_a_systemd_that_does_not_answer_leaves_it_undecided(tools: Path) -> None:
    script(tools, "systemctl", "echo 'Failed to connect to bus' >&2; exit 1")
    with pytest.raises(Undecided, match="Failed to connect to bus"):
        ThisNode(PROFILE).unit("kubelet.service")


def test_the_runtimes_own_opinion_of_its_configuration(tools: Path) -> None:
    config = tools / "config.toml"
    host = ThisNode(amended(PROFILE, runtime_config=str(config)))
    assert host.runtime_config() is None
    config.write_text("version = ")
    script(
        tools, "containerd", f'test "$*" = "--config {config} config dump" || exit 0\necho "toml: line 1" >&2; exit 1'
    )
    assert host.runtime_config() == f"containerd cannot use {config}: toml: line 1"
    (tools / "containerd").unlink()
    assert host.runtime_config() == f"containerd cannot use {config}: No such file or directory: containerd"


def test_a_look_that_is_cut_off_is_undecided(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(node, "LOOK", 0.2)
    monkeypatch.setattr(cri, "ask", lambda profile: time.sleep(60))
    begin = time.monotonic()
    with pytest.raises(Undecided, match="cri"):
        ThisNode(PROFILE).cri()
    assert time.monotonic() - begin < 5


def test_alive_and_the_clocks() -> None:
    host = ThisNode(PROFILE)
    assert (host.alive(os.getpid()), host.alive(0), host.alive(2**22 + 1)) == (True, False, False)
    assert abs(host.wall() - datetime.now(UTC)) < timedelta(seconds=5)
    assert abs(host.wall(time.monotonic() - 60) - host.wall() + timedelta(seconds=60)) < timedelta(seconds=5)
