# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Eviction thresholds: which ones a kubelet has by itself, and what one comes to. The node reads it too, and needs little else."""

from __future__ import annotations

import re
import typing as t

# What a kubelet watches that is not told otherwise: pkg/kubelet/eviction/defaults_linux.go; imagefs.inodesFree since 1.30.
EVICTION_HARD: t.Final = {
    "memory.available": "100Mi",
    "nodefs.available": "10%",
    "nodefs.inodesFree": "5%",
    "imagefs.available": "15%",
    "imagefs.inodesFree": "5%",
}


def threshold(text: str, capacity: int) -> float:
    """An eviction threshold ("10%", "100Mi", "5G") in the unit of *capacity* (KEP-2570; resource.Quantity).

    Raises ``ValueError`` for anything else.
    """
    if text.endswith("%"):
        return float(text[:-1]) / 100 * capacity
    match = re.fullmatch(r"([0-9.]+)([KMGTE]i?|k)?", text)
    if not match:
        raise ValueError(f"not a quantity: {text!r}")
    suffix = match.group(2) or ""
    base = 1024 if suffix.endswith("i") else 1000
    power = "KMGTE".index(suffix[0].upper()) + 1 if suffix else 0
    return float(match.group(1)) * float(base**power)
