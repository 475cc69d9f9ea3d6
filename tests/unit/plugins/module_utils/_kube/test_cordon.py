# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Cordons over HTTP: ours, somebody else's, and both at the same moment."""

from __future__ import annotations

import typing as t
from collections.abc import Iterator

import pytest

from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.cordon import (
    AT,
    BY,
    WHY,
    Mark,
    cordon,
    patched,
    state,
    uncordon,
)
from ansible_collections.outward.kubelet.plugins.module_utils._kube.connect import connect
from ansible_collections.outward.kubelet.plugins.module_utils._kube.cordon import Moved, move
from ansible_collections.outward.kubelet.plugins.module_utils._kube.errors import KubeError, Silent
from ansible_collections.outward.kubelet.plugins.module_utils._kube.options import Access
from tests.unit.api_server import serving
from tests.unit.small_cluster import NODE, Object, SmallCluster, written_by

MARK = Mark("awx-12@controller", "node-unreachable")
NOTES = {BY: "awx-12@controller", AT: "2026-11-23T15:00:00Z", WHY: "node-unreachable"}


@pytest.fixture
def cluster() -> Iterator[SmallCluster]:
    with serving() as api:
        yield SmallCluster(api)


def moved(cluster: SmallCluster, wanted: bool, *, dry: bool = False, node: str = "pi-04") -> Moved:
    with connect(Access(host=cluster.api.url, api_key="x"), {}) as connection:
        return move(connection, node, lambda node, now: cordon(node, MARK, now) if wanted else uncordon(node), dry=dry)


def given(cluster: SmallCluster, spec: Object, notes: Object, writer: str = "") -> None:
    cluster.node["spec"] |= spec
    cluster.node["metadata"]["annotations"] |= notes
    if writer:
        written_by(cluster.node, writer)


CORDONED: t.Final[Object] = {"unschedulable": True}


def test_ours_is_set_with_who_when_and_why(cluster: SmallCluster) -> None:
    done = moved(cluster, True)
    assert (done.changed, cluster.node["spec"], cluster.node["metadata"]["annotations"]) == (True, CORDONED, NOTES)
    assert state(done.after) == {
        "cordoned": True,
        "ours": True,
        "by": "awx-12@controller",
        "at": "2026-11-23T15:00:00Z",
        "why": "node-unreachable",
    }
    assert not moved(cluster, True).changed


def test_ours_is_taken_off_by_a_later_run(cluster: SmallCluster) -> None:
    given(cluster, CORDONED, NOTES, "outward.kubelet")
    assert moved(cluster, False).changed
    assert (cluster.node["spec"], cluster.node["metadata"]["annotations"]) == ({}, {})
    assert not moved(cluster, False).changed


@pytest.mark.parametrize("wanted", [True, False])
def test_a_cordon_that_we_found_is_left(cluster: SmallCluster, wanted: bool) -> None:
    given(cluster, CORDONED, {"example.org/why": "fan"})
    done = moved(cluster, wanted)
    assert (done.changed, cluster.patches, state(done.after)["ours"]) == (False, [], False)
    assert "somebody else has cordoned it" in done.move.why


def test_a_persons_cordon_after_ours_is_theirs(cluster: SmallCluster) -> None:
    given(cluster, CORDONED, NOTES, "kubectl-cordon")
    done = moved(cluster, False)
    assert (cluster.node["spec"], cluster.node["metadata"]["annotations"]) == (CORDONED, {})
    assert done.move.why.startswith("somebody else has cordoned it since")


def test_what_a_person_took_off_leaves_no_annotation(cluster: SmallCluster) -> None:
    given(cluster, {}, NOTES)
    assert moved(cluster, False).changed
    assert cluster.node["metadata"]["annotations"] == {}
    assert "spec" not in cluster.patches[0]


def test_a_person_who_is_faster_keeps_their_cordon(cluster: SmallCluster) -> None:
    def person(node: Object) -> None:
        node["spec"]["unschedulable"] = True
        written_by(node, "kubectl-cordon")

    cluster.rival = person
    done = moved(cluster, True)
    assert (done.changed, len(cluster.patches)) == (False, 1)
    assert cluster.node["metadata"]["annotations"] == {}


def test_a_person_who_uncordons_at_the_same_moment(cluster: SmallCluster) -> None:
    given(cluster, CORDONED, NOTES, "outward.kubelet")
    cluster.rival = lambda node: node["spec"].pop("unschedulable")
    moved(cluster, False)
    assert (cluster.node["spec"], cluster.node["metadata"]["annotations"]) == ({}, {})


def test_somebody_who_is_always_faster_is_given_in_to(cluster: SmallCluster) -> None:
    cluster.api.react = lambda method, path, body: (409, {})
    with pytest.raises(Silent, match="changes so often"):
        moved(cluster, True)


@pytest.mark.parametrize(("spec", "notes", "wanted"), [({}, {}, True), (CORDONED, NOTES, False), (CORDONED, {}, False)])
def test_check_mode_says_what_a_real_run_does(cluster: SmallCluster, spec: Object, notes: Object, wanted: bool) -> None:
    given(cluster, spec, notes)
    dry = moved(cluster, wanted, dry=True)
    assert cluster.patches == []
    real = moved(cluster, wanted)
    assert patched(dry.before, dry.move) == patched(real.before, real.move)
    assert patched(dry.before, dry.move)["after"] == {
        "unschedulable": bool(cluster.node["spec"].get("unschedulable")),
        "annotations": cluster.node["metadata"]["annotations"],
    }


def test_a_node_that_there_is_not(cluster: SmallCluster) -> None:
    with pytest.raises(KubeError, match="the cluster has no Node pi-99: set the option node_name"):
        moved(cluster, True, node="pi-99")


def test_an_api_server_that_is_lost_in_the_patch(cluster: SmallCluster) -> None:
    cluster.api.react = lambda method, path, body: (504, {"message": "etcd"})
    with pytest.raises(Silent, match="whether the Node pi-04 was changed is not known"):
        moved(cluster, True)
    assert NODE in cluster.api.asked
