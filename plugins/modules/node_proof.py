#!/usr/bin/python

# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation of the action plugin of the same name, which runs on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: node_proof
version_added: 0.1.0
author: The outward.kubelet authors (@outward-kubelet)
short_description: Wait for the proof that an action on a node worked
description:
  - Asks the API server until it shows, with evidence newer than the action, that the node works again, or until
    O(timeout); then soaks, and looks at the node and at the API server once more.
  - Does not wait for what cannot come. When the cause that was acted upon is gone, and another root cause of the diagnosis,
    for which no step was taken, is still there and keeps the Node from being Ready, it is named instead.
  - Does nothing when nothing was done, and under C(--check).
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
  incident:
    description: What M(outward.kubelet.node_diagnosis) returned before the action.
    type: dict
    required: true
  acted:
    description: Results of M(outward.kubelet.kubelet_restart) and M(outward.kubelet.containerd_start); skipped ones count for nothing.
    type: list
    elements: dict
    required: true
  timeout:
    description: Seconds to wait for the API server to show it.
    type: int
    default: 180
  soak_seconds:
    description: Seconds after the proof in which the kubelet must not be restarted, and after which the Node must still be Ready.
    type: int
    default: 30
  lock:
    description: What M(outward.kubelet.node_lock) returned. It is renewed as long as the proof takes.
    type: dict
"""

EXAMPLES = r"""
- name: Did it work?
  outward.kubelet.node_proof:
    incident: "{{ diagnosis.incident }}"
    acted: "{{ [restart] }}"
"""

RETURN = r"""
proof:
  description:
    - Whether it is proven, and each check by name.
    - C(in_the_way) has the root causes that have to be mended before it can be.
  returned: when something was done
  type: dict
  sample: {"proven": true, "checks": {"lease_renewed_after_action": true}, "in_the_way": []}
lock_lost:
  description: Why O(lock) was not ours to the end.
  returned: when it was lost
  type: str
  sample: AWX job 12 on exec-01 has it
"""
