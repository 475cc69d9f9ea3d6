# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the verifications of the Molecule scenarios speak of."""

from __future__ import annotations

import typing as t

# An incident report, as it is on disk (design.md section 5).
Report = dict[str, t.Any]
# What `systemctl show` says of some units: unit -> property -> value.
Units = dict[str, dict[str, str]]

SHOWN: t.Final = ("Id", "ActiveState", "InvocationID", "NRestarts")
SHOW: t.Final = " ".join(["systemctl show", *(f"--property={name}" for name in SHOWN), "kubelet containerd"])
LEDGER: t.Final = "/var/lib/outward-kubelet/ledger.jsonl"


def units(shown: str) -> Units:
    """The blocks that ``systemctl show`` prints, by unit."""
    blocks = (dict(line.split("=", 1) for line in block.splitlines()) for block in shown.strip().split("\n\n"))
    return {block["Id"]: block for block in blocks}
