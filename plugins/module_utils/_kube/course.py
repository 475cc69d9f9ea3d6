# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""How far a drain is, and what came of it: the result that node_drain returns, however the drain ended."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from .._diagnosis import cordon
from .._diagnosis.cluster import Budget, Node, Pod
from .._diagnosis.drain import Allowed, Fate, lingers
from .._diagnosis.workload import blocking, name
from .connect import JSON
from .cordon import Moved
from .eviction import Answer


@dataclass(frozen=True)
class Scene:
    """The node and its Pods as they were found, and what is to become of each."""

    node: Node
    budgets: tuple[Budget, ...]
    fates: tuple[Fate, ...]
    allowed: Allowed  # with why the kubelet cannot confirm anything


@dataclass
class Track:
    """One Pod that is to go, and how far it is."""

    fate: Fate
    asked: bool  # it is on its way out: by our eviction, or before we came
    tries: int = 0
    due: float = 0.0  # by the clock: not before then is its eviction tried again
    answer: Answer | None = None  # to the last try
    gone: bool = False
    last: Pod | None = None  # as it was seen last


@dataclass
class Course:
    """What has happened so far."""

    scene: Scene
    cordon: Moved
    dry: bool
    tracks: dict[str, Track] = field(default_factory=dict)  # by UID
    uncordon: Moved | None = None
    arrived: tuple[Pod, ...] = ()  # since, by whatever ignores a cordon
    problem: str = ""  # why it ended before every Pod was gone

    @property
    def left(self) -> list[Track]:
        """Who is still there, in the order of their names."""
        return [track for track in self.tracks.values() if not track.gone]


def result(course: Course) -> JSON:
    """The result of the module; its RETURN describes the keys."""
    silent = course.scene.allowed.silent
    tracks = list(course.tracks.values())
    evicted = [t for t in tracks if t.fate.verdict == "evict" and (course.dry or _by_us(t))]
    left = [] if course.dry else [_entry(t.fate.pod, why_left(t, course)) for t in course.left]
    unconfirmed = bool(silent) and not course.problem
    return {
        "node": course.scene.node.name,
        "drained": not (course.dry or left or course.arrived or course.problem),
        "silent": silent or None,
        "cordon": {**cordon.state((course.uncordon or course.cordon).after), "why_so": _moves(course)},
        "evicted": [{**_entry(t.fate.pod, t.fate.why), "held": _held(t, course)} for t in evicted],
        "waited_for": [_entry(t.fate.pod, t.fate.why) for t in tracks if t.fate.verdict == "wait"],
        "unconfirmed": left if unconfirmed else [],
        "left": [] if unconfirmed else left,
        "staying": [_entry(f.pod, f.why) for f in course.scene.fates if f.verdict == "leave"],
        "arrived": names(course.arrived),
        "problem": course.problem or None,
        "changed": course.cordon.changed or bool(evicted),
        "diff": _difference(course, evicted),
    }


def failure(outcome: JSON) -> str:
    """The one sentence of a drain that failed: what is left and why, and how the Node stands."""
    left = "; ".join(f"{entry['pod']}: {entry['why']}" for entry in outcome["left"])
    stands = outcome["cordon"]
    state = (
        ("cordoned by us" if stands["ours"] else "cordoned by somebody else") if stands["cordoned"] else "schedulable"
    )
    return (
        f"{outcome['node']} is not drained: {outcome['problem']}" + (f" ({left})" if left else "") + f"; it is {state}"
    )


def why_left(track: Track, course: Course) -> str:
    """Why a Pod is still there: its budget by name, or what its end waits for."""
    pod = track.last or track.fate.pod
    if pod.deleting:
        return lingers(pod, course.scene.allowed.silent)
    if track.answer is None:
        return "its eviction was not asked for"
    if track.answer.kind == "accepted":
        return "its eviction was accepted, and nobody has seen it terminate"
    return "; ".join(filter(None, (track.answer.why, _held(track, course))))


def names(pods: Iterable[Pod]) -> list[str]:
    """Sorted namespace/name."""
    return sorted(name(pod) for pod in pods)


def _by_us(track: Track) -> bool:
    return track.answer is not None and track.answer.kind == "accepted"


def _held(track: Track, course: Course) -> str | None:
    """The budget that is against it, as it was listed; in the end only where the last answer was a budget's."""
    if course.dry or (track.answer and track.answer.kind == "held"):
        return blocking(track.fate.pod, course.scene.budgets) or None
    return None


def _moves(course: Course) -> str:
    return "; then ".join(moved.move.why for moved in (course.cordon, course.uncordon) if moved)


def _entry(pod: Pod, why: str) -> JSON:
    return {"pod": name(pod), "uid": pod.uid, "why": why}


def _difference(course: Course, evicted: list[Track]) -> JSON:
    """Of the Node and its Pods, for --diff."""
    change = cordon.patched(course.cordon.before, course.cordon.move)
    if course.uncordon:
        change = {**change, "after": change["before"]}
    before = names(fate.pod for fate in course.scene.fates)
    going = {track.fate.pod.uid for track in evicted}
    after = names(fate.pod for fate in course.scene.fates if fate.pod.uid not in going)
    return {"before": {**change["before"], "pods": before}, "after": {**change["after"], "pods": after}}
