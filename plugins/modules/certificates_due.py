#!/usr/bin/python

# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation of the action plugin of the same name, which runs on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: certificates_due
version_added: 0.1.0
author: The outward.kubelet authors (@outward-kubelet)
short_description: Judge which certificates of a node are due, and whether they may be rotated now
description:
  - A client certificate is due when it has less than O(days) left by a clock that can be trusted. So is a serving certificate of
    the cluster, and one that the kubelet has signed itself.
  - Nothing is permitted on a node that is not healthy, on a control-plane node, while hands are off, or while more Nodes than
    O(max_unavailable) would be unavailable. What cannot be told permits nothing.
  - It looks at the node once with M(outward.kubelet.node_facts), and changes nothing.
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
  profile:
    description: Where the distribution keeps what the kubelet needs.
    type: str
    choices: [auto, kubeadm, k3s]
    default: auto
  days:
    description: What has fewer days left is due.
    type: float
    default: 14.0
  rotate:
    description: Which certificates are looked at.
    type: list
    elements: str
    choices: [client, serving]
    default: [client, serving]
  max_unavailable:
    description: Nodes that may be unavailable, for whatever reason, this one included.
    type: int
    default: 1
  hands_off:
    description: Why nothing may be done to this node, in words.
    type: str
    default: ""
  maintenance:
    description: Times at which nothing is done.
    type: list
    elements: str
    default: []
  cluster:
    description: A listing of the cluster as M(outward.kubelet.cluster_info) returns it; asked for when it is left out.
    type: dict
seealso:
  - module: outward.kubelet.client_certificate
  - module: outward.kubelet.serving_certificate
"""

EXAMPLES = r"""
- name: What has less than a month left?
  outward.kubelet.certificates_due:
    days: 30
  register: judged
"""

RETURN = r"""
incident:
  description: The report so far, as M(outward.kubelet.node_report) takes it. Without a step in its plan nothing is due.
  returned: success
  type: dict
  sample: {"schema": "outward.kubelet/incident/v1"}
permitted:
  description: The steps that are permitted, each with its cause.
  returned: success
  type: dict
  sample: {"renew-client-certificate": "client-certificate-due"}
fingerprint:
  description: Identifies the certificates that there are now.
  returned: success
  type: str
  sample: 3f9a4c5e11d20b77
switch:
  description: Whether serverTLSBootstrap is off, and has to be turned on for a serving certificate of the cluster.
  returned: success
  type: bool
  sample: false
"""
