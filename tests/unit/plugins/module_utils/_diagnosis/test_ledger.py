# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the ledger refuses, and what it makes of a file that a power failure has cut."""

from __future__ import annotations

import json
import random
from dataclasses import replace

import pytest

from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.ledger import (
    Entry,
    Ledger,
    LedgerCorrupt,
    Moment,
    Order,
    Pardon,
    Policy,
    Verdict,
    compacted,
    duration,
    intent_line,
    judge,
    lines,
    pardon_line,
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
    assert parse(LINES) == Ledger((replace(entry(60.0, ORDER), id="a", ended=NOW),), 0)
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
        pardon_line("never-begun", Pardon("why", "anna", NOW)),
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


PARDON = Pardon("new SD card", "anna@controller", NOW)


def forgiven(past: Entry) -> Entry:
    return replace(past, pardon=PARDON)


@pytest.mark.parametrize("result", ["done", "failed", None])
def test_what_was_forgiven_does_not_count_any_more(result: str | None) -> None:
    past = entry(HOUR, replace(ORDER, state="inv-0/7"), result)
    assert verdict(past).refusals
    assert verdict(forgiven(past)) == Verdict((), (), 0)
    assert verdict(forgiven(past), entry(2.0), entry(1.0)).recent == 2


def test_the_entry_before_one_that_was_forgiven_still_counts() -> None:
    (refusal,) = verdict(entry(2 * HOUR, ORDER, "failed"), forgiven(entry(HOUR, ORDER, "failed"))).refusals
    assert "failed 2 h ago" in refusal


def test_a_file_that_is_written_anew_says_the_same() -> None:
    past = [replace(entry(60.0, ORDER), ended=NOW), replace(forgiven(entry(50.0, ORDER, "failed")), ended=NOW)]
    past.append(entry(40.0, ORDER, None))
    assert parse(b"".join(lines(one) for one in past)) == Ledger(tuple(past), 0)


@pytest.mark.parametrize(
    ("past", "kept"),
    [
        ([entry(40 * DAY, ORDER, boot="boot-1"), entry(DAY)], [DAY]),
        ([entry(400 * DAY, ORDER, "failed", "boot-1")], [400 * DAY]),  # it still refuses its like
        ([entry(400 * DAY, ORDER, None, "boot-1")], [400 * DAY]),
        ([entry(400 * DAY, ORDER, "failed", "boot-1"), entry(DAY, ORDER)], [DAY]),  # answered by a later one
        ([entry(400 * DAY, ORDER, "failed", "boot-1"), entry(DAY, ORDER, None)], [400 * DAY, DAY]),
        ([forgiven(entry(400 * DAY, ORDER, "failed", "boot-1")), forgiven(entry(DAY, ORDER))], []),
        ([entry(-DAY, boot="boot-1")], [-DAY]),  # an age that cannot be told
        ([entry(40 * DAY, boot="boot-0"), entry(50 * DAY, ORDER, boot="boot-1")], [40 * DAY, 50 * DAY]),
    ],
)
def test_compacting_forgets_only_what_can_never_refuse_again(past: list[Entry], kept: list[float]) -> None:
    assert [float(one.id) for one in compacted(Ledger(tuple(past), 7), NOW).entries] == kept
    assert compacted(Ledger(tuple(past), 7), NOW).torn == 0


def test_no_verdict_changes_by_compacting() -> None:
    dice = random.Random(20261123)
    orders = [replace(ORDER, fingerprint=mark, state=state) for mark in ("aa", "bb") for state in ("inv-1/0", "x")]
    policies = [Policy(budget, period) for budget in (1, 3) for period in (HOUR, DAY, 30 * DAY)]
    lost = 0
    for dummy in range(400):
        past = [
            entry(dice.uniform(-5, 90) * DAY, dice.choice(orders), dice.choice(["done", "failed", None]), boot)
            for boot in ("boot-0", "boot-1", "boot-2")
            for dummy_too in range(dice.randrange(4))
        ]
        past = [forgiven(one) if dice.random() < 0.2 else one for one in past]
        whole = Ledger(tuple(past), 0)
        smaller = compacted(whole, NOW)
        lost += len(whole.entries) - len(smaller.entries)
        for order in orders:
            for policy in policies:
                before, after = judge(whole, order, NOW, policy), judge(smaller, order, NOW, policy)
                assert (before.refusals, before.recent) == (after.refusals, after.recent)
    assert lost > 400
