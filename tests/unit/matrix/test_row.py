# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One row, with the lab played by functions."""

from __future__ import annotations

import typing as t

import pytest

from tests.faults.lab import NotInjected
from tests.faults.model import Fault
from tests.faults.table import FAULTS
from tests.matrix.playbook import NoReport
from tests.matrix.ready import Watch
from tests.matrix.row import Bench, NotReset, row, too_few, versions_of

from .test_verdict import RIGHT


class Lab:
    """Does nothing, remembers the order, and fails where it is told to."""

    def __init__(self, failing: Exception | None = None, at: str = "") -> None:
        self.failing, self.at = failing, at
        self.done: list[str] = []

    def _note(self, what: str) -> None:
        self.done.append(what)
        if self.failing and what == self.at:
            raise self.failing

    def bench(self, report: dict[str, t.Any]) -> Bench:
        def play(fault: Fault, host: str) -> dict[str, t.Any]:
            self._note("play")
            return report

        def inject(fault: Fault, host: str) -> float:
            self._note("inject")
            return 1.0

        return Bench(
            mode="recover",
            commit="abc",
            record=False,
            play=play,
            reset=lambda host: self._note("reset"),
            keep=lambda fault, report: self._note("keep"),
            versions=dict,
            watch=lambda host: Watch(host, ["true"]),
            inject=inject,
            undo=lambda fault, host: self._note("undo"),
        )


def test_a_clean_node_is_broken_and_judged() -> None:
    lab = Lab()
    entry, versions = row(FAULTS["kubelet-stopped"], "pi-04", lab.bench(RIGHT))
    assert lab.done == ["reset", "inject", "play", "keep"]
    assert (entry["ok"], entry["seen"]["root_causes"]) == (True, ["kubelet-stopped"])
    assert "ansible-core" in versions


def test_a_node_that_is_clean_is_not_reset_again() -> None:
    lab = Lab()
    row(FAULTS["kubelet-stopped"], "pi-04", lab.bench(RIGHT), clean=True)
    assert lab.done == ["inject", "play", "keep"]


def test_a_wrong_verdict_is_a_wrong_row_that_says_why() -> None:
    entry, dummy = row(FAULTS["containerd-down"], "pi-04", Lab().bench(RIGHT))
    assert entry["ok"] is False
    assert "root_causes: expected ['containerd-down'], saw ['kubelet-stopped']" in entry["note"]


@pytest.mark.parametrize(
    ("failing", "at"), [(NotReset("no"), "reset"), (NotInjected("no"), "inject"), (NoReport("no"), "play")]
)
def test_what_could_not_be_run_is_neither_right_nor_wrong(failing: Exception, at: str) -> None:
    entry, dummy = row(FAULTS["kubelet-stopped"], "pi-04", Lab(failing, at).bench(RIGHT))
    assert (entry["ok"], entry["note"], entry["seen"]) == (None, "could not be run: no", None)


def test_what_was_done_to_the_cluster_is_undone_whatever_happens() -> None:
    lab = Lab(NoReport("no"), "play")
    row(FAULTS["apiserver-unavailable"], "pi-04", lab.bench(RIGHT))
    assert lab.done == ["reset", "inject", "play", "undo"]


@pytest.mark.parametrize(
    "evidence",
    [
        {"cluster": {"node": {"kubelet_version": "v1.37.2", "runtime_version": "containerd://1.7.24"}}, "node": None},
        {
            "cluster": {"node": None},
            "node": {"kubelet": {"version": "v1.37.2"}, "runtime": {"cri": {"runtime": "containerd 1.7.24~ds1"}}},
        },
    ],
)
def test_versions_by_whoever_knows_them(evidence: dict[str, t.Any]) -> None:
    found = versions_of({"evidence": evidence})
    assert (found["kubelet"], found["containerd"]) == ("v1.37.2", "1.7.24")


def test_versions_that_nobody_knows_are_left_out() -> None:
    evidence = {"cluster": {"node": {"unknown": "no answer"}}, "node": {"kubelet": {"version": {"unknown": "x"}}}}
    assert set(versions_of({"evidence": evidence})) == {"ansible-core"}


def test_what_needs_more_workers_says_how_to_have_them() -> None:
    assert too_few(2, ["pi-04", "pi-05"]) == ""
    assert "needs 3 workers, and the lab has 2: make lab-up WORKERS=3" in too_few(3, ["pi-04", "pi-05"])
