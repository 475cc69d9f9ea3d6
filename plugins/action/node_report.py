# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Complete an incident, write its report, and say it in words; or sum up a fleet."""

from __future__ import annotations

import typing as t
from datetime import UTC, datetime
from pathlib import Path

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.incident import (
    brief,
    close,
    inherited,
    stillborn,
    underway,
)
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.words import verdict
from ansible_collections.outward.kubelet.plugins.plugin_utils._options import Spec, arguments
from ansible_collections.outward.kubelet.plugins.plugin_utils._report import REPORT_DIR, report_before, write_report

ARGUMENTS: t.Final[Spec] = {
    "report_dir": REPORT_DIR,
    "state": {"type": "str", "choices": ["underway", "ended"], "default": "ended"},
    "incident": {"type": "dict"},
    "mode": {"type": "str", "choices": ["diagnose", "check", "recover", "join", "rotate"], "default": "recover"},
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
        """Return what the summary needs of it, and ``report`` (path); the verdict goes to the screen as plain lines.

        Nothing may be done before it is on the disk what is about to be done, so ``underway`` fails when it cannot be
        written. Afterwards a full disk changes nothing about the node: the verdict is said, and ``unwritten`` says why.
        """
        super().run(tmp, task_vars)
        options = arguments(self, ARGUMENTS)
        directory, now = Path(options["report_dir"]), datetime.now(UTC)
        host = str((task_vars or {})["inventory_hostname"])
        incident = options["incident"] or stillborn(host, options["mode"], now)
        lock = {"lock": {n: v for n, v in options["lock"].items() if n != "access"}} if options["lock"] else {}
        notes = [*incident.get("notes", ()), *inherited(report_before(directory, host), incident)]
        incident = {**incident, **lock, "notes": list(dict.fromkeys(notes))}
        if options["state"] == "underway":
            return {"changed": False, "report": str(write_report(directory, underway(incident)))}
        acted = [result for result in options["acted"] if "result" in result]
        report = close(incident, acted, options["proof"], options["error"], now, notes=options["notes"])
        return self._written(directory, report)

    def _written(self, directory: Path, report: dict[str, t.Any]) -> dict[str, t.Any]:
        """Write, say, and return it."""
        try:
            path, problem = str(write_report(directory, report)), ""
        except AnsibleActionFail as error:
            path, problem = "", str(error)
            report = {**report, "notes": [*report["notes"], f"this is not in a report: {problem}"]}
        self._display.display("\n".join(verdict(report)))
        return {"changed": False, **brief(report), "report": path, "unwritten": problem}
