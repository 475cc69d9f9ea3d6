# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""The words a tired person reads: one verdict a node, one table a fleet. Pure: report in, lines out."""

from __future__ import annotations

import json
import textwrap
import typing as t

from .evidence import JSON
from .health import CHECKS

WIDTH: t.Final = 110
HEADLINES: t.Final = {
    "healthy": "healthy: nothing to do",
    "recovered": "recovered, and proven",
    "refused": "not touched: a guard said no",
    "needs-operator": "needs a person",
    "external": "not touched: the fault is outside this node",
    "not-a-node-fault": "the node is healthy; the fault is not the node's",
    "unknown": "not touched: the cause is not known",
    "failed": "FAILED: acted, and could not prove that it helped",
    "diagnosed": "diagnosed",
}
OF_MODE: t.Final[dict[str, dict[str, str]]] = {
    "join": {
        "healthy": "joined already, and healthy: nothing to do",
        "recovered": "joined, and proven",
        "failed": "FAILED: acted, and could not prove that it is a node that works",
    },
    "rotate": {"healthy": "no certificate is due", "recovered": "rotated, and proven"},
}
STATUS: t.Final = {
    "healthy": "healthy",
    "faulty": "faulty",
    "external": "the fault is outside this node",
    "not-a-node-fault": "the node is healthy; the fault is not the node's",
    "unknown": "the cause is not known",
}


PROOFS: t.Final = {
    "new_process": "a new process runs",
    "lease_renewed_after_action": "it renewed its Lease",
    "ready_reported_after_action": "it reported Ready",
    "pods_run_again": "the Pods run",
    "cause_gone": "the cause is gone",
    "no_restart_during_soak": "it did not restart again",
    "ready_after_soak": "it is still Ready",
    "node_is_this_machine": "the Node is this machine",
    "pods_started": "the Pods of its DaemonSets have started",
}


def verdict(report: JSON) -> list[str]:
    """The verdict on one node: outcome, cause, evidence, what was done or refused and why, what to type next."""
    lines = [f"{report['host']}: {headline(report)}"]
    findings = report["diagnosis"]["findings"]
    for finding in findings:
        if finding["role"] != "explained":
            lines += _finding(finding)
    explained = [f["title"] for f in findings if f["role"] == "explained"]
    lines += _item("explains", explained)
    lines += _item("unexplained", report["diagnosis"]["unexplained"])
    lines += _item("cannot tell", report["diagnosis"]["unknown"])
    for signal in report["diagnosis"].get("signals", ()):  # reports of 0.1 have none
        lines += _signal(signal)
    lines += _outside(report.get("outside"))  # reports of 0.1 have none
    lines += _steps(report)
    lines += _proof(report["proof"])
    lines += _lock(report.get("lock") or {})
    lines += _item("note", report.get("notes", []))  # reports of 0.1 have none
    lines += _item("error", [report["error"]] if report.get("error") else [])
    if report["next"] and report["outcome"] not in ("recovered",):
        lines += _item("next", [report["next"]])
    for explanation in report.get("explanations", ()):
        lines += _explanation(explanation)
    return lines


def headline(report: JSON) -> str:
    """The outcome in a few words; for a diagnosis, its status."""
    if report["outcome"] == "diagnosed":
        return STATUS[report["diagnosis"]["status"]]
    return OF_MODE.get(report["mode"], {}).get(report["outcome"], HEADLINES[report["outcome"]])


def table(reports: list[JSON]) -> list[str]:
    """One line a host, aligned: host, outcome, cause, what was done."""
    rows = [("host", "outcome", "cause", "done")]
    for report in reports:
        causes = ", ".join(report["diagnosis"]["root_causes"]) or "-"
        done = ", ".join(f"{a['step']} ({a['result']})" for a in report["actions"]) or "nothing"
        shown = report["outcome"]
        if shown == "diagnosed":
            shown = f"diagnosed: {report['diagnosis']['status']}"
        rows.append((report["host"], shown, causes, done))
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows]


def _finding(finding: JSON) -> list[str]:
    label = "cause" if finding["role"] == "root" else "latent"
    lines = _item(label, [f"{finding['title']} ({finding['cause']})"])
    return lines + _item("because", finding["evidence"])


def _signal(signal: JSON) -> list[str]:
    """What somebody else's cause brings about is one line; what nothing explains is said in full."""
    if signal["explained"]:
        return _item("sign", [f"{signal['title']}: the effect of {', '.join(signal['explained'])}"])
    return _item("sign", [signal["title"], *signal["evidence"]])


def _explanation(explanation: JSON) -> list[str]:
    """The answer of one rule that was asked why."""
    more = [f"... and {explanation['not_shown']} more"] if explanation["not_shown"] else []
    looks = [f"{look['field']} = {json.dumps(look['value'])}" for look in explanation["saw"]]
    return [
        *_item("asked", [f"{explanation['title']} ({explanation['cause']}): {explanation['answer']}"]),
        *_item("looked for", [explanation["looked_for"]]),
        *_item("saw", [*looks, *more] or ["nothing: the rule did not look at the evidence"]),
        *_item("so", [explanation["because"], *explanation["evidence"]]),
    ]


def _steps(report: JSON) -> list[str]:
    lines: list[str] = []
    taken = {action["step"] for action in report["actions"]}
    for action in report["actions"]:
        told = action["detail"] or "; ".join(action.get("changes", ()))
        lines += _item(action["result"], [f"{action['step']}: {told}".rstrip(": ")])
        lines += _item("copies", action.get("backup", []))
    for step in report["plan"]:
        if step["step"] not in taken:
            label = "would do" if step["permitted"] else "refused"
            lines += _item(label, [f"{step['step']}: {step['why']}"])
        lines += _item("runs there", step.get("notes", []))
    return lines


def _outside(outside: JSON) -> list[str]:
    """What the cluster knows of a node that nobody can log into, and what is to be done at the board."""
    if not outside:
        return []
    taint = [outside["out_of_service"]] if outside["out_of_service"] else []
    return [*_item("API says", outside["known"]), *_item("at board", outside["board"]), *_item("at last", taint)]


def _proof(proof: JSON) -> list[str]:
    """What was shown and what was not; of a node that waits for something else to be mended, only what it waits for."""
    checks: dict[str, bool | None] = proof["checks"]
    health = {name: detail for name, detail, dummy in CHECKS}
    shown = [PROOFS[name] for name, ok in checks.items() if ok and name in PROOFS]
    well = sum(bool(checks.get(name)) for name in health)
    missing = [{**health, **PROOFS}.get(name, name) for name, ok in checks.items() if not ok]
    proven = f"{', '.join(shown)}; {well} of {len(health)} checks of health"
    waits = [f"{', '.join(missing)}: not before {each} is mended" for each in proof.get("in_the_way", ())]
    return _item("proven", [proven] if shown else []) + _item("not proven", waits or missing)


def _lock(lock: JSON) -> list[str]:
    """Only what a person would want to know: a wait, a takeover, and an end that was no release."""
    waited = [f"waited {lock['waited']:.0f} s for it"] if lock and lock["waited"] >= 1 else []
    over = [f"taken over from {lock['took_over']}"] if lock and lock["took_over"] else []
    ended = [lock["ended"]] if lock and lock["ended"] != "released" else []
    return _item("lock", [*waited, *over, *ended])


def _item(label: str, texts: list[str]) -> list[str]:
    lines: list[str] = []
    for text in texts:
        head = f"  {label if not lines else '':<12}"
        lines += textwrap.wrap(
            text, WIDTH, initial_indent=head, subsequent_indent=" " * 14, break_long_words=False, break_on_hyphens=False
        )
    return lines
