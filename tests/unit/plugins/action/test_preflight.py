# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Bad input gets one clear error, before anything is touched."""

from __future__ import annotations

import pytest
from ansible.errors import AnsibleActionFail

from ansible_collections.outward.kubelet.plugins.action.preflight import (
    VARIABLES,
    refuse_twins,
    refuse_unknown,
    refuse_values,
    targets,
)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("outward_soak_second", "there is no variable outward_soak_second: did you mean outward_soak_seconds?"),
        ("outward_xyzzy", "there is no variable outward_xyzzy: there are outward_access, outward_access_path"),
    ],
)
def test_a_variable_that_there_is_not_is_refused(name: str, words: str) -> None:
    with pytest.raises(AnsibleActionFail, match=words.replace("?", r"\?")):
        refuse_unknown({name: "5", "ansible_host": "10.77.0.14"})


def test_every_variable_of_ours_and_of_others_passes() -> None:
    refuse_unknown([*VARIABLES, "ansible_host", "node_recovery_result"])
    assert "outward_kubeconfig" in VARIABLES


def test_two_hosts_that_are_the_same_node_are_refused() -> None:
    with pytest.raises(AnsibleActionFail, match="a and b are both the Node pi-04"):
        refuse_twins({"a": "pi-04", "b": "pi-04"})


def test_the_nodes_of_a_play_are_called_as_the_inventory_says() -> None:
    variables = {
        "ansible_play_hosts_all": ["a", "pi-05"],
        "hostvars": {"a": {"outward_node_name": "pi-04"}, "pi-05": {}, "other": {}},
    }
    assert targets(variables) == {"a": "pi-04", "pi-05": "pi-05"}


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"outward_max_unavailable": 0}, "outward_max_unavailable is 0: it must be at least 1"),
        ({"outward_budget": -1}, "outward_budget is -1: it must be at least 0"),
        ({"outward_budget_period": 2592001}, "outward_budget_period is 2592001: it must be at most 2592000"),
        ({"outward_hands_off": "True"}, "outward_hands_off is True: it is a reason in words"),
        ({"outward_hands_off": "false"}, "outward_hands_off is false: it is a reason in words"),
        (
            {"outward_steps": {"allow": ["free-disk-space"], "deny": ["free-disk-space"]}},
            "outward_steps both allows and denies",
        ),
        ({"outward_maintenance": ["tonight"]}, "outward_maintenance: 'tonight' is no maintenance window: write 2026"),
    ],
)
def test_a_value_that_cannot_be_meant_is_refused(given: dict[str, object], words: str) -> None:
    with pytest.raises(AnsibleActionFail) as caught:
        refuse_values(given)
    assert str(caught.value).startswith(words)


def test_values_that_can_be_meant_pass() -> None:
    refuse_values(
        {"outward_budget": 0, "outward_hands_off": "Anna is on it", "outward_maintenance": ["22:00-02:00 UTC"]}
    )
    refuse_values({"outward_hands_off": "", "outward_maintenance": [], "outward_budget": None})
