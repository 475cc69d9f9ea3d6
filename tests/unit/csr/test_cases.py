# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the table of hostile requests expects of us, our rule says, of the same requests without a lab."""

from __future__ import annotations

import copy
import typing as t
from collections.abc import Iterable
from datetime import datetime, timedelta

import pytest

from ansible_collections.outward.kubelet.plugins.action.kubelet_csr import inventory, strangers
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.signing import (
    AUTHENTICATED,
    BOOTSTRAPPERS,
    NODES,
    OURS,
    Request,
    Station,
    concerns,
    group,
    judged,
)
from ansible_collections.outward.kubelet.plugins.module_utils._kube.signing import REASON, request
from tests.csr.cases import CASES, Ask, Case, Who
from tests.csr.people import JOINING, STRANGERS
from tests.csr.stage import PREFIX, Stage, body
from tests.csr.verdict import AUTOMATIC, Found, State, Told, ended, expected, mistakes, seen
from tests.lab._kubectl import Object
from tests.lab._lab import Lab
from tests.unit.requests_made import NOW

HOST, OTHER = "pi-05", "pi-04"
ADDRESS = "10.77.0.15"
PLACES = Stage(t.cast(Lab, None), HOST, OTHER).places
TOKEN = "abc123"
BOOTSTRAP = (BOOTSTRAPPERS, AUTHENTICATED)
ACCOUNTS = ("system:serviceaccounts", "system:serviceaccounts:outward-hostile", AUTHENTICATED)
# As the API server calls them.
USERS: t.Final[dict[Who, tuple[str, tuple[str, ...]]]] = {
    "node": (f"system:node:{HOST}", (NODES, AUTHENTICATED)),
    "neighbour": (f"system:node:{OTHER}", (NODES, AUTHENTICATED)),
    "account": ("system:serviceaccount:outward-hostile:account", ACCOUNTS),
    "visitor": ("system:serviceaccount:outward-hostile:visitor", ACCOUNTS),
    "stranger": ("system:bootstrap:zzz999", (*BOOTSTRAP, STRANGERS)),
    "kubeadm": ("system:bootstrap:yyy999", (*BOOTSTRAP, JOINING)),
    "lent": (f"system:bootstrap:{TOKEN}", (*BOOTSTRAP, OURS, group(HOST))),
    "admin": ("kubernetes-super-admin", ("system:masters", AUTHENTICATED)),
    "anonymous": ("system:anonymous", ("system:unauthenticated",)),
}


def name(case: Case) -> str:
    return f"{case.mode}: {case.id}"


class Api:
    """Takes what it has to, as the real one does by the lab's rows, and answers as kube-controller-manager does."""

    def __init__(self) -> None:
        self.items: dict[str, Object] = {}
        self.sent: list[tuple[str, Ask]] = []
        self._text = ""

    def send(self, asks: Iterable[Ask], now: datetime) -> None:
        for ask in (ask for each in asks for ask in [each] * each.count):
            called = f"{PREFIX}{len(self.sent):03d}"
            self.sent.append((called, ask))
            self._text = self._text if ask.copy else ask.text(PLACES)
            if ask.end == "refused":
                continue
            item = copy.deepcopy(body(called, ask, self._text))
            user, groups = USERS[ask.who]
            item["metadata"]["creationTimestamp"] = f"{now - timedelta(seconds=ask.age):%Y-%m-%dT%H:%M:%SZ}"
            item["spec"] |= {"username": user, "groups": list(groups)}
            item["status"] = {}
            self.items[called] = item
            if ask.end == "kubernetes":
                self.approve(called, AUTOMATIC)

    def approve(self, called: str, reason: str) -> None:
        condition = {"type": "Approved", "status": "True", "reason": reason}
        self.items[called]["status"] = {"conditions": [condition], "certificate": "eA=="}


def station(case: Case, since: datetime) -> Station:
    if case.mode == "recover":
        return Station(HOST, token=TOKEN, since=since)
    given = inventory(case.variables.get("outward_node_addresses", ()), case.variables.get("ansible_host", ADDRESS))
    return Station(HOST, given, frozenset({ADDRESS}))


def answer(api: Api, about: Station, now: datetime, *, check: bool) -> dict[str, Told]:
    requests = [request(item) for item in api.items.values()]
    said = {v.request.name: Told("; ".join(v.objections)) for v in judged(requests, about, now)}
    for called, told in said.items():
        if not told.why and not check:
            api.approve(called, REASON)
    return {**said, **others(requests, about)}


def others(requests: Iterable[Request], about: Station) -> dict[str, Told]:
    found = [one for one in requests if one.state == "pending" and not concerns(one, about)]
    lines = strangers(found, {"inventory_hostname": HOST})
    return {one.name: Told(line.partition(" left: ")[2]) for one, line in zip(found, lines, strict=True)}


def played(case: Case) -> list[Found]:
    """The case from its beginning to its end."""
    api, now, said = Api(), NOW, dict[str, Told]()
    since = now + timedelta(seconds=30) if case.renewed else now
    for turn, asks in enumerate(case.rounds):
        api.send(asks, now)
        now += timedelta(seconds=20)
        if not (case.renewed and turn == 0):
            for dummy in range(4 if case.mode == "recover" else 1):  # an approver looks again and again
                latest = answer(api, station(case, since), now, check=case.check)
                said |= latest
            now += timedelta(seconds=20)
    refusals = {called: ask.words.format(**PLACES) for called, ask in api.sent if ask.end == "refused"}
    return [
        Found(
            called,
            ask,
            refusals.get(called, ""),
            State.of(api.items[called]) if called in api.items else None,
            said.get(called),
        )
        for called, ask in api.sent
    ]


@pytest.mark.parametrize("case", CASES, ids=name)
def test_the_rule_says_what_the_table_expects(case: Case) -> None:
    found = played(case)
    assert [wrong for wrong in mistakes(found, PLACES) if "refused in other words" not in wrong] == []
    assert seen(found)["ends"] == expected(case.asks, PLACES)["ends"]


def test_each_case_has_one_name() -> None:
    assert len({name(case) for case in CASES}) == len(CASES)


@pytest.mark.parametrize("case", [case for case in CASES if case.kind == "honest"], ids=name)
def test_the_honest_ones_are_not_left(case: Case) -> None:
    """Or a rule that leaves everything would be right everywhere."""
    ends = {ended(one) for one in played(case)}
    assert ends & {"approved", "by_kubernetes"} or case.check


@pytest.mark.parametrize("case", CASES, ids=name)
def test_whatever_is_left_has_its_reason(case: Case) -> None:
    assert [ask for ask in case.asks if ask.end in ("left", "refused") and not ask.words] == []
