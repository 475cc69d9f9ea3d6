# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this doc fragment is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Options of the modules that open the node's ledger (must be kept in sync with module_utils/_host/call.py)."""

from __future__ import annotations


class ModuleDocFragment:
    """Who is written down, why, and how much is allowed."""

    DOCUMENTATION = r"""
options:
  reason:
    description:
      - A person's reason to do what the ledger refuses, or to forgive. It is recorded, and has at most 500 characters.
      - The gate on the node cannot be overridden.
    type: str
    default: ""
  holder:
    description:
      - What this run is known by in the ledger.
      - Without it, the user and the host that Ansible runs as and on, and the job of AWX when there is one.
    type: str
    default: ""
  budget:
    description: How many disruptive actions this node may see in O(period), 0 to 1000.
    type: int
    default: 3
  period:
    description: Seconds over which O(budget) is counted, at most 2592000 (30 days).
    type: int
    default: 86400
  ledger:
    description: Absolute path of the ledger on the node. If it cannot be written, nothing is done.
    type: str
    default: /var/lib/outward-kubelet/ledger.jsonl
"""
