# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The two repairs that look at more than a command's answer: masks are links, and a kill is a signal."""

from __future__ import annotations

import os
import typing as t
from pathlib import Path

import pytest

from tests.unit.helpers import healthy_node
from tests.unit.helpers_host import STOPPED
from tests.unit.helpers_repair import SHOW, Fake, Patient, repair, request

MASKED = {**STOPPED, "kubelet__unit__load_state": "masked", "kubelet__unit__unit_file_state": "masked"}
HUNG = {"runtime__cri__outcome": "timeout", "runtime__cri__detail": "no answer", "runtime__unit__process_state": "T"}
UNIT = {"/usr/lib/systemd/system/containerd.service": "[Unit]\n", "/usr/lib/systemd/system/kubelet.service": "[Unit]\n"}
ALIVE = {f"{SHOW} Restart containerd.service": "always\n", f"{SHOW} MainPID containerd.service": "4711\n"}


@pytest.mark.parametrize(("place", "flag"), [("etc", ""), ("run", "--runtime ")])
def test_a_mask_is_taken_off_where_it_is(place: str, flag: str, tmp_path: Path) -> None:
    desk = Fake(tmp_path, files=UNIT)
    link = tmp_path / place / "systemd/system/kubelet.service"
    link.parent.mkdir(parents=True)
    link.symlink_to("/dev/null")
    outcome = repair(
        Patient(healthy_node(**MASKED), [healthy_node(**STOPPED)]), desk, request(tmp_path, "kubelet-unit-masked")
    )
    assert (outcome.result, desk.commands) == ("done", [f"systemctl unmask {flag}kubelet.service"])
    still = Patient(healthy_node(**MASKED), [healthy_node(**MASKED)])
    failed = repair(still, desk, request(tmp_path, "kubelet-unit-masked", fingerprint="cd34"))
    assert (failed.result, desk.commands[-1]) == ("failed", f"systemctl mask {flag}kubelet.service")


def test_a_unit_of_its_own_is_no_mask(tmp_path: Path) -> None:
    desk = Fake(tmp_path, files={**UNIT, "/etc/systemd/system/kubelet.service": "[Unit]\n"})
    outcome = repair(Patient(healthy_node(**MASKED), []), desk, request(tmp_path, "kubelet-unit-masked"))
    assert (outcome.result, desk.commands) == ("refused", [])


@pytest.fixture
def killed(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    seen: list[tuple[int, int]] = []
    monkeypatch.setattr(os, "kill", lambda pid, signal: seen.append((pid, signal)))
    return seen


def test_a_runtime_that_hangs_is_killed_and_must_answer(tmp_path: Path, killed: list[tuple[int, int]]) -> None:
    gone = healthy_node(runtime__unit__active_state="activating", runtime__cri__outcome="refused")
    host = Patient(healthy_node(**HUNG), [gone, gone, healthy_node()])
    outcome = repair(host, Fake(tmp_path, files=UNIT, said=ALIVE), request(tmp_path, "containerd-hung"))
    assert (outcome.result, killed, host.looks) == ("done", [(4711, 9)], 4)
    dead = repair(
        Patient(healthy_node(**HUNG), [gone]),
        Fake(tmp_path, files=UNIT, said=ALIVE),
        request(tmp_path, "containerd-hung", fingerprint="cd34"),
    )
    assert (dead.result, dead.checks["repair_holds"]) == ("failed", False)
    assert dead.undone == ("cannot be taken back (kills the main process of containerd.service (4711))",)


@pytest.mark.parametrize(
    ("changes", "said", "words"),
    [
        ({"runtime__unit__process_state": "D"}, ALIVE, "blocked in the kernel"),
        ({}, {f"{SHOW} Restart containerd.service": "no\n"}, "systemd would not start it again"),
        ({}, {**ALIVE, f"{SHOW} MainPID containerd.service": "0\n"}, "has no main process"),
        ({"profile__runtime_unit": "kubelet.service"}, ALIVE, "holds the kubelet as well"),
    ],
)
def test_and_is_not_killed_when(
    changes: dict[str, t.Any], said: dict[str, str], words: str, tmp_path: Path, killed: list[tuple[int, int]]
) -> None:
    desk = Fake(tmp_path, files=UNIT, said=said)
    outcome = repair(Patient(healthy_node(**{**HUNG, **changes}), []), desk, request(tmp_path, "containerd-hung"))
    assert (outcome.result, killed) == ("refused", [])
    assert words in "; ".join(outcome.refusals)
