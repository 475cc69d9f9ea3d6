# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sum up the certificates of all hosts of a play; none of them can drop out."""

from __future__ import annotations

import typing as t
from pathlib import Path

from ansible.plugins.action import ActionBase

from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.certificates import table
from ansible_collections.outward.kubelet.plugins.plugin_utils._options import Spec, arguments
from ansible_collections.outward.kubelet.plugins.plugin_utils._report import REPORT_DIR, write_json

ARGUMENTS: t.Final[Spec] = {"report_dir": REPORT_DIR}
# What node_certificates's task registers, in the playbook of this collection.
REGISTERED: t.Final = "node_certificates_result"
Row = dict[str, t.Any]


class ActionModule(ActionBase):
    """Runs on the controller only."""

    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Return ``certificates`` of all hosts and ``bad``: the hosts where not every one is fine."""
        super().run(tmp, task_vars)
        options = arguments(self, ARGUMENTS)
        rows = rows_of(task_vars or {})
        path = write_json(Path(options["report_dir"]) / "certificates.json", {"certificates": rows})
        self._display.display("\n".join(["", *table(rows), "", f"report: {path}"]))
        bad = sorted({row["host"] for row in rows if row["state"] != "ok"})
        return {"changed": False, "certificates": rows, "bad": bad}


def rows_of(variables: dict[str, t.Any]) -> list[Row]:
    """Of every host; one whose task failed has one row that says so."""
    every = variables["hostvars"]
    rows: list[Row] = []
    for host in sorted(variables["ansible_play_hosts_all"]):
        result = every[host].get(REGISTERED, {})
        rows += result.get("certificates") or [_untold(host, str(result.get("msg", "it was not looked at")))]
    return rows


def _untold(host: str, why: str) -> Row:
    row = {"host": host, "what": "host", "path": "", "state": "unknown", "why": why, "subject": "", "usages": []}
    return {**row, "not_before": None, "not_after": None}
