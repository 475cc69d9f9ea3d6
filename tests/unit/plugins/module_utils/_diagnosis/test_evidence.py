# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Three values: a fact, absent, unknown; and the way through JSON and back."""

from __future__ import annotations

import json

import pytest

from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.cluster import ClusterEvidence
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.evidence import (
    Undecided,
    from_json,
    to_json,
    unknown,
    unknowns,
)
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.node import NodeEvidence
from tests.unit.helpers import healthy_node
from tests.unit.helpers_cluster import healthy_cluster


def test_touching_what_is_unknown_says_why() -> None:
    node = healthy_node(kubelet__healthz=unknown("healthz: no answer within 3 s"))
    with pytest.raises(Undecided, match="healthz: no answer within 3 s"):
        dummy = node.kubelet.healthz.outcome


def test_absent_is_a_fact() -> None:
    assert healthy_node(certificates__client=None).certificates.client is None


def test_unknowns_are_named_by_their_path() -> None:
    node = healthy_node(kubelet__healthz=unknown("a"), board=unknown("b"))
    assert unknowns(node).items() >= {"kubelet.healthz": "a", "board": "b"}.items()


@pytest.mark.parametrize(
    "evidence", [healthy_node(), healthy_node(runtime__cri=unknown("cri: no answer within 5 s")), healthy_cluster()]
)
def test_json_and_back(evidence: NodeEvidence | ClusterEvidence) -> None:
    data = json.loads(json.dumps(to_json(evidence)))
    assert to_json(from_json(type(evidence), data)) == data


def test_a_field_of_a_later_release_is_unknown_in_an_old_recording() -> None:
    data = to_json(healthy_node())
    del data["kubelet"]["healthz"]
    with pytest.raises(Undecided, match="healthz is not in the evidence"):
        dummy = from_json(NodeEvidence, data).kubelet.healthz


def test_data_of_another_kind_is_refused() -> None:
    with pytest.raises(TypeError, match="NodeEvidence must be a mapping, not list"):
        from_json(NodeEvidence, [])
