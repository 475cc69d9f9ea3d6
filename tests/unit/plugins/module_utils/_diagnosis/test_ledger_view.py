# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The ledger for a person: what each entry still does, and which of them a pardon means."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.ledger import Entry, Ledger, Pardon
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.ledger_view import (
    NoSuchEntry,
    chosen,
    described,
    standings,
    table,
)
from tests.unit.plugins.module_utils._diagnosis.test_ledger import DAY, HOUR, NOW, ORDER, POLICY, entry

PARDON = Pardon("new SD card", "anna@controller", NOW)
IN_BUDGET = "counts towards the budget for another 22 h"
REFUSES = "refuses the same action until the evidence changes or a reason is given"


@pytest.mark.parametrize(
    ("past", "counts", "why", "left"),
    [
        (entry(2 * HOUR, ORDER), True, f"refuses the same action and {IN_BUDGET}", 22 * HOUR),
        (entry(2 * HOUR, ORDER, "failed"), True, f"{REFUSES}; {IN_BUDGET}", None),
        (entry(2 * DAY, ORDER, "failed", "boot-1"), True, REFUSES, None),
        (entry(2 * DAY, ORDER, None, "boot-1"), True, REFUSES, None),
        (entry(2 * DAY, ORDER, "done", "boot-1"), False, "no more", None),
        (replace(entry(HOUR, ORDER), pardon=PARDON), False, "forgiven by anna@controller: new SD card", None),
    ],
)
def test_what_an_entry_still_does(past: Entry, counts: bool, why: str, left: float | None) -> None:
    (standing,) = standings(Ledger((past,), 0), NOW, POLICY)
    assert (standing.counts, standing.why, standing.left) == (counts, why, left)


def test_an_age_that_cannot_be_told_counts_until_it_is_forgiven() -> None:
    (standing,) = standings(Ledger((entry(-HOUR, ORDER, boot="boot-1"),), 0), NOW, POLICY)
    assert (standing.counts, standing.left) == (True, None)
    assert "until it is forgiven (its age cannot be told)" in standing.why


def test_only_the_last_of_its_kind_refuses() -> None:
    first, second = standings(Ledger((entry(2 * HOUR, ORDER), entry(HOUR, ORDER)), 0), NOW, POLICY)
    assert first.why == IN_BUDGET
    assert second.why.startswith("refuses the same action and counts")


LEDGER = Ledger(
    (
        replace(entry(2 * DAY, ORDER, boot="boot-1"), id="ef001111"),
        replace(entry(2 * HOUR, ORDER), id="abcd1111"),
        replace(entry(HOUR, ORDER, "failed"), id="abcd2222"),
        replace(entry(HOUR, ORDER), id="99991111", pardon=PARDON),
    ),
    0,
)


@pytest.mark.parametrize(
    ("wanted", "ids"),
    [
        ("abcd1111", ["abcd1111"]),
        ("ef00", ["ef001111"]),
        ("9999", []),  # once is enough
        ("all", ["abcd1111", "abcd2222"]),
    ],
)
def test_what_is_forgiven(wanted: str, ids: list[str]) -> None:
    assert [one.id for one in chosen(LEDGER, wanted, NOW, POLICY)] == ids


@pytest.mark.parametrize(
    ("wanted", "words"),
    [("abcd", "2 entries abcd"), ("abc", "no entry abc"), ("12345678", "no entry"), ("ALL", "or all")],
)
def test_what_is_not_one_entry_is_refused(wanted: str, words: str) -> None:
    with pytest.raises(NoSuchEntry, match=words) as caught:
        chosen(LEDGER, wanted, NOW, POLICY)
    assert "ef001111, abcd1111, abcd2222, 99991111" in str(caught.value)


def test_the_table_shows_both_clocks() -> None:
    found = standings(LEDGER, NOW, POLICY)
    head, earlier, first, *dummy = table(found, NOW)
    assert head.split() == ["id", "when", "step", "cause", "result", "who", "reason", "counts"]
    assert "2 h ago by the clock since boot" in first
    assert "by the wall clock, in an earlier boot" in earlier
    assert table((), NOW) == ["the ledger is empty: nothing was done to this node"]


def test_an_entry_in_full() -> None:
    shown = described(standings(LEDGER, NOW, POLICY)[3], NOW)
    assert shown["forgiven"] == {"reason": "new SD card", "holder": "anna@controller", "at": "2026-11-18T11:06:40Z"}
    assert (shown["result"], shown["this_boot"], shown["age_seconds"]) == ("done", True, HOUR)


def test_a_moment_that_no_calendar_has_is_no_error() -> None:
    odd = replace(entry(HOUR, ORDER), begun=replace(NOW, wall=1e300))
    (standing,) = standings(Ledger((odd,), 0), NOW, POLICY)
    assert described(standing, NOW)["begun"] == "at no time that a calendar has"
