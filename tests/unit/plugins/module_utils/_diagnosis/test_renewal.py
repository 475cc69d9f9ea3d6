# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which broken nodes are given a new client certificate, by recordings of real ones; and that no other run does it."""

from __future__ import annotations

import dataclasses
import json
import typing as t

import pytest

from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.cluster import ClusterEvidence
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.diagnose import diagnose
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.evidence import amended, from_json
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.guards import Policy, cure, latent_faults
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.incident import outcome
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.node import NodeEvidence
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.plan import Step, plan
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.registry import CAUSES
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.steps import RENEW
from tests.matrix.recording import RECORDINGS
from tests.unit.helpers import healthy_node
from tests.unit.helpers_cluster import healthy_cluster
from tests.unit.plugins.module_utils._diagnosis.test_diagnose import EXPIRED, LOOPING, SILENT

RENEWED: t.Final = {
    "apiserver-ca-mismatch",
    "bootstrap-token-expired",
    "kubelet-client-ca-rejected",
    "kubelet-client-csr-pending",
    "kubelet-client-cert-expired",
    "kubelet-client-pem-corrupt",
    "kubelet-client-pem-missing",
    "kubelet-half-joined",
    "kubelet-kubeconfig-missing",
}
DENIED: t.Final = "kubelet-client-csr-denied"  # by somebody: only a person overrules that
WITHOUT: t.Final = Policy(max_unavailable=9)
WITH: t.Final = Policy(max_unavailable=9, certificates=True)


def recorded(name: str) -> tuple[NodeEvidence, ClusterEvidence]:
    """With what evidence of that time did not hold yet, as it is on a quiet node and in a quiet cluster."""
    data = json.loads((RECORDINGS / "v1.37.2" / f"{name}.json").read_text())
    data["node"]["kernel"].setdefault("upkeep", [])
    if data["cluster"]["node"]:
        data["cluster"]["node"].setdefault("unschedulable_by", "")
    cluster = from_json(ClusterEvidence, data["cluster"])
    calm = {name: value for name, value in vars(healthy_cluster().fleet).items() if name != "controller_manager"}
    return from_json(NodeEvidence, data["node"]), amended(cluster, fleet=amended(cluster.fleet, **calm))


def steps(node: NodeEvidence, cluster: ClusterEvidence, policy: Policy) -> dict[str, Step]:
    return {step.step: step for step in plan(diagnose(node, cluster), cluster, policy)}


def test_the_causes_that_a_new_certificate_cures_are_all_of_the_auth_layer() -> None:
    found = {cause.id for cause in CAUSES.values() if cure(cause, WITH) == RENEW}
    assert found == RENEWED | {DENIED}
    assert {CAUSES[name].layer for name in found} == {"auth"}
    assert all("certificates-recover.yml -l {host}" in CAUSES[name].advice for name in found)


@pytest.mark.parametrize("name", sorted(RENEWED))
def test_a_real_broken_node_is_given_a_certificate_and_no_restart(name: str) -> None:
    node, cluster = recorded(name)
    found = steps(node, cluster, WITH)
    assert (found[RENEW].permitted, found[RENEW].cause) == (True, name), found
    assert found[RENEW].why.endswith("its kubelet asks for a new certificate")
    assert not found["restart-kubelet"].permitted
    assert RENEW not in steps(node, cluster, WITHOUT)


def test_after_a_denial_a_new_certificate_is_only_asked_for_when_that_is_allowed_by_name() -> None:
    node, cluster = recorded(DENIED)
    assert not steps(node, cluster, WITH)[RENEW].permitted
    allowed = Policy(max_unavailable=9, certificates=True, allowed=frozenset({RENEW}))
    assert steps(node, cluster, allowed)[RENEW].permitted
    assert RENEW in CAUSES[DENIED].advice
    assert RENEW not in steps(node, cluster, WITHOUT)


def test_nothing_is_renewed_while_nobody_issues() -> None:
    node, cluster = recorded("kubelet-client-csr-pending")
    assert cluster.node
    approved = tuple(amended(request, state="approved") for request in cluster.node.signing_requests)
    stuck = amended(cluster, node=amended(cluster.node, signing_requests=approved))
    refused = steps(node, stuck, WITH)[RENEW]
    assert not refused.permitted
    assert "is approved and not issued: look at the signer of kube-controller-manager" in refused.why


def test_a_latent_fault_that_a_renewal_cures_too_does_not_keep_it_from_being_done() -> None:
    """It writes the file of clientCAFile; a restart alone would end the kubelet."""
    node, cluster = recorded("kubelet-client-ca-rejected")
    found = diagnose(node, cluster)
    (root,) = found.roots
    latent = dataclasses.replace(root, cause=CAUSES["kubelet-client-ca-file-missing"], role="latent")
    both = dataclasses.replace(found, findings=(root, latent))
    assert latent_faults(root, both, cluster, WITH) is None
    stopped = dataclasses.replace(root, cause=CAUSES["kubelet-stopped"])
    assert "would not come back" in (latent_faults(stopped, both, cluster, WITH) or "")


@pytest.mark.parametrize(
    ("name", "step"),
    [
        ("kubelet-client-pem-missing", "relink-client-certificate"),
        ("kubelet-client-pem-corrupt", "relink-client-certificate"),
        ("kubelet-kubeconfig-missing", "rebuild-kubeconfig"),
    ],
)
def test_what_the_node_can_mend_itself_it_mends_when_nobody_asked_for_a_new_certificate(name: str, step: str) -> None:
    node, cluster = recorded(name)
    assert step in steps(node, cluster, WITHOUT)
    assert step not in steps(node, cluster, WITH)


@pytest.mark.parametrize(("step", "expected"), [(RENEW, "recovered"), ("restart-kubelet", "needs-operator")])
def test_a_renewal_leaves_nothing_of_such_a_root(step: str, expected: str) -> None:
    report = {
        "mode": "recover",
        "actions": [{"step": step, "result": "done"}],
        "proof": {"proven": True, "checks": {}},
        "diagnosis": {"root_causes": ["kubelet-client-pem-missing"], "status": "faulty"},
        "plan": [],
    }
    assert outcome(report) == expected


@pytest.mark.parametrize("name", ["clock-before-certificate", "clock-makes-certificate-invalid", "node-identity-wrong"])
def test_a_wrong_clock_or_a_wrong_machine_is_given_none(name: str) -> None:
    assert RENEW not in steps(*recorded(name), WITH)


@pytest.mark.parametrize(
    ("policy", "words"),
    [
        (Policy("none", certificates=True), "outward_automate is none"),
        (Policy(hands_off="Anna", certificates=True), "hands off"),
        (Policy("safe", certificates=True), "outward_automate is safe"),
    ],
)
def test_the_guards_are_asked(policy: Policy, words: str) -> None:
    node = healthy_node(**{**LOOPING, "certificates__client": EXPIRED})
    step = steps(node, healthy_cluster(**SILENT), policy)[RENEW]
    assert (step.permitted, words in step.why) == (False, True)
