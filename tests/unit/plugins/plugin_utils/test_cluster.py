# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The two sides of a node are of about the same time."""

from __future__ import annotations

import time

import pytest

from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.cluster import ClusterEvidence
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.node import NodeEvidence
from ansible_collections.outward.kubelet.plugins.plugin_utils import _cluster
from tests.unit.helpers import healthy_node
from tests.unit.helpers_cluster import healthy_cluster


@pytest.mark.parametrize(("took", "listings"), [(5.0, ["given"]), (40.0, ["given", "new"])])
def test_a_node_that_was_seen_late_gets_a_new_listing(
    took: float, listings: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    now, asked, node, cluster = [100.0], [], healthy_node(), healthy_cluster()

    def listing(of: str) -> ClusterEvidence:
        asked.append(of)
        return cluster

    def observed() -> NodeEvidence:
        now[0] += took
        return node

    monkeypatch.setattr(_cluster, "evidence_of", lambda options, name: listing("given"))
    monkeypatch.setattr(_cluster, "evidence_now", lambda options, name: listing("new"))
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    found = _cluster.both(observed, {"cluster": "given"}, "pi-04")
    assert (found[0] is node, found[1] is cluster) == (True, True)
    assert asked == listings
