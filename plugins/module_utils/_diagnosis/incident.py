# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""One run on one node, as the report that other programs read (design.md section 5)."""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass
from datetime import datetime

from .cluster import ClusterEvidence
from .diagnose import Diagnosis
from .evidence import JSON, Undecided, to_json
from .node import NodeEvidence
from .noise import noise
from .outside import from_outside
from .plan import Step
from .proof import left
from .signs import instant, most_memory, most_processes
from .steps import CONTAINING

SCHEMA: t.Final = "outward.kubelet/incident/v1"
Mode = t.Literal["diagnose", "check", "recover", "join", "rotate"]
Outcome = t.Literal[
    "healthy",
    "recovered",
    "refused",
    "needs-operator",
    "external",
    "not-a-node-fault",
    "unknown",
    "failed",
    "diagnosed",
]
# Runs whose plan is their own, and none that the causes of the catalogue ask for.
OWN_PLAN: t.Final = frozenset({"join", "rotate"})
ACTING: t.Final = OWN_PLAN | {"recover"}
GOOD: t.Final = frozenset({"healthy", "recovered", "diagnosed"})
# namespace/name as Kubernetes allows them (RFC 1123).
POD: t.Final = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?/[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?"
MOST_OWNERS: t.Final = 3


@dataclass(frozen=True)
class Incident:
    """Evidence, diagnosis, plan, actions and proof of one run; it grows by :func:`dataclasses.replace`."""

    host: str
    node_name: str
    mode: Mode
    started: datetime
    node: NodeEvidence
    cluster: ClusterEvidence
    diagnosis: Diagnosis
    plan: tuple[Step, ...]


def outcome(report: JSON) -> Outcome:
    """What the run came to, from its mode, diagnosis, plan, actions and proof."""
    if report["mode"] not in ACTING:
        return "diagnosed"
    return _came_of_it(report) or _left_as_it_is(report)


def _came_of_it(report: JSON) -> Outcome | None:
    """None: nothing was tried, but to contain what is broken."""
    cures = {action["result"] for action in report["actions"] if action["step"] not in CONTAINING}
    if any(action["result"] == "failed" for action in report["actions"]):
        return "failed"
    if "done" in cures and not report["proof"]["proven"]:
        return "needs-operator" if report["proof"].get("in_the_way") else "failed"
    if "done" in cures:
        return "needs-operator" if _left(report["diagnosis"], report["actions"]) else "recovered"
    return "refused" if cures else None


def _left_as_it_is(report: JSON) -> Outcome:
    planned = report["mode"] in OWN_PLAN and report["plan"]
    if report["diagnosis"]["status"] != "faulty" and not planned:
        return t.cast(Outcome, report["diagnosis"]["status"])
    cures = [step for step in report["plan"] if step["cause"] and step["step"] not in CONTAINING]
    return "needs-operator" if all(step["permitted"] for step in cures) else "refused"


def _left(diagnosis: JSON, actions: list[JSON]) -> list[str]:
    """The roots that none of the steps which were done is for: a node that works is not all."""
    done = {action["step"] for action in actions if action["result"] == "done"}
    return [cause.id for cause in left(diagnosis["root_causes"], done)]


def opening(incident: Incident) -> JSON:
    """The report as it stands after the diagnosis: no action yet, ``outcome`` as if there came none."""
    report = {
        "schema": SCHEMA,
        "host": incident.host,
        "node": incident.node_name,
        "mode": incident.mode,
        "started": instant(incident.started),
        "finished": None,
        "diagnosis": {**describe(incident), "quietness": quietness(incident.node)},
        "plan": [_planned(step) for step in incident.plan],
        "actions": [],
        "proof": {"proven": False, "checks": {}},
        "next": next_command(incident),
        "outside": from_outside(incident.host, incident.node, incident.cluster),
        "evidence": {"node": to_json(incident.node), "cluster": to_json(incident.cluster)},
    }
    return {**report, "outcome": outcome(report)}


def refuse(report: JSON, why: str) -> JSON:
    """*report* with every step refused that was permitted so far."""
    steps = [{**step, "permitted": False, "why": why} if step["permitted"] else step for step in report["plan"]]
    refused = {**report, "plan": steps}
    return {**refused, "outcome": outcome(refused)}


def _planned(step: Step) -> JSON:
    return {
        "step": step.step,
        "permitted": step.permitted,
        "why": step.why,
        "cause": step.cause,
        "notes": list(step.notes),
    }


def close(
    report: JSON,
    acted: list[JSON],
    proof: JSON | None,
    error: str | None,
    now: datetime,
    *,
    notes: t.Sequence[str] = (),
) -> JSON:
    """*report* with what was done, what it proved, and when it ended; *notes* are told beside, and decide nothing.

    Every element of *acted* is the result of a module that acts: ``action``, ``refusals``, ``result``, ``detail``. A guard
    on the node that refuses corrects the plan; under ``--check`` nothing is an action.
    """
    refused = {a["action"]["step"]: "; ".join(a["refusals"]) for a in acted if a["result"] == "refused"}
    steps = [
        {**s, "permitted": False, "why": refused[s["step"]]} if s["step"] in refused else s for s in report["plan"]
    ]
    actions = [
        {**a["action"], "detail": a["detail"]}
        for a in acted
        if a["result"] in ("done", "failed") and report["mode"] in ACTING
    ]
    closed = {
        **report,
        "plan": steps,
        "actions": actions,
        "proof": proof or report["proof"],
        "notes": [*report.get("notes", ()), *(note for a in acted for note in a.get("notes", ())), *notes],
        "next": _owners(acted) or _of_what_is_left(report["diagnosis"], actions) or report["next"],
        "finished": instant(now),
    }
    if error:
        closed["error"] = error
    result = outcome(closed)
    return {**closed, "outcome": "failed" if error and actions else "unknown" if error else result}


def _of_what_is_left(diagnosis: JSON, actions: list[JSON]) -> str:
    """What to type about the first root that nothing was done for; empty when nothing was done at all, or for all of them."""
    others = _left(diagnosis, actions) if any(action["result"] == "done" for action in actions) else []
    return "".join(finding["next"] for finding in diagnosis["findings"] if finding["cause"] in others[:1])


def _owners(acted: list[JSON]) -> str:
    """What to type about the Pods that stand in the way of a repair; empty when there are none. A node's words are not trusted."""
    named = [str(owner) for a in acted if a["result"] == "refused" for owner in a.get("owners", ())]
    pods = [name.split("/") for name in named if re.fullmatch(POD, name)]
    commands = "; ".join(f"kubectl describe pod -n {namespace} {name}" for namespace, name in pods[:MOST_OWNERS])
    return f"{commands} says whose data fills the disk: only they can say what may go" if commands else ""


def underway(report: JSON) -> JSON:
    """*report* as it is written before anything is done: what stays of a run that is killed from here on."""
    steps = ", ".join(step["step"] for step in report["plan"] if step["permitted"])
    words = f"this run was about to do {steps}, and has not ended: it is at work, or it was interrupted"
    return {**report, "outcome": "unknown", "error": words, "next": "run it again: it finishes or undoes what is left"}


def inherited(before: JSON, report: JSON) -> list[str]:
    """The notes that the report *before*, which says that its run did not end, has for this *report*.

    It is the same run's, written before it acted; or another run's, which was interrupted. Empty: there is none.
    """
    if not before.get("started") or before.get("finished", "") is not None:
        return []
    if before["started"] == report["started"]:
        return list(before.get("notes", ()))
    steps = [step["step"] for step in before.get("plan", ()) if step["permitted"]]
    return [f"the run of {before['started']} was interrupted; it was about to do {', '.join(steps) or 'nothing'}"]


def brief(report: JSON) -> JSON:
    """What a summary of many runs shows of this one."""
    diagnosis = report["diagnosis"]
    return {
        "host": report["host"],
        "outcome": report["outcome"],
        "diagnosis": {"status": diagnosis["status"], "root_causes": list(diagnosis["root_causes"])},
        "actions": [{"step": action["step"], "result": action["result"]} for action in report["actions"]],
    }


def stillborn(host: str, mode: Mode, now: datetime) -> JSON:
    """The report of a run that failed before there was a diagnosis."""
    return {
        "schema": SCHEMA,
        "host": host,
        "node": host,
        "mode": mode,
        "started": instant(now),
        "finished": None,
        "diagnosis": {
            "status": "unknown",
            "root_causes": [],
            "findings": [],
            "unexplained": [],
            "unknown": [],
            "checks": {},
            "signals": [],
        },
        "plan": [],
        "actions": [],
        "proof": {"proven": False, "checks": {}},
        "next": "mend what the error says, and run it again",
        "outside": None,
        "evidence": None,
        "outcome": "unknown",
    }


def describe(incident: Incident) -> JSON:
    """The diagnosis as the report holds it."""
    diagnosis, names = incident.diagnosis, Names(incident)
    return {
        "status": diagnosis.status,
        "root_causes": diagnosis.root_causes,
        "findings": [
            {
                "cause": f.cause.id,
                "title": f.cause.title,
                "why": f.cause.why,
                "role": f.role,
                "layer": f.cause.layer,
                "restart": f.cause.restart,
                "evidence": list(f.evidence),
                "next": f.cause.advice.format_map(names),
            }
            for f in diagnosis.findings
        ],
        "unexplained": list(diagnosis.unexplained),
        "unknown": list(diagnosis.unknown),
        "checks": {c.name: c.ok for c in diagnosis.checks},
        "signals": [
            {"signal": s.id, "title": s.title, "evidence": list(s.evidence), "explained": list(s.explained)}
            for s in diagnosis.signals
        ],
    }


def quietness(node: NodeEvidence) -> JSON:
    """How much the kubelet complains, noisy or not; null when its log could not be read."""
    try:
        found = noise(node.kubelet.journal, node.kubelet.unit.started, node.identity.uptime)
    except Undecided:
        return None
    top = [{"shape": shape, "count": count} for shape, count in found.top]
    return {"errors_per_minute": found.per_minute, "minutes": found.minutes, "top": top}


def next_command(incident: Incident) -> str:
    """The one thing to type next; empty when there is nothing to do."""
    if incident.diagnosis.status == "healthy":
        latent = [f for f in incident.diagnosis.findings if f.role == "latent"]
        return latent[0].cause.advice.format_map(Names(incident)) if latent else ""
    if incident.diagnosis.roots:
        return incident.diagnosis.roots[0].cause.advice.format_map(Names(incident))
    return f"look at the evidence in the report of {incident.host}: no known cause fits it"


class Names(dict[str, str]):
    """The node's own names for the placeholders of a cause's advice."""

    def __init__(self, incident: Incident) -> None:
        super().__init__(host=incident.host, node=incident.node_name)
        self._node, self._cluster = incident.node, incident.cluster

    def __missing__(self, key: str) -> str:
        """A name from the evidence; when it is unknown, the placeholder stays readable."""
        node = self._node
        sources: dict[str, t.Callable[[], t.Optional[str]]] = {
            "binary": lambda: node.profile.binary,
            "root_dir": lambda: node.profile.root_dir,
            "ca_file": lambda: node.profile.ca_file,
            "runtime_root": lambda: node.profile.runtime_root,
            "unit": lambda: node.profile.unit,
            "runtime_unit": lambda: node.profile.runtime_unit,
            "runtime_config": lambda: node.profile.runtime_config,
            "kubeconfig": lambda: node.profile.kubeconfig,
            "config": lambda: node.profile.config,
            "cni_config_dir": lambda: node.profile.cni_config_dir,
            "most_memory": lambda: most_memory(node),
            "most_processes": lambda: most_processes(node),
            "mount": lambda: node.pressure.nodefs.mount_point,
            "server": lambda: node.network.api.server,
            "release": lambda: self._cluster.node.kubelet_version.lstrip("v") if self._cluster.node else None,
        }
        try:
            return sources[key]() or f"<{key}>"
        except Undecided:
            return f"<{key}>"
