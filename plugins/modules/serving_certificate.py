#!/usr/bin/python

# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation of the action plugin of the same name, which runs the module's node code on the node."""

from __future__ import annotations

DOCUMENTATION = r"""
module: serving_certificate
version_added: 0.1.0
author: The outward.kubelet authors (@outward-kubelet)
short_description: Have a kubelet get a new serving certificate of the cluster
description:
  - On the node, in one process, it asks the gate of M(outward.kubelet.kubelet_restart) and the ledger, puts aside what the
    kubelet serves with, turns serverTLSBootstrap on if O(switch), restarts the kubelet, and waits until it presents a new
    certificate that the cluster's CA has signed. When that does not happen, what was there is put back.
  - The action plugin of the same name approves the one request that is exactly this node's meanwhile (see
    M(outward.kubelet.kubelet_csr)).
  - Containers run on. Only nodes that were joined by kubeadm are supported.
extends_documentation_fragment:
  - outward.kubelet._attributes
  - outward.kubelet._kube_auth
  - outward.kubelet._acting
  - outward.kubelet._ledger
attributes:
  check_mode:
    support: full
    details: Looks, asks the gate and the ledger, and says what it would do; nothing is changed.
  diff_mode:
    support: none
  idempotent:
    support: none
    details: Every permitted renewal restarts the kubelet; the ledger refuses to do it twice for the same certificates.
options:
  node_name:
    description: The Node's name in Kubernetes. Without it, the host's name in the inventory.
    type: str
    default: ""
  addresses:
    description: IP addresses and host names that the node has, besides its own name and C(ansible_host).
    type: list
    elements: str
    default: []
  switch:
    description: Turn serverTLSBootstrap on in the node's configuration of the kubelet.
    type: bool
    default: false
seealso:
  - module: outward.kubelet.certificates_due
  - module: outward.kubelet.kubelet_csr
"""

EXAMPLES = r"""
- name: Get a new serving certificate
  outward.kubelet.serving_certificate:
    cause: serving-certificate-due
    fingerprint: "{{ judged.fingerprint }}"
    switch: "{{ judged.switch }}"
"""

RETURN = r"""
result:
  description:
    - V(done) when it was done and proven on the node, V(failed) when it was done, not proven, and taken back, V(refused)
      when nothing was touched, V(permitted) in check mode when it would be done.
  returned: always
  type: str
  sample: done
refusals:
  description: Why nothing was done, in words.
  returned: always
  type: list
  elements: str
  sample: []
notes:
  description: What became of the requests for a certificate, and what could not be tidied up.
  returned: always
  type: list
  elements: str
  sample: ["csr-8xk2p was approved"]
action:
  description: The step and, when something was done, its times by the node's clock.
  returned: always
  type: dict
  sample: {"step": "renew-serving-certificate", "cause": "serving-certificate-due", "result": "done"}
checks:
  description: What was shown (V(true)), not shown (V(false)), or could not be told (V(null)). Empty when nothing was done.
  returned: always
  type: dict
  sample: {"serving_certificate_issued": true, "serving_certificate_presented": true, "request_issued": true}
detail:
  description: Why it failed, with the last words of the kubelet's journal. Empty otherwise.
  returned: always
  type: str
  sample: ""
evidence:
  description: The newest evidence of the node, as M(outward.kubelet.node_facts) returns it. Only what was needed is asked.
  returned: always
  type: dict
  sample: {"schema": "outward.kubelet/node/v1"}
"""
