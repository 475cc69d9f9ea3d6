# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""netfilter, in two short processes: the names of the chains first, then the rules of the few that have a hook.

A cluster with a thousand Services has tens of thousands of rules; those are never listed.
"""

from __future__ import annotations

import re
import typing as t

from ..._diagnosis.node import Firewall
from ..._parse import netfilter
from ..command import run
from ..errors import ProbeError, words
from ..files import read_or_none

_SECONDS: t.Final = 3.0
_MOST: t.Final = 6
# Who writes rules: kube-proxy its Services, the kubelet a hint for which kind of iptables it uses (1.24).
_TELLING: t.Final = ("KUBE-SERVICES", "KUBE-IPTABLES-HINT", "KUBE-NODEPORTS")
_NAME: t.Final = re.compile(r"[\w.-]{1,64}")


def ask() -> Firewall:
    """Raises :class:`ProbeError` when a program fails, and ``OSError`` when there is none."""
    bases, names = netfilter.nft(_said(["nft", "list", "chains"]))
    wanted = [chain for chain in bases if chain.hook in ("input", "forward") and chain.family in ("ip", "inet")]
    # One by one: nft 1.1 finds only the last of several chains that are listed in one command.
    chains = [found for chain in _plain(wanted) for found in netfilter.nft(_said(["nft", *_listing(chain)]))[0]]
    legacy, legacy_names = _legacy()
    return Firewall(
        forward_drop=netfilter.forward_drop([*chains, *legacy]),
        port_drop=netfilter.port_drop([*chains, *legacy]),
        nft_chains=tuple(name for name in _TELLING if name in names),
        legacy_chains=tuple(name for name in _TELLING if name in legacy_names),
    )


def _plain(chains: t.Sequence[netfilter.Chain]) -> list[netfilter.Chain]:
    """A name that is not plain is left out (nft's own grammar would need quotes)."""
    return [chain for chain in chains if _NAME.fullmatch(chain.name) and _NAME.fullmatch(chain.table)][:_MOST]


def _listing(chain: netfilter.Chain) -> list[str]:
    return ["list", "chain", *chain.where.split()]


def _legacy() -> tuple[list[netfilter.Chain], tuple[str, ...]]:
    """The file names the tables that are in use; to list a table would load its module, so it is asked first."""
    if not (read_or_none("/proc/net/ip_tables_names") or "").strip():
        return [], ()
    return netfilter.legacy(_said(["iptables-legacy-save"]))


def _said(command: t.Sequence[str]) -> str:
    answer = run(command, _SECONDS)
    if answer.status != 0:
        raise ProbeError(f"{command[0]}: {words(ProbeError(answer.err))}")
    return answer.out
