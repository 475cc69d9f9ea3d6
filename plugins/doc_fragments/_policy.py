# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this doc fragment is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Options of everything that plans (must be kept in sync with plugin_utils/_policy.py)."""

from __future__ import annotations


class ModuleDocFragment:
    """What the person who runs us allows."""

    DOCUMENTATION = r"""
options:
  automate:
    description: Which level of causes may be repaired without a person.
    type: str
    choices: [none, safe, guarded]
    default: guarded
  max_unavailable:
    description:
      - How many Nodes may be unavailable for whatever reason, this one and those that other runs have in hand included,
        while one is repaired. It is also the number of slots of the lock (see M(outward.kubelet.node_lock)).
    type: int
    default: 1
  control_plane:
    description:
      - Whether this host may be repaired although it is a control-plane node. Even then more than half of the
        control-plane nodes must stay Ready without it, which etcd needs where it runs on them.
    type: bool
    default: false
"""
