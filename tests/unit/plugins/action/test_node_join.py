# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A machine is judged against a cluster, and joined with a token that is taken back, whatever happens."""

from __future__ import annotations

import json
import typing as t
from types import SimpleNamespace

import pytest
from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

from ansible_collections.outward.kubelet.plugins.action import node_join
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis import settling
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.evidence import amended, to_json
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.incident import close
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.membership import fingerprints
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.node import NodeEvidence, unreachable_node
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.words import verdict
from ansible_collections.outward.kubelet.plugins.module_utils._kube import bootstrap
from ansible_collections.outward.kubelet.plugins.module_utils._kube.bootstrap import Cluster, token_id
from ansible_collections.outward.kubelet.plugins.module_utils._parse import x509
from ansible_collections.outward.kubelet.plugins.plugin_utils import _remote
from ansible_collections.outward.kubelet.plugins.plugin_utils._remote import Answer
from tests.unit.api_server import REQUESTS, FakeApi
from tests.unit.helpers import NOW, certificate, file, healthy_node
from tests.unit.helpers_cluster import conditions, healthy_cluster
from tests.unit.plugins.action.test_client_certificate import Node, asking, ours, secrets, until
from tests.unit.plugins.action.test_client_certificate import fake as small
from tests.unit.plugins.module_utils._diagnosis.test_membership import FRESH
from tests.unit.plugins.module_utils._host.probes.pki import Authority
from tests.unit.requests_made import SERVING, pem, signing_request

Result = dict[str, t.Any]
CA = Authority()
(FOUND,) = x509.certificates(CA.certificate)
INFO = "/api/v1/namespaces/kube-public/configmaps/cluster-info"
NODE = "/api/v1/nodes/pi-04"
LATELY = "2026-11-23T21:16:43Z"  # by the clock of the recording
fake = small


@pytest.fixture
def cluster(fake: FakeApi, monkeypatch: pytest.MonkeyPatch) -> FakeApi:
    """The cluster of the recording, whose Node pi-04 is the machine of ``machine``."""
    monkeypatch.setattr(bootstrap, "cluster", lambda api: Cluster("https://10.77.0.1:6443", CA.certificate))
    monkeypatch.setattr(bootstrap, "SIGNED", 0.05)
    monkeypatch.setattr(bootstrap, "PAUSE", 0.01)
    monkeypatch.setattr(node_join, "PAUSE", 0.01)
    monkeypatch.setattr(node_join, "REGISTERED", 0.03)
    monkeypatch.setattr(node_join, "SERVING_SECONDS", 0.2)
    fake.load("v1.37.2/healthy")
    fake.lists[REQUESTS] = []
    fake.objects[INFO] = {"data": {f"jws-kubeconfig-{token_id('pi-04')}": "x"}}
    return fake


def machine(cluster: FakeApi) -> str:
    return str(cluster.objects[NODE]["status"]["nodeInfo"]["machineID"])


def member(cluster: FakeApi, **changes: t.Any) -> NodeEvidence:
    """The machine that is the Node pi-04."""
    authority = amended(certificate("/etc/kubernetes/kubelet.conf"), fingerprint=fingerprints([FOUND.encoded])[0])
    known = {"identity__machine_id": machine(cluster), "certificates__ca": authority}
    return healthy_node(**{**known, **changes})


def fresh(**changes: t.Any) -> NodeEvidence:
    return healthy_node(**{**FRESH, **changes})


def run(
    cluster: FakeApi, node: Node | NodeEvidence, monkeypatch: pytest.MonkeyPatch, *, check: bool = False, **args: t.Any
) -> Result:
    """The task's result for the host pi-04; *node* is what is found, or what happens, there."""
    task: t.Any = SimpleNamespace(args={"host": cluster.url, "api_key": "admin", **args}, check_mode=check, diff=False)
    task.async_val, task.action = 0, "x"
    nothing: t.Any = SimpleNamespace(check_mode=check, _shell=SimpleNamespace(tmpdir=None))
    template: t.Any = SimpleNamespace(template=lambda value: value)

    def ask(action: t.Any, module: str, arguments: Result, variables: Result, *, piped: bool = False) -> Answer:
        assert piped
        assert not isinstance(node, NodeEvidence)
        return node(arguments)

    monkeypatch.setattr(_remote, "ask", ask)
    monkeypatch.setattr(node_join, "observe", lambda *arguments: node)
    action: ActionBase = node_join.ActionModule(task, nothing, nothing, nothing, template, None)
    return action.run(task_vars={"inventory_hostname": "pi-04", "ansible_host": "10.77.0.14"})


def judged(cluster: FakeApi, node: NodeEvidence, monkeypatch: pytest.MonkeyPatch, **more: t.Any) -> Result:
    return run(cluster, node, monkeypatch, state="judged", **more)


def test_a_node_that_has_joined_is_left_alone(cluster: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    look = healthy_cluster(node__machine_id=machine(cluster))
    monkeypatch.setattr(node_join, "evidence_of", lambda options, name: look)
    found = judged(cluster, member(cluster), monkeypatch)
    assert (found["changed"], found["permitted"], found["incident"]["plan"]) == (False, {}, [])
    assert found["incident"]["outcome"] == "healthy"
    assert (
        verdict(close(found["incident"], [], None, None, NOW))[0] == "pi-04: joined already, and healthy: nothing to do"
    )


def test_a_node_that_has_only_just_joined_is_looked_at_again(cluster: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run was killed after the join: its kubelet had not said yet that it is ready (tests.join, v1.37.2)."""
    identity = machine(cluster)
    on_its_way = healthy_cluster(node__machine_id=identity, node__conditions=conditions(Ready="False"))
    looks = [healthy_cluster(node__machine_id=identity)]
    monkeypatch.setattr(node_join, "evidence_of", lambda options, name: on_its_way)
    monkeypatch.setattr(node_join, "evidence_now", lambda options, name: looks.pop(0))
    monkeypatch.setattr(settling, "TRANSIENT", 0.01)
    found = judged(cluster, member(cluster), monkeypatch)
    assert (found["incident"]["outcome"], looks) == ("healthy", [])


def test_a_fresh_machine_is_permitted_to_join(cluster: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    del cluster.objects[NODE]
    cluster.lists["/api/v1/nodes"] = [n for n in cluster.lists["/api/v1/nodes"] if n["metadata"]["name"] != "pi-04"]
    found = judged(cluster, fresh(), monkeypatch)
    assert found["permitted"] == {"join-node": "not-joined"}, found["incident"]["plan"]
    assert found["incident"]["diagnosis"]["root_causes"] == ["not-joined"]
    done = {"action": {"step": "join-node", "result": "done"}, "result": "done", "refusals": [], "detail": ""}
    shown = {"proven": True, "checks": {"ready": True}, "in_the_way": []}
    assert close(found["incident"], [done], shown, None, NOW)["outcome"] == "recovered"
    assert judged(cluster, fresh(), monkeypatch, check=True)["incident"]["mode"] == "check"
    hands = judged(cluster, fresh(), monkeypatch, hands_off="Anna is on it")
    assert (hands["permitted"], hands["incident"]["outcome"]) == ({}, "refused")


def test_another_machine_with_the_name_is_refused(cluster: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    found = judged(cluster, fresh(), monkeypatch)
    assert (found["permitted"], found["incident"]["outcome"]) == ({}, "refused")
    assert "held by another machine that lives" in found["incident"]["plan"][0]["why"]


def test_what_cannot_be_told_is_not_joined(cluster: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = NodeEvidence(**{**vars(fresh()), "certificates": vars(unreachable_node(NOW, "x"))["certificates"]})
    found = judged(cluster, gone, monkeypatch)
    assert (found["permitted"], found["incident"]["outcome"]) == ({}, "refused")
    assert "cannot tell whether it is a node of the cluster" in found["incident"]["plan"][0]["why"]


def test_a_machine_that_cannot_be_reached_is_one_error(cluster: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(AnsibleActionFail, match="pi-04 cannot be reached: no route"):
        judged(cluster, unreachable_node(NOW, "no route"), monkeypatch)


@pytest.mark.parametrize(
    ("args", "words"),
    [
        ({"ca_hash": "sha256:12"}, "outward_ca_hash must be sha256:"),
        ({"ca_hash": f"sha256:{'0' * 64}"}, "the cluster's CA has the hash sha256:"),
        ({"taints": [{"key": "a", "effect": "Never"}]}, "is no taint"),
    ],
)
def test_bad_input_is_one_error(cluster: FakeApi, monkeypatch: pytest.MonkeyPatch, args: Result, words: str) -> None:
    with pytest.raises(AnsibleActionFail, match=words):
        judged(cluster, member(cluster), monkeypatch, **args)


def test_the_right_hash_is_taken(cluster: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    assert judged(cluster, member(cluster), monkeypatch, ca_hash=x509.pin(FOUND))["permitted"] == {}


def test_what_an_interrupted_join_left_on_a_node_is_removed(cluster: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    link = amended(file("/etc/kubernetes/bootstrap-kubelet.conf", exists=False), link_target="/run/outward-kubelet/x")
    node, asked = member(cluster, certificates__bootstrap_kubeconfig=link), list[Result]()

    def there(arguments: Result) -> Answer:
        asked.append(arguments)
        return Answer({"changed": True, "notes": []}, None, None)

    assert node_join.leftover(node)
    assert not node_join.leftover(member(cluster))
    monkeypatch.setattr(node_join.ActionModule, "_standing", lambda self, o, v, c, k: (node, c, ()))
    assert run(cluster, there, monkeypatch, state="judged")["changed"]
    assert asked == [{"state": "tidied", "profile": "auto"}]


def test_a_token_that_a_killed_run_has_left_is_deleted_once_the_machine_has_joined(
    cluster: FakeApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its kubeadm came to its end without it, so that nobody makes a token for this machine again."""
    place = f"{bootstrap.SECRETS}/bootstrap-token-{token_id('pi-04')}"
    cluster.written[place] = {"stringData": {}}
    assert judged(cluster, member(cluster), monkeypatch, check=True)["notes"] == []
    assert secrets(cluster) != []
    (note,) = judged(cluster, member(cluster), monkeypatch)["notes"]
    assert note.endswith("of an interrupted run was deleted")
    assert secrets(cluster) == []


def done(cluster: FakeApi, **more: t.Any) -> Result:
    evidence = to_json(member(cluster, kubelet__config__server_tls_bootstrap=True))
    base = {"result": "done", "checks": {"certificate_issued": True}, "notes": [], "set": ["loaded br_netfilter"]}
    return {**base, "changed": True, "evidence": evidence, **more}


def test_a_token_is_lent_and_both_requests_are_approved(cluster: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Result] = []

    def node(arguments: Result) -> Answer:
        (secret,) = secrets(cluster)
        seen.append({**arguments, "secret": secret["stringData"]})
        asking(cluster, ours(created=LATELY))
        until(lambda: bool(cluster.lists[REQUESTS][0]["status"]))
        asking(cluster, signing_request("csr-2", pem(names=["10.77.0.14"]), signer=SERVING, created=LATELY))
        return Answer(done(cluster), None, None)

    result = run(cluster, node, monkeypatch, fingerprint="ab12")
    assert result["checks"] == {"certificate_issued": True, "request_issued": True}
    assert result["notes"] == ["loaded br_netfilter", "csr-1 was approved", "csr-2 was approved"]
    (given,) = seen
    data = given.pop("secret")
    assert data["usage-bootstrap-signing"] == "true"
    assert given["token"] == f"{data['token-id']}.{data['token-secret']}"
    assert (given["version"], given["address"], given["node_name"]) == ("v1.37.2", "10.77.0.14", "pi-04")
    assert not {"kubeconfig", "api_key", "host", "lock", "known", "cluster"} & set(given)
    assert secrets(cluster) == []
    assert data["token-secret"] not in json.dumps(result)


def test_a_request_that_was_left_and_judged_later_is_told_once() -> None:
    """A kubelet asks for its serving certificate while its join is still being proven."""
    notes = ["csr-1 was approved", "csr-2 was left pending: system:node:pi-04 asks", "csr-3 was left pending: odd"]
    assert node_join.unanswered(notes, ["csr-2 was approved"]) == [notes[0], notes[2]]
    assert node_join.unanswered(notes, ["csr-3 was left pending: why"]) == notes[:2]
    assert node_join.unanswered(notes, ["it has made no request"]) == notes


def test_a_serving_request_that_is_not_the_nodes_is_left(cluster: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    def node(arguments: Result) -> Answer:
        asking(cluster, signing_request("csr-2", pem(names=["10.77.0.15"]), signer=SERVING, created=LATELY))
        return Answer(done(cluster), None, None)

    notes = run(cluster, node, monkeypatch, fingerprint="ab12")["notes"]
    assert any(note.startswith("csr-2 was left pending: the Node does not have 10.77.0.15") for note in notes), notes


@pytest.mark.parametrize("answer", [Answer({}, "no route", None), Answer({}, None, "status 137", cut_off=True)])
def test_the_token_goes_when_the_machine_is_lost(
    cluster: FakeApi, monkeypatch: pytest.MonkeyPatch, answer: Answer
) -> None:
    result = run(cluster, lambda arguments: answer, monkeypatch, fingerprint="ab12")
    assert (result["result"], secrets(cluster)) == ("failed", [])


def test_in_check_mode_there_is_no_token(cluster: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Result] = []

    def node(arguments: Result) -> Answer:
        seen.append(arguments)
        return Answer({"result": "permitted", "notes": []}, None, None)

    assert run(cluster, node, monkeypatch, check=True, fingerprint="ab12")["result"] == "permitted"
    assert ("token" in seen[0], secrets(cluster), cluster.written) == (False, [], {})


def test_a_cluster_that_does_not_sign_is_told_before_anything_is_touched(
    cluster: FakeApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster.objects[INFO] = {"data": {}}
    with pytest.raises(AnsibleActionFail, match=r"the machine was not touched: .*bootstrapsigner"):
        run(cluster, lambda arguments: pytest.fail("it was"), monkeypatch, fingerprint="ab12")
    assert secrets(cluster) == []


@pytest.mark.parametrize(
    ("given", "host", "expected"),
    [
        (["kube.home", "10.77.0.14"], "192.168.1.4", "10.77.0.14"),
        ([], "192.168.1.4", "192.168.1.4"),
        ([], "pi-04.home", ""),
        (["fd00:0::14"], "", "fd00::14"),
    ],
)
def test_by_which_address_it_is_known(given: list[str], host: str, expected: str) -> None:
    assert node_join.address(given, host) == expected
