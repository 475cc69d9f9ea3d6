# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A kubeconfig with a token: made whole, for its owner alone, and told nowhere else."""

from __future__ import annotations

import json
import os
import typing as t
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from ansible.errors import AnsibleActionFail

from ansible_collections.outward.kubelet.plugins.action.cluster_access import ActionModule
from ansible_collections.outward.kubelet.plugins.module_utils._kube.access import REVIEW
from ansible_collections.outward.kubelet.plugins.module_utils._kube.connect import connect
from ansible_collections.outward.kubelet.plugins.module_utils._kube.options import Access
from ansible_collections.outward.kubelet.plugins.module_utils._kube.rights import RIGHTS, WRITING, Role, manifest
from ansible_collections.outward.kubelet.plugins.plugin_utils import _cluster, _secret
from tests.unit.api_server import FakeApi, serving

JSON = t.Any
TOKEN = "s3cret-token"
MINT = "/api/v1/namespaces/outward-kubelet/serviceaccounts/recover/token"


@pytest.fixture
def fake() -> Iterator[FakeApi]:
    """An API server that mints, and allows everything."""
    with serving() as server:
        server.answers[MINT] = lambda body: (201, {"status": {"token": TOKEN, "expirationTimestamp": "16:00"}})
        server.answers[REVIEW.path] = lambda body: (201, {"status": {"allowed": True}})
        yield server


def grant(fake: FakeApi, path: Path, *, check: bool = False) -> JSON:
    action: t.Any = object.__new__(ActionModule)
    action._task = SimpleNamespace(check_mode=check)
    options = {"host": fake.url, "api_key": "admin", "role": "recover", "seconds": 3600}
    with connect(Access.of(options), {}) as api:
        return action._grant(api, options, path)


def test_a_kubeconfig_for_its_owner_alone(fake: FakeApi, tmp_path: Path) -> None:
    path = tmp_path / "recover.kubeconfig"
    path.write_text("an older one, wide open")
    path.chmod(0o644)
    result = grant(fake, path)
    assert oct(path.stat().st_mode & 0o7777) == "0o600"
    document = json.loads(path.read_text())
    assert document["users"][0]["user"] == {"token": TOKEN}
    assert document["clusters"][0]["cluster"]["server"] == fake.url
    assert (result["expires"], len(result["changes"])) == ("16:00", len(manifest("recover")))
    assert TOKEN not in str(result)
    assert f"Bearer {TOKEN}" in fake.tokens  # it was tried before it was handed out
    assert [file.name for file in tmp_path.iterdir()] == ["recover.kubeconfig"]


def test_check_mode_changes_nothing_and_mints_nothing(fake: FakeApi, tmp_path: Path) -> None:
    result = grant(fake, tmp_path / "x", check=True)
    assert (len(result["changes"]), result["expires"], fake.written) == (len(manifest("recover")), None, {})
    assert MINT not in fake.asked
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written_is_told_before_anything_is_minted(tmp_path: Path) -> None:
    with pytest.raises(AnsibleActionFail, match="there is no directory"):
        _secret.require_place(tmp_path / "none" / "x")
    with pytest.raises(AnsibleActionFail, match="it is a directory"):
        _secret.require_place(tmp_path)
    _secret.require_place(tmp_path / "x")


def test_half_a_secret_is_not_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(AnsibleActionFail, match="cannot be written: No space left on device"):
        _secret.write_secret(tmp_path / "x", {"token": TOKEN})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("role", "fails"), [("diagnose", False), ("recover", True)])
def test_a_missing_right_is_named_before_anything_is_touched(role: Role, fails: bool, fake: FakeApi) -> None:
    def review(body: JSON) -> tuple[int, JSON]:
        verb = body["spec"]["resourceAttributes"]["verb"]
        return 201, {"status": {"allowed": verb in ("get", "list")}}

    fake.answers[REVIEW.path] = review
    options = {"host": fake.url, "api_key": "poor"}
    if not fails:
        _cluster.require_rights(options, role)
        return
    with pytest.raises(AnsibleActionFail) as caught:
        _cluster.require_rights(options, role)
    for right in WRITING:
        assert (str(right) in str(caught.value)) is (right.verb != "get")
    assert "lacks 5 of the rights that recover needs" in str(caught.value)
    assert set(fake.asked) == {REVIEW.path}


def test_a_silent_api_server_is_evidence_and_no_missing_right(fake: FakeApi) -> None:
    fake.refusals[REVIEW.path] = (503, "")
    _cluster.require_rights({"host": fake.url, "api_key": "x"}, "recover")
    assert len(fake.asked) == 1 < len(RIGHTS["recover"])
