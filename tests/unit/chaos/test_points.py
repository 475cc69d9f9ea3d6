# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where a run is struck: every task of the role, and none that there is not."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
import yaml

from tests.chaos.events import BEGIN, fill
from tests.chaos.points import CORDON, EVENTS, LOCK, REPORT, RESTART, ROLE, UNCORDON, points, tasks
from tests.faults.table import FAULTS

ROOT: t.Final = Path(__file__).parents[3]
VALIDATE: t.Final = "outward.kubelet.node_recovery : Validating arguments against arg spec 'main' - Diagnose, and so on"


def listing() -> str:
    """What --list-tasks prints of the role as it is; an imported role's tasks stand in the place of the import."""
    (block,) = yaml.safe_load((ROOT / "roles/node_recovery/tasks/main.yml").read_text())
    names = [f"{ROLE}{task['name']}" for task in block["block"] if "ansible.builtin.import_role" not in task]
    names.insert(names.index(f"{ROLE}Start containerd") + 1, RESTART)
    lines = "".join(f"      {name}\tTAGS: []\n" for name in [VALIDATE, *names])
    sum_up = "\n  play #4 (all): Sum up\tTAGS: []\n    tasks:\n      Sum up\tTAGS: []\n"
    head = "\nplaybook: node-recover.yml\n\n  play #2 (all): Check\tTAGS: []\n    tasks:\n      Check\tTAGS: []\n\n"
    return f"{head}  play #3 (all): Recover nodes, one at a time\tTAGS: []\n    tasks:\n{lines}{sum_up}"


def test_the_tasks_of_the_role_and_no_others() -> None:
    found = tasks(listing())
    assert found[0] == VALIDATE
    assert found[-1] == REPORT
    assert not {"Check", "Sum up"} & set(found)
    assert len(found) == listing().count("outward.kubelet")


def test_a_kill_after_every_task_and_every_event_at_every_moment() -> None:
    every = points(listing())
    assert [p.task for p in every if p.moment == "after" and not p.event] == tasks(listing())
    assert {(p.event, p.moment) for p in every if p.event} >= {(e, m) for e in EVENTS for m in ("after", "during")}
    assert len({p.id for p in every}) == len(every)
    assert {p.fault for p in every} <= set(FAULTS)
    assert set(BEGIN) | {"report-dir-full"} == set(EVENTS)


def test_a_task_that_does_something_only_for_another_fault_gets_that_fault() -> None:
    by_task = {p.task: p for p in points(listing()) if p.moment == "after" and not p.event}
    assert (by_task[CORDON].fault, by_task[CORDON].restores) == ("node-dead", True)
    assert by_task[UNCORDON].prepare
    assert by_task[RESTART].fault == "kubelet-stopped"


def test_what_the_next_run_has_to_tell() -> None:
    told = {p.task: p.told for p in points(listing()) if p.moment == "after" and not p.event}
    assert (told[VALIDATE], told[LOCK], told[RESTART], told[REPORT]) == (False, True, True, False)


def test_a_task_that_was_renamed_is_not_silently_left_out() -> None:
    with pytest.raises(ValueError, match=r"the role has no task .*Prove that it worked"):
        points(listing().replace("Prove that it worked", "Prove it"))


def test_a_disk_is_filled_to_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[int] = []

    class Disk:
        def __enter__(self) -> t.Self:
            return self

        def __exit__(self, *error: object) -> None:
            """Nothing to close."""

        def write(self, data: bytes) -> int:
            if sum(written) + len(data) > 70001:
                raise OSError
            written.append(len(data))
            return len(data)

    monkeypatch.setattr(Path, "open", lambda *args, **options: Disk())
    fill(tmp_path)
    assert sum(written) == 70001
