# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A reset is done when the API says so with something newer than the reset."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from tests.lab import _settled

SINCE = datetime.fromisoformat("2026-11-23T15:00:00Z").timestamp()


def node(ready: str = "True", **spec: Any) -> dict[str, Any]:
    conditions = [{"type": "Ready", "status": ready}]
    return {"kind": "Node", "metadata": {"name": "pi-04"}, "spec": spec, "status": {"conditions": conditions}}


def lease(renewed: str = "2026-11-23T15:00:07.000000Z") -> dict[str, Any]:
    return {"kind": "Lease", "metadata": {"name": "pi-04"}, "spec": {"renewTime": renewed}}


def pod(app: str, on: str = "pi-04", ready: str = "True") -> dict[str, Any]:
    return {
        "kind": "Pod",
        "metadata": {"name": f"{app}-x", "labels": {"app": app}},
        "spec": {"nodeName": on} if on else {},
        "status": {"conditions": [{"type": "Ready", "status": ready}]},
    }


@pytest.mark.parametrize(
    ("items", "reason"),
    [
        ([node(), lease(), pod("agent"), pod("web")], ""),
        ([lease(), pod("agent")], "there is no Node"),
        ([node("Unknown"), lease(), pod("agent")], "the Node is not Ready"),
        ([node(unschedulable=True), lease(), pod("agent")], "the Node is cordoned or tainted"),
        ([node(), lease("2026-11-23T14:59:59.000000Z"), pod("agent")], "the Lease is not renewed"),
        ([node(), pod("agent")], "the Lease is not renewed"),
        ([node(), lease()], "Pods are not ready: agent"),
        ([node(), lease(), pod("agent", ready="False")], "Pods are not ready: agent-x"),
        ([node(), lease(), pod("agent"), pod("web", on="")], "Pods are not ready: web"),
        ([node(), lease(), pod("agent"), pod("web", on="pi-05")], ""),
        ([node(), lease(), pod("agent"), pod("somebodys-test", ready="False")], ""),
    ],
)
def test_missing(items: list[dict[str, Any]], reason: str) -> None:
    assert _settled.missing(items, "pi-04", SINCE) == reason


def test_a_pod_that_is_ending_is_not_done() -> None:
    ending = pod("agent")
    ending["metadata"]["deletionTimestamp"] = "2026-11-23T15:00:00Z"
    assert _settled.missing([node(), lease(), ending], "pi-04", SINCE) == "Pods are not ready: agent-x"
