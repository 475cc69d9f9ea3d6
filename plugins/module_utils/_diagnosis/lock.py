# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""The lock: as many slots in the cluster as Nodes may be unavailable, and what one may do about them. Pure.

A slot is a Lease; whoever has one has one node in hand. All times are by the API server's clock.
"""

from __future__ import annotations

import re
import typing as t
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from .signs import instant

PREFIX: t.Final = "outward-kubelet-"
# Longer than what the API needs to see that the node went down with whoever held it: a node Lease of 40 s, and one
# renewal of ours that was still to come. So a node that a killed run left broken counts as unavailable before the next
# run may take its slot.
DURATION: t.Final = 60
# A sixth of it: four renewals may fail, each given up after 15 s at most, before the lock is lost.
RENEWAL: t.Final = 10
# After the last sign of life of a run that was killed. A kubelet asks its runtime every 5 s and posts its status every
# 10 s (nodeStatusUpdateFrequency): in the lab Ready became False once more after containerd had been started.
SETTLED: t.Final = 30.0


@dataclass(frozen=True)
class Holder:
    """Who has which node in hand; as text it is the Lease's holderIdentity."""

    job: str  # awx-12, or pid-4711-<start>-<where its number means something>
    controller: str  # host name
    node: str

    def __str__(self) -> str:
        return f"{self.job}@{self.controller}/{self.node}"

    @property
    def words(self) -> str:
        """For a person."""
        number = re.match(r"(awx|pid)-([0-9]{1,20})", self.job)
        kinds = {"awx": "AWX job", "pid": "process"}
        job = f"{kinds[number.group(1)]} {number.group(2)}" if number else self.job
        return f"{job} on {self.controller}" if self.controller else job


def holder(text: str) -> Holder:
    """The inverse of ``str``; a text of somebody else's making is its own job, and holds no node that there is."""
    match = re.fullmatch(r"([^@/]{1,200})@([^@/]{1,253})/([^@/]{1,253})", text)
    return Holder(*match.groups()) if match else Holder(text[:200], "", "")


@dataclass(frozen=True)
class Slot:
    """What the Lease of one slot says."""

    name: str
    version: str  # resourceVersion
    holder: Holder | None
    acquired: datetime | None
    renewed: datetime | None
    duration: int
    transitions: int
    handed_over: str  # why its holder left it to expire; empty: it works, or died

    @property
    def until(self) -> datetime | None:
        """When it expires unless it is renewed; None: nobody holds it, or nobody ever renewed it."""
        if self.holder is None or self.renewed is None:
            return None
        return self.renewed + timedelta(seconds=self.duration)

    def live(self, now: datetime) -> bool:
        """Held and not expired. Renewed in the future: by a clock that was set back since, and it would stay for ever."""
        if self.until is None or self.renewed is None:
            return False
        return self.renewed - timedelta(seconds=self.duration) <= now < self.until


def nobody(holder: Holder) -> bool:
    """Nobody is known to be gone."""
    return False


@dataclass(frozen=True)
class Claim:
    """Who wants how many slots at most to be taken, itself included."""

    me: Holder
    cap: int
    gone: Callable[[Holder], bool] = nobody  # whether a holder's process is known to have ended

    def ended(self, slot: Slot) -> bool:
        """Our own node's slot is free at once when its holder has ended. Another node's is not: what a killed run began
        there may go on, and the cluster needs the rest of the minute to see what became of it.
        """
        return slot.holder is not None and slot.holder.node == self.me.node and self.gone(slot.holder)


@dataclass(frozen=True)
class Ours:
    """The slot is in our hands already."""

    slot: Slot


@dataclass(frozen=True)
class Take:
    """Which slot to take; *over* is what stands in it now, None when its Lease does not exist yet."""

    name: str
    over: Slot | None


@dataclass(frozen=True)
class Wait:
    """For whom."""

    slot: Slot


def decide(slots: Iterable[Slot], claim: Claim, now: datetime) -> Ours | Take | Wait:
    """What to do about *slots*, all that there are.

    A node's own former slot is taken again rather than another one: its holder, should it come back to life, then fails
    by optimistic concurrency, and the node is never in two slots.
    """
    known = sorted(slots, key=lambda slot: slot.name)
    live = [slot for slot in known if slot.holder and slot.live(now) and not claim.ended(slot)]
    for slot in live:
        if slot.holder == claim.me:
            return Ours(slot)
    same = [slot for slot in known if slot.holder and slot.holder.node == claim.me.node]
    rivals = [slot for slot in same if slot in live and not slot.handed_over]
    if rivals:
        return Wait(rivals[0])
    others = [slot for slot in live if slot not in same]
    if len(others) >= claim.cap:
        return Wait(min(others, key=lambda slot: slot.until or now))
    return Take(same[0].name, same[0]) if same else _first_free(known, live, claim.cap)


def _first_free(known: list[Slot], live: list[Slot], cap: int) -> Take:
    there = {slot.name: slot for slot in known}
    taken = {slot.name for slot in live}
    name = next(name for name in (f"{PREFIX}{number}" for number in range(cap)) if name not in taken)
    return Take(name, there.get(name))


def rival(slots: Iterable[Slot], claim: Claim, now: datetime) -> Slot | None:
    """Asked once more after the slot was written: whom we step back for, because somebody took another at that moment.

    Of two who write at the same time at least the later one sees the other here; both may step back, and try again.
    """
    verdict = decide([slot for slot in slots if slot.holder != claim.me], claim, now)
    return verdict.slot if isinstance(verdict, Wait) else None


def left_behind(slots: Iterable[Slot], claim: Claim, now: datetime, works: bool) -> list[Slot]:
    """Slots of our node that an earlier run did not let go of, and that protect nothing any more.

    That is each one that has expired; and, when the node *works*, one whose holder has ended or has left it unproven.
    """
    same = [slot for slot in slots if slot.holder and slot.holder.node == claim.me.node and slot.holder != claim.me]
    return [slot for slot in same if not slot.live(now) or (works and (slot.handed_over or claim.ended(slot)))]


def cleared(slot: Slot) -> str:
    """What is said of a slot that was left behind."""
    who = slot.holder.words if slot.holder else "nobody"
    since = f" at {instant(slot.acquired)}" if slot.acquired else ""
    end = f"left it unproven ({slot.handed_over})" if slot.handed_over else "was interrupted"
    return f"{who} took the node in hand{since} and {end}; its lock is taken away"


def unsettled(slots: Iterable[Slot], now: datetime) -> float:
    """Seconds until what the holders of *slots* did last has had its time to show; 0: it has."""
    last = [slot.renewed for slot in slots if slot.renewed]
    return max(0.0, SETTLED - (now - max(last)).total_seconds()) if last else 0.0


def loss(slot: Slot, me: Holder, now: datetime) -> str | None:
    """Why the slot is not ours any more; None: it is. One that has expired is not ours, even if nobody took it yet."""
    if slot.holder != me:
        return f"{slot.holder.words if slot.holder else 'nobody'} has it"
    if not slot.live(now):
        return "it was not renewed in time"
    return None


def in_hand(slots: Iterable[Slot], now: datetime) -> tuple[str, ...]:
    """The nodes that somebody has in hand, sorted."""
    return tuple(sorted({slot.holder.node for slot in slots if slot.holder and slot.holder.node and slot.live(now)}))


def waiting(slot: Slot, me: Holder, seconds: int) -> str:
    """The one line for a person: who waits for whom, and for how long at most."""
    return f"{me.node} waits for {_whom(slot)}; {seconds} s at most"


def refused(slot: Slot, seconds: int) -> str:
    """Why a step is refused after a wait."""
    return f"after {seconds} s still waiting for {_whom(slot)} (outward_max_unavailable, outward_lock_timeout)"


def _whom(slot: Slot) -> str:
    until = instant(slot.until) if slot.until else "-"
    if slot.holder is None:
        return slot.name
    who, node = slot.holder.words, slot.holder.node
    if slot.handed_over:
        return f"{node}, which {who} left unproven until {until} ({slot.handed_over})"
    since = f" since {instant(slot.acquired)}" if slot.acquired else ""
    return f"{node}, which {who} has in hand{since} (until {until} if it is not renewed)"


def handing_over(acted: Iterable[t.Mapping[str, t.Any]], proven: bool) -> str | None:
    """Why the slot must not be released: something was done, and it was not proven to work. None: release it."""
    done = [str(a["action"]["step"]) for a in acted if a.get("result") in ("done", "failed")]
    return f"{', '.join(done)} was not proven" if done and not proven else None
