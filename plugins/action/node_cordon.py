# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Set our cordon on a Node, or take our own off again."""

from __future__ import annotations

import typing as t

from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.cordon import cordon, patched, state, uncordon
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.steps import CORDON, UNCORDON
from ansible_collections.outward.kubelet.plugins.module_utils._kube.connect import Api
from ansible_collections.outward.kubelet.plugins.module_utils._kube.cordon import move
from ansible_collections.outward.kubelet.plugins.plugin_utils._node_api import OnNodeObject
from ansible_collections.outward.kubelet.plugins.plugin_utils._options import Spec


class ActionModule(OnNodeObject):
    """The module of the same name; see its documentation."""

    ARGUMENTS: t.ClassVar[Spec] = {
        "state": {"type": "str", "choices": ["cordoned", "uncordoned"], "default": "cordoned"}
    }

    def act(self, api: Api, name: str, options: dict[str, t.Any]) -> dict[str, t.Any]:
        """Read, decide, write."""
        wanted = options["state"] == "cordoned"
        moved = move(
            api, name, lambda node, now: cordon(node, self.mark, now) if wanted else uncordon(node), dry=self.dry
        )
        return {
            "changed": moved.changed,
            "step": CORDON if wanted else UNCORDON,
            "result": "done" if moved.changed else "unchanged",
            "detail": moved.move.why,
            **state(moved.after),
            **({"diff": patched(moved.before, moved.move)} if self.showing else {}),
        }

    def silenced(self, name: str, options: dict[str, t.Any], silence: str) -> dict[str, t.Any]:
        """With the step that was meant."""
        wanted = options["state"] == "cordoned"
        return {**super().silenced(name, options, silence), "step": CORDON if wanted else UNCORDON}
