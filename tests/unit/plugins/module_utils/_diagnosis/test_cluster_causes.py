# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Joining, heartbeats, the Pods' network and workloads: each cause, and beside it what looks like it and is not.

Lines are those of fixtures.yml and catalogue.yml (their origin is named there), shortened.
"""

from __future__ import annotations

import typing as t
from datetime import timedelta

import pytest

from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis import node as n
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.diagnose import diagnose
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.evidence import amended
from tests.unit.helpers import NOW, certificate, file, healthy_node
from tests.unit.helpers_cluster import (
    changed,
    container,
    event,
    healthy_cluster,
    lease,
    pod,
    request,
)
from tests.unit.plugins.module_utils._diagnosis.test_diagnose import SILENT, STOPPED

Changes = dict[str, t.Any]


def journal(text: str, *, at: float = 3590.0, count: int = 1, current: bool = True, spread: float = 0.0) -> n.Journal:
    """One line, ten seconds ago unless *at* says otherwise; the first of *count* was said *spread* seconds before."""
    return n.Journal((n.LogLine(text, count, at - spread, at, current),), False)


def roots(node: Changes, api: Changes) -> list[str]:
    """The root causes."""
    return diagnose(healthy_node(**node), healthy_cluster(**api)).root_causes


UNAUTHORIZED = "Failed while requesting a signed certificate from the control plane: cannot create certificate signing request: Unauthorized"
NO_CLIENT: Changes = {"certificates__client_file": file("/p", exists=False), "certificates__client": None}
BOOTSTRAP: Changes = {**NO_CLIENT, "certificates__bootstrap_kubeconfig": file("/b")}
STRANGER = n.Certificate(**{**vars(certificate("p")), "common_name": "system:node:pi-99"})
FORBIDDEN = 'nodes "pi-04" is forbidden: User "system:node:pi-99" cannot get resource "nodes"'
NO_SERVING: Changes = {"certificates__serving": None}
CLIENT = "kube-apiserver-client-kubelet"
OTHER_BOOT: Changes = {"node__boot_id": "c" * 36}


@pytest.mark.parametrize(
    ("node", "api", "expected"),
    [
        ({}, {}, []),
        ({**BOOTSTRAP, "kubelet__journal": journal(UNAUTHORIZED)}, SILENT, ["bootstrap-token-expired"]),
        ({"kubelet__journal": journal(UNAUTHORIZED)}, {}, []),
        (
            NO_SERVING,
            {"node__signing_requests": (request("kubelet-serving", "pending"),)},
            ["kubelet-serving-csr-pending"],
        ),
        ({}, {"node__signing_requests": (request("kubelet-serving", "pending"),)}, []),
        (NO_SERVING, {"node__signing_requests": (request("kubelet-serving", "issued"),)}, []),
        (
            BOOTSTRAP,
            {**SILENT, "node__signing_requests": (request(CLIENT, "pending"),)},
            ["kubelet-client-csr-pending"],
        ),
        (BOOTSTRAP, {**SILENT, "node__signing_requests": (request(CLIENT, "pending", ago=5),)}, []),
        (BOOTSTRAP, {"node": None, "orphans": (request(CLIENT, "approved"),)}, ["kubelet-client-csr-pending"]),
        (BOOTSTRAP, {**SILENT, "node__signing_requests": (request(CLIENT, "denied"),)}, ["kubelet-client-csr-denied"]),
        ({}, {"node__signing_requests": (request(CLIENT, "denied"),)}, []),
        # Its predecessor's Lease is still fresh.
        (
            {**BOOTSTRAP, "identity__uptime": 100.0, "kubelet__unit__started": 90.0},
            {"node__lease": lease(20), "node__signing_requests": (request(CLIENT, "denied"),)},
            ["kubelet-client-csr-denied"],
        ),
        (
            {**BOOTSTRAP, "identity__uptime": 100.0, "kubelet__unit__started": 70.0},
            {"node__lease": lease(20), "node__signing_requests": (request(CLIENT, "denied"),)},
            [],
        ),
        ({**NO_CLIENT, "certificates__client_files": ()}, {"node": None}, ["kubelet-half-joined"]),
        (NO_CLIENT, {"node": None}, ["kubelet-client-pem-missing"]),
        ({"certificates__client": STRANGER, "kubelet__journal": journal(FORBIDDEN)}, SILENT, ["node-identity-wrong"]),
        ({"kubelet__journal": journal(FORBIDDEN)}, SILENT, []),
        ({"certificates__client": STRANGER}, {}, []),
        ({}, OTHER_BOOT, ["duplicate-node-identity"]),
        ({"kubelet__unit__started": 3590.0}, OTHER_BOOT, []),
    ],
)
def test_joining(node: Changes, api: Changes, expected: list[str]) -> None:
    assert roots(node, api) == expected


def way(outcome: str, detail: str, server: str = "https://10.77.0.1:6443") -> Changes:
    """The API server as this node sees it."""
    return {"network__api": n.ApiPath(server, outcome, detail, (server[8:-5],), None, None, None)}


OLD = "https://10.77.0.250:6443"
STALE = (
    'Error updating node status, will retry: error getting node "slave1": write tcp: use of closed network connection'
)
SLOW = 'Failed to update lease err="Put https://10.0.0.1:6443/apis: context deadline exceeded"'
ETCD = 'Failed to update lease err="etcdserver: request timed out"'
STUCK: Changes = {"network__stuck": ("10.77.0.1:6443",), "kubelet__journal": journal(STALE)}
LOSSY: Changes = {
    "network__api__handshakes": 20,
    "network__api__late": 13,
    "kubelet__journal": journal(SLOW, count=5, spread=90.0),
}
BOTH_LATE = {"fleet__expired_leases": ("pi-04", "pi-05")}


@pytest.mark.parametrize(
    ("node", "api", "expected"),
    [
        (way("unreachable", "10.77.0.1:6443: Network is unreachable"), SILENT, ["node-link-down"]),
        (way("unreachable", "10.77.0.1:6443: No route to host"), SILENT, ["apiserver-firewalled"]),
        (way("unreachable", "10.77.0.250:6443: No route to host", OLD), SILENT, ["apiserver-endpoint-stale"]),
        (way("refused", "10.77.0.1:6443: connection refused"), SILENT, []),
        (STUCK, SILENT, ["apiserver-stale-connection"]),
        (STUCK, {}, []),
        ({**STUCK, "network__stuck": ("10.77.0.9:443",)}, SILENT, []),
        ({"kubelet__journal": journal(ETCD)}, {}, ["heartbeat-delay-apiserver-overload"]),
        ({"kubelet__journal": journal(ETCD, at=1000.0)}, {}, []),
        ({"kubelet__journal": journal(SLOW)}, BOTH_LATE, ["heartbeat-delay-apiserver-overload"]),
        ({"kubelet__journal": journal(SLOW)}, {}, []),
        ({"kubelet__journal": journal(SLOW), "network__api__offset": -600.0}, BOTH_LATE, ["clock-skew-past"]),
        ({"kubelet__journal": journal(SLOW), **STOPPED}, BOTH_LATE, ["kubelet-stopped"]),
        (LOSSY, {}, ["heartbeat-jitter-network"]),
        # A lab that came up on a busy machine, two minutes ago; then the kubelet was stopped (CI, kubelet v1.37.2).
        ({**LOSSY, **STOPPED}, SILENT, ["kubelet-stopped"]),
        ({**LOSSY, "kubelet__journal": journal(SLOW, count=5, spread=90.0, at=3500.0)}, {}, []),
        ({**LOSSY, "network__api__late": 1}, {}, []),
        # The outage is over, though the counters of TCP since boot still show it (CI, kubelet v1.37.2).
        ({**LOSSY, "network__api__handshakes": 0, "network__api__late": 0}, {}, []),
        # Nobody answers: that is no loss, but a firewall.
        ({**LOSSY, "network__api__late": 20}, {}, []),
        ({**LOSSY, "kubelet__journal": journal(SLOW, count=5, spread=40.0)}, {}, []),  # one outage of 50 s, and over
        ({}, {"fleet__controller_manager": lease(200)}, ["controller-manager-down"]),
        ({}, {"fleet__controller_manager": None}, []),
    ],
)
def test_heartbeats(node: Changes, api: Changes, expected: list[str]) -> None:
    assert roots(node, api) == expected


FULL = "failed to allocate for range 0: no IP addresses available in range set: 10.244.1.1-10.244.1.254"
BRIDGE = 'failed to set bridge addr: "cni0" already has an IP address different from 10.244.1.1/24'
FLANNEL: Changes = {
    "network__cni__plugins": ("flannel", "portmap"),
    "network__cni__subnet_env": file("/run/flannel/subnet.env", exists=False),
}
NFT, HINT = ("KUBE-IPTABLES-HINT",), ("KUBE-SERVICES",)
OVERLAY: Changes = {"network__vxlans": ("flannel.1",), "network__links_up": ("eth0", "flannel.1")}
CRASH = container("waiting", "CrashLoopBackOff", last=("Error", 1))


def agent(name: str) -> Changes:
    """A Pod of a DaemonSet that crashes, beside one that works."""
    return {"node__pods": (changed(pod("x", CRASH), owner=f"DaemonSet/{name}"), pod("web", container()))}


def pulling(*images: str, why: str = "dial tcp 10.0.0.1:443: i/o timeout") -> Changes:
    """Pods that wait for images."""
    waits = container("waiting", "ImagePullBackOff", f"ErrImagePull: failed to do request: {why}")
    pods = [pod(image, type(waits)(**{**vars(waits), "image": image})) for image in images]
    return {"node__pods": (*pods, pod("web", container()))}


@pytest.mark.parametrize(
    ("node", "api", "expected"),
    [
        ({"runtime__journal": journal(FULL)}, {}, ["cni-ipam-exhausted"]),
        ({"runtime__journal": journal(FULL, at=100.0)}, {}, []),
        ({"runtime__journal": journal(BRIDGE)}, {}, ["cni-bridge-stale-address"]),
        ({"runtime__journal": journal(BRIDGE), "identity__addresses": ("10.77.0.14", "10.244.1.1")}, {}, []),
        (FLANNEL, {}, ["flannel-subnet-env-missing"]),
        ({**FLANNEL, "identity__uptime": 70.0}, {}, []),
        ({**FLANNEL, "kernel__vxlan_module": False}, {}, ["flannel-vxlan-unsupported"]),
        ({"kernel__vxlan_module": False}, {}, []),
        (FLANNEL, {"node__pod_cidrs": ()}, ["pod-cidr-unassigned"]),
        ({}, {"node__pod_cidrs": ()}, []),
        (FLANNEL, agent("kube-flannel-ds"), ["cni-agent-down"]),
        ({}, agent("kube-proxy"), ["kube-proxy-down"]),
        ({}, agent("proxy"), ["app-crashloop"]),
        ({"kernel__sysctls": {"net.bridge.bridge-nf-call-iptables": "0"}}, {}, ["br-netfilter-missing"]),
        ({"kernel__modules": {"br_netfilter": False}, "network__cni__plugins": ("calico",)}, {}, []),
        ({"kernel__sysctls": {"net.ipv4.ip_forward": "0"}}, {}, ["ip-forward-disabled"]),
        ({"kernel__sysctls": {"net.ipv4.ip_forward": "0"}}, {"node__addresses": ("fd00::4",)}, []),
        ({"network__firewall": n.Firewall((), (), NFT, HINT)}, {}, ["iptables-backend-mismatch"]),
        ({"network__firewall": n.Firewall((), (), (*NFT, *HINT), ())}, {}, []),
        ({"network__firewall": n.Firewall(("ip filter FORWARD",), (), NFT, ())}, {}, ["iptables-forward-drop"]),
        ({"network__firewall": n.Firewall((), ("inet f input: drop",), NFT, ())}, {}, ["kubelet-port-firewalled"]),
        ({**OVERLAY, "network__mtus": {"eth0": 1400, "flannel.1": 1450}}, {}, ["mtu-mismatch"]),
        ({**OVERLAY, "network__mtus": {"eth0": 1500, "flannel.1": 1450}}, {}, []),
        ({}, pulling("a", "b"), ["registry-unreachable-from-node"]),
        ({}, pulling("a"), []),
        ({}, pulling("a", "b", why="unexpected status: 500"), []),
    ],
)
def test_pod_network(node: Changes, api: Changes, expected: list[str]) -> None:
    assert roots(node, api) == expected


MEMCG = "oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),oom_memcg=/kubepods.slice/a,task_memcg=/kubepods.slice/a,task=stress,pid=1,uid=0"
OOM = {
    "node__pods": (pod("a", container("waiting", "CrashLoopBackOff", last=("OOMKilled", 137))), pod("b", container()))
}


def back(last: tuple[str, int], seconds_ago: float, restarts: int) -> Changes:
    """A Pod whose container ended so long ago, and runs."""
    ended = {"last_finished": NOW - timedelta(seconds=seconds_ago), "restarts": restarts}
    return {"node__pods": (pod("a", amended(container(last=last), **ended)), pod("b", container()))}


def killed_and_back(seconds_ago: float) -> Changes:
    """A Pod whose container was killed so long ago, and runs."""
    return back(("OOMKilled", 137), seconds_ago, 0)


def crashed_and_back(seconds_ago: float, restarts: int) -> Changes:
    """As a kubelet v1.37.2 under load had it: `exit 3`, and seen while it ran (matrix, quiet-crashing-application)."""
    return back(("Error", 3), seconds_ago, restarts)


NO_MAP = container("waiting", "CreateContainerConfigError", 'configmap "nope" not found')
LAGGING = container("waiting", "CreateContainerConfigError", "failed to sync configmap cache: timed out")
ENDED = changed(
    pod("a", container("terminated")), deleting=True, finalizers=("x/never",), deletion=NOW - timedelta(minutes=5)
)
SYSCTL = changed(pod("a"), phase="Failed", reason="SysctlForbidden", message="forbidden sysctl", ready=False)
CPU = changed(pod("a"), message="0/2 nodes are available: 1 Insufficient cpu")
TAINTED = changed(CPU, message="0/2 nodes are available: 2 node(s) had untolerated taint")


def probed(message: str, *names: str) -> Changes:
    """Pods whose probe fails again and again, beside one that works."""
    pods = [changed(pod(name, container()), ready=False) for name in names]
    events = tuple(event(f"default/{name}", "Unhealthy", message, count=5) for name in names)
    return {"node__pods": (*pods, pod("web", container())), "node__events": events}


@pytest.mark.parametrize(
    ("node", "api", "expected"),
    [
        ({"kernel__journal": journal(MEMCG)}, OOM, ["app-oomkilled"]),
        ({"kernel__journal": journal(MEMCG)}, killed_and_back(20), ["app-oomkilled"]),
        ({"kernel__journal": journal(MEMCG)}, killed_and_back(600), []),
        ({}, crashed_and_back(20, 2), ["app-crashloop"]),
        ({}, crashed_and_back(20, 1), []),
        ({}, crashed_and_back(90, 2), []),
        ({"kernel__journal": journal(MEMCG.replace("/kubepods.slice/a", "/kubepods.slice"))}, OOM, []),
        (
            {},
            pulling("a", why="unexpected status from HEAD request to x: 401 Unauthorized"),
            ["imagepull-auth-or-ratelimit"],
        ),
        ({}, probed("Liveness probe failed:", "a"), ["probe-failure-app"]),
        ({}, probed("Liveness probe failed:", "a", "b"), []),
        ({}, probed("Liveness probe failed: context deadline exceeded", "a"), []),
        ({}, {"node__unscheduled": (CPU,)}, ["pod-unschedulable"]),
        ({}, {"node__unscheduled": (TAINTED,)}, []),
        ({}, {"node__pods": (pod("a", NO_MAP),)}, ["config-error"]),
        ({}, {"node__pods": (pod("a", LAGGING),)}, []),
        (
            {"runtime__exec_format": ("uid-a/main",)},
            {"node__pods": (pod("a", CRASH), pod("b", container()))},
            ["image-exec-format"],
        ),
        (
            {"runtime__exec_format": ("uid-z/main",)},
            {"node__pods": (pod("a", CRASH), pod("b", container()))},
            ["app-crashloop"],
        ),
        ({}, {"node__pods": (ENDED,)}, ["pod-finalizer-stuck"]),
        ({}, {"node__pods": (changed(ENDED, deletion=NOW),)}, []),
        ({}, {"node__pods": (SYSCTL,)}, ["runtimeclass-or-security"]),
        ({}, {"node__pods": (changed(SYSCTL, reason="OutOfcpu"),)}, []),
    ],
)
def test_workload(node: Changes, api: Changes, expected: list[str]) -> None:
    assert roots(node, api) == expected
