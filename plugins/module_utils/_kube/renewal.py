# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""What the controller does around a kubelet that renews its client certificate: lend a token, and answer the request."""

from __future__ import annotations

import threading
import time
import typing as t
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace

from .._diagnosis.signing import Station
from .._diagnosis.signs import instant
from . import bootstrap
from .access import await_token
from .bootstrap import Token
from .connect import connect
from .errors import Conflict, KubeError, Silent
from .options import Access
from .signing import concerning, review

# How often a token is tried to be deleted, and the pause between, seconds.
TRIES, PAUSE = 5, 2.0
# Between two looks at the requests, seconds: one list for a kubelet that waits.
LOOK: t.Final = 1.0
# What is said of a request, behind its name.
APPROVED, LEFT = " was approved", " was left pending: "


@contextmanager
def lent(access: Access, node: str, seconds: int, problems: list[str], *, joining: bool = False) -> Iterator[Token]:
    """A token for *node* that the API server accepts; it is deleted at the end, or *problems* say why it was not.

    *joining*: kubeadm can find the cluster by it, and read there what a node needs.

    Raises KubeError and Silent when there is none.
    """
    made = _made(access, node, seconds, problems, joining)
    try:
        with connect(replace(access, api_key=made.bearer, client_cert=None, client_key=None)) as bearer:
            await_token(bearer, bootstrap.TO_JOIN if joining else ())
        if joining:
            with connect(access) as api:
                bootstrap.await_signature(api, made)
        yield made
    finally:
        problems += _taken_back(access, node, made)


def _made(access: Access, node: str, seconds: int, problems: list[str], joining: bool) -> Token:
    try:
        with connect(access) as api:
            return bootstrap.make(api, node, seconds, signing=joining)
    except Conflict as conflict:  # that one is not ours to delete
        raise KubeError(f"another run makes a token for {node} at this moment: {conflict}") from conflict
    except (KubeError, Silent):  # the answer may have been lost, and the token made
        problems += _taken_back(access, node, None)
        raise


def _taken_back(access: Access, node: str, token: Token | None) -> list[str]:
    """Not one that a later run has made: a run whose ansible-playbook was killed alone still comes to its end."""
    problem = ""
    for turn in range(TRIES):
        time.sleep(PAUSE if turn else 0)
        try:
            with connect(access) as api:
                bootstrap.sweep(api, node, token.uid if token else "")
        except (KubeError, Silent) as error:
            problem = str(error)
        else:
            return []
    expires = f"; it is worth nothing from {instant(token.expires)} on" if token else ""
    return [f"the bootstrap token {bootstrap.token_id(node)} could not be deleted: {problem}{expires}"]


def swept(access: Access, node: str) -> list[str]:
    """Delete a token for *node* that a killed run has left; what there is to tell. Tried once: it expires by itself too."""
    try:
        with connect(access) as api:
            found = bootstrap.sweep(api, node)
    except (KubeError, Silent) as error:
        return [f"whether an interrupted run has left a bootstrap token for {node} could not be told: {error}"]
    return [f"the bootstrap token {bootstrap.token_id(node)} of an interrupted run was deleted"] if found else []


def answered(approved: Iterable[str], left: Mapping[str, Iterable[str]]) -> list[str]:
    """A line for each request, by its name: approved, or *left* and why."""
    told = [f"{name}{APPROVED}" for name in approved]
    return told + [f"{name}{LEFT}{'; '.join(why)}" for name, why in left.items()]


class Approver:
    """Approves what is exactly the node's from the beginning of a ``with`` block to its end, in a thread of its own."""

    def __init__(self, access: Access, station: Station) -> None:
        self.approved: list[str] = []  # names of requests
        self.left: dict[str, tuple[str, ...]] = {}  # those that were not, and why
        self.problem = ""  # why requests could not be answered; the last one
        self._access, self._station = access, station
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Approver:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._end.set()
        self._thread.join()

    def issued(self) -> bool | None:
        """Whether one that was approved here has its certificate; None: nobody could tell."""
        try:
            with connect(self._access) as api:
                found = concerning(api, self._station)
        except (KubeError, Silent):
            return None
        return any(request.state == "issued" and request.name in self.approved for request in found)

    def notes(self) -> list[str]:
        """For the report."""
        found = answered(self.approved, self.left)
        return found + ([f"requests could not be answered: {self.problem}"] if self.problem else [])

    def added(self, result: dict[str, t.Any]) -> dict[str, t.Any]:
        """What the node returned, with what became of its requests; a step that was done is proven by them too."""
        found = {**result, "notes": [*result.get("notes", ()), *self.notes()]}
        if result.get("result") != "done":
            return found
        return {**found, "checks": {**result["checks"], "request_issued": self.issued()}}

    def _watch(self) -> None:
        """A server that is silent may come back; a right that is missing does not."""
        while not self._end.is_set():
            try:
                self._answer()
            except Silent as silence:
                self.problem = str(silence)
            except KubeError as error:
                self.problem = str(error)
                return
            self._end.wait(LOOK)

    def _answer(self) -> None:
        with connect(self._access) as api:
            while not self._end.is_set():
                found = review(api, self._station, dry=False)
                self.approved += [verdict.request.name for verdict in found.approved]
                self.left |= {verdict.request.name: verdict.objections for verdict in found.left}
                self.problem = ""
                self._end.wait(LOOK)
