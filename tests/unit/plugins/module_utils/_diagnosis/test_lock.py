# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a Lease says, and what may be done about it: each decision, and beside it what is nearly the same."""

from __future__ import annotations

import typing as t
from datetime import timedelta

import pytest

from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.lock import (
    DURATION,
    RENEWAL,
    Claim,
    Holder,
    Ours,
    Slot,
    Take,
    Wait,
    cleared,
    decide,
    handing_over,
    holder,
    in_hand,
    left_behind,
    loss,
    refused,
    rival,
    waiting,
)
from tests.unit.helpers import NOW

ME = Holder("pid-4711-99-0123456789ab", "laptop", "pi-04")
OTHER = Holder("awx-12", "exec-01", "pi-05")
SAME = Holder("awx-13", "exec-02", "pi-04")
BEFORE = Holder("pid-4000-88-0123456789ab", "laptop", "pi-04")


def slot(number: int, who: Holder | None, ago: float = 5, **changes: t.Any) -> Slot:
    """A slot that was renewed *ago* seconds."""
    renewed = NOW - timedelta(seconds=ago)
    fields = {"acquired": renewed, "renewed": renewed, "duration": DURATION, "transitions": 3, "handed_over": ""}
    return Slot(name=f"outward-kubelet-{number}", version="7", holder=who, **{**fields, **changes})


FREE, OURS, THEIRS = slot(0, None), slot(0, ME), slot(0, OTHER)
LEFT = slot(0, SAME, handed_over="restart-kubelet was not proven")
SECOND = slot(1, OTHER, 20)


@pytest.mark.parametrize(
    ("slots", "cap", "expected"),
    [
        ([], 1, Take("outward-kubelet-0", None)),
        ([FREE], 1, Take("outward-kubelet-0", FREE)),
        ([OURS], 1, Ours(OURS)),
        ([THEIRS], 1, Wait(THEIRS)),
        ([THEIRS], 2, Take("outward-kubelet-1", None)),
        ([THEIRS, SECOND], 2, Wait(SECOND)),  # the one that ends first
        ([slot(0, OTHER, 59.9)], 1, Wait(slot(0, OTHER, 59.9))),
        ([slot(0, OTHER, 60)], 1, Take("outward-kubelet-0", slot(0, OTHER, 60))),
        # Somebody with a higher cap has the second slot: with ours, one node is all that may be in hand.
        ([FREE, SECOND], 1, Wait(SECOND)),
        # The same node is in another's hands: no room beside it helps.
        ([slot(0, SAME)], 5, Wait(slot(0, SAME))),
        # Our own node's former slot is taken, and no other, so that its holder cannot come back to life in it.
        ([FREE, slot(1, SAME, 61)], 2, Take("outward-kubelet-1", slot(1, SAME, 61))),
        ([FREE, slot(3, SAME, 61)], 1, Take("outward-kubelet-3", slot(3, SAME, 61))),
        ([slot(0, ME, 61)], 1, Take("outward-kubelet-0", slot(0, ME, 61))),
        # Handed over: nobody works on it, so the same node may be tried again, and no other.
        ([LEFT], 1, Take("outward-kubelet-0", LEFT)),
        ([slot(0, OTHER, handed_over="x")], 1, Wait(slot(0, OTHER, handed_over="x"))),
        ([LEFT, SECOND], 1, Wait(SECOND)),
        # Never renewed, or by a clock that was set back since: nobody would ever come to free it.
        ([slot(0, OTHER, renewed=None)], 1, Take("outward-kubelet-0", slot(0, OTHER, renewed=None))),
        ([slot(0, OTHER, -61)], 1, Take("outward-kubelet-0", slot(0, OTHER, -61))),
        ([slot(0, OTHER, -2)], 1, Wait(slot(0, OTHER, -2))),
    ],
)
def test_decide(slots: list[Slot], cap: int, expected: Ours | Take | Wait) -> None:
    assert decide(slots, Claim(ME, cap), NOW) == expected


def test_a_holder_of_the_same_node_whose_process_has_ended_is_not_waited_for() -> None:
    claim = Claim(ME, 1, lambda holder: holder == BEFORE)
    assert decide([slot(0, BEFORE)], claim, NOW) == Take("outward-kubelet-0", slot(0, BEFORE))
    assert isinstance(decide([slot(0, SAME)], claim, NOW), Wait)


def test_another_node_that_a_killed_run_had_in_hand_counts_until_the_cluster_can_see_it() -> None:
    claim = Claim(ME, 1, lambda holder: holder == OTHER)
    assert decide([THEIRS], claim, NOW) == Wait(THEIRS)
    assert decide([slot(0, OTHER, 60)], claim, NOW) == Take("outward-kubelet-0", slot(0, OTHER, 60))


@pytest.mark.parametrize(
    ("found", "works", "freed"),
    [
        (slot(0, SAME, 61), False, True),  # it has expired
        (slot(0, SAME, 59), True, False),  # somebody may be at work
        (slot(0, BEFORE), True, True),  # its process has ended, and the node works
        (slot(0, BEFORE), False, False),  # the cluster may not see yet that it does not
        (LEFT, True, True),
        (LEFT, False, False),
        (slot(0, OTHER, 61), True, False),  # another node's
        (OURS, True, False),
        (FREE, True, False),
    ],
)
def test_what_is_freed_of_a_lock_that_was_left_behind(found: Slot, works: bool, freed: bool) -> None:
    claim = Claim(ME, 1, lambda holder: holder == BEFORE)
    assert left_behind([found], claim, NOW, works) == ([found] if freed else [])


def test_a_lock_that_was_left_behind_is_told_of() -> None:
    assert cleared(slot(0, BEFORE)) == (
        "process 4000 on laptop took the node in hand at 2026-11-23T14:59:55Z and was interrupted; its lock is taken away"
    )
    assert "left it unproven (restart-kubelet was not proven)" in cleared(LEFT)


@pytest.mark.parametrize(
    ("others", "cap", "expected"),
    [
        ([], 1, None),
        ([SECOND], 2, None),
        ([SECOND], 1, SECOND),
        ([slot(1, SAME)], 5, slot(1, SAME)),
        ([slot(1, SAME, 61)], 5, None),
    ],
)
def test_who_sees_another_after_writing_steps_back(others: list[Slot], cap: int, expected: Slot | None) -> None:
    assert rival([OURS, *others], Claim(ME, cap), NOW) == expected


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (OURS, None),
        (slot(0, ME, 59), None),
        (slot(0, ME, 60), "not renewed in time"),
        (THEIRS, "AWX job 12 on exec-01 has it"),
        (FREE, "nobody has it"),
    ],
)
def test_loss(found: Slot, words: str | None) -> None:
    said = loss(found, ME, NOW)
    assert said == words if words is None else words in (said or "")


@pytest.mark.parametrize("who", [ME, OTHER, Holder("x", "", "")])
def test_an_identity_can_be_read_again(who: Holder) -> None:
    assert holder(str(who)) == who if who.controller else Holder(str(who), "", "")
    assert who.words in ("process 4711 on laptop", "AWX job 12 on exec-01", "x")


def test_a_foreign_identity_holds_a_slot_and_no_node() -> None:
    foreign = holder("somebody's-script")
    assert (foreign.words, in_hand([slot(0, foreign), SECOND, slot(2, SAME, 61)], NOW)) == (
        "somebody's-script",
        ("pi-05",),
    )
    assert isinstance(decide([slot(0, foreign)], Claim(ME, 1), NOW), Wait)


def test_who_waits_for_whom_and_how_long() -> None:
    assert waiting(THEIRS, ME, 600) == (
        "pi-04 waits for pi-05, which AWX job 12 on exec-01 has in hand since 2026-11-23T14:59:55Z (until"
        " 2026-11-23T15:00:55Z if it is not renewed); 600 s at most"
    )
    assert "which AWX job 13 on exec-02 left unproven until 2026-11-23T15:00:55Z" in waiting(LEFT, ME, 600)
    assert refused(THEIRS, 600).startswith("after 600 s still waiting for pi-05, which AWX job 12 on exec-01")


@pytest.mark.parametrize(
    ("results", "proven", "kept"),
    [
        ([], False, False),
        (["refused"], False, False),
        (["done"], True, False),
        (["done"], False, True),
        (["failed"], False, True),
        (["refused", "failed"], False, True),
    ],
)
def test_it_is_released_only_on_proof(results: list[str], proven: bool, kept: bool) -> None:
    acted = [{"result": result, "action": {"step": "restart-kubelet"}} for result in results]
    reason = handing_over([{}, {"skipped": True}, *acted], proven)
    assert reason == ("restart-kubelet was not proven" if kept else None)


def test_a_node_that_a_killed_run_left_broken_is_seen_before_its_slot_is_free() -> None:
    assert DURATION - RENEWAL > 40  # nodeLeaseDurationSeconds
