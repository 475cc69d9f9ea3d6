# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Labels and taints against an API server: given once, and never over somebody else's."""

from __future__ import annotations

import typing as t
from collections.abc import Iterator
from types import SimpleNamespace

import pytest
from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

from ansible_collections.outward.kubelet.plugins.action import node_labels
from ansible_collections.outward.kubelet.plugins.module_utils._kube import registration
from ansible_collections.outward.kubelet.plugins.module_utils._kube.connect import connect
from ansible_collections.outward.kubelet.plugins.module_utils._kube.options import Access
from tests.unit.api_server import FakeApi, serving

NODE = "/api/v1/nodes/pi-04"
ONLY = {"key": "storage", "value": "only", "effect": "NoSchedule"}


@pytest.fixture
def fake() -> Iterator[FakeApi]:
    with serving() as server:
        server.load("v1.37.2/healthy")
        server.written[NODE] = server.objects[NODE]
        yield server


def run(fake: FakeApi, *, check: bool = False, **args: t.Any) -> dict[str, t.Any]:
    task: t.Any = SimpleNamespace(args={"host": fake.url, "api_key": "x", **args}, check_mode=check, diff=False)
    task.async_val, task.action = 0, "x"
    nothing: t.Any = SimpleNamespace(check_mode=check, _shell=SimpleNamespace(tmpdir=None))
    action: ActionBase = node_labels.ActionModule(task, nothing, nothing, nothing, nothing, None)
    return action.run(task_vars={"inventory_hostname": "pi-04"})


def test_they_are_given_once(fake: FakeApi) -> None:
    before = dict(fake.written[NODE]["metadata"]["labels"])
    first = run(fake, labels={"disk": "ssd"}, taints=[ONLY])
    assert (first["changed"], first["given"]) == (True, ["label disk=ssd", "taint storage=only:NoSchedule"])
    assert fake.written[NODE]["metadata"]["labels"] == {**before, "disk": "ssd"}
    assert ONLY in fake.written[NODE]["spec"]["taints"]
    assert run(fake, labels={"disk": "ssd"}, taints=[ONLY])["changed"] is False


def test_check_mode_only_tells(fake: FakeApi) -> None:
    assert run(fake, check=True, labels={"disk": "ssd"})["given"] == ["label disk=ssd"]
    assert "disk" not in fake.written[NODE]["metadata"]["labels"]


def test_somebody_who_is_faster_is_not_overwritten(fake: FakeApi) -> None:
    turns = iter([(409, {"kind": "Status"}), (200, fake.objects[NODE])])
    fake.react = lambda method, path, body: next(turns)
    assert run(fake, labels={"disk": "ssd"})["changed"]
    assert next(turns, None) is None


@pytest.mark.parametrize(
    ("args", "words"),
    [
        ({"labels": {"a b": "x"}}, "a b=x is no label"),
        ({"taints": [{"key": "a"}]}, "is no taint"),
        ({"labels": {"a": "b"}, "node_name": "pi-99"}, "the cluster has no Node pi-99"),
    ],
)
def test_bad_input_is_one_error(fake: FakeApi, args: dict[str, t.Any], words: str) -> None:
    with pytest.raises(AnsibleActionFail, match=words):
        run(fake, **args)


def test_the_machines_behind_nodes_and_one_that_registers(fake: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registration, "REGISTERED", 0.05)
    monkeypatch.setattr(registration, "PAUSE", 0.01)
    with connect(Access(host=fake.url, api_key="x"), {}) as api:
        assert set(registration.machines(api)) == {"pi-04", "pi-05"}
        found = registration.await_node(api, "pi-04")
        assert found is not None
        assert found.machine_id == registration.machines(api)["pi-04"]
        assert registration.await_node(api, "pi-99") is None
