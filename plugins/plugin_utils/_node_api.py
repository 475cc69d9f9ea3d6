# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""What node_cordon and node_drain share: one Node, changed through the API from the controller, with the node's ssh unused."""

from __future__ import annotations

import typing as t
from abc import abstractmethod
from datetime import UTC, datetime

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.cordon import Mark
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.signs import instant
from ansible_collections.outward.kubelet.plugins.module_utils._kube.connect import Api, connect
from ansible_collections.outward.kubelet.plugins.module_utils._kube.errors import KubeError, Silent
from ansible_collections.outward.kubelet.plugins.module_utils._kube.options import AUTH_SPEC, Access
from ansible_collections.outward.kubelet.plugins.plugin_utils._author import author
from ansible_collections.outward.kubelet.plugins.plugin_utils._options import Spec, arguments, node_name

COMMON: t.Final[Spec] = {
    **AUTH_SPEC,
    "node_name": {"type": "str"},
    "reason": {"type": "str", "default": "maintenance"},
}


class OnNodeObject(ActionBase):
    """Runs on the controller only; a server that falls silent is a result with ``failed``, and says how far it came."""

    _supports_check_mode = True
    ARGUMENTS: t.ClassVar[Spec]
    mark: Mark  # who sets a cordon and why

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """What :meth:`act` returns."""
        super().run(tmp, task_vars)
        options = arguments(self, {**COMMON, **self.ARGUMENTS})
        name = node_name(options, task_vars or {})
        self.mark = Mark(author(task_vars or {}), options["reason"])
        started = datetime.now(UTC)
        try:
            with connect(Access.of(options)) as api:
                result = self.act(api, name, options)
        except KubeError as error:
            raise AnsibleActionFail(str(error)) from error
        except Silent as silence:
            result = self.silenced(name, options, str(silence))
        return {**result, **_timed(result, started)}

    @abstractmethod
    def act(self, api: Api, name: str, options: dict[str, t.Any]) -> dict[str, t.Any]:
        """The module's result. Raises KubeError for what a person must mend, and Silent."""

    def silenced(self, name: str, options: dict[str, t.Any], silence: str) -> dict[str, t.Any]:
        """The result when the API server did not answer."""
        words = f"{name}: the API server does not answer: {silence}"
        return {"changed": False, "failed": True, "result": "failed", "detail": words, "msg": words}

    @property
    def dry(self) -> bool:
        """Under --check."""
        return bool(self._task.check_mode)

    @property
    def showing(self) -> bool:
        """Under --diff."""
        return bool(self._task.diff)


def _timed(result: dict[str, t.Any], started: datetime) -> dict[str, t.Any]:
    """The action as a report has it, for a result that names a step."""
    if "step" not in result:
        return {}
    action = {"started": instant(started), "finished": instant(datetime.now(UTC)), "result": result["result"]}
    return {"refusals": [], "action": {"step": result["step"], **action}}
