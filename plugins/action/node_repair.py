# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run node_repair on the node; losing the node in the middle is a result."""

from __future__ import annotations

import typing as t

from ansible_collections.outward.kubelet.plugins.plugin_utils._remote import Acting


class ActionModule(Acting):
    """The module of the same name; see its documentation."""

    MODULE: t.ClassVar[str] = "outward.kubelet.node_repair"

    @property
    def step(self) -> str:
        """The one that was asked for; the module checks whether there is such a step."""
        return str(self._task.args.get("step"))
