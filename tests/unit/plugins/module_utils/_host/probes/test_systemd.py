# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is asked of systemd and journald, and what becomes of their answers."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.outward.kubelet.plugins.module_utils._host.command import Output
from ansible_collections.outward.kubelet.plugins.module_utils._host.errors import ProbeError
from ansible_collections.outward.kubelet.plugins.module_utils._host.probes import logs, units
from ansible_collections.outward.kubelet.plugins.module_utils._host.profile import PROFILES
from ansible_collections.outward.kubelet.plugins.module_utils._parse.errors import ParseError

KUBEADM = PROFILES["kubeadm"]
BLOCK = "Id={name}\nLoadState=loaded\nActiveState={state}\nSubState=running\nMainPID={pid}\n"


def answer(monkeypatch: pytest.MonkeyPatch, text: str, status: int = 0) -> list[list[str]]:
    """Every command answers this; returns what was run."""
    ran: list[list[str]] = []

    def run(arguments: list[str], seconds: float) -> Output:
        ran.append(arguments)
        return Output(status, text, "Failed to connect to bus: Host is down\n")

    for module in (units, logs):
        monkeypatch.setattr(module, "run", run)
    return ran


def test_one_call_for_all_units(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "chrony.service").touch()
    monkeypatch.setattr(units, "UNIT_DIRS", (str(tmp_path),))
    blocks = [("kubelet", "active", 1), ("containerd", "failed", 0), ("chrony", "active", 7)]
    ran = answer(monkeypatch, "\n".join(BLOCK.format(name=f"{n}.service", state=s, pid=p) for n, s, p in blocks))
    kubelet, runtime, clock = units.ask(KUBEADM)
    assert [command[-3:] for command in ran] == [["kubelet.service", "containerd.service", "chrony.service"]]
    assert (kubelet.main_pid, kubelet.process_state is not None) == (1, True)
    assert (runtime.active_state, runtime.process_state, clock) == ("failed", None, "chrony.service")


def test_no_time_service_and_a_process_that_has_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(units, "UNIT_DIRS", ())
    answer(monkeypatch, "\n".join(BLOCK.format(name="x", state="active", pid=4194305) for number in range(2)))
    kubelet, clock = units.ask(KUBEADM)[0::2]
    assert (kubelet.process_state, clock) == (None, None)


def test_systemd_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    answer(monkeypatch, "", status=1)
    with pytest.raises(ProbeError, match="systemctl: Failed to connect to bus"):
        units.ask(KUBEADM)
    with pytest.raises(ProbeError, match="journalctl: Failed to connect to bus"):
        logs.unit("kubelet.service")


def test_fewer_units_than_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(units, "UNIT_DIRS", ())
    answer(monkeypatch, BLOCK.format(name="x", state="active", pid=0))
    with pytest.raises(ParseError, match="1 of 2 units"):
        units.ask(KUBEADM)


def test_the_journal_is_asked_for_this_boot_and_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    line = '{"MESSAGE": "x%s", "__MONOTONIC_TIMESTAMP": "1"}\n'
    ran = answer(monkeypatch, "".join(line % chr(97 + number % 26) for number in range(logs.MOST)))
    assert logs.unit("kubelet.service").truncated
    assert {"--boot", "--unit=kubelet.service", f"--lines={logs.MOST}"} < set(ran[0])
    answer(monkeypatch, line % "")
    found = logs.unit("kubelet.service")
    assert (len(found.lines), found.truncated) == (1, False)


def test_the_kernels_ring_buffer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "_records", lambda: iter(["4,7,1000000,-;trouble\n", "6,8,2000000,-;nothing\n"]))
    found = logs.kernel()
    assert ([line.text for line in found.lines], found.truncated) == (["trouble"], True)
    monkeypatch.setattr(logs, "_records", lambda: iter([]))
    assert not logs.kernel().truncated
