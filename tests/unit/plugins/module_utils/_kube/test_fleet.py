# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A fleet out of pages, made up where a recording of two nodes cannot show it."""

from __future__ import annotations

import json
import time
import tracemalloc
import typing as t
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.cluster import ApiServer, of_node
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.evidence import Undecided, unknown
from ansible_collections.outward.kubelet.plugins.module_utils._kube.fleet import EVENTS, TURNS, Gathering

NOW = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
API = ApiServer("https://10.77.0.1:6443", True, None, "v1.37.2", NOW, NOW)
Object = dict[str, t.Any]


def node(name: str, ready: str = "True", **spec: t.Any) -> Object:
    return {
        "metadata": {"name": name, "uid": f"uid-{name}", "resourceVersion": "7"},
        "spec": spec,
        "status": {"conditions": [{"type": "Ready", "status": ready, "reason": "KubeletReady"}] if ready else []},
    }


def lease(name: str, seconds_ago: float) -> Object:
    renewed = (NOW - timedelta(seconds=seconds_ago)).isoformat()
    spec = {"holderIdentity": name, "leaseDurationSeconds": 40, "renewTime": renewed}
    return {"metadata": {"name": name, "resourceVersion": "9"}, "spec": spec}


SPEC = {"containers": [{"name": "main", "env": [{"name": "V", "value": "secret-value"}]}]}
STATES: tuple[Object, ...] = ({"waiting": {"reason": "CrashLoopBackOff"}}, *[{"running": {}}] * 9)


def pod(number: int, where: str) -> Object:
    """One of ten fails; what is alike in all is shared, so that making them costs the test little."""
    status = {"name": "main", "image": "web:1", "state": STATES[number % 10]}
    return {
        "metadata": {
            "name": f"web-5d9f-{number}",
            "namespace": "default",
            "uid": f"pod-{number}",
            "annotations": {"example.org/note": "secret-value"},
            "labels": {"pod-template-hash": "5d9f"},
            "ownerReferences": [{"kind": "ReplicaSet", "name": f"web{number % 270}-5d9f", "controller": True}],
        },
        "spec": {"nodeName": where, **SPEC},
        "status": {"phase": "Running", "containerStatuses": [status, status]},
    }


def event(kind: str, name: str, uid: str, seconds_ago: float, **more: t.Any) -> Object:
    about = {"kind": kind, "name": name, "uid": uid, "namespace": "default"}
    last = (NOW - timedelta(seconds=seconds_ago)).isoformat()
    return {"metadata": {}, "involvedObject": about, "reason": "Rebooted", "lastTimestamp": last, **more}


def gathered(names: list[str] | None = None) -> Gathering:
    gathering = Gathering(names)
    gathering.add_leases([lease("pi-04", 5), lease("pi-05", 41), lease("pi-07", 39), lease("gone", 500)])
    gathering.add_nodes([node("pi-07", "False"), node("pi-04", unschedulable=True), node("pi-05", "Unknown")])
    gathering.add_nodes([node("pi-06", "")])
    return gathering


def test_every_node_is_in_one_state() -> None:
    fleet = of_node(gathered().result(NOW, API, {}), "pi-04").fleet
    assert (fleet.ready, fleet.not_ready, fleet.silent) == (("pi-04",), ("pi-07",), ("pi-05", "pi-06"))
    assert (fleet.unschedulable, fleet.expired_leases) == (("pi-04",), ("pi-05",))


def test_a_pod_that_has_succeeded_is_kept_only_when_it_cannot_go() -> None:
    done, stuck = pod(1, "pi-04"), pod(2, "pi-04")
    done["status"]["phase"] = stuck["status"]["phase"] = "Succeeded"
    stuck["metadata"] |= {"deletionTimestamp": NOW.isoformat(), "finalizers": ["example.org/never"]}
    gathering = gathered(["pi-04"])
    gathering.add_pods([pod(3, "pi-04"), done, stuck])
    found = of_node(gathering.result(NOW, API, {}), "pi-04").node
    assert found is not None
    assert {each.name for each in found.pods} == {"web-5d9f-3", "web-5d9f-2"}


def turned(name: str, ready: str, seconds_ago: float) -> Object:
    item = node(name, ready)
    item["status"]["conditions"][0]["lastTransitionTime"] = (NOW - timedelta(seconds=seconds_ago)).isoformat()
    return item


def test_of_other_nodes_only_news_are_kept_newest_first_and_bounded() -> None:
    gathering = Gathering([])
    gathering.add_leases([lease("pi-04", 5), lease("pi-05", 41)])
    gathering.add_nodes([turned("pi-04", "True", 86400), turned("pi-05", "True", 86400), turned("pi-06", "True", 90)])
    gathering.add_nodes([turned("pi-07", "False", 9000), turned("pi-08", "True", 1801)])
    turns = of_node(gathering.result(NOW, API, {}), "pi-04").fleet.turns
    assert [(turn.name, turn.ready) for turn in turns] == [("pi-06", "True"), ("pi-07", "False"), ("pi-05", "True")]
    assert turns[2].renewed == NOW - timedelta(seconds=41)
    gathering.add_nodes(turned(f"node-{i}", "Unknown", i) for i in range(1000))
    kept = of_node(gathering.result(NOW, API, {}), "pi-04").fleet.turns
    assert [turn.name for turn in kept] == [f"node-{i}" for i in range(TURNS)]


def test_what_the_guards_ask_of_a_fleet() -> None:
    gathering = Gathering([])
    taints = [{"key": "gpu", "effect": "NoSchedule"}]
    control = node("cp-1", taints=taints)
    control["metadata"]["labels"] = {"node-role.kubernetes.io/control-plane": ""}
    preferred = node("pi-05", taints=[{"key": "slow", "effect": "PreferNoSchedule"}])
    gathering.add_nodes([control, preferred, node("pi-06", unschedulable=True), node("pi-07", "False")])
    held = {**lease("outward-kubelet-0", 5), "metadata": {"name": "outward-kubelet-0", "resourceVersion": "1"}}
    held["spec"]["holderIdentity"] = "awx-1@exec-01/pi-07"
    gathering.add_control_leases([held, lease("kube-controller-manager", 1), lease("kube-scheduler", 1)])
    fleet = of_node(gathering.result(NOW, API, {}), "pi-05").fleet
    assert (fleet.control_plane, fleet.tainted, fleet.able) == (("cp-1",), ("cp-1",), ("pi-05",))
    assert (fleet.in_hand, fleet.names) == (("pi-07",), ("cp-1", "pi-05", "pi-06", "pi-07"))
    assert fleet.controller_manager is not None


def test_a_node_is_there_or_absent_or_was_not_asked_for() -> None:
    listing = gathered(["pi-04", "pi-99"]).result(NOW, API, {})
    assert list(listing["nodes"]) == ["pi-04"]
    assert of_node(listing, "pi-99").node is None
    with pytest.raises(Undecided, match="no details of the Node pi-05"):
        assert of_node(listing, "pi-05").node


def test_events_find_their_node_newest_last_and_bounded() -> None:
    gathering = gathered(["pi-04"])
    gathering.add_pods([pod(1, "pi-04"), pod(2, "pi-05")])
    gathering.add_events([event("Node", "pi-04", "pi-04", 30), event("Node", "pi-05", "pi-05", 1)])
    gathering.add_events([event("Node", "pi-04", "x", 3601), event("Pod", "web-5d9f-2", "pod-2", 5)])
    gathering.add_events([event("Pod", "web-5d9f-1", "pod-1", 5 + i, count=i) for i in range(EVENTS)])
    found = of_node(gathering.result(NOW, API, {}), "pi-04").node
    assert found is not None
    assert len(found.events) == EVENTS
    assert (found.events[-1].name, found.events[-1].last) == ("default/web-5d9f-1", NOW - timedelta(seconds=5))
    assert [e.kind for e in found.events].count("Node") == 1


def test_a_list_that_failed_is_unknown_on_every_node() -> None:
    listing = gathered().result(NOW, API, {"pods": unknown("no list of pods")})
    found = of_node(listing, "pi-05").node
    assert found is not None
    assert found.events == ()
    with pytest.raises(Undecided, match="no list of pods"):
        assert found.pods


def pages(count: int, nodes: int) -> Iterator[list[Object]]:
    """Pages of 500 Pods, each made when it is asked for."""
    for start in range(0, count, 500):
        yield [pod(i, f"node-{i % nodes}") for i in range(start, min(start + 500, count))]


def test_a_thousand_nodes_and_thirty_thousand_pods_are_converted_in_bounded_memory() -> None:
    gathering = Gathering(["node-7"])
    gathering.add_nodes(node(f"node-{i}") for i in range(1000))
    tracemalloc.start()
    before, began = tracemalloc.get_traced_memory()[0], time.process_time()
    for page in pages(30_000, 1000):
        gathering.add_pods(page)
    del page
    seconds, kept = time.process_time() - began, tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    listing = gathering.result(NOW, API, {})
    found = of_node(listing, "node-7").node
    assert found is not None
    assert len(found.pods) == 30
    assert len(listing["fleet"]["ready"]) == 1000
    assert "secret-value" not in json.dumps(listing)
    assert kept < 2 * 1024**2  # one node's Pods, and where which owner's Pods fail
    assert seconds < 60  # one without tracemalloc on an idle core; a quadratic step would take an hour


def test_all_nodes_in_detail_keep_what_all_their_pods_need_and_no_more() -> None:
    gathering = Gathering()
    gathering.add_nodes(node(f"node-{i}") for i in range(100))
    for page in pages(3000, 100):
        gathering.add_pods(page)
    listing = gathering.result(NOW, API, {})
    assert [len(entry["pods"]) for entry in listing["nodes"].values()] == [30] * 100
    assert len(json.dumps(listing)) / 3000 < 1200  # bytes a Pod with two containers
    failing = [p for entry in listing["nodes"].values() for p in entry["pods"] if p["failing_elsewhere"]]
    assert len(failing) == 300
