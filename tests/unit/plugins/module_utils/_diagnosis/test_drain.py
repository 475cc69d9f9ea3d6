# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What becomes of each Pod, in the order in which the rules count."""

from __future__ import annotations

import typing as t
from datetime import timedelta

import pytest

from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.cluster import Pod
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.drain import (
    Allowed,
    fate,
    grace,
    lingers,
    silence,
)
from tests.unit.helpers import NOW
from tests.unit.helpers_cluster import conditions, healthy_cluster, lease
from tests.unit.plugins.module_utils._diagnosis.test_workload import some

ALL = Allowed(bare=True, empty_dir=True)
STATIC: t.Any = {"owner": "", "mirror": True}
EMPTY: t.Any = {"storage": ("emptyDir",)}


@pytest.mark.parametrize(
    ("pod", "allowed", "verdict"),
    [
        (some(), Allowed(), "evict"),
        (some(**STATIC), ALL, "leave"),
        (some(**STATIC, phase="Failed", deleting=True), ALL, "leave"),
        (some(owner="DaemonSet/agent"), ALL, "leave"),
        (some(owner="DaemonSet/agent", deleting=True), ALL, "leave"),
        (some(owner="DaemonSet/agent", phase="Failed"), Allowed(), "evict"),
        (some(owner="", deleting=True), Allowed(), "wait"),
        (some(owner="", phase="Failed", deleting=True), Allowed(), "wait"),
        (some(owner="", phase="Succeeded", **EMPTY), Allowed(), "evict"),
        (some(owner=""), Allowed(), "refuse"),
        (some(owner=""), Allowed(empty_dir=True), "refuse"),
        (some(owner=""), Allowed(bare=True), "evict"),
        (some(**EMPTY), Allowed(), "refuse"),
        (some(**EMPTY), Allowed(bare=True), "refuse"),
        (some(**EMPTY), Allowed(empty_dir=True), "evict"),
        (some(owner="", **EMPTY), Allowed(bare=True), "refuse"),
        (some(owner="", **EMPTY), ALL, "evict"),
        (some(owner="StatefulSet/db", storage=("local",)), Allowed(), "evict"),
    ],
)
def test_fates(pod: Pod, allowed: Allowed, verdict: str) -> None:
    assert fate(pod, allowed).verdict == verdict


def test_an_eviction_says_what_it_costs() -> None:
    assert fate(some(storage=("hostPath", "local")), Allowed()).why == "its data stays on this node (hostPath, local)"
    assert fate(some(), Allowed()).why == ""


@pytest.mark.parametrize(
    ("pod", "allowed", "sent"),
    [
        (some(), Allowed(), None),
        (some(), Allowed(grace=0), 0),
        (some(grace=0), Allowed(), None),
        (some(grace=0), Allowed(silent="yes"), 1),
        (some(grace=0, phase="Failed"), Allowed(silent="yes"), None),
        (some(grace=30), Allowed(silent="yes"), None),
        (some(grace=0), Allowed(grace=20, silent="yes"), 20),
    ],
)
def test_grace(pod: Pod, allowed: Allowed, sent: int | None) -> None:
    assert grace(pod, allowed) == sent


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, ""),
        ({"node__lease": lease(300)}, ""),
        ({"node__conditions": conditions(Ready="Unknown")}, ""),
        ({"node__conditions": conditions(Ready="False"), "node__lease": lease(300)}, ""),
        ({"node__conditions": (), "node__lease": lease(300)}, ""),
        (
            {"node__conditions": conditions(Ready="Unknown"), "node__lease": lease(300)},
            "its kubelet is silent since 2026-11-23T14:55:00Z",
        ),
        ({"node__conditions": conditions(Ready="Unknown"), "node__lease": None}, "it has no Lease"),
    ],
)
def test_who_is_silent(changes: dict[str, t.Any], words: str) -> None:
    node = healthy_cluster(**changes).node
    assert node is not None
    silent = silence(node, NOW)
    assert words in silent
    assert bool(silent) is bool(words)


def test_why_a_pod_lingers() -> None:
    going = some(deleting=True, deletion=NOW - timedelta(seconds=5))
    assert lingers(going, "its kubelet is silent") == (
        "terminating since its grace period ended at 2026-11-23T14:59:55Z: its kubelet is silent"
    )
    assert lingers(some(finalizers=("a/b",)), "x") == "terminating: waits for its finalizers a/b"
