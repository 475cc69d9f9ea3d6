# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Taking a node in hand and letting go of it, against an API server: what is permitted then, and what is said."""

from __future__ import annotations

import dataclasses
import json
import time
import typing as t
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from types import SimpleNamespace

import pytest
from ansible.errors import AnsibleActionFail

from ansible_collections.outward.kubelet.plugins.action import node_lock
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis import cluster as c
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.conclude import Look, conclude
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.guards import Policy
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.incident import close
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.lock import Claim, Holder
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.node import NodeEvidence
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.words import verdict
from ansible_collections.outward.kubelet.plugins.module_utils._kube import lock
from ansible_collections.outward.kubelet.plugins.module_utils._kube.options import AUTH_SPEC, Access
from tests.unit.api_server import FakeApi, serving
from tests.unit.helpers import NOW, healthy_node
from tests.unit.helpers_cluster import conditions, fleet, healthy_cluster
from tests.unit.plugins.module_utils._diagnosis.test_diagnose import SILENT, STOPPED
from tests.unit.plugins.module_utils._diagnosis.test_fleet_causes import TWO

RESTART = "restart-kubelet"
DONE = {"result": "done", "action": {"step": RESTART, "result": "done"}, "refusals": [], "detail": ""}
OTHER = Holder("awx-2", "exec-02", "pi-05")
Result = dict[str, t.Any]


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeApi]:
    monkeypatch.setenv("K8S_AUTH_API_KEY", "x")
    with serving() as fake:
        fake.date = format_datetime(NOW, usegmt=True)
        yield fake


def diagnosis(node: Result = STOPPED, api: Result = SILENT) -> Result:
    look = Look("host-4", "recover", NOW, healthy_node(**node), healthy_cluster(**api), "pi-04")
    return t.cast(Result, json.loads(json.dumps(conclude(look, Policy()))))


def options(api: FakeApi, **more: t.Any) -> Result:
    auth = {**dict.fromkeys(AUTH_SPEC), "host": api.url, "api_key": "x"}
    policy = {"automate": "guarded", "max_unavailable": 1, "control_plane": False, "timeout": 0}
    policy |= {"hands_off": "", "maintenance": [], "reason": "", "certificates": False, "steps": None}
    return {**auth, **policy, "acted": [], "proof": None, "lock": None, "diagnosis": diagnosis(), **more}


def held(
    api: FakeApi,
    monkeypatch: pytest.MonkeyPatch,
    fresh: Result | None = None,
    check: bool = False,
    age: float = 5.0,
    **more: t.Any,
) -> tuple[Result, list[str]]:
    """What the task returns when the cluster is *fresh* after the lock was taken, and what it said meanwhile."""
    said: list[str] = []
    cluster = healthy_cluster(**(SILENT if fresh is None else fresh))
    monkeypatch.setattr(node_lock, "evidence_now", lambda given, name: cluster)
    monkeypatch.setattr(node_lock, "age", lambda look: age)
    action: t.Any = object.__new__(node_lock.ActionModule)
    action._task = SimpleNamespace(check_mode=check)
    action._display = SimpleNamespace(display=said.append)
    return action._held(options(api, **more), {"awx_job_id": 1}), said


def test_what_was_permitted_is_permitted_in_hand(api: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    got, said = held(api, monkeypatch)
    assert (got["permitted"], got["lock"]["slot"], said) == ({RESTART: "kubelet-stopped"}, "outward-kubelet-0", [])
    assert got["lock"]["holder"].startswith("awx-1@")
    assert got["lock"]["holder"].endswith("/pi-04")
    assert (got["incident"]["mode"], got["incident"]["host"], got["fingerprint"]) == (
        "recover",
        "host-4",
        diagnosis()["fingerprint"],
    )
    assert "api_key" not in json.dumps(got["lock"])


@pytest.mark.parametrize(
    ("fresh", "words"),
    [
        ({**SILENT, **TWO}, "frozen: Several nodes were lost"),
        (
            {**SILENT, "fleet": fleet(ready=("pi-05",), silent=("pi-04",), in_hand=("pi-04", "pi-05"))},
            "pi-05 unavailable too",
        ),
        ({**SILENT, "api__reachable": False, "api__problem": "refused"}, "frozen: The API server does not answer"),
    ],
)
def test_the_guards_are_asked_again(api: FakeApi, monkeypatch: pytest.MonkeyPatch, fresh: Result, words: str) -> None:
    got, dummy = held(api, monkeypatch, fresh)
    assert got["permitted"] == {}
    assert words in got["incident"]["plan"][0]["why"]
    assert node_lock.released(options(api, lock=got["lock"]))["lock"]["ended"] == "released"


@pytest.mark.parametrize("more", [{"check": True}, {"diagnosis": diagnosis({}, {})}])
def test_no_lock_is_taken_in_check_mode_or_for_nothing(
    api: FakeApi, monkeypatch: pytest.MonkeyPatch, more: Result
) -> None:
    got, dummy = held(api, monkeypatch, **more)
    assert (got["lock"], got["changed"], api.written) == (None, False, {})


def take(api: FakeApi, who: Holder) -> lock.Held:
    return t.cast(lock.Held, lock.acquire(Access(host=api.url, api_key="x"), Claim(who, 1), 0, lambda slot: None))


@pytest.mark.parametrize("mode", ["join", "rotate"])
def test_a_plan_of_its_own_is_not_made_anew(api: FakeApi, monkeypatch: pytest.MonkeyPatch, mode: str) -> None:
    """No cause of the catalogue asks for it, so another diagnosis would not have it."""
    given = diagnosis()
    given = {**given, "incident": {**given["incident"], "mode": mode}, "permitted": {"join-node": "not-joined"}}
    found, dummy = held(api, monkeypatch, diagnosis=given)
    assert (found["permitted"], found["lock"] is not None) == ({"join-node": "not-joined"}, True)
    assert found["incident"]["plan"] == given["incident"]["plan"]


def test_who_waits_in_vain_is_refused_and_says_for_whom(api: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    take(api, OTHER)
    got, said = held(api, monkeypatch, timeout=1)
    report = close(got["incident"], [], None, None, NOW)
    assert (got["permitted"], got["lock"], report["outcome"]) == ({}, None, "refused")
    assert report["plan"][0]["why"].startswith("after 1 s still waiting for pi-05, which AWX job 2 on exec-02 has")
    assert [line.partition(" (until")[0] for line in said] == [
        "pi-04 waits for pi-05, which AWX job 2 on exec-02 has in hand since 2026-11-23T15:00:00Z"
    ]


def test_a_silent_api_gives_no_lock_and_no_step(api: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    api.refusals[lock.PATH] = (503, "")
    got, dummy = held(api, monkeypatch)
    assert (got["permitted"], got["lock"]) == ({}, None)
    assert "no lock: the API server does not answer" in got["incident"]["plan"][0]["why"]


@pytest.mark.parametrize(("waited", "age", "again"), [(35.0, 40.0, True), (0.1, 40.0, True), (0.1, 29.0, False)])
def test_after_a_wait_or_a_while_the_node_is_looked_at_again(
    api: FakeApi, monkeypatch: pytest.MonkeyPatch, waited: float, age: float, again: bool
) -> None:
    looked: list[str] = []

    def observe(action: t.Any, profile: str, variables: Result) -> NodeEvidence:
        looked.append(profile)
        return healthy_node()

    held_by_other = take(api, OTHER)
    monkeypatch.setattr(node_lock, "observe", observe)
    monkeypatch.setattr(node_lock, "acquire", lambda *dummy: dataclasses.replace(held_by_other, waited=waited))
    got = held(api, monkeypatch, {}, age=age)[0]
    assert looked == (["kubeadm"] if again else [])
    assert (got["permitted"] == {}, got["incident"]["diagnosis"]["status"] == "healthy") == (again, again)


def test_the_age_of_a_look_is_by_our_own_clock() -> None:
    look = Look("host-4", "recover", datetime.now(UTC), healthy_node(), healthy_cluster(), "pi-04")
    assert 0 <= node_lock.age(look) < 5
    assert node_lock.age(dataclasses.replace(look, started=look.started - timedelta(seconds=60))) >= 60


def test_an_error_after_the_lock_was_taken_gives_it_back(api: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(given: Result, name: str) -> c.ClusterEvidence:
        raise AnsibleActionFail("may not list pods")

    action: t.Any = object.__new__(node_lock.ActionModule)
    action._task = SimpleNamespace(check_mode=False)
    monkeypatch.setattr(node_lock, "evidence_now", fail)
    monkeypatch.setattr(node_lock, "age", lambda look: 5.0)
    with pytest.raises(AnsibleActionFail):
        action._held(options(api), {})
    (lease,) = api.written.values()
    assert "holderIdentity" not in lease["spec"]


@pytest.mark.parametrize(
    ("acted", "proof", "ended"),
    [
        ([], None, "released"),
        ([DONE], {"proven": True}, "released"),
        ([{**DONE, "result": "refused"}], None, "released"),
        (
            [DONE],
            {"proven": False},
            "handed over: restart-kubelet was not proven; other runs stay away until 2026-11-23T15:01:00Z",
        ),
        ([DONE], None, "handed over: restart-kubelet was not proven; other runs stay away until 2026-11-23T15:01:00Z"),
    ],
)
def test_how_it_ends(
    api: FakeApi, monkeypatch: pytest.MonkeyPatch, acted: list[Result], proof: Result | None, ended: str
) -> None:
    got, dummy = held(api, monkeypatch)
    told = node_lock.released(options(api, lock=got["lock"], acted=acted, proof=proof))["lock"]
    assert (told["ended"], "access" in told) == (ended, False)
    lines = verdict({**close(got["incident"], acted, proof, None, NOW), "proof": {"checks": {}}, "lock": told})
    assert any(line.startswith("  lock") for line in lines) == (ended != "released")


def test_letting_go_never_fails(api: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    got, dummy = held(api, monkeypatch)
    api.date = format_datetime(NOW + timedelta(seconds=90), usegmt=True)
    assert node_lock.released(options(api, lock=got["lock"]))["lock"]["ended"] == "lost: it was not renewed in time"
    api.refusals[f"{lock.PATH}/outward-kubelet-0"] = (403, "")
    assert "left to expire within 60 s: the user" in node_lock.released(options(api, lock=got["lock"]))["lock"]["ended"]
    assert node_lock.released(options(api))["skipped"]


def test_a_takeover_is_told(api: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    take(api, OTHER)
    api.date = format_datetime(NOW + timedelta(seconds=61), usegmt=True)
    got, dummy = held(api, monkeypatch)
    assert got["lock"]["took_over"] == "AWX job 2 on exec-02, which had pi-05 in hand"


def test_a_token_must_be_where_later_tasks_find_it(api: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("K8S_AUTH_API_KEY")
    with pytest.raises(AnsibleActionFail, match="set K8S_AUTH_API_KEY"):
        held(api, monkeypatch)


def test_a_healthy_node_whose_run_was_killed_gets_its_lock_taken_away(
    api: FakeApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    take(api, Holder("awx-7", "exec-01", "pi-04"))
    healthy = diagnosis({}, {})
    assert "notes" not in held(api, monkeypatch, diagnosis=healthy)[0]["incident"]  # it may be at work
    api.date = format_datetime(NOW + timedelta(seconds=61), usegmt=True)
    assert "notes" not in held(api, monkeypatch, check=True, diagnosis=healthy)[0]["incident"]
    got, dummy = held(api, monkeypatch, diagnosis=healthy)
    words = "AWX job 7 on exec-01 took the node in hand at 2026-11-23T15:00:00Z and was interrupted"
    assert (got["lock"], [note.partition(";")[0] for note in got["incident"]["notes"]]) == (None, [words])
    (lease,) = api.written.values()
    assert "holderIdentity" not in lease["spec"]
    assert close(got["incident"], [], None, None, NOW)["notes"] == got["incident"]["notes"]


@pytest.mark.parametrize("then", ["True", "False"])
def test_what_a_run_did_that_was_killed_just_now_gets_its_time_to_show(
    api: FakeApi, monkeypatch: pytest.MonkeyPatch, then: str
) -> None:
    # Chaos: containerd was started, and Ready became False once more.
    slept: list[float] = []
    monkeypatch.setattr(time, "sleep", slept.append)
    monkeypatch.setattr(node_lock, "gone", lambda holder: True)
    monkeypatch.setattr(node_lock, "observe", lambda *dummy: healthy_node())
    take(api, Holder("awx-7", "exec-01", "pi-04"))
    api.date = format_datetime(NOW + timedelta(seconds=12), usegmt=True)
    got, dummy = held(api, monkeypatch, {"node__conditions": conditions(Ready=then)}, diagnosis=diagnosis({}, {}))
    assert (slept, got["lock"]) == ([18.0], None)
    healthy = got["incident"]["diagnosis"]["status"] == "healthy"
    assert (healthy, bool(got["incident"].get("notes"))) == (then == "True", then == "True")


@pytest.mark.parametrize("then", ["True", "False"])
@pytest.mark.parametrize("mode", ["join", "rotate"])
def test_so_does_what_a_killed_run_did_whose_plan_is_its_own(
    api: FakeApi, monkeypatch: pytest.MonkeyPatch, mode: str, then: str
) -> None:
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    monkeypatch.setattr(node_lock, "gone", lambda holder: True)
    monkeypatch.setattr(node_lock, "observe", lambda *dummy: healthy_node())
    take(api, Holder("awx-7", "exec-01", "pi-04"))
    api.date = format_datetime(NOW + timedelta(seconds=12), usegmt=True)
    before = diagnosis({}, {})
    before = {**before, "incident": {**before["incident"], "mode": mode, "next": "as its own judge said"}}
    shown = {"node__conditions": conditions(Ready=then)}
    if then == "False":
        with pytest.raises(AnsibleActionFail, match="run this again"):
            held(api, monkeypatch, shown, diagnosis=before)
        return
    got, dummy = held(api, monkeypatch, shown, diagnosis=before)
    assert (got["permitted"], got["incident"]["next"]) == ({}, "as its own judge said")


def test_a_silent_api_keeps_nobody_from_a_verdict(api: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    api.refusals[lock.PATH] = (503, "")
    assert held(api, monkeypatch, diagnosis=diagnosis({}, {}))[0]["incident"]["outcome"] == "healthy"


def test_what_was_let_go_of_already_stays_so(api: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    got, dummy = held(api, monkeypatch)
    first = node_lock.released(options(api, lock=got["lock"]))["lock"]
    assert node_lock.released(options(api, lock=first, acted=[DONE]))["lock"] == first
