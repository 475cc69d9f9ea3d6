# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module's main, from its arguments to what it returns."""

from __future__ import annotations

import json
import typing as t

import pytest
from ansible.module_utils.testing import patch_module_args

from ansible_collections.outward.kubelet.plugins.modules import cluster_info
from tests.unit.api_server import FakeApi, serving


def run(capsys: pytest.CaptureFixture[str], **arguments: t.Any) -> dict[str, t.Any]:
    with patch_module_args({**arguments, "_ansible_check_mode": True}), pytest.raises(SystemExit):
        cluster_info.main()
    return t.cast("dict[str, t.Any]", json.loads(capsys.readouterr().out))


def two_nodes(api: FakeApi) -> None:
    for name in ("pi-04", "pi-05"):
        metadata = {"name": name, "uid": name, "resourceVersion": "1"}
        condition = {"type": "Ready", "status": "True", "reason": "KubeletReady"}
        node = {"metadata": metadata, "status": {"conditions": [condition]}}
        api.lists.setdefault("/api/v1/nodes", []).append(node)


def test_a_listing_in_detail_of_what_was_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    with serving() as api:
        two_nodes(api)
        result = run(capsys, host=api.url, api_key="x", nodes=["pi-05"])
    assert result["changed"] is False
    assert result["cluster"]["schema"] == "outward.kubelet/cluster/v1"
    assert list(result["cluster"]["nodes"]) == ["pi-05"]
    assert result["cluster"]["fleet"]["ready"] == ["pi-04", "pi-05"]


def test_variables_of_kubernetes_core_count(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving() as api:
        two_nodes(api)
        monkeypatch.setenv("K8S_AUTH_HOST", api.url)
        monkeypatch.setenv("K8S_AUTH_API_KEY", "of-the-environment")
        result = run(capsys)
    assert sorted(result["cluster"]["nodes"]) == ["pi-04", "pi-05"]
    assert api.tokens == {"Bearer of-the-environment"}
    assert "of-the-environment" not in json.dumps(result)


def test_a_silent_server_is_a_result_and_a_refusal_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    with serving() as api:
        api.refusals["/version"] = (503, "")
        assert run(capsys, host=api.url, api_key="x")["cluster"]["api"]["reachable"] is False
        api.refusals["/version"] = (401, "")
        result = run(capsys, host=api.url, api_key="x")
    assert result["failed"] is True
    assert "refused the credentials of the option api_key (401)" in result["msg"]
