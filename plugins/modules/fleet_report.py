#!/usr/bin/python

# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation of the action plugin of the same name, which runs on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: fleet_report
version_added: 0.1.0
author: The outward.kubelet authors (@outward-kubelet)
short_description: Sum up the reports of a play
description:
  - Prints one line a host and writes C(<report_dir>/summary.json). A host of the play without a report has V(failed).
  - Fails, after the table, when a report or the summary could not be written.
  - Finds the outcomes where M(outward.kubelet.node_report) was registered as C(node_recovery_result).
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
"""

EXAMPLES = r"""
- name: Sum up
  outward.kubelet.fleet_report:
  register: fleet
  run_once: true

- name: Fail where a person is needed
  ansible.builtin.fail:
    msg: "{{ inventory_hostname }}: {{ fleet.hosts[inventory_hostname] }}"
  when: inventory_hostname in fleet.bad
"""

RETURN = r"""
hosts:
  description: Host to outcome.
  returned: always
  type: dict
  sample: {"pi-04": "recovered"}
bad:
  description: The hosts that did not end V(healthy), V(recovered) or V(diagnosed).
  returned: always
  type: list
  elements: str
  sample: []
"""
