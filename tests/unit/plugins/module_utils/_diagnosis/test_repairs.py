# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Repairs in the plan: for their cause alone, by level and by name, and on recorded evidence of real faults."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest

from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.change import Lines
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.cluster import ClusterEvidence
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.diagnose import ancestors, diagnose
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.evidence import (
    Undecided,
    amended,
    from_json,
    unknown,
)
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.guards import Automate, Policy
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.incident import Incident, opening, outcome
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.node import NodeEvidence, unreachable_node
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.notice import notices
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.plan import Step, plan
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.proof import Action, Moment, prove
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.registry import CAUSES, judge
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.repair import REPAIRS
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.steps import follow_up, patience
from ansible_collections.outward.kubelet.plugins.module_utils._host.repair.run import unseen
from tests.faults.table import FAULTS
from tests.unit.helpers import NOW, healthy_node
from tests.unit.helpers_cluster import fleet, healthy_cluster, lease
from tests.unit.helpers_repair import log
from tests.unit.plugins.module_utils._diagnosis.test_diagnose import SILENT, STOPPED, Changes
from tests.unit.plugins.module_utils._diagnosis.test_plan import RESTART, steps
from tests.unit.plugins.module_utils._diagnosis.test_recordings import FILES, load

FORWARD: Changes = {"kernel__sysctls": {"net.ipv4.ip_forward": "0"}}
SWAP: Changes = {
    **STOPPED,
    "kubelet__unit__active_state": "activating",
    "kubelet__unit__sub_state": "auto-restart",
    "pressure__swap_devices": ("/s",),
}
MASKED: Changes = {**STOPPED, "kubelet__unit__load_state": "masked", "kubelet__unit__unit_file_state": "masked"}
UNMASK = "unmask-kubelet"


def permitted(planned: dict[str, Step]) -> list[str]:
    return sorted(name for name, step in planned.items() if step.permitted)


@pytest.mark.parametrize(
    ("changes", "policy", "expected"),
    [
        (FORWARD, Policy(), ["enable-ip-forward"]),
        (FORWARD, Policy("safe"), ["enable-ip-forward"]),
        (FORWARD, Policy("none"), []),
        (FORWARD, Policy("none", allowed=frozenset({"enable-ip-forward"})), ["enable-ip-forward"]),
        (FORWARD, Policy(forbidden=frozenset({"enable-ip-forward"})), []),
        (FORWARD, Policy(forbidden=frozenset({RESTART})), ["enable-ip-forward"]),
        (SWAP, Policy(), ["switch-off-swap"]),
        (SWAP, Policy("safe"), []),
        (SWAP, Policy("safe", allowed=frozenset({"switch-off-swap"})), ["switch-off-swap"]),
        (MASKED, Policy(), []),
        (MASKED, Policy(allowed=frozenset({UNMASK})), [RESTART, UNMASK]),
        (MASKED, Policy(allowed=frozenset({UNMASK}), forbidden=frozenset({RESTART})), []),
        (MASKED, Policy(allowed=frozenset({UNMASK}), hands_off="Anna is at it"), []),
        (STOPPED, Policy("none", allowed=frozenset({RESTART})), [RESTART]),
    ],
)
def test_what_is_permitted_by_level_and_by_name(changes: Changes, policy: Policy, expected: list[str]) -> None:
    assert permitted(steps(changes, SILENT if changes is not FORWARD else {}, policy)) == expected


def test_the_words_of_a_refusal() -> None:
    forbidden = steps(FORWARD, {}, Policy(forbidden=frozenset({"enable-ip-forward"})))
    assert forbidden["enable-ip-forward"].why == "outward_steps forbids enable-ip-forward"
    assert steps(FORWARD, {})["enable-ip-forward"].why == REPAIRS["enable-ip-forward"].words
    masked = steps(MASKED, SILENT)
    assert masked[UNMASK].why == "kubelet-unit-masked is manual, and outward_automate is guarded"


@pytest.mark.parametrize(("policy", "expected"), [(Policy(), "needs-operator"), (Policy("none"), "needs-operator")])
def test_a_step_that_is_only_done_by_name_leaves_the_node_to_a_person(policy: Policy, expected: str) -> None:
    """No guard has refused what nobody has asked for."""
    planned = [
        {"step": s.step, "permitted": s.permitted, "cause": s.cause} for s in steps(MASKED, SILENT, policy).values()
    ]
    report = {"mode": "recover", "actions": [], "diagnosis": {"status": "faulty"}, "plan": planned}
    assert outcome(report) == expected


def test_the_kubelet_is_restarted_only_after_what_it_does_not_see_by_itself() -> None:
    assert follow_up(UNMASK) == (UNMASK, RESTART)
    restarted = {step for step in REPAIRS if RESTART in follow_up(step)}
    assert restarted == {
        UNMASK,
        "remove-node-ip",
        "restore-eviction-thresholds",
        "restore-hostname",
        "set-resolv-conf",
        "set-api-server",
    }
    assert (follow_up(RESTART), follow_up(None)) == ((RESTART,), ())
    assert patience(["free-disk-space", RESTART]) > 300
    assert patience([RESTART]) == 0


def recorded(file: Path) -> tuple[NodeEvidence, ClusterEvidence]:
    """As it was seen, with what was not asked for at that time and does not matter here, and another node beside it.

    The first recordings have turns of Ready of the faults before theirs, which a reset of the lab takes away since.
    """
    data = load(file)
    seen = data["cluster"]["node"] or {}
    if "events" in seen:
        seen["events"] = [event for event in seen["events"] if event["reason"] not in ("NodeReady", "NodeNotReady")]
    node = from_json(NodeEvidence, data["node"])
    cluster = from_json(ClusterEvidence, data["cluster"])
    others = fleet(ready=(cluster.name, "another"), controller_manager=None)
    return amended(node, kernel=amended(node.kernel, upkeep=())), amended(cluster, fleet=others)


LEVELS: dict[Automate, set[str]] = {"none": set(), "safe": {"safe"}, "guarded": {"safe", "guarded"}}
# Whether a full disk has enough that nobody misses, whether modprobe.d forbids a module, whether a flag is one of those that
# did nothing, whether there is a good copy or another plugin, who holds a port, and whether a disk is there that nothing works below, is only asked on the
# node, which has the last word.
OF_THE_NODE = {
    "free-disk-space",
    "free-inodes",
    "free-space-beside-images",
    "end-leftover-kubelet",
    "link-cni-plugin",
    "restore-eviction-thresholds",
    "load-overlay",
    "mount-data-disk",
    "remove-old-flags",
    "restore-containerd-config",
}
RECORDED = [
    file
    for file in FILES
    if file.stem in FAULTS and "cluster" in load(file) and load(file)["node"]["unreachable"] is None
]
REPAIRED = [
    file
    for file in FILES
    if file.stem in FAULTS
    and "cluster" in load(file)
    and any(CAUSES[cause].repair in REPAIRS for cause in FAULTS[file.stem].root_causes)
]


@pytest.mark.parametrize("file", RECORDED, ids=lambda file: file.stem)
def test_on_recorded_faults_the_plan_permits_what_the_table_expects(file: Path) -> None:
    node, cluster = recorded(file)
    found = plan(diagnose(node, cluster), cluster, Policy(max_unavailable=9))
    wanted = set(FAULTS[file.stem].actions)
    got = {step.step for step in found if step.permitted}
    doubtful = {follow for step in got & OF_THE_NODE for follow in follow_up(step)}
    assert got - doubtful == wanted - doubtful


@pytest.mark.parametrize("file", RECORDED, ids=lambda file: file.stem)
def test_on_recorded_faults_with_nothing_to_do_the_outcome_is_as_expected(file: Path) -> None:
    node, cluster = recorded(file)
    diagnosis = diagnose(node, cluster)
    steps = plan(diagnosis, cluster, Policy(max_unavailable=9))
    if diagnosis.status != "faulty" or any(step.permitted for step in steps):
        return  # what an older recording leaves out counts as doubt; and the node has the last word
    found = opening(Incident(file.stem, cluster.name, "recover", NOW, node, cluster, diagnosis, steps))
    assert found["outcome"] == FAULTS[file.stem].outcome


@pytest.mark.parametrize("file", REPAIRED, ids=lambda file: file.stem)
def test_on_recorded_faults_the_levels_are_kept_exactly(file: Path) -> None:
    node, cluster = recorded(file)
    diagnosis = diagnose(node, cluster)
    levels = {finding.cause.id: finding.cause.automate for finding in diagnosis.roots}
    for automate, allowed in LEVELS.items():
        found = plan(diagnosis, cluster, Policy(automate, max_unavailable=9))
        assert {levels[step.cause] for step in found if step.permitted and step.cause in levels} <= allowed


@pytest.mark.parametrize("file", REPAIRED, ids=lambda file: file.stem)
def test_nothing_is_repaired_when_the_fault_is_outside_or_nobody_can_tell(file: Path) -> None:
    node, cluster = recorded(file)
    gone = amended(cluster, api=amended(cluster.api, reachable=False, problem="refused"))
    assert not [s for s in plan(diagnose(node, gone), gone, Policy(max_unavailable=9)) if s.permitted]
    lost = unreachable_node(NOW, "no route")
    assert not [
        s.step for s in plan(diagnose(lost, cluster), cluster, Policy()) if s.permitted and s.step != "cordon-node"
    ]
    for section in ("kubelet", "kernel", "network"):
        blind = amended(node, **{section: unknown("no answer within 5 s")})
        found = diagnose(blind, cluster)
        doubted = {f.cause.id for f in found.roots if ancestors(f.cause.id) & set(found.undecided)}
        assert not [
            s.cause for s in plan(found, cluster, Policy(max_unavailable=9)) if s.permitted and s.cause in doubted
        ]


@pytest.mark.parametrize("file", REPAIRED, ids=lambda file: file.stem)
def test_on_recorded_faults_the_node_alone_sees_the_cause_and_knows_what_to_change(file: Path) -> None:
    node, dummy = recorded(file)
    for cause in FAULTS[file.stem].root_causes:
        repair = REPAIRS.get(CAUSES[cause].repair or "")
        if repair is None:
            continue
        seen = list(repair.sign(node)) if repair.sign else judge(CAUSES[cause], node, unseen(node)).evidence
        assert seen
        assert repair.changes(node)


def test_there_are_recordings_of_most_repairs() -> None:
    shown = {CAUSES[cause].repair for file in REPAIRED for cause in FAULTS[file.stem].root_causes}
    assert len(shown & set(REPAIRS)) >= 14


def test_a_rule_that_asks_the_cluster_is_undecided_on_the_node() -> None:
    assert judge(CAUSES["ip-forward-disabled"], healthy_node(**FORWARD), unseen(healthy_node())).undecided
    with pytest.raises(Undecided):
        assert unseen(healthy_node()).fleet.ready


def test_the_proof_of_a_repair_begins_when_it_had_been_done() -> None:
    before = Moment(healthy_node(**FORWARD), healthy_cluster())
    after = Moment(healthy_node(), healthy_cluster(node__lease=lease(5, "101")))
    for seconds, proven in ((6, True), (4, False)):
        done = NOW - timedelta(seconds=seconds)
        found = prove((Action("enable-ip-forward", "ip-forward-disabled", done),), before, after)
        assert (found.proven, found.checks["lease_renewed_after_action"]) == (proven, proven)
        assert "new_process" not in found.checks


def test_colleagues_are_told_of_a_repair() -> None:
    incident = {"mode": "recover", "plan": [{"step": "enable-ip-forward", "cause": "ip-forward-disabled"}]}
    acted = {"result": "done", "action": {"step": "enable-ip-forward", "finished": "now"}}
    (told,) = notices(incident, [acted], {"proven": True, "checks": {}}, "job 7", "")
    assert (told.action, told.reason, told.kind) == ("RepairNode", "NodeRepaired", "Normal")
    assert told.note.startswith("enable-ip-forward for ip-forward-disabled: done, and proven")


@pytest.mark.parametrize(
    ("line", "left"),
    [
        ("featureGates: {OldGate: true}\n", "featureGates: {}\n"),
        ("featureGates: {A: true, OldGate: false}\n", "featureGates: {A: true, }\n"),
        ("featureGates: {OldGate: true, A: true}\n", "featureGates: {A: true}\n"),
        ('  "OldGate": true\n', ""),
        ("  OldGateToo: true\n", "  OldGateToo: true\n"),
        ("clusterDomain: OldGate\n", "clusterDomain: OldGate\n"),
    ],
)
def test_a_feature_gate_goes_however_it_is_written(line: str, left: str) -> None:
    node = healthy_node(kubelet__journal=log("unrecognized feature gate: OldGate"))
    (change,) = REPAIRS["remove-feature-gate"].changes(node)
    assert isinstance(change, Lines)
    assert re.sub(change.pattern, change.replacement, line) == left
