#!/usr/bin/python

# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The evidence of one node, gathered on the node."""

from __future__ import annotations

DOCUMENTATION = r"""
module: node_facts
version_added: 0.1.0
author: The outward.kubelet authors (@outward-kubelet)
short_description: Observe a Kubernetes node from the kubelet outward
description:
  - Gathers what a diagnosis of a node needs, on the node, in one call that changes nothing that lasts - the units, the kubelet's
    health, configuration and journal, the container runtime over its CRI socket, memory, disks and stalls, certificates,
    the way to the API server, CNI, mounts, the kernel, the clock and the board.
  - Every question is asked in a process of its own with a deadline. When something hangs, its answer is V(unknown)
    together with the reason, and the module still ends within 10 seconds (30 on a node so starved that loading the
    code takes seconds).
  - No key, token or content of a kubeconfig is part of the result.
  - Works with a full disk and on a read-only root; its action plugin lets Ansible itself use memory only.
extends_documentation_fragment:
  - outward.kubelet._attributes
attributes:
  check_mode:
    support: full
    details: In check mode nothing is changed at all, so the sandbox that O(gather_subset=sandbox) asks for is not made.
  diff_mode:
    support: none
  idempotent:
    support: full
options:
  gather_subset:
    description:
      - Which sections to gather. A name adds a section, and one with V(!) in front takes it away - from everything
        when no name adds one.
      - V(min) is what is always gathered (who the machine is), and nothing else.
      - A section that was not gathered is V(unknown) in the result, never absent.
      - V(sandbox) makes a Pod sandbox through the CRI and removes it again, to see whether this node can start a Pod.
        It has a network of its own, so the plugins of CNI are asked too. It is part of no other subset, V(all) included,
        may take half a minute, and is not done in check mode. Whatever becomes of it, the next call of this module
        removes what is left of it.
    type: list
    elements: str
    choices:
      - all
      - min
      - kubelet
      - containerd
      - pressure
      - certificates
      - network
      - storage
      - kernel
      - clock
      - board
      - sandbox
      - "!all"
      - "!kubelet"
      - "!containerd"
      - "!pressure"
      - "!certificates"
      - "!network"
      - "!storage"
      - "!kernel"
      - "!clock"
      - "!board"
    default: [all]
  profile:
    description:
      - Where the distribution keeps what the kubelet needs. V(auto) takes the one of which most is there.
      - V(k3s) is written from its documentation and not proved against a real one.
    type: str
    choices: [auto, kubeadm, k3s]
    default: auto
seealso:
  - module: outward.kubelet.node_diagnosis
  - module: outward.kubelet.kubelet_restart
"""

EXAMPLES = r"""
- name: Observe everything
  outward.kubelet.node_facts:
  register: node

- name: Only the kubelet and its certificates
  outward.kubelet.node_facts:
    gather_subset:
      - kubelet
      - certificates

- name: Can this node start a Pod at all?
  outward.kubelet.node_facts:
    gather_subset: [sandbox]

- name: Everything but the board
  outward.kubelet.node_facts:
    gather_subset: ["!board"]
"""

RETURN = r"""
evidence:
  description:
    - What was observed, section by section. A value that could not be observed is a dictionary whose only key, C(unknown),
      says why, and one that was looked for and is not there is V(null).
    - Times are RFC 3339 in UTC by the node's own clock, durations are seconds, sizes are bytes.
  returned: success
  type: dict
  contains:
    schema:
      description: The version of this structure.
      type: str
      returned: always
      sample: outward.kubelet/node/v1
    observed:
      description: When the last answer was there.
      type: str
      returned: always
      sample: "2026-11-23T15:00:00.000000Z"
    profile:
      description: The paths that were used.
      type: dict
      returned: always
    identity:
      description: Who this machine is.
      type: dict
      returned: always
    kubelet:
      description: The unit, the binary, healthz, the effective configuration and the journal of the kubelet.
      type: dict
      returned: always
    runtime:
      description: The unit, the CRI, the configuration file and the journal of the container runtime.
      type: dict
      returned: always
    pressure:
      description: Memory, disks, inodes, processes, swap and stalls, by the kubelet's own formulas.
      type: dict
      returned: always
    certificates:
      description: The kubeconfig without its secrets, and the certificates that it leads to.
      type: dict
      returned: always
    network:
      description: The way to the API server, CNI, the default route and links.
      type: dict
      returned: always
    storage:
      description: Mounts that are read-only, missing or do not answer, and error counters.
      type: dict
      returned: always
    kernel:
      description: Modules, sysctls, control groups and the kernel's warnings in this boot.
      type: dict
      returned: always
    clock:
      description: The wall clock and who keeps it.
      type: dict
      returned: always
    board:
      description: The firmware of a Raspberry Pi.
      type: dict
      returned: always
    sandbox:
      description:
        - What came of making a Pod sandbox. C(outcome) is V(ok), or what failed - V(cni), V(image), V(oci), V(storage),
          V(timeout), V(other), or V(foreign) when the CNI serves no Pod that the API does not know, which proves nothing.
      type: dict
      returned: always
    probes:
      description: How long each question took, and why it could not tell.
      type: list
      elements: dict
      returned: always
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.outward.kubelet.plugins.module_utils._host.errors import WrongCall
from ansible_collections.outward.kubelet.plugins.module_utils._host.modules.node_facts import ARGUMENTS, answer


def main() -> None:
    """Arguments in, result out; its action plugin sends the same function to the node without this wrapper."""
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    try:
        result = answer(module.params, module.check_mode)
    except WrongCall as problem:
        module.fail_json(msg=str(problem))
    module.exit_json(**result)


if __name__ == "__main__":
    main()
