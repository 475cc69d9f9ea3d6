#!/usr/bin/python

# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation of the action plugin of the same name, which sends its node code through a pipe and never as a module."""

from __future__ import annotations

DOCUMENTATION = r"""
module: client_certificate
version_added: 0.1.0
author: The outward.kubelet authors (@outward-kubelet)
short_description: Have a kubelet get a new client certificate with a bootstrap token of its own
description:
  - For a kubelet whose client certificate or kubeconfig does not work any more, which no restart can mend.
  - The action plugin of the same name makes a bootstrap token in the cluster that lives for minutes and is in a group of this
    node alone, gives it to the node over the connection of the task, approves the one request that is exactly this node's
    (see M(outward.kubelet.kubelet_csr)), and deletes the token, whatever happens. The token is in no argument list, log,
    result or file on a disk.
  - On the node, in one process, it asks a gate like that of M(outward.kubelet.kubelet_restart) and the ledger, moves what
    was there into a directory that only root can read, gives the kubelet a bootstrap kubeconfig on a tmpfs, restarts it,
    and waits until it has a certificate that the API server takes. When that does not happen, what was there is put back.
  - Containers run on. Only nodes that were joined by kubeadm are supported.
extends_documentation_fragment:
  - outward.kubelet._attributes
  - outward.kubelet._kube_auth
  - outward.kubelet._acting
  - outward.kubelet._ledger
attributes:
  check_mode:
    support: full
    details: Looks, asks the gate and the ledger, and says what it would do; nothing is changed, and no token is made.
  diff_mode:
    support: none
  idempotent:
    support: none
    details: Every permitted renewal restarts the kubelet; the ledger refuses to do it twice for the same evidence.
options:
  state:
    description:
      - V(renewed) gets a new certificate. What was there stays in the backup.
      - V(kept) removes that backup, when it was proven that the new certificate works.
      - V(restored) puts it back and restarts the kubelet.
    type: str
    choices: [renewed, kept, restored]
    default: renewed
  cause:
    description:
      - The cause that this is done for, by its id in the catalogue of causes. It is written into the ledger.
      - Only for O(state=renewed).
    type: str
    required: false
    default: ""
  fingerprint:
    description:
      - What identifies the cause and its evidence, 4 to 128 hexadecimal digits, as M(outward.kubelet.node_diagnosis)
        returns it.
      - Required for O(state=renewed).
    type: str
    required: false
    default: ""
  node_name:
    description: The Node's name in Kubernetes. Without it, the host's name in the inventory.
    type: str
    default: ""
seealso:
  - module: outward.kubelet.kubelet_csr
  - module: outward.kubelet.node_proof
"""

EXAMPLES = r"""
- name: Get a new client certificate
  outward.kubelet.client_certificate:
    cause: kubelet-client-cert-expired
    fingerprint: 3f9a4c5e11d20b77
  register: renewal

- name: What was there before is not needed any more
  outward.kubelet.client_certificate:
    state: kept
"""

RETURN = r"""
result:
  description:
    - V(done) when it was done and proven on the node, V(failed) when it was done, not proven, and taken back, V(refused)
      when nothing was touched, V(permitted) in check mode when it would be done.
    - A refusal and a failure are results, not errors of the module.
  returned: O(state=renewed)
  type: str
  sample: done
cause:
  description: The O(cause) that was given.
  returned: O(state=renewed)
  type: str
  sample: kubelet-client-cert-expired
refusals:
  description: Why nothing was done, in words.
  returned: O(state=renewed)
  type: list
  elements: str
  sample: []
notes:
  description: What became of the requests for a certificate and of the token, and what could not be tidied up.
  returned: always
  type: list
  elements: str
  sample: ["csr-8xk2p was approved"]
action:
  description: The step and, when something was done, its times by the node's clock.
  returned: O(state=renewed)
  type: dict
  sample: {"step": "renew-client-certificate", "cause": "kubelet-client-cert-expired", "result": "done"}
before:
  description: The unit's invocation before.
  returned: O(state=renewed)
  type: dict
  sample: {"active_state": "activating", "invocation_id": "", "main_pid": 0, "restarts": 12, "started": null}
after:
  description: The unit's invocation at the end.
  returned: O(state=renewed)
  type: dict
  sample: {"active_state": "active", "invocation_id": "0c5f", "main_pid": 812, "restarts": 0, "started": 961.5}
checks:
  description: What was shown (V(true)), not shown (V(false)), or could not be told (V(null)). Empty when nothing was done.
  returned: O(state=renewed)
  type: dict
  sample: {"certificate_renewed": true, "certificate_accepted": true, "pods_kept": true, "request_issued": true}
detail:
  description: Why it failed, with the last words of the kubelet's journal. Empty otherwise.
  returned: O(state=renewed)
  type: str
  sample: ""
lock_lost:
  description: Why O(lock) was not ours to the end.
  returned: when it was lost
  type: str
  sample: AWX job 12 on exec-01 has it
ledger:
  description: The ledger's path, and how many actions it had within the period before this one.
  returned: O(state=renewed)
  type: dict
  sample: {"path": "/var/lib/outward-kubelet/ledger.jsonl", "recent": 0, "budget": 3, "period": 86400}
evidence:
  description: The newest evidence of the node, as M(outward.kubelet.node_facts) returns it. Only what was needed is asked.
  returned: O(state=renewed)
  type: dict
  sample: {"schema": "outward.kubelet/node/v1"}
"""
