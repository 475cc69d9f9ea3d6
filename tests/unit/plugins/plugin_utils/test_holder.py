# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who this run is, and who has surely ended; whoever may still be there is not gone."""

from __future__ import annotations

import dataclasses
import os
import subprocess

import pytest

from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.lock import Holder, holder
from ansible_collections.outward.kubelet.plugins.plugin_utils._holder import gone, this_run


@pytest.mark.parametrize("variable", ["awx_job_id", "tower_job_id"])
def test_a_job_of_awx_is_its_number(variable: str) -> None:
    who = this_run({variable: 4711}, "pi-04")
    assert (who.job, who.node) == ("awx-4711", "pi-04")
    assert holder(str(who)) == who
    assert not gone(who)


def test_anybody_else_is_the_process_that_runs_the_play() -> None:
    who = this_run({}, "pi-04")
    assert who.job.startswith(f"pid-{os.getppid()}-")
    assert (holder(str(who)), gone(who)) == (who, False)


def test_a_process_that_has_ended_is_gone_and_its_number_at_another_start_too() -> None:
    me = this_run({}, "pi-04")
    dummy, number, start, place = me.job.split("-")
    child = subprocess.Popen(["true"])
    child.wait()
    assert gone(dataclasses.replace(me, job=f"pid-{child.pid}-{start}-{place}"))
    assert gone(dataclasses.replace(me, job=f"pid-{number}-{int(start) + 1}-{place}"))


@pytest.mark.parametrize("job", ["pid-999999999-77-{other}", "pid-999999999-0-{place}", "awx-1", "pid-x", ""])
def test_what_another_machine_or_container_runs_cannot_be_told(job: str) -> None:
    place = this_run({}, "pi-04").job.rpartition("-")[2]
    assert not gone(Holder(job.format(place=place, other="0" * 12), "same-name", "pi-04"))


def test_a_process_of_somebody_else_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(process: int, signal: int) -> None:
        raise PermissionError

    monkeypatch.setattr("os.kill", refuse)
    me = this_run({}, "pi-04")
    assert not gone(dataclasses.replace(me, job=f"pid-999999999-77-{me.job.rpartition('-')[2]}"))
