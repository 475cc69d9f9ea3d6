# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lock against an API server with optimistic concurrency: races, expiry, takeover, and who keeps what."""

from __future__ import annotations

import threading
import time
import typing as t
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.lock import Claim, Holder, Slot, Wait
from ansible_collections.outward.kubelet.plugins.module_utils._kube import lock
from ansible_collections.outward.kubelet.plugins.module_utils._kube.connect import Api, connect
from ansible_collections.outward.kubelet.plugins.module_utils._kube.errors import Conflict, KubeError, NotThere, Silent
from ansible_collections.outward.kubelet.plugins.module_utils._kube.lock import HANDED_OVER, PATH, Held, Keeper, Lost
from ansible_collections.outward.kubelet.plugins.module_utils._kube.options import Access
from ansible_collections.outward.kubelet.plugins.module_utils._kube.refusal import Question
from tests.unit.api_server import FakeApi, serving

BEGIN = datetime(2026, 11, 23, 15, tzinfo=UTC)
ME, OTHER = Holder("awx-1", "exec-01", "pi-04"), Holder("awx-2", "exec-02", "pi-05")
FIRST = f"{PATH}/outward-kubelet-0"


def later(api: FakeApi, seconds: float) -> None:
    """Set the API server's clock, and nobody else's."""
    api.date = format_datetime(BEGIN + timedelta(seconds=seconds), usegmt=True)


@pytest.fixture
def api() -> Iterator[FakeApi]:
    with serving() as fake:
        later(fake, 0)
        yield fake


@pytest.fixture
def connection(api: FakeApi) -> Iterator[Api]:
    with connect(access(api), {}) as connected:
        yield connected


def access(api: FakeApi) -> Access:
    return Access(host=api.url, api_key="x")


def take(api: FakeApi, who: Holder, cap: int = 1, timeout: float = 0) -> Held | Wait:
    return lock.acquire(access(api), Claim(who, cap), timeout, lambda slot: None)


def taken(api: FakeApi, who: Holder, cap: int = 1) -> Slot:
    held = take(api, who, cap)
    assert isinstance(held, Held)
    return held.slot


def test_a_slot_by_the_api_servers_clock(api: FakeApi) -> None:
    slot = taken(api, ME)
    lease = api.written[FIRST]
    assert lease["spec"] == {
        "holderIdentity": "awx-1@exec-01/pi-04",
        "leaseDurationSeconds": 60,
        "acquireTime": "2026-11-23T15:00:00.000000Z",
        "renewTime": "2026-11-23T15:00:00.000000Z",
        "leaseTransitions": 0,
    }
    assert (slot.holder, slot.renewed, slot.version) == (ME, BEGIN, lease["metadata"]["resourceVersion"])


def test_a_second_run_waits_until_the_first_one_lets_go(api: FakeApi, connection: Api) -> None:
    taken(api, ME)
    found = take(api, OTHER)
    assert isinstance(found, Wait)
    assert found.slot.holder == ME
    lock.release(connection, "outward-kubelet-0", ME)
    assert taken(api, OTHER).transitions == 1


def test_it_is_said_once_for_whom_one_waits(api: FakeApi) -> None:
    taken(api, ME)
    said: list[Slot] = []
    began = time.monotonic()
    assert isinstance(lock.acquire(access(api), Claim(OTHER, 1), 0.3, said.append), Wait)
    assert time.monotonic() - began < 5
    assert [slot.holder for slot in said] == [ME]


def test_who_expired_is_taken_over_and_cannot_come_back(api: FakeApi, connection: Api) -> None:
    taken(api, ME)
    later(api, 59)
    assert isinstance(take(api, OTHER), Wait)
    later(api, 60)
    assert taken(api, OTHER).transitions == 1
    for change in (lock.renew, lock.release):
        with pytest.raises(Lost, match="AWX job 2 on exec-02 has it"):
            change(connection, "outward-kubelet-0", ME)


def test_an_expired_slot_is_not_revived_even_if_nobody_took_it(api: FakeApi, connection: Api) -> None:
    taken(api, ME)
    later(api, 59)
    lock.renew(connection, "outward-kubelet-0", ME)
    later(api, 118)
    lock.renew(connection, "outward-kubelet-0", ME)
    later(api, 178)
    with pytest.raises(Lost, match="not renewed in time"):
        lock.renew(connection, "outward-kubelet-0", ME)


def test_handed_over_it_says_why_and_expires(api: FakeApi, connection: Api) -> None:
    taken(api, ME)
    later(api, 30)
    lock.hand_over(connection, "outward-kubelet-0", ME, "restart-kubelet was not proven")
    assert api.written[FIRST]["metadata"]["annotations"] == {HANDED_OVER: "restart-kubelet was not proven"}
    later(api, 89)
    found = take(api, OTHER)
    assert isinstance(found, Wait)
    assert found.slot.handed_over == "restart-kubelet was not proven"
    again = Holder("awx-3", "exec-01", "pi-04")
    assert taken(api, again).holder == again  # a person tries the same node again
    assert not api.written[FIRST]["metadata"]["annotations"]
    later(api, 150)
    assert taken(api, OTHER).holder == OTHER


def test_a_lease_that_was_deleted_is_lost(api: FakeApi, connection: Api) -> None:
    taken(api, ME)
    api.written.clear()
    with pytest.raises(Lost, match="gone"):
        lock.renew(connection, "outward-kubelet-0", ME)
    assert taken(api, ME).name == "outward-kubelet-0"


def test_labels_of_others_and_their_leases_are_left(api: FakeApi, connection: Api) -> None:
    taken(api, ME)
    api.written[FIRST]["metadata"]["labels"] = {"team": "a"}
    api.written[f"{PATH}/outward-kubelet-of-mine"] = {"metadata": {"name": "outward-kubelet-of-mine"}}
    assert [slot.name for slot in lock.slots(connection)] == ["outward-kubelet-0"]
    lock.release(connection, "outward-kubelet-0", ME)
    assert api.written[FIRST]["metadata"]["labels"] == {"team": "a"}


def in_hands(api: FakeApi) -> list[str]:
    """Holders of all slots, of the fake's own books."""
    found = (lease["spec"].get("holderIdentity") for lease in api.written.values())
    return [who for who in found if who]


@pytest.mark.parametrize(("takers", "cap"), [(2, 1), (4, 1), (4, 2), (4, 3)])
def test_concurrent_takers_never_exceed_the_cap_and_all_get_their_turn(
    api: FakeApi, monkeypatch: pytest.MonkeyPatch, takers: int, cap: int
) -> None:
    monkeypatch.setattr(lock, "PAUSE", (0.01, 0.05))
    counts: list[int] = []
    api.watch = lambda: counts.append(len(in_hands(api)))
    worked: list[Held | Wait] = []

    def work(number: int) -> None:
        who = Holder(f"awx-{number}", "exec", f"pi-{number:02}")
        held = take(api, who, cap, 60)
        worked.append(held)
        time.sleep(0.05)
        with connect(access(api), {}) as mine:
            lock.release(mine, t.cast(Held, held).slot.name, who)

    together([threading.Thread(target=work, args=(number,)) for number in range(takers)])
    assert [type(held) for held in worked] == [Held] * takers
    assert max(counts) <= cap
    assert in_hands(api) == []


def test_two_runs_on_the_same_node_exclude_each_other_however_many_slots(
    api: FakeApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lock, "PAUSE", (0.01, 0.05))
    working: list[int] = []
    most: list[int] = []

    def work(number: int) -> None:
        who = Holder(f"awx-{number}", "exec", "pi-04")
        held = take(api, who, 9, 60)
        working.append(number)
        most.append(len(working))
        time.sleep(0.05)
        working.remove(number)
        with connect(access(api), {}) as mine:
            lock.release(mine, t.cast(Held, held).slot.name, who)

    together([threading.Thread(target=work, args=(number,)) for number in range(4)])
    assert most == [1] * 4


def together(threads: list[threading.Thread]) -> None:
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_a_keeper_renews_and_ends_with_its_block(api: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock, "RENEWAL", 0.05)
    slot = taken(api, ME)
    later(api, 30)
    with Keeper(access(api), slot.name, ME) as keeper:
        wait_for(lambda: renewed(api) == 30)
        later(api, 75)
        wait_for(lambda: renewed(api) == 75)
        assert keeper.lost is None
    later(api, 100)
    time.sleep(0.2)
    assert renewed(api) == 75


def test_a_keeper_says_that_somebody_took_over(api: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock, "RENEWAL", 0.05)
    slot = taken(api, ME)
    with Keeper(access(api), slot.name, ME) as keeper:
        later(api, 10)
        with api.guard:
            api.written[FIRST]["spec"]["holderIdentity"] = str(OTHER)
            api.written[FIRST]["metadata"]["resourceVersion"] = "1000"
        wait_for(lambda: keeper.lost is not None)
    assert keeper.lost == "AWX job 2 on exec-02 has it"
    assert api.written[FIRST]["spec"]["holderIdentity"] == str(OTHER)


def test_a_keeper_bears_a_silence_shorter_than_the_lease(api: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock, "RENEWAL", 0.05)
    slot = taken(api, ME)
    with Keeper(access(api), slot.name, ME) as keeper:
        api.refusals[FIRST] = (503, "")
        time.sleep(0.3)
        before = keeper.lost
        monkeypatch.setattr(lock, "DURATION", 0)
        wait_for(lambda: keeper.lost is not None)
    assert before is None
    assert "it could not be renewed for" in str(keeper.lost)


def test_a_lock_that_is_lost_or_unsure_before_the_block_is_said_at_once(api: FakeApi) -> None:
    slot = taken(api, ME)
    later(api, 61)
    with Keeper(access(api), slot.name, ME) as keeper:
        assert keeper.lost == "it was not renewed in time"
    api.refusals[FIRST] = (503, "")
    with Keeper(access(api), slot.name, ME) as keeper:
        assert "the API server does not answer" in (keeper.lost or "")


def renewed(api: FakeApi) -> float:
    return (datetime.fromisoformat(api.written[FIRST]["spec"]["renewTime"]) - BEGIN).total_seconds()


def wait_for(holds: t.Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_missing_right_names_it_and_its_role(api: FakeApi) -> None:
    api.refusals[PATH] = (403, '{"message": "User \\"jane\\" cannot create"}')
    api.lists[PATH] = []
    with connect(access(api), {}) as mine, pytest.raises(KubeError, match="bind the Role outward-kubelet-recover"):
        mine.create(lock.CREATE, {"metadata": {"name": "outward-kubelet-0"}})
    with pytest.raises(KubeError, match=r"list on leases.*bind the Role outward-kubelet-diagnose"):
        take(api, ME)


def test_a_silent_server_gives_no_lock(api: FakeApi) -> None:
    api.refusals[PATH] = (500, "")
    with pytest.raises(Silent):
        take(api, ME, 1, 60)


def test_the_verbs_and_their_conflicts(api: FakeApi, connection: Api) -> None:
    body = {"metadata": {"name": "outward-kubelet-0"}, "spec": {"leaseTransitions": 1, "holderIdentity": "x"}}
    made = connection.create(lock.CREATE, body)
    with pytest.raises(Conflict):
        connection.create(lock.CREATE, body)
    changed = connection.patch(lock.PATCH, "outward-kubelet-0", {"metadata": {}, "spec": {"holderIdentity": None}})
    assert changed["spec"] == {"leaseTransitions": 1}
    with pytest.raises(Conflict):
        connection.patch(lock.PATCH, "outward-kubelet-0", {"metadata": made["metadata"], "spec": {}})
    with pytest.raises(NotThere):
        connection.patch(lock.PATCH, "outward-kubelet-7", {"metadata": {}})
    question = Question("update", lock.RESOURCE, PATH, lock.NAMESPACE)
    with pytest.raises(Conflict):
        connection.update(question, "outward-kubelet-0", made)
    assert (
        connection.update(question, "outward-kubelet-0", {**made, "metadata": changed["metadata"]})["spec"]
        == body["spec"]
    )
    assert {kind for method, kind in api.kinds if method == "PATCH"} == {"application/merge-patch+json"}
    assert {kind for method, kind in api.kinds if method == "POST"} == {"application/json"}


def test_what_was_left_behind_is_freed_once(api: FakeApi) -> None:
    taken(api, ME)
    claim = Claim(Holder("awx-9", "exec-09", "pi-04"), 1)
    assert lock.clear(access(api), claim, works=True) == []
    later(api, 61)
    assert [slot.holder for slot in lock.clear(access(api), claim, works=False)] == [ME]
    assert "holderIdentity" not in api.written[FIRST]["spec"]
    assert lock.clear(access(api), claim, works=True) == []
