# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Each repair on a node that has its cause: what it changes, that it is proven, and that it is taken back when it is not."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.registry import CAUSES
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.repair import REPAIRS
from tests.unit.helpers import healthy_node
from tests.unit.helpers_repair import ENTERED, Fake, Patient, log, repair, request
from tests.unit.repair_cases import CASES, STALE, Case, fake

# Shown elsewhere: by test_run.py, test_unmask_and_kill.py, test_certificates.py and test_space.py.
ELSEWHERE = {
    "enable-bridge-netfilter",
    "unmask-kubelet",
    "kill-containerd",
    "relink-client-certificate",
    "set-api-server",
    "rebuild-kubeconfig",
    "free-disk-space",
    "free-inodes",
    "vacuum-journal",
    "shorten-container-logs",
    "free-space-beside-images",
    "restore-eviction-thresholds",
    "end-leftover-kubelet",
}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.cause)
def test_it_is_done_and_proven(case: Case, tmp_path: Path) -> None:
    desk = fake(case, tmp_path)
    host = Patient(healthy_node(**case.broken), [healthy_node()], trials=[None])
    outcome = repair(host, desk, request(tmp_path, case.cause))
    assert (outcome.refusals, outcome.detail, outcome.result) == ((), "", "done")
    assert len(host.asked) == 2  # what it asks is enough, before and after
    assert tuple(desk.commands) == case.commands
    assert {path: desk.read(path) for path in case.after} == case.after


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.cause)
def test_it_is_taken_back_when_it_is_not_proven(case: Case, tmp_path: Path) -> None:
    desk = fake(case, tmp_path)
    broken = healthy_node(**case.broken)
    outcome = repair(Patient(broken, [broken], trials=["no"] * 99), desk, request(tmp_path, case.cause))
    assert outcome.result == "failed"
    assert tuple(desk.commands) == (*case.commands, *case.back)
    assert {path: desk.read(path) for path in case.files} == case.files
    assert {path: desk.read(path) for path in case.after} == {path: case.files.get(path) for path in case.after}
    assert not [words for words in outcome.undone if "could not" in words]


class Renaming(Fake):
    """hostnamectl writes the name down."""

    def run(self, *command: str) -> None:
        super().run(*command)
        self.write("/etc/hostname", f"{command[-1]}\n")


@pytest.mark.parametrize("before", [None, "older\n"])
def test_a_host_s_name_is_taken_back_in_its_file_too(before: str | None, tmp_path: Path) -> None:
    case = next(case for case in CASES if case.cause == "kubelet-hostname-changed")
    files = {**case.files, **({"/etc/hostname": before} if before else {})}
    desk, broken = Renaming(tmp_path, files=files), healthy_node(**case.broken)
    outcome = repair(Patient(broken, [broken]), desk, request(tmp_path, case.cause))
    assert (outcome.result, desk.read("/etc/hostname")) == ("failed", before)


def test_every_repair_is_shown_and_belongs_to_a_cause() -> None:
    assert ENTERED
    shown = {CAUSES[case.cause].repair for case in CASES} | ELSEWHERE
    assert shown == set(REPAIRS) == {cause.repair for cause in CAUSES.values()} & set(REPAIRS)


def test_a_pod_network_is_proven_by_a_sandbox_and_not_by_an_old_line(tmp_path: Path) -> None:
    case = next(case for case in CASES if case.cause == "cni-bridge-stale-address")
    stale = log(STALE.lines[0].text, at=990.0)
    still = healthy_node(
        runtime__journal=stale, identity__uptime=1010.0
    )  # what was said before the repair is still in the journal
    host = Patient(still, [still], trials=["cni: not yet", None])
    outcome = repair(host, fake(case, tmp_path), request(tmp_path, case.cause))
    assert (outcome.result, outcome.checks["sandbox_made"]) == ("done", True)


class Writing(Patient):
    """The kubelet makes its file anew while the proof goes on."""

    path: Path

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds)
        self.path.write_text("new")


def test_a_file_that_was_made_anew_is_not_replaced_by_the_broken_one(tmp_path: Path) -> None:
    case = next(case for case in CASES if case.cause == "kubelet-pod-state-checkpoint")
    desk, broken = fake(case, tmp_path), healthy_node(**case.broken)
    host = Writing(broken, [broken])
    host.path = Path(desk.path("/var/lib/kubelet/allocated_pods_state"))
    outcome = repair(host, desk, request(tmp_path, case.cause))
    assert (outcome.result, host.path.read_text()) == ("failed", "new")
    assert outcome.undone[0].startswith("taken back in part (moves /var/lib/kubelet/allocated_pods_state to ")
    assert outcome.undone[0].endswith("was made anew meanwhile, which stays; the one before is in the backup")
    copies = list((tmp_path / "backup").rglob("allocated_pods_state"))
    assert [copy.read_text() for copy in copies] == ["broken"]


def test_a_reservation_of_a_sandbox_in_the_making_stays(tmp_path: Path) -> None:
    """The runtime does not list it yet."""
    case = next(case for case in CASES if case.cause == "cni-ipam-exhausted")
    desk = fake(case, tmp_path)
    os.utime(desk.path("/var/lib/cni/networks/lab/10.0.0.3"))
    outcome = repair(Patient(healthy_node(**case.broken), []), desk, request(tmp_path, case.cause))
    assert outcome.result == "refused"
    assert "may be in the making" in outcome.refusals[0]
