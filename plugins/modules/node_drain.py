#!/usr/bin/python

# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation of the action plugin of the same name, which runs on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: node_drain
version_added: 0.1.0
author: The outward.kubelet authors (@outward-kubelet)
short_description: Cordon a Node and evict its Pods, and tell the truth about it
description:
  - Cordons as M(outward.kubelet.node_cordon) does, then evicts through the eviction API (C(policy/v1)), several Pods at a time,
    each by its UID, so that a namesake that came later is not evicted.
  - A Pod that a PodDisruptionBudget holds is tried again until O(timeout). Then the task fails and names each Pod that is left
    and why, with the budget. What was evicted before stays evicted.
  - Pods of DaemonSets and static Pods are left. A Pod that is terminating already is waited for and not evicted again. A Pod
    that has ended is removed.
  - A bare Pod, which nobody would make again, and a Pod with an emptyDir each need an option of their own. What needs one is
    named in one error, before anything is cordoned or evicted.
  - When the kubelet is silent (its Lease has expired and Ready is Unknown), nobody can confirm that a Pod has ended. Its Pods are
    evicted, not waited for, and returned as RV(unconfirmed). They are never deleted by force, so that no Pod of a
    StatefulSet runs twice. O(grace_period=0) is refused then.
  - An API server that falls silent in the middle is given a minute. Then the task fails with what is known.
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
  timeout:
    description: Seconds until Pods that are left are a failure.
    type: int
    default: 300
  grace_period:
    description:
      - Seconds that every Pod is given to end. Without it, what each Pod itself says, V(0) included.
      - V(0) takes Pods out of the API at once, before the kubelet has ended them.
    type: int
  delete_bare_pods:
    description: Whether Pods without an owner may be evicted. Nobody makes them again.
    type: bool
    default: false
  delete_emptydir_data:
    description: Whether Pods with an emptyDir may be evicted. What is in it is lost.
    type: bool
    default: false
  uncordon_on_failure:
    description: Whether a cordon that this very run has set is taken off again when the drain fails. One that it found stays.
    type: bool
    default: false
seealso:
  - module: outward.kubelet.node_cordon
"""

EXAMPLES = r"""
- name: What would go, what would be lost, and what would hold it up? (run with --check)
  outward.kubelet.node_drain:
  register: drain

- name: Empty the node for a new SD card
  outward.kubelet.node_drain:
    reason: new SD card
    timeout: 600
    delete_emptydir_data: true
"""

RETURN = r"""
drained:
  description:
    - Whether no Pod is left that a drain evicts.
    - V(false) under C(--check), and with RV(unconfirmed) or RV(arrived) Pods.
  returned: always but when nothing was touched
  type: bool
silent:
  description: Why nobody can confirm the end of a Pod. Null when the kubelet can.
  returned: always but when nothing was touched
  type: str
  sample: its kubelet is silent since 2026-11-23T15:00:00Z
cordon:
  description: How the Node stands now, as M(outward.kubelet.node_cordon) returns it.
  returned: always but when nothing was touched
  type: dict
  contains:
    why_so:
      description: What this run did about it, or why nothing.
      returned: always
      type: str
  sample: {"cordoned": true, "ours": true, "by": "awx-12", "at": "2026-11-23T15:00:00Z", "why": "new SD card", "why_so": "cordoned"}
evicted:
  description:
    - Pods whose eviction was accepted. Under C(--check), those that would be evicted.
  returned: always but when nothing was touched
  type: list
  elements: dict
  contains:
    pod:
      description: Namespace and name.
      returned: always
      type: str
    uid:
      description: Its UID.
      returned: always
      type: str
    why:
      description: What is lost with it, or that it had ended. Empty when nothing is.
      returned: always
      type: str
    held:
      description: The PodDisruptionBudget that is against it under C(--check). Null when none is.
      returned: always
      type: str
  sample: [{"pod": "default/web-1", "uid": "5d1f", "why": "the data in its emptyDir would be lost", "held": null}]
waited_for:
  description: Pods that were terminating already.
  returned: always but when nothing was touched
  type: list
  elements: dict
unconfirmed:
  description: Pods that are terminating under a silent kubelet. They may still run.
  returned: always but when nothing was touched
  type: list
  elements: dict
left:
  description: Pods that are still there after a failure, and why each of them is.
  returned: always but when nothing was touched
  type: list
  elements: dict
  sample: [{"pod": "default/web-1", "uid": "5d1f", "why": "PodDisruptionBudget default/web: it allows 0 disruptions"}]
staying:
  description: Pods that no drain touches.
  returned: always but when nothing was touched
  type: list
  elements: dict
arrived:
  description: Pods that came to the node during the drain, by whatever ignores a cordon.
  returned: always but when nothing was touched
  type: list
  elements: str
problem:
  description: Why the drain ended before every Pod was gone. Null when it did not.
  returned: always but when nothing was touched
  type: str
  sample: "after 300 s Pods are left: 1"
seconds:
  description: How long it took.
  returned: always but when nothing was touched
  type: float
"""
