# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Give a Node the labels and taints that the inventory names."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.registration import labels, taints
from ansible_collections.outward.kubelet.plugins.module_utils._kube.connect import connect
from ansible_collections.outward.kubelet.plugins.module_utils._kube.errors import KubeError, Silent
from ansible_collections.outward.kubelet.plugins.module_utils._kube.options import AUTH_SPEC, Access
from ansible_collections.outward.kubelet.plugins.module_utils._kube.registration import register
from ansible_collections.outward.kubelet.plugins.plugin_utils._options import Spec, arguments, node_name

ARGUMENTS: t.Final[Spec] = {
    **AUTH_SPEC,
    "node_name": {"type": "str"},
    "labels": {"type": "dict", "default": {}},
    "taints": {"type": "list", "elements": "dict", "default": []},
}


class ActionModule(ActionBase):
    """Runs on the controller only."""

    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Return ``given``: what the Node has now and had not."""
        super().run(tmp, task_vars)
        options = arguments(self, ARGUMENTS)
        name = node_name(options, task_vars or {})
        try:
            wanted, repelling = labels(options["labels"]), taints(options["taints"])
            with connect(Access.of(options)) as api:
                told = register(api, name, wanted, repelling, dry=bool(self._task.check_mode))
        except (KubeError, Silent, ValueError) as error:
            raise AnsibleActionFail(f"{name}: {error}") from error
        return {"changed": bool(told), "given": list(told)}
