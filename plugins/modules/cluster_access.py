#!/usr/bin/python

# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation of the action plugin of the same name, which runs on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: cluster_access
version_added: 0.1.0
author: The outward.kubelet authors (@outward-kubelet)
short_description: Make a kubeconfig that has exactly the rights that a run needs
description:
  - Makes the cluster have the namespace C(outward-kubelet), a ServiceAccount there, and the roles and bindings of
    O(role), as the manifests in C(examples/pi-cluster/rbac) say them; a role that was changed by hand is put back.
  - Then has the API server mint a token of that ServiceAccount (TokenRequest API) that expires by itself and is stored
    nowhere in the cluster, waits until the API server grants it every right, and writes it into a kubeconfig.
  - The token is in that file alone, which only its owner can read. To revoke it before it expires, delete the
    ServiceAccount.
  - Needs the credentials of a cluster admin, since nobody may give rights that he has not.
extends_documentation_fragment:
  - outward.kubelet._attributes
  - outward.kubelet._kube_auth
attributes:
  check_mode:
    support: full
    details: Says what would be changed in the cluster; no token is minted and no file is written.
  diff_mode:
    support: none
  idempotent:
    support: none
    details: What is in the cluster is only changed where it differs; the token is a new one each time.
options:
  role:
    description:
      - What the kubeconfig is for. V(recover) and V(certificates) hold the rights of V(diagnose) as well.
      - V(certificates) is for the playbooks certificates_recover and certificates_approve. It lets our bootstrap tokens ask as well.
    type: str
    choices: [diagnose, recover, certificates]
    default: recover
  path:
    description: Where to write it on the controller. Without it, C(outward-ROLE.kubeconfig) in the working directory.
    type: path
  seconds:
    description: How long it is good, 600 to 31536000. The API server may decide on less.
    type: int
    default: 3600
seealso:
  - module: outward.kubelet.preflight
"""

EXAMPLES = r"""
- name: A kubeconfig for tonight
  outward.kubelet.cluster_access:
    kubeconfig: ~/.kube/admin.conf
    role: recover
    path: ~/.kube/outward-recover
    seconds: 28800
"""

RETURN = r"""
changes:
  description: What was made or changed in the cluster, or would be in check mode.
  returned: always
  type: list
  elements: str
  sample: ["Namespace/outward-kubelet", "Role/outward-kubelet-recover in kube-node-lease"]
expires:
  description: When the API server will refuse the token. None in check mode.
  returned: always
  type: str
  sample: "2026-11-23T16:00:00Z"
path:
  description: The kubeconfig.
  returned: always
  type: str
  sample: /home/anna/outward-recover.kubeconfig
role:
  description: The O(role).
  returned: always
  type: str
  sample: recover
user:
  description: What the API server calls the user of the kubeconfig.
  returned: always
  type: str
  sample: system:serviceaccount:outward-kubelet:recover
"""
