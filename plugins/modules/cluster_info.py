#!/usr/bin/python

# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The API's side of the evidence, for a whole fleet."""

from __future__ import annotations

DOCUMENTATION = r"""
module: cluster_info
version_added: 0.1.0
author: The outward.kubelet authors (@outward-kubelet)
short_description: What the Kubernetes API says about Nodes
description:
  - Lists Nodes with their conditions (and who wrote them), Leases, taints, Pods, events and
    CertificateSigningRequests, counts how many Nodes are in which state, and says whether the API server answers.
  - A fixed number of list calls serves any number of Nodes; more are only needed for more than 500 objects of a kind.
  - Nothing is changed. It runs where the kubeconfig is, which is the controller with C(delegate_to=localhost).
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
  nodes:
    description:
      - Names of the Nodes to return in detail. Without it, all of them.
      - The figures of the fleet are always those of all Nodes.
    type: list
    elements: str
seealso:
  - module: outward.kubelet.node_diagnosis
"""

EXAMPLES = r"""
- name: List the API's side of two nodes
  outward.kubelet.cluster_info:
    kubeconfig: ~/.kube/config
    nodes: [pi-04, pi-05]
  delegate_to: localhost
  run_once: true
  register: listing

- name: Which nodes are silent?
  ansible.builtin.debug:
    var: listing.cluster.fleet.silent
"""

RETURN = r"""
cluster:
  description:
    - One listing of the fleet.
    - A value that nobody could observe is a dictionary with the one key C(unknown) and the reason.
  returned: success
  type: dict
  contains:
    schema:
      description: Name and version of this shape.
      returned: success
      type: str
      sample: outward.kubelet/cluster/v1
    observed:
      description: When the listing began, by the controller's clock.
      returned: success
      type: str
      sample: "2026-11-23T15:00:00.000000Z"
    api:
      description: The API server. Whether it answers the controller, or what the problem is, its version and its clock.
      returned: success
      type: dict
      sample:
        server: https://10.77.0.1:6443
        reachable: true
        problem: null
        version: v1.37.2
        now: "2026-11-23T15:00:01.000000Z"
        controller_now: "2026-11-23T15:00:01.123456Z"
    fleet:
      description: Names of all Nodes by what their Ready condition says, of those cordoned, and of those with an expired Lease.
      returned: success
      type: dict
      sample: {ready: [pi-04], not_ready: [], silent: [pi-05], unschedulable: [], expired_leases: [pi-05]}
    nodes:
      description: The Nodes that were asked for, by name. A Node that does not exist is left out.
      returned: success
      type: dict
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.outward.kubelet.plugins.module_utils._kube.errors import KubeError
from ansible_collections.outward.kubelet.plugins.module_utils._kube.listing import list_cluster
from ansible_collections.outward.kubelet.plugins.module_utils._kube.options import AUTH_SPEC, Access


def main() -> t.NoReturn:
    """List, and hand over."""
    spec = {**AUTH_SPEC, "nodes": {"type": "list", "elements": "str"}}
    module = AnsibleModule(argument_spec=spec, supports_check_mode=True)
    try:
        cluster = list_cluster(Access.of(module.params), module.params["nodes"])
    except KubeError as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=False, cluster=cluster)


if __name__ == "__main__":
    main()
