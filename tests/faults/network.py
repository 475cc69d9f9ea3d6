# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Faults of the network, and of the way to the node."""

from __future__ import annotations

import typing as t

from .model import Fault, controller, node
from .pods import GONE, event, pod

TABLE: t.Final = "inet outward_fault"
OPEN: t.Final = (node(f"nft delete table {TABLE}"),)


def drop(chain: str, match: str) -> str:
    """nft lines that drop what matches in the hook *chain*; a table of their own is deleted to undo them."""
    return (
        f"nft add table {TABLE}\n"
        f"nft add chain {TABLE} {chain} '{{ type filter hook {chain} priority -300; }}'\n"
        f"nft add rule {TABLE} {chain} '{match} drop'"  # quoted, for "<" is the shell's otherwise
    )


FAULTS: t.Final[tuple[Fault, ...]] = (
    Fault(
        id="cni-config-missing",
        inject=(node("keep /etc/cni/net.d/*; rm /etc/cni/net.d/*"),),
        holds=controller('[ "$(condition Ready)" = False ]'),
        # containerd 1.7 notices a file that is written in place, not one that is moved there.
        undo=(node("back; for file in /etc/cni/net.d/*; do cp $file /run/cni; cat /run/cni > $file; done"),),
        outcome="recovered",
        actions=("restore-cni-config",),
        deadline=120,
    ),
    Fault(
        id="apiserver-firewalled",
        inject=(node(drop("output", "ip daddr 10.77.0.1 tcp dport 6443")),),
        holds=node("! timeout 3 python3 -c 'import socket; socket.create_connection((\"10.77.0.1\", 6443))'"),
        undo=OPEN,
        outcome="needs-operator",
    ),
    Fault(
        id="ssh-dead-kubelet-alive",
        # After our own session has ended, which would keep its connection.
        inject=(
            node("systemd-run --on-active=2 sh -c 'systemctl stop ssh.socket; systemctl kill ssh; systemctl stop ssh'"),
        ),
        holds=controller('! lab ssh "$HOST" -- true && [ "$(condition Ready)" = True ]'),
        undo=(controller('lab reset "$HOST"'),),
        outcome="needs-operator",
        actions=("cordon-node",),
    ),
    Fault(
        id="cni-config-invalid",
        inject=(node("echo '{' > /etc/cni/net.d/00-outward.conflist; restart containerd"),),
        holds=controller('[ "$(condition Ready)" = False ]'),
        undo=(node("rm /etc/cni/net.d/00-outward.conflist; restart containerd"),),
        outcome="recovered",
        actions=("set-aside-cni-config",),
        deadline=120,
    ),
    Fault(
        id="cni-binary-missing",
        inject=(node("mv /usr/lib/cni/bridge /usr/lib/cni/bridge.outward"), pod()),
        holds=event("failed to find plugin"),
        undo=(node("mv /usr/lib/cni/bridge.outward /usr/lib/cni/bridge"), GONE),
        outcome="refused",
        deadline=120,
        note="Ready stays True, and no new Pod starts; the node has no other one",
    ),
    Fault(
        id="cni-binary-elsewhere",
        roots=("cni-binary-missing",),
        inject=(node("mkdir -p /opt/cni/bin; mv /usr/lib/cni/bridge /opt/cni/bin/bridge"), pod()),
        holds=event("failed to find plugin"),
        undo=(node("mv /opt/cni/bin/bridge /usr/lib/cni/bridge; rm -r /opt/cni"), GONE),
        outcome="recovered",
        actions=("link-cni-plugin",),
        deadline=120,
        note="another package's directory has it, which the runtime is not configured for",
    ),
    Fault(
        id="apiserver-dns-failure",
        inject=(
            node(
                "keep $KUBECONFIG; sed -i 's#server: .*#server: https://api.lab.invalid:6443#' $KUBECONFIG; restart kubelet"
            ),
        ),
        holds=node("said kubelet 'lookup api.lab.invalid'"),
        undo=(node("back; restart kubelet"),),
        outcome="recovered",
        actions=("set-api-server", "restart-kubelet"),
    ),
    Fault(
        id="apiserver-endpoint-stale",
        inject=(
            node(
                "keep $KUBECONFIG; sed -i 's#server: .*#server: https://10.77.0.250:6443#' $KUBECONFIG; restart kubelet"
            ),
        ),
        holds=node("said kubelet 'dial tcp 10.77.0.250:6443'"),
        undo=(node("back; restart kubelet"),),
        outcome="recovered",
        actions=("set-api-server", "restart-kubelet"),
        note="the address that the control plane had before",
    ),
    Fault(
        id="node-no-route",
        roots=("node-link-down",),
        # Of the way to the API server only: the route as a whole is also that of our own session.
        inject=(
            node("ip rule add pref 99 to 10.77.0.1 ipproto tcp dport 6443 unreachable; ss -K dport = :6443 || true"),
        ),
        holds=controller('[ "$(condition Ready)" = Unknown ]'),
        undo=(node("ip rule del pref 99"),),
        outcome="needs-operator",
        deadline=120,
    ),
    Fault(
        id="heartbeat-jitter-network",
        inject=(
            node("date +%s > /run/outward-since"),
            node(drop("input", "ip saddr 10.77.0.1 tcp sport 6443 numgen random mod 100 < 70")),
        ),
        # Again and again, and not the one short outage that a reset of the lab is.
        holds=node(
            'journalctl -q --no-pager -o short-unix -u kubelet --since "@$(cat /run/outward-since)" | awk \'/ailed to update'
            " lease/ { if (!first) first = $1; last = $1; seen++ } END { exit !(seen >= 3 && last - first >= 60) }'"
        ),
        undo=OPEN,
        outcome="needs-operator",
        deadline=300,
        note="seven of ten packets of the API server's are lost",
    ),
    Fault(
        id="node-link-down",
        roots=("node-unreachable",),
        inject=(node("systemd-run --on-active=2 ip link set eth0 down"),),
        holds=controller('[ "$(condition Ready)" = Unknown ]'),
        undo=(controller('lab reset "$HOST"'),),
        outcome="needs-operator",
        actions=("cordon-node",),
        deadline=120,
        note="from the outside the same as a dead node",
    ),
)
