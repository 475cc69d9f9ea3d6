# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""The API's side of a whole fleet, in a number of list calls that does not depend on the number of nodes.

One call each (more only for more than a page of objects): version, Leases, Nodes, the Leases of the control plane and of
our lock, PersistentVolumes, PodDisruptionBudgets, Pods, events about Nodes, warnings about Pods,
CertificateSigningRequests.
"""

from __future__ import annotations

import typing as t
from collections.abc import Callable, Collection, Iterable
from datetime import datetime, timezone

from .._diagnosis.cluster import silent_listing
from .._diagnosis.evidence import unknown
from .connect import Api, connect
from .convert import Object
from .cost import BUDGETS, VOLUMES, Cost
from .errors import Silent
from .fleet import Gathering
from .lock import LIST as CONTROL_LEASES
from .options import Access
from .refusal import Question

JSON = t.Any
LEASE_NAMESPACE: t.Final = "kube-node-lease"
NODE_PATH: t.Final = "/api/v1/nodes"
LEASE_PATH: t.Final = f"/apis/coordination.k8s.io/v1/namespaces/{LEASE_NAMESPACE}/leases"
VERSION: t.Final = Question("get", "/version", "/version", role="everybody")
LEASES: t.Final = Question("list", "leases.coordination.k8s.io", LEASE_PATH, LEASE_NAMESPACE)
NODES: t.Final = Question("list", "nodes", NODE_PATH)
PODS: t.Final = Question("list", "pods", "/api/v1/pods")
EVENTS: t.Final = Question("list", "events", "/api/v1/events")
REQUESTS: t.Final = Question(
    "list",
    "certificatesigningrequests.certificates.k8s.io",
    "/apis/certificates.k8s.io/v1/certificatesigningrequests",
)


def list_cluster(access: Access, names: Collection[str] | None = None) -> JSON:
    """The listing that ``of_node`` of ``_diagnosis.cluster`` reads; with *names*, in detail of these Nodes only.

    An API server that does not answer is in it. Raises :class:`KubeError` for what a person must mend.
    """
    with connect(access) as api:
        return gather(api, names)


def gather(api: Api, names: Collection[str] | None = None) -> JSON:
    """:func:`list_cluster` over a connection that is there."""
    observed = datetime.now(timezone.utc)
    version: str | None = None
    try:
        version = str(api.ask(VERSION).get("gitVersion"))
        gathering, missing = _lists(api, names)
    except Silent as silence:
        return silent_listing(observed, api.evidence(version, str(silence)))
    return gathering.result(observed, api.evidence(version), missing)


def _lists(api: Api, names: Collection[str] | None) -> tuple[Gathering, dict[str, t.Any]]:
    """Everything that is listed, and field of Node -> unknown for the lists that were answered by an error."""
    gathering, missing = Gathering(names), {}
    _all(api.pages(LEASES), gathering.add_leases)
    _all(api.pages(NODES), gathering.add_nodes)
    _all(api.pages(CONTROL_LEASES), gathering.add_control_leases)
    add_volumes(api, gathering.cost)
    for field, add, question, selector in (
        ("budgets", gathering.cost.add_budgets, BUDGETS, ""),
        ("pods", gathering.add_pods, PODS, ""),
        ("events", gathering.add_events, EVENTS, "involvedObject.kind=Node"),
        ("events", gathering.add_events, EVENTS, "involvedObject.kind=Pod,type=Warning"),
        ("signing_requests", gathering.add_requests, REQUESTS, ""),
    ):
        try:
            _all(api.pages(question, selector), add)
        except Silent as silence:
            if silence.status is None:
                raise  # the connection itself; what was listed before would be of a server that is gone
            missing[field] = unknown(f"the API server did not list {field}: {silence}")
    return gathering, missing


def add_volumes(api: Api, cost: Cost) -> None:
    """List the PersistentVolumes; a list that was answered by an error leaves unknown where claims lie."""
    try:
        _all(api.pages(VOLUMES), cost.add_volumes)
    except Silent as silence:
        if silence.status is None:
            raise
        cost.no_volumes(f"the API server did not list volumes: {silence}")


def _all(pages: Iterable[list[Object]], add: Callable[[Iterable[Object]], None]) -> None:
    for page in pages:
        add(page)
