#!/usr/bin/python

# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation of the action plugin of the same name, which runs on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: report_diagnosis
version_added: 0.1.0
author: The outward.kubelet authors (@outward-kubelet)
short_description: Diagnose a node again from a saved report, without the node and without its cluster
description:
  - Reads the evidence in one report, runs today's rules on it and prints the verdict.
  - Nothing is asked and nothing is written.
  - A report of another schema, or one without evidence, fails the task.
extends_documentation_fragment:
  - outward.kubelet._attributes
  - outward.kubelet._policy
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
  idempotent:
    support: full
options:
  report:
    description: The report, a file on the controller; a recording of evidence will do.
    type: path
    required: true
  explain:
    description: Causes whose rules are asked why, whether they hold or not; V(all) asks every one.
    type: list
    elements: str
"""

EXAMPLES = r"""
- name: Why was it not containerd last night?
  outward.kubelet.report_diagnosis:
    report: reports/pi-04.json
    explain: [containerd-down]
"""

RETURN = r"""
incident:
  description: What M(outward.kubelet.node_diagnosis) would have returned for this evidence.
  returned: success
  type: dict
differences:
  description: Where today's rules say something else than the report does.
  returned: success
  type: list
  elements: str
  sample: []
"""
