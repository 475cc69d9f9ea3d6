# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Faults of certificate signing: requests that nobody approves, or that somebody denies."""

from __future__ import annotations

import typing as t

from .model import Fault, controller, node

FAULTS: t.Final[tuple[Fault, ...]] = (
    Fault(
        id="kubelet-serving-csr-pending",
        inject=(
            node(
                "keep $PKI/kubelet-server-current.pem; setting serverTLSBootstrap true; rm -f $PKI/kubelet-server-current.pem; restart kubelet"
            ),
        ),
        holds=controller(
            'kubectl get csr -o json | "$PYTHON" -c \'import json, sys; '
            'sys.exit(not [c for c in json.load(sys.stdin)["items"] if not c["status"]'
            ' and c["spec"]["signerName"] == "kubernetes.io/kubelet-serving"'
            ' and c["spec"]["username"] == "system:node:" + sys.argv[1]])\' "$HOST"'
        ),
        undo=(node("back; restart kubelet"),),
        outcome="needs-operator",
        deadline=120,
        note="logs and exec fail with a TLS error; Ready stays True",
    ),
)
