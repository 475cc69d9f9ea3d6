# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Faults of what stands around the node: the control plane, and the machine itself."""

from __future__ import annotations

import typing as t

from .model import Fault, controller
from .network import TABLE, drop

QEMU: t.Final = "$(lab status | awk -v host=\"$HOST\" '$1 == host && $2 ~ /^[0-9]+$/ {print $2}')"

API: t.Final = "ip daddr 10.77.0.1 tcp dport 6443"
CLOSED: t.Final = f"for worker in $(workers); do on $worker sh -eus <<'RULES'\n{drop('output', API)}\nRULES\ndone"
OPEN: t.Final = f"for worker in $(workers); do on $worker nft delete table {TABLE} || true; done"

FAULTS: t.Final[tuple[Fault, ...]] = (
    Fault(
        id="apiserver-unavailable",
        inject=(controller("lab apiserver stop"),),
        holds=controller("! kubectl get --raw /readyz --request-timeout=3s"),
        undo=(controller("lab apiserver start"),),
        outcome="external",
        scope="cluster",
    ),
    Fault(
        id="node-dead",
        roots=("node-unreachable",),
        inject=(controller(f"kill -STOP {QEMU}"),),
        holds=controller('[ "$(condition Ready)" = Unknown ]'),
        undo=(controller(f"kill -CONT {QEMU}"),),
        outcome="needs-operator",
        actions=("cordon-node",),
        deadline=120,
        note="the virtual machine is stopped: nothing answers, not even ARP",
    ),
    Fault(
        id="apiserver-unreachable-from-nodes",
        inject=(controller(CLOSED),),
        holds=controller("all Unknown"),
        undo=(controller(OPEN),),
        outcome="external",
        scope="cluster",
        deadline=180,
        note="every node's way to the API server is firewalled; the controller's is not",
    ),
    Fault(
        id="nodes-lost-together",
        roots=("kubelet-stopped", "nodes-lost-together"),
        inject=(controller('for worker in "$HOST" $(another); do on $worker systemctl stop kubelet; done'),),
        holds=controller('[ "$(condition Ready)" = Unknown ] && [ "$(HOST=$(another); condition Ready)" = Unknown ]'),
        undo=(controller("for worker in $(workers); do on $worker systemctl start kubelet; done"),),
        outcome="external",
        scope="cluster",
        deadline=180,
        note="somebody stopped the kubelets of two nodes: a rollout, say",
    ),
    Fault(
        id="mass-failure-just-over",
        roots=("kubelet-stopped", "mass-failure-just-over"),
        inject=(
            controller(
                "[ $(workers | wc -l) -ge 3 ] || { echo 'make lab-up WORKERS=3'; exit 1; }\n"
                "youngest=$(kubectl get nodes -o 'jsonpath={.items[*].metadata.creationTimestamp}' | tr ' ' '\\n' | sort | tail -1)\n"
                "[ \"$(date -u -d '-5 minutes' +%FT%TZ)\" \\> \"$youngest\" ] || { echo 'a worker has only just joined'; exit 1; }"
            ),
            controller(
                f"{CLOSED}\nfor try in $(seq 180); do if all Unknown; then break; fi; sleep 1; done; all Unknown"
            ),
            controller(f"{OPEN}\nfor try in $(seq 120); do if all True; then break; fi; sleep 1; done; all True"),
            controller('on "$HOST" systemctl stop kubelet'),
        ),
        holds=controller("all True"),
        undo=(controller(f'{OPEN}; on "$HOST" systemctl start kubelet'),),
        outcome="external",
        scope="cluster",
        note="needs three workers: no node reached the API server for a minute, and one of them is broken since",
    ),
)
