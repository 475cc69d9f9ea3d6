# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Causes in certificates, identity and time. The clock comes first: without it no date is admissible."""

from __future__ import annotations

from collections.abc import Iterator

from ..cluster import ClusterEvidence
from ..node import NodeEvidence
from ..registry import cause
from ..signs import (
    CLOCK_TOLERANCE,
    api_now,
    clock_offset,
    clock_trusted,
    clock_witness,
    instant,
    kubelet_answers,
    kubelet_works,
    lease_expired,
    true_time,
)

NEW_CERTIFICATE = "ansible-playbook certificates-recover.yml -l {host}"


@cause(
    id="kubelet-client-cert-expired",
    layer="auth",
    title="The kubelet's client certificate has expired",
    restart="useless",
    refusal="a restart cannot renew a certificate",
    automate="guarded",
    repair="renew-client-certificate",
    explains=("sym:kubelet-crashloop", "sym:node-unknown"),
    latent=kubelet_works,
    advice=NEW_CERTIFICATE,
)
def client_certificate_expired(node: NodeEvidence, cluster: ClusterEvidence) -> Iterator[str]:
    """kubeadm deletes bootstrap-kubelet.conf after the join, so no restart can renew it."""
    certificate, now = node.certificates.client, true_time(node)
    if certificate and now and certificate.not_after < now:
        yield f"client certificate expired {instant(certificate.not_after)}"
        yield clock_witness(node)


@cause(
    id="kubelet-client-pem-missing",
    layer="auth",
    title="The kubelet's client certificate file is gone",
    restart="harmful",
    refusal="the kubelet reads the file at its start, and would not come back",
    automate="guarded",
    repair="relink-client-certificate",
    renewed=True,
    explains=("sym:kubelet-crashloop", "sym:node-unknown"),
    latent=kubelet_works,
    advice=NEW_CERTIFICATE,
)
def client_pem_missing(node: NodeEvidence, cluster: ClusterEvidence) -> Iterator[str]:
    """kubelet.conf points at it and there is no bootstrap kubeconfig to get another with."""
    kubeconfig, file = node.certificates.kubeconfig, node.certificates.client_file
    bootstrap = node.certificates.bootstrap_kubeconfig
    if kubeconfig.client_certificate and not file.exists and not bootstrap.exists:
        link = f" (a link to {file.link_target})" if file.link_target else ""
        yield f"{kubeconfig.client_certificate} does not exist{link}"
        yield f"{bootstrap.path} does not exist either"


@cause(
    id="node-object-deleted",
    layer="auth",
    title="The Node was deleted from the API while its kubelet runs",
    restart="helps",
    refusal="a kubelet registers its Node only at its start",
    automate="guarded",
    repair="restart-kubelet",
    explains=("sym:node-absent",),
    advice="if {node} is meant to be in the cluster: ansible-playbook node-recover.yml -l {host}",
)
def node_object_deleted(node: NodeEvidence, cluster: ClusterEvidence) -> Iterator[str]:
    """The kubelet registers once and never again; the API answers 404, not 401 and not 403."""
    if cluster.node is not None or not kubelet_answers(node):
        return
    certificate = node.certificates.client
    if certificate and certificate.common_name == f"system:node:{cluster.name}":
        yield f"the API server has no Node {cluster.name}"
        yield f"its kubelet runs with the identity {certificate.common_name}"


@cause(
    id="clock-skew-past",
    layer="clock",
    title="The node's clock is behind",
    restart="useless",
    refusal="a restart does not set the clock",
    automate="safe",
    repair="start-time-sync",
    explains=(
        "node-ready-stale-after-clock-step",
        "registry-unreachable-from-node",
        "sym:lease-stale",
        "sym:node-unknown",
    ),
    advice="ssh {host} timedatectl; bring time synchronisation back (sudo systemctl start systemd-timesyncd)",
)
def clock_skew_past(node: NodeEvidence, cluster: ClusterEvidence) -> Iterator[str]:
    """A Pi without a battery starts in the past; the kubelet says nothing, and Ready can stay True for ever."""
    offset = clock_offset(node)
    if offset is not None and offset < -CLOCK_TOLERANCE:
        yield f"the node's clock is {-offset:.0f} s behind the API server's"
        yield f"the kernel says synchronised: {'yes' if node.clock.synchronized else 'no'}" + (
            f" ({node.clock.service})" if node.clock.service else "; no time service is active"
        )


@cause(
    id="node-ready-stale-after-clock-step",
    layer="clock",
    kind="external",
    title="Ready is True although nobody vouches for it: the Lease does not fit the API server's clock",
    restart="useless",
    refusal="the control plane would not notice a restart either",
    explains=(),
    advice="set the clock of {host}, then judge its kubelet by what it says itself",
)
def ready_stale_after_clock_step(node: NodeEvidence, cluster: ClusterEvidence) -> Iterator[str]:
    """From 1.37 the node controller skips a Node whose Lease went back in time, and leaves Ready as it was.

    Gate NodeControllerLeaseCircuitBreaker, beta and on; seen in the lab with the kubelet stopped.
    """
    if cluster.node is None or cluster.node.lease is None:
        return
    ready, lease = cluster.node.condition("Ready"), cluster.node.lease
    if not ready or ready.status != "True":
        return
    ahead = (lease.renewed - api_now(cluster)).total_seconds()
    behind = -ahead - lease.duration
    if ahead > CLOCK_TOLERANCE:
        yield f"Ready is True; the Lease was renewed {ahead:.0f} s in the API server's future"
    elif lease_expired(lease, api_now(cluster)) and behind > 2 * CLOCK_TOLERANCE:
        yield f"Ready is True; the Lease expired {behind:.0f} s ago by the API server's clock"


@cause(
    id="kubelet-client-pem-corrupt",
    layer="auth",
    title="The kubelet's client certificate file holds no usable certificate and key",
    restart="useless",
    refusal="the kubelet reads the same broken file at every start",
    automate="guarded",
    repair="relink-client-certificate",
    renewed=True,
    explains=("sym:kubelet-crashloop", "sym:node-unknown"),
    latent=kubelet_works,
    advice=NEW_CERTIFICATE,
)
def client_pem_corrupt(node: NodeEvidence, cluster: ClusterEvidence) -> Iterator[str]:
    """A power loss leaves zero bytes or half a PEM; a restore from a backup leaves a key that does not match."""
    certificates = node.certificates
    if certificates.client_file.exists and certificates.client_problem:
        yield f"{certificates.client_file.path}: {certificates.client_problem}"
    if certificates.client and certificates.client.key_matches is False:
        yield f"{certificates.client.path}: the key is not the certificate's"


@cause(
    id="kubelet-kubeconfig-missing",
    layer="auth",
    title="The kubelet's kubeconfig is gone, or holds nothing that can be used",
    restart="harmful",
    refusal="the kubelet reads the file at its start, and would not come back",
    automate="guarded",
    repair="rebuild-kubeconfig",
    renewed=True,
    explains=("kubelet-client-pem-missing", "sym:kubelet-crashloop", "sym:node-unknown"),
    latent=kubelet_works,
    advice=NEW_CERTIFICATE,
)
def kubeconfig_missing(node: NodeEvidence, cluster: ClusterEvidence) -> Iterator[str]:
    """Without it and without a bootstrap kubeconfig the kubelet does not know its cluster."""
    kubeconfig, bootstrap = node.certificates.kubeconfig, node.certificates.bootstrap_kubeconfig
    if bootstrap.exists:
        return
    if not kubeconfig.file.exists or kubeconfig.file.size == 0:
        yield f"{kubeconfig.file.path} {'is empty' if kubeconfig.file.exists else 'does not exist'}"
        yield f"{bootstrap.path} does not exist either"
    elif kubeconfig.problem is not None:
        yield f"{kubeconfig.file.path} cannot be used: {kubeconfig.problem}"
        yield f"{bootstrap.path} does not exist either"


@cause(
    id="kubelet-client-ca-file-missing",
    layer="auth",
    title="The CA file that the kubelet checks its clients with is gone",
    restart="harmful",
    refusal="the kubelet reads the file at its start, and would not come back",
    automate="guarded",
    repair="restore-client-ca",
    explains=("sym:kubelet-crashloop",),
    latent=kubelet_works,
    advice="copy the cluster's ca.crt (it is no secret) from another node to {ca_file} on {host}; "
    "then: sudo systemctl restart {unit}",
)
def client_ca_file_missing(node: NodeEvidence, cluster: ClusterEvidence) -> Iterator[str]:
    """clientCAFile of the configuration; a running kubelet keeps what it has read."""
    file = node.certificates.client_ca_file
    if file and not file.exists:
        yield f"{file.path} (clientCAFile) does not exist"


@cause(
    id="kubelet-client-ca-rejected",
    layer="auth",
    title="The API server does not accept the kubelet's client certificate",
    restart="useless",
    refusal="the certificate would be refused again",
    automate="guarded",
    repair="renew-client-certificate",
    explains=("sym:node-unknown",),
    advice=NEW_CERTIFICATE,
)
def client_certificate_rejected(node: NodeEvidence, cluster: ClusterEvidence) -> Iterator[str]:
    """401 for a certificate that is in date by a trusted clock: another CA signed it than the cluster now has."""
    certificate, api = node.certificates.client, node.network.api
    if api.status == 401 and certificate and clock_trusted(node) and certificate.not_after > node.clock.now:
        yield f"{api.server} answers 401 to the certificate of {certificate.common_name}"
        yield f"it is in date until {instant(certificate.not_after)}, issued by {certificate.issuer}"


@cause(
    id="apiserver-ca-mismatch",
    layer="auth",
    title="The kubelet does not trust the API server's certificate",
    restart="useless",
    refusal="a restart reads the same CA again",
    automate="guarded",
    repair="renew-client-certificate",
    explains=("sym:lease-stale", "sym:node-unknown"),
    advice="is {server} the API server of {host}'s cluster? When it is: ansible-playbook certificates-recover.yml -l {host}",
)
def apiserver_ca_mismatch(node: NodeEvidence, cluster: ClusterEvidence) -> Iterator[str]:
    """The CA in kubelet.conf is another than the one that signed the API server: a rebuilt cluster, an old image."""
    api = node.network.api
    if api.outcome == "tls" and clock_trusted(node):
        yield f"{api.server}: {api.detail}"


@cause(
    id="clock-skew-future",
    layer="clock",
    title="The node's clock is ahead",
    restart="useless",
    refusal="a restart does not set the clock",
    automate="guarded",
    repair="start-time-sync",
    explains=(
        "kubelet-client-cert-expired",
        "apiserver-ca-mismatch",
        "node-ready-stale-after-clock-step",
        "sym:kubelet-crashloop",
        "sym:node-unknown",
    ),
    advice="ssh {host} timedatectl; bring time synchronisation back (sudo systemctl start systemd-timesyncd)",
)
def clock_skew_future(node: NodeEvidence, cluster: ClusterEvidence) -> Iterator[str]:
    """Valid certificates look expired, and a Lease from the future keeps a dead kubelet's Node Ready."""
    offset = clock_offset(node)
    if offset is not None and offset > CLOCK_TOLERANCE:
        yield f"the node's clock is {offset:.0f} s ahead of the API server's"
