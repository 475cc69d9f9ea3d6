# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What runs on the lab's nodes: one Pod on each, and a small web service with a disruption budget.

Nothing here polls: an emulated core would be busy with it.
"""

from __future__ import annotations

from tests.lab._image import WEB_IMAGE
from tests.lab._kubectl import Object

REPLICAS = 2


def _metadata(name: str) -> Object:
    return {"name": name, "namespace": "default", "labels": {"app": name}}


def _selector(name: str) -> Object:
    return {"matchLabels": {"app": name}}


def _template(name: str, command: list[str], extra: Object) -> Object:
    container = {"name": name, "image": WEB_IMAGE, "imagePullPolicy": "Never", "command": command}
    spec = {
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": 2,
        "containers": [container],
        **extra,
    }
    return {"metadata": {"labels": {"app": name}}, "spec": spec}


def web() -> Object:
    """Two replicas, never two on one node."""
    rule = {"topologyKey": "kubernetes.io/hostname", "labelSelector": _selector("web")}
    apart = {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [rule]}}
    # As PID 1 httpd would ignore SIGTERM; the shell does not.
    command = ["sh", "-c", "trap exit TERM; httpd -f -p 8080 -h /bin & wait"]
    spec = {
        "replicas": REPLICAS,
        "selector": _selector("web"),
        "template": _template("web", command, {"affinity": apart}),
        "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1}},
    }
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": _metadata("web"), "spec": spec}


def budget() -> Object:
    """One replica of web may go at a time."""
    spec = {"minAvailable": 1, "selector": _selector("web")}
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": _metadata("web"),
        "spec": spec,
    }


def agent() -> Object:
    """One Pod on each node, whatever its taints."""
    extra = {"tolerations": [{"operator": "Exists"}]}
    spec = {"selector": _selector("agent"), "template": _template("agent", ["/bin/pause"], extra)}
    return {"apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": _metadata("agent"), "spec": spec}


def objects() -> list[Object]:
    """Everything the lab deploys."""
    return [web(), budget(), agent()]
