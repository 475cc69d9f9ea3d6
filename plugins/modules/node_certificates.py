#!/usr/bin/python

# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation of the action plugin of the same name, which runs on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: node_certificates
version_added: 0.1.0
author: The outward.kubelet authors (@outward-kubelet)
short_description: Judge every certificate and key that a kubelet depends on
description:
  - The kubelet's client and serving certificates with their keys, the CA that its kubeconfig trusts, the CA that it checks
    its clients with, the kubeconfig itself, and its requests for certificates that nobody has answered or somebody has denied.
  - A date is judged by the node's clock, and not at all when that clock is not to be trusted.
  - That a CA is the cluster's is judged by the API server's own certificate, as the node sees it.
  - Nothing is changed. A host that cannot be reached is a result, with state V(unknown).
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
    description: What has fewer days left than these is V(soon).
    type: float
    default: 14.0
  cluster:
    description: A listing of the cluster as M(outward.kubelet.preflight) returns it. Without it the cluster is listed now.
    type: dict
seealso:
  - module: outward.kubelet.certificates_report
"""

EXAMPLES = r"""
- name: Judge the certificates
  outward.kubelet.node_certificates:
    days: 30
  register: node_certificates_result
"""

RETURN = r"""
certificates:
  description:
    - What fails first comes first.
    - RV(certificates[].state) is V(failed) for what does not work now, V(unknown) for what could not be told, V(soon) for
      what has fewer than O(days) left or should have been rotated or answered by now, V(ok) for the rest.
  returned: success
  type: list
  elements: dict
  contains:
    host:
      description: The host in the inventory.
      type: str
      returned: always
    what:
      description: V(client), V(serving), V(cluster-ca), V(client-ca), V(kubeconfig) or V(request).
      type: str
      returned: always
    path:
      description: The file, or the name of the request.
      type: str
      returned: always
    state:
      description: V(failed), V(unknown), V(soon) or V(ok).
      type: str
      returned: always
    why:
      description: Why, in one clause.
      type: str
      returned: always
    subject:
      description: Groups and name in it.
      type: str
      returned: always
    usages:
      description: What it is for. Empty for one that does not say.
      type: list
      elements: str
      returned: always
    not_before:
      description: When it begins.
      type: str
      returned: always
    not_after:
      description: When it ends.
      type: str
      returned: always
  sample:
    - host: pi-04
      what: client
      path: /var/lib/kubelet/pki/kubelet-client-current.pem
      state: soon
      why: 9 days left
      subject: O=system:nodes, CN=system:node:pi-04
      usages: [clientAuth]
      not_before: "2025-12-02T15:00:00Z"
      not_after: "2026-12-02T15:00:00Z"
"""
