# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Causes in how a node joins and who it says it is: tokens, signing requests, borrowed identities."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

from ..cluster import ClusterEvidence, SigningRequest
from ..node import NodeEvidence
from ..registry import cause
from ..signing import CLIENT, SERVING
from ..signs import (
    api_now,
    clock_trusted,
    instant,
    kubelet_answers,
    kubelet_works,
    lately,
    lease_fresh,
    quote,
    said,
)

# An approver works in seconds; the signer of a busy controller manager in tens of them.
PATIENCE = timedelta(seconds=60)
# A rotation starts with weeks to spare: nothing that waits for minutes only is news.
ROTATION_PATIENCE = timedelta(minutes=5)
# Its first status after a start is posted at once; a slow node takes its time.
FIRST_STATUS = timedelta(seconds=60)
# A kubelet that finds its boot ID replaced says so at each of its updates.
REBOOTS = 2


def requests(cluster: ClusterEvidence, signer: str) -> list[SigningRequest]:
    """This node's requests to *signer*, oldest first, also those of a node that the API does not have yet."""
    found = cluster.node.signing_requests if cluster.node else cluster.orphans
    ours = [request for request in found if request.signer == signer]
    return sorted(ours, key=lambda request: (request.created or api_now(cluster), request.name))


def since_issued(ours: list[SigningRequest]) -> list[SigningRequest]:
    """Those after the last one that was issued: a denied one is asked for again, and again."""
    issued = [at for at, request in enumerate(ours) if request.state == "issued"]
    return ours[issued[-1] + 1 :] if issued else ours


def waiting(request: SigningRequest, cluster: ClusterEvidence, patience: timedelta) -> bool:
    """Nobody has approved it, or nobody has signed it, for longer than *patience*."""
    if request.state not in ("pending", "approved") or request.created is None:
        return False
    return api_now(cluster) - request.created > patience


def has_serving(node: NodeEvidence) -> bool:
    """There is a serving certificate in date that the cluster has signed (kubelet.crt is self-signed)."""
    serving = node.certificates.serving
    return (
        serving is not None
        and serving.path.endswith("kubelet-server-current.pem")
        and serving.not_after > node.clock.now
    )


def serving_works(node: NodeEvidence, cluster: ClusterEvidence) -> bool:
    """The request is for the next certificate; this one still serves."""
    return has_serving(node)


@cause(
    id="bootstrap-token-expired",
    layer="auth",
    title="The bootstrap token that the kubelet joins with has expired or was deleted",
    restart="useless",
    refusal="the API server refuses the token at every start",
    automate="guarded",
    repair="renew-client-certificate",
    explains=("sym:kubelet-crashloop", "sym:node-absent", "sym:node-unknown"),
    advice="ansible-playbook certificates-recover.yml -l {host}",
)
def bootstrap_token_expired(node: NodeEvidence, cluster: ClusterEvidence) -> Iterator[str]:
    """A kubeadm token lives for a day. 401 to the token; x509 would be another CA, 403 a missing binding."""
    certificates = node.certificates
    if not certificates.bootstrap_kubeconfig.exists or certificates.client_file.exists:
        return
    pattern = (
        r"(?:signed certificate from the control plane|cannot create certificate signing request).{0,300}Unauthorized"
    )
    found = said(node.kubelet.journal, pattern, several_turns=True)
    if found:
        yield f"{certificates.bootstrap_kubeconfig.path} is there, and {certificates.client_file.path} is not"
        yield quote(found[0])


@cause(
    id="kubelet-serving-csr-pending",
    layer="auth",
    title="The kubelet waits for its serving certificate: nobody has approved the request",
    restart="useless",
    refusal="the kubelet would ask once more, and wait again",
    automate="guarded",
    explains=("sym:logs-exec-fail",),
    latent=serving_works,
    advice="ansible-playbook certificates-approve.yml -l {host}",
)
def serving_csr_pending(node: NodeEvidence, cluster: ClusterEvidence) -> Iterator[str]:
    """serverTLSBootstrap without an approver: logs and exec end in `tls: internal error` while the Node is Ready."""
    if not node.kubelet.config.server_tls_bootstrap:
        return
    ours = requests(cluster, SERVING)
    if has_serving(node):
        late = [request for request in ours[-1:] if waiting(request, cluster, ROTATION_PATIENCE)]
    else:
        late = [request for request in ours[-1:] if request.state in ("pending", "approved")]
    for request in late:
        yield f"{request.name} ({SERVING}) of {request.requestor} is {request.state}"
        if not has_serving(node):
            yield "the kubelet has no serving certificate of the cluster"


@cause(
    id="kubelet-client-csr-pending",
    layer="auth",
    title="The kubelet's request for a client certificate is not answered",
    restart="useless",
    refusal="the kubelet would ask once more, and wait again",
    automate="guarded",
    explains=("kubelet-client-cert-expired", "sym:node-absent", "sym:node-unknown"),
    latent=kubelet_works,
    advice="ansible-playbook certificates-recover.yml -l {host}; that the next one is answered takes the binding "
    "kubeadm:node-autoapprove-certificate-rotation, and for one that is approved the signer of kube-controller-manager",
    renewed=True,
)
def client_csr_pending(node: NodeEvidence, cluster: ClusterEvidence) -> Iterator[str]:
    """Pending: the approver's binding is missing. Approved and not issued: the signer is."""
    for request in requests(cluster, CLIENT)[-1:]:
        if waiting(request, cluster, PATIENCE) and request.created:
            yield f"{request.name} ({CLIENT}) of {request.requestor} is {request.state} since {instant(request.created)}"


@cause(
    id="kubelet-client-csr-denied",
    layer="auth",
    title="The kubelet's request for a client certificate was denied",
    restart="useless",
    refusal="the kubelet would ask once more, and be denied again",
    explains=("kubelet-client-csr-pending", "sym:node-absent", "sym:node-unknown"),
    latent=kubelet_works,
    advice="ask who denied the request named above; when {node} is to be in the cluster: ansible-playbook "
    'certificates-recover.yml -l {host} -e \'{{"outward_steps": {{"allow": ["renew-client-certificate"]}}}}\'',
    renewed=True,
)
def client_csr_denied(node: NodeEvidence, cluster: ClusterEvidence) -> Iterator[str]:
    """It runs on as system:anonymous and its own healthz stays ok; only the API rejects it.

    Somebody has said no: it asks once more only when a person allows that step by name.
    """
    denied = [request for request in since_issued(requests(cluster, CLIENT)) if request.state in ("denied", "failed")]
    if denied and not node.certificates.client_file.exists:
        yield f"{denied[-1].name} ({CLIENT}) of {denied[-1].requestor} is {denied[-1].state}"
        yield f"{node.certificates.client_file.path} does not exist"


@cause(
    id="kubelet-half-joined",
    layer="auth",
    title="The join of this node stopped half-way",
    restart="useless",
    refusal="the kubelet has nothing to prove itself with",
    automate="guarded",
    repair="renew-client-certificate",
    explains=("kubelet-client-pem-missing", "sym:kubelet-crashloop", "sym:node-absent"),
    advice="ansible-playbook certificates-recover.yml -l {host}",
)
def half_joined(node: NodeEvidence, cluster: ClusterEvidence) -> Iterator[str]:
    """kubelet.conf names a certificate that was never written, and the bootstrap file is gone already."""
    certificates = node.certificates
    named = certificates.kubeconfig.client_certificate
    if not named or certificates.client_file.exists or certificates.bootstrap_kubeconfig.exists:
        return
    if not certificates.client_files and cluster.node is None:
        yield f"{certificates.kubeconfig.file.path} names {named}, and no client certificate was ever written"
        yield f"the API server has no Node {cluster.name}"


@cause(
    id="node-identity-wrong",
    layer="auth",
    title="The kubelet proves itself as somebody else than this node",
    restart="useless",
    refusal="the API server refuses the same certificate again",
    explains=("sym:flapping", "sym:lease-stale", "sym:node-unknown"),
    advice="a cloned card: give {host} a name and a machine-id of its own, then on it sudo kubeadm reset, and "
    "ansible-playbook node-join.yml -l {host}",
)
def node_identity_wrong(node: NodeEvidence, cluster: ClusterEvidence) -> Iterator[str]:
    """A copied admin.conf or a cloned card; refused now, whatever the Lease still says.

    One secret with `no relationship found` is only the authorizer's lag.
    """
    certificate = node.certificates.client
    if certificate is None or node.identity.hostname.lower() != cluster.name:
        return
    expected = f"system:node:{cluster.name}"
    if certificate.common_name == expected and "system:nodes" in certificate.organizations:
        return
    refused = (
        r'forbidden: (?:User "[^"]{1,253}" cannot|node "[^"]{1,253}" is not allowed)(?!.{0,300}no relationship found)'
    )
    found = lately(node, refused, node.kubelet.journal)
    if found:
        groups = ", ".join(certificate.organizations) or "no group"
        yield f"the certificate is of {certificate.common_name} ({groups}), not of {expected} (system:nodes)"
        yield quote(found[0])


@cause(
    id="duplicate-node-identity",
    layer="auth",
    title="Another machine posts status under this node's name",
    restart="useless",
    refusal="the other machine would go on posting",
    explains=("node-identity-wrong", "sym:flapping"),
    advice="find the other machine with the identity of {node} (a cloned card?), stop its kubelet, give it a name and a "
    "machine-id of its own, then on it sudo kubeadm reset, and ansible-playbook node-join.yml -l <its host>",
)
def duplicate_node_identity(node: NodeEvidence, cluster: ClusterEvidence) -> Iterator[str]:
    """A boot ID that is not this machine's, in a status newer than this kubelet, can only be another machine's."""
    if cluster.node is None or not kubelet_answers(node) or not lease_fresh(node, cluster):
        return
    started, ready = node.kubelet.unit.started, cluster.node.condition("Ready")
    if started is None or ready is None or ready.heartbeat is None or not clock_trusted(node):
        return
    settled = node.clock.now - timedelta(seconds=node.identity.uptime - started) + FIRST_STATUS
    if ready.heartbeat > settled and cluster.node.boot_id not in ("", node.identity.boot_id):
        yield f"the Node's status of {instant(ready.heartbeat)} has the boot ID {cluster.node.boot_id}"
        yield f"this machine's is {node.identity.boot_id}, and its kubelet runs since before that"
        return
    foreign = [
        e for e in cluster.node.events if e.kind == "Node" and e.reason == "Rebooted" and e.last and e.last > settled
    ]
    if sum(event.count for event in foreign) >= REBOOTS and len({_boot(event.message) for event in foreign}) > 1:
        yield f"{sum(event.count for event in foreign)} events Rebooted since this kubelet started, with several boot IDs"


def _boot(message: str) -> str:
    """`Node pi-04 has been rebooted, boot id: ...` (pkg/kubelet/nodestatus)."""
    match = re.search(r"boot id: ([0-9a-f-]{1,40})", message)
    return match.group(1) if match else ""
