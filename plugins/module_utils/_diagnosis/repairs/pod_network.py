# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Repairs of the CNI's configuration, and of what its plugins left behind on a node."""

from __future__ import annotations

import re
import typing as t
from collections.abc import Iterator

from ..change import Addresses, Aside, Change, Mtu, Plugin, Remembered, Reservations, ServiceChains, Unit
from ..node import NodeEvidence
from ..repair import Repair, entered
from ..signs import oversized, said
from .runtime import STILL_SAID, no_list, runtime_restart

LEAST_MTU: t.Final = 1280
HOST_LOCAL: t.Final = "/var/lib/cni/networks"
STALE: t.Final = r'"?([\w.-]{1,15})"? already has an IP address different from ([0-9.]{7,15})/[0-9]{1,3}'


RELEASE: t.Final = entered(
    Repair(
        step="release-addresses",
        words="moves host-local's reservations whose sandbox the runtime does not know into our backup",
        asks=frozenset({"cri", "kubelet-journal", "network", "runtime-journal"}),
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
        asks=frozenset({"kubelet-journal", "runtime-journal"}),
        changes=stale,
        trial=True,
        patience=STILL_SAID,
    )
)


def network_ready(node: NodeEvidence) -> bool:
    """The runtime has read a configuration that it can use."""
    return node.runtime.cri.outcome == "ok" and bool(node.runtime.cri.network_ready)


CONFIG: t.Final = entered(
    Repair(
        step="restore-cni-config",
        words="writes the CNI configuration again that the Pods which run were made with (libcni keeps a copy for each)",
        asks=frozenset({"cri", "network"}),
        changes=lambda node: (Remembered(node.network.cni.config_dir.path),),
        shows=network_ready,
    )
)
DIRECTORY: t.Final = entered(
    Repair(
        step="restore-cni-directory",
        words="makes the directory of the CNI configuration again, with the configuration that the Pods which run were made with, "
        "and restarts containerd, which watches it; containers run on",
        asks=frozenset({"network", "pressure", "runtime-journal", "storage"}),
        changes=lambda node: (
            Remembered(node.network.cni.config_dir.path),
            Unit("reread", (node.profile.runtime_unit,)),
        ),
        refuse=runtime_restart,
        shows=network_ready,
    )
)


PLUGIN: t.Final = entered(
    Repair(
        step="link-cni-plugin",
        words="links a CNI plugin that the runtime does not find to the one that another package has put into its own directory on "
        "this node; refuses when there is none",
        asks=frozenset({"network"}),
        changes=lambda node: tuple(Plugin(name) for name in node.network.cni.missing_plugins),
        trial=True,
        patience=STILL_SAID,
    )
)


def unusable(node: NodeEvidence) -> tuple[Change, ...]:
    """The first file is the one that the runtime takes; the next one, or what it took before, comes into its place."""
    cni = node.network.cni
    last = (Remembered(cni.config_dir.path),) if len(cni.configs) == 1 else ()
    return (Aside(cni.configs[0].path), *last)


ASIDE: t.Final = entered(
    Repair(
        step="set-aside-cni-config",
        words="moves a CNI configuration that cannot be used into our backup; when there is no other, the one that the Pods which "
        "run were made with is written again",
        asks=frozenset({"network"}),
        changes=unusable,
        shows=network_ready,
    )
)


def too_small(node: NodeEvidence) -> Iterator[str]:
    """IPv6 asks for 1280 octets (RFC 8200, 5), and a link that carries less would lose it."""
    for link, room in oversized(node).items():
        if room < LEAST_MTU:
            yield f"the link below leaves {room} octets to {link}, and IPv6 needs {LEAST_MTU}: look at the link below"


MTU: t.Final = entered(
    Repair(
        step="lower-overlay-mtu",
        words="lowers the MTU of the overlay's link to what the link below leaves it, so that senders are told; the CNI's own "
        "configuration is still a person's, and its agent may set the old one again when it starts",
        asks=frozenset({"network"}),
        changes=lambda node: tuple(Mtu(link, room) for link, room in oversized(node).items()),
        refuse=too_small,
    )
)


def kinds(node: NodeEvidence) -> tuple[str, tuple[str, ...], str]:
    """The kind of iptables that the kubelet uses (it leaves a hint there), Kubernetes' chains in it, and the other kind."""
    firewall = node.network.firewall
    if "KUBE-IPTABLES-HINT" in firewall.nft_chains:
        return "nft", firewall.nft_chains, "legacy"
    return "legacy", firewall.legacy_chains, "nft"


def only_there(node: NodeEvidence) -> Iterator[str]:
    """Then whoever writes them may have chosen the other kind, and they are all that there is."""
    used, chains, other = kinds(node)
    if "KUBE-SERVICES" not in chains:
        yield (
            f"iptables-{used} has no KUBE-SERVICES: the rules of Services in iptables-{other} may be the ones that count; "
            "kube-proxy's log says which kind it writes"
        )


CHAINS: t.Final = entered(
    Repair(
        step="remove-stale-service-rules",
        words="removes Kubernetes' chains from the kind of iptables that the kubelet does not use, when Services' rules stand in the "
        "other as well; rules of others stay",
        asks=frozenset({"firewall"}),
        changes=lambda node: (ServiceChains(kinds(node)[2]),),
        refuse=only_there,
    )
)
