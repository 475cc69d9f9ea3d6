# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Cordon a Node and evict its Pods; what is left is a failure that names each Pod and why it is left."""

from __future__ import annotations

import time
import typing as t

from ansible.errors import AnsibleActionFail

from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.drain import Allowed
from ansible_collections.outward.kubelet.plugins.module_utils._kube.connect import Api
from ansible_collections.outward.kubelet.plugins.module_utils._kube.course import failure, result
from ansible_collections.outward.kubelet.plugins.module_utils._kube.drain import Clock, Order, drain
from ansible_collections.outward.kubelet.plugins.plugin_utils._node_api import OnNodeObject
from ansible_collections.outward.kubelet.plugins.plugin_utils._options import Spec


class ActionModule(OnNodeObject):
    """The module of the same name; see its documentation."""

    ARGUMENTS: t.ClassVar[Spec] = {
        "timeout": {"type": "int", "default": 300},
        "grace_period": {"type": "int"},
        "delete_bare_pods": {"type": "bool", "default": False},
        "delete_emptydir_data": {"type": "bool", "default": False},
        "uncordon_on_failure": {"type": "bool", "default": False},
    }

    def act(self, api: Api, name: str, options: dict[str, t.Any]) -> dict[str, t.Any]:
        """Drain, and tell."""
        began = time.monotonic()
        course = drain(api, self._order(name, options), Clock(time.monotonic, time.sleep))
        found = result(course)
        told = {**found, "seconds": round(time.monotonic() - began, 1)}
        if not self.showing:
            del told["diff"]
        return {**told, "failed": True, "msg": failure(found)} if course.problem else told

    def _order(self, name: str, options: dict[str, t.Any]) -> Order:
        for key, least in (("timeout", 1), ("grace_period", 0)):
            if options[key] is not None and options[key] < least:
                raise AnsibleActionFail(f"{key} is {options[key]}: it must be at least {least}")
        return Order(
            node=name,
            allowed=Allowed(options["delete_bare_pods"], options["delete_emptydir_data"], options["grace_period"]),
            mark=self.mark,
            timeout=options["timeout"],
            uncordon_on_failure=options["uncordon_on_failure"],
            dry=self.dry,
        )
