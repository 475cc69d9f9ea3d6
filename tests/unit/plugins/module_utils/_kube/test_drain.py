# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Drains over HTTP, by a clock that nobody waits for; each point on which kubernetes.core.k8s_drain is wrong has its test."""

from __future__ import annotations

import dataclasses
import typing as t
from collections.abc import Iterator

import pytest

from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.cordon import Mark
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.drain import Allowed
from ansible_collections.outward.kubelet.plugins.module_utils._kube import drain as drains
from ansible_collections.outward.kubelet.plugins.module_utils._kube.connect import connect
from ansible_collections.outward.kubelet.plugins.module_utils._kube.course import failure, result
from ansible_collections.outward.kubelet.plugins.module_utils._kube.drain import Order, drain
from ansible_collections.outward.kubelet.plugins.module_utils._kube.errors import KubeError, Silent
from ansible_collections.outward.kubelet.plugins.module_utils._kube.options import Access
from tests.unit.api_server import serving
from tests.unit.small_cluster import PODS, SmallCluster, empty_dir, held, pod

ORDER = Order("pi-04", Allowed(), Mark("awx-12@controller", "new SD card"), 60)
DELETED = {"deletionTimestamp": "2026-11-23T15:00:00Z"}
Result = dict[str, t.Any]


@pytest.fixture
def cluster() -> Iterator[SmallCluster]:
    with serving() as api:
        yield SmallCluster(api)


def drained(cluster: SmallCluster, order: Order = ORDER, **allowed: t.Any) -> Result:
    """What node_drain returns."""
    order = dataclasses.replace(order, allowed=Allowed(**allowed))
    with connect(Access(host=cluster.api.url, api_key="x"), {}) as connection:
        return t.cast(Result, result(drain(connection, order, cluster.clock)))


def pods_of(entries: list[Result]) -> list[str]:
    return [entry["pod"].removeprefix("default/") for entry in entries]


def reasons(entries: list[Result]) -> dict[str, str]:
    return {entry["pod"].removeprefix("default/"): entry["why"] for entry in entries}


def test_a_node_is_cordoned_and_emptied(cluster: SmallCluster) -> None:
    cluster.pods[:] = [pod("web-1"), pod("web-2"), pod("done", owner="", status={"phase": "Succeeded"})]
    cluster.pods.append(pod("agent-1", owner="DaemonSet/agent"))
    cluster.pods.append(pod("static", owner="", metadata={"annotations": {"kubernetes.io/config.mirror": "x"}}))
    seen = drained(cluster)
    assert (seen["drained"], seen["problem"], seen["changed"]) == (True, None, True)
    assert cluster.names == ["agent-1", "static"] == pods_of(seen["staying"])
    assert pods_of(seen["evicted"]) == ["done", "web-1", "web-2"]
    assert (seen["cordon"]["cordoned"], seen["cordon"]["ours"], seen["cordon"]["by"]) == (
        True,
        True,
        "awx-12@controller",
    )
    assert cluster.node["spec"] == {"unschedulable": True}
    assert not {"skipped", "failed", "unreachable"} & set(seen)  # to Ansible these say how the task ended


def test_the_second_drain_does_nothing(cluster: SmallCluster) -> None:
    cluster.pods[:] = [pod("web-1")]
    drained(cluster)
    again = drained(cluster)
    assert (again["drained"], again["changed"], len(cluster.evictions), len(cluster.patches)) == (True, False, 1, 1)


def test_a_budget_that_opens_is_waited_for(cluster: SmallCluster) -> None:
    cluster.pods[:] = [pod("web-1"), pod("web-2")]
    cluster.answers["web-1"] = [held()] * 5
    seen = drained(cluster)
    assert seen["drained"]
    # At 0, 1, 3, 8, 13 and 18 seconds, and two to end: no hammering, and no waiting for long after it has opened.
    assert ([name for name, dummy in cluster.evictions].count("web-1"), cluster.time) == (6, 20.0)


def test_a_budget_that_never_opens_is_a_failure_that_names_it(cluster: SmallCluster) -> None:
    cluster.pods[:] = [pod("web-1"), pod("other", metadata={"labels": {"app": "other"}})]
    cluster.budget(0)
    cluster.answers["web-1"] = [held()] * 99
    seen = drained(cluster)
    assert (seen["drained"], seen["problem"]) == (False, "after 60 s Pods are left: 1")
    assert pods_of(seen["evicted"]) == ["other"]
    why = reasons(seen["left"])["web-1"]
    assert "The disruption budget web needs 1 healthy pods and has 1 currently" in why
    assert "PodDisruptionBudget default/web: it allows 0 disruptions, 1 of 1 needed Pods are healthy" in why
    assert failure(seen).endswith("; it is cordoned by us")
    assert cluster.time == 60


def test_two_budgets_are_named_both(cluster: SmallCluster) -> None:
    cluster.pods[:] = [pod("web-1")]
    cluster.budget(1)
    cluster.budget(1, "twin")
    refusal = {
        "message": "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support."
    }
    cluster.answers["web-1"] = [(500, refusal)] * 99
    why = reasons(drained(cluster)["left"])["web-1"]
    assert "the PodDisruptionBudgets default/web, default/twin cover it together" in why


@pytest.mark.parametrize(
    ("item", "words", "leave"),
    [
        (pod("alone", owner=""), "nobody would make it again (delete_bare_pods)", {"bare": True}),
        (pod("cache", spec=empty_dir()), "emptyDir would be lost (delete_emptydir_data)", {"empty_dir": True}),
    ],
)
def test_what_would_be_lost_needs_leave(cluster: SmallCluster, item: t.Any, words: str, leave: Result) -> None:
    cluster.pods[:] = [pod("web-1"), item]
    with pytest.raises(KubeError) as refused:
        drained(cluster)
    assert str(refused.value).startswith("nothing was touched: ")
    assert words in str(refused.value)
    assert (cluster.evictions, cluster.patches) == ([], [])
    seen = drained(cluster, **leave)
    assert (seen["drained"], cluster.names) == (True, [])


def test_a_bare_pod_with_an_emptydir_needs_both(cluster: SmallCluster) -> None:
    cluster.pods[:] = [pod("alone", owner="", spec=empty_dir())]
    for bare in (True, False):
        with pytest.raises(KubeError, match="default/alone"):
            drained(cluster, bare=bare, empty_dir=not bare)
    assert drained(cluster, bare=True, empty_dir=True)["drained"]


def test_all_that_needs_leave_is_in_one_error(cluster: SmallCluster) -> None:
    cluster.pods[:] = [pod("alone", owner=""), pod("cache", spec=empty_dir())]
    with pytest.raises(KubeError, match=r"default/alone: .*; default/cache: "):
        drained(cluster)


def test_what_is_terminating_is_waited_for_and_not_evicted(cluster: SmallCluster) -> None:
    going = pod("going", owner="", metadata=DELETED)
    cluster.pods[:] = [going]
    cluster.events.append((10.0, lambda: cluster.pods.remove(going)))
    seen = drained(cluster)
    assert (seen["drained"], cluster.evictions, pods_of(seen["waited_for"])) == (True, [], ["going"])
    assert cluster.time == 10


def test_what_somebody_else_deletes_meanwhile_is_not_evicted(cluster: SmallCluster) -> None:
    slow = pod("web-1")
    cluster.pods[:] = [slow]
    cluster.answers["web-1"] = [held()]
    cluster.events.append((1.0, lambda: slow["metadata"].update(DELETED)))
    cluster.events.append((6.0, lambda: cluster.pods.remove(slow)))
    seen = drained(cluster)
    assert (seen["drained"], len(cluster.evictions)) == (True, 1)


def test_a_pod_that_never_ends_is_left_with_the_reason(cluster: SmallCluster) -> None:
    cluster.pods[:] = [pod("web-1", metadata={"finalizers": ["example.org/keep"]}), pod("web-2")]
    cluster.lasts |= {"web-1": None, "web-2": None}
    seen = drained(cluster)
    assert reasons(seen["left"])["web-1"].endswith("waits for its finalizers example.org/keep")
    assert reasons(seen["left"])["web-2"].endswith("its kubelet has not confirmed the end")
    assert len(cluster.evictions) == 2


def test_a_namesake_that_came_later_is_not_evicted(cluster: SmallCluster) -> None:
    cluster.pods[:] = [pod("db-0", owner="StatefulSet/db")]
    cluster.answers["db-0"] = [held()]
    namesake = pod("db-0", owner="StatefulSet/db", metadata={"uid": "another"})
    cluster.events.append((1.0, lambda: cluster.pods.__setitem__(slice(None), [namesake])))
    seen = drained(cluster)
    assert (cluster.names, seen["arrived"], seen["left"]) == (["db-0"], ["default/db-0"], [])
    assert {body["deleteOptions"]["preconditions"]["uid"] for dummy, body in cluster.evictions} == {"uid-db-0"}
    assert not seen["drained"]
    assert seen["problem"] is None


@pytest.mark.parametrize(("grace", "sent"), [(None, None), (0, 0), (45, 45)])
def test_the_grace_that_was_asked_for(cluster: SmallCluster, grace: int | None, sent: int | None) -> None:
    cluster.pods[:] = [pod("web-1", spec={"terminationGracePeriodSeconds": 0})]
    drained(cluster, grace=grace)
    assert cluster.evictions[0][1]["deleteOptions"].get("gracePeriodSeconds") == sent


def test_a_dead_node_is_not_waited_for(cluster: SmallCluster) -> None:
    cluster.die()
    cluster.pods[:] = [pod("db-0", owner="StatefulSet/db"), pod("web-1"), pod("going", metadata=DELETED)]
    cluster.lasts |= {"db-0": None, "web-1": None}
    seen = drained(cluster)
    assert (cluster.time, seen["problem"], seen["drained"]) == (0, None, False)
    assert pods_of(seen["unconfirmed"]) == ["db-0", "going", "web-1"]
    assert "its kubelet is silent since 2026-11-23T14:55:00Z" in reasons(seen["unconfirmed"])["db-0"]
    assert seen["left"] == []


def test_on_a_dead_node_nothing_leaves_the_api_without_the_kubelet_s_word(cluster: SmallCluster) -> None:
    cluster.die()
    cluster.pods[:] = [pod("db-0", owner="StatefulSet/db", spec={"terminationGracePeriodSeconds": 0})]
    cluster.lasts["db-0"] = None
    with pytest.raises(KubeError, match="grace_period 0 deletes Pods from the API without the kubelet's word"):
        drained(cluster, grace=0)
    assert (cluster.evictions, cluster.patches) == ([], [])
    drained(cluster)
    assert cluster.evictions[0][1]["deleteOptions"]["gracePeriodSeconds"] == 1


def test_a_stale_lease_alone_is_no_dead_node(cluster: SmallCluster) -> None:
    cluster.lease(300)
    cluster.pods[:] = [pod("web-1")]
    seen = drained(cluster)
    assert (seen["silent"], seen["drained"], cluster.time) == (None, True, 2.0)


def test_check_mode_lists_what_would_go_and_touches_nothing(cluster: SmallCluster) -> None:
    cluster.pods[:] = [pod("web-1"), pod("going", metadata=DELETED), pod("agent-1", owner="DaemonSet/agent")]
    cluster.budget(0)
    seen = drained(cluster, dataclasses.replace(ORDER, dry=True))
    assert (pods_of(seen["evicted"]), pods_of(seen["waited_for"]), pods_of(seen["staying"])) == (
        ["web-1"],
        ["going"],
        ["agent-1"],
    )
    assert seen["evicted"][0]["held"].startswith("PodDisruptionBudget default/web: it allows 0")
    assert (seen["changed"], seen["cordon"]["cordoned"]) == (True, False)
    assert (cluster.evictions, cluster.patches) == ([], [])
    assert seen["diff"]["before"]["pods"] == ["default/agent-1", "default/going", "default/web-1"]
    assert seen["diff"]["after"]["pods"] == ["default/agent-1", "default/going"]
    assert (seen["diff"]["before"]["unschedulable"], seen["diff"]["after"]["unschedulable"]) == (False, True)


def test_an_api_that_falls_silent_in_the_middle_is_a_result(cluster: SmallCluster) -> None:
    cluster.pods[:] = [pod("web-1"), pod("web-2")]
    cluster.answers["web-1"] = [held()] * 99
    cluster.events.append((1.0, lambda: cluster.api.refusals.update({PODS: (503, "")})))
    order = dataclasses.replace(ORDER, timeout=300)
    seen = drained(cluster, order)
    assert seen["problem"].startswith("the API server does not answer: it answers 503 to list pods")
    assert (pods_of(seen["evicted"]), seen["drained"]) == (["web-2"], False)
    assert 60 < cluster.time < 65


def test_a_short_silence_is_sat_out(cluster: SmallCluster) -> None:
    cluster.pods[:] = [pod("web-1")]
    cluster.lasts["web-1"] = 30.0
    cluster.events.append((1.0, lambda: cluster.api.refusals.update({PODS: (503, "")})))
    cluster.events.append((20.0, cluster.api.refusals.clear))
    assert drained(cluster)["drained"]


def test_a_silent_api_before_anything_is_no_result(cluster: SmallCluster) -> None:
    cluster.api.refusals[PODS] = (503, "")
    with pytest.raises(Silent):
        drained(cluster)
    assert cluster.patches == []


@pytest.mark.parametrize("asked", [False, True])
def test_the_cordon_of_a_drain_that_failed(cluster: SmallCluster, asked: bool) -> None:
    cluster.pods[:] = [pod("web-1")]
    cluster.answers["web-1"] = [held()] * 99
    seen = drained(cluster, dataclasses.replace(ORDER, uncordon_on_failure=asked))
    assert seen["cordon"]["cordoned"] is not asked
    assert cluster.node["spec"] == ({} if asked else {"unschedulable": True})


def test_a_cordon_that_was_found_stays_after_a_failure(cluster: SmallCluster) -> None:
    cluster.node["spec"]["unschedulable"] = True
    cluster.pods[:] = [pod("web-1")]
    cluster.answers["web-1"] = [held()] * 99
    seen = drained(cluster, dataclasses.replace(ORDER, uncordon_on_failure=True))
    assert (cluster.node["spec"], cluster.patches) == ({"unschedulable": True}, [])
    assert failure(seen).endswith("it is cordoned by somebody else")


def test_an_earlier_cordon_of_ours_stays_too(cluster: SmallCluster) -> None:
    cluster.node["spec"]["unschedulable"] = True
    cluster.node["metadata"]["annotations"]["outward.kubelet/cordoned-by"] = "awx-11@controller"
    cluster.pods[:] = [pod("web-1")]
    cluster.answers["web-1"] = [held()] * 99
    seen = drained(cluster, dataclasses.replace(ORDER, uncordon_on_failure=True))
    assert (seen["cordon"]["by"], cluster.node["spec"]) == ("awx-11@controller", {"unschedulable": True})


def test_a_pod_that_comes_before_the_cordon_needs_leave_too(cluster: SmallCluster) -> None:
    cluster.pods[:] = [pod("web-1")]
    cluster.rival = lambda node: cluster.pods.append(pod("late", owner=""))
    seen = drained(cluster)
    assert seen["problem"].startswith("before it was cordoned Pods came, and nothing was evicted: default/late")
    assert (cluster.evictions, pods_of(seen["left"])) == ([], ["web-1"])


def test_a_missing_right_in_the_middle_ends_it_and_says_so(cluster: SmallCluster) -> None:
    cluster.pods[:] = [pod("web-1"), pod("web-2")]
    cluster.answers["web-1"] = [(403, {"message": 'User "jane" cannot create resource "pods/eviction"'})]
    seen = drained(cluster)
    assert "the user jane" in seen["problem"]
    assert pods_of(seen["evicted"]) == ["web-2"]
    assert "create pods/eviction" in seen["problem"]


def test_sixty_pods_go_at_once_in_few_rounds(cluster: SmallCluster) -> None:
    cluster.pods[:] = [pod(f"web-{number}") for number in range(60)]
    seen = drained(cluster)
    lists = [path for path in cluster.api.asked if path.startswith(PODS)]
    assert (len(seen["evicted"]), cluster.time, seen["drained"]) == (60, 2.0, True)
    assert len(lists) == 2 + 3  # two looks before, and one in each round: none for each Pod
    assert drains.AT_ONCE < 60
