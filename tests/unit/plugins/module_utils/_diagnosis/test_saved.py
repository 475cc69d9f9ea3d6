# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A saved report leads to the verdict that it was saved with; what is no report is refused in one sentence."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import pytest

from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.conclude import Look, conclude
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.guards import Policy
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.incident import SCHEMA, stillborn
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.saved import NoReport, differences, look_of
from tests.faults.table import FAULTS
from tests.matrix.recording import RECORDINGS
from tests.unit.helpers import NOW, healthy_node
from tests.unit.helpers_cluster import healthy_cluster
from tests.unit.plugins.module_utils._diagnosis.test_diagnose import NO_SOCKET


def report(**changes: t.Any) -> dict[str, t.Any]:
    look = Look("host-4", "recover", NOW, healthy_node(**changes), healthy_cluster(), "pi-04")
    return t.cast("dict[str, t.Any]", json.loads(json.dumps(conclude(look, Policy())["incident"])))


def test_the_same_verdict_without_the_node() -> None:
    saved = report(**NO_SOCKET)
    again = conclude(look_of(saved), Policy())["incident"]
    for key in ("host", "node", "started", "diagnosis", "plan", "next", "evidence"):
        assert again[key] == saved[key], key
    assert again["mode"] == "diagnose"
    assert differences(saved["diagnosis"], again["diagnosis"]) == []


def test_other_rules_than_then_are_told() -> None:
    now = report(**NO_SOCKET)["diagnosis"]
    assert differences({**now, "status": "unknown"}, now) == [
        "status: the report says unknown, today's rules say faulty"
    ]


@pytest.mark.parametrize("case", ["containerd-down", "kubelet-stopped"])
def test_a_recording_is_as_good_as_a_report(case: str) -> None:
    (file,) = RECORDINGS.glob(f"v*/{case}.json")
    look = look_of(json.loads(Path(file).read_text()))
    assert conclude(look, Policy())["incident"]["diagnosis"]["root_causes"] == FAULTS[case].root_causes


def test_evidence_of_the_node_alone_is_enough_to_ask() -> None:
    (file,) = RECORDINGS.glob("v*/healthy.json")
    look = look_of(json.loads(Path(file).read_text()))
    assert (look.host, conclude(look, Policy())["incident"]["diagnosis"]["root_causes"]) == (look.name, [])


def damaged(path: str, value: t.Any) -> dict[str, t.Any]:
    data = report()
    *way, last = path.split(".")
    inner = data
    for name in way:
        inner = inner[name]
    inner[last] = value
    return data


@pytest.mark.parametrize(
    ("data", "why"),
    [
        ([], "no JSON object"),
        ({"hosts": {}}, "names no schema"),
        ({"schema": "outward.kubelet/incident/v2"}, f"has the schema outward.kubelet/incident/v2.*reads {SCHEMA}"),
        ({"schema": SCHEMA}, "damaged report"),
        (stillborn("pi-04", "recover", NOW), "holds no evidence: the run ended before"),
        ({**stillborn("pi-04", "recover", NOW), "error": "no route"}, "holds no evidence: no route"),
        (damaged("evidence.node.schema", "outward.kubelet/node/v9"), "evidence of the node has the schema .*v9"),
        (damaged("evidence.cluster.schema", "x"), "evidence of the cluster has the schema x"),
        (damaged("evidence.node.kubelet.unit.restarts", "7"), "evidence is damaged: '7' where int should be"),
        (damaged("evidence.node.kubelet", 5), "evidence is damaged"),
        (damaged("evidence.node.observed", 5), "evidence is damaged"),
        (damaged("evidence.node.probes", "xx"), "evidence is damaged"),
        (damaged("evidence.node.storage.ext4_errors", [1]), "evidence is damaged"),
        (damaged("started", "yesterday"), "evidence is damaged"),
    ],
)
def test_what_is_no_report_is_refused(data: t.Any, why: str) -> None:
    with pytest.raises(NoReport, match=why):
        look_of(data)
