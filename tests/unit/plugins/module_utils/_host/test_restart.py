# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The order in which a node is acted on, with a host that can be scripted and a real ledger."""

from __future__ import annotations

import os
import signal
import typing as t
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis import steps
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.evidence import Undecided, unknown
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.ledger import Policy
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.node import (
    NodeEvidence,
    Unit,
)
from ansible_collections.outward.kubelet.plugins.module_utils._host.ledger import peek
from ansible_collections.outward.kubelet.plugins.module_utils._host.restart import Run
from ansible_collections.outward.kubelet.plugins.module_utils._host.steps import KUBELET, RUNTIME
from ansible_collections.outward.kubelet.plugins.module_utils._host.task import Outcome, Request, Task
from ansible_collections.outward.kubelet.tests.unit.helpers import NOW, healthy_node
from ansible_collections.outward.kubelet.tests.unit.helpers_host import (
    NEW,
    PANIC,
    RUNTIME_DOWN,
    START,
    STOPPED,
    Scripted,
)


@pytest.fixture
def request_(tmp_path: Path) -> Request:
    return Request(
        cause="kubelet-stopped",
        fingerprint="ab12",
        holder="job 7",
        reason="",
        policy=Policy(3, 86400.0),
        ledger=str(tmp_path / "ledger.jsonl"),
        timeout=120.0,
        enable=False,
        check=False,
    )


def run(host: Scripted, request: Request, task: Task = KUBELET) -> Outcome:
    """One run; SIGHUP is as it was afterwards."""
    before = signal.getsignal(signal.SIGHUP)
    outcome = Run(task, host, request).carry_out()
    assert signal.getsignal(signal.SIGHUP) is before
    return outcome


def results(request: Request) -> list[str | None]:
    """What the ledger holds."""
    return [entry.result for entry in peek(request.ledger).entries]


def test_a_stopped_kubelet_is_started_proven_and_written_down(request_: Request) -> None:
    host = Scripted(healthy_node(**STOPPED), [healthy_node(**NEW)])
    outcome = run(host, request_)
    assert host.commands == [("start", "kubelet.service")]
    assert (outcome.result, outcome.refusals, outcome.detail) == ("done", (), "")
    assert set(outcome.checks.values()) == {True}
    assert outcome.action is not None
    assert (outcome.action.step, outcome.action.verb) == (steps.RESTART, "start")
    assert outcome.action.effective == NOW + timedelta(seconds=60)  # when the new process started
    assert results(request_) == ["done"]


@pytest.mark.parametrize(
    ("changes", "commands"),
    [
        ({"kubelet__unit__process_state": "T", "kubelet__healthz__outcome": "timeout"}, ["restart"]),
        ({"kubelet__unit__active_state": "activating", "kubelet__unit__sub_state": "auto-restart"}, ["restart"]),
        ({**STOPPED, "kubelet__unit__active_state": "failed"}, ["reset-failed", "start"]),
    ],
)
def test_the_verb_follows_the_units_state(changes: dict[str, t.Any], commands: list[str], request_: Request) -> None:
    host = Scripted(healthy_node(**changes), [healthy_node(**NEW)])
    assert run(host, request_).result == "done"
    assert [command[0] for command in host.commands] == commands


def test_a_disabled_unit_is_enabled_when_that_is_asked_for(request_: Request) -> None:
    host = Scripted(healthy_node(**STOPPED, kubelet__unit__unit_file_state="disabled"), [healthy_node(**NEW)])
    run(host, replace(request_, enable=True))
    assert host.commands == [("enable", "kubelet.service"), ("start", "kubelet.service")]


def test_the_gate_refuses_and_nothing_is_touched(request_: Request) -> None:
    host = Scripted(healthy_node(**STOPPED, pressure__swap_devices=("/swap",)), [])
    outcome = run(host, request_)
    assert outcome.result == "refused"
    assert outcome.refusals[0].startswith("swap is on (/swap)")
    assert (host.commands, Path(request_.ledger).exists()) == ([], False)


def test_the_second_time_is_refused_by_the_ledger(request_: Request) -> None:
    run(Scripted(healthy_node(**STOPPED), [healthy_node(**NEW)]), request_)
    again = Scripted(healthy_node(**STOPPED), [healthy_node(**NEW)])
    outcome = run(again, request_)
    assert (outcome.result, again.commands, outcome.recent) == ("refused", [], 1)
    assert "the root cause is still there" in outcome.refusals[0]
    assert run(again, replace(request_, reason="power was cut")).result == "done"


class Busy(Scripted):
    """The first look misses a deadline."""

    looks = 0

    def observe(self, only: t.Collection[str] | None = None) -> NodeEvidence:
        self.looks += 1
        late = healthy_node(**STOPPED, storage=unknown("no answer within 3 s"))
        return late if self.looks == 1 else super().observe()


def test_when_only_doubt_refuses_it_is_looked_at_once_more(request_: Request) -> None:
    assert run(Busy(healthy_node(**STOPPED), [healthy_node(**NEW)]), request_).result == "done"
    certain = Busy(healthy_node(**STOPPED, pressure__swap_devices=("/swap",)), [])
    assert len(run(certain, replace(request_, fingerprint="cd34")).refusals) == 1
    lasting = Scripted(healthy_node(**STOPPED, storage=unknown("no answer within 3 s")), [])
    outcome = run(lasting, replace(request_, fingerprint="ef56"))
    assert (outcome.result, lasting.commands) == ("refused", [])


def test_check_mode_says_what_it_would_do_and_touches_nothing(request_: Request) -> None:
    host = Scripted(healthy_node(**STOPPED), [])
    outcome = run(host, replace(request_, check=True))
    assert (outcome.result, outcome.action) == ("permitted", None)
    assert (host.commands, Path(request_.ledger).exists()) == ([], False)


def test_without_a_ledger_nothing_is_done(request_: Request) -> None:
    host = Scripted(healthy_node(**STOPPED), [])
    for check in (False, True):
        outcome = run(host, replace(request_, ledger="/dev/null/ledger.jsonl", check=check))
        assert (outcome.result, host.commands) == ("refused", [])
        assert "the ledger /dev/null/ledger.jsonl" in outcome.refusals[0]


def test_a_unit_that_cannot_be_read_is_refused(request_: Request) -> None:
    host = Scripted(healthy_node(kubelet__unit__invocation_id=unknown("systemd does not answer")), [])
    assert run(host, request_).refusals == ("cannot tell what the unit does: systemd does not answer",)


def test_it_waits_until_everything_is_shown(request_: Request) -> None:
    silent = healthy_node(**NEW, kubelet__healthz__outcome="refused")
    half = healthy_node(**NEW, runtime__cri__network_ready=False)
    host = Scripted(healthy_node(**STOPPED), [silent, half, healthy_node(**NEW)])
    assert run(host, request_).result == "done"
    assert host.clock == START + 6


def test_a_probe_that_could_not_tell_is_asked_again(request_: Request) -> None:
    unsure = healthy_node(**NEW, runtime__cri__runtime_ready=unknown("timed out"))
    host = Scripted(healthy_node(**STOPPED), [unsure, healthy_node(**NEW)])
    assert run(host, request_).result == "done"


class Swamped(Scripted):
    """systemd does not answer for a while after the action."""

    silence = 5.0

    def unit(self, name: str) -> Unit:
        if self.clock < START + self.silence:
            raise Undecided("units: no answer within 10 s")
        return super().unit(name)


def test_a_systemd_that_is_busy_after_the_action_is_asked_again(request_: Request) -> None:
    host = Swamped(healthy_node(**STOPPED), [healthy_node(**NEW)])
    assert run(host, request_).result == "done"
    assert host.clock == START + 5
    mute = Swamped(healthy_node(**STOPPED), [healthy_node(**NEW)])
    mute.silence = 1000.0
    outcome = run(mute, replace(request_, fingerprint="cd34"))
    assert (outcome.result, outcome.checks["no_further_restart"]) == ("failed", None)


@pytest.mark.parametrize(
    ("later", "missing", "seconds"),
    [
        ({**NEW, "kubelet__healthz__outcome": "timeout"}, ["healthz_ok"], 120),
        ({**NEW, "runtime__cri__network_ready": False}, ["network_ready"], 120),
        ({"kubelet__unit__started": 60.0}, ["new_process"], 120),
        ({**STOPPED, **NEW, "kubelet__journal": PANIC}, ["new_process", "healthz_ok"], 120),
    ],
)
def test_what_is_not_shown_in_time_has_failed(
    later: dict[str, t.Any], missing: list[str], seconds: float, request_: Request
) -> None:
    host = Scripted(healthy_node(kubelet__unit__process_state="T"), [healthy_node(**later)])
    outcome = run(host, request_)
    assert (outcome.result, host.clock) == ("failed", START + seconds)
    assert [name for name, shown in outcome.checks.items() if not shown] == missing
    assert outcome.detail.startswith(f"not shown: {', '.join(missing)}")
    assert results(request_) == ["failed"]


def test_a_kubelet_that_exits_again_and_again_is_not_waited_for(request_: Request) -> None:
    turn = {**STOPPED, "kubelet__unit__sub_state": "auto-restart", "kubelet__journal": PANIC}
    turns = [healthy_node(**turn, kubelet__unit__restarts=count) for count in range(4)]
    host = Scripted(healthy_node(**STOPPED), turns)
    outcome = run(host, request_)
    assert (outcome.result, host.clock) == ("failed", START + 6)
    assert outcome.checks["no_further_restart"] is False
    assert outcome.detail.endswith('; log: "panic: unknown gate"')


def test_what_systemd_refuses_is_not_waited_for(request_: Request) -> None:
    refused = {"start": "Unit kubelet.service is masked."}
    host = Scripted(healthy_node(**STOPPED), [healthy_node(**STOPPED)], problems=refused)
    outcome = run(host, request_)
    assert (outcome.result, outcome.detail, host.clock) == ("failed", "Unit kubelet.service is masked.", START)


class Killed(Scripted):
    """The connection is cut, and then we are killed, before systemd does anything."""

    def systemctl(self, *arguments: str, seconds: float) -> str | None:
        os.kill(os.getpid(), signal.SIGHUP)
        raise KeyboardInterrupt


def test_a_run_that_is_killed_leaves_its_intent(request_: Request) -> None:
    host = Killed(healthy_node(**STOPPED), [healthy_node(**STOPPED)])

    with pytest.raises(KeyboardInterrupt):
        run(host, request_)
    assert results(request_) == [None]
    carried_on = run(Scripted(healthy_node(**STOPPED), [healthy_node(**NEW)]), request_)
    assert carried_on.result == "done"
    assert "cut off before it took effect" in carried_on.notes[0]


def test_a_runtime_that_is_down_is_started_and_its_containers_are_kept(request_: Request) -> None:
    up = healthy_node(runtime__unit__main_pid=900)
    host = Scripted(healthy_node(**RUNTIME_DOWN), [up])
    outcome = run(host, request_, RUNTIME)
    assert (outcome.result, host.commands) == ("done", [("start", "containerd.service")])
    assert outcome.action is not None
    assert outcome.action.step == steps.START_RUNTIME
    lossy = Scripted(healthy_node(**RUNTIME_DOWN), [up], kept=False)
    lost = run(lossy, replace(request_, fingerprint="cd34"), RUNTIME)
    assert (lost.result, lost.checks["pods_kept"]) == ("failed", False)


def test_a_runtime_with_a_bad_configuration_is_not_started(request_: Request) -> None:
    host = Scripted(healthy_node(**RUNTIME_DOWN), [], config_problem="toml: line 3")
    assert run(host, request_, RUNTIME).refusals == ("toml: line 3",)
    assert host.commands == []
