# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""When a row of docs/results/chaos.json is right: a near miss for each thing that is asked."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
import typing as t
from datetime import datetime
from pathlib import Path

import pytest

from tests.chaos.outside import LEASE, LOOK, Unit, View, holders, leftovers, touched, view
from tests.chaos.play import Ended
from tests.chaos.points import REPORT, RESTART, Point
from tests.chaos.verdict import mistakes

KILLED: t.Final = Point("killed after the restart", RESTART, told=True)
FULL: t.Final = Point("full", RESTART, event="report-dir-full", says="this is not in a report: cannot write")
NOTE: t.Final = "the run of 2026-11-23T15:00:00Z was interrupted; it was about to do restart-kubelet"
HEALTHY: t.Final = {"outcome": "healthy", "finished": "x", "actions": [], "plan": [], "notes": [NOTE]}
REFUSED: t.Final = {
    **HEALTHY,
    "outcome": "refused",
    "plan": [{"step": "restart-kubelet", "permitted": False, "why": "another run is acting on this node"}],
}
DEAD: t.Final = Ended(-9, "", None, 20.0)
UNIT: t.Final = Unit("aaaa", 0, "active", "100")
VIEW: t.Final = View(UNIT, UNIT, (), (), (), 0, "b")
NODE: t.Final[dict[str, t.Any]] = {"metadata": {}, "spec": {}}
NOW: t.Final = datetime.fromisoformat("2026-11-23T15:00:59Z")


def ended(report: dict[str, t.Any] | None, status: int | None = 0) -> Ended:
    return Ended(status, "", report, 30.0)


@pytest.mark.parametrize(
    ("second", "works", "left", "wrong"),
    [
        (ended(HEALTHY), "", [], []),
        (ended({**HEALTHY, "outcome": "recovered"}), "", [], []),
        (ended(REFUSED, 2), "Ready is Unknown", [], []),
        (ended({**REFUSED, "plan": []}, 2), "", [], ["the next run ended refused"]),
        (ended({**HEALTHY, "outcome": "failed"}, 2), "", [], ["the next run ended failed"]),
        (ended(HEALTHY), "Ready is Unknown", [], ["the next run ended healthy, and Ready is Unknown"]),
        (ended(HEALTHY, 2), "", [], ["the next run has the exit status 2"]),
        (ended(REFUSED, 0), "", [], ["the next run has the exit status 0"]),
        (ended({**HEALTHY, "finished": None}), "", [], ["the next run has no finished report"]),
        (ended({**HEALTHY, "notes": []}), "", [], ["the next run does not say that one was interrupted"]),
        (
            ended({**HEALTHY, "notes": [], "lock": {"took_over": "process 1 on x, which had pi-04 in hand"}}),
            "",
            [],
            [],
        ),
        (ended(HEALTHY), "", ["lock of x"], ["left: lock of x"]),
    ],
)
def test_what_the_next_run_came_to(second: Ended, works: str, left: list[str], wrong: list[str]) -> None:
    assert mistakes(KILLED, DEAD, second, works, left) == wrong


def test_nothing_has_to_be_told_of_a_run_that_was_through() -> None:
    after = Point("killed after the report", REPORT)
    assert mistakes(after, DEAD, ended({**HEALTHY, "notes": []}), "", []) == []


@pytest.mark.parametrize(
    ("point", "first", "wrong"),
    [
        (KILLED, ended(HEALTHY), ["it was not killed: status 0"]),
        (FULL, Ended(2, "note this is not in\n   a report: cannot write x", None, 1.0), []),
        (FULL, Ended(2, "recovered", None, 1.0), ["it does not say 'this is not in a report: cannot write'"]),
        (
            FULL,
            Ended(0, "this is not in a report: cannot write x", None, 1.0),
            ["a run whose report could not be written ended with 0"],
        ),
        (
            FULL,
            Ended(None, "this is not in a report: cannot write x", None, 900.0),
            ["the run did not end by itself"],
        ),
    ],
)
def test_what_the_interrupted_run_has_to_be(point: Point, first: Ended, wrong: list[str]) -> None:
    assert mistakes(point, first, ended(HEALTHY), "", []) == wrong


def test_what_the_node_prints() -> None:
    printed = {"kubelet": ["aaaa", "0", "active", "100"], "containerd": ["aaaa", "", "active", "100"], "files": []}
    text = json.dumps({**printed, "sandboxes": [], "processes": [], "ledger": 0, "boot": "b"})
    assert view(text) == VIEW


def test_what_is_left_and_what_may_stay() -> None:
    locks = ("/run/outward-kubelet-look.lock", "/run/outward-kubelet-sandbox.lock")
    copy = "/var/lib/outward-kubelet/backup/20261130T035219Z-x/etc/outward.conf"
    mine = (*locks, "/var/lib/outward-kubelet", "/var/lib/outward-kubelet/ledger.jsonl", copy)
    baseline = dataclasses.replace(VIEW, files=("/root/.ansible",))
    assert leftovers(baseline, dataclasses.replace(VIEW, files=(*mine, "/root/.ansible")), NODE, []) == []
    dirty = dataclasses.replace(VIEW, files=("/dev/shm/.ansible-outward",), sandboxes=("s1",), processes=("7 python",))
    cordoned = {"metadata": {"annotations": {"outward.kubelet/cordoned-by": "x"}}, "spec": {"unschedulable": True}}
    assert leftovers(VIEW, dirty, cordoned, ["awx-1@x/pi-04"]) == [
        "file /dev/shm/.ansible-outward",
        "sandbox s1",
        "process 7 python",
        "lock of awx-1@x/pi-04",
        "the Node is cordoned",
        "annotation outward.kubelet/cordoned-by",
    ]


@pytest.mark.parametrize(
    ("spec", "held"),
    [
        (
            {"holderIdentity": "a@b/c", "renewTime": "2026-11-23T15:00:00.000000Z", "leaseDurationSeconds": 60},
            ["a@b/c"],
        ),
        ({"holderIdentity": "a@b/c", "renewTime": "2026-11-23T14:59:59.000000Z", "leaseDurationSeconds": 60}, []),
        ({"renewTime": "2026-11-23T15:00:00.000000Z", "leaseDurationSeconds": 60}, []),
        ({"holderIdentity": "a@b/c"}, []),
    ],
)
def test_who_holds_a_lock(spec: dict[str, t.Any], held: list[str]) -> None:
    assert holders([{"spec": spec}], NOW) == held
    assert LEASE.fullmatch("outward-kubelet-0")
    assert not LEASE.fullmatch("kube-scheduler")


@pytest.mark.parametrize(
    ("kubelet", "more", "wrong"),
    [
        (UNIT, {}, []),
        (Unit("bbbb", 1, "active", "200"), {}, []),  # systemd started it again by itself
        (Unit("bbbb", 0, "active", "200"), {}, ["kubelet: another invocation (active, then active)"]),
        (UNIT, {"ledger": 1}, ["1 actions in the ledger"]),
        (UNIT, {"boot": "c"}, ["the node was booted"]),
    ],
)
def test_what_was_done_to_the_units(kubelet: Unit, more: dict[str, t.Any], wrong: list[str]) -> None:
    assert touched(VIEW, dataclasses.replace(VIEW, kubelet=kubelet, **more)) == wrong


def looked(tools: Path) -> View:
    for name in ("systemctl", "ctr"):
        (tools / name).write_text("#!/bin/sh\necho 7\n")
        (tools / name).chmod(0o755)
    place = {"PATH": f"{tools}:/usr/bin:/bin"}
    done = subprocess.run([sys.executable, "-"], input=LOOK, env=place, capture_output=True, text=True, check=True)
    return view(done.stdout)


def test_what_the_node_runs_is_a_program(tmp_path: Path) -> None:
    seen = looked(tmp_path)
    assert (seen.kubelet.restarts, seen.sandboxes) == (7, ("7",))


def test_a_process_is_ours_by_what_it_is_called_with_but_a_fault_s_program_is_not(tmp_path: Path) -> None:
    sleeping = [sys.executable, "-c", "import time; time.sleep(60)"]
    ours = subprocess.Popen([*sleeping, "--config=/run/outward-kubelet/join.json"])
    fault = subprocess.Popen([*sleeping, "/run/outward-crowd.py"])
    try:
        seen = {line.partition(" ")[0] for line in looked(tmp_path).processes}
    finally:
        for process in (ours, fault):
            process.kill()
            process.wait()
    assert seen & {str(ours.pid), str(fault.pid)} == {str(ours.pid)}
