# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this doc fragment is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Options of what changes a Node through the API (must be kept in sync with plugin_utils/_node_api.py)."""

from __future__ import annotations


class ModuleDocFragment:
    """Which Node, who, and why."""

    DOCUMENTATION = r"""
options:
  node_name:
    description: The Node's name in Kubernetes. Without it, the host's name in the inventory.
    type: str
  reason:
    description:
      - Why, for those who find the cordon. It is written into an annotation of the Node, together with who it was (the
        user and the controller, or the job of AWX).
    type: str
    default: maintenance
"""
