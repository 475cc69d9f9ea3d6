#!/usr/bin/python

# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation of the action plugin of the same name, which runs on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: preflight
version_added: 0.1.0
author: The outward.kubelet authors (@outward-kubelet)
short_description: Check what was asked for, before anything is touched
description:
  - Refuses variables of this collection that do not exist or have a value that cannot be, two hosts that are the same
    Node, a report directory that cannot be written or has no room for a report of each host, and credentials that the
    API server does not accept or that lack a right which O(mode) needs. All missing rights are named at once.
  - An API server that does not answer is no error here but evidence.
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
  report_dir:
    description: Directory on the controller.
    type: path
    default: ./reports
  mode:
    description: What the run is for. In check mode the rights of V(diagnose) are enough.
    type: str
    choices: [diagnose, recover, certificates]
    default: diagnose
"""

EXAMPLES = r"""
- name: Check
  outward.kubelet.preflight:
  register: preflight
  run_once: true
"""

RETURN = r"""
cluster:
  description: One listing of the cluster, for M(outward.kubelet.node_diagnosis) on each host.
  returned: success
  type: dict
"""
