# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What shows over time: each signal with its near misses; recorded evidence of the lab where there is some."""

from __future__ import annotations

import json
import re
import typing as t
from datetime import timedelta
from pathlib import Path

import pytest

from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis import cluster as c
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis import node as n
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.diagnose import diagnose
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.evidence import from_json, unknown
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.incident import quietness
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.node_pods import Sandbox, SandboxContainer
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.noise import noise, shape
from ansible_collections.outward.kubelet.plugins.module_utils._kube import convert
from tests.unit.helpers import NOW, healthy_node
from tests.unit.helpers_cluster import condition, container, healthy_cluster, lease, pod

Changes = dict[str, t.Any]
EVENTS = Path(__file__).parents[4] / "recordings" / "api" / "v1.37.2" / "kubelet-stopped"
RECORDINGS = Path(__file__).parents[4] / "recordings" / "v1.37.2"
OLD = NOW - timedelta(hours=1)


def seen(changes: Changes, api: Changes) -> dict[str, tuple[str, ...]]:
    """Signal -> its evidence."""
    found = diagnose(healthy_node(**changes), healthy_cluster(**api)).signals
    return {signal.id: signal.evidence for signal in found}


def of(thing: t.Any, **changes: t.Any) -> t.Any:
    """The same with fields changed."""
    return type(thing)(**{**vars(thing), **changes})


def event(reason: str, source: str, minutes: float, *, count: int = 1, first: float | None = None) -> c.Event:
    """About the Node, that long ago."""
    begin = NOW - timedelta(minutes=minutes if first is None else first)
    return c.Event("Node", "pi-04", reason, "", source, count, NOW - timedelta(minutes=minutes), begin)


def journal(*lines: tuple[str, int, float, float]) -> n.Journal:
    """(text, count, first, last) of this invocation; the healthy node has been up for 3600 s."""
    return n.Journal(tuple(n.LogLine(*line, True) for line in lines), False)


def sandbox(name: str, **changes: t.Any) -> Sandbox:
    """The sandbox of the Pod that helpers_cluster.pod(name) makes, with one container."""
    run = SandboxContainer(f"c-{name}", "main", 0, "running", OLD)
    return t.cast(
        Sandbox, of(Sandbox(f"s-{name}", f"uid-{name}", "default", name, 0, True, OLD, "api", (run,)), **changes)
    )


FLAP = (event("NodeNotReady", "node-controller", 20), event("NodeReady", "kubelet", 19))


def test_a_healthy_node_gives_no_signal() -> None:
    assert seen({"runtime__cri__pods": (sandbox("web"),)}, {}) == {}


@pytest.mark.parametrize(
    ("events", "fires"),
    [
        (FLAP, False),
        ((*FLAP, event("NodeNotReady", "node-controller", 5)), True),
        ((*FLAP, event("NodeNotReady", "node-controller", 50)), False),
        ((event("NodeNotReady", "kubelet", 1, count=3, first=10),), True),
        # 6 in the five hours before: hardly one of them within the last half hour.
        ((event("NodeNotReady", "kubelet", 1, count=6, first=300),), False),
        # The node controller tells every Pod that its Node is not ready.
        ((*FLAP, of(event("NodeNotReady", "node-controller", 5), kind="Pod", name="default/web")), False),
    ],
)
def test_flapping(events: tuple[c.Event, ...], fires: bool) -> None:
    assert ("flapping" in seen({}, {"node__events": events})) == fires


def test_flapping_says_who_wrote_it() -> None:
    words = seen({}, {"node__events": (*FLAP, event("NodeNotReady", "node-controller", 5))})["flapping"]
    assert (
        words[0] == "Ready changed 3 times in 30 minutes (NodeNotReady by node-controller: 2, NodeReady by kubelet: 1)"
    )
    assert words[1].startswith("Ready is True since 2026-11-23T14:00:00Z, says kubelet")


# setters.go:552 of a kubelet v1.37.2, as recorded in the lab.
TURNED = (
    'I1123 22:35:04.400026     901 setters.go:552] "Node became not ready" node="pi-05" condition={"type":"Ready",'
    '"status":"False","reason":"KubeletNotReady","message":"container runtime is down"}'
)
LEASE_CONFLICT = (
    'E1123 22:35:12.684856     901 controller.go:260] "Failed to update lease" err="Operation cannot be fulfilled on '
    'leases.coordination.k8s.io "pi-05": the object has been modified; please apply your changes to the latest version"'
)
LEASE_TIMEOUT = (
    'E1123 21:27:11.1 901 controller.go:260] "Failed to update lease" err="Put "https://10.77.0.1:6443/apis/'
    'coordination.k8s.io/v1/namespaces/kube-node-lease/leases/pi-05?timeout=10s": context deadline exceeded"'
)


def test_the_kubelet_says_why_it_turned() -> None:
    words = seen({"kubelet__journal": journal((TURNED, 3, 2500.0, 3500.0))}, {})["flapping"]
    assert words == ("the kubelet itself: KubeletNotReady: container runtime is down",)
    assert seen({"kubelet__journal": journal((TURNED, 1, 3500.0, 3500.0))}, {}) == {}
    assert seen({"kubelet__journal": journal((TURNED, 3, 100.0, 1000.0))}, {}) == {}


@pytest.mark.parametrize(
    ("changes", "api", "fires"),
    [
        ({}, {"node__lease": lease(12)}, False),
        ({}, {"node__lease": lease(25)}, True),
        # Its clock is 15 s behind: what looks 25 s old is 10 s old.
        ({"network__api__offset": -15.0}, {"node__lease": lease(25)}, False),
        ({}, {"node__conditions": (of(condition("Ready", "True"), heartbeat=NOW - timedelta(minutes=4)),)}, False),
        ({}, {"node__conditions": (of(condition("Ready", "True"), heartbeat=NOW - timedelta(minutes=12)),)}, True),
        ({"kubelet__journal": journal((LEASE_TIMEOUT, 4, 3300.0, 3500.0))}, {}, True),
        ({"kubelet__journal": journal((LEASE_TIMEOUT, 1, 3500.0, 3500.0))}, {}, False),
        ({"kubelet__journal": journal((LEASE_TIMEOUT, 4, 300.0, 500.0))}, {}, False),
        ({"kubelet__journal": journal((LEASE_CONFLICT, 3, 3300.0, 3500.0))}, {}, False),
        ({"kubelet__journal": unknown("timed out")}, {"node__lease": lease(25)}, True),
    ],
)
def test_heartbeats(changes: Changes, api: Changes, fires: bool) -> None:
    assert ("heartbeat" in seen(changes, api)) == fires


def loop(name: str, elsewhere: tuple[str, ...] = (), **changes: t.Any) -> c.Pod:
    """A Pod whose container has ended five times, the last time a minute ago."""
    ended: Changes = {"restarts": 5, "last_reason": "Error", "last_finished": NOW - timedelta(minutes=1)}
    return pod(name, of(container("waiting", "CrashLoopBackOff"), **{**ended, **changes}), elsewhere=elsewhere)


@pytest.mark.parametrize(
    ("pods", "expected"),
    [
        ((loop("a"), pod("b", container())), ["default/Deployment/a: 5 restarts, last Error; on this node only"]),
        ((loop("a", ("pi-05",)),), ["default/Deployment/a: 5 restarts, last Error; the same on pi-05"]),
        (
            (loop("a"), loop("b")),
            [
                "default/Deployment/a: 5 restarts, last Error; on this node only",
                "default/Deployment/b: 5 restarts, last Error; on this node only",
                "everything that runs on this node restarts",
            ],
        ),
        ((loop("a", restarts=2),), []),
        ((loop("a", state="running", reason="", last_finished=OLD),), []),
    ],
)
def test_restarts(pods: tuple[c.Pod, ...], expected: list[str]) -> None:
    assert list(seen({}, {"node__pods": pods}).get("restarts", ())) == expected


RUNS = of(pod("web", of(container(), id="containerd://c-web")), created=OLD)
STATIC = of(RUNS, mirror=True, uid="mirror")
EXITED = sandbox("web", containers=(SandboxContainer("c-web", "main", 0, "exited", OLD),))
MADE = sandbox("web", containers=(SandboxContainer("c-web", "main", 0, "created", OLD),))
DEAD = sandbox("web", id="s-0", ready=False, containers=(), created=OLD - timedelta(hours=1))


@pytest.mark.parametrize(
    ("there", "pods", "expected"),
    [
        ((sandbox("web"),), (RUNS,), ""),
        ((), (RUNS,), "the runtime has no sandbox: default/web"),
        ((), (of(RUNS, created=NOW),), ""),
        ((), (of(RUNS, deleting=True),), ""),
        ((), (of(RUNS, phase="Pending"),), ""),
        ((sandbox("web", uid="hash", source="file"),), (STATIC,), ""),
        ((EXITED,), (RUNS,), "exited says the runtime: default/web (main)"),
        ((sandbox("web"), sandbox("old")), (RUNS,), "the API does not know it: default/old"),
        ((sandbox("web"), sandbox("old", source="file")), (RUNS,), ""),
        ((sandbox("web"), sandbox("old", created=NOW)), (RUNS,), ""),
        ((sandbox("web"), sandbox("old", containers=())), (RUNS,), ""),
        ((sandbox("web"), sandbox("x", namespace="outward-probe")), (RUNS,), ""),
        ((sandbox("web", attempt=1), DEAD), (RUNS,), "are not removed: default/web"),
        ((sandbox("web", attempt=1, created=NOW - timedelta(minutes=5)), DEAD), (RUNS,), ""),
        ((DEAD,), (of(RUNS, phase="Pending"),), ""),
        ((MADE,), (RUNS,), "made and never started: default/web (main)"),
    ],
)
def test_what_the_api_and_the_runtime_say_of_pods(
    there: tuple[Sandbox, ...], pods: tuple[c.Pod, ...], expected: str
) -> None:
    lines = seen({"runtime__cri__pods": there}, {"node__pods": pods}).get("pods-differ", ())
    assert (len(lines), [line for line in lines if not line.endswith(expected)]) == (bool(expected), [])


def test_a_node_that_was_deleted_makes_no_orphans() -> None:
    assert "pods-differ" not in seen({"runtime__cri__pods": (sandbox("web"),)}, {"node": None})


def test_a_list_that_is_not_there_says_nothing() -> None:
    assert seen({"runtime__cri__pods": unknown("more than 500")}, {"node__pods": (RUNS,)}) == {}


PLEG = 'E1123 22:35:03.7 901 kubelet.go:2697] "Skipping pod synchronization" err="PLEG is not healthy: 17m37.8s ago"'
POD_1 = (
    'E1123 22:17:23.2 901 status_manager.go:1257] "Failed to get status for pod" err="pods "agent-jv45b" is forbidden"'
)
POD_2 = (
    'E1123 22:17:25.6 901 status_manager.go:1257] "Failed to get status for pod" err="pods "agent-djgzr" is forbidden"'
)


def test_noise_is_counted_by_shape() -> None:
    assert shape(POD_1) == shape(POD_2)
    lines = journal((POD_1, 30, 3100.0, 3500.0), (POD_2, 40, 3100.0, 3590.0), (PLEG, 3, 3200.0, 3590.0))
    found = noise(lines, 60.0, 3600.0)
    assert (found.per_minute, found.minutes) == (round(73 / (500 / 60), 1), 8.3)
    assert found.top[0] == (shape(POD_1), 70)
    assert seen({"kubelet__journal": lines}, {})["noise"][0] == "9 errors a minute over 8 minutes"


@pytest.mark.parametrize(
    ("lines", "per_minute"),
    [
        (journal(), 0.0),
        (journal((PLEG, 300, 100.0, 2900.0)), 0.0),  # all of it is over
        (journal((PLEG, 300, 600.0, 3600.0)), 6.0),  # evenly spread: a fifth of them in the last ten minutes
        (journal((TURNED, 300, 3000.0, 3600.0)), 0.0),  # information is no error
        (journal((PLEG, 50, 61.0, 119.0)), 0.0),  # of the start
        (journal((PLEG, 5, 3590.0, 3600.0)), 2.5),  # at least two minutes, or five lines would be thirty
    ],
)
def test_the_figure_is_of_the_last_ten_minutes(lines: n.Journal, per_minute: float) -> None:
    assert noise(lines, 60.0, 3600.0).per_minute == per_minute


def test_quietness_stands_in_every_report() -> None:
    figure = quietness(healthy_node(kubelet__journal=journal((PLEG, 5, 3590.0, 3600.0))))
    assert figure == {"errors_per_minute": 2.5, "minutes": 2.0, "top": [{"shape": shape(PLEG), "count": 5}]}
    assert quietness(healthy_node(kubelet__journal=unknown("timed out"))) is None


def recorded(case: str) -> dict[str, tuple[str, ...]]:
    """Of a real node of the lab."""
    data = json.loads((RECORDINGS / f"{case}.json").read_text())
    node, cluster = from_json(n.NodeEvidence, data["node"]), from_json(c.ClusterEvidence, data["cluster"])
    return {signal.id: signal.evidence for signal in diagnose(node, cluster).signals}


@pytest.mark.parametrize("case", sorted(path.stem for path in RECORDINGS.glob("*.json") if path.stem != "healthy"))
def test_signals_of_recorded_faults_are_bounded(case: str) -> None:
    for lines in recorded(case).values():
        assert len(lines) <= 20
        assert all(len(line) <= 500 for line in lines)


def test_recorded_faults_show_in_their_signals() -> None:
    assert re.match(
        r"the Lease was renewed \d{2} s ago; .*it lasts 40 s", recorded("kubelet-unit-disabled")["heartbeat"][0]
    )
    assert "Error updating node status" in recorded("node-object-deleted")["heartbeat"][0]
    assert "errors a minute" in recorded("containerd-down")["noise"][0]
    assert "noise" not in recorded("node-cordoned")


def test_events_of_a_real_api_server_say_who_turned_ready() -> None:
    items = json.loads((EVENTS / "events-nodes.json").read_text())
    events = tuple(convert.event(item) for item in items if item["involvedObject"]["name"] == "pi-05")
    now = max(event.last for event in events if event.last)
    (words, dummy) = seen({}, {"node__events": events, "api__now": now})["flapping"]
    assert "(NodeNotReady by kubelet: 1, NodeNotReady by node-controller: 1, NodeReady by kubelet: 1)" in words
