# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Causes in what Pods need of the node's network: CNI and its agents, the kernel's settings, netfilter."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..cluster import ClusterEvidence, Pod
from ..node import Cni, NodeEvidence
from ..registry import cause
from ..signs import kubelet_works, lately, links_below, oversized, pod_agents, quote
from .application import failing

CNI_AGENTS = "kube-flannel(?:-ds)?|flannel|calico-node|canal|cilium|antrea-agent|weave-net|kindnet|kube-router"
BRIDGED = frozenset({"bridge", "flannel"})  # flannel's plugin delegates to bridge
SETTLED = 120.0  # seconds after a boot in which an agent may still be on its way


def bridged(cni: Cni) -> bool:
    """Pods hang on a Linux bridge; of networks of another kind these rules say nothing."""
    return bool(BRIDGED & set(cni.plugins))


def of_flannel(cni: Cni) -> bool:
    """The network is flannel's."""
    return "flannel" in cni.plugins


def subnet_env_missing(node: NodeEvidence) -> bool:
    """flanneld has not written its file, and has had the time to."""
    file = node.network.cni.subnet_env if of_flannel(node.network.cni) else None
    return file is not None and not file.exists and node.identity.uptime > SETTLED


def broken(pods: tuple[Pod, ...]) -> Iterator[str]:
    """A line for each of these Pods that has a container which waits or has ended."""
    for pod in pods:
        for each in pod.containers:
            if each.state == "waiting" and each.reason not in ("ContainerCreating", "PodInitializing"):
                also = f"; the same on {', '.join(pod.failing_elsewhere)}" if pod.failing_elsewhere else ""
                yield f"{pod.namespace}/{pod.name}: {each.name} waits: {each.reason}, {each.restarts} restarts{also}"


@cause(
    id="cni-ipam-exhausted",
    layer="network",
    title="The node has no address left for a Pod",
    restart="useless",
    refusal="host-local keeps its reservations in files that no restart removes",
    automate="guarded",
    repair="release-addresses",
    explains=("sym:pods-containercreating",),
    advice="ssh {host}: remove files below /var/lib/cni/networks whose container no longer exists, or drain, "
    "empty the directory and reboot",
)
def cni_ipam_exhausted(node: NodeEvidence, cluster: ClusterEvidence) -> Iterator[str]:
    """More reservations than sandboxes: a crash or a power loss left them behind. As many: the network is too small."""
    found = lately(node, r"no IP addresses available in range set", node.runtime.journal, node.kubelet.journal)
    if not found or node.network.cni.reservations is None:
        return
    yield quote(found[0])
    yield f"{node.network.cni.reservations} addresses are reserved, {node.runtime.cri.sandboxes} sandboxes are ready"


@cause(
    id="cni-bridge-stale-address",
    layer="network",
    title="The Pods' bridge still has the address of another Pod network",
    restart="useless",
    refusal="the CNI plugin refuses the bridge, whoever asks",
    automate="guarded",
    repair="clear-bridge-address",
    explains=("sym:pods-containercreating",),
    advice="drain {node}; ssh {host}: sudo ip link delete the bridge named above, remove /var/lib/cni/networks/*; "
    "uncordon",
)
def cni_bridge_stale_address(node: NodeEvidence, cluster: ClusterEvidence) -> Iterator[str]:
    """A node that joined again gets another Pod network; its bridge lives until the next boot."""
    pattern = r'"?([\w.-]{1,15})"? already has an IP address different from ([0-9a-fA-F.:]{2,45})/[0-9]{1,3}'
    found = lately(node, pattern, node.runtime.journal, node.kubelet.journal)
    if found and found[1].group(2) not in node.identity.addresses:
        yield quote(found[0])
        yield f"{found[1].group(1)} is to have {found[1].group(2)}, which is no address of this node"


@cause(
    id="flannel-subnet-env-missing",
    layer="network",
    kind="derived",
    title="flannel has not written its subnet file, so no Pod gets a network",
    restart="useless",
    refusal="flanneld writes the file, not the kubelet",
    automate="safe",
    explains=("sym:pods-containercreating",),
    advice="kubectl get pods -A -o wide --field-selector spec.nodeName={node}; read the log of flannel's Pod, and "
    "never write the file by hand",
)
def flannel_subnet_env_missing(node: NodeEvidence, cluster: ClusterEvidence) -> Iterator[str]:
    """The file lies in a tmpfs and is gone after a boot: flanneld on this node is what to look at."""
    if subnet_env_missing(node) and node.network.cni.subnet_env:
        yield f"{node.network.cni.subnet_env.path} does not exist, and the CNI plugin flannel needs it"


@cause(
    id="flannel-vxlan-unsupported",
    layer="network",
    title="The kernel has no vxlan, which flannel needs",
    restart="useless",
    refusal="the module is missing, whoever asks for it",
    automate="guarded",
    explains=("cni-agent-down", "flannel-subnet-env-missing"),
    advice="ssh {host}: install the kernel's further modules (Ubuntu on a Pi: linux-modules-extra-raspi), "
    "then sudo modprobe vxlan",
)
def flannel_vxlan_unsupported(node: NodeEvidence, cluster: ClusterEvidence) -> Iterator[str]:
    """Ubuntu 21.10 to 23.10 ship it apart from the kernel; flannel then ends in `operation not supported`."""
    if subnet_env_missing(node) and not node.kernel.vxlan_module:
        yield f"the kernel {node.identity.kernel} has no module vxlan: not loaded, not built in, no file of it"
        yield "flannel has not written its subnet file"


@cause(
    id="br-netfilter-missing",
    layer="network",
    title="The kernel does not show the traffic of the Pods' bridge to iptables",
    restart="useless",
    refusal="the kubelet does not load kernel modules or set this",
    automate="safe",
    repair="enable-bridge-netfilter",
    explains=("cni-agent-down", "flannel-subnet-env-missing", "sym:service-vip-broken"),
    advice="ssh {host} 'sudo modprobe br_netfilter && sudo sysctl -w net.bridge.bridge-nf-call-iptables=1'; keep it in "
    "/etc/modules-load.d and /etc/sysctl.d",
)
def br_netfilter_missing(node: NodeEvidence, cluster: ClusterEvidence) -> Iterator[str]:
    """Services are rewritten by iptables, which never sees Pods of one bridge without it; kubeadm no longer checks."""
    if not bridged(node.network.cni):
        return
    if node.kernel.modules.get("br_netfilter") is False:
        yield "the module br_netfilter is not loaded"
    elif node.kernel.sysctls.get("net.bridge.bridge-nf-call-iptables") == "0":
        yield "net.bridge.bridge-nf-call-iptables is 0"
    else:
        return
    yield f"the Pod network {node.network.cni.network} is a bridge ({', '.join(node.network.cni.plugins)})"


@cause(
    id="ip-forward-disabled",
    layer="network",
    title="The node does not forward packets, so its Pods reach nothing beyond it",
    restart="useless",
    refusal="the kubelet does not set it",
    automate="safe",
    repair="enable-ip-forward",
    explains=("sym:pod-network-broken",),
    advice="ssh {host} 'sudo sysctl -w net.ipv4.ip_forward=1'; find who switched it off: grep -r ip_forward /etc/sysctl*",
)
def ip_forward_disabled(node: NodeEvidence, cluster: ClusterEvidence) -> Iterator[str]:
    """The node itself reaches everything and is Ready; its Pods do not get off it."""
    addresses = cluster.node.addresses if cluster.node else node.identity.addresses
    if node.kernel.sysctls.get("net.ipv4.ip_forward") == "0" and any("." in address for address in addresses):
        yield "net.ipv4.ip_forward is 0"


@cause(
    id="iptables-backend-mismatch",
    layer="network",
    title="Rules of Services stand in both kinds of iptables",
    restart="partial",
    refusal="a restart only writes the kubelet's hint anew; the other rules stay",
    automate="guarded",
    repair="remove-stale-service-rules",
    explains=("sym:service-vip-broken",),
    advice="decide for one (update-alternatives --display iptables) and reboot {host}, or remove the KUBE- chains of "
    "the other",
)
def iptables_backend_mismatch(node: NodeEvidence, cluster: ClusterEvidence) -> Iterator[str]:
    """The kubelet leaves a hint in the kind that it uses; Services' chains in the other are stale, and still apply."""
    firewall = node.network.firewall
    kinds = (
        ("nft", firewall.nft_chains, firewall.legacy_chains),
        ("legacy", firewall.legacy_chains, firewall.nft_chains),
    )
    for kind, used, other in kinds:
        if "KUBE-IPTABLES-HINT" in used and "KUBE-IPTABLES-HINT" not in other and "KUBE-SERVICES" in other:
            yield f"the kubelet uses iptables-{kind} (chain KUBE-IPTABLES-HINT)"
            yield f"chain KUBE-SERVICES is in iptables-{'legacy' if kind == 'nft' else 'nft'}"


@cause(
    id="iptables-forward-drop",
    layer="network",
    title="The firewall drops what the node forwards for its Pods",
    restart="useless",
    refusal="the kubelet does not write that rule",
    automate="guarded",
    explains=("sym:pod-network-broken",),
    advice="ssh {host} 'sudo iptables -S FORWARD; sudo nft list chains'; accept the Pods' network there, or set the "
    "policy to ACCEPT",
)
def iptables_forward_drop(node: NodeEvidence, cluster: ClusterEvidence) -> Iterator[str]:
    """Docker and ufw set the policy to DROP; flannel's or the CNI's own chain accepts, and it is not there."""
    for chain in node.network.firewall.forward_drop:
        yield f"{chain}: nothing in it accepts what Pods send"


@cause(
    id="mtu-mismatch",
    layer="network",
    title="The overlay's packets are larger than the link below can carry",
    restart="useless",
    refusal="the kubelet does not set it",
    automate="guarded",
    repair="lower-overlay-mtu",
    explains=("registry-unreachable-from-node", "sym:pod-network-broken"),
    advice="set the MTU in the CNI's configuration to that of the link less 50; restart its Pods, then the others",
)
def mtu_mismatch(node: NodeEvidence, cluster: ClusterEvidence) -> Iterator[str]:
    """Small answers arrive and large ones hang. VXLAN takes 50 octets of the link below."""
    for name, room in oversized(node).items():
        links = ", ".join(f"{link} {size}" for link, size in links_below(node).items())
        yield f"{name} has the MTU {node.network.mtus[name]}; below it: {links}, which leaves {room}"


@cause(
    id="kube-proxy-down",
    layer="network",
    title="kube-proxy does not run on this node",
    restart="useless",
    refusal="the kubelet runs kube-proxy already, and it ends by itself",
    automate="safe",
    explains=("app-crashloop", "cni-agent-down", "sym:service-vip-broken"),
    advice="kubectl -n kube-system logs --previous of the Pod named above",
)
def kube_proxy_down(node: NodeEvidence, cluster: ClusterEvidence) -> Iterator[str]:
    """Its rules stay after a crash and grow old; after a boot there are none, and no Service works."""
    if kubelet_works(node, cluster):
        yield from broken(pod_agents(cluster, "kube-proxy"))


@cause(
    id="cni-agent-down",
    layer="network",
    kind="derived",
    title="The CNI's agent does not run on this node",
    restart="useless",
    refusal="the kubelet runs the agent already, and it ends by itself",
    automate="safe",
    explains=("app-crashloop", "cni-config-missing", "flannel-subnet-env-missing", "sym:pods-containercreating"),
    advice="kubectl logs --previous of the Pod named above: its first error is the cause",
)
def cni_agent_down(node: NodeEvidence, cluster: ClusterEvidence) -> Iterator[str]:
    """The node stays Ready while the configuration is there; the agent's own log says why it ends."""
    if kubelet_works(node, cluster):
        yield from broken(pod_agents(cluster, CNI_AGENTS))


@cause(
    id="pod-cidr-unassigned",
    layer="network",
    title="The cluster has given this node no Pod network",
    restart="useless",
    refusal="kube-controller-manager hands it out",
    explains=("cni-agent-down", "flannel-subnet-env-missing"),
    advice="kubectl describe node {node}; kube-controller-manager needs --allocate-node-cidrs and a --cluster-cidr "
    "that is not used up",
)
def pod_cidr_unassigned(node: NodeEvidence, cluster: ClusterEvidence) -> Iterator[str]:
    """Only flannel lives on it, or a controller manager that says that it has none left; others have an IPAM of their own."""
    if cluster.node is None or cluster.node.pod_cidrs:
        return
    refused = [event for event in cluster.node.events if event.kind == "Node" and event.reason == "CIDRNotAvailable"]
    if refused:
        yield f"event CIDRNotAvailable: {refused[-1].message}"
    if refused or subnet_env_missing(node):
        yield f"spec.podCIDR of {cluster.name} is empty"


@cause(
    id="kubelet-port-firewalled",
    layer="network",
    title="The node's firewall drops the kubelet's port 10250",
    restart="useless",
    refusal="a restart does not open the port",
    explains=("sym:logs-exec-fail",),
    advice="on {host}, accept tcp port 10250 from the control plane in the chain named above",
)
def kubelet_port_firewalled(node: NodeEvidence, cluster: ClusterEvidence) -> Iterator[str]:
    """The Node is Ready, since the kubelet calls out; logs, exec and metrics come in, and time out."""
    if kubelet_works(node, cluster):
        yield from node.network.firewall.port_drop


@cause(
    id="registry-unreachable-from-node",
    layer="network",
    title="This node cannot reach registries",
    restart="useless",
    refusal="it is the runtime that pulls, and the way to the registry is shut",
    automate="guarded",
    explains=("containerd-sandbox-image-missing",),
    advice="ssh {host}: getent hosts and curl -I for the registry; then the proxy settings of containerd's unit",
)
def registry_unreachable(node: NodeEvidence, cluster: ClusterEvidence) -> Iterator[str]:
    """Many images on one node: the node. One image on all nodes: the image; a status of HTTP: the registry."""
    way = re.compile(
        r"dial tcp.{0,200}(?:i/o timeout|connection refused|no route to host|network is unreachable|no such host"
        r"|server misbehaving)|TLS handshake timeout|x509: "
    )
    pulls = list(failing(cluster, waiting=("ErrImagePull", "ImagePullBackOff")))
    stuck = {container.image: way.search(container.message) for pod, container in pulls if not pod.failing_elsewhere}
    reasons = {image: match.group() for image, match in stuck.items() if match}
    if len(reasons) > 1:
        for image, reason in reasons.items():
            yield f"{image}: {reason}"
