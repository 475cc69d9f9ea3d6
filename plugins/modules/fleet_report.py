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
short_description: Sum up the reports of a play, and fail unless every host is well
description:
  - Prints one line a host, writes C(<report_dir>/summary.json), and fails when any host of the play did not end
    V(healthy), V(recovered) or V(diagnosed), or has no report.
  - Finds the outcomes where M(outward.kubelet.node_report) was registered as C(node_report_result).
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
  run_once: true
"""

RETURN = r"""
hosts:
  description: Host to outcome.
  returned: always
  type: dict
  sample: {"pi-04": "recovered"}
"""
