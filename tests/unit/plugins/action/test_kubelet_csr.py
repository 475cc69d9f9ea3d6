# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""kubelet_csr against an API server: what is approved there, and with what; and tokens that come and go."""

from __future__ import annotations

import base64
import json
import re
import typing as t
from collections.abc import Iterator
from datetime import timedelta
from types import SimpleNamespace

import pytest
from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

from ansible_collections.outward.kubelet.plugins.action import kubelet_csr
from ansible_collections.outward.kubelet.plugins.module_utils._kube import access, bootstrap
from ansible_collections.outward.kubelet.plugins.module_utils._kube.connect import Api, connect
from ansible_collections.outward.kubelet.plugins.module_utils._kube.errors import KubeError
from ansible_collections.outward.kubelet.plugins.module_utils._kube.options import Access
from tests.unit.api_server import DATE, REQUESTS, FakeApi, serving
from tests.unit.requests_made import NOW, SERVING, pem, signing_request

JSON = t.Any
SECRETS = "/api/v1/namespaces/kube-system/secrets"
INFO = "/api/v1/namespaces/kube-public/configmaps/cluster-info"
CA = "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n"


@pytest.fixture
def fake() -> Iterator[FakeApi]:
    """An API server with the Node pi-04 (10.77.0.14)."""
    with serving() as server:
        server.load("v1.37.2/healthy")
        server.lists[REQUESTS], server.date = [], DATE
        yield server


@pytest.fixture
def api(fake: FakeApi) -> Iterator[Api]:
    with connect(Access(host=fake.url, api_key="secret-token"), {}) as connection:
        yield connection


def approving(fake: FakeApi, status: int = 200) -> dict[str, JSON]:
    """Path -> what was put there."""
    put: dict[str, JSON] = {}

    def answer(method: str, path: str, body: JSON) -> tuple[int, JSON]:
        put[f"{method} {path}"] = body
        return status, body

    fake.react = answer
    return put


def run(fake: FakeApi, *, check: bool = False, **variables: t.Any) -> dict[str, t.Any]:
    """The task's result for the host pi-04."""
    task: t.Any = SimpleNamespace(
        args={"host": fake.url, "api_key": "secret-token", "addresses": variables.pop("addresses", [])},
        check_mode=check,
        diff=False,
        async_val=0,
        action="x",
    )
    nothing: t.Any = SimpleNamespace(check_mode=check, _shell=SimpleNamespace(tmpdir=None))
    template: t.Any = SimpleNamespace(template=lambda value: value)
    action: ActionBase = kubelet_csr.ActionModule(task, nothing, nothing, nothing, template, None)
    return action.run(task_vars={"inventory_hostname": "pi-04", **variables})


def test_what_is_the_nodes_own_is_approved_and_the_rest_is_named(fake: FakeApi) -> None:
    put = approving(fake)
    good = signing_request("csr-good", pem(names=["10.77.0.14", "pi-04"]), signer=SERVING)
    bad = signing_request("csr-bad", username="system:node:pi-05")
    fake.lists[REQUESTS] = [bad, good]
    done = run(fake, ansible_host="10.77.0.14")
    assert [r["name"] for r in done["approved"]] == ["csr-good"]
    assert [(r["name"], r["objections"]) for r in done["left"]] == [
        ("csr-bad", ["system:node:pi-05 asks, not system:node:pi-04"])
    ]
    assert list(put) == [f"PUT {REQUESTS}/csr-good/approval"]
    what = put[f"PUT {REQUESTS}/csr-good/approval"]
    assert what["spec"] == good["spec"]
    assert [c["type"] for c in what["status"]["conditions"]] == ["Approved"]
    assert (done["changed"], "secret-token" in str(done)) == (True, False)


def test_what_is_about_no_host_is_left_and_named_once(fake: FakeApi) -> None:
    put = approving(fake)
    eve = signing_request("csr-eve", "not a request", username="eve", signer="kubernetes.io/kube-apiserver-client")
    theirs = signing_request(
        "csr-5", pem([("O", "system:nodes"), ("CN", "system:node:pi-05")]), username="system:node:pi-05"
    )
    fake.lists[REQUESTS] = [eve, theirs]
    play: dict[str, t.Any] = {
        "ansible_play_hosts_all": ["pi-04", "five"],
        "hostvars": {"five": {"outward_node_name": "pi-05"}},
    }
    (told,) = run(fake, **play)["others"]
    assert told.startswith("csr-eve (kubernetes.io/kube-apiserver-client) left: eve asks")
    assert len(run(fake)["others"]) == 2
    assert run(fake, ansible_play_hosts_all=["pi-03", "pi-04"])["others"] == []
    assert put == {}


def test_what_cannot_be_read_and_comes_from_no_host_is_said_to_be_that(fake: FakeApi) -> None:
    approving(fake)
    fake.lists[REQUESTS] = [signing_request("csr-eve", "not a request", username="eve")]
    (told,) = run(fake)["others"]
    assert "eve asks, and what it asks for cannot be read: not one PEM block" in told


def test_check_mode_approves_nothing(fake: FakeApi) -> None:
    put = approving(fake)
    fake.lists[REQUESTS] = [signing_request()]
    done = run(fake, check=True)
    assert ([r["name"] for r in done["approved"]], done["changed"], put) == (["csr-1"], True, {})


@pytest.mark.parametrize("variables", [{}, {"ansible_host": "pi-04.home"}, {"ansible_host": "10.77.0.15"}])
def test_without_its_address_in_the_inventory_no_server_is_approved(fake: FakeApi, variables: JSON) -> None:
    approving(fake)
    fake.lists[REQUESTS] = [signing_request(text=pem(names=["10.77.0.14"]), signer=SERVING)]
    done = run(fake, **variables)
    assert done["left"][0]["objections"] == ["the inventory does not give it 10.77.0.14 (outward_node_addresses)"]
    assert run(fake, addresses=["::ffff:10.77.0.14"])["left"] == []


def test_what_somebody_else_answers_meanwhile_is_left(fake: FakeApi) -> None:
    approving(fake, 409)
    fake.lists[REQUESTS] = [signing_request()]
    done = run(fake)
    assert (done["changed"], done["left"][0]["objections"]) == (False, ["somebody else has answered it meanwhile"])


@pytest.mark.parametrize(
    ("status", "words"), [(403, "signers.certificates|approval"), (503, "was approved is not known")]
)
def test_an_approval_that_is_refused_or_lost_is_one_error(fake: FakeApi, status: int, words: str) -> None:
    approving(fake, status)
    fake.lists[REQUESTS] = [signing_request()]
    with pytest.raises(AnsibleActionFail, match=words):
        run(fake)


def test_a_node_that_there_is_not(fake: FakeApi) -> None:
    fake.objects.clear()
    with pytest.raises(AnsibleActionFail, match="the cluster has no Node pi-04"):
        run(fake)


def test_a_token_for_one_node_for_minutes(fake: FakeApi, api: Api) -> None:
    token = bootstrap.make(api, "pi-04.home", 600)
    secret = fake.written[f"{SECRETS}/bootstrap-token-{token.id}"]
    data = secret["stringData"]
    assert re.fullmatch("[a-z0-9]{6}[.][a-z0-9]{16}", token.bearer)
    assert token.bearer == f"{data['token-id']}.{data['token-secret']}"
    assert (secret["type"], data["expiration"]) == ("bootstrap.kubernetes.io/token", "2026-11-23T15:10:00Z")
    groups = "system:bootstrappers:outward-kubelet,system:bootstrappers:outward-kubelet:pi-04:home"
    assert data["auth-extra-groups"] == groups
    assert all(re.fullmatch("system:bootstrappers:[a-z0-9:-]{0,255}[a-z0-9]", g) for g in groups.split(","))
    assert "usage-bootstrap-signing" not in data  # it would be published in cluster-info
    assert (token.made, token.expires) == (NOW, NOW + timedelta(minutes=10))
    assert token.secret not in repr(token)


def test_the_token_of_a_run_that_was_killed_is_found_without_reading_a_secret(fake: FakeApi, api: Api) -> None:
    first = bootstrap.make(api, "pi-04", 600)
    second = bootstrap.make(api, "pi-04", 600)
    assert (first.id, first.secret == second.secret) == (second.id, False)
    assert (bootstrap.sweep(api, "pi-04"), bootstrap.sweep(api, "pi-04")) == (True, False)
    assert [path for path in fake.written if path.startswith(SECRETS)] == []
    assert bootstrap.token_id("pi-04") != bootstrap.token_id("pi-05")


def kubeconfig(server: str, authority: str = CA) -> JSON:
    """cluster-info as kubeadm publishes it."""
    cluster = {"server": server, "certificate-authority-data": base64.b64encode(authority.encode()).decode()}
    return {"data": {"kubeconfig": json.dumps({"clusters": [{"name": "", "cluster": cluster}]})}}


class Verified:
    """An API whose server was verified."""

    peer: t.Any = SimpleNamespace(server="https://10.77.0.1:6443", credentials="/home/anna/.kube/config")

    def __init__(self, info: JSON, **own: t.Any) -> None:
        self._info = info
        self._own = {"server": "https://lb.example:443", **own}

    def cluster(self) -> JSON:
        return self._own

    def ask(self, question: t.Any, name: str) -> JSON:
        return self._info


def test_where_nodes_find_the_cluster() -> None:
    found = bootstrap.cluster(t.cast(Api, Verified(kubeconfig("https://10.77.0.1:6443"))))
    assert (found.server, found.authority) == ("https://10.77.0.1:6443", CA)


@pytest.mark.parametrize(
    ("info", "own", "words"),
    [
        (kubeconfig("https://10.77.0.1:6443"), {"insecure-skip-tls-verify": True}, "is not verified"),
        (kubeconfig("https://10.77.0.1:6443"), {"server": "http://10.77.0.1"}, "is not verified"),
        (kubeconfig("http://10.77.0.1:6443"), {}, "says where nodes find"),
        (kubeconfig("https://a@10.77.0.1"), {}, "says where nodes find"),
        (kubeconfig("https://10.77.0.1:6443", "no PEM"), {}, "says where nodes find"),
        ({"data": {"kubeconfig": "[1"}}, {}, "holds no kubeconfig"),
        ({"data": {}}, {}, "holds no kubeconfig"),
    ],
)
def test_no_node_is_told_to_trust_what_was_not_verified(info: JSON, own: JSON, words: str) -> None:
    with pytest.raises(KubeError, match=words):
        bootstrap.cluster(t.cast(Api, Verified(info, **own)))


@pytest.mark.parametrize("answer", [(401, ""), (201, {"status": {"allowed": False}})])
def test_a_token_that_is_not_taken_is_told(
    fake: FakeApi, api: Api, answer: JSON, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(access, "EFFECT", 0.05)
    monkeypatch.setattr(access, "PAUSE", 0.01)
    fake.answers[access.REVIEW.path] = lambda body: answer
    with pytest.raises(KubeError, match="--enable-bootstrap-token-auth set"):
        access.await_token(api)
    fake.answers[access.REVIEW.path] = lambda body: (201, {"status": {"allowed": True}})
    access.await_token(api)
