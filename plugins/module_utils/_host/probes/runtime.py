# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""What containerd finds of its configuration and of the programs that it runs."""

from __future__ import annotations

import os
import re
import typing as t

from ..._diagnosis.node import Profile
from ..command import ENVIRONMENT
from ..files import attempt, read_or_none

PROGRAMS: t.Final = ("runc", "containerd-shim-runc-v2")
# Its name before and since containerd 2.0 splits it into io.containerd.cri.v1.runtime and images.
_CRI: t.Final = re.compile(r"[\"'](?:cri|io\.containerd\.(?:grpc\.v1\.cri|cri\.v1\.runtime))[\"']")
_DISABLED: t.Final = re.compile(r"^[ \t]{0,80}disabled_plugins\s?=\s?\[([^\]]{0,2000})\]", re.MULTILINE)


def ask(profile: Profile) -> tuple[t.Any, t.Any]:
    """(disabled_plugins names the CRI, which of :data:`PROGRAMS` are missing); each may be unknown."""
    return attempt(_disabled, profile), attempt(_missing, profile)


def _disabled(profile: Profile) -> bool:
    match = _DISABLED.search(read_or_none(profile.runtime_config) or "")
    return match is not None and _CRI.search(match.group(1)) is not None


def _missing(profile: Profile) -> tuple[str, ...]:
    """A distribution whose kubelet and runtime are one unit brings its programs along, where it likes."""
    if profile.runtime_unit == profile.unit:
        return ()
    places = ENVIRONMENT["PATH"].split(":")
    return tuple(name for name in PROGRAMS if not any(os.access(f"{place}/{name}", os.X_OK) for place in places))
