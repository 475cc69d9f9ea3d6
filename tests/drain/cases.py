# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a node is drained of, and what a drain that tells the truth does about it."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from tests.lab._image import WEB_IMAGE
from tests.lab._kubectl import Object

NAMESPACE: t.Final = "outward-drain"
TAINT: t.Final = "outward.lab/drain"  # keeps everybody else's Pods from the node under test
# As PID 1 it never sees a TERM that it does not ask for.
STUBBORN: t.Final = ["sh", "-c", "trap '' TERM; while :; do sleep 3600; done"]
BUDGET: t.Final = "guard"


@dataclass(frozen=True)
class Options:
    """What every one of the tools is asked for."""

    timeout: int = 60
    bare: bool = False
    empty_dir: bool = False
    grace: int | None = None


@dataclass(frozen=True)
class Case:
    """One state of a node, how it is drained, and what has to come of it."""

    id: str
    objects: t.Callable[[str], list[Object]]  # for this node
    pods: int  # that are to run before it begins
    expected: dict[str, t.Any]  # see verdict.seen
    within: tuple[float, float]  # seconds that it may take, and has to
    options: Options = field(default_factory=Options)
    opens_after: float | None = None  # the budget allows everything from then on
    deleted: bool = False  # the Pods are being deleted already
    dead: bool = False  # the node's machine is stopped
    words: str = ""  # what the tool has to name (an extended regular expression)


def pod(host: str, **spec: t.Any) -> Object:
    """The spec of a Pod that can run on *host* only, which ends as soon as it is told to."""
    container = {"name": "main", "image": WEB_IMAGE, "imagePullPolicy": "Never"}
    container["command"] = spec.pop("command", ["/bin/pause"])
    return {
        "nodeSelector": {"kubernetes.io/hostname": host},
        "tolerations": [{"key": TAINT, "operator": "Exists"}],
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": 5,
        "containers": [container],
        **spec,
    }


def many(kind: str, name: str, replicas: int, spec: Object) -> Object:
    """A Deployment, or a StatefulSet, whose Pods start one after the other."""
    labels = {"app": name}
    more = {"serviceName": name} if kind == "StatefulSet" else {}
    template = {"metadata": {"labels": labels}, "spec": spec}
    whole = {"replicas": replicas, "selector": {"matchLabels": labels}, "template": template, **more}
    return _object("apps/v1", kind, name, whole)


def budget(app: str, least: int) -> Object:
    """At least so many Pods of *app* have to be there."""
    return _object("policy/v1", "PodDisruptionBudget", BUDGET, _budget(app, least))


def _budget(app: str, least: int) -> Object:
    return {"minAvailable": least, "selector": {"matchLabels": {"app": app}}}


def bare(name: str, spec: Object) -> Object:
    """A Pod without an owner."""
    return _object("v1", "Pod", name, spec)


def _object(version: str, kind: str, name: str, spec: Object) -> Object:
    metadata = {"name": name, "namespace": NAMESPACE}
    return {"apiVersion": version, "kind": kind, "metadata": metadata, "spec": spec}


EMPTY_DIR: t.Final[Object] = {"volumes": [{"name": "cache", "emptyDir": {}}]}
UNTOUCHED: t.Final = {"end": "failed", "cordoned": False, "named": True}
DRAINED: t.Final = {"end": "done", "left": 0, "cordoned": True}

CASES: t.Final = (
    Case(
        "pdb-opens-after-20s",
        lambda host: [many("Deployment", "web", 2, pod(host)), budget("web", 2)],
        pods=2,
        expected=DRAINED,
        within=(20, 75),
        options=Options(timeout=90),
        opens_after=20,
    ),
    Case(
        "pdb-never-opens",
        lambda host: [
            many("Deployment", "web", 2, pod(host)),
            budget("web", 2),
            many("Deployment", "free", 1, pod(host)),
        ],
        pods=3,
        expected={"end": "failed", "left": 2, "cordoned": True, "named": True},
        within=(30, 50),
        options=Options(timeout=30),
        words=f"budget.*{BUDGET}|{NAMESPACE}/{BUDGET}",
    ),
    Case(
        "bare-pod",
        lambda host: [many("Deployment", "web", 1, pod(host)), bare("alone", pod(host))],
        pods=2,
        expected={**UNTOUCHED, "left": 2},
        within=(0, 30),
        words="alone",
    ),
    Case(
        "emptydir",
        lambda host: [
            many("Deployment", "web", 1, pod(host)),
            many("Deployment", "cache", 1, pod(host, **EMPTY_DIR)),
        ],
        pods=2,
        expected={**UNTOUCHED, "left": 2},
        within=(0, 30),
        words="cache",
    ),
    Case(
        "bare-pod-with-emptydir",
        lambda host: [bare("alone", pod(host, **EMPTY_DIR))],
        pods=1,
        expected={**UNTOUCHED, "left": 1},
        within=(0, 30),
        options=Options(empty_dir=True),
        words="alone",
    ),
    Case(
        "terminating",
        lambda host: [
            many("Deployment", "slow", 1, pod(host, command=STUBBORN, terminationGracePeriodSeconds=25)),
        ],
        pods=1,
        expected={**DRAINED, "evicted_again": False},
        within=(0, 180),
        options=Options(timeout=180),
        deleted=True,
    ),
    Case(
        "grace-zero",
        lambda host: [
            many("Deployment", "slow", 1, pod(host, command=STUBBORN, terminationGracePeriodSeconds=120)),
        ],
        pods=1,
        expected=DRAINED,
        within=(0, 30),
        options=Options(timeout=90, grace=0),
    ),
    Case(
        "time-out",
        lambda host: [
            many("Deployment", "slow", 1, pod(host, command=STUBBORN, terminationGracePeriodSeconds=120)),
        ],
        pods=1,
        expected={"end": "failed", "left": 1, "cordoned": True, "named": True},
        within=(15, 35),
        options=Options(timeout=15),
        words="slow",
    ),
    Case(
        "dead-node",
        lambda host: [many("StatefulSet", "db", 1, pod(host)), many("Deployment", "web", 1, pod(host))],
        pods=2,
        expected={"end": "done", "left": 2, "cordoned": True, "named": True},
        within=(0, 30),
        dead=True,
        words="db-0",
    ),
    Case(
        "sixty-pods",
        # In the node's own network, which a drain does not care for, and three at a time: an emulated node that is to
        # start sixty at once reaches the runtime's deadline of 2 min with each of them.
        lambda host: [many("StatefulSet", name, 20, pod(host, hostNetwork=True)) for name in ("one", "two", "three")],
        pods=60,
        expected=DRAINED,
        within=(0, 600),  # an emulated node kills a container in seconds; what counts is the time beside the others'
        options=Options(timeout=600),
    ),
)
