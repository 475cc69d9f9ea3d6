# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Causes in the network of the node, in the way to it, and in the control plane."""

from __future__ import annotations

from collections.abc import Iterator

from ..cluster import ClusterEvidence
from ..node import NodeEvidence
from ..registry import cause
from ..signs import api_now, lease_expired
from ..steps import CORDON


def lease_expired_by_api(cluster: ClusterEvidence) -> bool:
    """The node has no Lease that is valid by the API server's clock (an unreachable node's clock is unknown)."""
    lease = cluster.node.lease if cluster.node else None
    return lease is None or lease_expired(lease, api_now(cluster))


def network_still_ready(node: NodeEvidence, cluster: ClusterEvidence) -> bool:
    """The runtime has not noticed yet."""
    return bool(node.runtime.cri.network_ready)


@cause(
    id="cni-config-missing",
    layer="network",
    title="There is no CNI configuration, so no Pod gets a network",
    restart="useless",
    refusal="the runtime reads the CNI configuration, not the kubelet",
    automate="guarded",
    repair="restore-cni-config",
    explains=("sym:network-not-ready", "sym:node-notready", "sym:pods-containercreating"),
    latent=network_still_ready,
    advice="see whether the CNI's own Pod runs: kubectl get pods -A -o wide --field-selector spec.nodeName={node}; "
    "it writes {cni_config_dir}",
)
def cni_config_missing(node: NodeEvidence, cluster: ClusterEvidence) -> Iterator[str]:
    """The CNI's agent writes the file when it starts; until then the runtime says NetworkPluginNotReady."""
    cni, cri = node.network.cni, node.runtime.cri
    if cni.configs or not cni.config_dir.exists:
        return
    yield f"{cni.config_dir.path} holds no configuration"
    if cri.outcome == "ok" and not cri.network_ready:
        yield f"CRI: {cri.network_message}"


@cause(
    id="apiserver-firewalled",
    layer="network",
    title="This node cannot reach the API server, and others can",
    restart="useless",
    refusal="a restart does not open the way to the API, and would leave the node unregistered",
    explains=("registry-unreachable-from-node", "sym:node-unknown"),
    advice="ssh {host} 'sudo nft list ruleset; ip route' and look for what stops the way to {server}",
)
def apiserver_firewalled(node: NodeEvidence, cluster: ClusterEvidence) -> Iterator[str]:
    """Packets vanish from here only: the controller is the second vantage point that faults.md asks for."""
    api = node.network.api
    if api.outcome in ("timeout", "unreachable") and cluster.api.reachable:
        yield f"{api.server} from the node: {api.outcome} ({api.detail})"
        yield "the API server answers the controller"


@cause(
    id="apiserver-unavailable",
    layer="control-plane",
    kind="external",
    title="The API server does not answer",
    restart="harmful",
    refusal="a kubelet that starts without the API knows none of its Pods",
    explains=("sym:node-unknown",),
    advice="look at the control plane; leave the workers alone",
)
def apiserver_unavailable(node: NodeEvidence, cluster: ClusterEvidence) -> Iterator[str]:
    """Nothing on a worker can mend the control plane, and every worker shows the same face."""
    if not cluster.api.reachable:
        yield f"{cluster.api.server} from the controller: {cluster.api.problem}"


@cause(
    id="ssh-dead-kubelet-alive",
    layer="pressure",
    title="The node refuses logins while its kubelet still renews its Lease",
    restart="useless",
    refusal="the node cannot be reached, and its kubelet works",
    automate="guarded",
    contain=CORDON,
    advice="at the console of {host}: memory, processes (kernel.pid_max), sshd",
)
def ssh_dead_kubelet_alive(node: NodeEvidence, cluster: ClusterEvidence) -> Iterator[str]:
    """A fresh Lease together with a failing login means PIDs, memory or sshd, not the network."""
    if node.unreachable and not lease_expired_by_api(cluster):
        yield f"login: {node.unreachable}"
        yield f"the Lease of {cluster.name} is renewed"


@cause(
    id="node-unreachable",
    layer="network",
    title="The node is silent: no login, no Lease",
    restart="useless",
    refusal="the node cannot be reached",
    automate="guarded",
    contain=CORDON,
    explains=("sym:node-unknown",),
    advice="go to the board: power, LEDs, cable; then its console",
)
def node_unreachable(node: NodeEvidence, cluster: ClusterEvidence) -> Iterator[str]:
    """Neither we nor the control plane hear from it: power, network or a hung kernel. Only a person can tell."""
    if node.unreachable and lease_expired_by_api(cluster):
        yield f"login: {node.unreachable}"
        yield f"the Lease of {cluster.name} is not renewed"


@cause(
    id="cni-config-invalid",
    layer="network",
    title="The CNI configuration cannot be used",
    restart="useless",
    refusal="the runtime reads the CNI configuration, not the kubelet",
    automate="guarded",
    repair="set-aside-cni-config",
    explains=("sym:network-not-ready", "sym:node-notready", "sym:pod-network-broken"),
    latent=network_still_ready,
    advice="mend or remove the file named above on {host}; the CNI's own Pod writes a new one when it starts",
)
def cni_config_invalid(node: NodeEvidence, cluster: ClusterEvidence) -> Iterator[str]:
    """The runtime takes the first file in lexical order, and gives up when it cannot read it."""
    cni = node.network.cni
    if cni.configs and cni.problem:
        yield f"{cni.configs[0].path}: {cni.problem}"


@cause(
    id="cni-binary-missing",
    layer="network",
    title="A CNI plugin that the configuration names is not installed",
    restart="useless",
    refusal="it is the runtime that needs the plugin",
    automate="guarded",
    repair="link-cni-plugin",
    explains=("sym:pods-containercreating",),
    advice="ssh {host} sudo apt-get install --reinstall containernetworking-plugins (with Kubernetes' packages: kubernetes-cni); "
    "where an agent brings it, delete its Pod: kubectl get pods -A -o wide --field-selector spec.nodeName={node}",
)
def cni_binary_missing(node: NodeEvidence, cluster: ClusterEvidence) -> Iterator[str]:
    """The node stays Ready while every new sandbox fails."""
    for plugin in node.network.cni.missing_plugins:
        yield f"there is no CNI plugin {plugin} where the runtime looks for it"


@cause(
    id="apiserver-dns-failure",
    layer="network",
    title="The node cannot resolve the API server's name",
    restart="useless",
    refusal="a restart does not mend the resolver",
    automate="guarded",
    repair="set-api-server",
    explains=("registry-unreachable-from-node", "sym:node-unknown"),
    advice="ssh {host} 'cat /etc/resolv.conf; getent hosts NAME' for the name in {server}",
)
def apiserver_dns_failure(node: NodeEvidence, cluster: ClusterEvidence) -> Iterator[str]:
    """The kubeconfig names the API server, and the name is gone or the resolver is."""
    api = node.network.api
    if api.outcome == "unresolvable" and cluster.api.reachable:
        yield f"{api.server}: {api.detail}"
        yield "the API server answers the controller"
