#!/usr/bin/python

# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation of the action plugin of the same name, which runs on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: kubelet_csr
version_added: 0.1.0
author: The outward.kubelet authors (@outward-kubelet)
short_description: Approve the certificate requests that are exactly one node's own
description:
  - To approve is to sign, so a request is approved only when all of it is what this node's kubelet writes. That is its signer,
    who asked and in which groups, name and group in it, alternative names, usages, kind of key, and age. Its key must not have
    been shown before, of each signer only the newest is approved, and none is that is older than one that was.
  - The addresses of a serving certificate must be the Node's in the API and the inventory's (O(addresses), and C(ansible_host)
    when it is an address), since whoever owns a node writes what its Node says.
  - All other pending requests that name the node, or come from it, are left as they are and named with the reason. When more
    wait than a kubelet makes, none is approved. Nothing is ever denied.
  - Requests that are made with a bootstrap token are not approved here.
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
  addresses:
    description: IP addresses and host names that the node has, besides its own name and C(ansible_host).
    type: list
    elements: str
    default: []
"""

EXAMPLES = r"""
- name: Approve what is exactly this node's
  outward.kubelet.kubelet_csr:
    addresses: [10.77.0.14, "fd00::14"]
"""

RETURN = r"""
approved:
  description: The requests that were, or with C(--check) would be, approved.
  returned: success
  type: list
  elements: dict
  sample:
    - name: csr-x7k2p
      signer: kubernetes.io/kubelet-serving
      requestor: system:node:pi-04
      objections: []
left:
  description: The pending requests that were left, and why.
  returned: success
  type: list
  elements: dict
  sample:
    - name: csr-evil1
      signer: kubernetes.io/kube-apiserver-client-kubelet
      requestor: system:node:pi-05
      objections: ["system:node:pi-05 asks, not system:node:pi-04"]
others:
  description: One line for each pending request that is about no host of the play; only for the play's first host.
  returned: success
  type: list
  elements: str
  sample: ["csr-evil2 (kubernetes.io/kube-apiserver-client) left: eve asks, and it is about no host of this play"]
"""
