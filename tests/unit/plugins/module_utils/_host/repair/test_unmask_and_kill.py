# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Repairs that look at more than a command's answer: masks are links, and a process is ended by a signal."""

from __future__ import annotations

import os
import signal
import typing as t
from pathlib import Path

import pytest

from tests.unit.helpers import healthy_node
from tests.unit.helpers_host import STOPPED
from tests.unit.helpers_repair import SHOW, Fake, Patient, log, repair, request

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


TAKEN = {
    "kubelet__unit__active_state": "activating",
    "kubelet__unit__sub_state": "auto-restart",
    "kubelet__unit__restarts": 3,
    "kubelet__journal": log("Failed to listen and serve: listen tcp 0.0.0.0:10250: bind: address already in use"),
}
# /proc/net/tcp6 as pi-05 of the lab has it (6.12.118), of the sockets that count.
ROW = (
    " {0}: 00000000000000000000000000000000:{1} 00000000000000000000000000000000:0000 0A 00000000:00000000 "
    "00:00000000 00000000     0        0 {2} 1 0000000000000000 100 0 0 10 0\n"
)
TCP6 = ROW.format(0, "280A", 9711) + ROW.format(1, "0016", 4711)
SESSION = "0::/user.slice/user-0.slice/session-3.scope\n"
KUBELET = "/usr/bin/kubelet"


STAT = "812 (kubelet) S {} 812 812 0 -1 4194560 9812 0 11 0 210 60 0 0 20 0 13 0 181820 2098761728 20480 18446744073709551615\n"


def holder(
    tmp_path: Path, program: str = KUBELET, group: str = SESSION, socket: int = 9711, parent: int = 1, **main: str
) -> Fake:
    """Process 812 holds a socket."""
    made = Fake(
        tmp_path,
        files={
            "/proc/net/tcp": "",
            "/proc/net/tcp6": TCP6,
            "/proc/812/cgroup": group,
            "/proc/812/stat": STAT.format(parent),
        },
        said={f"{SHOW} MainPID {unit}.service": f"{pid}\n" for unit, pid in main.items()},
    )
    (tmp_path / "proc/812/exe").symlink_to(program)
    (tmp_path / "proc/812/fd").mkdir()
    (tmp_path / "proc/812/fd/7").symlink_to(f"socket:[{socket}]")
    return made


@pytest.mark.parametrize(
    "given",
    [{}, {"program": f"{KUBELET} (deleted)"}, {"group": "0::/system.slice/ssh.service\n", "ssh": "551"}],
    ids=["of a session", "of a release before", "of sshd without sessions"],
)
def test_a_kubelet_that_was_left_over_is_asked_to_end(
    given: dict[str, t.Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[int, int]] = []

    def kill(pid: int, number: int) -> None:
        asked.append((pid, number))
        if number == 0:
            raise ProcessLookupError

    monkeypatch.setattr(os, "kill", kill)
    outcome = repair(
        Patient(healthy_node(**TAKEN), [healthy_node()]),
        holder(tmp_path, **given),
        request(tmp_path, "kubelet-port-10250-in-use"),
    )
    assert (outcome.refusals, outcome.result, asked) == ((), "done", [(812, signal.SIGTERM), (812, 0)])


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"program": "/usr/local/bin/k3s"}, "/usr/local/bin/k3s (process 812) listens on port 10250"),
        ({"group": "0::/system.slice/old.service\n", "old": "812"}, "old.service keeps the kubelet (process 812)"),
        ({"group": "0::/system.slice/kubelet.service\n", "kubelet": "812"}, "kubelet.service keeps the kubelet"),
        ({"parent": 700}, "process 700 started another kubelet (process 812) and waits for it"),
        ({"socket": 4711}, "nobody listens on port 10250 now"),
    ],
)
def test_and_nothing_else_is(
    given: dict[str, t.Any], words: str, tmp_path: Path, killed: list[tuple[int, int]]
) -> None:
    outcome = repair(
        Patient(healthy_node(**TAKEN), []), holder(tmp_path, **given), request(tmp_path, "kubelet-port-10250-in-use")
    )
    assert (outcome.result, killed) == ("refused", [])
    assert words in outcome.refusals[0]
