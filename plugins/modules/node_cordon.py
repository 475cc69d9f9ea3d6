#!/usr/bin/python

# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation of the action plugin of the same name, which runs on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: node_cordon
version_added: 0.1.0
author: The outward.kubelet authors (@outward-kubelet)
short_description: Cordon a Node, or take off our own cordon
description:
  - A cordon of ours is recorded in annotations of the Node below C(outward.kubelet/), which C(kubectl describe node) shows.
    They say who set it, when by the API server's clock, and why.
  - A cordon that has no such annotation, or that somebody else has set since, is never taken off. Ours is, by whichever run
    of this module comes next, also when the one that set it was killed.
  - Written with the Node's C(resourceVersion), so that a person who cordons or uncordons at the same moment is not overwritten.
  - It runs on the machine that runs Ansible and needs no connection to the node.
extends_documentation_fragment:
  - outward.kubelet._attributes
  - outward.kubelet._kube_auth
  - outward.kubelet._node_object
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
options:
  state:
    description:
      - V(cordoned) sets a cordon of ours unless the Node is cordoned.
      - V(uncordoned) takes ours off. With somebody else's it is not an error, and RV(cordoned) stays true.
    type: str
    choices: [cordoned, uncordoned]
    default: cordoned
seealso:
  - module: outward.kubelet.node_drain
"""

EXAMPLES = r"""
- name: No new Pods while the fan is replaced
  outward.kubelet.node_cordon:
    reason: the fan is replaced

- name: Take the cordon off again, if it is ours
  outward.kubelet.node_cordon:
    state: uncordoned
"""

RETURN = r"""
cordoned:
  description: Whether the Node is unschedulable now. Under C(--check), whether it is as it was found.
  returned: when the API server answers
  type: bool
ours:
  description: Whether that is a cordon of ours.
  returned: when the API server answers
  type: bool
by:
  description: Who set our cordon. Null when there is none.
  returned: when the API server answers
  type: str
  sample: awx-12@controller
at:
  description: When, by the API server's clock.
  returned: when the API server answers
  type: str
  sample: "2026-11-23T15:00:00Z"
why:
  description: Why.
  returned: when the API server answers
  type: str
  sample: node-unreachable
result:
  description: V(done), V(unchanged), or V(failed) when the API server did not answer.
  returned: always
  type: str
  sample: done
detail:
  description: What was done or why nothing was, in one clause.
  returned: always
  type: str
  sample: somebody else has cordoned it; that cordon stays
action:
  description: The step as the report has it.
  returned: always
  type: dict
  sample: {"step": "cordon-node", "started": "2026-11-23T15:00:00Z", "finished": "2026-11-23T15:00:01Z", "result": "done"}
"""
