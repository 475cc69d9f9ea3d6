# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Pods that do not start: when a sandbox is worth making, and what its outcome says."""

from __future__ import annotations

import typing as t
from datetime import timedelta

import pytest

from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis import cluster as c
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.diagnose import diagnose
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.evidence import unknown
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.node_pods import Sandbox, SandboxTrial
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.registry import CAUSES
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.starting import worth_trying
from tests.unit.helpers import NOW, healthy_node
from tests.unit.helpers_cluster import container, healthy_cluster, pod

Changes = dict[str, t.Any]


def waiting(minutes: float = 5, **changes: t.Any) -> c.Pod:
    """A Pod that the kubelet took that long ago and that has no sandbox."""
    found = pod("new", container("waiting", "ContainerCreating"))
    taken: Changes = {"phase": "Pending", "accepted": NOW - timedelta(minutes=minutes)}
    return c.Pod(**{**vars(found), **taken, **changes})


def sandbox(uid: str, ready: bool = True) -> Sandbox:
    """Of the Pod *uid*."""
    return Sandbox("s", uid, "default", "new", 0, ready, NOW, "api", ())


def event(reason: str) -> c.Event:
    """About that Pod."""
    return c.Event("Pod", "default/new", reason, f"said {reason}", "kubelet", 1, NOW, NOW)


# grpc-message of containerd for a CNI plugin that fails (fixtures.yml: fmt find.go), without the sandbox's id.
CNI = 'failed to setup network for sandbox "ID": plugin type="bridge" failed (add): broken on purpose'
FAILED = SandboxTrial("cni", CNI, 1.2, ())
NOTHING: Changes = {"runtime__cri__pods": ()}
STUCK: Changes = {"node__pods": (waiting(),)}


@pytest.mark.parametrize(
    ("changes", "api", "worth"),
    [
        (NOTHING, STUCK, True),
        (NOTHING, {}, False),
        ({"runtime__cri__pods": (sandbox("uid-new", ready=False),)}, STUCK, True),
        ({"runtime__cri__pods": (sandbox("uid-new"),)}, STUCK, False),  # it pulls its image
        (NOTHING, {"node__pods": (waiting(1),)}, False),
        (NOTHING, {"node__pods": (waiting(deleting=True),)}, False),
        (NOTHING, {"node__pods": (waiting(accepted=None),)}, False),  # no kubelet has taken it
        (NOTHING, {**STUCK, "node__events": (event("FailedMount"),)}, False),
        (NOTHING, {**STUCK, "node__events": (event("FailedCreatePodSandBox"),)}, True),
        ({"runtime__cri__pods": unknown("timed out")}, STUCK, False),
        ({**NOTHING, "runtime__cri__runtime_ready": False}, STUCK, False),
        ({**NOTHING, "network__cni__missing_plugins": ("bridge",)}, STUCK, False),  # the cheap evidence has a cause
        (NOTHING, {**STUCK, "node__unschedulable": True}, True),  # which a cordon is not
        (NOTHING, {"node": None}, False),
    ],
)
def test_when_a_sandbox_is_worth_making(changes: Changes, api: Changes, worth: bool) -> None:
    node, cluster = healthy_node(**changes), healthy_cluster(**api)
    roots = [finding.cause for finding in diagnose(node, cluster).roots]
    assert worth_trying(roots, node, cluster) == worth


@pytest.mark.parametrize(
    ("changes", "api", "expected"),
    [
        ({**NOTHING, "sandbox": FAILED}, STUCK, ["runtime-cannot-start-pods"]),
        ({**NOTHING, "sandbox": SandboxTrial("timeout", "", 18.0, ())}, STUCK, ["runtime-cannot-start-pods"]),
        ({**NOTHING, "sandbox": FAILED}, {}, []),  # no Pod suffers from it
        ({**NOTHING, "sandbox": SandboxTrial("ok", "", 1.2, ())}, STUCK, []),
        ({**NOTHING, "sandbox": SandboxTrial("foreign", CNI, 1.2, ())}, STUCK, []),
        (NOTHING, STUCK, []),
        ({**NOTHING, "sandbox": FAILED, "network__cni__missing_plugins": ("bridge",)}, STUCK, ["cni-binary-missing"]),
    ],
)
def test_what_came_of_it(changes: Changes, api: Changes, expected: list[str]) -> None:
    assert diagnose(healthy_node(**changes), healthy_cluster(**api)).root_causes == expected


def test_the_cause_of_last_resort_quotes_the_runtime() -> None:
    (found,) = diagnose(healthy_node(**NOTHING, sandbox=FAILED), healthy_cluster(**STUCK)).roots
    assert found.evidence == (
        f"a Pod sandbox that we made failed, its network could not be set up: {CNI}",
        "default/new has waited for its sandbox for more than 2 minutes",
    )


def test_what_is_more_specific_explains_it() -> None:
    node = healthy_node(**NOTHING, sandbox=FAILED, network__cni__missing_plugins=("bridge",))
    found = {f.cause.id: f.role for f in diagnose(node, healthy_cluster(**STUCK)).findings}
    assert found == {"cni-binary-missing": "root", "runtime-cannot-start-pods": "explained"}


def test_without_a_trial_nobody_can_tell() -> None:
    diagnosis = diagnose(healthy_node(**NOTHING), healthy_cluster(**STUCK))
    assert diagnosis.undecided == {"runtime-cannot-start-pods": "making a Pod sandbox was not tried"}
    assert diagnose(healthy_node(), healthy_cluster()).undecided == {}


def test_the_signal_says_what_waits_and_what_a_trial_showed() -> None:
    api = {**STUCK, "node__events": (event("FailedCreatePodSandBox"),)}
    node = healthy_node(**NOTHING, sandbox=SandboxTrial("ok", "", 1.2, ("StopPodSandbox abc: no",)))
    found = {s.id: s.evidence for s in diagnose(node, healthy_cluster(**api)).signals}
    assert found["not-starting"] == (
        "no sandbox after more than 2 minutes: default/new",
        'event: "said FailedCreatePodSandBox"',
        "a Pod sandbox of ours came up in 1.2 s: the runtime and CNI can start Pods here",
    )
    assert found["sandbox-left"] == ("StopPodSandbox abc: no",)


def test_a_signal_names_the_cause_that_brings_it_about() -> None:
    node = healthy_node(**NOTHING, network__cni__missing_plugins=("bridge",))
    found = {s.id: s.explained for s in diagnose(node, healthy_cluster(**STUCK)).signals}
    assert found == {"not-starting": ("cni-binary-missing",)}
    assert all(cause.kind != "derived" or cause.explains for cause in CAUSES.values())
