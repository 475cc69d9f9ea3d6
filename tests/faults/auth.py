# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Faults in what the kubelet proves itself with, and in its registration."""

from __future__ import annotations

import typing as t

from .model import Fault, controller, node

CURRENT: t.Final = "$PKI/kubelet-client-current.pem"
MEND: t.Final = (node("back; rm -f $PKI/outward.pem; restart kubelet"),)
BOOTSTRAP: t.Final = "unable to load bootstrap kubeconfig"


def _other_certificate(*options: str) -> tuple[t.Any, ...]:
    """Another client certificate in place of the kubelet's, and a kubelet that has to use it."""
    return (
        node(f"keep {CURRENT}"),
        controller(f"certificate {' '.join(options)} | onto /var/lib/kubelet/pki/outward.pem"),
        node(f"ln -sf $PKI/outward.pem {CURRENT}; restart kubelet"),
    )


FAULTS: t.Final[tuple[Fault, ...]] = (
    Fault(
        id="kubelet-client-cert-expired",
        inject=_other_certificate('--name "system:node:$HOST"', "--expired"),
        holds=node("said kubelet 'client certificate .* is expired' && ! healthz"),
        undo=MEND,
        outcome="needs-operator",
        note="a certificate of the cluster's own CA that ended an hour ago",
    ),
    Fault(
        id="kubelet-client-pem-missing",
        inject=(node(f"keep {CURRENT}; rm {CURRENT}; restart kubelet"),),
        holds=node(f"[ $(substate kubelet) = auto-restart ] && said kubelet '{BOOTSTRAP}'"),
        undo=MEND,
        outcome="needs-operator",
    ),
    Fault(
        id="node-object-deleted",
        inject=(controller('kubectl delete node "$HOST" --wait=false'),),
        holds=controller('! kubectl get node "$HOST" --request-timeout=5s'),
        undo=(node("restart kubelet"),),
        outcome="recovered",
        actions=("restart-kubelet",),
    ),
)
