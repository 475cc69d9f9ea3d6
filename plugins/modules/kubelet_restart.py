#!/usr/bin/python

# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Start or restart the kubelet, if the gate and the ledger on the node permit it."""

from __future__ import annotations

DOCUMENTATION = r"""
module: kubelet_restart
version_added: 0.1.0
author: The outward.kubelet authors (@outward-kubelet)
short_description: Start or restart the kubelet, if its gate and its ledger permit it
description:
  - Looks at the node afresh, asks the pre-restart gate (what a running kubelet hides and only a restart would expose)
    and the ledger, writes its intent into the ledger, starts or restarts the unit, and waits until the node itself
    shows that it works. All of it in one process on the node, so that nothing can change between check and use.
  - A kubelet that is stopped is gated as well, since to start is to restart. What cannot be told is refused.
extends_documentation_fragment:
  - outward.kubelet._attributes
  - outward.kubelet._acting
  - outward.kubelet._ledger
attributes:
  check_mode:
    support: full
    details: Looks, asks the gate and the ledger, and says what it would do; nothing is changed, not even the ledger.
  diff_mode:
    support: none
  idempotent:
    support: none
    details: Every permitted call restarts a running kubelet; the ledger refuses to do it twice for the same evidence.
options:
  enable:
    description: Enable the unit as well, when it is not enabled. For the cause V(kubelet-unit-disabled).
    type: bool
    default: false
seealso:
  - module: outward.kubelet.node_diagnosis
  - module: outward.kubelet.containerd_start
"""

EXAMPLES = r"""
- name: Start the kubelet that somebody has stopped
  outward.kubelet.kubelet_restart:
    cause: kubelet-stopped
    fingerprint: 3f9a4c5e11d20b77
  register: restart

- name: Say what would be refused
  outward.kubelet.kubelet_restart:
    cause: kubelet-syncloop-stuck
    fingerprint: 77aa4c5e11d20b12
  check_mode: true
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
  sample: kubelet-stopped
refusals:
  description: Why nothing was done, in words.
  returned: always
  type: list
  elements: str
  sample: ["swap is on (/swapfile) and failSwapOn is true: the kubelet would exit"]
notes:
  description: What the ledger has to tell besides, such as an earlier run that was cut off.
  returned: always
  type: list
  elements: str
  sample: []
action:
  description: The step and, when something was done, its times by the node's clock. C(effective) is when the new process started.
  returned: always
  type: dict
  sample:
    step: restart-kubelet
    cause: kubelet-stopped
    verb: start
    started: "2026-11-23T15:00:01.000000Z"
    effective: "2026-11-23T15:00:01.200000Z"
    finished: "2026-11-23T15:00:12.000000Z"
    result: done
before:
  description: The unit's invocation before.
  returned: always
  type: dict
  sample: {"active_state": "inactive", "invocation_id": "", "main_pid": 0, "restarts": 0, "started": null}
after:
  description: The unit's invocation at the end.
  returned: always
  type: dict
  sample: {"active_state": "active", "invocation_id": "0c5f", "main_pid": 812, "restarts": 0, "started": 961.5}
checks:
  description: What was shown (V(true)), not shown (V(false)), or could not be told (V(null)). Empty when nothing was done.
  returned: always
  type: dict
  sample: {"new_process": true, "no_further_restart": true, "healthz_ok": true, "runtime_ready": true, "network_ready": true}
detail:
  description: Why it failed, with the last words of the unit's journal. Empty otherwise.
  returned: always
  type: str
  sample: ""
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
from ansible_collections.outward.kubelet.plugins.module_utils._host.modules.kubelet_restart import ARGUMENTS, answer


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
