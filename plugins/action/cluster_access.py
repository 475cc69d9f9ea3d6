# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Install one of our roles in the cluster, and write a kubeconfig that has it, for a while."""

from __future__ import annotations

import typing as t
from pathlib import Path

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

from ansible_collections.outward.kubelet.plugins.action.preflight import refuse_unknown
from ansible_collections.outward.kubelet.plugins.module_utils._kube.access import (
    await_effect,
    ensure,
    kubeconfig,
    mint,
)
from ansible_collections.outward.kubelet.plugins.module_utils._kube.connect import Api, connect
from ansible_collections.outward.kubelet.plugins.module_utils._kube.errors import Conflict, KubeError, NotThere, Silent
from ansible_collections.outward.kubelet.plugins.module_utils._kube.options import AUTH_SPEC, Access
from ansible_collections.outward.kubelet.plugins.module_utils._kube.rights import NAMESPACE, ROLES
from ansible_collections.outward.kubelet.plugins.plugin_utils._options import Spec, arguments
from ansible_collections.outward.kubelet.plugins.plugin_utils._secret import require_place, write_secret

ARGUMENTS: t.Final[Spec] = {
    **AUTH_SPEC,
    "role": {"type": "str", "choices": list(ROLES), "default": "recover"},
    "path": {"type": "path"},
    "seconds": {"type": "int", "default": 3600},
}
# The API server mints no token for less, and by default none for more than a year is sensible.
SHORTEST, LONGEST = 600, 365 * 86400


class ActionModule(ActionBase):
    """Runs on the controller only, with the credentials of a cluster admin."""

    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Return where the kubeconfig is, until when it is good, and what was changed in the cluster."""
        super().run(tmp, task_vars)
        refuse_unknown(task_vars or {})
        options = arguments(self, ARGUMENTS)
        role = options["role"]
        if not SHORTEST <= options["seconds"] <= LONGEST:
            raise AnsibleActionFail(f"seconds is {options['seconds']}: it must be {SHORTEST} to {LONGEST}")
        path = Path(options["path"] or f"outward-{role}.kubeconfig").expanduser().absolute()
        require_place(path)
        try:
            with connect(Access.of(options)) as api:
                result = self._grant(api, options, path)
        except (KubeError, Silent, NotThere, Conflict) as error:
            raise AnsibleActionFail(f"no access for {role} was made: {error}") from error
        return {**result, "role": role, "path": str(path), "user": f"system:serviceaccount:{NAMESPACE}:{role}"}

    def _grant(self, api: Api, options: dict[str, t.Any], path: Path) -> dict[str, t.Any]:
        role = options["role"]
        changes = ensure(api, role, self._task.check_mode)
        if self._task.check_mode:
            return {"changed": True, "changes": changes, "expires": None}
        token = mint(api, role, options["seconds"])
        cluster = api.cluster()
        with connect(self._as_minted(options, api, token.secret)) as minted:
            await_effect(minted, role)
        write_secret(path, kubeconfig(cluster, role, token))
        return {"changed": True, "changes": changes, "expires": token.expires}

    def _as_minted(self, options: dict[str, t.Any], api: Api, token: str) -> Access:
        """The way that the admin goes, with other credentials."""
        way = {name: value for name, value in options.items() if name not in ("api_key", "client_cert", "client_key")}
        return Access.of({**way, "api_key": token})
