# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The report and its words: what other programs and tired people read."""

from __future__ import annotations

import re
import typing as t
from pathlib import Path

import pytest

from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.diagnose import diagnose
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.guards import Policy
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.incident import (
    Incident,
    Mode,
    brief,
    close,
    inherited,
    opening,
    stillborn,
    underway,
)
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.plan import plan
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.words import table, verdict
from tests.unit.helpers import NOW, healthy_node
from tests.unit.helpers_cluster import healthy_cluster, lease
from tests.unit.plugins.module_utils._diagnosis.test_diagnose import EXPIRED, LOOPING, SILENT, STOPPED, Changes

ACTION = {"step": "restart-kubelet", "started": "a", "finished": "b"}
DONE = {"result": "done", "refusals": [], "detail": "", "action": {**ACTION, "result": "done"}}
REFUSED = {"result": "refused", "refusals": ["swap is on"], "detail": "", "action": {**ACTION, "result": "refused"}}
FAILED = {"result": "failed", "refusals": [], "detail": "", "action": {**ACTION, "result": "failed"}}
PROVEN = {"proven": True, "checks": {"ready": True}}
WAITS = {"proven": False, "checks": {"cause_gone": True, "ready": False}, "in_the_way": ["cni-binary-missing"]}
CLOCK = {**DONE, "action": {**ACTION, "step": "start-time-sync", "result": "done"}}
TWO: Changes = {
    "network__api__offset": -600.0,
    "clock__service": None,
    "network__cni__missing_plugins": ("bridge",),
}
EXPIRY: Changes = {**LOOPING, "certificates__client": EXPIRED}


def report(changes: Changes, api: Changes, mode: Mode = "recover") -> dict[str, t.Any]:
    node, cluster = healthy_node(**changes), healthy_cluster(**api)
    diagnosis = diagnose(node, cluster)
    steps = plan(diagnosis, cluster, Policy())
    return t.cast("dict[str, t.Any]", opening(Incident("pi-04", "pi-04", mode, NOW, node, cluster, diagnosis, steps)))


@pytest.mark.parametrize(
    ("changes", "api", "acted", "proof", "outcome"),
    [
        ({}, {}, [], None, "healthy"),
        (STOPPED, SILENT, [DONE], PROVEN, "recovered"),
        (STOPPED, SILENT, [DONE], {"proven": False, "checks": {"ready": False}}, "failed"),
        (STOPPED, SILENT, [FAILED], None, "failed"),
        (TWO, {}, [CLOCK], PROVEN, "needs-operator"),  # the node works, and somebody still has to install a plugin
        (TWO, {}, [CLOCK, FAILED], PROVEN, "failed"),
        (TWO, {}, [CLOCK], WAITS, "needs-operator"),
        (STOPPED, {**SILENT, "node__unschedulable": True}, [DONE], PROVEN, "recovered"),
        (STOPPED, SILENT, [REFUSED], None, "refused"),
        (EXPIRY, SILENT, [], None, "needs-operator"),
        ({}, {"node__unschedulable": True}, [], None, "not-a-node-fault"),
        (STOPPED, {**SILENT, "api__reachable": False, "api__problem": "refused"}, [], None, "external"),
    ],
)
def test_outcome(changes: Changes, api: Changes, acted: list[t.Any], proof: t.Any, outcome: str) -> None:
    assert close(report(changes, api), acted, proof, None, NOW)["outcome"] == outcome


def test_a_refusal_on_the_node_corrects_the_plan_and_is_no_action() -> None:
    closed = close(report(STOPPED, SILENT), [REFUSED], None, None, NOW)
    assert closed["actions"] == []
    assert [(s["permitted"], s["why"]) for s in closed["plan"]] == [(False, "swap is on")]


def test_check_mode_is_diagnosed_and_did_nothing() -> None:
    closed = close(report(STOPPED, SILENT, "check"), [DONE], None, None, NOW)
    assert (closed["outcome"], closed["actions"]) == ("diagnosed", [])


def test_a_failed_action_says_why() -> None:
    failed = {**FAILED, "detail": "healthz: refused"}
    assert "failed restart-kubelet: healthz: refused" in " ".join(
        " ".join(verdict(close(report(STOPPED, SILENT), [failed], None, None, NOW))).split()
    )


def test_an_error_before_the_diagnosis_is_unknown_and_after_an_action_failed() -> None:
    before = close(stillborn("pi-04", "recover", NOW), [], None, "no Python", NOW)
    after = close(report(STOPPED, SILENT), [DONE], None, "the API went away", NOW)
    assert (before["outcome"], after["outcome"]) == ("unknown", "failed")


def test_the_verdict_says_cause_evidence_refusal_and_command() -> None:
    text = "\n".join(verdict(close(report(EXPIRY, SILENT), [], None, None, NOW)))
    assert text.startswith("pi-04: needs a person\n")
    for words in (
        "The kubelet's client certificate has expired (kubelet-client-cert-expired)",
        "client certificate expired 2026-11-22T15:00:00Z",
        "restart-kubelet: a restart cannot renew a certificate",
        "ansible-playbook certificates-recover.yml -l pi-04",
    ):
        assert words in " ".join(text.split())


def test_a_recovery_says_what_was_proven_and_a_failure_what_was_not() -> None:
    proof = {"new_process": True, "cause_gone": True, "ready": False}
    text = " ".join(
        " ".join(
            verdict({**close(report(STOPPED, SILENT), [DONE], None, None, NOW), "proof": {"checks": proof}})
        ).split()
    )
    assert "proven a new process runs, the cause is gone; 0 of 8 checks of health" in text
    assert "not proven Ready is True" in text


@pytest.mark.parametrize("proof", [PROVEN, WAITS])
def test_after_one_of_two_roots_was_repaired_the_command_is_that_of_the_other(proof: t.Any) -> None:
    before = report(TWO, {})
    (clock, plugin) = (f["next"] for f in before["diagnosis"]["findings"] if f["role"] == "root")
    assert before["next"] == clock != plugin
    assert close(before, [CLOCK], proof, None, NOW)["next"] == plugin
    assert close(before, [], None, None, NOW)["next"] == clock
    assert close(report(STOPPED, SILENT), [DONE], proof, None, NOW)["next"] == report(STOPPED, SILENT)["next"]


def test_a_node_that_waits_for_another_repair_says_for_which() -> None:
    text = " ".join(" ".join(verdict(close(report(TWO, {}), [CLOCK], WAITS, None, NOW))).split())
    assert "not proven Ready is True: not before cni-binary-missing is mended" in text


def test_the_table_has_a_line_for_each_host() -> None:
    lines = table([close(report({}, {}), [], None, None, NOW), stillborn("pi-05", "recover", NOW)])
    assert [line.split()[:2] for line in lines] == [["host", "outcome"], ["pi-04", "healthy"], ["pi-05", "unknown"]]


def test_signals_are_said_in_full_or_with_their_cause() -> None:
    def signs(said: dict[str, t.Any]) -> list[str]:
        return [line for line in verdict(said) if line.startswith("  sign")]

    assert signs(report({}, {"node__lease": lease(25)})) == ["  sign        Heartbeats come late"]
    calm = report({}, {})
    assert (signs(calm), calm["diagnosis"]["quietness"]["errors_per_minute"]) == ([], 0.0)
    calm["diagnosis"]["signals"] = [{"title": "Ready changes", "evidence": ["a"], "explained": ["kubelet-stopped"]}]
    assert signs(calm) == ["  sign        Ready changes: the effect of kubelet-stopped"]
    del calm["diagnosis"]["signals"]  # as in a report of an older release
    assert signs(calm) == []


def test_a_run_that_is_killed_has_a_report_that_says_so() -> None:
    before = underway(report(STOPPED, SILENT))
    assert (before["outcome"], before["finished"], before["actions"]) == ("unknown", None, [])
    assert "error       this run was about to do restart-kubelet, and has not ended" in "\n".join(verdict(before))
    later = {**report({}, {}), "started": "2026-11-23T15:05:00Z"}
    assert inherited(before, later) == [
        f"the run of {before['started']} was interrupted; it was about to do restart-kubelet"
    ]


def test_a_report_that_was_finished_and_our_own_are_no_interrupted_run() -> None:
    mine = report(STOPPED, SILENT)
    later = {**mine, "started": "2026-11-23T15:05:00Z"}
    assert inherited(close(mine, [], None, None, NOW), later) == []
    assert inherited(underway(mine), mine) == []
    assert inherited({}, later) == []


def test_what_a_run_noted_before_it_acted_is_in_its_report_at_the_end() -> None:
    mine = {**report(STOPPED, SILENT), "notes": ["the run of then was interrupted"]}
    assert inherited(underway(mine), mine) == ["the run of then was interrupted"]


def test_a_summary_needs_no_more_than_this() -> None:
    closed = close(report(STOPPED, SILENT), [DONE], PROVEN, None, NOW)
    assert table([brief(closed)]) == table([closed])
    assert "evidence" not in brief(closed)


def test_a_refusal_that_names_owners_ends_in_a_word_with_them() -> None:
    refused = {**REFUSED, "owners": ["shop/db-0", "shop/$(reboot)", "other/web-1"]}
    found = close(report(STOPPED, SILENT), [refused], None, None, NOW)["next"]
    assert found.startswith("kubectl describe pod -n shop db-0; kubectl describe pod -n other web-1 says whose data")
    assert "reboot" not in found
    before = report(STOPPED, SILENT)["next"]
    assert close(report(STOPPED, SILENT), [{**REFUSED, "owners": []}], None, None, NOW)["next"] == before
    assert close(report(STOPPED, SILENT), [{**DONE, "owners": ["shop/db-0"]}], None, None, NOW)["next"] == before


PAGE = Path(__file__).parents[5] / "docs" / "report.md"
# Fields that node_lock, node_repair and outward_explain bring in.
OF_OTHERS = {"lock", "explanations", "changes", "backup", "undone"}


def fields(value: t.Any) -> set[str]:
    """The names at any depth, but for those of evidence and checks."""
    if isinstance(value, list):
        return {name for each in value for name in fields(each)}
    if not isinstance(value, dict):
        return set()
    deeper = {name for key, each in value.items() if key not in ("evidence", "checks") for name in fields(each)}
    return {*value, *deeper}


def test_the_page_of_the_report_has_every_field_and_no_other() -> None:
    lines = PAGE.read_text().splitlines()
    quoted = {word for line in lines for code in re.findall("`([^`]+)`", line) for word in re.findall("[a-z_]+", code)}
    firsts = [cell for line in lines if line.startswith("| `") for cell in re.findall("`([^`]+)`", line.split("|")[1])]
    closed = close(report(TWO, {"node__lease": lease(25)}), [CLOCK], WAITS, "the API went away", NOW)
    assert fields(closed) - {"action"} <= quoted
    assert {re.findall("[a-z_]+", first)[-1] for first in firsts} - fields(closed) == OF_OTHERS
