# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""One Node, read cheaply and often: what a proof waits for. Three calls, whatever the size of the fleet."""

from __future__ import annotations

import typing as t
from datetime import datetime, timezone

from .._diagnosis.cluster import SCHEMA, ClusterEvidence, Fleet, Lease, Node, Pod
from .._diagnosis.evidence import amended, unknown
from . import convert, convert_pods
from .connect import Api
from .errors import NotThere, Silent
from .listing import LEASE_NAMESPACE, LEASE_PATH, NODE_PATH, PODS
from .refusal import Question

NODE: t.Final = Question("get", "nodes", NODE_PATH)
LEASE: t.Final = Question("get", "leases.coordination.k8s.io", LEASE_PATH, LEASE_NAMESPACE)
NOT_ALL: t.Final = unknown("only this one node was asked for")


def look(api: Api, name: str, fleet: Fleet | None = None) -> ClusterEvidence:
    """The evidence of one Node now: the object, its Lease and its Pods, and the server's clock at the end.

    What only a list of the fleet can tell (other nodes, events, CSRs, ``failing_elsewhere``) is unknown; an older
    *fleet* can be given. Raises :class:`KubeError` for what a person must mend; a silent server is evidence.
    """
    observed = datetime.now(timezone.utc)
    version: t.Any = unknown("the version was not asked for")
    known: t.Any = NOT_ALL if fleet is None else fleet
    try:
        node = read_node(api, name)
    except Silent as silence:
        gone = unknown(f"the API server does not answer the controller: {silence}")
        return ClusterEvidence(SCHEMA, observed, name, api.evidence(version, str(silence)), gone, gone)
    return ClusterEvidence(SCHEMA, observed, name, api.evidence(version), known, node)


def read_node(api: Api, name: str) -> Node | None:
    """The Node with its Lease and Pods; None when the API has no such Node. Raises KubeError and Silent."""
    try:
        item = api.ask(NODE, name)
    except NotThere:
        return None
    lease = read_lease(api, name)
    pods = read_pods(api, name)
    node = convert.node(item, lease)
    return amended(node, pods=pods, events=NOT_ALL, signing_requests=NOT_ALL, unscheduled=NOT_ALL)


def read_lease(api: Api, name: str) -> Lease | None:
    """The Node's Lease; None when there is none. ``api.now`` is the server's clock at this answer."""
    try:
        return convert.lease(api.ask(LEASE, name))
    except NotThere:
        return None


def read_pods(api: Api, name: str) -> tuple[Pod, ...]:
    """The Pods that are bound to the Node and have not succeeded."""
    selector = f"spec.nodeName={name},status.phase!=Succeeded"
    pages = api.pages(PODS, selector)
    return tuple(amended(convert_pods.pod(item), failing_elsewhere=NOT_ALL) for page in pages for item in page)
