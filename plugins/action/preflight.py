# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Check what was asked for, before anything is touched; return one listing of the cluster for all targets."""

from __future__ import annotations

import difflib
import typing as t
from pathlib import Path

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.ledger import LONGEST_PERIOD
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.registration import labels, taints
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.rotation import KINDS
from ansible_collections.outward.kubelet.plugins.module_utils._kube.options import AUTH_SPEC
from ansible_collections.outward.kubelet.plugins.module_utils._kube.rights import ROLES
from ansible_collections.outward.kubelet.plugins.plugin_utils._cluster import listed, require_rights
from ansible_collections.outward.kubelet.plugins.plugin_utils._explain import EXPLAIN, asked
from ansible_collections.outward.kubelet.plugins.plugin_utils._options import Spec, arguments
from ansible_collections.outward.kubelet.plugins.plugin_utils._policy import STEPS, chosen, reason, windows
from ansible_collections.outward.kubelet.plugins.plugin_utils._report import REPORT_DIR, writable

# Every variable of the collection, with the check of its value; the roles' argument_specs say the same in words.
VARIABLES: t.Final[Spec] = {
    "outward_kubeconfig": {"type": "path"},
    "outward_context": {"type": "str"},
    "outward_node_name": {"type": "str"},
    "outward_node_profile": {"type": "str", "choices": ["auto", "kubeadm", "k3s"]},
    "outward_report_dir": {"type": "path"},
    "outward_max_unavailable": {"type": "int"},
    "outward_control_plane": {"type": "bool"},
    "outward_lock_timeout": {"type": "int"},
    "outward_try_sandbox": {"type": "bool"},
    "outward_automate": {"type": "str", "choices": ["none", "safe", "guarded"]},
    "outward_steps": STEPS,
    "outward_soak_seconds": {"type": "int"},
    "outward_proof_timeout": {"type": "int"},
    "outward_reason": {"type": "str"},
    "outward_budget": {"type": "int"},
    "outward_budget_period": {"type": "int"},
    "outward_forgive": {"type": "str"},
    "outward_hands_off": {"type": "str"},
    "outward_maintenance": {"type": "list", "elements": "str"},
    "outward_access": {"type": "str", "choices": list(ROLES)},
    "outward_access_path": {"type": "path"},
    "outward_access_seconds": {"type": "int"},
    "outward_hosts": {"type": "str"},
    "outward_explain": EXPLAIN,
    "outward_report": {"type": "path"},
    "outward_reports": {"type": "list", "elements": "path"},
    "outward_each": {"type": "str"},
    "outward_query": {"type": "str"},
    "outward_certificate_days": {"type": "float"},
    "outward_node_addresses": {"type": "list", "elements": "str"},
    "outward_node_labels": {"type": "dict"},
    "outward_node_taints": {"type": "list", "elements": "dict"},
    "outward_ca_hash": {"type": "str"},
    "outward_rotate": {"type": "list", "elements": "str", "choices": list(KINDS)},
    "outward_join_timeout": {"type": "int"},
}
ARGUMENTS: t.Final[Spec] = {
    **AUTH_SPEC,
    "report_dir": REPORT_DIR,
    "mode": {"type": "str", "choices": list(ROLES), "default": "diagnose"},
}
MINIMUM: t.Final = {
    "outward_max_unavailable": 1,
    "outward_lock_timeout": 0,
    "outward_soak_seconds": 0,
    "outward_proof_timeout": 1,
    "outward_budget": 0,
    "outward_budget_period": 1,
    "outward_certificate_days": 0,
    "outward_join_timeout": 60,
}
MAXIMUM: t.Final = {"outward_budget_period": LONGEST_PERIOD}


class ActionModule(ActionBase):
    """Runs once for a play, on the controller only."""

    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Fail with one sentence for bad input; return ``cluster`` for node_diagnosis."""
        super().run(tmp, task_vars)
        variables = task_vars or {}
        options = arguments(self, ARGUMENTS)
        nodes = targets(variables)
        self._refuse_values(variables)
        for host in nodes:
            refuse_unknown(variables["hostvars"][host])
            self._refuse_values(variables["hostvars"][host])
        refuse_twins(nodes)
        writable(Path(options["report_dir"]), len(nodes))
        # To check is to look: a person who may only read can see what would be done, but for how nodes find the cluster.
        looking = self._task.check_mode and options["mode"] == "recover"
        require_rights(options, "diagnose" if looking else options["mode"])
        return {"changed": False, "cluster": listed(options, sorted(nodes.values()))}

    def _refuse_values(self, variables: t.Mapping[str, t.Any]) -> None:
        """Of the play, or of one host: each may have its own."""
        given = {name: variables[name] for name in VARIABLES if name in variables}
        given = {name: self._templar.template(value) for name, value in given.items()}
        own, self._task.args = self._task.args, given
        try:
            checked = arguments(self, {n: VARIABLES[n] for n in given})
        finally:
            self._task.args = own
        refuse_values(checked)
        asked(checked.get("outward_explain"))


def refuse_values(checked: t.Mapping[str, t.Any]) -> None:
    """What has the right type and cannot be meant; raises AnsibleActionFail naming the variable."""
    for name, least in MINIMUM.items():
        if checked.get(name) is not None and checked[name] < least:
            raise AnsibleActionFail(f"{name} is {checked[name]}: it must be at least {least}")
    for name, most in MAXIMUM.items():
        if checked.get(name) is not None and checked[name] > most:
            raise AnsibleActionFail(f"{name} is {checked[name]}: it must be at most {most}")
    for name, read in (("outward_node_labels", labels), ("outward_node_taints", taints)):
        try:
            read(checked.get(name))
        except ValueError as error:
            raise AnsibleActionFail(f"{name}: {error}") from error
    reason("outward_hands_off", checked.get("outward_hands_off"))
    chosen(checked.get("outward_steps"))
    windows("outward_maintenance", checked.get("outward_maintenance"))


def targets(variables: dict[str, t.Any]) -> dict[str, str]:
    """Host -> Node name for every host of the play."""
    every = variables["hostvars"]
    return {host: str(every[host].get("outward_node_name", host)) for host in variables["ansible_play_hosts_all"]}


def refuse_unknown(variables: t.Iterable[str]) -> None:
    """A misspelt variable would silently do something else than was meant."""
    for name in sorted(variables):
        if name.startswith("outward_") and name not in VARIABLES:
            close = difflib.get_close_matches(
                name.removeprefix("outward_"), [v.removeprefix("outward_") for v in VARIABLES], 1
            )
            hint = f"did you mean outward_{close[0]}?" if close else f"there are {', '.join(sorted(VARIABLES))}"
            raise AnsibleActionFail(f"there is no variable {name}: {hint}")


def refuse_twins(hosts: dict[str, str]) -> None:
    """Two hosts with one Node name: one of them would be repaired for the other's fault."""
    seen: dict[str, str] = {}
    for host, node in hosts.items():
        if node in seen:
            raise AnsibleActionFail(
                f"{seen[node]} and {host} are both the Node {node}: give each its own outward_node_name"
            )
        seen[node] = host
