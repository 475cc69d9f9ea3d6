# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Scope first: what befell several nodes at once, and what only looks like it."""

from __future__ import annotations

import typing as t
from datetime import datetime, timedelta

import pytest

from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis import cluster as c
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis import node as n
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.diagnose import Diagnosis, diagnose
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.guards import Policy
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.plan import plan
from tests.unit.helpers import NOW, healthy_node
from tests.unit.helpers_cluster import fleet, healthy_cluster
from tests.unit.plugins.module_utils._diagnosis.test_diagnose import SILENT, STOPPED, Changes

LONG_AGO = NOW - timedelta(days=9)
NAMES = tuple(f"pi-{number:02}" for number in range(4, 7))


def ago(seconds: float) -> datetime:
    return NOW - timedelta(seconds=seconds)


def lost(name: str, seconds: float) -> c.Turn:
    """Its last renewal; the node controller said so 50 s later."""
    return c.Turn(name, "Unknown", ago(seconds - 50), ago(seconds), LONG_AGO)


def back(name: str, seconds: float, created: datetime = LONG_AGO) -> c.Turn:
    """Ready again since."""
    return c.Turn(name, "True", ago(seconds), ago(5), created)


def of(*turns: c.Turn, names: tuple[str, ...] = NAMES, **fields: t.Any) -> Changes:
    """A fleet of *names*; those of *turns* that are Unknown have no valid Lease either."""
    silent = tuple(turn.name for turn in turns if turn.ready == "Unknown")
    not_ready = tuple(turn.name for turn in turns if turn.ready == "False")
    rest = tuple(name for name in names if name not in (*silent, *not_ready))
    known = {"ready": rest, "silent": silent, "not_ready": not_ready, "expired_leases": silent, "turns": turns}
    return {"fleet": fleet(**{**known, **fields})}


def diagnosed(node: Changes, api: Changes) -> Diagnosis:
    return diagnose(healthy_node(**node), healthy_cluster(**api))


TWO = of(lost("pi-04", 90), lost("pi-05", 95))
TOGETHER = "nodes-lost-together"
HUNDRED = tuple(f"pi-{number:02}" for number in range(4, 104))


@pytest.mark.parametrize(
    ("node", "api", "roots"),
    [
        (STOPPED, {**SILENT, **TWO}, ["kubelet-stopped", TOGETHER]),
        # One node alone; another one that has been away since yesterday; one an hour, and one five minutes ago.
        (STOPPED, {**SILENT, **of(lost("pi-04", 90))}, ["kubelet-stopped"]),
        (STOPPED, {**SILENT, **of(lost("pi-04", 90), lost("pi-05", 86400))}, ["kubelet-stopped"]),
        (STOPPED, {**SILENT, **of(lost("pi-04", 90), lost("pi-05", 151))}, ["kubelet-stopped"]),
        (STOPPED, {**SILENT, **of(lost("pi-04", 90), lost("pi-05", 150))}, ["kubelet-stopped", TOGETHER]),
        # This one's kubelet was started again just now, and Ready does not show it yet (lab, v1.37.2): lost 78 s apart.
        (
            STOPPED,
            of(c.Turn("pi-04", "Unknown", ago(196), ago(2), LONG_AGO), lost("pi-05", 168), expired_leases=("pi-05",)),
            ["kubelet-stopped"],
        ),
        # Both nodes of a cluster of two; and with one of them down alone, that is not the other's trouble.
        (
            STOPPED,
            {**SILENT, **of(lost("pi-04", 90), lost("pi-05", 90), names=NAMES[:2])},
            ["kubelet-stopped", TOGETHER],
        ),
        (STOPPED, of(lost("pi-05", 90), names=NAMES[:2]), ["kubelet-stopped"]),
        # Two of three others: this one has its own fault, and is not touched all the same. Of a hundred: two are two.
        (STOPPED, of(lost("pi-05", 90), lost("pi-06", 90)), ["kubelet-stopped", TOGETHER]),
        (STOPPED, of(lost("pi-05", 90), lost("pi-06", 90), names=HUNDRED), ["kubelet-stopped"]),
        (STOPPED, {**SILENT, **of(lost("pi-04", 90), lost("pi-06", 90), names=HUNDRED)}, ["kubelet-stopped", TOGETHER]),
        # Two of three others that have been off since yesterday, or for longer than it takes to wait.
        (STOPPED, of(lost("pi-05", 86400), lost("pi-06", 86400)), ["kubelet-stopped"]),
        (STOPPED, of(lost("pi-05", 350), lost("pi-06", 361)), ["kubelet-stopped"]),
        # And this one joins them in their minute.
        (
            STOPPED,
            {
                **SILENT,
                **of(
                    lost("pi-04", 90), lost("pi-05", 80), *(lost(f"pi-{i}", 9999) for i in (60, 61, 62)), names=HUNDRED
                ),
            },
            ["kubelet-stopped", TOGETHER],
        ),
        # Ready flips on many, said by live kubelets.
        (
            STOPPED,
            of(
                c.Turn("pi-05", "False", ago(20), ago(3), LONG_AGO), c.Turn("pi-06", "False", ago(31), ago(3), LONG_AGO)
            ),
            ["kubelet-stopped", TOGETHER],
        ),
        # A healthy node among lost ones is healthy.
        ({}, of(lost("pi-05", 90), lost("pi-06", 90)), []),
        # What an older listing does not keep decides nothing.
        (
            STOPPED,
            {**SILENT, "fleet": c.Fleet((), (), ("pi-04", "pi-05"), (), ("pi-04", "pi-05"))},
            ["kubelet-stopped"],
        ),
    ],
)
def test_several_nodes_lost_together(node: Changes, api: Changes, roots: list[str]) -> None:
    assert diagnosed(node, api).root_causes == roots


def test_the_evidence_names_how_many_and_since_when() -> None:
    (finding,) = (f for f in diagnosed(STOPPED, {**SILENT, **TWO}).roots if f.cause.id == TOGETHER)
    assert finding.evidence == ("2 of 3 nodes within 5 s, since 2026-11-23T14:58:25Z: pi-04, pi-05",)


def test_a_node_that_cannot_be_reached_among_others_that_were_lost() -> None:
    diagnosis = diagnose(n.unreachable_node(NOW, "timed out"), healthy_cluster(**{**SILENT, **TWO}))
    assert (diagnosis.root_causes, diagnosis.status) == ([TOGETHER], "external")
    assert "node-unreachable" in {f.cause.id for f in diagnosis.findings}


def test_no_node_is_touched() -> None:
    cluster = healthy_cluster(**{**SILENT, **TWO})
    diagnosis = diagnose(healthy_node(**STOPPED), cluster)
    steps = plan(diagnosis, cluster, Policy(max_unavailable=3))
    assert diagnosis.status == "external"
    assert [(step.permitted, step.why) for step in steps] == [
        (False, "frozen: Several nodes were lost at the same time")
    ]


CUT: Changes = {"network__api__outcome": "timeout", "network__api__detail": "no answer", "network__api__status": None}
ALL = of(lost("pi-04", 90), lost("pi-05", 95), lost("pi-06", 99))
BOTH_ENDS = "apiserver-unreachable-from-nodes"


@pytest.mark.parametrize(
    ("node", "api", "roots"),
    [
        (CUT, {**SILENT, **ALL}, [BOTH_ENDS]),
        ({**CUT, "network__api__outcome": "unreachable"}, {**SILENT, **ALL}, [BOTH_ENDS]),
        # A peer that still renews its Lease: it is this node's way.
        (CUT, {**SILENT, **of(lost("pi-04", 90))}, ["apiserver-firewalled"]),
        # Two of three: lost together, and nobody can say that it is the way of all.
        (CUT, {**SILENT, **TWO}, ["apiserver-firewalled", TOGETHER]),
        # The peers have been away for long.
        (CUT, {**SILENT, **of(lost("pi-04", 90), lost("pi-05", 9999), lost("pi-06", 9000))}, ["apiserver-firewalled"]),
        # The control plane's own node reaches itself.
        (
            CUT,
            {**SILENT, **of(lost("pi-04", 90), lost("pi-05", 90), control_plane=("pi-06",))},
            [BOTH_ENDS],
        ),
    ],
)
def test_neither_the_node_nor_its_peers_reach_the_api(node: Changes, api: Changes, roots: list[str]) -> None:
    assert diagnosed(node, api).root_causes == roots


def test_the_evidence_is_from_both_ends() -> None:
    (finding,) = diagnosed(CUT, {**SILENT, **ALL}).roots
    assert finding.evidence == (
        "https://10.77.0.1:6443 from pi-04: timeout (no answer)",
        "https://10.77.0.1:6443 answers the controller",
        "no worker renews its Lease: pi-04, pi-05, pi-06",
    )


OVER = "mass-failure-just-over"
BACK = (back("pi-04", 100), back("pi-05", 130), back("pi-06", 155))


@pytest.mark.parametrize(
    ("node", "api", "roots"),
    [
        (STOPPED, of(*BACK), ["kubelet-stopped", OVER]),
        ({}, of(*BACK), []),
        # Over for longer; one after the other; two, as when each was recovered; the half of a small rack of many.
        (STOPPED, of(back("pi-04", 301), back("pi-05", 302), back("pi-06", 303)), ["kubelet-stopped"]),
        (STOPPED, of(back("pi-04", 10), back("pi-05", 100), back("pi-06", 190)), ["kubelet-stopped"]),
        (STOPPED, of(*BACK[1:]), ["kubelet-stopped"]),
        (STOPPED, of(*BACK, names=HUNDRED), ["kubelet-stopped"]),
        # A new cluster: they have never been away.
        (STOPPED, of(*[back(name, 100, ago(140)) for name in NAMES]), ["kubelet-stopped"]),
    ],
)
def test_a_mass_failure_that_is_just_over(node: Changes, api: Changes, roots: list[str]) -> None:
    assert diagnosed(node, api).root_causes == roots
