# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""The ledger for a person: what each entry still does, which of them a pardon means, and a table. Pure."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass
from datetime import datetime, timezone

from .evidence import JSON
from .ledger import Entry, Ledger, Moment, Policy, age, ago, duration, lasting, recent_entries
from .signs import instant

ALL: t.Final = "all"
SHORT: t.Final = 8  # of the 32 digits of an entry's id: what the table shows, and what is enough to name one
COLUMNS: t.Final = ("id", "when", "step", "cause", "result", "who", "reason", "counts")


class NoSuchEntry(ValueError):
    """What was to be forgiven is not in the ledger, or not one entry alone; the text says what is."""


@dataclass(frozen=True)
class Standing:
    """What one entry still does. ``left``: seconds until it does not count any more; None: not by itself, or not at all."""

    entry: Entry
    counts: bool
    why: str
    left: t.Optional[float]


def standings(ledger: Ledger, now: Moment, policy: Policy) -> tuple[Standing, ...]:
    """Every entry, oldest first."""
    recent = {entry.id for entry in recent_entries(ledger, now, policy)}
    for_ever = lasting(ledger)
    last = {(e.order.step, e.order.fingerprint): e.id for e in ledger.entries if e.pardon is None}.values()
    return tuple(
        _standing(
            entry, _Weight(entry.id in recent, entry.id in for_ever, entry.id in last, _left(entry, now, policy.period))
        )
        for entry in ledger.entries
    )


def chosen(ledger: Ledger, wanted: str, now: Moment, policy: Policy) -> tuple[Entry, ...]:
    """The entries that a pardon of *wanted* (an id, its beginning, or ``all``) is for; raises :class:`NoSuchEntry`.

    Of ``all``, those that still count; one that was forgiven already is not forgiven twice.
    """
    if wanted == ALL:
        return tuple(standing.entry for standing in standings(ledger, now, policy) if standing.counts)
    found = [entry for entry in ledger.entries if len(wanted) >= 4 and entry.id.startswith(wanted)]
    if len(found) != 1:
        there = ", ".join(entry.id[:SHORT] for entry in ledger.entries) or "none"
        how = "no entry" if not found else f"{len(found)} entries"
        raise NoSuchEntry(f"the ledger has {how} {wanted}: give the id of one ({there}), or {ALL}")
    return tuple(entry for entry in found if entry.pardon is None)


def described(standing: Standing, now: Moment) -> JSON:
    """One entry as the module returns it."""
    entry, order = standing.entry, standing.entry.order
    pardon = entry.pardon
    return {
        "id": entry.id,
        "step": order.step,
        "cause": order.cause,
        "fingerprint": order.fingerprint,
        "result": entry.result or "cut off",
        "holder": order.holder,
        "reason": order.reason,
        "begun": _wall(entry.begun),
        "ended": _wall(entry.ended) if entry.ended else None,
        "this_boot": entry.begun.boot == now.boot,
        "age_seconds": age(entry, now),
        "when": when(entry, now),
        "counts": standing.counts,
        "why": standing.why,
        "seconds_left": standing.left,
        "forgiven": {"reason": pardon.reason, "holder": pardon.holder, "at": _wall(pardon.at)} if pardon else None,
    }


def when(entry: Entry, now: Moment) -> str:
    """By both clocks: the node's wall clock as it was then, and how long ago by the one that can be trusted."""
    clock = "by the clock since boot" if entry.begun.boot == now.boot else "by the wall clock, in an earlier boot"
    return f"{_wall(entry.begun)}, {ago(entry, now)} {clock}"


def table(found: t.Sequence[Standing], now: Moment) -> list[str]:
    """The ledger in aligned columns; one line when it is empty."""
    if not found:
        return ["the ledger is empty: nothing was done to this node"]
    rows = [COLUMNS, *(_row(standing, now) for standing in found)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(COLUMNS))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows]


@dataclass(frozen=True)
class _Weight:
    """What speaks for an entry: it is recent, it refuses for ever, it is the last of its kind; and the time it has left."""

    recent: bool
    for_ever: bool
    last: bool
    left: t.Optional[float]


def _standing(entry: Entry, weight: _Weight) -> Standing:
    if entry.pardon is not None:
        return Standing(entry, False, f"forgiven by {entry.pardon.holder or 'somebody'}: {entry.pardon.reason}", None)
    counts = f"counts towards the budget{_for(weight.left)}"
    if weight.for_ever:
        refuses = "refuses the same action until the evidence changes or a reason is given"
        return Standing(entry, True, f"{refuses}; {counts}" if weight.recent else refuses, None)
    if weight.recent:
        return Standing(entry, True, f"refuses the same action and {counts}" if weight.last else counts, weight.left)
    return Standing(entry, False, "no more", None)


def _left(entry: Entry, now: Moment, period: float) -> t.Optional[float]:
    """None when the clocks cannot tell."""
    seconds = age(entry, now)
    return None if seconds is None or seconds >= period else period - seconds


def _for(left: t.Optional[float]) -> str:
    return f" for another {duration(left)}" if left is not None else " until it is forgiven (its age cannot be told)"


def _row(standing: Standing, now: Moment) -> tuple[str, ...]:
    entry, order = standing.entry, standing.entry.order
    result = entry.result or "cut off"
    who = order.holder or "-"
    return (
        entry.id[:SHORT],
        when(entry, now),
        order.step,
        order.cause,
        result,
        who,
        order.reason or "-",
        standing.why,
    )


def _wall(moment: Moment) -> str:
    try:
        return instant(datetime.fromtimestamp(moment.wall, timezone.utc))
    except (ValueError, OverflowError, OSError):
        return "at no time that a calendar has"
