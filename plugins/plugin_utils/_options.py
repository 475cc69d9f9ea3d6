# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""The arguments of an action plugin, checked against its spec as a module's are."""

from __future__ import annotations

import typing as t

from ansible.plugins.action import ActionBase

Spec = dict[str, dict[str, t.Any]]


def arguments(action: ActionBase, spec: Spec) -> dict[str, t.Any]:
    """The task's arguments with types and defaults applied; raises AnsibleActionFail naming what is wrong."""
    _validation, checked = ActionBase.validate_argument_spec(action, spec)
    return t.cast("dict[str, t.Any]", checked)


def node_name(options: t.Mapping[str, t.Any], variables: t.Mapping[str, t.Any]) -> str:
    """The Node's name is the host's unless it has another one."""
    return options["node_name"] or str(variables["inventory_hostname"])


def login_address(action: ActionBase, variables: t.Mapping[str, t.Any]) -> str:
    """Where the inventory says that the host is logged into; empty: it does not say."""
    return str(action._templar.template(variables.get("ansible_host")) or "")


def for_module(options: t.Mapping[str, t.Any], spec: Spec) -> dict[str, t.Any]:
    """Those of an action's *options* that its module on the node takes; the lock stays on the controller."""
    return {name: value for name, value in options.items() if name in spec and name != "lock"}
