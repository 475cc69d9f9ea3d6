# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sum up a run: the table, and summary.json; no host of the play can drop out of them."""

from __future__ import annotations

import typing as t
from datetime import UTC, datetime
from pathlib import Path

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.incident import GOOD, brief, stillborn
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.words import table
from ansible_collections.outward.kubelet.plugins.plugin_utils._options import Spec, arguments
from ansible_collections.outward.kubelet.plugins.plugin_utils._report import REPORT_DIR, write_json

ARGUMENTS: t.Final[Spec] = {"report_dir": REPORT_DIR}
# What node_report's task registers, in the roles and playbooks of this collection.
REGISTERED: t.Final = ("node_recovery_result", "node_join_ended", "certificates_rotate_ended")


class ActionModule(ActionBase):
    """Runs on the controller only."""

    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Return ``hosts`` (host -> outcome) and ``bad``, those that need a person; fails for what was not written."""
        super().run(tmp, task_vars)
        options = arguments(self, ARGUMENTS)
        directory = Path(options["report_dir"])
        reports = ends(task_vars or {})
        outcomes = {report["host"]: report["outcome"] for report in reports}
        unwritten = [report["unwritten"] for report in reports if report.get("unwritten")]
        try:
            write_json(directory / "summary.json", {"hosts": outcomes})
        except AnsibleActionFail as error:
            unwritten.append(str(error))
        where = "; ".join(unwritten) or f"reports: {directory}/<host>.json, {directory / 'summary.json'}"
        self._display.display("\n".join(["", *table(reports), "", where]))
        bad = [host for host, outcome in outcomes.items() if outcome not in GOOD]
        failed = {"failed": True, "msg": f"not all is written down: {'; '.join(unwritten)}"} if unwritten else {}
        return {"changed": False, "hosts": outcomes, "bad": bad, **failed}


def ends(variables: dict[str, t.Any]) -> list[dict[str, t.Any]]:
    """How each host of the play ended, as its own node_report has it, or as failed when it came to none; sorted.

    What lies in the directory is not asked: it may be older, or another run's.
    """
    every = variables["hostvars"]
    hosts = sorted(variables["ansible_play_hosts_all"])
    found: dict[str, dict[str, t.Any]] = {
        host: next((every[host][name] for name in REGISTERED if name in every[host]), {}) for host in hosts
    }
    return [found[host] if "outcome" in found[host] else _lost(host) for host in hosts]


def _lost(host: str) -> dict[str, t.Any]:
    report = brief({**stillborn(host, "recover", datetime.now(UTC)), "outcome": "failed"})
    return t.cast("dict[str, t.Any]", report)
