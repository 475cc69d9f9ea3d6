# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Repairs of what the kubelet trusts and proves itself with, from what the node itself still holds; no new key is made."""

from __future__ import annotations

import typing as t
from collections.abc import Iterator

from ..change import Change, ClientCa
from ..node import NodeEvidence
from ..repair import Repair, entered
from ..signs import kubelet_answers


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
        changes=trusted,
        refuse=another_ca,
        shows=kubelet_answers,
    )
)
