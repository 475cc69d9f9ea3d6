#!/usr/bin/python

# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation of the action plugin of the same name, which runs on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: node_labels
version_added: 0.1.0
author: The outward.kubelet authors (@outward-kubelet)
short_description: Give a Node the labels and taints that the inventory names
description:
  - What is not named is left, since others give labels and taints too. A taint of the same key and effect gets the value.
  - Written with the Node's C(resourceVersion), so that nobody who writes at the same moment is overwritten.
  - It runs on the machine that runs Ansible and needs no connection to the node.
extends_documentation_fragment:
  - outward.kubelet._attributes
  - outward.kubelet._kube_auth
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
  idempotent:
    support: full
options:
  node_name:
    description: The Node's name in Kubernetes. Without it, the host's name in the inventory.
    type: str
  labels:
    description: Labels that it is to have.
    type: dict
    default: {}
  taints:
    description: Taints that it is to have, each with C(key), C(effect) and, if it has one, C(value).
    type: list
    elements: dict
    default: []
"""

EXAMPLES = r"""
- name: A node with a disk
  outward.kubelet.node_labels:
    labels: {disk: ssd}
    taints:
      - {key: storage, value: only, effect: NoSchedule}
"""

RETURN = r"""
given:
  description: What the Node has now and had not, or would be given, in words.
  returned: success
  type: list
  elements: str
  sample: ["label disk=ssd", "taint storage=only:NoSchedule"]
"""
