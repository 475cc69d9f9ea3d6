# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""What the person who runs us allows, as options of every action plugin that plans."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping

from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.guards import Policy
from ansible_collections.outward.kubelet.plugins.plugin_utils._options import Spec

POLICY: t.Final[Spec] = {
    "automate": {"type": "str", "choices": ["none", "safe", "guarded"], "default": "guarded"},
    "max_unavailable": {"type": "int", "default": 1},
    "control_plane": {"type": "bool", "default": False},
}


def policy(options: Mapping[str, t.Any], locked: bool = False) -> Policy:
    """Out of checked arguments."""
    return Policy(options["automate"], options["max_unavailable"], options["control_plane"], locked)
