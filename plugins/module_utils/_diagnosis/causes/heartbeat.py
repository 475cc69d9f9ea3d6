# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Causes in the way from the kubelet to the API server that show in heartbeats, and in who reads them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..cluster import ClusterEvidence
from ..node import ApiPath, NodeEvidence
from ..registry import cause
from ..signs import api_now, clock_trusted, kubelet_answers, lately, lease_expired, quote
from .network import lease_expired_by_api

NO_LEASE = r"(?:Failed to update lease|failed to update lease using latest lease|Failed to ensure lease exists)"
TIMED_OUT = r".{0,400}(?:context deadline exceeded|Timeout exceeded|i/o timeout|TLS handshake timeout)"
OVERLOADED = r".{0,400}(?:etcdserver: (?:request timed out|leader changed|too many requests)|the server has received too many requests)"
DEAD = r"use of closed network connection|http2: client connection lost|Client\.Timeout exceeded while awaiting headers"
# Of twenty handshakes: a calm network loses one packet in thousands, and one lost can be chance.
LOST = 2
FAILURES = 3
# Seconds. A kubelet tries a renewal five times in a row (client-go, component-helpers/apimachinery/lease), 10 s each:
# failures that are closer together are one short outage, and it is over.
SPREAD = 60.0
# Seconds: each failed try takes ten, and the next begins at once. Who has been silent for longer renews, or is gone.
STILL = 60.0


def split(server: str) -> tuple[str, str]:
    """(host, port) of an https URL."""
    match = re.match(r"https?://(\[[0-9A-Fa-f:.]{2,60}\]|[^:/\[\]]{1,255})(?::([0-9]{1,5}))?", server)
    return (match.group(1).strip("[]"), match.group(2) or "443") if match else (server, "443")


def is_name(host: str) -> bool:
    """No address."""
    return ":" not in host and not re.fullmatch(r"[0-9.]+", host)


def another_endpoint(api: ApiPath, cluster: ClusterEvidence) -> bool:
    """The controller asks at an address that is surely not the one in the kubelet's kubeconfig."""
    theirs, ours = split(cluster.api.server)[0], split(api.server)[0]
    if theirs == "localhost" or theirs.startswith("127.") or is_name(theirs) != is_name(ours):
        return False
    return theirs != ours and theirs not in api.addresses


@cause(
    id="node-link-down",
    layer="network",
    title="The node has no way to the API server: no route, or no link",
    restart="useless",
    refusal="a restart brings up neither link nor route",
    automate="guarded",
    explains=("apiserver-firewalled", "apiserver-endpoint-stale", "registry-unreachable-from-node", "sym:node-unknown"),
    advice="at the console of {host}: ip -br link; ip route; the cable or the Wi-Fi, then the network's configuration",
)
def node_link_down(node: NodeEvidence, cluster: ClusterEvidence) -> Iterator[str]:
    """`Network is unreachable` is said by the node itself: it has no route. `No route to host` is said of the other."""
    api = node.network.api
    if api.outcome == "unreachable" and "network is unreachable" in api.detail.lower():
        yield f"{api.server}: {api.detail}"
        yield f"default route: {'yes' if node.network.default_route else 'none'}; links up: " + (
            ", ".join(node.network.links_up) or "none"
        )


@cause(
    id="apiserver-endpoint-stale",
    layer="network",
    title="The kubelet's kubeconfig names an address where the API server no longer is",
    restart="partial",
    refusal="the kubelet reads the same address again; only after the edit does a restart help",
    automate="guarded",
    repair="set-api-server",
    explains=("apiserver-ca-mismatch", "apiserver-firewalled", "sym:node-unknown"),
    advice="ssh {host}: set server: in {kubeconfig} to the API server's address, then sudo systemctl restart {unit}",
)
def apiserver_endpoint_stale(node: NodeEvidence, cluster: ClusterEvidence) -> Iterator[str]:
    """Nobody answers there, or somebody with a certificate for another address, while the API lives elsewhere."""
    api = node.network.api
    if api.outcome not in ("refused", "unreachable", "tls") or not cluster.api.reachable:
        return
    if "network is unreachable" in api.detail.lower() or (api.outcome == "tls" and "mismatch" not in api.detail):
        return
    if another_endpoint(api, cluster):
        yield f"{api.server} (in {node.certificates.kubeconfig.file.path}): {api.detail}"
        yield f"the API server answers the controller at {cluster.api.server}"


@cause(
    id="apiserver-stale-connection",
    layer="network",
    title="The kubelet holds on to a dead connection to the API server",
    restart="helps",
    # No repair of ours: it cannot be brought about (tests/faults/table.py), so no run has shown that a restart cures it.
    refusal="a new process opens a new connection, and new connections work; that it helps was never seen here",
    explains=("sym:flapping", "sym:node-unknown"),
    advice="ssh {host} sudo systemctl restart {unit}",
)
def apiserver_stale_connection(node: NodeEvidence, cluster: ClusterEvidence) -> Iterator[str]:
    """A new connection with the same certificate works while the old one repeats itself: a lost NAT entry, a failover."""
    api = node.network.api
    if api.outcome != "ok" or not kubelet_answers(node) or not lease_expired_by_api(cluster):
        return
    host, port = split(api.server)
    peers = {f"[{address}]:{port}" if ":" in address else f"{address}:{port}" for address in (host, *api.addresses)}
    dead = [peer for peer in node.network.stuck if peer in peers]
    found = lately(node, DEAD, node.kubelet.journal)
    if dead and found and clock_trusted(node):
        yield f"a new connection to {api.server} works, an established one to {dead[0]} is not acknowledged"
        yield quote(found[0])


@cause(
    id="heartbeat-delay-apiserver-overload",
    layer="control-plane",
    kind="external",
    title="The API server or etcd is too slow for heartbeats",
    restart="harmful",
    refusal="every kubelet that starts lists all it watches, which is more load",
    explains=("nodes-lost-together", "sym:flapping"),
    advice="look at etcd's disk and the API server's load; leave the workers alone",
)
def apiserver_overload(node: NodeEvidence, cluster: ClusterEvidence) -> Iterator[str]:
    """Several nodes in the same minute, or etcd's own words: the control plane. One node alone: that node."""
    words = lately(node, NO_LEASE + OVERLOADED, node.kubelet.journal)
    if words:
        yield quote(words[0])
        return
    slow = lately(node, NO_LEASE + TIMED_OUT, node.kubelet.journal)
    late = sorted({*cluster.fleet.expired_leases, *cluster.fleet.silent}) if slow else []
    if not slow or len(late) < 2 or cluster.name not in late:
        return
    # This node's own way must be open: a broken switch makes several nodes late as well. And it must be late itself:
    # not by a clock that is wrong, and not because nobody is there to renew anything.
    if node.network.api.status is not None and clock_trusted(node) and kubelet_answers(node):
        yield quote(slow[0])
        yield f"late with their Leases: {', '.join(late[:10])}"


@cause(
    id="heartbeat-jitter-network",
    layer="network",
    title="The network between this node and the API server loses packets",
    restart="useless",
    refusal="a restart does not mend the cable",
    explains=("apiserver-firewalled", "sym:flapping", "sym:node-unknown"),
    advice="ssh {host} 'ip -s link; sudo ethtool eth0'; the cable, the switch, the Wi-Fi's power saving, a second "
    "machine with this address",
)
def heartbeat_jitter(node: NodeEvidence, cluster: ClusterEvidence) -> Iterator[str]:
    """Some packets get through and many do not, from this node only; the clock and the pressure are well.

    What is lost is counted at this moment, not since boot, and the renewals failed within the last minute: an outage
    that has ended is in the journal and in the counters as well.
    """
    # A request that times out has several words, by how far it came: each is a line of its own.
    lines = [line for line in node.kubelet.journal.lines if line.current and re.search(NO_LEASE + TIMED_OUT, line.text)]
    if sum(line.count for line in lines) < FAILURES or not kubelet_answers(node):
        return
    newest = max(lines, key=lambda line: line.last)
    if node.identity.uptime - newest.last > STILL or newest.last - min(line.first for line in lines) < SPREAD:
        return
    api = node.network.api
    others = {*cluster.fleet.expired_leases, *cluster.fleet.silent} - {cluster.name}
    if LOST <= api.late < api.handshakes and not others:
        yield f"{api.late} of {api.handshakes} TCP handshakes with {api.server} lost a packet"
        yield quote(newest)
        yield "no other node is late"


@cause(
    id="controller-manager-down",
    layer="control-plane",
    kind="external",
    title="No controller manager works: what the API says of Nodes is frozen",
    restart="useless",
    refusal="the control plane would not notice",
    explains=("node-ready-stale-after-clock-step",),
    advice="look at kube-controller-manager on the control plane; leave the workers alone",
)
def controller_manager_down(node: NodeEvidence, cluster: ClusterEvidence) -> Iterator[str]:
    """Dead nodes stay Ready, nothing is tainted or evicted; its own Lease, renewed every two seconds, is what tells."""
    lease = cluster.fleet.controller_manager
    if lease is None or not lease_expired(lease, api_now(cluster)):
        return
    late = (api_now(cluster) - lease.renewed).total_seconds()
    # Two full terms: a handover from one leader to the next is no outage.
    if late > 2 * lease.duration:
        yield f"the Lease kube-system/kube-controller-manager was renewed {late:.0f} s ago, and lives {lease.duration} s"
