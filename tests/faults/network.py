# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Faults of the network, and of the way to the node."""

from __future__ import annotations

import typing as t

from .model import Fault, controller, node

TABLE: t.Final = "inet outward_fault"
OPEN: t.Final = (node(f"nft delete table {TABLE}"),)


def drop(chain: str, match: str) -> str:
    """nft lines that drop what matches in the hook *chain*; a table of their own is deleted to undo them."""
    return (
        f"nft add table {TABLE}\n"
        f"nft add chain {TABLE} {chain} '{{ type filter hook {chain} priority -300; }}'\n"
        f"nft add rule {TABLE} {chain} {match} drop"
    )


FAULTS: t.Final[tuple[Fault, ...]] = (
    Fault(
        id="cni-config-missing",
        inject=(node("keep /etc/cni/net.d/*; rm /etc/cni/net.d/*"),),
        holds=controller('[ "$(condition Ready)" = False ]'),
        # containerd 1.7 notices a file that is written in place, not one that is moved there.
        undo=(node("back; for file in /etc/cni/net.d/*; do cp $file /run/cni; cat /run/cni > $file; done"),),
        outcome="needs-operator",
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
    ),
)
