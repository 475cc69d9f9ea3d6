# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Which certificate requests of a node are exactly what its kubelet writes: those alone may be approved. Pure.

To approve is to sign: whoever holds a certificate ``system:node:pi-04`` is pi-04. So a rule says what must be so and
not what must not, each of its parts is compared and never searched in, and what the API server says (who asked, in
which groups, when) counts for more than what the request says. What a request is about may be a lie, so every request
that names a node, or comes from it, is judged for it and told.

What kubelets write: pkg/kubelet/certificate/kubelet.go and client-go/util/certificate of Kubernetes 1.37. What signers
accept: "Kubernetes signers" of the documentation of certificate signing requests.
"""

from __future__ import annotations

import typing as t
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from .signs import instant, some

CLIENT: t.Final = "kubernetes.io/kube-apiserver-client-kubelet"
SERVING: t.Final = "kubernetes.io/kubelet-serving"
AUTHENTICATED, NODES = "system:authenticated", "system:nodes"
BOOTSTRAPPERS: t.Final = "system:bootstrappers"
OURS: t.Final = f"{BOOTSTRAPPERS}:outward-kubelet"
# A kubelet waits for a quarter of an hour, and asks anew with another key; what is older nobody waits for.
OLDEST: t.Final = timedelta(hours=1)
SKEW: t.Final = timedelta(seconds=5)  # the API keeps no fractions, and a restarted server may be another one
# In an hour a kubelet makes four, and one for each of its starts; more than this is no kubelet's doing.
FLOOD: t.Final = 10
KEY: t.Final = "EC P-256"  # all that a kubelet makes since 1.9
_USAGES: t.Final = {CLIENT: "client auth", SERVING: "server auth"}


@dataclass(frozen=True)
class Asked:
    """What the request itself says."""

    common_names: tuple[str, ...]
    organizations: tuple[str, ...]
    dns_names: tuple[str, ...]
    addresses: tuple[str, ...]
    key: str
    key_id: str
    more: tuple[str, ...]  # what is asked for beside these, in words


@dataclass(frozen=True)
class Request:
    """One CertificateSigningRequest; ``username``, ``groups``, ``created`` and ``state`` are the API server's word."""

    name: str
    signer: str
    username: str
    groups: tuple[str, ...]
    usages: tuple[str, ...]
    created: datetime
    state: str  # pending, approved, denied, failed, issued
    asked: Asked | None
    problem: str = ""  # why what it asks for cannot be read
    lifetime: int | None = None  # seconds that it asks to be good for (expirationSeconds)


@dataclass(frozen=True)
class Station:
    """What is known of a node by others than itself."""

    node: str
    addresses: frozenset[str] = frozenset()  # IP addresses and host names that the inventory gives it
    reported: frozenset[str] = frozenset()  # those of its Node in the API, which its kubelet writes
    token: str = ""  # id of the bootstrap token that we gave to it; empty: it has to prove itself by its certificate
    since: datetime | None = None  # when that token was made


@dataclass(frozen=True)
class Verdict:
    """One request that is pending, and why it is not approved; empty: it is exactly the node's."""

    request: Request
    objections: tuple[str, ...]


def group(node: str) -> str:
    """The group of the bootstrap tokens for one node. A group has no dots, and a node's name no colons."""
    return f"{OURS}:{node.replace('.', ':')}"


def judged(requests: Sequence[Request], station: Station, now: datetime) -> tuple[Verdict, ...]:
    """The pending requests that name the node or come from it, oldest first; at most one of each signer is to be approved.

    *requests* are all that there are, whatever their state: a key that was shown before is not approved again, and nothing
    is that is older than what was approved. *now* is the API server's time.
    """
    pending = sorted((r for r in requests if r.state == "pending" and concerns(r, station)), key=_order)
    found = {r.name: (*_objections(r, station, now), *_known_before(r, requests)) for r in pending}
    for signer in (CLIENT, SERVING):
        good = [r for r in pending if r.signer == signer and not found[r.name]]
        for request in good[: -1 if len(good) <= FLOOD else None]:
            found[request.name] = (_one_of_many(good),)
    return tuple(Verdict(request, found[request.name]) for request in pending)


def concerns(request: Request, station: Station) -> bool:
    """It claims to be the node's, or the node has sent it."""
    names = {request.username, *(request.asked.common_names if request.asked else ())}
    return bool(names & {_user(station), f"system:node:{station.node}"})


def _order(request: Request) -> tuple[datetime, str]:
    return request.created, request.name


def _user(station: Station) -> str:
    return f"system:bootstrap:{station.token}" if station.token else f"system:node:{station.node}"


def _one_of_many(good: Sequence[Request]) -> str:
    if len(good) > FLOOD:
        return f"{len(good)} such requests wait, more than a kubelet makes: a person has to look"
    return f"the newer {good[-1].name} asks for the same"


def _objections(request: Request, station: Station, now: datetime) -> Iterator[str]:
    yield from _asker(request, station)
    yield from _age(request, station, now)
    if request.asked is None:
        yield f"what it asks for cannot be read: {request.problem}"
        return
    yield from _subject(request.asked, station)
    yield from _signed_for(request, station)
    if request.asked.key != KEY:
        yield f"its key is {request.asked.key}, and a kubelet's is {KEY}"
    if request.lifetime is not None:
        yield f"it asks to be good for {request.lifetime} s, and a kubelet leaves that to the signer"
    yield from (f"it asks for {thing}" for thing in request.asked.more)


def _asker(request: Request, station: Station) -> Iterator[str]:
    """Who asked, by the API server's word."""
    user = _user(station)
    if request.username != user:
        yield f"{request.username} asks, not {user}"
    expected = {BOOTSTRAPPERS, OURS, group(station.node)} if station.token else {NODES}
    if set(request.groups) != expected | {AUTHENTICATED}:
        yield f"whoever asks is in the groups {_listed(request.groups)}"


def _age(request: Request, station: Station, now: datetime) -> Iterator[str]:
    if request.created > now + SKEW:
        yield f"it was made at {instant(request.created)}, in the future"
    if now - request.created > OLDEST:
        yield f"it is of {instant(request.created)}: its kubelet does not wait for it any more"
    if station.since is not None and request.created < station.since - SKEW:
        yield f"it is of {instant(request.created)}, from before its token was made"


def _subject(asked: Asked, station: Station) -> Iterator[str]:
    name = f"system:node:{station.node}"
    if asked.common_names != (name,):
        yield f"it is for the name {_listed(asked.common_names)}, not {name}"
    if asked.organizations != (NODES,):
        yield f"it is for the groups {_listed(asked.organizations)}, not {NODES}"


def _signed_for(request: Request, station: Station) -> Iterator[str]:
    """The signer, with the usages and the alternative names that go with it."""
    if request.signer not in _RULES or (station.token and request.signer != CLIENT):
        yield f"it is for the signer {request.signer}, which is none that this node asks"
        return
    required = {"digital signature", _USAGES[request.signer]}
    if len(set(request.usages)) != len(request.usages) or set(request.usages) - {"key encipherment"} != required:
        yield f"its usages are {_listed(request.usages)}"
    yield from _RULES[request.signer](t.cast(Asked, request.asked), station)


def _of_client(asked: Asked, station: Station) -> Iterator[str]:
    if asked.dns_names or asked.addresses:
        yield f"it is for {_listed((*asked.dns_names, *asked.addresses))} too, and a client has no other names"


def _of_server(asked: Asked, station: Station) -> Iterator[str]:
    """The kubelet writes the addresses of its Node itself, so the inventory has to have them too."""
    names = (*asked.dns_names, *asked.addresses)
    if not names:
        yield "it is for no address"
    if len(set(names)) != len(names):
        yield "an address is in it twice"
    strange = [name for name in names if name not in station.reported | {station.node}]
    if strange:
        yield f"the Node does not have {_listed(strange)}"
    unknown = [name for name in names if name not in station.addresses | {station.node}]
    if unknown:
        yield f"the inventory does not give it {_listed(unknown)} (outward_node_addresses)"


_RULES: t.Final[dict[str, Callable[[Asked, Station], Iterator[str]]]] = {CLIENT: _of_client, SERVING: _of_server}


def _known_before(request: Request, requests: Sequence[Request]) -> Iterator[str]:
    """What the other requests say against this one."""
    if any(_replayed(request, other) for other in requests):
        yield "another request has the same key"
    answered = [r for r in requests if r.state in ("approved", "issued") and r.signer == request.signer]
    newer = [r for r in answered if r.username == request.username and _order(r) > _order(request)]
    if newer:
        yield f"the newer {max(newer, key=_order).name} asks for the same, and was approved"


def _replayed(request: Request, other: Request) -> bool:
    """Its key was shown before. What somebody else copies from it later is held against the copy alone: whoever can read
    requests could else keep a node from its certificate.
    """
    if request.asked is None or other.asked is None or other.name == request.name:
        return False
    earlier = other.username == request.username or other.created < request.created
    return earlier and other.asked.key_id == request.asked.key_id


def _listed(names: Sequence[str]) -> str:
    """Somebody else's words, bounded."""
    return some([name[:100] for name in sorted(names)], 5) or "none"
