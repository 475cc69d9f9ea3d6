# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Have a kubelet get a new client certificate, with a token that nobody else sees and that soon is gone."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleActionFail

from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.signing import Station
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.steps import RENEW
from ansible_collections.outward.kubelet.plugins.module_utils._host.modules.client_certificate import (
    ARGUMENTS as OF_MODULE,
)
from ansible_collections.outward.kubelet.plugins.module_utils._kube import bootstrap
from ansible_collections.outward.kubelet.plugins.module_utils._kube.bootstrap import Token
from ansible_collections.outward.kubelet.plugins.module_utils._kube.connect import connect
from ansible_collections.outward.kubelet.plugins.module_utils._kube.errors import KubeError, Silent
from ansible_collections.outward.kubelet.plugins.module_utils._kube.options import AUTH_SPEC, Access
from ansible_collections.outward.kubelet.plugins.module_utils._kube.renewal import Approver, lent, swept
from ansible_collections.outward.kubelet.plugins.plugin_utils._author import author
from ansible_collections.outward.kubelet.plugins.plugin_utils._options import Spec, arguments, for_module, node_name
from ansible_collections.outward.kubelet.plugins.plugin_utils._remote import Acting

HANDED: t.Final = ("server", "authority", "token")  # what only this plugin gives to the node
ARGUMENTS: t.Final[Spec] = {**AUTH_SPEC, **{n: spec for n, spec in OF_MODULE.items() if n not in HANDED}}
# Seconds that a token lives beyond the time in which the kubelet has to come up: the node is looked at before.
LOOKING: t.Final = 120
Options = dict[str, t.Any]


class ActionModule(Acting):
    """The module of the same name on the node, with what only the controller can do around it."""

    MODULE: t.ClassVar[str] = "outward.kubelet.client_certificate"
    STEP: t.ClassVar[str] = RENEW
    PIPED: t.ClassVar[bool] = True

    def given(self, variables: Options) -> Options:
        """Checked; the node's name is the host's unless it has another one."""
        options = arguments(self, ARGUMENTS)
        name = node_name(options, variables)
        return {**options, "node_name": name, "holder": author(variables)}

    def asked(self, arguments: Options, variables: Options) -> Options:
        """A renewal takes the API server; where a run has left something on the node, its token may be left there."""
        module = for_module(arguments, OF_MODULE)
        if arguments["state"] != "renewed":
            return self._settled(module, variables, Access.of(arguments))
        access = Access.of(arguments)
        try:
            with connect(access) as api:
                module |= vars(bootstrap.cluster(api))
            if self._task.check_mode:
                return super().asked(module, variables)
            return self._lent(access, module, variables)
        except (KubeError, Silent) as error:
            raise AnsibleActionFail(f"{module['node_name']}: the node was not touched: {error}") from error

    def _settled(self, module: Options, variables: Options, access: Access) -> Options:
        result = super().asked(module, variables)
        if self._task.check_mode or not result.get("changed"):
            return result
        return {**result, "notes": [*result.get("notes", ()), *swept(access, module["node_name"])]}

    def _lent(self, access: Access, module: Options, variables: Options) -> Options:
        problems: list[str] = []
        try:
            with lent(access, module["node_name"], module["timeout"] + LOOKING, problems) as token:
                result = self._renewed(access, module, variables, token)
        finally:
            for problem in problems:
                self._display.warning(problem)
        return {**result, "notes": [*result.get("notes", ()), *problems]}

    def _renewed(self, access: Access, module: Options, variables: Options, token: Token) -> Options:
        """The node acts and proves; its request is answered meanwhile."""
        station = Station(module["node_name"], token=token.id, since=token.made)
        with Approver(access, station) as approver:
            result = super().asked({**module, "token": token.bearer}, variables)
        return approver.added(result)
