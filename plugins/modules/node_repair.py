#!/usr/bin/python

# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Repair a node for one cause, or take the repair back when it did not help."""

from __future__ import annotations

DOCUMENTATION = r"""
module: node_repair
version_added: 0.1.0
author: The outward.kubelet authors (@outward-kubelet)
short_description: Repair a node for one cause, or take the repair back when it did not help
description:
  - Looks at the node afresh and asks the cause's own rule; refuses when it does not hold any more, or when it cannot tell,
    when somebody is at work on the node's software, or when the repair says that it would be wrong here.
  - Then it asks the ledger, writes its intent into it, keeps a copy of what it replaces, makes the changes, and looks until
    the rule does not hold any more and every Pod that had a living process still has one. When that is not shown, what
    was changed is taken back. All of it in one process on the node.
  - What disk space was given back cannot be taken back; it is refused before it begins when it would not be enough.
  - A kubelet that runs is not restarted, and one that was stopped is not started. Where it does not see by itself that it
    was repaired, the plan has M(outward.kubelet.kubelet_restart) after this. One that crashed again and again until now, and
    that waits for the next turn that systemd gives it (C(RestartSec)), gets that turn at once.
extends_documentation_fragment:
  - outward.kubelet._attributes
  - outward.kubelet._acting
  - outward.kubelet._ledger
attributes:
  check_mode:
    support: full
    details: Looks, asks the rule, the node and the ledger, and says what it would change; nothing is changed, not even the ledger.
  diff_mode:
    support: full
    details: Of disk space it shows what could go; how much of it goes is measured as it goes.
  idempotent:
    support: none
    details: A node that needs no repair is refused and left alone.
options:
  step:
    description: The repair by its name; it must be the one of O(cause).
    type: str
    required: true
    choices:
      - enable-ip-forward
      - enable-bridge-netfilter
      - raise-inotify-limits
      - raise-file-limit
      - raise-conntrack-limit
      - start-time-sync
      - kill-containerd
      - restart-containerd
      - enable-cri
      - load-overlay
      - set-pause-image
      - restore-containerd-config
      - free-disk-space
      - free-inodes
      - vacuum-journal
      - shorten-container-logs
      - free-space-beside-images
      - set-aside-orphaned-pod
      - mount-data-disk
      - restore-client-ca
      - relink-client-certificate
      - set-api-server
      - rebuild-kubeconfig
      - unmask-kubelet
      - switch-off-swap
      - set-aside-cpu-state
      - set-aside-memory-state
      - set-aside-pod-state
      - remove-old-flags
      - remove-feature-gate
      - set-runtime-endpoint
      - remove-node-ip
      - restore-hostname
      - set-resolv-conf
      - end-leftover-kubelet
      - rebuild-kubelet-config
      - restore-eviction-thresholds
      - release-addresses
      - clear-bridge-address
      - restore-cni-config
      - restore-cni-directory
      - link-cni-plugin
      - set-aside-cni-config
      - lower-overlay-mtu
      - remove-stale-service-rules
  server:
    description:
      - The address at which the controller reaches the API server, for the steps that write it.
      - It is written only when the API server answers the node there too, with a certificate that the node's own CA has signed for
        that address. An address that is the node itself (V(127.0.0.1), V(localhost)) is refused.
    type: str
    default: ""
seealso:
  - module: outward.kubelet.node_diagnosis
  - module: outward.kubelet.kubelet_restart
"""

EXAMPLES = r"""
- name: Switch swap off
  outward.kubelet.node_repair:
    step: switch-off-swap
    cause: kubelet-swap-on
    fingerprint: 3f9a4c5e11d20b77
  register: repaired
"""

RETURN = r"""
result:
  description:
    - V(done) when it was done and proven on the node, V(failed) when it was done and not proven, V(refused) when
      nothing was touched, V(permitted) in check mode when it would be done.
    - A refusal and a failure are results, not errors of the module.
  returned: always
  type: str
  sample: done
cause:
  description: The O(cause) that was given.
  returned: always
  type: str
  sample: kubelet-swap-on
refusals:
  description: Why nothing was done, in words.
  returned: always
  type: list
  elements: str
  sample: ["kubelet-swap-on is not there any more: its rule does not hold on fresh evidence"]
owners:
  description:
    - Of a refusal for want of space, the Pods (V(namespace/name)) whose volumes, host paths or logs take the most of that filesystem.
    - Empty when something else takes more, or when it is not known whose it is.
  returned: always
  type: list
  elements: str
  sample: []
notes:
  description: What the ledger has to tell besides, such as an earlier run that was cut off.
  returned: always
  type: list
  elements: str
  sample: []
action:
  description:
    - The step, what it changes (C(changes), in words; in check mode what it would), and when something was done, its times
      by the node's clock, what was taken back (C(undone)) and where copies are of what was replaced (C(backup)).
  returned: always
  type: dict
  sample:
    step: switch-off-swap
    cause: kubelet-swap-on
    verb: repair
    started: "2026-11-23T15:00:01.000000Z"
    effective: "2026-11-23T15:00:01.200000Z"
    finished: "2026-11-23T15:00:12.000000Z"
    result: done
    changes: ["switches the swap /swapfile off", "changes 1 line(s) of /etc/fstab"]
    undone: []
    backup: [/var/lib/outward-kubelet/backup/20261123T150001Z-switch-off-swap]
checks:
  description: What was shown (V(true)), not shown (V(false)), or could not be told (V(null)). Empty when nothing was done.
  returned: always
  type: dict
  sample: {"repair_holds": true, "pods_kept": true}
detail:
  description: Why it failed, and what was taken back. Empty otherwise.
  returned: always
  type: str
  sample: ""
diff:
  description: Each place that is or would be changed, before and after.
  returned: always
  type: list
  elements: dict
  sample: [{"before_header": "/etc/fstab", "after_header": "/etc/fstab", "before": "...", "after": "..."}]
lock_lost:
  description: Why O(lock) was not ours to the end.
  returned: when it was lost
  type: str
  sample: AWX job 12 on exec-01 has it
ledger:
  description: The ledger's path, and how many actions it had within the period before this one.
  returned: always
  type: dict
  sample: {"path": "/var/lib/outward-kubelet/ledger.jsonl", "recent": 0, "budget": 3, "period": 86400}
evidence:
  description:
    - The newest evidence of the node, as M(outward.kubelet.node_facts) returns it. Only what was needed is asked, and the
      rest is V(unknown) - what the gate reads when nothing was done, and what shows that it worked when it did.
  returned: always
  type: dict
  sample: {"schema": "outward.kubelet/node/v1"}
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.outward.kubelet.plugins.module_utils._host.errors import WrongCall
from ansible_collections.outward.kubelet.plugins.module_utils._host.modules.node_repair import ARGUMENTS, answer


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
