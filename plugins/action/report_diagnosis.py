# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Diagnose again from a saved report: no node, no cluster, the same rules."""

from __future__ import annotations

import typing as t
from pathlib import Path

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.conclude import conclude
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.saved import NoReport, differences, look_of
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.words import verdict
from ansible_collections.outward.kubelet.plugins.plugin_utils._explain import EXPLAIN, asked
from ansible_collections.outward.kubelet.plugins.plugin_utils._options import Spec, arguments
from ansible_collections.outward.kubelet.plugins.plugin_utils._policy import POLICY, policy
from ansible_collections.outward.kubelet.plugins.plugin_utils._saved import load

ARGUMENTS: t.Final[Spec] = {
    "report": {"type": "path", "required": True},
    "explain": EXPLAIN,
    **POLICY,
}


class ActionModule(ActionBase):
    """Runs on the controller only; reads one file and writes none."""

    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Return ``incident`` as node_diagnosis does, and ``differences``; the verdict goes to the screen."""
        super().run(tmp, task_vars)
        options = arguments(self, ARGUMENTS)
        causes = asked(options["explain"])
        saved, look = read(Path(options["report"]))
        incident = conclude(look, policy(options), causes)["incident"]
        changed = differences(saved["diagnosis"], incident["diagnosis"]) if "diagnosis" in saved else []
        self._display.display("\n".join([*verdict(incident), *(f"  then        {line}" for line in changed)]))
        return {"changed": False, "incident": incident, "differences": changed}


def read(path: Path) -> t.Any:
    """The report at *path* and the look in it; raises AnsibleActionFail with one sentence that names the file."""
    try:
        saved = load(path)
    except NoReport as error:
        raise AnsibleActionFail(str(error)) from error
    try:
        return saved, look_of(saved)
    except NoReport as error:
        raise AnsibleActionFail(f"{path}: {error}") from error
