# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Pages of lists, put together to the evidence of a fleet. Pure; each page is forgotten once it was added."""

from __future__ import annotations

import typing as t
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable
from datetime import datetime, timedelta

from .._diagnosis.cluster import ApiServer, Event, Fleet, Lease, Node, Pod, SigningRequest, Turn, listing
from .._diagnosis.evidence import amended
from .._diagnosis.lock import Slot, in_hand
from .._diagnosis.signs import lease_expired
from . import convert, convert_pods, lock
from .convert import Object
from .cost import Cost

EVENTS: t.Final = 50  # of one Node and its Pods, the newest; a Pod in trouble writes few kinds, folded by count
# What the rules of _diagnosis/causes/fleet.py ask for is less than either.
TURNS, TURNS_AGE = 50, timedelta(minutes=30)
REPELLING: t.Final = frozenset({"NoSchedule", "NoExecute"})
CONTROLLER_MANAGER: t.Final = "kube-controller-manager"
EVENTS_AGE: t.Final = timedelta(hours=1)  # how long an API server keeps events by default (--event-ttl)


class Gathering:
    """What was listed so far; with *names*, details are kept of these Nodes only, and the fleet's figures of all."""

    def __init__(self, names: Collection[str] | None = None) -> None:
        self._names = names if names is None else frozenset(names)
        self._leases: dict[str, Lease] = {}
        self._nodes: dict[str, Node] = {}
        self._pods: defaultdict[str, list[Pod]] = defaultdict(list)
        self._homes: dict[str, str] = {}  # UID of a Pod -> its Node
        self._elsewhere = convert_pods.Elsewhere()
        self._events: defaultdict[str, list[Event]] = defaultdict(list)
        self._requests: defaultdict[str, list[SigningRequest]] = defaultdict(list)
        self._unscheduled: defaultdict[str, list[Pod]] = defaultdict(list)
        self.cost = Cost()
        self.controller_manager: Lease | None = None
        self._slots: list[Slot] = []

    def add_leases(self, page: Iterable[Object]) -> None:
        """Leases of the namespace kube-node-lease; before the Nodes."""
        for item in page:
            lease = convert.lease(item)
            if lease is not None:
                self._leases[item["metadata"]["name"]] = lease

    def add_control_leases(self, page: Iterable[Object]) -> None:
        """Leases of the namespace kube-system: the controller manager's, and the slots of our own lock."""
        for item in page:
            if item["metadata"]["name"] == CONTROLLER_MANAGER:
                self.controller_manager = convert.lease(item)
            elif lock.is_slot(item):
                self._slots.append(lock.slot(item))

    def add_nodes(self, page: Iterable[Object]) -> None:
        """Nodes."""
        for item in page:
            name = item["metadata"]["name"]
            self._nodes[name] = convert.node(item, self._leases.get(name))

    def add_pods(self, page: Iterable[Object]) -> None:
        """Pods, bound to a Node or not; after what :attr:`cost` is fed with, and before the events about them."""
        for item in page:
            where = item["spec"].get("nodeName")
            if not where:
                self._add_unscheduled(item)
                continue
            pod = convert_pods.pod(item)
            # What has succeeded says nothing about its node, and Jobs leave many; unless it cannot go.
            if pod.phase == "Succeeded" and not pod.deleting:
                continue
            self._elsewhere.add(where, pod)
            self.cost.count(pod)
            if self._wanted(where):
                self._pods[where].append(self.cost.place(item, pod))
                self._homes[pod.uid] = where

    def _add_unscheduled(self, item: Object) -> None:
        home = convert_pods.only_home(item)
        if home and self._wanted(home):
            self._unscheduled[home].append(convert_pods.pod(item))

    def add_events(self, page: Iterable[Object]) -> None:
        """Events about Nodes and Pods."""
        for item in page:
            about = item["involvedObject"]
            where = about.get("name") if about["kind"] == "Node" else self._homes.get(about.get("uid", ""))
            if where and self._wanted(where):
                self._events[where].append(convert.event(item))

    def add_requests(self, page: Iterable[Object]) -> None:
        """CertificateSigningRequests."""
        for item in page:
            where = convert.subject_node(item)
            if where and self._wanted(where):
                self._requests[where].append(convert.signing_request(item))

    def result(self, observed: datetime, api: ApiServer, missing: dict[str, t.Any]) -> t.Any:
        """The listing as JSON; *missing* replaces fields of every Node whose lists failed by an unknown."""
        now = api.now or api.controller_now
        wanted = (name for name in sorted(self._nodes) if self._wanted(name))
        nodes = (self._complete(name, now, missing) for name in wanted)
        orphans = {name: found for name, found in self._requests.items() if name not in self._nodes}
        return listing(observed, api, self._fleet(now), nodes, None if "signing_requests" in missing else orphans)

    def _wanted(self, name: str) -> bool:
        return self._names is None or name in self._names

    def _complete(self, name: str, now: datetime, missing: dict[str, t.Any]) -> Node:
        events = sorted(
            (e for e in self._events.pop(name, []) if e.last is None or now - e.last <= EVENTS_AGE),
            key=lambda e: (e.last or now, e.name, e.reason),
        )
        pods = tuple(self.cost.complete(self._elsewhere.of(name, pod)) for pod in self._pods.pop(name, []))
        found: dict[str, t.Any] = {
            "pods": pods,
            "budgets": self.cost.budgets(pods),
            "events": tuple(events[-EVENTS:]),
            "signing_requests": tuple(self._requests.pop(name, [])),
            "unscheduled": tuple(self._unscheduled.pop(name, [])),
        }
        if "pods" in missing:
            found["unscheduled"] = found["budgets"] = missing["pods"]
        return amended(self._nodes[name], **{**found, **missing})

    def _fleet(self, now: datetime) -> Fleet:
        by_status: defaultdict[str, list[str]] = defaultdict(list)
        for name, node in sorted(self._nodes.items()):
            ready = node.condition("Ready")
            by_status[ready.status if ready else "Unknown"].append(name)
        expired = {n for n, node in self._nodes.items() if node.lease and lease_expired(node.lease, now)}
        return Fleet(
            ready=tuple(by_status["True"]),
            not_ready=tuple(by_status["False"]),
            silent=tuple(by_status["Unknown"]),
            unschedulable=self._which(lambda node: node.unschedulable),
            expired_leases=tuple(sorted(expired)),
            controller_manager=self.controller_manager,
            turns=self._turns(now, expired),
            control_plane=self._which(lambda node: node.control_plane),
            tainted=self._which(lambda node: any(taint.effect in REPELLING for taint in node.taints)),
            in_hand=in_hand(self._slots, now),
        )

    def _which(self, holds: Callable[[Node], bool]) -> tuple[str, ...]:
        return tuple(sorted(name for name, node in self._nodes.items() if holds(node)))

    def _turns(self, now: datetime, expired: Collection[str]) -> tuple[Turn, ...]:
        """Of thousands of well Nodes nothing is kept."""
        turns = (_turn(node) for node in self._nodes.values())
        news = [t for t in turns if t.name in expired or t.ready != "True" or (t.since and now - t.since <= TURNS_AGE)]
        return tuple(sorted(news, key=lambda t: (t.since or now, t.name), reverse=True)[:TURNS])


def _turn(node: Node) -> Turn:
    ready = node.condition("Ready")
    renewed = node.lease.renewed if node.lease else None
    return Turn(
        node.name, ready.status if ready else "Unknown", ready.transition if ready else None, renewed, node.created
    )
