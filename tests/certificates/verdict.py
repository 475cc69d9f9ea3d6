# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether what was seen is what a case asks for. Pure."""

from __future__ import annotations

import typing as t


def mistakes(expected: dict[str, t.Any], seen: dict[str, t.Any]) -> list[str]:
    """Everything that is not as expected; None is expected where nothing is asked for."""
    return [
        f"{name}: expected {want}, saw {seen[name]}"
        for name, want in expected.items()
        if want is not None and seen[name] != want
    ]
