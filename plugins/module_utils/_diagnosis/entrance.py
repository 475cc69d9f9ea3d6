# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""The report of a run that joins a machine: what it is now, and what is to be done. Pure."""

from __future__ import annotations

import typing as t
from collections.abc import Collection

from .conclude import Look
from .diagnose import diagnose
from .evidence import JSON
from .gate import Refusal
from .incident import Incident, opening, outcome
from .membership import CAUSE
from .plan import Step
from .steps import JOIN

TITLE: t.Final = "This machine is not a node of the cluster"
WHY: t.Final = "joined means that the certificate is valid, its CA is the cluster's, and the Node is this machine"
AGAIN: t.Final = "mend what is refused, and run it again"


def opened(look: Look, reasons: Collection[str], refusals: Collection[Refusal]) -> JSON:
    """``incident``, ``permitted``, ``repairs`` and ``fingerprint`` as node_lock takes them; no *reasons*: it has joined already.

    The fingerprint is of this run: what kept the last one from joining may lie outside the machine.
    """
    steps = () if not reasons else (Step(JOIN, not refusals, _why(refusals), CAUSE),)
    diagnosis = diagnose(look.node, look.cluster)
    incident = Incident(look.host, look.name, look.mode, look.started, look.node, look.cluster, diagnosis, steps)
    report = opening(incident)
    if reasons:
        then = AGAIN if refusals else ""
        report = {**report, "diagnosis": _not_joined(report["diagnosis"], reasons, then), "next": then}
    return {
        "incident": {**report, "outcome": outcome(report)},
        "permitted": {JOIN: CAUSE} if reasons and not refusals else {},
        "repairs": [],
        "fingerprint": f"{int(look.started.timestamp() * 1_000_000):016x}",
    }


def _why(refusals: Collection[Refusal]) -> str:
    return "; ".join(refusal.words for refusal in refusals) or "nothing speaks against it"


def _not_joined(diagnosis: JSON, reasons: Collection[str], then: str) -> JSON:
    """That is all that is wrong with it: the causes of the catalogue are those of nodes."""
    finding = {
        "cause": CAUSE,
        "title": TITLE,
        "why": WHY,
        "role": "root",
        "layer": "auth",
        "restart": "useless",
        "evidence": list(reasons),
        "next": then,
    }
    plain = {"status": "faulty", "root_causes": [CAUSE], "findings": [finding], "unexplained": [], "unknown": []}
    return {**diagnosis, **plain, "signals": []}
