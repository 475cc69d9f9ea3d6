# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tell the cluster what was done to a node: the Node's annotation, and an event for each step."""

from __future__ import annotations

import socket
import typing as t

from ansible.plugins.action import ActionBase

from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.notice import Notice, notices
from ansible_collections.outward.kubelet.plugins.module_utils._kube.connect import Api, connect
from ansible_collections.outward.kubelet.plugins.module_utils._kube.errors import KubeError, NotThere, Silent
from ansible_collections.outward.kubelet.plugins.module_utils._kube.notice import tell
from ansible_collections.outward.kubelet.plugins.module_utils._kube.options import AUTH_SPEC, Access
from ansible_collections.outward.kubelet.plugins.module_utils._kube.poll import NODE
from ansible_collections.outward.kubelet.plugins.plugin_utils._author import author
from ansible_collections.outward.kubelet.plugins.plugin_utils._options import Spec, arguments

ARGUMENTS: t.Final[Spec] = {
    **AUTH_SPEC,
    "incident": {"type": "dict", "required": True},
    "acted": {"type": "list", "elements": "dict", "required": True},
    "proof": {"type": "dict"},
    "reason": {"type": "str", "default": ""},
}


class ActionModule(ActionBase):
    """Runs on the controller only. Never fails for what the cluster says: the node was acted on all the same."""

    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Return ``events`` (their reasons) and ``notes``: what could not be told, for the report."""
        super().run(tmp, task_vars)
        options = arguments(self, ARGUMENTS)
        who = author(task_vars or {})
        told = notices(options["incident"], options["acted"], options["proof"], who, options["reason"].strip())
        if self._task.check_mode or not told:
            return {"changed": False, "events": [], "notes": []}
        notes = self._tell(options, told)
        return {"changed": True, "events": [notice.reason for notice in told], "notes": notes}

    def _tell(self, options: dict[str, t.Any], told: list[Notice]) -> list[str]:
        incident = options["incident"]
        node = known(incident)
        if node is None and incident["mode"] != "join":
            return ["the cluster was not told: it has no such Node, or did not say"]
        try:
            with connect(Access.of(options)) as api:
                node = node or registered(api, incident["node"])
                if node is None:  # a machine that has not become a node has nothing in the cluster to be told by
                    return []
                return tell(api, node, told, socket.gethostname())
        except (KubeError, Silent) as error:
            return [f"the cluster was not told: {error}"]


def registered(api: Api, name: str) -> dict[str, str] | None:
    """The same of the Node as it is now; None: there is none. Raises KubeError and Silent."""
    try:
        return {"name": name, "uid": str(api.ask(NODE, name)["metadata"]["uid"])}
    except NotThere:
        return None


def known(incident: dict[str, t.Any]) -> dict[str, str] | None:
    """Name and UID of the Node; None when the API had no such Node, or did not answer."""
    node = ((incident.get("evidence") or {}).get("cluster") or {}).get("node") or {}
    name, uid = node.get("name"), node.get("uid")
    return {"name": name, "uid": uid} if isinstance(name, str) and isinstance(uid, str) else None
