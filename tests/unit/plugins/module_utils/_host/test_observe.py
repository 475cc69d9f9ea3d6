# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Answers become evidence, section by section; what is missing is unknown and nothing else is."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis import gate
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.evidence import (
    Unknown,
    from_json,
    to_json,
    unknown,
    unknowns,
)
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.explain import chosen as chosen_causes
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.guards import Policy, cure
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.node import Cri, NodeEvidence
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.node_pods import Sandbox, SandboxTrial
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.proof import Action, Moment, prove
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.repair import REPAIRS
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.steps import RENEW
from ansible_collections.outward.kubelet.plugins.module_utils._host import observe as observing
from ansible_collections.outward.kubelet.plugins.module_utils._host.child import Batch
from ansible_collections.outward.kubelet.plugins.module_utils._host.observe import (
    GATING,
    SECTIONS,
    SHOWING,
    SHOWING_RENEWAL,
    observe,
)
from ansible_collections.outward.kubelet.plugins.module_utils._host.profile import PROFILES
from ansible_collections.outward.kubelet.plugins.module_utils._host.questions import MOUNT, TIDY
from ansible_collections.outward.kubelet.plugins.module_utils._host.runner import Answer
from ansible_collections.outward.kubelet.plugins.module_utils._host.subsets import SUBSETS, chosen
from ansible_collections.outward.kubelet.plugins.module_utils._parse.mounts import MountLine
from ansible_collections.outward.kubelet.tests.unit.helpers import healthy_node
from ansible_collections.outward.kubelet.tests.unit.helpers_cluster import healthy_cluster

KUBEADM = PROFILES["kubeadm"]
HEALTHY = healthy_node()


def fields(section: t.Any, *but: str) -> dict[str, t.Any]:
    """As a probe answers them."""
    return {name: value for name, value in vars(section).items() if name not in but}


def answers() -> dict[str, t.Any]:
    """What each question answers on the healthy node."""
    return {
        "units": (HEALTHY.kubelet.unit, HEALTHY.runtime.unit, HEALTHY.clock.service),
        "kubelet-files": (HEALTHY.kubelet.binary, fields(HEALTHY.kubelet.config, "unknown_flags"), None),
        "runtime-files": (False, ()),
        "kubelet-binary": (
            HEALTHY.kubelet.version,
            HEALTHY.kubelet.config.unknown_flags,
            HEALTHY.kubelet.runs_installed,
        ),
        "healthz": HEALTHY.kubelet.healthz,
        "kubelet-journal": HEALTHY.kubelet.journal,
        "runtime-journal": HEALTHY.runtime.journal,
        "cri": HEALTHY.runtime.cri,
        "certificates": HEALTHY.certificates,
        "api": HEALTHY.network.api,
        "identity": HEALTHY.identity,
        "pressure": fields(HEALTHY.pressure, "inotify_instances"),
        "processes": (HEALTHY.kernel.blocked_tasks, HEALTHY.pressure.inotify_instances, ()),
        "network": fields(HEALTHY.network, "api", "firewall"),
        "firewall": HEALTHY.network.firewall,
        "pod-logs": HEALTHY.runtime.exec_format,
        "storage": fields(HEALTHY.storage, "network_mounts"),
        "kernel": fields(HEALTHY.kernel, "journal", "blocked_tasks", "upkeep", "boot_before"),
        "boot-before": HEALTHY.kernel.boot_before,
        "kernel-log": HEALTHY.kernel.journal,
        "clock": fields(HEALTHY.clock, "service"),
        "board": HEALTHY.board,
    }


class FakeRunner:
    """Answers at once, from a table."""

    table: t.ClassVar[dict[str, t.Any]] = {}
    late: t.ClassVar[frozenset[str]] = frozenset()

    def __init__(self, batches: list[Batch], budget: float) -> None:
        self.names = [question.name for batch in batches for question in batch.every()]

    def run(self) -> dict[str, Answer]:
        """Each with 0.1 s."""
        return {name: Answer(name, self.table.get(name), 0.1, name in self.late) for name in self.names}


def look(
    monkeypatch: pytest.MonkeyPatch, subsets: t.Collection[str] = tuple(SUBSETS), *late: str, **changes: t.Any
) -> NodeEvidence:
    """At a node that answers like the healthy one, but for *changes*."""
    changed = {name.replace("_", "-"): value for name, value in changes.items()}
    monkeypatch.setattr(observing, "Runner", FakeRunner)
    monkeypatch.setattr(FakeRunner, "table", {**answers(), **changed})
    monkeypatch.setattr(FakeRunner, "late", frozenset(late))
    return observe(KUBEADM, subsets)


def test_every_answer_finds_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    found = look(monkeypatch)
    for section in set(SECTIONS) - {"sandbox"}:
        if section != "runtime":  # its configuration file is looked at directly
            assert vars(found)[section] == vars(HEALTHY)[section], section
    assert {probe.name for probe in found.probes} == set(answers())
    assert from_json(NodeEvidence, to_json(found)) == found


@pytest.mark.parametrize("question", [name for name in answers() if name != "identity"])
def test_a_question_without_an_answer_leaves_the_others_alone(monkeypatch: pytest.MonkeyPatch, question: str) -> None:
    before = set(unknowns(look(monkeypatch)))
    found = look(monkeypatch, **{question.replace("-", "_"): unknown(f"{question}: no answer within 5 s")})
    new = {path: reason for path, reason in unknowns(found).items() if path not in before}
    assert new
    assert set(new.values()) == {f"{question}: no answer within 5 s"}
    assert [probe.problem for probe in found.probes if probe.name == question] == [f"{question}: no answer within 5 s"]


def test_sections_that_nobody_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    found = vars(look(monkeypatch, ("clock",)))
    assert {name for name, value in found.items() if value == Unknown("not gathered")} == set(SECTIONS) - {
        "clock",
        "identity",
        "sandbox",
    }
    assert found["sandbox"] == Unknown("making a Pod sandbox was not tried")
    assert {probe.name for probe in found["probes"]} == {"identity", "clock", "units"}


def test_a_runtime_that_names_its_cgroup_driver_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    cri = type(HEALTHY.runtime.cri)(**{**vars(HEALTHY.runtime.cri), "cgroup_driver": "cgroupfs"})
    assert HEALTHY.kubelet.config.cgroup_driver == "systemd"
    assert look(monkeypatch, cri=cri).kubelet.config.cgroup_driver == "cgroupfs"


def test_network_mounts(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = tuple(MountLine(f"/mnt/{number}", f"nas:/{number}", "nfs4", False) for number in range(10))
    monkeypatch.setattr(observing, "_network_mounts", lambda: lines)
    late, table = f"{MOUNT}/mnt/1", {f"{MOUNT}/mnt/{number}": True for number in range(10)}
    monkeypatch.setattr(observing, "Runner", FakeRunner)
    monkeypatch.setattr(FakeRunner, "table", {**answers(), **table})
    monkeypatch.setattr(FakeRunner, "late", frozenset({late}))
    found = [vars(mount)["answers"] for mount in observe(KUBEADM, ("storage",)).storage.network_mounts]
    assert found[:8] == [True, False, *[True] * 6]
    assert all(isinstance(answer, Unknown) and "was not asked" in answer.reason for answer in found[8:])


def test_this_machine_is_observed_without_a_mistake_of_ours() -> None:
    """Whatever it is: every question is answered or says why not."""
    found = observe(KUBEADM, SUBSETS)
    reasons = [probe.problem for probe in found.probes if probe.problem]
    assert not [reason for reason in reasons if "mistake" in reason]
    assert {probe.name for probe in found.probes} == set(answers())


def with_a_leftover(namespace: str) -> Cri:
    """The runtime of the healthy node, with one more sandbox."""
    pod = Sandbox("s1", "u1", namespace, "x", 0, True, HEALTHY.observed, "", ())
    return Cri(**{**vars(HEALTHY.runtime.cri), "pods": (pod,)})


@pytest.mark.parametrize(
    ("namespace", "tidy", "asked"),
    [("outward-probe", True, True), ("outward-probe", False, False), ("default", True, False)],
)
def test_what_a_trial_has_left_behind_is_removed(
    monkeypatch: pytest.MonkeyPatch, namespace: str, tidy: bool, asked: bool
) -> None:
    look(monkeypatch)
    monkeypatch.setattr(FakeRunner, "table", {**answers(), "cri": with_a_leftover(namespace), TIDY: ()})
    names = {probe.name for probe in observe(KUBEADM, SUBSETS, tidy=tidy).probes}
    assert (TIDY in names) == asked


@pytest.mark.parametrize(
    ("late", "left", "asked"),
    [(("sandbox",), (), True), ((), (), False), ((), ("CRI: no answer in time",), True)],
)
def test_a_trial_that_was_killed_or_could_not_tidy_up_is_cleaned_up_after(
    monkeypatch: pytest.MonkeyPatch, late: tuple[str, ...], left: tuple[str, ...], asked: bool
) -> None:
    trial = SandboxTrial("ok", "", 1.0, left)
    look(monkeypatch, ("clock",), *late)
    monkeypatch.setattr(FakeRunner, "table", {**answers(), "sandbox": trial})
    found = observe(KUBEADM, ("sandbox",), tidy=True)
    assert (found.sandbox, TIDY in {probe.name for probe in found.probes}) == (trial, asked)


def test_a_sandbox_is_made_only_when_it_is_asked_for_by_name() -> None:
    assert "sandbox" not in chosen(["all"]) | chosen([]) | chosen(["!board"])
    assert chosen(["sandbox"]) == {"sandbox"}
    assert chosen(["all", "sandbox"]) == {*SUBSETS, "sandbox"}


def test_the_gates_read_only_what_is_asked_for_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """What they touch besides would be a doubt, and refuse every restart."""
    look(monkeypatch)
    found = observe(KUBEADM, SUBSETS, only=GATING)
    assert {probe.name for probe in found.probes} == GATING
    assert gate.refusals(found) == ()
    assert [refusal for refusal in gate.runtime_refusals(found) if refusal.doubt] == []


@pytest.mark.parametrize(("showing", "renewal"), [(SHOWING, False), (SHOWING_RENEWAL, True)])
def test_what_shows_that_a_step_worked_is_enough_for_the_proof(
    monkeypatch: pytest.MonkeyPatch, showing: frozenset[str], renewal: bool
) -> None:
    """Else the node would be looked at once more, in full."""
    look(monkeypatch)
    found = observe(KUBEADM, SUBSETS, only=showing)
    assert {probe.name for probe in found.probes} == showing
    moment = Moment(found, healthy_cluster())
    repaired = [
        cause
        for cause in chosen_causes(["all"])
        if (cure(cause, Policy(certificates=True)) == RENEW if renewal else cause.repair not in (None, RENEW, *REPAIRS))
    ]
    assert len(repaired) > 3
    for cause in repaired:
        checks = prove((Action(RENEW if renewal else t.cast(str, cause.repair), cause.id),), moment, moment).checks
        assert [name for name, ok in checks.items() if ok is None] == [], cause.id


def test_a_cgroup_driver_is_unknown_when_the_runtime_was_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """The runtime has the last word, and the file's is then no answer."""
    look(monkeypatch)
    assert observe(KUBEADM, SUBSETS, only={"kubelet-files", "cri"}).kubelet.config.cgroup_driver == "systemd"
    config = observe(KUBEADM, SUBSETS, only={"kubelet-files"}).kubelet.config
    assert isinstance(vars(config)["cgroup_driver"], Unknown)


def test_mounts_that_were_not_looked_at_are_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    look(monkeypatch)
    assert isinstance(vars(observe(KUBEADM, SUBSETS, only=SHOWING).storage)["network_mounts"], Unknown)
