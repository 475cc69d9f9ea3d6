# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How a recovery of a client certificate is judged on the lab, and that its searches would find what they look for."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.diagnose import RULES
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.guards import Policy, cure
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.registry import CAUSES
from tests.certificates import sampler
from tests.certificates.__main__ import run_of
from tests.certificates.cases import CASES, RENEW, Case
from tests.certificates.checks import CHECKS, Check, seen
from tests.certificates.secrets import NotSearched, Sampler, here, on_disk, search
from tests.certificates.verdict import mistakes, why
from tests.faults import shell
from tests.faults.model import Step

SEEN = {
    "outcome": "recovered",
    "status": 0,
    "root_causes": ["kubelet-client-pem-missing"],
    "actions": [RENEW],
    "containers_kept": True,
    "tokens_left": 0,
    "found_in": [],
}
CASE = CASES["kubelet-client-pem-missing"]
SECRET = "outward0secret0x"


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.id)
def test_a_check_is_judged_by_its_status_and_by_every_certificate(check: Check) -> None:
    rows = [{"what": name, "state": state} for name, state in check.expected["states"].items()]
    rows.sort(key=lambda row: row["what"] != check.first)
    good = seen(check.status, rows)
    assert mistakes(check.expected, good) == []
    assert mistakes(check.expected, {**good, "status": 2 - check.status})
    assert mistakes(check.expected, seen(check.status, [{**rows[0], "state": "lost"}, *rows[1:]]))
    assert mistakes(check.expected, seen(check.status, rows[:-1]))


def test_what_is_right_has_no_mistake() -> None:
    assert mistakes(CASE.expected, SEEN) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("outcome", "failed"),
        ("status", 2),
        ("actions", []),
        ("containers_kept", False),
        ("tokens_left", 1),
        ("found_in", ["journal"]),
        ("root_causes", []),
    ],
)
def test_every_part_counts(name: str, value: object) -> None:
    assert mistakes(CASE.expected, {**SEEN, name: value}) == [f"{name}: expected {CASE.expected[name]}, saw {value}"]


def test_a_run_says_in_one_line_why_it_did_not_end_well() -> None:
    report = {
        "error": "no answer\nfrom pi-04",
        "actions": [{"step": RENEW, "result": "failed", "detail": "not shown: certificate_accepted"}],
        "plan": [
            {"step": "restart-kubelet", "permitted": False, "why": "no cure"},
            {"step": RENEW, "permitted": True, "why": ""},
        ],
        "proof": {"proven": False, "checks": {"ready": True, "pods_run": None}},
        "diagnosis": {"unknown": ["cri: no answer"]},
        "notes": ["csr-1 was approved"],
    }
    assert why(report) == (
        f"no answer from pi-04; {RENEW}: not shown: certificate_accepted; restart-kubelet: no cure; not proven: pods_run;"
        " cri: no answer; csr-1 was approved"
    )
    well = {"actions": [], "plan": [], "proof": {"checks": {}}, "diagnosis": {"unknown": []}}
    assert why(well) == ""


@pytest.mark.parametrize("case", CASES.values(), ids=lambda case: case.fault.id)
def test_a_case_calls_its_playbook_with_the_rights_that_we_ship_and_all_words(case: Case, tmp_path: Path) -> None:
    command = run_of(case).command("pi-05", tmp_path)
    assert command[1] == f"certificates-{case.mode}.yml"
    assert {"-vvv", "--diff", "pi-05"} <= set(command)
    assert "certificates.kubeconfig" in " ".join(command)


def test_containers_of_a_deleted_node_may_go() -> None:
    assert mistakes(Case(CASE.fault, kept=None).expected, {**SEEN, "containers_kept": False}) == []


@pytest.mark.parametrize("case", CASES.values(), ids=lambda case: case.fault.id)
def test_a_case_is_of_a_cause_that_its_step_cures_and_its_scripts_parse(case: Case) -> None:
    if case.fault.root_causes:
        assert RULES  # entered into CAUSES
        assert {cure(CAUSES[name], Policy(certificates=True)) for name in case.fault.root_causes} == set(case.actions)
    else:
        assert case.playbook == "certificates-rotate.yml"
    for step in (*case.fault.inject, case.fault.holds):
        assert parses(step)


def parses(step: Step) -> bool:
    helpers = shell.NODE if step.place == "node" else shell.CONTROLLER
    return not subprocess.run(["sh", "-n"], input=helpers + step.script, text=True, check=False).returncode


def test_the_search_of_a_node_finds_it(tmp_path: Path) -> None:
    """The same lines, with the disk, the journal and systemd of a node played by a directory."""
    (tmp_path / "disk" / "etc").mkdir(parents=True)
    (tmp_path / "disk" / "etc" / "before").write_text(f"of another run: {SECRET}")
    time.sleep(0.05)  # a file's times are as coarse as the kernel's tick
    (tmp_path / "stamp").touch()
    time.sleep(0.05)
    (tmp_path / "disk" / "etc" / "leak").write_text(f"x {SECRET} y")
    (tmp_path / "sampled").write_text(f"kubelet --token abc123.{SECRET}\n")
    script = (
        search({SECRET}, "witness")
        .replace("/var/lib/outward-witness", f"{tmp_path}/witness")
        .replace("/run/outward-sampled", f"{tmp_path}/sampled")
        .replace("find / /run /tmp /dev/shm ", f"find {tmp_path}/disk {tmp_path}/disk/etc ")
        .replace("/run/outward-stamp", f"{tmp_path}/stamp")
    )
    script = script.replace("/run/outward-wanted", f"{tmp_path}/wanted")
    players = f"systemctl() {{ :; }}\njournalctl() {{ echo 'kubelet: {SECRET}'; }}\n"
    done = subprocess.run(["sh", "-eu", "-s"], input=players + script, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [
        "found: arguments",
        "found: journal",
        f"found: {tmp_path}/disk/etc/leak",
        "searched",
    ]
    assert not (tmp_path / "wanted").exists()
    assert (tmp_path / "witness").read_text() == "witness\n"


def test_the_search_of_a_disk_finds_what_was_deleted_too_and_never_passes_by_itself(tmp_path: Path) -> None:
    disk = tmp_path / "pi-05.qcow2"
    disk.write_bytes(b"QFI\xfb\0\n" * 20000 + b"witness" + b"\0" * 70000)
    assert on_disk(disk, {SECRET}, "witness") == []
    with disk.open("ab") as file:
        file.write(f"token: abc123.{SECRET}".encode())
    assert on_disk(disk, {SECRET}, "witness") == ["the disk, deleted or not"]
    with pytest.raises(NotSearched, match="what was just written to it is not found"):
        on_disk(disk, {SECRET}, "another witness")
    with pytest.raises(NotSearched, match="No such file"):
        on_disk(tmp_path / "pi-06.qcow2", {SECRET}, "witness")


def until(holds: Callable[[], bool]) -> None:
    """Within a time that a busy machine keeps too."""
    end = time.monotonic() + 60
    while not holds() and time.monotonic() < end:
        time.sleep(0.05)


def test_arguments_of_processes_are_seen() -> None:
    found = Sampler()
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)", SECRET]) as process:
        until(lambda: any(SECRET in line for line in list(found.lines)))
        process.kill()
    assert here({SECRET}, {"arguments here": found.end(), "a report": "nothing"}) == ["arguments here"]


def test_a_process_that_becomes_another_late_is_seen_too() -> None:
    words = "import os, sys; sys.stdin.readline(); os.execvp('sleep', ['sleep', '60.25'])"
    read: dict[str, int] = {}
    with subprocess.Popen([sys.executable, "-c", words], stdin=subprocess.PIPE, text=True) as process:
        for dummy in range(5):
            sampler.arguments(read)
        assert read[str(process.pid)] == 5
        assert process.stdin is not None
        process.stdin.write("go on\n")
        process.stdin.flush()
        until(lambda: Path(f"/proc/{process.pid}/cmdline").read_bytes().startswith(b"sleep"))
        found = set().union(*(sampler.arguments(read) for dummy in range(sampler.LATE)))
        process.kill()
    assert any(line.startswith(b"sleep 60.25") for line in found)
    assert str(process.pid) in read
    process.wait()
    sampler.arguments(read)
    assert str(process.pid) not in read


def test_the_sampler_of_a_node_sees_them_too(tmp_path: Path) -> None:
    target = tmp_path / "sampled"
    with subprocess.Popen([sys.executable, sampler.__file__, str(target)]) as process:
        until(lambda: target.exists() and bool(target.read_bytes()))
        process.kill()
    assert b"sampler.py" in target.read_bytes()
