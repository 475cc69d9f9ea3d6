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
  hands_off:
    description:
      - Why nothing may be done to this node, in words. It is diagnosed as ever.
      - The Node's annotation C(outward.kubelet/hands-off) says the same to everybody.
    type: str
    default: ""
  maintenance:
    description:
      - Times at which somebody else works on the nodes. Inside such a window nothing is done, and everything diagnosed.
      - Once, V(2026-12-01T22:00Z/2026-12-02T02:00Z), or every day, V(22:00-02:00 UTC); C(+01:00) may stand instead of
        C(Z) and C(UTC). Judged by the API server's clock.
    type: list
    elements: str
    default: []
  steps:
    description:
      - Single steps that are allowed or forbidden by name (C(docs/causes.md) lists them).
    type: dict
    suboptions:
      allow:
        description:
          - Steps that are permitted whatever the level of their cause and whatever O(automate); every other guard still
            counts. With O(automate=none) these are the only ones.
        type: list
        elements: str
        default: []
      deny:
        description: Steps that are not taken. A step that another one is followed by forbids both.
        type: list
        elements: str
        default: []
  reason:
    description:
      - A person's reason to repair a node that somebody else has cordoned. The ledger on the node is given it as well.
      - It overrides neither O(hands_off) nor O(maintenance).
    type: str
    default: ""
  certificates:
    description: Whether this run renews client certificates, which takes the rights of the role C(certificates).
    type: bool
    default: false
"""
