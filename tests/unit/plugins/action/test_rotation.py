# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""certificates_due and serving_certificate on the controller: what is judged, and whose request is answered."""

from __future__ import annotations

import typing as t
from collections.abc import Callable
from types import SimpleNamespace

import pytest
from ansible.errors import AnsibleActionFail

from ansible_collections.outward.kubelet.plugins.action import certificates_due, serving_certificate
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.node import NodeEvidence, unreachable_node
from ansible_collections.outward.kubelet.plugins.plugin_utils import _cluster, _remote
from ansible_collections.outward.kubelet.plugins.plugin_utils._remote import Answer
from tests.unit.api_server import DATE, REQUESTS, FakeApi
from tests.unit.helpers import NOW, healthy_node
from tests.unit.helpers_cluster import healthy_cluster
from tests.unit.plugins.action.test_client_certificate import asking, until
from tests.unit.plugins.action.test_client_certificate import fake as small
from tests.unit.plugins.module_utils._diagnosis.test_rotation import CLIENT, SERVED
from tests.unit.requests_made import SERVING, pem, signing_request

Result = dict[str, t.Any]
fake = small
CREATED = "2026-11-23T15:00:00Z"


def acted(kind: t.Any, args: Result, *, check: bool = False) -> Result:
    """The result of the action *kind* for the host pi-04."""
    task: t.Any = SimpleNamespace(args=args, check_mode=check, diff=False, async_val=0, action="x")
    nothing: t.Any = SimpleNamespace(check_mode=check, _shell=SimpleNamespace(tmpdir=None))
    template: t.Any = SimpleNamespace(template=lambda value: value)
    action = kind.ActionModule(task, nothing, nothing, nothing, template, None)
    return t.cast(Result, action.run(task_vars={"inventory_hostname": "pi-04", "ansible_host": "10.77.0.14"}))


def judged(monkeypatch: pytest.MonkeyPatch, node: NodeEvidence, **args: t.Any) -> Result:
    monkeypatch.setattr(certificates_due, "observe", lambda *arguments: node)
    monkeypatch.setattr(_cluster, "evidence_of", lambda options, name: healthy_cluster())
    return acted(certificates_due, args)


def test_what_is_due_is_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    node = healthy_node(**CLIENT, certificates__serving=SERVED)
    found = judged(monkeypatch, node)
    assert found["permitted"] == {"renew-client-certificate": "client-certificate-due"}
    assert (found["switch"], found["incident"]["mode"]) == (False, "rotate")
    assert judged(monkeypatch, node, days=1)["permitted"] == {}
    assert judged(monkeypatch, healthy_node(kubelet__config__server_tls_bootstrap=False))["switch"] is True


def test_bad_input_and_a_node_that_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(AnsibleActionFail, match=r"days is -1\.0"):
        judged(monkeypatch, healthy_node(), days=-1)
    found = judged(monkeypatch, unreachable_node(NOW, "no route"))
    assert (found["permitted"], found["incident"]["outcome"], found["switch"]) == ({}, "refused", False)


@pytest.fixture
def cluster(fake: FakeApi) -> FakeApi:
    fake.load("v1.37.2/healthy")
    fake.lists[REQUESTS], fake.date = [], DATE
    return fake


def served(
    cluster: FakeApi, monkeypatch: pytest.MonkeyPatch, node: Callable[[Result], Answer], *, check: bool = False
) -> Result:
    def ask(action: t.Any, module: str, arguments: Result, variables: Result, *, piped: bool = False) -> Answer:
        return node(arguments)

    monkeypatch.setattr(_remote, "ask", ask)
    args = {"host": cluster.url, "api_key": "admin", "cause": "serving-certificate-due", "fingerprint": "ab12"}
    return acted(serving_certificate, args, check=check)


def test_its_request_is_answered_meanwhile_and_no_other(cluster: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Result] = []

    def node(arguments: Result) -> Answer:
        seen.append(arguments)
        asking(cluster, signing_request("csr-evil", pem(names=["10.77.0.1"]), signer=SERVING, created=CREATED))
        asking(cluster, signing_request("csr-1", pem(names=["10.77.0.14"]), signer=SERVING, created=CREATED))
        until(lambda: bool(cluster.lists[REQUESTS][1]["status"]))
        return Answer({"result": "done", "checks": {}, "notes": []}, None, None)

    result = served(cluster, monkeypatch, node)
    assert result["checks"] == {"request_issued": True}
    assert result["notes"][0] == "csr-1 was approved"
    assert result["notes"][1].startswith("csr-evil was left pending")
    assert not {"api_key", "host", "known", "addresses", "lock"} & set(seen[0])


def test_in_check_mode_nothing_is_answered(cluster: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    asking(cluster, signing_request("csr-1", pem(names=["10.77.0.14"]), signer=SERVING, created=CREATED))
    result = served(cluster, monkeypatch, lambda arguments: Answer({"result": "permitted"}, None, None), check=True)
    assert (result["result"], cluster.lists[REQUESTS][0]["status"]) == ("permitted", {})


def test_an_api_server_that_is_silent_leaves_the_node_alone(cluster: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    cluster.refusals["/api/v1/nodes/pi-04"] = (503, "{}")
    with pytest.raises(AnsibleActionFail, match="pi-04: the node was not touched"):
        served(cluster, monkeypatch, lambda arguments: pytest.fail("it was"))
