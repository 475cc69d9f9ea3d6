# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether each request has become what it had to, and was named. Pure."""

from __future__ import annotations

import re
import typing as t
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ansible_collections.outward.kubelet.plugins.module_utils._kube.signing import REASON
from tests.lab._kubectl import Object

from .cases import Ask, End

AUTOMATIC: t.Final = "AutoApproved"  # the reason of kube-controller-manager
# What comes of a request in the end, as a row counts it.
COUNTED: t.Final[dict[End, str]] = {
    "refused": "refused",
    "left": "left",
    "approved": "approved",
    "would": "left",
    "kubernetes": "by_kubernetes",
}
LINE: t.Final = re.compile(
    r"^(?:\S+: )?(?P<name>\S+) \([^()]*\) (?:(?P<done>approved)|left: (?P<why>.*))$", re.MULTILINE
)
QUOTED: t.Final = 200  # characters of what was said, in a row


@dataclass(frozen=True)
class State:
    """A request as the API has it."""

    answer: str  # pending, approved, denied, failed
    by: str  # the reason that whoever answered it gave
    certificate: bool

    @classmethod
    def of(cls, item: Object) -> State:
        """One object."""
        status = item.get("status") or {}
        conditions = {entry["type"]: entry.get("reason", "") for entry in status.get("conditions") or ()}
        answer = next((kind for kind in ("Denied", "Failed", "Approved") if kind in conditions), "")
        return cls(answer.lower() or "pending", conditions.get(answer, ""), bool(status.get("certificate")))


@dataclass(frozen=True)
class Told:
    """What was said of a request; *why* is empty for one that was approved."""

    why: str = ""


@dataclass(frozen=True)
class Found:
    """One request: what was to become of it, and what has."""

    name: str
    ask: Ask
    refusal: str
    state: State | None
    told: Told | None


def told(output: str) -> dict[str, Told]:
    """What the playbook says of each request; what was said last."""
    return {match["name"]: Told("" if match["done"] else match["why"]) for match in LINE.finditer(output)}


def ended(found: Found) -> str:
    """What has become of it, as a row counts it."""
    if found.refusal:
        return "refused"
    if found.state is None:
        return "gone"
    if found.state.answer == "pending":
        return "left"
    if found.state.answer != "approved":
        return found.state.answer
    return {REASON: "approved", AUTOMATIC: "by_kubernetes"}.get(found.state.by, f"approved by {found.state.by}")


def mistake(found: Found, words: str) -> str:
    """What is wrong with one request, *words* being those that have to be said of it; empty: nothing."""
    end, wanted = ended(found), COUNTED[found.ask.end]
    if end != wanted:
        return f"{end}, and not {wanted}{f': {found.refusal}' if found.refusal else ''}"
    if end == "refused":
        return "" if re.search(words, found.refusal) else f"refused in other words: {found.refusal}"
    if end == "left" and found.state and found.state.certificate:
        return "left, and it has a certificate"
    if end in ("approved", "by_kubernetes") and found.state and not found.state.certificate:
        return "approved, and not signed"
    return "" if end == "by_kubernetes" else _named(found, words)


def _named(found: Found, words: str) -> str:
    """What is wrong with what was said of it."""
    approved = found.ask.end in ("approved", "would")
    if found.told is None:
        return "not named"
    if approved == bool(found.told.why):
        return f"said to be {'left' if approved else 'approved'}: {found.told.why}"
    return "" if re.search(words, found.told.why) else f"named for another reason: {found.told.why}"


def mistakes(founds: Iterable[Found], places: Mapping[str, str]) -> list[str]:
    """Everything that is not as it had to be, once each, with how often."""
    counted = Counter(wrong for one in founds if (wrong := mistake(one, one.ask.words.format(**places))))
    return [f"{wrong} ({times} times)" if times > 1 else wrong for wrong, times in counted.items()]


def expected(asks: Sequence[Ask], places: Mapping[str, str]) -> dict[str, t.Any]:
    """As a row has it: how many requests end how, and what is said of those that are not approved."""
    counted: Counter[str] = Counter()
    for ask in asks:
        counted[COUNTED[ask.end]] += ask.count
    words = dict.fromkeys(ask.words.format(**places) for ask in asks if ask.words)
    return {"ends": dict(sorted(counted.items())), "words": list(words)}


def seen(founds: Sequence[Found]) -> dict[str, t.Any]:
    """The same of what was found."""
    words = dict.fromkeys(said for one in founds if (said := _said(one)))
    return {"ends": dict(sorted(Counter(ended(one) for one in founds).items())), "words": list(words)[:3]}


def _said(found: Found) -> str:
    """Without its name, so that what was said of many is there once."""
    text = found.refusal or (found.told.why if found.told else "")
    return re.sub(rf"{re.escape(found.name)}\b", "...", text)[:QUOTED]
