# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Drain one node through the eviction API: cordon, evict in parallel, wait, and say what became of each Pod.

Each round lists the node's Pods once; whoever is not in it by UID is gone. Nothing is ever deleted by force.
"""

from __future__ import annotations

import dataclasses
import typing as t
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from .._diagnosis.cordon import Mark, cordon, uncordon
from .._diagnosis.drain import Allowed, fates, grace, refusal, silence
from .._diagnosis.evidence import amended
from . import convert_pods
from . import cordon as cordons
from .connect import Api
from .cost import BUDGETS, Cost
from .course import Course, Scene, Track
from .errors import KubeError, Silent
from .eviction import Answer, evict
from .listing import PODS, add_volumes
from .poll import read_lease

AT_ONCE: t.Final = 8  # evictions under way at one time: no more than the client keeps connections for
PAUSE: t.Final = 1.0  # between two looks at the Pods, seconds
PATIENCE: t.Final = (1.0, 2.0, 5.0)  # between two tries of one eviction, as often as it was refused; kubectl waits 5 s
SILENCE: t.Final = 60.0  # how long the API server may be silent before the drain gives up, seconds


@dataclass(frozen=True)
class Clock:
    """A monotonic clock, and what waits by it."""

    now: Callable[[], float]
    sleep: Callable[[float], None]


@dataclass(frozen=True)
class Order:
    """What is to be drained, how, and for how long at most."""

    node: str
    allowed: Allowed
    mark: Mark
    timeout: float
    uncordon_on_failure: bool = False
    dry: bool = False


def drain(api: Api, order: Order, clock: Clock) -> Course:
    """Drain. Raises KubeError and Silent only as long as nothing was touched; later they are the course's problem."""
    scene = look(api, order)
    refused = refusal(scene.fates, scene.allowed)
    if refused:
        raise KubeError(f"nothing was touched: {refused}")
    moved = cordons.move(api, order.node, lambda node, now: cordon(node, order.mark, now), dry=order.dry)
    course = Course(scene, moved, order.dry, _tracks(scene))
    if order.dry:
        return course
    try:
        _look_again(api, order, course)
        if not course.problem:
            _rounds(api, order, course, clock)
    except (KubeError, Silent) as problem:
        course.problem = str(problem)
    if course.problem and order.uncordon_on_failure and moved.changed:
        _undo(api, order, course)
    return course


def look(api: Api, order: Order) -> Scene:
    """The Pods of the node, with what their end would cost, and what is to become of each. Raises KubeError and Silent."""
    node = amended(cordons.read(api, order.node), lease=read_lease(api, order.node))
    allowed = dataclasses.replace(order.allowed, silent=silence(node, cordons.clock(api)))
    cost = Cost()
    for page in api.pages(BUDGETS):
        cost.add_budgets(page)
    add_volumes(api, cost)
    pods = tuple(cost.place(item, convert_pods.pod(item)) for item in _items(api, order.node))
    return Scene(node, cost.budgets(pods), fates(pods, allowed), allowed)


def _items(api: Api, node: str) -> Iterable[t.Any]:
    return (item for page in api.pages(PODS, f"spec.nodeName={node}") for item in page)


def _tracks(scene: Scene) -> dict[str, Track]:
    return {f.pod.uid: Track(f, f.verdict == "wait") for f in scene.fates if f.verdict in ("evict", "wait")}


def _look_again(api: Api, order: Order, course: Course) -> None:
    """Between the first look and the cordon more Pods may have come, and they need leave as the others do."""
    course.scene = look(api, order)
    course.tracks = _tracks(course.scene)
    refused = refusal(course.scene.fates, course.scene.allowed)
    if refused:
        course.problem = f"before it was cordoned Pods came, and nothing was evicted: {refused}"


def _rounds(api: Api, order: Order, course: Course, clock: Clock) -> None:
    """Evict and wait until all are gone; under a silent kubelet, until all are evicted. Raises KubeError and Silent."""
    heard = clock.now()
    deadline = heard + order.timeout
    while True:
        try:
            if _round(api, order, course, clock):
                return
            heard = clock.now()
        except Silent as quiet:
            if clock.now() - heard > SILENCE or clock.now() >= deadline:
                raise Silent(f"the API server does not answer: {quiet}") from quiet
        if clock.now() >= deadline:
            course.problem = f"after {order.timeout:.0f} s Pods are left: {len(course.left)}"
            return
        clock.sleep(PAUSE)


def _round(api: Api, order: Order, course: Course, clock: Clock) -> bool:
    """Look, then evict whoever is due: never one that is on its way out by now. Whether there is nothing left to do."""
    _notice(api, order, course)
    _evict_due(api, course, clock)
    if course.left and course.scene.allowed.silent and all(track.asked for track in course.left):
        _notice(api, order, course)
        return True
    return not course.left


def _evict_due(api: Api, course: Course, clock: Clock) -> None:
    due = [track for track in course.left if not track.asked and track.due <= clock.now()]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        allowed = course.scene.allowed
        answers = [pool.submit(evict, api, track.fate.pod, grace(track.fate.pod, allowed)) for track in due]
    for track, future in zip(due, answers):
        problem = future.exception()
        if isinstance(problem, KubeError):
            track.answer = Answer("again", str(problem))
            course.problem = str(problem)
            continue
        track.answer = future.result()
        track.asked, track.gone = track.answer.kind == "accepted", track.answer.kind == "gone"
        track.due = clock.now() + PATIENCE[min(track.tries, len(PATIENCE) - 1)]
        track.tries += 1
    if course.problem:
        raise KubeError(course.problem)


def _notice(api: Api, order: Order, course: Course) -> None:
    """Who is gone, who is on the way out by somebody else's doing, and who has come."""
    now = {pod.uid: pod for pod in map(convert_pods.pod, _items(api, order.node))}
    for uid, track in course.tracks.items():
        track.last = now.get(uid, track.last)
        track.gone = track.gone or uid not in now
        track.asked = track.asked or (uid in now and now[uid].deleting)
    known = {fate.pod.uid for fate in course.scene.fates}
    # Where the data of one lies that is only named does not matter.
    new = (amended(pod, storage=()) for uid, pod in now.items() if uid not in known)
    course.arrived = tuple(f.pod for f in fates(new, Allowed(bare=True)) if f.verdict == "evict")


def _undo(api: Api, order: Order, course: Course) -> None:
    try:
        course.uncordon = cordons.move(api, order.node, lambda node, dummy: uncordon(node), dry=False)
    except (KubeError, Silent) as problem:
        course.problem += f"; and our cordon could not be taken off: {problem}"
