#!/usr/bin/python

# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation of the action plugin of the same name, which sends its node code through a pipe and never as a module."""

from __future__ import annotations

DOCUMENTATION = r"""
module: node_join
version_added: 0.1.0
author: The outward.kubelet authors (@outward-kubelet)
short_description: Make a machine with kubelet, kubeadm and containerd a node of the cluster
description:
  - Joined means that the machine has a client certificate of the Node that is in date and that the API server takes, that the
    CA of its kubeconfig is the cluster's, and that the Node is this machine by its machine-id. Such a machine is left alone.
  - O(state=judged) tells whether it is, and what of the cluster speaks against a join - another machine that lives and has
    the name, another Node with the same machine-id, a control-plane node, hands off. O(state=joined) joins it.
  - On the machine, in one process, it asks whether the releases of kubelet and kubeadm go with the API server's, hostname,
    address, container runtime, memory cgroup, ports, disk and clock are fit, and the ledger. It sets what can be set and
    taken back - swap off, kernel modules and sysctls, the directories of CNI, a time service. It puts aside what an
    interrupted join has left, and runs C(kubeadm join) with its configuration in a file of a tmpfs and the CA pinned by its
    hash. When that fails, all of it is taken back.
  - The action plugin makes a bootstrap token in the cluster that lives for minutes and is in a group of this node alone,
    approves the one request for a client certificate that is exactly this node's, then the one for a serving certificate (see
    M(outward.kubelet.kubelet_csr)), and deletes the token, whatever happens. The token is in no argument list, log, result
    or file on a disk.
  - A machine on which Pods run is a node that has lost its identity, and is not joined - see
    M(outward.kubelet.client_certificate). Nor is one that has the identity of another node or of another cluster.
extends_documentation_fragment:
  - outward.kubelet._attributes
  - outward.kubelet._kube_auth
  - outward.kubelet._ledger
attributes:
  check_mode:
    support: full
    details: Looks, asks the gate and the ledger, and says what it would do; nothing is changed, and no token is made.
  diff_mode:
    support: none
  idempotent:
    support: full
    details: O(state=judged) permits nothing for a machine that has joined.
options:
  state:
    description:
      - V(judged) only tells; on a machine that has joined it removes what an interrupted run has left there.
      - V(joined) joins a machine that was judged.
    type: str
    choices: [judged, joined]
    default: joined
  cause:
    description: What is written into the ledger as the reason.
    type: str
    default: not-joined
  fingerprint:
    description: What O(state=judged) returned; the ledger refuses to do the same twice. Required for O(state=joined).
    type: str
    default: ""
  node_name:
    description: The name that the Node is to have. Without it, the host's name in the inventory. It must be the hostname too.
    type: str
    default: ""
  addresses:
    description:
      - IP addresses and host names that the machine has, besides its name and C(ansible_host). A serving certificate is
        approved for these alone.
      - The first IP address of them, else C(ansible_host) when it is one, is the kubelet's C(node-ip).
    type: list
    elements: str
    default: []
  taints:
    description: Taints that the Node has from its first moment on, each with C(key), C(effect) and, if it has one, C(value).
    type: list
    elements: dict
    default: []
  ca_hash:
    description: The hash of the cluster's CA as kubeadm prints it (C(sha256:...)). With another CA nothing is done.
    type: str
    default: ""
  hands_off:
    description: Why nothing may be done to this machine. Only for O(state=judged).
    type: str
    default: ""
  maintenance:
    description: Times at which nothing is done. Only for O(state=judged).
    type: list
    elements: str
    default: []
  cluster:
    description: A listing of the cluster as M(outward.kubelet.cluster_info) returns it; asked for when it is left out.
    type: dict
  profile:
    description: Where the distribution keeps what the kubelet needs; only kubeadm's machines are joined.
    type: str
    choices: [auto, kubeadm, k3s]
    default: auto
  timeout:
    description: Seconds after which a join that is not proven on the machine has failed, and is taken back.
    type: int
    default: 300
  lock:
    description:
      - What M(outward.kubelet.node_lock) returned. It is renewed on the controller as long as the join takes.
      - Without it nothing keeps another run from the same machine.
    type: dict
seealso:
  - module: outward.kubelet.kubelet_csr
  - module: outward.kubelet.node_labels
  - module: outward.kubelet.node_proof
"""

EXAMPLES = r"""
- name: Is it a node, and may it become one?
  outward.kubelet.node_join:
    state: judged
  register: judged

- name: Make it one
  outward.kubelet.node_join:
    fingerprint: "{{ judged.fingerprint }}"
  when: "'join-node' in judged.permitted"
"""

RETURN = r"""
incident:
  description: The report so far, as M(outward.kubelet.node_report) takes it.
  returned: O(state=judged)
  type: dict
  sample: {"schema": "outward.kubelet/incident/v1"}
permitted:
  description: The step, if it is permitted, with its cause.
  returned: O(state=judged)
  type: dict
  sample: {"join-node": "not-joined"}
fingerprint:
  description: Identifies this judgement.
  returned: O(state=judged)
  type: str
  sample: 0006410a6c5b2d40
result:
  description:
    - V(done) when it was done and proven on the machine, V(failed) when it was done, not proven, and taken back, V(refused)
      when nothing was touched, V(permitted) in check mode when it would be done.
    - A refusal and a failure are results, not errors of the module.
  returned: O(state=joined)
  type: str
  sample: done
refusals:
  description: Why nothing was done, in words.
  returned: O(state=joined)
  type: list
  elements: str
  sample: []
set:
  description: What was set on the machine, in words.
  returned: O(state=joined)
  type: list
  elements: str
  sample: ["loaded br_netfilter", "net.ipv4.ip_forward was set to 1"]
notes:
  description: What was set, what became of requests for certificates and of the token, and what could not be tidied up.
  returned: always
  type: list
  elements: str
  sample: ["csr-8xk2p was approved"]
action:
  description: The step and, when something was done, its times by the machine's clock.
  returned: O(state=joined)
  type: dict
  sample: {"step": "join-node", "cause": "not-joined", "result": "done"}
checks:
  description: What was shown (V(true)), not shown (V(false)), or could not be told (V(null)). Empty when nothing was done.
  returned: O(state=joined)
  type: dict
  sample: {"certificate_issued": true, "certificate_accepted": true, "healthz_ok": true, "request_issued": true}
detail:
  description: Why it failed, with the last words of kubeadm or of the kubelet's journal. Empty otherwise.
  returned: O(state=joined)
  type: str
  sample: ""
evidence:
  description: The newest evidence of the machine, as M(outward.kubelet.node_facts) returns it. Only what was needed is asked.
  returned: O(state=joined)
  type: dict
  sample: {"schema": "outward.kubelet/node/v1"}
"""
