# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Questions over many saved reports, in JMESPath."""

from __future__ import annotations

DOCUMENTATION = r"""
name: reports
version_added: 0.1.0
author: The outward.kubelet authors (@outward-kubelet)
short_description: Ask many saved reports in JMESPath
description:
  - Reads the reports one after the other and keeps of each only what O(each) says, so that memory grows by the
    answers and not by the reports.
  - A file that is no report of this release's schema is named in a warning and left out, for one damaged file must
    not hide a thousand good ones. It is an error when no report is left.
  - C(summary.json) is no report and is not mentioned.
  - Besides JMESPath's own functions there is C(history(@)), over reports or over anything with C(node), C(started) and
    C(root_causes) or C(diagnosis.root_causes). It says for each node and cause since when and until when it was seen,
    in how many runs, how often it came back after a run without it, and whether the newest run still shows it.
requirements:
  - jmespath (Python package, for the Python that runs Ansible)
options:
  _terms:
    description: Files, and directories that are searched with everything below them.
    type: list
    elements: path
    required: true
  each:
    description:
      - What to keep of one report, in JMESPath; a report for which it is null or false is left out.
      - Without it, the whole report but its evidence and explanations.
    type: str
    default: ""
  query:
    description: What to answer from the list of what was kept, in order of time, in JMESPath; without it, that list.
    type: str
    default: ""
"""

EXAMPLES = r"""
- name: Which nodes had this cause, since when?
  ansible.builtin.debug:
    msg: "{{ lookup('outward.kubelet.reports', 'reports', query=question) }}"
  vars:
    question: "history(@)[?cause == 'containerd-down'].{node: node, since: since, now: now}"

- name: Which cause comes back?
  ansible.builtin.debug:
    msg: "{{ lookup('outward.kubelet.reports', 'reports', query='history(@)[?returns > `0`]') }}"

- name: Which kubelet runs where?
  ansible.builtin.debug:
    msg: "{{ lookup('outward.kubelet.reports', 'reports', each='{node: node, kubelet: evidence.node.kubelet.version}') }}"
"""

RETURN = r"""
_raw:
  description: The answer; the elements of a list, or the one value.
  type: list
  elements: raw
"""

import typing as t

from ansible.errors import AnsibleLookupError
from ansible.plugins.lookup import LookupBase
from ansible.utils.display import Display

from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.saved import NoReport
from ansible_collections.outward.kubelet.plugins.plugin_utils._query import BadQuestion, answer, compiled, kept
from ansible_collections.outward.kubelet.plugins.plugin_utils._saved import files


class LookupModule(LookupBase):
    """Reads files on the controller, and nothing else."""

    def run(self, terms: list[t.Any], variables: t.Any = None, **kwargs: t.Any) -> list[t.Any]:
        """The answer as a list."""
        self.set_options(var_options=variables, direct=kwargs)
        try:
            each = compiled("each", self.get_option("each"))
            query = compiled("query", self.get_option("query"))
            places = [str(place) for term in terms for place in (term if isinstance(term, list) else [term])]
            found = answer(query, kept(files(places), each, Display().warning))
        except (NoReport, BadQuestion) as error:
            raise AnsibleLookupError(str(error)) from None
        return found if isinstance(found, list) else [found]
