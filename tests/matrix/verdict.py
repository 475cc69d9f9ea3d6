# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a report says, against what the fault's author expected. Pure."""

from __future__ import annotations

import typing as t

from tests.faults.model import Fault

from .playbook import Mode, Report


def expected(fault: Fault, mode: Mode) -> dict[str, t.Any]:
    """The row's ``expected``."""
    recover = mode == "recover"
    return {
        "root_causes": fault.root_causes,
        "outcome": fault.outcome if recover else "diagnosed",
        "actions": list(fault.actions) if recover else [],
    }


def seen(report: Report) -> dict[str, t.Any]:
    """The row's ``seen``, in the same words, and what the API's Ready said when the evidence was taken."""
    return {
        "root_causes": sorted(report["diagnosis"]["root_causes"]),
        "outcome": report["outcome"],
        "actions": [action["step"] for action in report["actions"]],
        "latent": [f["cause"] for f in report["diagnosis"]["findings"] if f["role"] == "latent"],
        "api_ready": api_ready(report),
    }


def api_ready(report: Report) -> str:
    """ "True", "False", "Unknown"; "no Node", or "no answer"."""
    cluster = (report.get("evidence") or {}).get("cluster") or {}
    node = cluster.get("node")
    if not isinstance(node, dict) or "unknown" in node:
        return "no answer" if not (cluster.get("api") or {}).get("reachable") else "no Node"
    found = [c["status"] for c in node["conditions"] if c["type"] == "Ready"]
    return str(found[0]) if found else "no condition"


def mistakes(wanted: dict[str, t.Any], report: Report) -> list[str]:
    """Everything that is not as it should be; nothing when the row is right."""
    got = seen(report)
    wrong = [f"{key}: expected {wanted[key]}, saw {got[key]}" for key in wanted if wanted[key] != got[key]]
    unproven = [name for name, ok in report.get("proof", {}).get("checks", {}).items() if not ok]
    wrong += [f"not proven: {', '.join(unproven)}"] if unproven and wanted["outcome"] == "recovered" else []
    permitted = {step["step"] for step in report["plan"] if step["permitted"]}
    wrong += [f"{step} was done without a permission in the plan" for step in got["actions"] if step not in permitted]
    if got["outcome"] == "refused" != wanted["outcome"]:
        wrong += [f"{step['step']}: {step['why']}" for step in report["plan"] if not step["permitted"]]
    if report.get("error"):
        wrong.append(f"error: {report['error']}")
    return wrong
