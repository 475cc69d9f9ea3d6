# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""gather_subset, as ansible.builtin.setup reads it."""

from __future__ import annotations

import typing as t

# gather_subset of node_facts -> sections of NodeEvidence
SUBSETS: t.Final = {
    "kubelet": "kubelet",
    "containerd": "runtime",
    "pressure": "pressure",
    "certificates": "certificates",
    "network": "network",
    "storage": "storage",
    "kernel": "kernel",
    "clock": "clock",
    "board": "board",
}
# What changes the node for a moment: gathered when it is named, and never because it was not excluded.
BY_NAME: t.Final = {"sandbox": "sandbox"}
CHOICES: t.Final = ("all", "min", *SUBSETS, *BY_NAME, "!all", *(f"!{name}" for name in SUBSETS))


def chosen(entries: t.Sequence[str]) -> frozenset[str]:
    """Keys of SUBSETS and BY_NAME. Names add; ``!name`` takes away, from everything when nothing was added.

    ``!all`` is ``min``.
    """
    added = {name for name in entries if name in SUBSETS or name in BY_NAME}
    taken = {name[1:] for name in entries if name.startswith("!")}
    if "all" in taken:
        return frozenset(added)
    everything = "all" in entries or (not added and "min" not in entries)
    return frozenset(((set(SUBSETS) | added) if everything else added) - taken)
