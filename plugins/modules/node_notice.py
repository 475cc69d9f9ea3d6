#!/usr/bin/python

# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation of the action plugin of the same name, which runs on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: node_notice
version_added: 0.1.0
author: The outward.kubelet authors (@outward-kubelet)
short_description: Tell the cluster what was done to a node
description:
  - Writes the Node's annotation C(outward.kubelet/last-action) after a step that was done or has failed (what, for which
    cause, how it ended, when, by whom and why), and an event about the Node for each step that was done, has failed or
    was refused by the node itself. C(kubectl describe node) shows both.
  - The reasons of the events are C(KubeletRestarted), C(KubeletRestartFailed), C(KubeletRestartRefused),
    C(ContainerdStarted), C(ContainerdStartFailed) and C(ContainerdStartRefused).
  - A cluster that cannot be written to is a note, and no error.
extends_documentation_fragment:
  - outward.kubelet._attributes
  - outward.kubelet._kube_auth
attributes:
  check_mode:
    support: full
    details: Nothing is written.
  diff_mode:
    support: none
  idempotent:
    support: none
    details: Each call writes events.
options:
  incident:
    description: The incident that M(outward.kubelet.node_diagnosis) returned.
    type: dict
    required: true
  acted:
    description: The results of the modules that act.
    type: list
    elements: dict
    required: true
  proof:
    description: The proof that M(outward.kubelet.node_proof) returned.
    type: dict
  reason:
    description: The person's reason, if there was one.
    type: str
    default: ""
seealso:
  - module: outward.kubelet.node_ledger
"""

EXAMPLES = r"""
- name: Tell the cluster
  outward.kubelet.node_notice:
    incident: "{{ diagnosis.incident }}"
    acted: ["{{ restarted }}"]
    proof: "{{ proven.proof }}"
"""

RETURN = r"""
events:
  description: The reasons of the events, in order.
  returned: always
  type: list
  elements: str
  sample: [KubeletRestarted]
notes:
  description: What could not be told, and why. Empty when everything was.
  returned: always
  type: list
  elements: str
  sample: []
"""
