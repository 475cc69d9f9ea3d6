# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""The slots of the lock in the API: taken, renewed, released, handed over, each by optimistic concurrency.

They are in kube-system, which every cluster has and nobody deletes, beside the Leases of the control plane itself.
"""

from __future__ import annotations

import contextlib
import random
import re
import threading
import time
import typing as t
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timezone

from .._diagnosis.lock import (
    DURATION,
    PREFIX,
    RENEWAL,
    Claim,
    Holder,
    Ours,
    Slot,
    Take,
    Wait,
    decide,
    holder,
    left_behind,
    loss,
    rival,
    unsettled,
)
from . import convert
from .connect import JSON, Api, connect
from .errors import Conflict, KubeError, NotThere, Silent
from .options import Access
from .refusal import Question

NAMESPACE: t.Final = "kube-system"
RESOURCE: t.Final = "leases.coordination.k8s.io"
PATH: t.Final = f"/apis/coordination.k8s.io/v1/namespaces/{NAMESPACE}/leases"
LIST: t.Final = Question("list", RESOURCE, PATH, NAMESPACE)
# A role must name its slots one by one, but for what is created: RBAC knows no name then.
SLOTS: t.Final = tuple(f"{PREFIX}{number}" for number in range(4))
GET: t.Final = Question("get", RESOURCE, PATH, NAMESPACE, role="recover", names=SLOTS)
CREATE: t.Final = Question("create", RESOURCE, PATH, NAMESPACE, role="recover")
PATCH: t.Final = Question("patch", RESOURCE, PATH, NAMESPACE, role="recover", names=SLOTS)
HANDED_OVER: t.Final = f"{convert.OURS}handed-over"
# Between two tries of somebody who waits, seconds; drawn at random, so that two who step back do not meet again.
PAUSE: t.Final = (1.0, 3.0)


class Lost(Exception):
    """The slot is not ours any more; the text says why."""


@dataclass(frozen=True)
class Held:
    """The slot that is ours, after how many seconds, and what stood in it before (None: nothing)."""

    slot: Slot
    waited: float
    over: Slot | None


def slot(item: JSON) -> Slot:
    """One Lease of ours."""
    metadata, spec = item["metadata"], item.get("spec") or {}
    who = spec.get("holderIdentity")
    return Slot(
        name=metadata["name"],
        version=metadata["resourceVersion"],
        holder=holder(who) if who else None,
        acquired=convert.moment(spec.get("acquireTime")),
        renewed=convert.moment(spec.get("renewTime")),
        duration=int(spec.get("leaseDurationSeconds") or DURATION),
        transitions=int(spec.get("leaseTransitions") or 0),
        handed_over=convert.line((metadata.get("annotations") or {}).get(HANDED_OVER)),
    )


def is_slot(item: JSON) -> bool:
    """Whether a Lease of :data:`NAMESPACE` is one of ours."""
    return bool(re.fullmatch(f"{PREFIX}[0-9]{{1,9}}", item["metadata"]["name"]))


def slots(api: Api) -> list[Slot]:
    """All slots as they are now; ``api.now`` is the server's clock then. Raises KubeError and Silent."""
    return [slot(item) for page in api.pages(LIST) for item in page if is_slot(item)]


def acquire(access: Access, claim: Claim, timeout: float, say: Callable[[Slot], None]) -> Held | Wait:
    """The slot, or for whom we were still waiting after *timeout* seconds; *say* is told of each one waited for.

    Raises KubeError, and Silent at the first time that the API server does not answer: then nothing is to be touched.
    """
    began, told = time.monotonic(), None
    while True:
        with connect(access) as api:
            found = attempt(api, claim)
        waited = time.monotonic() - began
        if isinstance(found, tuple):
            return Held(found[0], waited, found[1])
        if waited >= timeout:
            return found
        if found.slot.holder != told:
            told = found.slot.holder
            say(found.slot)
        time.sleep(min(random.uniform(*PAUSE), max(0.1, timeout - waited)))


def attempt(api: Api, claim: Claim) -> tuple[Slot, Slot | None] | Wait:
    """One try: the slot and what stood in it, or for whom to wait. Raises KubeError and Silent."""
    while True:
        verdict = decide(slots(api), claim, _now(api))
        try:
            if isinstance(verdict, Ours):
                return renew(api, verdict.slot.name, claim.me), verdict.slot
            if isinstance(verdict, Wait):
                return verdict
            ours = _write(api, verdict, claim.me, _now(api))
        except (Conflict, NotThere, Lost):
            continue  # somebody was faster: look again
        other = rival(slots(api), claim, _now(api))
        if other is None:
            return ours, verdict.over
        with contextlib.suppress(Lost):
            release(api, ours.name, claim.me)
        return Wait(other)


def _write(api: Api, take: Take, me: Holder, now: datetime) -> Slot:
    spec = {
        "holderIdentity": str(me),
        "leaseDurationSeconds": DURATION,
        "acquireTime": _micro(now),
        "renewTime": _micro(now),
        "leaseTransitions": take.over.transitions + 1 if take.over else 0,
    }
    if take.over is None:
        kind = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease"}
        body = {**kind, "metadata": {"name": take.name, "namespace": NAMESPACE}, "spec": spec}
        return slot(api.create(CREATE, body))
    return _change(api, take.over, spec, None)


def renew(api: Api, name: str, me: Holder) -> Slot:
    """Our slot, renewed. Raises Lost, KubeError and Silent."""
    return _while_ours(api, name, me, lambda now: ({"renewTime": _micro(now)}, None))


def release(api: Api, name: str, me: Holder) -> Slot:
    """The slot, free; its Lease stays and counts its holders. Raises Lost, KubeError and Silent."""
    return _while_ours(api, name, me, lambda now: ({"holderIdentity": None}, None))


def hand_over(api: Api, name: str, me: Holder, reason: str) -> Slot:
    """The slot, renewed for the last time and left to expire; the Lease says why. Raises Lost, KubeError and Silent."""
    return _while_ours(api, name, me, lambda now: ({"renewTime": _micro(now)}, reason))


def settles_in(access: Access, claim: Claim) -> float:
    """Seconds until what an interrupted run did to our node has had its time to show. Raises KubeError and Silent."""
    with connect(access) as api:
        return unsettled(left_behind(slots(api), claim, _now(api), works=True), _now(api))


def clear(access: Access, claim: Claim, works: bool) -> list[Slot]:
    """Free what earlier runs have left behind of our node (see :func:`left_behind`), and say what that was.

    It is nobody's work: what cannot be freed expires, or has expired. Raises KubeError and Silent.
    """
    freed = []
    with connect(access) as api:
        for found in left_behind(slots(api), claim, _now(api), works):
            with contextlib.suppress(Conflict, NotThere):  # somebody else is at it
                _change(api, found, {"holderIdentity": None}, None)
                freed.append(found)
    return freed


def _while_ours(api: Api, name: str, me: Holder, change: Callable[[datetime], tuple[JSON, str | None]]) -> Slot:
    while True:
        try:
            found = slot(api.ask(GET, name))
        except NotThere as gone:
            raise Lost("its Lease is gone") from gone
        problem = loss(found, me, _now(api))
        if problem:
            raise Lost(problem)
        try:
            return _change(api, found, *change(_now(api)))
        except (Conflict, NotThere):
            continue  # it changed since we read it: is it still ours?


def _change(api: Api, found: Slot, spec: JSON, reason: str | None) -> Slot:
    metadata = {"resourceVersion": found.version, "annotations": {HANDED_OVER: reason}}
    return slot(api.patch(PATCH, found.name, {"metadata": metadata, "spec": spec}))


def _now(api: Api) -> datetime:
    if api.now is None:
        raise Silent("it does not say what time it has (no Date header), and the lock goes by its clock")
    return api.now


def _micro(moment: datetime) -> str:
    return moment.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


class Keeper:
    """Renews a slot from the beginning of a ``with`` block to its end, in a thread that dies with the process.

    ``lost`` says why the slot is not ours (any more): also before the block begins, when the first renewal fails.
    """

    def __init__(self, access: Access, name: str, me: Holder) -> None:
        self.lost: str | None = None
        self._access, self._name, self._me = access, name, me
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._keep, daemon=True)
        self._renewed = time.monotonic()

    def __enter__(self) -> Keeper:
        try:
            self._renew()
        except Silent as silence:
            self.lost = f"the API server does not answer: {silence}"
        if self.lost is None:
            self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._end.set()
        if self._thread.is_alive():
            self._thread.join()

    def _keep(self) -> None:
        while self.lost is None and not self._end.wait(RENEWAL):
            try:
                self._renew()
            except Silent as silence:
                silent = time.monotonic() - self._renewed
                if silent > DURATION:
                    self.lost = f"it could not be renewed for {silent:.0f} s: {silence}"

    def _renew(self) -> None:
        began = time.monotonic()
        try:
            with connect(self._access) as api:
                renew(api, self._name, self._me)
        except (Lost, KubeError) as problem:
            self.lost = str(problem)
        else:
            self._renewed = began
