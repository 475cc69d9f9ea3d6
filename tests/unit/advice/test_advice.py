# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a person is told: there is a row for each fault that is left to one, and a wrong word is found."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.diagnose import RULES, diagnose
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.incident import Incident, Names
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.registry import CAUSES
from tests.advice.table import ADVICE, HANDS, cures, names
from tests.advice.verdict import Typed, mistakes
from tests.faults.table import SINGLE
from tests.unit.helpers import NOW, healthy_node
from tests.unit.helpers_cluster import healthy_cluster

ENTERED = RULES
LEFT = ("needs-operator", "refused")
COMMAND = "ssh {host} 'sudo ss -ltnp sport = :10248'"
REPORT = {"next": "ssh pi-04 'sudo ss -ltnp sport = :10248' names the process", "outcome": "needs-operator"}
WELL: dict[str, t.Any] = {"diagnosis": {"root_causes": []}}
NAMED = Typed(COMMAND.format(host="pi-04"), 0, "LISTEN 127.0.0.1:10248 users:((python3,pid=7))")


def test_each_fault_that_is_left_to_a_person_has_a_row() -> None:
    assert set(ADVICE) == {name for name, fault in SINGLE.items() if fault.outcome in LEFT and fault.kind == "single"}


@pytest.mark.parametrize("name", [name for name, advice in ADVICE.items() if advice.typed])
def test_what_is_typed_is_what_the_cause_says(name: str) -> None:
    (cause,) = (CAUSES[root] for root in SINGLE[name].root_causes)
    mount = "/var/lib/kubelet" if name.startswith("inode") else "/"  # that fault gives the kubelet a filesystem
    node, cluster = healthy_node(pressure__nodefs__mount_point=mount), healthy_cluster()
    incident = Incident("pi-04", "pi-04", "recover", NOW, node, cluster, diagnose(node, cluster), ())
    said = cause.advice.format_map(Names(incident))
    for command in ADVICE[name].typed:
        assert command.format(host="pi-04", node="pi-04") in said


def test_a_right_row_and_what_makes_it_wrong() -> None:
    advice = names(COMMAND, "python3")
    assert advice.acts[-1] == HANDS
    assert mistakes(advice, "pi-04", REPORT, [NAMED], WELL) == []
    nobody = NAMED._replace(output="LISTEN 127.0.0.1:10248")
    assert mistakes(advice, "pi-04", REPORT, [nobody], WELL)[0].startswith("nobody is named by ")
    assert mistakes(advice, "pi-04", {**REPORT, "next": "ss"}, [NAMED], WELL)[0].startswith("`next` does not have ")
    ill = {"diagnosis": {"root_causes": ["kubelet-stopped"]}}
    assert mistakes(advice, "pi-04", REPORT, [NAMED], ill) == ["still there: kubelet-stopped"]


def test_a_command_that_is_to_cure_must_not_fail() -> None:
    failed = NAMED._replace(status=1, output="no")
    assert mistakes(cures(COMMAND), "pi-04", REPORT, [failed], WELL) == [f"{failed.command}: status 1: no"]
