# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A token is lent to a node and taken back, whatever happens; its request is answered meanwhile. With a small cluster."""

from __future__ import annotations

import json
import time
import typing as t
from collections.abc import Callable, Iterator
from types import SimpleNamespace

import pytest
from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

from ansible_collections.outward.kubelet.plugins.action import client_certificate
from ansible_collections.outward.kubelet.plugins.module_utils._kube import access, bootstrap, renewal, signing
from ansible_collections.outward.kubelet.plugins.module_utils._kube.bootstrap import Cluster, token_id
from ansible_collections.outward.kubelet.plugins.plugin_utils import _remote
from ansible_collections.outward.kubelet.plugins.plugin_utils._remote import Answer
from tests.unit.api_server import DATE, REQUESTS, FakeApi, serving
from tests.unit.requests_made import NODE, SUBJECT, pem, signing_request

Result = dict[str, t.Any]
Node = Callable[[Result], Answer]
SECRETS = "/api/v1/namespaces/kube-system/secrets"
USER = f"system:bootstrap:{token_id('pi-04')}"
GROUPS = (
    "system:bootstrappers",
    "system:bootstrappers:outward-kubelet",
    "system:bootstrappers:outward-kubelet:pi-04",
    "system:authenticated",
)


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeApi]:
    monkeypatch.setattr(bootstrap, "cluster", lambda api: Cluster("https://10.77.0.1:6443", "PEM"))
    monkeypatch.setattr(renewal, "PAUSE", 0.01)
    monkeypatch.setattr(renewal, "LOOK", 0.01)
    monkeypatch.setattr(access, "EFFECT", 0.05)
    monkeypatch.setattr(access, "PAUSE", 0.01)
    with serving() as server:
        server.date = DATE
        server.lists[REQUESTS] = []
        server.answers[access.REVIEW.path] = lambda body: (201, {"status": {"allowed": True}})
        yield server


def secrets(fake: FakeApi) -> list[t.Any]:
    return [made for path, made in fake.written.items() if path.startswith(SECRETS)]


def asking(fake: FakeApi, *requests: t.Any) -> None:
    """A kubelet asks; whatever is approved is signed."""
    for item in requests:
        path = f"{REQUESTS}/{item['metadata']['name']}/approval"

        def approved(body: t.Any, item: t.Any = item) -> tuple[int, t.Any]:
            item["status"] = {**body["status"], "certificate": "TUlJ"}
            return 200, item

        fake.answers[path] = approved
        fake.lists[REQUESTS].append(item)


def ours(name: str = "csr-1", **changes: t.Any) -> t.Any:
    """The request of pi-04 with our token."""
    return signing_request(
        name,
        changes.pop("text", None),
        **{"username": USER, "groups": GROUPS, "created": "2026-11-23T15:00:00Z", **changes},
    )


def until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + 5
    while not holds() and time.monotonic() < end:
        time.sleep(0.01)


def run(fake: FakeApi, node: Node, monkeypatch: pytest.MonkeyPatch, *, check: bool = False, **args: t.Any) -> Result:
    """The task's result for the host pi-04; *node* is what happens there."""
    given: Result = {
        "host": fake.url,
        "api_key": "admin",
        "cause": "kubelet-client-cert-expired",
        "fingerprint": "ab12",
        **args,
    }
    task: t.Any = SimpleNamespace(args=given, check_mode=check, diff=False, async_val=0, action="x")
    nothing: t.Any = SimpleNamespace(check_mode=check, _shell=SimpleNamespace(tmpdir=None))

    def ask(action: t.Any, module: str, arguments: Result, variables: Result, *, piped: bool = False) -> Answer:
        assert piped
        return node(arguments)

    monkeypatch.setattr(_remote, "ask", ask)
    action: ActionBase = client_certificate.ActionModule(task, nothing, nothing, nothing, nothing, None)
    return action.run(task_vars={"inventory_hostname": "pi-04"})


DONE: t.Final = {"result": "done", "checks": {"certificate_renewed": True}, "notes": [], "changed": True}


def test_a_token_is_lent_and_its_request_approved(fake: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Result] = []

    def node(arguments: Result) -> Answer:
        (secret,) = secrets(fake)
        seen.append({**arguments, "secret": secret["stringData"]})
        asking(fake, ours())
        until(lambda: bool(fake.lists[REQUESTS][0]["status"]))
        return Answer(dict(DONE), None, None)

    done = run(fake, node, monkeypatch)
    assert done["checks"] == {"certificate_renewed": True, "request_issued": True}
    assert done["notes"] == ["csr-1 was approved"]
    (given,) = seen
    data = given.pop("secret")
    assert given["token"] == f"{data['token-id']}.{data['token-secret']}"
    assert (given["server"], given["node_name"]) == ("https://10.77.0.1:6443", "pi-04")
    assert not {"kubeconfig", "api_key", "host", "lock"} & set(given)  # nothing of the controller's credentials
    assert secrets(fake) == []
    assert data["token-secret"] not in json.dumps(done)
    assert f"Bearer {given['token']}" in fake.tokens  # it was tried before it was handed out


def test_what_is_not_the_nodes_is_left_and_named(fake: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    def node(arguments: Result) -> Answer:
        masters = pem([("O", "system:masters"), SUBJECT[1]])
        asking(fake, ours("csr-evil", text=masters), signing_request("csr-old", username=NODE))
        until(lambda: sum("/certificatesigningrequests" in path for path in fake.asked) > 3)
        return Answer({**DONE, "result": "failed"}, None, None)

    done = run(fake, node, monkeypatch)
    assert done["result"] == "failed"
    assert sorted(note.partition(":")[0] for note in done["notes"]) == [
        "csr-evil was left pending",
        "csr-old was left pending",
    ]
    assert [item["status"] for item in fake.lists[REQUESTS]] == [{}, {}]
    assert secrets(fake) == []


@pytest.mark.parametrize(
    "answer",
    [
        Answer({}, "ssh: no route", None),
        Answer({}, None, "it ended with status 137", cut_off=True),
    ],
)
def test_the_token_goes_when_the_node_is_lost(fake: FakeApi, monkeypatch: pytest.MonkeyPatch, answer: Answer) -> None:
    done = run(fake, lambda arguments: answer, monkeypatch)
    assert (done["result"], secrets(fake)) == ("failed", [])


class Interrupted(BaseException):
    """A person presses ^C."""


@pytest.mark.parametrize("error", [AnsibleActionFail("x"), Interrupted()])
def test_the_token_goes_when_we_end_early(fake: FakeApi, monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    def node(arguments: Result) -> Answer:
        assert len(secrets(fake)) == 1
        raise error

    with pytest.raises(type(error)):
        run(fake, node, monkeypatch)
    assert secrets(fake) == []


def test_a_token_that_cannot_be_deleted_is_told_with_its_end(
    fake: FakeApi, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def node(arguments: Result) -> Answer:
        fake.refusals[f"{SECRETS}/bootstrap-token-{token_id('pi-04')}"] = (503, "")
        return Answer(dict(DONE), None, None)

    done = run(fake, node, monkeypatch)
    told = f"the bootstrap token {token_id('pi-04')} could not be deleted: it answers 503 to delete secrets"
    assert done["notes"][-1].startswith(told)
    assert done["notes"][-1].endswith("it is worth nothing from 2026-11-23T15:04:00Z on")
    assert f"[WARNING]: {told}" in capsys.readouterr().err


def untouched(arguments: Result) -> Answer:
    raise AssertionError("the node was touched")


def test_a_token_that_is_not_taken_is_told_before_the_node_is_touched(
    fake: FakeApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake.answers[access.REVIEW.path] = lambda body: (201, {"status": {"allowed": False}})
    with pytest.raises(
        AnsibleActionFail, match=r"pi-04: the node was not touched: .* is all of rbac/certificates.yml there"
    ):
        run(fake, untouched, monkeypatch)
    assert secrets(fake) == []


@pytest.mark.parametrize(("status", "words"), [(403, "create secrets"), (503, "it answers 503")])
def test_a_token_that_cannot_be_made_is_one_error(
    fake: FakeApi, monkeypatch: pytest.MonkeyPatch, status: int, words: str
) -> None:
    fake.refusals[SECRETS] = (status, '{"message": "User \\"poor\\" cannot"}')
    with pytest.raises(AnsibleActionFail, match=f"the node was not touched: .*{words}"):
        run(fake, untouched, monkeypatch)


def test_check_mode_makes_no_token_and_approves_nothing(fake: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Result] = []

    def node(arguments: Result) -> Answer:
        seen.append(arguments)
        return Answer({"result": "permitted", "changed": True}, None, None)

    assert run(fake, node, monkeypatch, check=True)["result"] == "permitted"
    assert (seen[0].get("token", ""), fake.written) == ("", {})


@pytest.mark.parametrize("state", ["kept", "restored"])
def test_where_nothing_was_left_nothing_is_asked_of_the_cluster(
    fake: FakeApi, monkeypatch: pytest.MonkeyPatch, state: str
) -> None:
    done = run(fake, lambda arguments: Answer({"changed": False, "notes": []}, None, None), monkeypatch, state=state)
    assert (done["changed"], fake.asked) == (False, [])


@pytest.mark.parametrize(("left", "words"), [(True, "of an interrupted run was deleted"), (False, "")])
def test_a_token_that_a_killed_run_has_left_goes_with_what_it_left_on_the_node(
    fake: FakeApi, monkeypatch: pytest.MonkeyPatch, left: bool, words: str
) -> None:
    if left:
        fake.written[f"{SECRETS}/bootstrap-token-{token_id('pi-04')}"] = {"stringData": {}}
    done = run(fake, lambda arguments: Answer({"changed": True, "notes": ["x"]}, None, None), monkeypatch, state="kept")
    assert secrets(fake) == []
    assert done["notes"][0] == "x"
    assert [words in note for note in done["notes"][1:]] == ([True] if left else [])


def test_a_token_that_may_be_left_is_told(fake: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    def node(arguments: Result) -> Answer:
        fake.answers[f"{SECRETS}/bootstrap-token-{token_id('pi-04')}"] = lambda body: (503, {"message": "not now"})
        return Answer({"changed": True, "notes": []}, None, None)

    (note,) = run(fake, node, monkeypatch, state="kept")["notes"]
    assert note.startswith("whether an interrupted run has left a bootstrap token for pi-04 could not be told")


def test_a_right_to_approve_that_is_missing_is_told_once(fake: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    def node(arguments: Result) -> Answer:
        item = ours()
        fake.lists[REQUESTS].append(item)
        fake.answers[f"{REQUESTS}/csr-1/approval"] = lambda body: (403, {"message": 'User "poor" cannot'})
        until(lambda: any(path.endswith("/approval") for path in fake.asked))
        time.sleep(0.1)
        return Answer({**DONE, "result": "failed"}, None, None)

    done = run(fake, node, monkeypatch)
    assert len(done["notes"]) == 1
    assert signing.APPROVE.resource in done["notes"][0]
    assert sum(path.endswith("/approval") for path in fake.asked) == 1
