# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Have a kubelet get a new serving certificate of the cluster; its request is checked and answered meanwhile."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleActionFail

from ansible_collections.outward.kubelet.plugins.action.kubelet_csr import inventory
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.signing import Station
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.steps import SERVE
from ansible_collections.outward.kubelet.plugins.module_utils._host.modules.serving_certificate import (
    ARGUMENTS as OF_MODULE,
)
from ansible_collections.outward.kubelet.plugins.module_utils._kube.connect import connect
from ansible_collections.outward.kubelet.plugins.module_utils._kube.cordon import read
from ansible_collections.outward.kubelet.plugins.module_utils._kube.errors import KubeError, Silent
from ansible_collections.outward.kubelet.plugins.module_utils._kube.options import AUTH_SPEC, Access
from ansible_collections.outward.kubelet.plugins.module_utils._kube.renewal import Approver
from ansible_collections.outward.kubelet.plugins.plugin_utils._author import author
from ansible_collections.outward.kubelet.plugins.plugin_utils._options import (
    Spec,
    arguments,
    for_module,
    login_address,
    node_name,
)
from ansible_collections.outward.kubelet.plugins.plugin_utils._remote import Acting

ARGUMENTS: t.Final[Spec] = {**AUTH_SPEC, **OF_MODULE, "addresses": {"type": "list", "elements": "str", "default": []}}
Options = dict[str, t.Any]


class ActionModule(Acting):
    """The module of the same name on the node, with what only the controller can do around it."""

    MODULE: t.ClassVar[str] = "outward.kubelet.serving_certificate"
    STEP: t.ClassVar[str] = SERVE

    def given(self, variables: Options) -> Options:
        """Checked; the node's name is the host's unless it has another one."""
        options = arguments(self, ARGUMENTS)
        name = node_name(options, variables)
        host = login_address(self, variables)
        return {
            **options,
            "node_name": name,
            "holder": author(variables),
            "known": inventory(options["addresses"], host),
        }

    def asked(self, arguments: Options, variables: Options) -> Options:
        """The node acts and proves; its request is answered meanwhile, if it is exactly the node's."""
        module = for_module(arguments, OF_MODULE)
        if self._task.check_mode:
            return super().asked(module, variables)
        access, name = Access.of(arguments), module["node_name"]
        try:
            with connect(access) as api:
                reported = frozenset(read(api, name).addresses)
        except (KubeError, Silent) as error:
            raise AnsibleActionFail(f"{name}: the node was not touched: {error}") from error
        with Approver(access, Station(name, arguments["known"], reported)) as approver:
            result = super().asked(module, variables)
        return approver.added(result)
