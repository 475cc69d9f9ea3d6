# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Which certificates of a healthy node are due, and whether they may be rotated now. Pure."""

from __future__ import annotations

import hashlib
import typing as t
from collections.abc import Collection, Iterator
from datetime import timedelta

from .cluster import ClusterEvidence
from .conclude import Look
from .diagnose import Diagnosis, diagnose
from .evidence import JSON
from .gate import Refusal, ask
from .guards import Policy, crowded, intentions
from .incident import Incident, opening
from .node import Certificate, NodeEvidence
from .plan import Step
from .signs import clock_trusted, instant
from .steps import RENEW, SERVE
from .workload import notes

CLIENT_DUE, SERVING_DUE = "client-certificate-due", "serving-certificate-due"
Kind = t.Literal["client", "serving"]
KINDS: t.Final[tuple[Kind, ...]] = t.get_args(Kind)
STEPS: t.Final[dict[Kind, tuple[str, str]]] = {"client": (RENEW, CLIENT_DUE), "serving": (SERVE, SERVING_DUE)}
SIGNED: t.Final = "kubelet-server-current.pem"


def due(kind: Kind, node: NodeEvidence, least: timedelta) -> Iterator[str]:
    """the certificate is due: why it is, and nothing when it is not."""
    found = node.certificates.client if kind == "client" else node.certificates.serving
    if kind == "serving" and not node.kubelet.config.server_tls_bootstrap:
        yield "its kubelet signs its own serving certificate (serverTLSBootstrap is off)"
    elif kind == "serving" and (found is None or not found.path.endswith(SIGNED)):
        yield "it has no serving certificate of the cluster"
    elif found is not None and clock_trusted(node) and found.not_after - node.clock.now < least:
        yield f"its {kind} certificate is good until {instant(found.not_after)}"


def opened(look: Look, kinds: Collection[Kind], least: timedelta, policy: Policy) -> JSON:
    """``incident``, ``permitted`` and ``fingerprint`` as node_lock takes them; nothing is due: no step is planned."""
    diagnosis = diagnose(look.node, look.cluster)
    refusals = tuple(words for words in (*_unfit(look, diagnosis), *_guards(look.cluster, policy)))
    steps = tuple(step for kind in KINDS if kind in kinds for step in _step(kind, look, least, refusals))
    incident = Incident(look.host, look.name, look.mode, look.started, look.node, look.cluster, diagnosis, steps)
    return {
        "incident": opening(incident),
        "permitted": {step.step: step.cause for step in steps if step.permitted},
        "repairs": [],
        "fingerprint": _fingerprint(look.node),
    }


def _step(kind: Kind, look: Look, least: timedelta, refusals: tuple[str, ...]) -> Iterator[Step]:
    """What cannot be told is refused, and planned, so that somebody reads it."""

    def rule(node: NodeEvidence) -> Iterator[str]:
        """the certificate is due."""
        yield from due(kind, node, least)

    name, cause = STEPS[kind]
    found: tuple[Refusal, ...] = ask(look.node, (rule,))
    doubts = tuple(reason.words for reason in found if reason.doubt)
    if found:
        against = (*doubts, *refusals)
        why = "; ".join(against or (reason.words for reason in found))
        yield Step(name, not against, why, cause, notes(name, look.cluster))


def _unfit(look: Look, diagnosis: Diagnosis) -> Iterator[str]:
    """A node that is not well is recovered, and by somebody who has read what it has."""
    if diagnosis.status != "healthy":
        yield f"the node is not healthy ({diagnosis.status}): ansible-playbook certificates-recover.yml -l {look.host}"
    if look.cluster.node is not None and look.cluster.node.control_plane:
        yield "it is a control-plane node, whose certificates are kubeadm's: kubeadm certs renew"


def _guards(cluster: ClusterEvidence, policy: Policy) -> Iterator[str]:
    yield from intentions(cluster, policy)
    full = crowded(cluster, policy)
    if full:
        yield full


def _fingerprint(node: NodeEvidence) -> str:
    """What is replaced: the ledger refuses to replace the same again."""
    known = vars(node).get("certificates")
    parts = [vars(known).get(name) for name in ("client", "serving")] if known else []
    told = [_told(part) for part in parts if isinstance(part, Certificate)]
    return hashlib.sha256(repr(told).encode()).hexdigest()[:16]


def _told(certificate: Certificate) -> tuple[t.Any, ...]:
    return tuple(vars(certificate).get(name) for name in ("issuer", "serial", "not_after"))
