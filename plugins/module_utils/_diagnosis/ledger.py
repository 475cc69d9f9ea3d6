# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""The rules of the ledger: what a node remembers of disruptive actions, and what it refuses because of it.

Pure: text and moments in, entries and words out. ``_host/ledger.py`` keeps the file.
"""

from __future__ import annotations

import json
import typing as t
from dataclasses import asdict, dataclass

VERSION: t.Final = 1
RESULTS: t.Final = ("done", "failed")


class LedgerCorrupt(Exception):
    """A line before the last one is not ours: nothing may be done until a person has looked at the file."""


@dataclass(frozen=True)
class Moment:
    """One instant by both clocks, since either alone can lie across a reboot or a clock step."""

    wall: float  # seconds since the epoch, by the node's clock
    boot: str  # /proc/sys/kernel/random/boot_id
    monotonic: float  # seconds since that boot (CLOCK_BOOTTIME)


@dataclass(frozen=True)
class Order:
    """A disruptive action, what it is taken for, and who wants it."""

    step: str
    cause: str
    fingerprint: str  # cause and the evidence that identifies it, hexadecimal
    holder: str  # the run that asked
    reason: str  # a person's reason to do it in spite of the ledger; empty: none was given
    state: str  # what the action is to replace (the unit's invocation): unchanged means it never took effect


@dataclass(frozen=True)
class Entry:
    """One action: written down before it began, and, unless we were killed, how it ended."""

    id: str
    order: Order
    begun: Moment
    result: t.Optional[str]  # one of RESULTS; None: it was cut off before its end


@dataclass(frozen=True)
class Ledger:
    """All entries, oldest first, and how many bytes of a line cut off by a power failure follow them."""

    entries: tuple[Entry, ...]
    torn: int


@dataclass(frozen=True)
class Policy:
    """How many disruptive actions one node may see in *period* seconds."""

    budget: int
    period: float


@dataclass(frozen=True)
class Verdict:
    """Empty refusals: the action may begin. Notes are for the report, whatever the verdict."""

    refusals: tuple[str, ...]
    notes: tuple[str, ...]
    recent: int  # actions within the period


def intent_line(entry: Entry) -> bytes:
    """What is written, and fsynced, before the action begins."""
    return _line({"phase": "intent", "id": entry.id, **asdict(entry.order), **asdict(entry.begun)})


def result_line(entry_id: str, result: str, now: Moment) -> bytes:
    """What is written when the action has ended; *result* is one of :data:`RESULTS`."""
    return _line({"phase": "result", "id": entry_id, "result": result, **asdict(now)})


def parse(data: bytes) -> Ledger:
    """The ledger's file. An unreadable rest after the last newline is torn; elsewhere it is LedgerCorrupt.

    A torn line was never fsynced, and an action only begins after the fsync of its intent: to drop the line
    loses no action.
    """
    *lines, rest = data.split(b"\n")
    entries: dict[str, Entry] = {}
    for number, line in enumerate(lines, 1):
        try:
            _enter(entries, line)
        except (ValueError, TypeError, KeyError) as error:
            raise LedgerCorrupt(f"line {number} of the ledger cannot be read ({error})") from error
    return Ledger(tuple(entries.values()), len(rest))


def judge(ledger: Ledger, order: Order, now: Moment, policy: Policy) -> Verdict:
    """May *order* be carried out? A person's reason turns refusals into notes, and is recorded with the action."""
    recent = recent_entries(ledger, now, policy)
    refusals = (*_repeated(ledger, recent, order, now), *_over_budget(recent, policy))
    notes = tuple(_oddities(ledger, order, now))
    if order.reason.strip():
        overridden = tuple(f"overridden by a person ({order.reason}): {words}" for words in refusals)
        return Verdict((), notes + overridden, len(recent))
    return Verdict(refusals, notes, len(recent))


def recent_entries(ledger: Ledger, now: Moment, policy: Policy) -> tuple[Entry, ...]:
    """Entries within the period; one whose age cannot be told counts as recent."""
    recent = []
    latest = float("-inf")
    for entry in ledger.entries:
        age = _age(entry, now)
        written_with_a_clock_that_was_behind = entry.begun.boot != now.boot and entry.begun.wall < latest
        if age is None or age < policy.period or written_with_a_clock_that_was_behind:
            recent.append(entry)
        latest = max(latest, entry.begun.wall)
    return tuple(recent)


def _repeated(ledger: Ledger, recent: tuple[Entry, ...], order: Order, now: Moment) -> t.Iterator[str]:
    """The same action for the same evidence: it helped and did not last, or it did not help."""
    same = [
        entry for entry in ledger.entries if _same(entry.order, order) and not _never_took_effect(entry, order, now)
    ]
    if not same:
        return
    last = same[-1]
    what = f"{order.step} for {order.cause} with the same evidence"
    if last.result == "done" and last in recent:
        yield f"{what} was done {_ago(last, now)}: the cause came back, so the root cause is still there"
    if last.result == "failed":
        yield f"{what} failed {_ago(last, now)}: it would not help a second time"
    if last.result is None:
        yield f"{what} was begun {_ago(last, now)} and cut off, and the cause is still there"


def _over_budget(recent: tuple[Entry, ...], policy: Policy) -> t.Iterator[str]:
    if len(recent) >= policy.budget:
        yield (
            f"{len(recent)} disruptive actions on this node in the last {duration(policy.period)} "
            f"(budget {policy.budget}): a person has to look"
        )


def _oddities(ledger: Ledger, order: Order, now: Moment) -> t.Iterator[str]:
    if ledger.torn:
        yield f"the ledger ended in {ledger.torn} bytes of a line cut off by a power failure: dropped"
    for entry in ledger.entries:
        if entry.result is None:
            effect = " before it took effect" if _never_took_effect(entry, order, now) else ""
            yield f"{entry.order.step} for {entry.order.cause} was begun {_ago(entry, now)} and cut off{effect}"


def _same(one: Order, other: Order) -> bool:
    return (one.step, one.fingerprint) == (other.step, other.fingerprint)


def _never_took_effect(entry: Entry, order: Order, now: Moment) -> bool:
    """Cut off, and what it was to replace is still there: the action may be carried on with."""
    return (
        entry.result is None
        and entry.order.step == order.step
        and (entry.begun.boot, entry.order.state) == (now.boot, order.state)
    )


def _age(entry: Entry, now: Moment) -> float | None:
    """Seconds since the entry was begun; None when the clock went backwards across a boot."""
    if entry.begun.boot == now.boot:
        return now.monotonic - entry.begun.monotonic
    age = now.wall - entry.begun.wall
    return age if age >= 0 else None


def _ago(entry: Entry, now: Moment) -> str:
    age = _age(entry, now)
    return "at a time that the clock cannot tell" if age is None else f"{duration(age)} ago"


def duration(seconds: float) -> str:
    """Seconds for a person: the largest unit of s, min, h, d that leaves at least two of it."""
    for name, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {name}"
    return f"{seconds:.0f} s"


def _line(data: dict[str, t.Any]) -> bytes:
    return json.dumps({"v": VERSION, **data}, sort_keys=True).encode() + b"\n"


def _enter(entries: dict[str, Entry], line: bytes) -> None:
    """Enter one line; raises ValueError, TypeError or KeyError for one that is not ours."""
    data = json.loads(line)
    if not isinstance(data, dict) or data["v"] != VERSION:
        raise ValueError(f"not a line of version {VERSION}")
    if data["phase"] == "intent":
        order = Order(**{name: str(data[name]) for name in Order.__dataclass_fields__})
        entries[data["id"]] = Entry(data["id"], order, _moment(data), None)
    elif data["phase"] == "result" and data["result"] in RESULTS:
        begun = entries[data["id"]]
        entries[data["id"]] = Entry(begun.id, begun.order, begun.begun, data["result"])
    else:
        raise ValueError("neither an intent nor a result")


def _moment(data: dict[str, t.Any]) -> Moment:
    return Moment(float(data["wall"]), str(data["boot"]), float(data["monotonic"]))
