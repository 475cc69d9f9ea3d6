# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Repairs of what the CNI's plugins left behind on a node. The proof of each is a Pod sandbox that can be made again."""

from __future__ import annotations

import re
import typing as t
from collections.abc import Iterator

from ..change import Addresses, Change, Reservations
from ..node import NodeEvidence
from ..repair import Repair, entered
from ..signs import said

HOST_LOCAL: t.Final = "/var/lib/cni/networks"
# As long as the line may still count (signs.LATELY), and the API takes to show it.
STILL_SAID: t.Final = 300
STALE: t.Final = r'"?([\w.-]{1,15})"? already has an IP address different from ([0-9.]{7,15})/[0-9]{1,3}'


def no_list(node: NodeEvidence) -> Iterator[str]:
    """Whose reservation is nobody's any more can only be told from the list of all sandboxes."""
    if node.runtime.cri.outcome != "ok":
        yield f"the runtime does not list its sandboxes ({node.runtime.cri.outcome})"


RELEASE: t.Final = entered(
    Repair(
        step="release-addresses",
        words="moves host-local's reservations whose sandbox the runtime does not know into our backup",
        changes=lambda node: (Reservations(HOST_LOCAL),),
        refuse=no_list,
        trial=True,
        patience=STILL_SAID,
    )
)


def stale(node: NodeEvidence) -> tuple[Change, ...]:
    """The bridge that the CNI plugin named, and the address that it is to have."""
    for journal in (node.runtime.journal, node.kubelet.journal):
        found: t.Optional[tuple[object, re.Match[str]]] = said(journal, STALE)
        if found:
            return (Addresses(found[1].group(1), found[1].group(2)),)
    return ()


BRIDGE: t.Final = entered(
    Repair(
        step="clear-bridge-address",
        words="takes the address of another Pod network off the Pods' bridge; the CNI plugin gives it the right one",
        changes=stale,
        trial=True,
        patience=STILL_SAID,
    )
)
