# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Faults in what the kubelet proves itself with and trusts, and in its registration."""

from __future__ import annotations

import typing as t

from .model import Fault, Step, controller, node

CURRENT: t.Final = "$PKI/kubelet-client-current.pem"
MEND: t.Final = (node("back; rm -f $PKI/outward.pem; restart kubelet"),)
NO_BOOTSTRAP: t.Final = "unable to load bootstrap kubeconfig"


def other_certificate(*options: str) -> tuple[Step, ...]:
    """Another client certificate in place of the kubelet's, and a kubelet that has to use it."""
    return (
        node(f"keep {CURRENT}"),
        controller(f"certificate {' '.join(options)} | onto /var/lib/kubelet/pki/outward.pem"),
        node(f"ln -sf $PKI/outward.pem {CURRENT}; restart kubelet"),
    )


def restarted(id: str, script: str, holds: str, **more: t.Any) -> Fault:
    """Something is changed below a kubelet that then has to start."""
    fields: dict[str, t.Any] = {"outcome": "needs-operator", **more}
    return Fault(
        id=id,
        inject=(node(f"{script}; restart kubelet"),),
        holds=node(holds),
        undo=MEND,
        **fields,
    )


FAULTS: t.Final[tuple[Fault, ...]] = (
    Fault(
        id="kubelet-client-cert-expired",
        inject=other_certificate('--name "system:node:$HOST"', "--expired"),
        holds=node("said kubelet 'client certificate .* is expired' && ! healthz"),
        undo=MEND,
        outcome="needs-operator",
        note="a certificate of the cluster's own CA that ended an hour ago",
    ),
    restarted(
        "kubelet-client-pem-missing",
        f"keep {CURRENT}; rm {CURRENT}",
        f"[ $(substate kubelet) = auto-restart ] && said kubelet '{NO_BOOTSTRAP}'",
        outcome="recovered",
        actions=("relink-client-certificate",),
        note="only the link is gone",
    ),
    restarted(
        "kubelet-client-pem-corrupt",
        f"keep {CURRENT}; : > $PKI/outward.pem; ln -sf $PKI/outward.pem {CURRENT}",
        f"[ $(substate kubelet) = auto-restart ] && said kubelet '{NO_BOOTSTRAP}'",
        outcome="recovered",
        actions=("relink-client-certificate",),
        note="an empty file, as a power loss leaves it, beside the one before it",
    ),
    restarted(
        "kubelet-kubeconfig-missing",
        "keep $KUBECONFIG; rm $KUBECONFIG",
        f"[ $(substate kubelet) = auto-restart ] && said kubelet '{NO_BOOTSTRAP}'",
        outcome="recovered",
        actions=("rebuild-kubeconfig",),
    ),
    restarted(
        "kubelet-client-ca-file-missing",
        "keep /etc/kubernetes/pki/ca.crt; rm /etc/kubernetes/pki/ca.crt",
        "[ $(substate kubelet) = auto-restart ] && said kubelet 'pki/ca.crt'",
        outcome="recovered",
        actions=("restore-client-ca",),
    ),
    restarted(
        "apiserver-ca-mismatch",
        "keep $KUBECONFIG; openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=kubernetes -days 1 "
        "-keyout /dev/null -out /run/outward-ca.crt 2>/dev/null\n"
        'sed -i "s#certificate-authority-data: .*#certificate-authority-data: $(base64 -w0 /run/outward-ca.crt)#" $KUBECONFIG',
        "said kubelet 'certificate signed by unknown authority'",
        note="the node trusts another CA than the API server has",
    ),
    Fault(
        id="kubelet-client-ca-rejected",
        inject=other_certificate('--name "system:node:$HOST"', "--stranger"),
        holds=node("said kubelet 'Unauthorized'"),
        undo=MEND,
        outcome="needs-operator",
        note="a certificate that another CA has signed",
    ),
    Fault(
        id="node-identity-wrong",
        inject=other_certificate("--name system:node:pi-99"),
        holds=node("said kubelet 'forbidden: .*pi-99|node \"pi-99\"'"),
        undo=MEND,
        outcome="needs-operator",
        note="a cloned card: the certificate of another node",
    ),
    restarted(
        "bootstrap-token-expired",
        f"keep {CURRENT} $KUBECONFIG /etc/kubernetes/bootstrap-kubelet.conf\n"
        "sed '/^users:/,$d' $KUBECONFIG > /etc/kubernetes/bootstrap-kubelet.conf\n"
        "printf 'users:\\n- name: default-auth\\n  user:\\n    token: abcdef.0123456789abcdef\\n' "
        f">> /etc/kubernetes/bootstrap-kubelet.conf\nrm {CURRENT} $KUBECONFIG",
        "said kubelet 'Unauthorized'",
        note="a bootstrap kubeconfig whose token the cluster does not know any more",
    ),
    Fault(
        id="kubelet-half-joined",
        inject=(
            node("keep $PKI/kubelet-client-*; rm $PKI/kubelet-client-*; restart kubelet"),
            controller('kubectl delete node "$HOST" --wait=false'),
        ),
        holds=node(f"[ $(substate kubelet) = auto-restart ] && said kubelet '{NO_BOOTSTRAP}'"),
        undo=MEND,
        outcome="needs-operator",
        note="what a join leaves that ended in its time-out: kubelet.conf, no certificate, no Node",
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
