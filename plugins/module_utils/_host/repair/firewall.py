# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Rules of Services in the kind of iptables that nobody writes any more; what others wrote there stays."""

from __future__ import annotations

import os
from collections.abc import Iterator

from ..._diagnosis.change import ServiceChains
from ..._parse import netfilter
from ..durable import write
from .tools import NotPossible, Op, Shown, Tools


def service_chains(change: ServiceChains, tools: Tools) -> Iterator[Op]:
    """One ``iptables-restore --noflush`` for each way, as kube-proxy itself cleans up: a table changes at once or not at all."""
    program = f"iptables-{change.kind}"
    before = tools.ask(f"{program}-save")
    away, back = netfilter.without_services(before)
    if not away:
        raise NotPossible(f"{program}-save shows no chain of Kubernetes' Services")

    count = sum(line.startswith(":KUBE-") for line in before.splitlines())
    yield Op(
        f"removes {count} KUBE- chains from {program}",
        Shown(f"{program}-save", back, ""),
        lambda: _restored(f"{program}.without", away, program, tools),
        lambda: _restored(f"{program}.with", back, program, tools),
    )


def _restored(name: str, text: str, program: str, tools: Tools) -> None:
    """Of a file in the backup, where a person finds what was done."""
    os.makedirs(tools.backup, mode=0o700, exist_ok=True)
    write(f"{tools.backup}/{name}", text, 0o600)
    tools.run(f"{program}-restore", "--noflush", "--wait=5", f"{tools.backup}/{name}")
