# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""No host of a play can drop out of its summary."""

from __future__ import annotations

from ansible_collections.outward.kubelet.plugins.action.fleet_report import ends


def test_a_host_without_a_report_is_there_without_an_outcome() -> None:
    variables = {
        "ansible_play_hosts_all": ["pi-05", "pi-04"],
        "hostvars": {"pi-04": {"node_recovery_result": {"outcome": "healthy"}}, "pi-05": {}, "other": {}},
    }
    assert ends(variables) == {"pi-04": "healthy", "pi-05": None}
