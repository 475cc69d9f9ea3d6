#!/usr/bin/python

# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read what a node remembers of disruptive actions, and forgive in it."""

from __future__ import annotations

DOCUMENTATION = r"""
module: node_ledger
version_added: 0.1.0
author: The outward.kubelet authors (@outward-kubelet)
short_description: Read the node's ledger, and forgive an entry
description:
  - Shows what this collection has done to the node, when by both of its clocks, for which cause, how it ended, who asked
    and why, and which entries still refuse or count towards the budget, and for how long.
  - To forgive adds an entry, with who says so and why. The entry that is forgiven stays to be read, and does not count
    any more. It can be the right thing after a person has mended what an action could not.
  - What is 30 days old and refuses nothing any more is left out when the file has become large.
extends_documentation_fragment:
  - outward.kubelet._attributes
  - outward.kubelet._ledger
attributes:
  check_mode:
    support: full
    details: Says which entries would be forgiven; nothing is written.
  diff_mode:
    support: none
  idempotent:
    support: full
    details: What was forgiven is not forgiven again.
options:
  forgive:
    description:
      - The id of an entry, or the first 4 or more digits of it, or V(all) for every entry that still counts.
      - Needs O(reason).
    type: str
    default: ""
seealso:
  - module: outward.kubelet.kubelet_restart
  - module: outward.kubelet.containerd_start
"""

EXAMPLES = r"""
- name: What was done to this node?
  outward.kubelet.node_ledger:

- name: Forgive one action
  outward.kubelet.node_ledger:
    forgive: 3f9a4c5e
    reason: the SD card was replaced
"""

RETURN = r"""
entries:
  description: Every entry, oldest first.
  returned: always
  type: list
  elements: dict
  sample:
    - id: 3f9a4c5e11d20b773f9a4c5e11d20b77
      step: restart-kubelet
      cause: kubelet-stopped
      fingerprint: 3f9a4c5e11d20b77
      result: done
      holder: anna@controller
      reason: ""
      begun: "2026-11-23T15:00:01Z"
      ended: "2026-11-23T15:00:12Z"
      this_boot: true
      age_seconds: 7200.0
      when: 2026-11-23T15:00:01Z, 2 h ago by the clock since boot
      counts: true
      why: refuses the same action and counts towards the budget for another 22 h
      seconds_left: 79200.0
      forgiven: null
forgiven:
  description: Ids of the entries that were forgiven now, or would be in check mode.
  returned: always
  type: list
  elements: str
  sample: []
table:
  description: The entries as aligned lines.
  returned: always
  type: list
  elements: str
  sample: ["the ledger is empty: nothing was done to this node"]
ledger:
  description: The ledger's path, bytes of a last line that a power failure cut off, and what was counted by.
  returned: always
  type: dict
  sample: {"path": "/var/lib/outward-kubelet/ledger.jsonl", "torn": 0, "budget": 3, "period": 86400}
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.outward.kubelet.plugins.module_utils._host.errors import WrongCall
from ansible_collections.outward.kubelet.plugins.module_utils._host.modules.node_ledger import ARGUMENTS, answer


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
