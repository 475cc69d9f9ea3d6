# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Every certificate and key that a kubelet depends on, and which of them fails first. Pure.

A date is judged by the node's clock, since it is the node that goes by it; by one that is not to be trusted it is not
judged at all.
"""

from __future__ import annotations

import typing as t
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from .cluster import ClusterEvidence, SigningRequest
from .evidence import JSON, Undecided
from .node import Certificate, NodeEvidence
from .signing import CLIENT, SERVING
from .signs import clock_trusted, instant

State = t.Literal["failed", "unknown", "soon", "ok"]
STATES: t.Final[tuple[State, ...]] = t.get_args(State)
NAMES: t.Final = {CLIENT: "client", SERVING: "serving"}
# A kubelet rotates between 70 and 90 of 100 parts of a certificate's life (client-go/util/certificate).
ROTATED_FROM, ROTATED_BY = 0.7, 0.9
OVERDUE: t.Final = "its rotation is overdue"


@dataclass(frozen=True)
class Item:
    """One thing that the kubelet depends on."""

    what: str  # client, serving, cluster-ca, client-ca, kubeconfig, request
    path: str
    state: State
    why: str  # one clause for a person
    subject: str = ""
    usages: tuple[str, ...] = ()
    not_before: datetime | None = None
    not_after: datetime | None = None


def inspected(node: NodeEvidence, cluster: ClusterEvidence, least: timedelta) -> tuple[Item, ...]:
    """What fails first comes first; what has less than *least* left is to be renewed soon."""
    found = [item for name, look in _LOOKS.items() for item in _told(name, look, node, cluster, least)]
    return tuple(sorted(found, key=_urgency))


def described(items: Collection[Item]) -> list[JSON]:
    """As a module returns them."""
    return [
        {
            "what": item.what,
            "path": item.path,
            "state": item.state,
            "why": item.why,
            "subject": item.subject,
            "usages": list(item.usages),
            "not_before": instant(item.not_before) if item.not_before else None,
            "not_after": instant(item.not_after) if item.not_after else None,
        }
        for item in items
    ]


def table(rows: Collection[JSON]) -> list[str]:
    """One line for each of *rows* (:func:`described`, with ``host``) of a whole fleet, what fails first on top."""
    lines = [("host", "what", "state", "until", "why")]
    for row in sorted(rows, key=lambda row: (STATES.index(row["state"]), row["not_after"] or "", row["host"])):
        lines.append((row["host"], row["what"], row["state"], row["not_after"] or "-", row["why"]))
    widths = [max(len(line[column]) for line in lines) for column in range(4)]
    return ["  ".join([*(c.ljust(w) for c, w in zip(line, widths)), line[4]]).rstrip() for line in lines]


def _urgency(item: Item) -> tuple[int, str, str]:
    return STATES.index(item.state), instant(item.not_after) if item.not_after else "", item.what


Look = Callable[[NodeEvidence, ClusterEvidence, timedelta], Iterator[Item]]


def _told(name: str, look: Look, node: NodeEvidence, cluster: ClusterEvidence, least: timedelta) -> Iterator[Item]:
    """What could not be looked at is an item too."""
    try:
        yield from list(look(node, cluster, least))
    except Undecided as doubt:
        yield Item(name, "", "unknown", f"cannot tell: {doubt}")


def _kubeconfig(node: NodeEvidence, cluster: ClusterEvidence, least: timedelta) -> Iterator[Item]:
    config = node.certificates.kubeconfig
    path = config.file.path
    if not config.file.exists:
        yield Item("kubeconfig", path, "failed", "it does not exist")
    elif config.problem is not None:
        yield Item("kubeconfig", path, "failed", f"it cannot be used: {config.problem}")
    else:
        yield Item("kubeconfig", path, "ok", f"it leads to {config.server}")


def _client(node: NodeEvidence, cluster: ClusterEvidence, least: timedelta) -> Iterator[Item]:
    certificates = node.certificates
    path = certificates.client_file.path
    if certificates.client_problem is not None:
        yield Item("client", path, "failed", f"it holds no certificate: {certificates.client_problem}")
    elif certificates.client is None:
        link = certificates.client_file.link_target
        yield Item("client", path, "failed", f"it does not exist{f' (a link to {link})' if link else ''}")
    else:
        yield _certificate("client", certificates.client, node, least, _client_faults(node, cluster))


def _client_faults(node: NodeEvidence, cluster: ClusterEvidence) -> Iterator[str]:
    certificate = t.cast(Certificate, node.certificates.client)
    if certificate.key_matches is False:
        yield "its key is another certificate's"
    if certificate.signed_by_ca is False:
        yield "the CA of the kubeconfig has not signed it"
    if certificate.common_name != f"system:node:{cluster.name}" or "system:nodes" not in certificate.organizations:
        yield f"it is of {certificate.common_name}, not of system:node:{cluster.name}"
    if certificate.usages and "clientAuth" not in certificate.usages:
        yield "it is not for clients"
    if node.network.api.status == 401:
        yield "the API server answers it with 401"


def _serving(node: NodeEvidence, cluster: ClusterEvidence, least: timedelta) -> Iterator[Item]:
    certificate = node.certificates.serving
    if certificate is not None:
        yield _certificate("serving", certificate, node, least, _serving_faults(certificate, node))
    elif node.kubelet.config.server_tls_bootstrap:
        yield Item("serving", node.profile.pki_dir, "failed", "there is none, and serverTLSBootstrap is on")


def _serving_faults(certificate: Certificate, node: NodeEvidence) -> Iterator[str]:
    """A self-signed one (kubelet.crt) is what a kubelet has without serverTLSBootstrap; k3s has a CA of its own for it."""
    if certificate.key_matches is False:
        yield "its key is another certificate's"
    if certificate.signed_by_ca is False and node.profile.name == "kubeadm":
        yield "the CA of the kubeconfig has not signed it"


def _cluster_ca(node: NodeEvidence, cluster: ClusterEvidence, least: timedelta) -> Iterator[Item]:
    """A CA that has changed shows itself at the next connection."""
    certificate = node.certificates.ca
    if certificate is None:
        yield Item("cluster-ca", node.certificates.kubeconfig.file.path, "failed", "the kubeconfig trusts no CA")
    else:
        yield _certificate("cluster-ca", certificate, node, least, _distrusted(node))


def _client_ca(node: NodeEvidence, cluster: ClusterEvidence, least: timedelta) -> Iterator[Item]:
    file, certificate = node.certificates.client_ca_file, node.certificates.client_ca
    if file is not None and certificate is None:
        yield Item("client-ca", file.path, "failed", "clientCAFile does not exist")
    elif certificate is not None:
        yield _certificate("client-ca", certificate, node, least, _other(certificate, node))


def _distrusted(node: NodeEvidence) -> Iterator[str]:
    """The CA that the cluster has now is the one that the API server proves itself with to this node."""
    api = node.network.api
    if api.outcome == "tls":
        yield f"{api.server} does not prove itself by it: {api.detail}"


def _other(certificate: Certificate, node: NodeEvidence) -> Iterator[str]:
    """kubeadm has one CA for both; k3s has two."""
    trusted = node.certificates.ca
    if node.profile.name == "kubeadm" and trusted and trusted.fingerprint != certificate.fingerprint:
        yield "it is another CA than the kubeconfig's"


def _requests(node: NodeEvidence, cluster: ClusterEvidence, least: timedelta) -> Iterator[Item]:
    """Those that were made since the last one that was issued."""
    every = cluster.node.signing_requests if cluster.node else cluster.orphans
    for signer, name in NAMES.items():
        ours = sorted((r for r in every if r.signer == signer), key=_made)
        issued = [at for at, request in enumerate(ours) if request.state == "issued"]
        for request in ours[issued[-1] + 1 if issued else 0 :]:
            state: State = "failed" if request.state in ("denied", "failed") else "soon"
            yield Item("request", request.name, state, f"for a {name} certificate, {request.state}")


def _made(request: SigningRequest) -> tuple[str, str]:
    return instant(request.created) if request.created else "", request.name


_LOOKS: t.Final[dict[str, Look]] = {
    "kubeconfig": _kubeconfig,
    "client": _client,
    "serving": _serving,
    "cluster-ca": _cluster_ca,
    "client-ca": _client_ca,
    "request": _requests,
}


def _certificate(
    what: str, certificate: Certificate, node: NodeEvidence, least: timedelta, faults: Iterator[str]
) -> Item:
    state, why = _dates(what, certificate, node, least)
    wrong = list(faults)
    return Item(
        what=what,
        path=certificate.path,
        state="failed" if wrong else state,
        why="; ".join([*wrong, why]),
        subject=", ".join([*(f"O={name}" for name in certificate.organizations), f"CN={certificate.common_name}"]),
        usages=certificate.usages,
        not_before=certificate.not_before,
        not_after=certificate.not_after,
    )


def _dates(what: str, certificate: Certificate, node: NodeEvidence, least: timedelta) -> tuple[State, str]:
    if not clock_trusted(node):
        return "unknown", "the node's clock is not to be trusted, so no date is judged by it"
    now, left = node.clock.now, certificate.not_after - node.clock.now
    if left <= timedelta():
        return "failed", "it has expired"
    if certificate.not_before > now:
        return "failed", f"it is not valid before {instant(certificate.not_before)}"
    rotation = _rotation(certificate, node) if what == "client" else ""
    soon = left < least or rotation == OVERDUE
    return "soon" if soon else "ok", f"{_length(left)} left{rotation and f'; {rotation}'}"


def _rotation(certificate: Certificate, node: NodeEvidence) -> str:
    """How the kubelet's own rotation stands, when it is worth a word."""
    if not node.kubelet.config.rotate_certificates:
        return "nobody rotates it (rotateCertificates is off)"
    life = certificate.not_after - certificate.not_before
    part = (node.clock.now - certificate.not_before) / life if life else 1.0
    return OVERDUE if part > ROTATED_BY else "its rotation is due" if part > ROTATED_FROM else ""


def _length(left: timedelta) -> str:
    return f"{left.days} days" if left.days >= 2 else f"{left.total_seconds() / 3600:.0f} hours"
