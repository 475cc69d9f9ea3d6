# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sum up a run: the table, and summary.json; no host of the play can drop out of them."""

from __future__ import annotations

import json
import typing as t
from datetime import UTC, datetime
from pathlib import Path

from ansible.plugins.action import ActionBase

from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.incident import GOOD, stillborn
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.words import table
from ansible_collections.outward.kubelet.plugins.plugin_utils._options import Spec, arguments
from ansible_collections.outward.kubelet.plugins.plugin_utils._report import REPORT_DIR, write_json

ARGUMENTS: t.Final[Spec] = {"report_dir": REPORT_DIR}
# What node_report's task registers, in the roles and playbooks of this collection.
REGISTERED: t.Final = "node_recovery_result"


class ActionModule(ActionBase):
    """Runs on the controller only."""

    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Return ``hosts`` (host -> outcome) and ``bad``, those that need a person."""
        super().run(tmp, task_vars)
        options = arguments(self, ARGUMENTS)
        directory = Path(options["report_dir"])
        ended = ends(task_vars or {})
        outcomes = {host: outcome or "failed" for host, outcome in ended.items()}
        reports = [self._report(directory, host, ended[host] is not None) for host in ended]
        path = write_json(directory / "summary.json", {"hosts": outcomes})
        self._display.display("\n".join(["", *table(reports), "", f"reports: {directory}/<host>.json, {path}"]))
        bad = [host for host, outcome in outcomes.items() if outcome not in GOOD]
        return {"changed": False, "hosts": outcomes, "bad": bad}

    def _report(self, directory: Path, host: str, ended: bool) -> dict[str, t.Any]:
        if ended:
            return t.cast("dict[str, t.Any]", json.loads((directory / f"{host}.json").read_text()))
        return {**stillborn(host, "recover", datetime.now(UTC)), "outcome": "failed"}


def ends(variables: dict[str, t.Any]) -> dict[str, str | None]:
    """Host -> outcome for every host of the play, None for one that has no report; sorted."""
    every = variables["hostvars"]
    hosts = sorted(variables["ansible_play_hosts_all"])
    return {host: every[host].get(REGISTERED, {}).get("outcome") for host in hosts}
