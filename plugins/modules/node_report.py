#!/usr/bin/python

# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation of the action plugin of the same name, which runs on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: node_report
version_added: 0.1.0
author: The outward.kubelet authors (@outward-kubelet)
short_description: Complete the incident of one host, write its report and say it in words
description:
  - Writes C(<report_dir>/<host>.json) atomically on the controller and prints the verdict.
  - With O(state=underway) the report says that the run has not ended. It is written before anything is done, so that a run
    that is killed has a report too, and the task fails when that is not possible. The next run of the host names it.
  - Once a node was acted on, a report that cannot be written fails no task - the verdict is on the screen,
    M(outward.kubelet.fleet_report) fails in the end, and the nodes behind this one are still taken.
extends_documentation_fragment:
  - outward.kubelet._attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
  idempotent:
    support: full
options:
  report_dir:
    description: Directory on the controller.
    type: path
    default: ./reports
  state:
    description: Whether the run has ended, or is about to act.
    type: str
    choices: [underway, ended]
    default: ended
  incident:
    description: What M(outward.kubelet.node_diagnosis) or M(outward.kubelet.node_join) returned; without it the run failed before.
    type: dict
  mode:
    description: What was meant to be done, for a run without O(incident).
    type: str
    choices: [diagnose, check, recover, join, rotate]
    default: recover
  acted:
    description: Results of the modules that act; skipped ones count for nothing.
    type: list
    elements: dict
    default: []
  proof:
    description: What M(outward.kubelet.node_proof) returned.
    type: dict
  lock:
    description: What M(outward.kubelet.node_lock) returned when it let go of the node.
    type: dict
  notes:
    description: What is told beside, such as that the cluster could not be told. It decides nothing.
    type: list
    elements: str
    default: []
  error:
    description: Why the run could not go on.
    type: str
"""

EXAMPLES = r"""
- name: Report
  outward.kubelet.node_report:
    incident: "{{ diagnosis.incident }}"
  register: node_recovery_result
"""

RETURN = r"""
outcome:
  description: What the run came to.
  returned: when O(state=ended)
  type: str
  sample: recovered
host:
  description: The host's name in the inventory.
  returned: when O(state=ended)
  type: str
diagnosis:
  description: C(status) and C(root_causes) of the report.
  returned: when O(state=ended)
  type: dict
actions:
  description: C(step) and C(result) of each action of the report.
  returned: when O(state=ended)
  type: list
  elements: dict
report:
  description: Path of the report; empty when it could not be written.
  returned: success
  type: str
unwritten:
  description: Why the report could not be written; empty when it was.
  returned: when O(state=ended)
  type: str
"""
