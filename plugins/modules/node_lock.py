#!/usr/bin/python

# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation of the action plugin of the same name, which runs on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: node_lock
version_added: 0.1.0
author: The outward.kubelet authors (@outward-kubelet)
short_description: Take a node in hand, so that no other run does, and let go of it
description:
  - The lock is in the cluster, since nothing else is common to two playbooks, the slices of an AWX job, and a schedule
    and a person. It has one slot for each Node that may be unavailable (O(max_unavailable)), each a Lease
    C(outward-kubelet-0), C(-1) and so on in the namespace C(kube-system), whose holder names the job, the controller and
    the node. A node is never in two slots.
  - All times are by the API server's clock. A slot lives 60 s and is renewed every 10 s by the tasks that are given
    RV(lock), from within their own process. So a run that was killed keeps its node for a minute at most, which is longer
    than the cluster takes (40 s) to see that the node is lost with it; and four renewals in a row may fail.
  - After the slot was taken, the cluster is looked at afresh, and after a wait or half a minute the node too. Then all
    guards are asked again, since the fleet may have changed between the diagnosis and the lock.
  - O(state=released) frees the slot at once when nothing was done, or when what was done is proven. Else it is handed
    over - the Lease is annotated with the reason and left to expire, which keeps others from disrupting one more node for
    a minute. After that, a node that does not work counts as unavailable by what the cluster itself says. Nothing has to
    be cleaned up.
  - A new run on the same node takes over at once what was handed over, what has expired, and the slot of a process on the
    same machine that has ended. A run on another node waits until a slot has expired. When nothing is permitted, what an
    earlier run has left behind of this node is freed, and RV(incident) has a note about it.
extends_documentation_fragment:
  - outward.kubelet._attributes
  - outward.kubelet._kube_auth
  - outward.kubelet._policy
attributes:
  check_mode:
    support: full
    details: No lock is taken.
  diff_mode:
    support: none
  idempotent:
    support: full
options:
  state:
    description: Whether to take the node in hand or to let go of it.
    type: str
    choices: [held, released]
    default: held
  diagnosis:
    description: What M(outward.kubelet.node_diagnosis) returned. No lock is taken when it permits no step. For V(held).
    type: dict
  timeout:
    description:
      - Seconds to wait for a slot, after which the steps are refused. The default is twice what a recovery takes that
        uses up all its time-outs.
    type: int
    default: 600
  lock:
    description: What this module returned as RV(lock), or nothing. For V(released).
    type: dict
  acted:
    description: Results of the modules that act; skipped ones count for nothing. For V(released).
    type: list
    elements: dict
    default: []
  proof:
    description: What M(outward.kubelet.node_proof) returned. For V(released).
    type: dict
notes:
  - A token has to be given in E(K8S_AUTH_API_KEY) and not as O(api_key), since the tasks that keep the lock need it too.
  - Between two tasks nothing renews it, so a host must get to its next task within a minute - C(serial=1) as in
    C(outward.kubelet.node_recover), or C(strategy=free). In a play that takes every task on all hosts at once, hosts wait
    for each other.
  - It needs the rights in C(examples/pi-cluster/rbac/recover.yml).
seealso:
  - module: outward.kubelet.node_diagnosis
"""

EXAMPLES = r"""
- name: Take the node in hand
  outward.kubelet.node_lock:
    diagnosis: "{{ node_diagnosis_result }}"
  register: lock

- name: Let go of it
  outward.kubelet.node_lock:
    state: released
    lock: "{{ lock.lock }}"
    acted: "{{ [restart] }}"
    proof: "{{ proof.proof }}"
"""

RETURN = r"""
lock:
  description:
    - The slot, its holder and how it was come by; without it no lock was needed or none was to be had.
    - For O(state=released) C(ended) says how it ended, in words.
  returned: always
  type: dict
  sample:
    slot: outward-kubelet-0
    holder: awx-12@exec-01/pi-04
    acquired: "2026-11-23T15:00:00Z"
    waited: 0.1
    took_over: null
    access: {"kubeconfig": "/home/pi/.kube/config"}
incident:
  description: The report so far, from the evidence as it is now; with all steps refused when there was no slot.
  returned: for O(state=held)
  type: dict
permitted:
  description: Steps that are permitted now, and the cause of each.
  returned: for O(state=held)
  type: dict
  sample: {"restart-kubelet": "kubelet-stopped"}
repairs:
  description: Those of them that M(outward.kubelet.node_repair) takes, in this order.
  returned: for O(state=held)
  type: list
  elements: str
  sample: ["switch-off-swap"]
fingerprint:
  description: What identifies the diagnosis, for the ledger.
  returned: for O(state=held)
  type: str
  sample: 3f9a4c5e11d20b77
"""
