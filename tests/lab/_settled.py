# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""When a node is as it should be. Pure: what the API says in, what is missing out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from tests.lab._kubectl import Object

# The Pods that the lab itself deploys; the others are somebody's test.
APPS = ("agent", "web")


def condition(item: Object, name: str) -> str:
    """The status of one of an object's conditions."""
    for entry in item["status"].get("conditions", []):
        if entry["type"] == name:
            return str(entry["status"])
    return "Unknown"


def renew_time(lease: Mapping[str, Any] | None) -> float:
    """When a kubelet last renewed its Lease, in seconds since 1970; 0 when never."""
    written = lease["spec"].get("renewTime") if lease else None
    return datetime.fromisoformat(written).timestamp() if written else 0.0


def _app(pod: Object) -> str:
    return str(pod["metadata"].get("labels", {}).get("app", ""))


def _waiting(pod: Object) -> bool:
    return not pod["spec"].get("nodeName")


def missing_pods(pods: Iterable[Object], node: str) -> list[str]:
    """What is not yet right about the Pods that belong on this node."""
    listed = [pod for pod in pods if _app(pod) in APPS]
    here = [pod for pod in listed if pod["spec"].get("nodeName") == node]
    wrong = [pod["metadata"]["name"] for pod in here if condition(pod, "Ready") != "True"]
    wrong += [pod["metadata"]["name"] for pod in here if "deletionTimestamp" in pod["metadata"]]
    apps = {_app(pod) for pod in here}
    if "agent" not in apps:
        wrong.append("agent")
    if "web" not in apps and any(_app(pod) == "web" and _waiting(pod) for pod in listed):
        wrong.append("web")
    return wrong


def missing(items: Iterable[Object], name: str, since: float) -> str:
    """What keeps this node from being done, in words; empty when nothing does."""
    listed = list(items)
    by_kind = {
        item["kind"]: item for item in listed if item["kind"] in ("Node", "Lease") and item["metadata"]["name"] == name
    }
    if "Node" not in by_kind:
        return "there is no Node"
    if condition(by_kind["Node"], "Ready") != "True":
        return "the Node is not Ready"
    if by_kind["Node"]["spec"].get("unschedulable") or by_kind["Node"]["spec"].get("taints"):
        return "the Node is cordoned or tainted"
    if renew_time(by_kind.get("Lease")) <= since:
        return "the Lease is not renewed"
    pods = missing_pods((item for item in listed if item["kind"] == "Pod"), name)
    return f"Pods are not ready: {', '.join(pods)}" if pods else ""
