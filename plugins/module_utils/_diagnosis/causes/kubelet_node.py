# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Causes between a kubelet that starts and its node: names, addresses, files and drivers that do not fit."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..cluster import ClusterEvidence
from ..node import NodeEvidence
from ..registry import cause
from ..signs import crash_looping, flag, kubelet_works, lately, lease_fresh, quote, running, said

USER = "system:node:"
# What NodeRestriction and the node authorizer say to a kubelet that goes by another name than its certificate's;
# "no relationship found between node" is said to healthy ones too.
OTHER_NAME = (
    r"is forbidden: .{0,300}(?:is not allowed to modify node|cannot modify node|only its own Node object"
    r"|only access node lease with the same name)"
)
# The kubelet sets the status of its Node every 10 s to 5 min, and tries a Pod again within 5 min.
AGAIN = 400.0
NOT_ON_HOST = r"node IP: \"?[0-9a-f.:]{2,45}\"? not found in the host's network interfaces"
OTHER_DRIVER = r"expected cgroupsPath to be of format \"slice:prefix:name\" for systemd cgroups, got"


def one_agent(node: NodeEvidence) -> bool:
    """Kubelet and runtime are one unit (k3s), which names and configures its own kubelet."""
    return node.profile.unit == node.profile.runtime_unit


def still_known(node: NodeEvidence, cluster: ClusterEvidence) -> bool:
    """The kubelet was started before its host was renamed."""
    return kubelet_works(node, cluster) and said(node.kubelet.journal, OTHER_NAME) is None


@cause(
    id="kubelet-hostname-changed",
    layer="kubelet",
    title="The host was renamed, and its kubelet is known under the old name",
    restart="useless",
    refusal="until the name is as before, the API refuses this kubelet",
    automate="guarded",
    repair="restore-hostname",
    explains=("node-identity-wrong", "sym:node-unknown", "sym:lease-stale"),
    latent=still_known,
    advice="ssh {host} 'sudo hostnamectl set-hostname {node} && sudo systemctl restart {unit}'; "
    "if the new name is intended: drain, delete the Node, reset and join",
)
def kubelet_hostname_changed(node: NodeEvidence, cluster: ClusterEvidence) -> Iterator[str]:
    """The kubelet takes its host's name in lower case; a certificate for another one gives it no right to that Node."""
    client = node.certificates.client
    if one_agent(node) or client is None or not client.common_name.startswith(USER):
        return
    given = flag(node, "--hostname-override")
    name = (given[0] if given else node.identity.hostname).strip().lower()
    if name not in (client.common_name[len(USER) :], cluster.name):
        yield f"the kubelet calls itself {name}, and its certificate is for {client.common_name}"
        line = said(node.kubelet.journal, OTHER_NAME)
        if line:
            yield quote(line[0])


def address_unmissed(node: NodeEvidence, cluster: ClusterEvidence) -> bool:
    """The running kubelet does not complain of its address."""
    return lately(node, NOT_ON_HOST, node.kubelet.journal, seconds=AGAIN) is None


@cause(
    id="kubelet-node-ip-invalid",
    layer="kubelet",
    title="The kubelet is started with an address that this host does not have",
    restart="useless",
    refusal="every start finds the same wrong address",
    automate="guarded",
    repair="remove-node-ip",
    explains=("node-ip-changed-dhcp", "sym:logs-exec-fail", "sym:pod-network-broken"),
    latent=address_unmissed,
    advice="ssh {host} ip -br addr; give the host its address back (a reservation in DHCP), or mend --node-ip in the "
    "file named above, then: sudo systemctl restart {unit}",
)
def kubelet_node_ip_invalid(node: NodeEvidence, cluster: ClusterEvidence) -> Iterator[str]:
    """The flag is checked against the interfaces each time the status is set; an unspecified address means any."""
    given = flag(node, "--node-ip")
    if given is None or one_agent(node):
        return
    for address in given[0].split(","):
        # IPv6 is written in more than one way: only the kubelet's own word counts for it.
        if ":" not in address and address not in ("", "0.0.0.0", *node.identity.addresses):
            yield f"--node-ip={address} stands in {given[1]}; the host has {', '.join(node.identity.addresses)}"
    line = lately(node, NOT_ON_HOST, node.kubelet.journal, seconds=AGAIN)
    if line:
        yield quote(line[0])


@cause(
    id="node-ip-changed-dhcp",
    layer="kubelet",
    title="The node's address has changed, and the cluster still has the old one",
    restart="partial",
    refusal="the kubelet publishes its new address by itself; it is the CNI's agent that has to be started again",
    automate="guarded",
    explains=("sym:pod-network-broken", "sym:logs-exec-fail"),
    advice="reserve the address in DHCP; then delete the CNI's Pod of this node: "
    "kubectl get pods -A -o wide --field-selector spec.nodeName={node}",
)
def node_ip_changed(node: NodeEvidence, cluster: ClusterEvidence) -> Iterator[str]:
    """Ready stays True; three addresses must agree: the interface's, the Node's and the one that the CNI publishes."""
    found = cluster.node
    if found is None or not lease_fresh(node, cluster):
        return
    here = node.identity.addresses
    for address in found.internal_addresses:
        if ":" not in address and address not in here:
            yield f"the API has the InternalIP {address}; the host has {', '.join(here)}"
    address = found.cni_address or ":"
    # An external address that somebody chose for the tunnel is among the Node's.
    if ":" not in address and address not in (*here, *found.addresses):
        yield f"the CNI publishes {address} for this node; the host has {', '.join(here)}"


@cause(
    id="kubelet-resolvconf-missing",
    layer="kubelet",
    title="The resolv.conf that the kubelet gives to Pods does not exist",
    restart="useless",
    refusal="the file is still missing after it",
    automate="guarded",
    repair="set-resolv-conf",
    explains=("sym:pods-containercreating",),
    advice="ssh {host} 'ls -l /etc/resolv.conf /run/systemd/resolve/resolv.conf'; set resolvConf in {config} to the one "
    "that names a real server, then: sudo systemctl restart {unit}",
)
def kubelet_resolvconf_missing(node: NodeEvidence, cluster: ClusterEvidence) -> Iterator[str]:
    """kubeadm writes systemd-resolved's file into the configuration of all; where that does not run, no Pod starts."""
    file = node.kubelet.config.resolv_conf
    if file is None or file.exists:
        return
    line = lately(node, rf"open {re.escape(file.path)}: no such file or directory", node.kubelet.journal, seconds=AGAIN)
    if line:
        yield f"resolvConf is {file.link_target or file.path}, which does not exist"
        yield quote(line[0])


@cause(
    id="kubelet-device-plugin-checkpoint",
    layer="kubelet",
    title="The kubelet has lost which Pod has which device",
    restart="partial",
    refusal="a restart reads the same broken file; it is removed, and the device plugins register again",
    automate="guarded",
    advice="ssh {host} 'sudo rm {root_dir}/device-plugins/kubelet_internal_checkpoint && sudo systemctl restart {unit}', "
    "then start the device plugins' Pods again",
)
def kubelet_device_plugin_checkpoint(node: NodeEvidence, cluster: ClusterEvidence) -> Iterator[str]:
    """The kubelet goes on with an empty list; it matters when Pods are refused. "checkpoint is not found" is normal."""
    line = said(node.kubelet.journal, r"Continue after failing to read checkpoint file")
    refused = [pod for pod in (cluster.node.pods if cluster.node else ()) if pod.reason == "UnexpectedAdmissionError"]
    if line and refused and running(node.kubelet.unit):
        yield quote(line[0])
        yield f"{refused[0].namespace}/{refused[0].name} was refused: UnexpectedAdmissionError"


@cause(
    id="kubelet-healthz-port-in-use",
    layer="kubelet",
    title="Another process holds the port of the kubelet's health endpoint",
    restart="useless",
    refusal="the kubelet works; only its health endpoint is somebody else's",
    explains=("kubelet-syncloop-stuck",),  # whoever answers or is silent there is not the kubelet
    advice="ssh {host} 'sudo ss -ltnp sport = :10248' names the process",
)
def kubelet_healthz_port_in_use(node: NodeEvidence, cluster: ClusterEvidence) -> Iterator[str]:
    """Tried again every 5 s, and never fatal: who restarts a kubelet for its health endpoint makes it worse."""
    line = lately(
        node, r"Failed to start healthz server.{0,80}bind: address already in use", node.kubelet.journal, seconds=60
    )
    if line and running(node.kubelet.unit):
        yield quote(line[0])
        yield f"{node.kubelet.unit.name} runs"


def no_pod_tried(node: NodeEvidence, cluster: ClusterEvidence) -> bool:
    """No Pod has failed of it yet; those that run would be killed by a restart."""
    return _driver_line(node) is None


def _driver_line(node: NodeEvidence) -> str | None:
    for journal in (node.kubelet.journal, node.runtime.journal):
        line = lately(node, OTHER_DRIVER, journal, seconds=AGAIN)
        if line:
            return quote(line[0])
    return None


@cause(
    id="kubelet-cgroup-driver-mismatch",
    layer="kubelet",
    title="The kubelet and the runtime use different cgroup drivers",
    restart="harmful",
    refusal="a kubelet with another driver than its running Pods' kills them",
    explains=("sym:pods-containercreating",),
    latent=no_pod_tried,
    advice="make cgroupDriver in {config} and SystemdCgroup in {runtime_config} agree (systemd, true) on {host}; "
    "drain it, then restart {runtime_unit} and {unit}",
)
def kubelet_cgroup_driver_mismatch(node: NodeEvidence, cluster: ClusterEvidence) -> Iterator[str]:
    """runc wants systemd's kind of path and gets the other; the node stays Ready, and no new Pod starts."""
    configured = node.kubelet.config.cgroup_driver
    line = _driver_line(node)
    if line and configured == "cgroupfs":
        yield line
        yield "the kubelet is configured for cgroupfs, and the runtime for systemd"
    elif node.runtime.cri.outcome == "ok":
        for driver in node.kernel.pod_cgroup_drivers:
            if driver != configured:
                yield f"running Pods are in cgroups of {driver}, and the kubelet is configured for {configured}"


@cause(
    id="kubelet-wrong-runtime-endpoint",
    layer="kubelet",
    title="The kubelet is configured for a runtime socket that does not exist",
    restart="useless",
    refusal="every start looks for the same socket",
    automate="guarded",
    repair="set-runtime-endpoint",
    explains=("kubelet-start-limit-hit", "sym:kubelet-crashloop", "sym:node-unknown"),
    latent=kubelet_works,
    advice="on {host}: set containerRuntimeEndpoint (in {config}, or --container-runtime-endpoint in its flags) to the "
    "socket that answers; then: sudo systemctl restart {unit}",
)
def kubelet_wrong_runtime_endpoint(node: NodeEvidence, cluster: ClusterEvidence) -> Iterator[str]:
    """The real socket answers while the configured one is not there; if both were dead, it were the runtime."""
    config, cri = node.kubelet.config, node.runtime.cri
    if not one_agent(node) and cri.outcome == "ok" and not config.cri_socket_exists:
        yield f"the kubelet is configured for {config.cri_socket}, which does not exist"
        yield f"{cri.runtime} answers at {node.profile.cri_socket}"


@cause(
    id="kubelet-node-shutting-down",
    layer="kubelet",
    title="A shutdown was cancelled, and the kubelet still waits for it",
    restart="helps",
    refusal="no shutdown is pending any more; a new kubelet asks for its lock again",
    automate="guarded",
    repair="restart-kubelet",
    explains=("sym:flapping", "sym:node-notready"),
    advice="ssh {host} 'sudo shutdown -c; sudo systemctl restart {unit}'",
)
def kubelet_node_shutting_down(node: NodeEvidence, cluster: ClusterEvidence) -> Iterator[str]:
    """The kubelet says so, logind does not. While logind does as well, the node shuts down: nothing is to be done."""
    ready = cluster.node.condition("Ready") if cluster.node else None
    if ready is None or ready.status != "False" or "node is shutting down" not in ready.message:
        return
    if running(node.kubelet.unit) and lease_fresh(node, cluster) and node.kubelet.shutting_down is False:
        yield f"Ready: {ready.message}"
        yield "logind prepares for no shutdown"


@cause(
    id="kubelet-pleg-unhealthy",
    layer="kubelet",
    kind="symptom",
    title="The kubelet has not seen the state of its Pods for minutes",
    restart="partial",
    refusal="a restart only sets the clock back for three minutes, and hides what the kubelet waits for",
    explains=("sym:node-notready", "sym:flapping"),
    advice="ssh {host} 'sudo crictl pods' and see who does not answer: the runtime, one shim, or a disk",
)
def kubelet_pleg_unhealthy(node: NodeEvidence, cluster: ClusterEvidence) -> Iterator[str]:
    """Never a cause of its own; "has yet to be successful" is what every start says.

    What a kubelet said that is gone since is no evidence of today: its condition stays as it left it.
    """
    ready = cluster.node.condition("Ready") if cluster.node else None
    if (
        ready
        and kubelet_works(node, cluster)
        and ready.status == "False"
        and "PLEG is not healthy: pleg was last seen active" in ready.message
    ):
        yield f"Ready: {ready.message}"


@cause(
    id="kubelet-oom-killed",
    layer="kubelet",
    title="The kubelet is killed for want of memory",
    restart="partial",
    refusal="systemd starts it again by itself; what takes the memory is still there",
    automate="guarded",
    explains=("kubelet-start-limit-hit", "sym:flapping", "sym:kubelet-crashloop", "sym:node-unknown"),
    advice="ssh {host} 'systemctl show -p MemoryMax {unit}; systemd-cgtop -m -n1 -b' tells a limit of the unit from a "
    "node without memory",
)
def kubelet_oom_killed(node: NodeEvidence, cluster: ClusterEvidence) -> Iterator[str]:
    """By the kernel (constraint MEMCG: a limit of the unit; none: the whole node) or by systemd-oomd."""
    unit = node.kubelet.unit
    line = lately(node, r"ut of memory: Killed process \d+ \(kubelet\)", node.kernel.journal, seconds=90)
    if kubelet_works(node, cluster) and not crash_looping(node):
        return
    if unit.result == "oom-kill":
        yield f"{unit.name}: result oom-kill ({unit.restarts} restarts)"
    if line:
        yield quote(line[0])
