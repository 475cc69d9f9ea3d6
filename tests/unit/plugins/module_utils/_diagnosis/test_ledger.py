# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the ledger refuses, and what it makes of a file that a power failure has cut."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.ledger import (
    Entry,
    Ledger,
    LedgerCorrupt,
    Moment,
    Order,
    Policy,
    Verdict,
    duration,
    intent_line,
    judge,
    parse,
    result_line,
)

HOUR = 3600.0
DAY = 24 * HOUR
WALL = 1_795_000_000.0
NOW = Moment(WALL, "boot-2", 10 * HOUR)
POLICY = Policy(budget=3, period=DAY)
ORDER = Order("restart-kubelet", "kubelet-stopped", "ab12", "run-1", "", "inv-1/0")
OTHER = replace(ORDER, cause="kubelet-syncloop-stuck", fingerprint="cd34")


def entry(ago: float, order: Order = OTHER, result: str | None = "done", boot: str = "boot-2") -> Entry:
    """An action *ago* seconds ago; in another boot its monotonic clock says nothing."""
    monotonic = NOW.monotonic - ago if boot == NOW.boot else 99.0
    return Entry(f"{ago}", order, Moment(WALL - ago, boot, monotonic), result)


def verdict(*entries: Entry, order: Order = ORDER, torn: int = 0) -> Verdict:
    """Of NOW, with the default budget."""
    return judge(Ledger(entries, torn), order, NOW, POLICY)


def test_an_empty_ledger_refuses_nothing() -> None:
    assert verdict() == Verdict((), (), 0)


@pytest.mark.parametrize(
    ("past", "words"),
    [
        (entry(1.5 * HOUR, ORDER), "was done 90 min ago: the cause came back, so the root cause is still there"),
        (entry(1.5 * HOUR, ORDER, "failed"), "failed 90 min ago: it would not help a second time"),
        (entry(9 * DAY, ORDER, "failed", "boot-1"), "failed 9 d ago: it would not help a second time"),
        (entry(5 * HOUR, replace(ORDER, state="inv-0/7"), None), "was begun 5 h ago and cut off"),
        (entry(12 * HOUR, ORDER, None, "boot-1"), "was begun 12 h ago and cut off"),
    ],
)
def test_the_same_action_for_the_same_evidence_is_refused(past: Entry, words: str) -> None:
    (refusal,) = verdict(past).refusals
    assert refusal.startswith("restart-kubelet for kubelet-stopped with the same evidence")
    assert words in refusal


@pytest.mark.parametrize(
    "past",
    [
        entry(HOUR, OTHER),
        entry(HOUR, replace(ORDER, step="start-containerd"), "failed"),
        entry(2 * DAY, ORDER, "done", "boot-1"),
    ],
)
def test_another_fault_or_a_cure_that_lasted_is_no_reason_to_refuse(past: Entry) -> None:
    assert verdict(past).refusals == ()


def test_what_was_cut_off_before_it_took_effect_is_carried_on_with_and_told() -> None:
    result = verdict(entry(600.0, ORDER, None))
    assert result.refusals == ()
    assert result.notes == (
        "restart-kubelet for kubelet-stopped was begun 10 min ago and cut off before it took effect",
    )
    assert result.recent == 1


def test_a_persons_reason_overrides_and_is_told() -> None:
    order = replace(ORDER, reason="new SD card")
    result = verdict(entry(HOUR, ORDER, "failed"), entry(60.0), entry(30.0), order=order)
    assert result.refusals == ()
    assert len(result.notes) == 2
    assert all(note.startswith("overridden by a person (new SD card): ") for note in result.notes)


def test_blanks_are_no_reason() -> None:
    assert verdict(entry(HOUR, ORDER), order=replace(ORDER, reason=" ")).refusals


@pytest.mark.parametrize(
    ("past", "recent"),
    [
        ([entry(3.0), entry(2.0), entry(1.0)], 3),
        ([entry(3.0), entry(2.0), entry(1.0, result=None)], 3),
        ([entry(30 * HOUR, boot="boot-1"), entry(20 * HOUR, boot="boot-1"), entry(1.0)], 2),
        ([entry(-2 * DAY, boot="boot-1"), entry(2.0), entry(1.0)], 3),  # the clock went back across a boot
        ([entry(25 * HOUR, boot="boot-0"), entry(40 * HOUR, boot="boot-1"), entry(1.0)], 2),  # it was behind then
    ],
)
def test_the_budget_counts_by_the_clock_that_can_be_trusted(past: list[Entry], recent: int) -> None:
    result = verdict(*past)
    assert result.recent == recent
    refused = ("3 disruptive actions on this node in the last 24 h (budget 3): a person has to look",)
    assert result.refusals == (refused if recent == 3 else ())


def test_within_one_boot_a_step_of_the_wall_clock_changes_nothing() -> None:
    stepped = replace(entry(2 * HOUR, ORDER), begun=Moment(WALL + 99 * DAY, "boot-2", NOW.monotonic - 2 * HOUR))
    (refusal,) = verdict(stepped).refusals
    assert "was done 2 h ago" in refusal


LINES = intent_line(replace(entry(60.0, ORDER), id="a")) + result_line("a", "done", NOW)


def test_what_was_written_is_read_back() -> None:
    assert parse(LINES) == Ledger((replace(entry(60.0, ORDER), id="a"),), 0)
    assert json.loads(LINES.splitlines()[0])["phase"] == "intent"


@pytest.mark.parametrize("torn", [b'{"v": 1, "phase": "int', b"\0" * 40, b"\xff\xfe"])
def test_a_last_line_cut_by_a_power_failure_is_dropped_and_told(torn: bytes) -> None:
    ledger = parse(LINES + torn)
    assert (len(ledger.entries), ledger.torn) == (1, len(torn))
    (note,) = judge(ledger, OTHER, NOW, POLICY).notes
    assert note == f"the ledger ended in {len(torn)} bytes of a line cut off by a power failure: dropped"


@pytest.mark.parametrize(
    "line",
    [
        b"\n",
        b"garbage\n",
        b"\xff\n",
        b"[]\n",
        b'{"v": 2, "phase": "intent"}\n',
        b'{"v": 1, "phase": "intent"}\n',
        b'{"v": 1, "phase": "other"}\n',
        result_line("never-begun", "done", NOW),
        LINES.splitlines(keepends=True)[1].replace(b'"done"', b'"perhaps"'),
    ],
)
def test_a_line_that_is_not_ours_fails_closed(line: bytes) -> None:
    with pytest.raises(LedgerCorrupt, match="line 3 of the ledger cannot be read"):
        parse(LINES + line)


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.4, "0 s"), (119, "119 s"), (120, "2 min"), (7200, "2 h"), (DAY, "24 h"), (2 * DAY, "2 d")]
)
def test_durations_read_like_a_person_says_them(seconds: float, text: str) -> None:
    assert duration(seconds) == text
