# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Before a kubelet is given a bootstrap token: the gate of a restart, but for what the token is to mend."""

from __future__ import annotations

import typing as t
from collections.abc import Iterator

from . import gate
from .gate import KUBELET_RULES, Refusal, Rule
from .node import Certificates, NodeEvidence
from .signs import clock_trusted

# These ask for the certificate and the kubeconfig that are to be replaced.
REPLACED: t.Final = (gate.kubeconfig, gate.client_certificate, gate.client_ca, gate.api)


def refusals(node: NodeEvidence) -> tuple[Refusal, ...]:
    """Why it must not be done now; empty: nothing speaks against it.

    ``network.api`` is the API server by the address and the CA that the node is to be given, asked without a certificate.
    """
    return gate.ask(node, RULES)


def bootstrapping(node: NodeEvidence) -> Iterator[str]:
    """the kubelet takes a bootstrap kubeconfig."""
    if node.profile.name != "kubeadm":
        yield f"a node of the profile {node.profile.name} joins in its own way"
        return
    given = {setting.flag for setting in node.kubelet.config.flags}
    for name, path in (
        ("--kubeconfig", node.profile.kubeconfig),
        ("--bootstrap-kubeconfig", node.profile.bootstrap_kubeconfig),
    ):
        if f"{name}={path}" not in given:
            yield f"its kubelet is not started with {name}={path}, as kubeadm does it"


def clock(node: NodeEvidence) -> Iterator[str]:
    """the clock is right."""
    if not clock_trusted(node):
        yield f"the clock is not to be trusted ({gate.clock_doubt(node)}): a new certificate would look wrong too"


def api_trusted(node: NodeEvidence) -> Iterator[str]:
    """the API server answers this node, and proves itself by the CA that the node is to trust."""
    answer = node.network.api
    if answer.outcome not in ("ok", "http"):
        yield f"{answer.server} cannot be reached from this node ({answer.outcome}: {answer.detail})"


def client_ca(node: NodeEvidence) -> Iterator[str]:
    """the file of clientCAFile is there, or will be."""
    file = node.certificates.client_ca_file
    if file is not None and not file.exists and file.path != node.profile.ca_file:
        yield f"clientCAFile {file.path} is not there, and only {node.profile.ca_file} is written: the kubelet would exit"


RULES: t.Final[tuple[Rule, ...]] = (
    bootstrapping,
    client_ca,
    *(rule for rule in KUBELET_RULES if rule not in REPLACED),
    clock,
    api_trusted,
)


def usable(certificates: Certificates, node: str) -> bool:
    """The certificate there is now is the node's, with its key, by the CA that the kubeconfig trusts."""
    found = certificates.client
    return (
        found is not None
        and certificates.client_problem is None
        and found.common_name == f"system:node:{node}"
        and found.organizations == ("system:nodes",)
        and found.key_matches is True
        and found.signed_by_ca is True
    )


def accepted(node: NodeEvidence) -> bool:
    """The API server takes it, asked over a new connection: a certificate that it does not know is answered with 401."""
    answer = node.network.api
    return answer.status == 200 and "asked without a certificate" not in answer.detail
