# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Complete an incident, write its report, and say it in words; or sum up a fleet."""

from __future__ import annotations

import typing as t
from datetime import UTC, datetime
from pathlib import Path

from ansible.plugins.action import ActionBase

from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.incident import close, stillborn
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.words import verdict
from ansible_collections.outward.kubelet.plugins.plugin_utils._options import Spec, arguments
from ansible_collections.outward.kubelet.plugins.plugin_utils._report import REPORT_DIR, write_report

ARGUMENTS: t.Final[Spec] = {
    "report_dir": REPORT_DIR,
    "incident": {"type": "dict"},
    "mode": {"type": "str", "choices": ["diagnose", "check", "recover"], "default": "recover"},
    "acted": {"type": "list", "elements": "dict", "default": []},
    "proof": {"type": "dict"},
    "lock": {"type": "dict"},
    "notes": {"type": "list", "elements": "str", "default": []},
    "error": {"type": "str"},
}


class ActionModule(ActionBase):
    """Runs on the controller only."""

    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Return ``outcome`` and ``report`` (path); the verdict goes to the screen as plain lines."""
        super().run(tmp, task_vars)
        options = arguments(self, ARGUMENTS)
        now = datetime.now(UTC)
        host = str((task_vars or {})["inventory_hostname"])
        incident = options["incident"] or stillborn(host, options["mode"], now)
        lock = {"lock": options["lock"]} if options["lock"] else {}
        acted = [result for result in options["acted"] if "result" in result]
        notes = options["notes"]
        report = close({**incident, **lock}, acted, options["proof"], options["error"], now, notes=notes)
        path = write_report(Path(options["report_dir"]), report)
        self._display.display("\n".join(verdict(report)))
        return {"changed": False, "outcome": report["outcome"], "report": str(path)}
