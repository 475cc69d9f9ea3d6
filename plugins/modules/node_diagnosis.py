#!/usr/bin/python

# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation of the action plugin of the same name, which runs on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: node_diagnosis
version_added: 0.1.0
author: The outward.kubelet authors (@outward-kubelet)
short_description: Observe a Kubernetes node and diagnose it, from the kubelet outward
description:
  - Runs M(outward.kubelet.node_facts) on the node, lists the API's side of it from the controller at the same time,
    and returns what is wrong, why we think so, and which steps would be permitted.
  - A node that cannot be logged into is a result and not an error, so that the host stays in the play.
  - A node that is not well and booted less than two minutes ago is looked at once more when it has had its time, and one
    of which nothing can be said a minute later, before there is a verdict.
  - Nothing that lasts is changed anywhere. When Pods of this node do not start and nothing else says why, a Pod
    sandbox is made on the node and removed again, unless O(try_sandbox=false) or in check mode.
extends_documentation_fragment:
  - outward.kubelet._attributes
  - outward.kubelet._kube_auth
  - outward.kubelet._policy
attributes:
  check_mode:
    support: full
    details: In check mode nothing is changed at all; no Pod sandbox is made.
  diff_mode:
    support: none
  idempotent:
    support: full
options:
  node_name:
    description: Name of the Node in Kubernetes. Without it, the name of the host in the inventory.
    type: str
  profile:
    description: Where the distribution keeps what the kubelet needs; V(auto) finds out.
    type: str
    choices: [auto, kubeadm, k3s]
    default: auto
  mode:
    description: With V(recover) the report says what a recovery came to; under C(--check) it is V(diagnose) all the same.
    type: str
    choices: [diagnose, recover]
    default: diagnose
  explain:
    description:
      - Causes whose rules are asked why, whether they hold or not; V(all) asks every one.
      - The answers are in C(incident.explanations), each with what the rule looked for, what it saw and why its cause
        holds, does not hold, is explained by another one, is latent, or cannot be decided.
    type: list
    elements: str
  cluster:
    description:
      - The RV(outward.kubelet.cluster_info#module:cluster) of a listing made for the whole fleet.
      - Without it the API server is asked for this one node.
    type: dict
  try_sandbox:
    description:
      - Whether a Pod sandbox may be made on the node, and removed again, when Pods of this node have waited for theirs
        for more than two minutes and the evidence names no cause. It costs a second connection to such a node, and to
        no other.
      - It is not done in check mode.
    type: bool
    default: true
"""

EXAMPLES = r"""
- name: What is wrong with this node?
  outward.kubelet.node_diagnosis:
    kubeconfig: ~/.kube/config
  register: diagnosis

- name: Say it
  ansible.builtin.debug:
    var: diagnosis.incident.diagnosis.root_causes

- name: Why is it not containerd?
  outward.kubelet.node_diagnosis:
    kubeconfig: ~/.kube/config
    explain: [containerd-down, containerd-hung]
"""

RETURN = r"""
incident:
  description: The incident report as far as the diagnosis goes, with the evidence.
  returned: success
  type: dict
permitted:
  description: The steps that are permitted, each with the cause that it would cure.
  returned: success
  type: dict
  sample: {"restart-kubelet": "kubelet-stopped"}
repairs:
  description: Those of them that M(outward.kubelet.node_repair) takes, in this order.
  returned: success
  type: list
  elements: str
  sample: ["switch-off-swap"]
fingerprint:
  description: What the ledger on the node knows this fault by.
  returned: success
  type: str
  sample: 4ffd1c0c1b0a2f4e
"""
