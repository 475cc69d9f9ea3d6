# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Each guard with what it refuses, and beside it what it lets pass."""

from __future__ import annotations

import typing as t
from datetime import timedelta

import pytest

from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis import cluster as c
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.diagnose import Diagnosis, Finding, diagnose
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.guards import Policy, flapping
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.plan import Step, plan
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.registry import CAUSES
from tests.unit.helpers import NOW, healthy_node
from tests.unit.helpers_cluster import fleet, healthy_cluster
from tests.unit.plugins.module_utils._diagnosis.test_diagnose import NO_SOCKET, SILENT, STOPPED, Changes
from tests.unit.plugins.module_utils._diagnosis.test_signals import FLAP, event, journal

RESTART = "restart-kubelet"
LONG_AGO = NOW - timedelta(days=1)


def step(changes: Changes, api: Changes, policy: Policy, name: str = RESTART) -> Step:
    cluster = healthy_cluster(**api)
    steps = plan(diagnose(healthy_node(**changes), cluster), cluster, policy)
    return next(step for step in steps if step.step == name)


def down(*others: str, ready: tuple[str, ...] = (), **fields: t.Any) -> Changes:
    """pi-04 and *others* are silent, the others since yesterday."""
    silent = ("pi-04", *others)
    turns = tuple(c.Turn(name, "Unknown", LONG_AGO, LONG_AGO, LONG_AGO) for name in others)
    return {**SILENT, "fleet": fleet(ready=ready, silent=silent, expired_leases=silent, turns=turns, **fields)}


@pytest.mark.parametrize(
    ("api", "policy", "words"),
    [
        (down(), Policy(), None),
        (down("pi-05"), Policy(), "pi-05 unavailable too: with this node 2, and outward_max_unavailable is 1"),
        (down("pi-05"), Policy(max_unavailable=2), None),
        (down("pi-05", "pi-06"), Policy(max_unavailable=2), "pi-05, pi-06 unavailable too: with this node 3"),
        (down(ready=("pi-05",), unschedulable=("pi-05",)), Policy(), "pi-05 unavailable too"),
        # What another run has in hand makes us wait for the lock; once we have it, everything counts.
        (down("pi-05", in_hand=("pi-05",)), Policy(), None),
        (down("pi-05", in_hand=("pi-05",)), Policy(locked=True), "pi-05 unavailable too"),
        (down(ready=("pi-05",), in_hand=("pi-05",)), Policy(), None),
        (down(ready=("pi-05",), in_hand=("pi-05",)), Policy(locked=True), "pi-05 unavailable too"),
        (down(ready=("pi-05",), in_hand=("pi-05",)), Policy(max_unavailable=2, locked=True), None),
        (down(ready=("pi-05",), in_hand=("pi-04",)), Policy(locked=True), None),
    ],
)
def test_capacity(api: Changes, policy: Policy, words: str | None) -> None:
    refused(step(STOPPED, api, policy), words)


def refused(step: Step, words: str | None) -> None:
    assert (step.permitted, step.why) if words is None else words in step.why
    assert step.permitted == (words is None)


LAST = "it is the last node that can take Pods"


@pytest.mark.parametrize(
    ("changes", "others", "words"),
    [
        (NO_SOCKET, {"ready": ("pi-04", "pi-05")}, None),
        (NO_SOCKET, {"ready": ("pi-04",)}, LAST),
        (NO_SOCKET, {"ready": ("pi-04", "pi-05"), "tainted": ("pi-05",)}, LAST),
        # Another run has the only other one in hand.
        (NO_SOCKET, {"ready": ("pi-04", "pi-05"), "in_hand": ("pi-05",)}, LAST),
        # This one takes no Pods anyhow: tainted, or without a kubelet, which the API has not noticed yet.
        (NO_SOCKET, {"ready": ("pi-04", "pi-05"), "tainted": ("pi-04", "pi-05")}, None),
        ({**NO_SOCKET, "kubelet__healthz__outcome": "refused"}, {"ready": ("pi-04",)}, None),
    ],
)
def test_the_last_node_that_can_take_pods(changes: Changes, others: Changes, words: str | None) -> None:
    refused(step(changes, {"fleet": fleet(**others)}, Policy(), "start-containerd"), words)


THREE = ("pi-04", "cp-2", "cp-3")


@pytest.mark.parametrize(
    ("fields", "named", "words"),
    [
        ({"ready": THREE[1:], "control_plane": THREE}, False, "outward_control_plane is not set for this host"),
        ({"ready": THREE[1:], "control_plane": THREE}, True, None),
        ({"ready": (), "control_plane": THREE[:1]}, True, "without it 0 of 1 control-plane nodes would be Ready"),
        ({"ready": THREE[1:2], "control_plane": THREE[:2]}, True, "without it 1 of 2 control-plane nodes"),
        ({"ready": THREE[1:], "control_plane": THREE, "in_hand": ("cp-2",)}, True, "without it 1 of 3"),
        # A cordon does not stop etcd.
        ({"ready": THREE[1:], "control_plane": THREE, "unschedulable": ("cp-2",)}, True, None),
        ({"ready": THREE[1:], "control_plane": c.NOT_KEPT_OF_OTHERS}, True, "cannot tell"),
    ],
)
def test_control_plane(fields: Changes, named: bool, words: str | None) -> None:
    api = {**down(**fields), "node__control_plane": True}
    refused(step(STOPPED, api, Policy(max_unavailable=2, control_plane=named)), words)


def test_quorum_counts_who_is_not_ready() -> None:
    api = {**down("cp-2", ready=("cp-3",), control_plane=THREE), "node__control_plane": True}
    refused(step(STOPPED, api, Policy(max_unavailable=9, control_plane=True)), "without it 1 of 3")


TURNS = (*FLAP, event("NodeNotReady", "node-controller", 5))
NOISE = {"kubelet__journal": journal(*[(f'E1123 "Error {word}"', 90, 3000.0, 3590.0) for word in ("a", "b")])}


def flaps(changes: Changes, api: Changes, cause: str = "kubelet-node-shutting-down") -> str | None:
    cluster = healthy_cluster(**api)
    diagnosis: Diagnosis = diagnose(healthy_node(**changes), cluster)
    return flapping(Finding(CAUSES[cause], "root", ()), diagnosis, cluster, Policy())


def test_a_flapping_node_with_a_quiet_healthy_kubelet_is_not_restarted() -> None:
    assert flaps({}, {"node__events": TURNS}) == (
        "Ready changed 3 times in 30 minutes (NodeNotReady by node-controller: 2, NodeReady by kubelet: 1), and its"
        " kubelet is quiet and healthy: look at the way to the API server"
    )


@pytest.mark.parametrize(
    ("changes", "events", "cause"),
    [
        ({}, FLAP, "kubelet-stopped"),  # twice is no flapping
        (STOPPED, TURNS, "kubelet-stopped"),
        (NOISE, TURNS, "kubelet-stopped"),
        ({}, TURNS, "containerd-down"),  # its step is no restart of the kubelet
    ],
)
def test_and_others_are(changes: Changes, events: t.Any, cause: str) -> None:
    assert flaps(changes, {"node__events": events}, cause) is None
