# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a colleague reads in the cluster, and what becomes of a cluster that cannot be told."""

from __future__ import annotations

import typing as t
from collections.abc import Iterator

import pytest

from ansible_collections.outward.kubelet.plugins.action.node_notice import known, registered
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.notice import EVENTS, Notice, notices
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.repair import REPAIRS
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.steps import STEPS
from ansible_collections.outward.kubelet.plugins.module_utils._kube.connect import Api, connect
from ansible_collections.outward.kubelet.plugins.module_utils._kube.notice import MOST, event, tell
from ansible_collections.outward.kubelet.plugins.module_utils._kube.options import Access
from tests.unit.api_server import FakeApi, serving
from tests.unit.helpers import NOW

JSON = t.Any
INCIDENT: JSON = {"mode": "recover", "plan": [{"step": "restart-kubelet", "cause": "kubelet-stopped"}]}
ACTION = {"step": "restart-kubelet", "finished": "2026-11-23T15:00:12Z"}
DONE = {"result": "done", "cause": "kubelet-stopped", "action": ACTION, "detail": "", "refusals": []}
FAILED = {**DONE, "result": "failed", "detail": "not shown: healthz_ok"}
LOST = {"result": "failed", "action": ACTION, "detail": "the node was lost", "refusals": []}
REFUSED = {**DONE, "result": "refused", "action": {"step": "restart-kubelet"}, "refusals": ["failed 2 h ago", "swap"]}
PROVEN = {"proven": True, "checks": {"cause_gone": True}}
NOT = {"proven": False, "checks": {"cause_gone": False, "pods_run_again": None, "new_process": True}}


def one(acted: JSON, proof: JSON | None = None, reason: str = "") -> Notice:
    (found,) = notices(INCIDENT, [acted], proof, "anna@controller", reason)
    return found


@pytest.mark.parametrize(
    ("acted", "proof", "reason", "kind", "words"),
    [
        (DONE, PROVEN, "KubeletRestarted", "Normal", "done, and proven (2026-11-23T15:00:12Z, by anna@controller)"),
        (DONE, NOT, "KubeletRestartFailed", "Warning", "done, and not proven: cause_gone, pods_run_again ("),
        (DONE, None, "KubeletRestartFailed", "Warning", "done, and not proven: nobody looked ("),
        (FAILED, None, "KubeletRestartFailed", "Warning", "failed: not shown: healthz_ok ("),
        (
            LOST,
            None,
            "KubeletRestartFailed",
            "Warning",
            "restart-kubelet for kubelet-stopped: failed: the node was lost",
        ),
        (REFUSED, None, "KubeletRestartRefused", "Warning", "by anna@controller: refused, failed 2 h ago; swap"),
    ],
)
def test_what_is_told(acted: JSON, proof: JSON | None, reason: str, kind: str, words: str) -> None:
    found = one(acted, proof)
    assert (found.action, found.reason, found.kind) == ("RestartKubelet", reason, kind)
    assert words in found.note
    assert found.annotation == ("" if acted is REFUSED else found.note)


def test_a_persons_reason_is_told() -> None:
    assert "by anna@controller, whose reason is: new card)" in one(DONE, PROVEN, "new card").annotation


@pytest.mark.parametrize(
    ("incident", "acted"),
    [
        ({**INCIDENT, "mode": "check"}, [DONE]),
        ({**INCIDENT, "mode": "diagnose"}, [DONE]),
        (INCIDENT, [{}, {"skipped": True}, {"result": "permitted", "action": ACTION}]),
    ],
)
def test_what_was_not_done_is_not_told(incident: JSON, acted: list[JSON]) -> None:
    assert notices(incident, acted, None, "anna", "") == []


def test_every_step_has_its_events() -> None:
    assert set(EVENTS) == set(STEPS) - set(REPAIRS)


NODE = {"name": "pi-04", "uid": "u-1"}
NODE_PATH, EVENT_PATH = "/api/v1/nodes/pi-04", "/apis/events.k8s.io/v1/namespaces/default/events"


@pytest.fixture
def fake() -> Iterator[FakeApi]:
    with serving() as server:
        server.written[NODE_PATH] = {
            "metadata": {"name": "pi-04", "uid": "u-1", "resourceVersion": "1", "annotations": {"a": "b"}}
        }
        yield server


@pytest.fixture
def api(fake: FakeApi) -> Iterator[Api]:
    with connect(Access(host=fake.url, api_key="x"), {}) as connection:
        yield connection


def test_the_cluster_is_told(fake: FakeApi, api: Api) -> None:
    assert tell(api, NODE, [one(DONE, PROVEN)], "controller") == []
    annotations = fake.written[NODE_PATH]["metadata"]["annotations"]
    assert annotations["a"] == "b"
    assert annotations["outward.kubelet/last-action"].startswith(
        "restart-kubelet for kubelet-stopped: done, and proven"
    )
    (written,) = [body for path, body in fake.written.items() if path.startswith(EVENT_PATH)]
    assert (written["reason"], written["type"], written["reportingController"]) == (
        "KubeletRestarted",
        "Normal",
        "outward.kubelet",
    )
    assert written["regarding"] == {"apiVersion": "v1", "kind": "Node", "name": "pi-04", "uid": "u-1"}
    assert written["eventTime"] == "2026-11-23T15:00:00.000000Z"  # by the API server's clock


def test_a_machine_that_has_not_become_a_node_has_nothing_to_be_told_by(api: Api) -> None:
    assert registered(api, "pi-04") == NODE
    assert registered(api, "pi-99") is None


def test_a_refusal_leaves_the_annotation_alone(fake: FakeApi, api: Api) -> None:
    assert tell(api, NODE, [one(REFUSED)], "controller") == []
    assert fake.written[NODE_PATH]["metadata"]["annotations"] == {"a": "b"}


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ((403, '{"message": "User \\"poor\\" cannot"}'), "may not patch nodes (403)"),
        ((503, ""), "it answers 503 to patch nodes"),
        ((404, ""), "no such object to patch nodes"),
        ((409, ""), "somebody else was faster to patch nodes"),
    ],
)
def test_a_cluster_that_cannot_be_told_is_a_note(answer: tuple[int, str], words: str, fake: FakeApi, api: Api) -> None:
    fake.refusals[NODE_PATH] = answer
    (problem,) = tell(api, NODE, [one(DONE, PROVEN)], "controller")
    assert problem.startswith("the cluster could not be told by the Node's annotation: ")
    assert words in problem
    assert any(path.startswith(EVENT_PATH) for path in fake.written)


def test_an_event_is_as_long_as_the_api_takes() -> None:
    long = Notice("RestartKubelet", "KubeletRestarted", "Normal", "\u00e4" * 5000, "")
    body = event(NODE, long, NOW, "h" * 500)
    assert len(body["note"].encode()) == MOST
    assert len(body["reportingInstance"]) == 128


@pytest.mark.parametrize(
    ("cluster", "node"),
    [
        ({"node": {"name": "pi-04", "uid": "u-1", "more": 1}}, NODE),
        ({"node": None}, None),
        ({"node": {"unknown": "the API server does not answer"}}, None),
        (None, None),
    ],
)
def test_a_node_that_the_api_knows(cluster: JSON, node: JSON) -> None:
    assert known({"evidence": {"cluster": cluster}}) == node
    assert known({"evidence": None}) is None
