# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Faults of what Pods and the kubelet's port need from the node's network."""

from __future__ import annotations

import typing as t

from .model import Fault, controller, node
from .network import OPEN, drop
from .pods import GONE, event, pod


def sysctl(id: str, key: str, value: int, step: str) -> Fault:
    """One kernel setting that Kubernetes needs is another."""
    return Fault(
        id=id,
        inject=(node(f"sysctl -n {key} > /run/outward-sysctl; sysctl -w {key}={value}"),),
        holds=node(f"[ $(sysctl -n {key}) = {value} ]"),
        undo=(node(f"sysctl -w {key}=$(cat /run/outward-sysctl)"),),
        outcome="recovered",
        actions=(step,),
    )


FAULTS: t.Final[tuple[Fault, ...]] = (
    sysctl("br-netfilter-missing", "net.bridge.bridge-nf-call-iptables", 0, "enable-bridge-netfilter"),
    sysctl("ip-forward-disabled", "net.ipv4.ip_forward", 0, "enable-ip-forward"),
    Fault(
        id="iptables-forward-drop",
        inject=(node("iptables -P FORWARD DROP"),),
        holds=node("iptables -S FORWARD | grep -q -- '-P FORWARD DROP'"),
        undo=(node("iptables -P FORWARD ACCEPT"),),
        outcome="needs-operator",
    ),
    Fault(
        id="cni-ipam-exhausted",
        inject=(
            node(
                "cd $(ls -d /var/lib/cni/networks/*/ | head -1)\n"
                "prefix=$(ls | grep -E '^[0-9.]+$' | head -1 | cut -d. -f1-3)\n"
                "for i in $(seq 2 254); do [ -e $prefix.$i ] || echo outward > $prefix.$i; done\n"
                "grep -lrx outward . | xargs touch -d '1 hour ago'"  # what is younger may be in the making
            ),
            pod(),
        ),
        holds=event("no IP addresses available in range set"),
        undo=(node("grep -lrx outward /var/lib/cni/networks | xargs -r rm"), GONE),
        outcome="recovered",
        actions=("release-addresses",),
        deadline=120,
    ),
    Fault(
        id="cni-bridge-stale-address",
        inject=(
            node(
                "bridge=$(ip -o link show type bridge | head -1 | cut -d: -f2 | tr -d ' ')\n"
                "ip -4 -o address show dev $bridge | awk '{print $2, $4}' > /run/outward-bridge\n"
                "ip address flush dev $bridge; ip address add 10.99.0.1/24 dev $bridge"
            ),
            pod(),
        ),
        holds=event("already has an IP address different from"),
        undo=(
            node(
                "read bridge address < /run/outward-bridge\n"
                "ip address flush dev $bridge; ip address add $address dev $bridge"
            ),
            GONE,
        ),
        outcome="recovered",
        actions=("clear-bridge-address",),
        deadline=120,
    ),
    Fault(
        id="iptables-backend-mismatch",
        inject=(
            node(
                "iptables-legacy -t nat -N KUBE-SERVICES; iptables-legacy -t nat -A OUTPUT -j KUBE-SERVICES\n"
                "iptables-legacy -t nat -A KUBE-SERVICES -d 10.96.0.1 -j RETURN\n"
                "iptables-nft -t nat -N KUBE-SERVICES"  # the lab has no kube-proxy: what one writes now
            ),
        ),
        holds=node(
            "iptables-legacy-save -t nat | grep -q :KUBE-SERVICES && nft list chains | grep -q KUBE-IPTABLES-HINT"
        ),
        undo=(
            node(
                "iptables-nft -t nat -X KUBE-SERVICES || true\n"
                "iptables-legacy -t nat -F; iptables-legacy -t nat -X; rmmod iptable_nat || true"
            ),
        ),
        outcome="recovered",
        actions=("remove-stale-service-rules",),
        note="what a kube-proxy of before an upgrade leaves",
    ),
    Fault(
        id="mtu-mismatch",
        inject=(
            node(
                "ip link add flannel.1 type vxlan id 1 local $(hostname -I | cut -d' ' -f1) dstport 8472\n"
                "ip link set flannel.1 mtu 1500 up"
            ),
        ),
        holds=node("[ $(cat /sys/class/net/flannel.1/mtu) = 1500 ]"),
        undo=(node("ip link del flannel.1"),),
        outcome="recovered",
        actions=("lower-overlay-mtu",),
        note="an overlay's link as flannel makes it, with the MTU of the link below",
    ),
    Fault(
        id="runtime-cannot-start-pods",
        inject=(
            node(
                "plugin=$(ls /usr/lib/cni/bridge /opt/cni/bin/bridge 2>/dev/null | head -1); keep $plugin\n"
                "rm $plugin; printf '#!/bin/sh\\ncat > /dev/null\\n"
                """echo "{\\"cniVersion\\": \\"1.0.0\\", \\"code\\": 100, \\"msg\\": \\"broken on purpose\\"}"\\nexit 1\\n'"""
                " > $plugin; chmod 755 $plugin"
            ),
            pod(),
        ),
        # The diagnosis gives a Pod two minutes, as the kubelet gives a call of the runtime.
        holds=controller(
            "kubectl get events --field-selector involvedObject.name=$POD -o 'jsonpath={.items[*].message}'"
            " | grep -q 'broken on purpose'\n"
            "began=$(kubectl get pod $POD -o 'jsonpath={.status.startTime}')\n"
            "[ $(($(date +%s) - $(date -d $began +%s))) -gt 135 ]"
        ),
        undo=(node("back"), GONE),
        outcome="needs-operator",
        deadline=240,
        note="every file is there and the Node is Ready; only making a sandbox shows it",
    ),
    Fault(
        id="kubelet-port-firewalled",
        inject=(node(drop("input", "iifname != lo tcp dport 10250")),),
        holds=controller('! kubectl get --raw "/api/v1/nodes/$HOST/proxy/healthz" --request-timeout=5s'),
        undo=OPEN,
        outcome="needs-operator",
        note="Ready stays True; logs, exec and metrics time out",
    ),
    Fault(
        id="registry-unreachable-from-node",
        # Two images: one alone may be the image's own fault.
        inject=(
            node(drop("output", "ip daddr 10.77.0.1 tcp dport 5999")),
            pod(image="10.77.0.1:5999/app:1", more=', {"name": "other", "image": "10.77.0.1:5999/other:1"}'),
        ),
        holds=controller(
            "[ $(kubectl get pod $POD -o 'jsonpath={.status.containerStatuses[*].state.waiting.message}' |"
            " grep -o 'i/o timeout' | wc -l) -ge 2 ]"
        ),
        undo=(GONE, *OPEN),
        outcome="needs-operator",
        deadline=180,
    ),
)
