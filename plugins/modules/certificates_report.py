#!/usr/bin/python

# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation of the action plugin of the same name, which runs on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: certificates_report
version_added: 0.1.0
author: The outward.kubelet authors (@outward-kubelet)
short_description: Sum up the certificates of all hosts of a play
description:
  - Prints one line for each certificate of each host, what fails first on top, and writes C(<report_dir>/certificates.json).
  - Finds them where M(outward.kubelet.node_certificates) was registered as C(node_certificates_result). A host of the play
    without that has a line with the state V(unknown).
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
seealso:
  - module: outward.kubelet.node_certificates
"""

EXAMPLES = r"""
- name: Sum up
  outward.kubelet.certificates_report:
  register: certificates
  run_once: true

- name: Fail where a certificate needs a person
  ansible.builtin.fail:
    msg: "{{ inventory_hostname }}: not every certificate is fine"
  when: inventory_hostname in certificates.bad
"""

RETURN = r"""
certificates:
  description: Those of all hosts, as M(outward.kubelet.node_certificates) returns them.
  returned: always
  type: list
  elements: dict
  sample: []
bad:
  description: The hosts where not every state is V(ok).
  returned: always
  type: list
  elements: str
  sample: [pi-04]
"""
