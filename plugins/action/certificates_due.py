# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Judge which certificates of one node are due, and whether they may be rotated now."""

from __future__ import annotations

import typing as t
from datetime import UTC, datetime, timedelta

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.conclude import Look
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.evidence import Undecided
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.incident import Mode
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.node import NodeEvidence
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.rotation import KINDS, opened
from ansible_collections.outward.kubelet.plugins.module_utils._kube.options import AUTH_SPEC
from ansible_collections.outward.kubelet.plugins.plugin_utils._cluster import both
from ansible_collections.outward.kubelet.plugins.plugin_utils._options import Spec, arguments, node_name
from ansible_collections.outward.kubelet.plugins.plugin_utils._policy import POLICY, policy
from ansible_collections.outward.kubelet.plugins.plugin_utils._remote import observe

ARGUMENTS: t.Final[Spec] = {
    **AUTH_SPEC,
    **{name: POLICY[name] for name in ("hands_off", "maintenance", "max_unavailable")},
    "node_name": {"type": "str"},
    "profile": {"type": "str", "choices": ["auto", "kubeadm", "k3s"], "default": "auto"},
    "days": {"type": "float", "default": 14.0},
    "rotate": {"type": "list", "elements": "str", "choices": list(KINDS), "default": list(KINDS)},
    "cluster": {"type": "dict"},
}
# What else a policy holds is not asked for a node that is healthy.
REST: t.Final = {"automate": "guarded", "control_plane": False, "reason": "", "certificates": True, "steps": None}


class ActionModule(ActionBase):
    """Runs on the controller; its only connection to the node is one run of node_facts."""

    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Return ``incident``, ``permitted``, ``fingerprint`` and ``switch``: whether serverTLSBootstrap is off."""
        super().run(tmp, task_vars)
        variables = task_vars or {}
        options = arguments(self, ARGUMENTS)
        if options["days"] < 0:
            raise AnsibleActionFail(f"days is {options['days']}: it must be at least 0")
        host, started = str(variables["inventory_hostname"]), datetime.now(UTC)
        name = node_name(options, variables)
        node, cluster = both(lambda: observe(self, options["profile"], variables), options, name)
        mode: Mode = "check" if self._task.check_mode else "rotate"
        look = Look(host, mode, started, node, cluster, cluster.name)
        found = opened(look, options["rotate"], timedelta(days=options["days"]), policy({**options, **REST}))
        return {"changed": False, **found, "switch": off(node)}


def off(node: NodeEvidence) -> bool:
    """The kubelet is known to sign its own serving certificate."""
    try:
        return not node.kubelet.config.server_tls_bootstrap
    except Undecided:
        return False
