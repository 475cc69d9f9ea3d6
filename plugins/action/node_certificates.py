# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Judge every certificate and key that one node's kubelet depends on."""

from __future__ import annotations

import typing as t
from datetime import timedelta

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.certificates import described, inspected
from ansible_collections.outward.kubelet.plugins.module_utils._kube.options import AUTH_SPEC
from ansible_collections.outward.kubelet.plugins.plugin_utils._cluster import both
from ansible_collections.outward.kubelet.plugins.plugin_utils._options import Spec, arguments, node_name
from ansible_collections.outward.kubelet.plugins.plugin_utils._remote import observe

ARGUMENTS: t.Final[Spec] = {
    **AUTH_SPEC,
    "node_name": {"type": "str"},
    "profile": {"type": "str", "choices": ["auto", "kubeadm", "k3s"], "default": "auto"},
    "days": {"type": "float", "default": 14.0},
    "cluster": {"type": "dict"},
}
SUBSETS: t.Final = ("kubelet", "certificates", "network", "clock")


class ActionModule(ActionBase):
    """Runs on the controller; its only connection to the node is one run of node_facts."""

    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Return ``certificates``, what fails first on top; a host that cannot be reached is a result."""
        super().run(tmp, task_vars)
        variables = task_vars or {}
        options = arguments(self, ARGUMENTS)
        if options["days"] < 0:
            raise AnsibleActionFail(f"days is {options['days']}: it must be at least 0")
        host = str(variables["inventory_hostname"])
        name = node_name(options, variables)
        node, cluster = both(lambda: observe(self, options["profile"], variables, SUBSETS), options, name)
        items = inspected(node, cluster, timedelta(days=options["days"]))
        return {"changed": False, "certificates": [{"host": host, **item} for item in described(items)]}
