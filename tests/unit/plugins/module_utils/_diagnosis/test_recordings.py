# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every recording of a real broken node leads to the verdict that its fault was injected for, today as then."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import pytest

from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.cluster import ClusterEvidence
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.diagnose import Diagnosis, diagnose
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.evidence import from_json
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.node import NodeEvidence
from tests.faults.table import FAULTS
from tests.matrix.recording import RECORDINGS

FILES = sorted(RECORDINGS.glob("v*/*.json"))
# What no fault broke: the node alone, without the API's side.
UNBROKEN: dict[str, tuple[list[str], str]] = {"healthy": ([], "unknown")}
# Case -> when it was observed: the node starved so much that the probe was never heard of, and the evidence of the
# fault is not in the recording. Unknown is then right; a recording made anew has to lead to the fault.
NOT_OBSERVED = {"memory-pressure": "2026-11-23T22:22:05.313627Z"}


def load(file: Path) -> dict[str, t.Any]:
    return t.cast("dict[str, t.Any]", json.loads(file.read_text()))


def replayed(data: dict[str, t.Any]) -> Diagnosis:
    # A recording of the node alone: nobody asked the API.
    return diagnose(from_json(NodeEvidence, data["node"]), from_json(ClusterEvidence, data.get("cluster") or {}))


def test_there_are_recordings_and_each_is_of_a_fault_or_of_a_healthy_node() -> None:
    assert len(FILES) > 20
    assert {file.stem for file in FILES} <= {*FAULTS, *UNBROKEN}


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.name}-{file.stem}")
def test_a_recording_leads_to_its_verdict(file: Path) -> None:
    data = load(file)
    diagnosis = replayed(data)
    if file.stem in UNBROKEN:
        assert (diagnosis.root_causes, diagnosis.status) == UNBROKEN[file.stem]
    elif NOT_OBSERVED.get(file.stem) == data["node"]["observed"]:
        assert (diagnosis.root_causes, diagnosis.status) == ([], "unknown")
    else:
        assert sorted(diagnosis.root_causes) == FAULTS[file.stem].root_causes
