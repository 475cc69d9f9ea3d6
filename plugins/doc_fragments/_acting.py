# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this doc fragment is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Options of the modules that act on a node (must be kept in sync with module_utils/_host/call.py)."""

from __future__ import annotations


class ModuleDocFragment:
    """Options that every acting module has."""

    DOCUMENTATION = r"""
options:
  cause:
    description: The cause that this is done for, by its id in the catalogue of causes. It is written into the ledger.
    type: str
    required: true
  fingerprint:
    description:
      - What identifies the cause and its evidence, 4 to 128 hexadecimal digits, as M(outward.kubelet.node_diagnosis)
        returns it.
      - The same action for the same fingerprint is refused until the fingerprint changes or O(reason) is given.
    type: str
    required: true
  profile:
    description: Where the distribution keeps what the kubelet needs.
    type: str
    choices: [auto, kubeadm, k3s]
    default: auto
  timeout:
    description: Seconds after which an action that is not proven on the node has failed.
    type: int
    default: 120
  lock:
    description:
      - What M(outward.kubelet.node_lock) returned. It is renewed on the controller as long as the step takes; the node
        does not get to see it. If it is not ours any more, the step is refused; if it is lost in the middle, the step
        goes on, and C(lock_lost) says why.
      - Without it nothing keeps another run from the same node.
    type: dict
"""
