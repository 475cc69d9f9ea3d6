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
from dataclasses import asdict, dataclass, replace

VERSION: t.Final = 1
RESULTS: t.Final = ("done", "failed")
# The longest period that a budget may have, seconds: what is older can be forgotten when the file is compacted.
LONGEST_PERIOD: t.Final = 30 * 86400


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
class Pardon:
    """A person's word that an entry does not count any more: why, who says so, and when."""

    reason: str
    holder: str
    at: Moment


@dataclass(frozen=True)
class Entry:
    """One action: written down before it began, and, unless we were killed, how it ended."""

    id: str
    order: Order
    begun: Moment
    result: t.Optional[str]  # one of RESULTS; None: it was cut off before its end
    ended: t.Optional[Moment] = None
    pardon: t.Optional[Pardon] = None  # None: it was not forgiven


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


def pardon_line(entry_id: str, pardon: Pardon) -> bytes:
    """What is written when a person forgives an entry; the entry itself stays as it was."""
    return _line(
        {"phase": "pardon", "id": entry_id, "reason": pardon.reason, "holder": pardon.holder, **asdict(pardon.at)}
    )


def lines(entry: Entry) -> bytes:
    """All that the file says of one entry, for a file that is written anew."""
    ended = entry.result is not None and entry.ended is not None
    return b"".join(
        (
            intent_line(entry),
            result_line(entry.id, t.cast(str, entry.result), t.cast(Moment, entry.ended)) if ended else b"",
            pardon_line(entry.id, entry.pardon) if entry.pardon else b"",
        )
    )


def parse(data: bytes) -> Ledger:
    """The ledger's file. An unreadable rest after the last newline is torn; elsewhere it is LedgerCorrupt.

    A torn line was never fsynced, and an action only begins after the fsync of its intent: to drop the line
    loses no action.
    """
    *complete, rest = data.split(b"\n")
    entries: dict[str, Entry] = {}
    for number, line in enumerate(complete, 1):
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
    """Entries within the period that nobody has forgiven; one whose age cannot be told counts as recent."""
    return tuple(entry for entry, dummy in _recent(ledger, now, policy.period))


def lasting(ledger: Ledger) -> frozenset[str]:
    """Ids of entries that refuse their like until the evidence changes: the last of its kind failed or was cut off."""
    newest: dict[tuple[str, str], list[Entry]] = {}
    for entry in ledger.entries:
        kind = _kind(entry.order)
        if entry.pardon is None:
            # One that was cut off may turn out never to have taken effect: then the one before it counts.
            newest[kind] = [*newest.get(kind, []), entry] if entry.result is None else [entry]
    return frozenset(entry.id for kind in newest.values() for entry in kind if entry.result != "done")


def compacted(ledger: Ledger, now: Moment) -> Ledger:
    """Without what can never refuse anything again, whatever the policy: a file that grows for ever fills a card."""
    recent = _recent(ledger, now, LONGEST_PERIOD)
    needed = lasting(ledger) | {entry.id for pair in recent for entry in pair if entry is not None}
    kept, kinds = [], set()
    for entry in ledger.entries:
        # A later one of a kind that stays is the answer to it, however old.
        if entry.id in needed or (_kind(entry.order) in kinds and entry.pardon is None):
            kept.append(entry)
            kinds.add(_kind(entry.order))
    return Ledger(tuple(kept), 0)


def _recent(ledger: Ledger, now: Moment, period: float) -> list[tuple[Entry, t.Optional[Entry]]]:
    """Each recent entry, with the older one that shows that the clock was behind when it was written, if one does."""
    found = []
    newest: t.Optional[Entry] = None
    for entry in ledger.entries:
        seconds = age(entry, now)
        behind = newest is not None and entry.begun.boot != now.boot and entry.begun.wall < newest.begun.wall
        if entry.pardon is None and (seconds is None or seconds < period or behind):
            found.append((entry, newest if behind else None))
        if newest is None or entry.begun.wall > newest.begun.wall:
            newest = entry
    return found


def _repeated(ledger: Ledger, recent: tuple[Entry, ...], order: Order, now: Moment) -> t.Iterator[str]:
    """The same action for the same evidence: it helped and did not last, or it did not help."""
    same = [
        entry
        for entry in ledger.entries
        if _kind(entry.order) == _kind(order) and entry.pardon is None and not _never_took_effect(entry, order, now)
    ]
    if not same:
        return
    last = same[-1]
    what = f"{order.step} for {order.cause} with the same evidence"
    if last.result == "done" and last in recent:
        yield f"{what} was done {ago(last, now)}: the cause came back, so the root cause is still there"
    if last.result == "failed":
        yield f"{what} failed {ago(last, now)}: it would not help a second time"
    if last.result is None:
        yield f"{what} was begun {ago(last, now)} and cut off, and the cause is still there"


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
        if entry.result is None and entry.pardon is None:
            effect = " before it took effect" if _never_took_effect(entry, order, now) else ""
            yield f"{entry.order.step} for {entry.order.cause} was begun {ago(entry, now)} and cut off{effect}"


def _kind(order: Order) -> tuple[str, str]:
    return (order.step, order.fingerprint)


def _never_took_effect(entry: Entry, order: Order, now: Moment) -> bool:
    """Cut off, and what it was to replace is still there: the action may be carried on with."""
    return (
        entry.result is None
        and entry.order.step == order.step
        and (entry.begun.boot, entry.order.state) == (now.boot, order.state)
    )


def age(entry: Entry, now: Moment) -> float | None:
    """Seconds since the entry was begun; None when the clock went backwards across a boot."""
    if entry.begun.boot == now.boot:
        return now.monotonic - entry.begun.monotonic
    seconds = now.wall - entry.begun.wall
    return seconds if seconds >= 0 else None


def ago(entry: Entry, now: Moment) -> str:
    """When an entry was begun, in words."""
    seconds = age(entry, now)
    return "at a time that the clock cannot tell" if seconds is None else f"{duration(seconds)} ago"


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
        entries[data["id"]] = replace(entries[data["id"]], result=data["result"], ended=_moment(data))
    elif data["phase"] == "pardon":
        pardon = Pardon(str(data["reason"]), str(data["holder"]), _moment(data))
        entries[data["id"]] = replace(entries[data["id"]], pardon=pardon)
    else:
        raise ValueError("neither an intent, nor a result, nor a pardon")


def _moment(data: dict[str, t.Any]) -> Moment:
    return Moment(float(data["wall"]), str(data["boot"]), float(data["monotonic"]))
