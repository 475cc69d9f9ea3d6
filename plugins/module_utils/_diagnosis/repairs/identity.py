# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Repairs of what the kubelet trusts and proves itself with, from what the node itself still holds; no new key is made."""

from __future__ import annotations

import typing as t
from collections.abc import Iterator

from ..change import ApiServer, Change, ClientCa, ClientCertificate, NodeKubeconfig
from ..node import NodeEvidence
from ..repair import LOOPING, Repair, entered
from ..signs import flag, kubelet_answers, true_time

USER: t.Final = "system:node:"


def another_ca(node: NodeEvidence) -> Iterator[str]:
    """One CA signs clients and servers in a kubeadm cluster; where that is not so, the kubeconfig has the wrong one."""
    client = node.certificates.client
    if client is None or client.signed_by_ca is not True:
        yield (
            f"the CA in {node.certificates.kubeconfig.file.path} has not signed the kubelet's client certificate: "
            "whether it signs the kubelet's own clients cannot be told"
        )


def trusted(node: NodeEvidence) -> tuple[Change, ...]:
    """Into the place that the configuration names."""
    file = node.certificates.client_ca_file
    return (ClientCa(file.path, node.certificates.kubeconfig.file.path),) if file else ()


CLIENT_CA: t.Final = entered(
    Repair(
        step="restore-client-ca",
        words="writes the CA file that the kubelet checks its clients with again, from the CA in its kubeconfig, when that one has "
        "signed the kubelet's own certificate; systemd starts the kubelet again",
        asks=LOOPING | {"certificates"},
        changes=trusted,
        refuse=another_ca,
        shows=kubelet_answers,
    )
)


def user(node: NodeEvidence) -> str:
    """As the kubelet calls itself: by its flag, else as the host is called."""
    given = flag(node, "--hostname-override")
    return USER + (given[0] if given else node.identity.hostname.strip()).lower()


def relinked(node: NodeEvidence) -> tuple[Change, ...]:
    """The link that the kubeconfig names."""
    now, kubeconfig = true_time(node), node.certificates.kubeconfig
    if now is None or kubeconfig.client_certificate is None:
        return ()
    return (ClientCertificate(kubeconfig.client_certificate, kubeconfig.file.path, user(node), now),)


def kept_otherwise(node: NodeEvidence) -> Iterator[str]:
    """The kubelet's rotation keeps dated files of certificate and key, and a link to the newest."""
    kubeconfig = node.certificates.kubeconfig
    if kubeconfig.client_certificate is None or kubeconfig.client_certificate != kubeconfig.client_key:
        yield f"{kubeconfig.file.path} does not name one file of certificate and key, as the kubelet's rotation keeps them"
    if true_time(node) is None:
        yield "the clock is not synchronised and the API server cannot be asked: which certificate is good cannot be told"


CLIENT_CERTIFICATE: t.Final = entered(
    Repair(
        step="relink-client-certificate",
        words="lets the kubelet's link kubelet-client-current.pem lead to the newest certificate beside it that is for this node, has its "
        "key, is signed by the cluster's CA and has not expired; systemd starts the kubelet again",
        asks=LOOPING | {"api", "certificates", "clock", "kubelet-files"},
        changes=relinked,
        refuse=kept_otherwise,
        shows=kubelet_answers,
    )
)


def not_reached(node: NodeEvidence) -> Iterator[str]:
    """The half of the causes' rules that the node alone can tell."""
    api = node.network.api
    if api.outcome in ("unresolvable", "refused", "unreachable", "tls"):
        yield f"{api.server} (in {node.certificates.kubeconfig.file.path}): {api.detail}"


def reached(node: NodeEvidence) -> bool:
    """The kubeconfig as it is now leads to an API server that is ready."""
    return node.network.api.outcome == "ok"


API_SERVER: t.Final = entered(
    Repair(
        step="set-api-server",
        words="writes the address at which the controller reaches the API server into the kubelet's kubeconfig, when it answers the node "
        "there too, with a certificate of the cluster's CA for that address; a name in that certificate is left as it is; then the "
        "kubelet is restarted",
        asks=frozenset({"api", "certificates"}),
        changes=lambda node: (ApiServer(node.certificates.kubeconfig.file.path),),
        sign=not_reached,
        shows=reached,
        restart=True,
    )
)


def made_anew(node: NodeEvidence) -> tuple[Change, ...]:
    """Of what kubeadm left on this node."""
    path, client = node.certificates.kubeconfig.file.path, node.certificates.client_file.path
    return (NodeKubeconfig(path, node.profile.ca_file, client, user(node), node.clock.now),)


def no_clock(node: NodeEvidence) -> Iterator[str]:
    """The API server cannot be asked for the time: its address is what is missing."""
    if not node.clock.synchronized:
        yield "the clock is not synchronised: whether the certificate is good cannot be told"


KUBECONFIG: t.Final = entered(
    Repair(
        step="rebuild-kubeconfig",
        words="makes the kubelet's kubeconfig anew, of the cluster's CA and the client certificate that are on the node, and of the address "
        "at which the controller reaches the API server, when it answers the node there too; systemd starts the kubelet again",
        asks=LOOPING | {"certificates", "clock", "kubelet-files"},
        changes=made_anew,
        refuse=no_clock,
        shows=kubelet_answers,
    )
)
