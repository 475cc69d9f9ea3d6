# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How long a proof is waited for: to its time-out, and no longer than there is something to wait for."""

from __future__ import annotations

import itertools
import typing as t

import pytest

from ansible_collections.outward.kubelet.plugins.action import node_proof
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.evidence import amended, to_json, unknown
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.node import NodeEvidence
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.proof import Proof
from tests.unit.helpers import healthy_node, unit
from tests.unit.helpers_cluster import healthy_cluster, lease
from tests.unit.plugins.module_utils._diagnosis.test_diagnose import SILENT, STOPPED

BEFORE = healthy_node(**STOPPED, runtime__unit__active_state="inactive", runtime__cri__outcome="refused")
RUNTIME_RUNS = healthy_node(**STOPPED, runtime__unit__started=3580.0)
WELL = healthy_node(runtime__unit__started=3580.0)
FIREWALLED = healthy_node(network__api__outcome="timeout", runtime__unit__started=3580.0)
TIMEOUT = 180
TURN = 10.0  # seconds that a turn of the wait takes here, as on a slow node


def waited(
    monkeypatch: pytest.MonkeyPatch,
    roots: list[str],
    looks: t.Iterable[NodeEvidence],
    acting: NodeEvidence = RUNTIME_RUNS,
) -> tuple[Proof, float]:
    """What is shown after containerd was started, what that waits for, and the seconds that it took.

    The node is seen as *acting* by the step itself, and then as *looks* in turn.
    """
    seen, clock = iter(looks), itertools.count(step=TURN)
    now = acting

    def look(*given: t.Any) -> NodeEvidence:
        nonlocal now
        now = next(seen)
        return now

    silent, renewed = healthy_cluster(**SILENT), healthy_cluster(node__lease=lease(5, "101"))
    monkeypatch.setattr("time.monotonic", lambda: next(clock))
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    monkeypatch.setattr(node_proof, "glance", lambda *given: renewed if now is WELL else silent)
    action: t.Any = object.__new__(node_proof.ActionModule)
    action._look = look
    started = {"step": "start-containerd"}
    done = {"action": started, "cause": "containerd-down", "evidence": to_json(acting), "checks": {}}
    evidence = {"node": to_json(BEFORE), "cluster": to_json(silent)}
    incident = {"diagnosis": {"root_causes": roots}, "evidence": evidence}
    proof = action._prove({"incident": incident, "timeout": TIMEOUT, "soak_seconds": 0}, [done], {})
    return proof, next(clock) - TURN


TWO = ["containerd-down", "kubelet-stopped"]


def test_a_root_that_nothing_was_done_for_ends_the_wait_and_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    proof, seconds = waited(monkeypatch, TWO, itertools.repeat(RUNTIME_RUNS))
    assert (proof.proven, proof.checks["cause_gone"], proof.in_the_way) == (False, True, ("kubelet-stopped",))
    assert node_proof.STAYS < seconds <= node_proof.STAYS + 2 * TURN < TIMEOUT


def test_a_root_that_the_acting_step_did_not_look_for_is_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """What containerd_start returns has no way to the API in it, and all that it has is well."""
    roots = ["apiserver-firewalled", "containerd-down"]
    acting = amended(WELL, network=unknown("not gathered"))
    proof, seconds = waited(monkeypatch, roots, itertools.repeat(FIREWALLED), acting)
    assert (proof.in_the_way, seconds < TIMEOUT) == (("apiserver-firewalled",), True)


def test_one_that_goes_by_itself_meanwhile_is_not_in_the_way(monkeypatch: pytest.MonkeyPatch) -> None:
    proof, seconds = waited(monkeypatch, TWO, [*[RUNTIME_RUNS] * 3, WELL])
    assert (proof.missing, proof.in_the_way) == ([], ())
    assert seconds < node_proof.STAYS


def test_requests_for_certificates_are_listed_when_the_cause_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three small calls about one Node do not have them, and without them nobody can tell that it waits no more."""
    answered = healthy_cluster(node__lease=lease(5, "101"))
    small = healthy_cluster(node__lease=lease(5, "101"), node__signing_requests=unknown("not listed"))
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    monkeypatch.setattr(node_proof, "glance", lambda *given: small)
    monkeypatch.setattr(node_proof, "evidence_now", lambda options, name: answered)
    fresh = healthy_node(kubelet__unit=unit("kubelet.service", 900), kubelet__unit__started=3580.0)
    action: t.Any = object.__new__(node_proof.ActionModule)
    action._look = lambda *given: fresh
    step, cause = {"step": "renew-client-certificate"}, "kubelet-client-csr-pending"
    done = {"action": step, "cause": cause, "evidence": to_json(fresh), "checks": {}}
    incident = {
        "diagnosis": {"root_causes": [cause]},
        "evidence": {"node": to_json(BEFORE), "cluster": to_json(healthy_cluster(**SILENT))},
    }
    proof = action._prove({"incident": incident, "timeout": 60, "soak_seconds": 0}, [done], {})
    assert (proof.missing, proof.in_the_way) == ([], ())


def test_without_another_root_the_whole_time_is_waited(monkeypatch: pytest.MonkeyPatch) -> None:
    proof, seconds = waited(monkeypatch, TWO[:1], itertools.repeat(RUNTIME_RUNS))
    assert (proof.proven, proof.in_the_way) == (False, ())
    assert seconds > TIMEOUT
