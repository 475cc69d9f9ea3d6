# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run node_ledger on the node, and show the table."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleActionFail

from ansible_collections.outward.kubelet.plugins.action.preflight import refuse_unknown
from ansible_collections.outward.kubelet.plugins.plugin_utils._author import author
from ansible_collections.outward.kubelet.plugins.plugin_utils._remote import OnNode


class ActionModule(OnNode):
    """The module of the same name; see its documentation."""

    MODULE: t.ClassVar[str] = "outward.kubelet.node_ledger"

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """The module's result; the table goes to the screen as plain lines."""
        variables = task_vars or {}
        refuse_unknown(variables)
        result = super().run(tmp, variables)
        if "table" in result:
            self._display.display(
                "\n".join([f"{variables['inventory_hostname']}:", *(f"  {r}" for r in result["table"])])
            )
        return result

    def given(self, variables: dict[str, t.Any]) -> dict[str, t.Any]:
        """Refused before the node is asked: a pardon without a reason, whatever blanks it holds."""
        arguments = self._task.args
        if str(arguments.get("forgive") or "").strip() and not str(arguments.get("reason") or "").strip():
            raise AnsibleActionFail(
                "to forgive needs a reason, which is kept beside the entry: -e outward_reason='the SD card was replaced'"
            )
        return {"holder": author(variables), **arguments}
