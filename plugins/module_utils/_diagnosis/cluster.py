# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""What the API says: of one Node, and of the fleet around it. Times are by the API server's clock."""

from __future__ import annotations

import typing as t
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from .evidence import JSON, Evidence, from_json, section, to_json, unknown

NOT_KEPT: t.Final[t.Any] = unknown("the time of the Pod's deletion was not kept")
NOT_ASKED: t.Final[t.Any] = unknown("the controller manager's Lease was not asked for")
NOT_KEPT_OF_OTHERS: t.Final[t.Any] = unknown("the listing does not keep it of other Nodes")
# For what an older listing does not hold.
NOT_KNOWN: t.Any = unknown("the listing does not say when")
NOT_COUNTED: t.Any = unknown("the listing does not say what a Pod's end would cost")


@section(frozen=True)
class ApiServer(Evidence):
    """Whether the API server answers the controller, and what time it has."""

    server: str
    reachable: bool
    problem: str | None  # refused, timed out, unresolvable, TLS, ...: one line
    version: str | None
    now: datetime | None  # its Date header at the end of the listing
    controller_now: datetime  # the controller's clock at that moment


@section(frozen=True)
class Condition(Evidence):
    """One condition of a Node."""

    type: str
    status: str  # True, False, Unknown
    reason: str
    message: str
    writer: str  # kubelet, or the manager that last wrote it (managedFields), e.g. kube-controller-manager
    heartbeat: datetime | None
    transition: datetime | None


@section(frozen=True)
class Taint(Evidence):
    """One taint of a Node."""

    key: str
    value: str
    effect: str
    added: datetime | None


@section(frozen=True)
class Lease(Evidence):
    """kube-node-lease/<node>."""

    holder: str
    renewed: datetime
    duration: int
    resource_version: str


@section(frozen=True)
class Container(Evidence):
    """The status of one container (init containers too)."""

    name: str
    image: str
    state: str  # waiting, running, terminated, none
    reason: str
    message: str
    exit_code: int | None
    restarts: int
    last_reason: str
    last_exit_code: int | None
    id: str
    last_finished: datetime | None = NOT_KNOWN


@section(frozen=True)
class Pod(Evidence):
    """One Pod bound to the node."""

    namespace: str
    name: str
    uid: str
    phase: str
    reason: str
    owner: str  # Kind/name of the controlling owner; empty: a bare Pod
    mirror: bool  # a static Pod's image in the API
    ready: bool
    deleting: bool
    created: datetime | None
    containers: tuple[Container, ...]
    failing_elsewhere: tuple[str, ...]  # other nodes with a Pod of the same owner waiting for the same reason
    message: str = unknown("the Pod's message was not kept")  # of its status: why it was refused or is not scheduled
    finalizers: tuple[str, ...] = unknown("the Pod's finalizers were not kept")
    deletion: datetime | None = NOT_KEPT  # its grace period included
    accepted: datetime | None = NOT_KNOWN  # status.startTime
    # What lies on the node and in no other place: emptyDir, hostPath, local (a volume that is bound to this node)
    storage: tuple[str, ...] = NOT_COUNTED
    grace: int = NOT_COUNTED  # spec.terminationGracePeriodSeconds
    siblings: int = NOT_COUNTED  # other Pods of the same owner that are ready, on whatever node
    budgets: tuple[str, ...] = NOT_COUNTED  # names of the PodDisruptionBudgets that cover it


@section(frozen=True)
class Budget(Evidence):
    """One PodDisruptionBudget that covers a Pod of the node."""

    namespace: str
    name: str
    allowed: int  # evictions that it permits now (status.disruptionsAllowed)
    healthy: int  # Pods that it counts as healthy
    desired: int  # and how many of them there must be
    frees_unready: bool  # a Pod that is not ready may go whatever it allows (unhealthyPodEvictionPolicy AlwaysAllow)


@section(frozen=True)
class Event(Evidence):
    """One event about the Node or a Pod on it."""

    kind: str
    name: str  # of a Pod with its namespace: default/web
    reason: str
    message: str
    source: str
    count: int
    last: datetime | None
    first: datetime | None = NOT_KNOWN


@section(frozen=True)
class SigningRequest(Evidence):
    """One CertificateSigningRequest that names this Node."""

    name: str
    signer: str
    requestor: str
    state: str  # pending, approved, denied, failed, issued
    created: datetime | None


@section(frozen=True)
class Node(Evidence):
    """One Node object with what belongs to it."""

    name: str
    uid: str
    resource_version: str
    created: datetime | None
    unschedulable: bool
    control_plane: bool
    taints: tuple[Taint, ...]
    conditions: tuple[Condition, ...]
    annotations: dict[str, str]  # below outward.kubelet/ only
    addresses: tuple[str, ...]
    boot_id: str
    machine_id: str
    kubelet_version: str
    runtime_version: str
    lease: Lease | None
    pods: tuple[Pod, ...]
    events: tuple[Event, ...]
    signing_requests: tuple[SigningRequest, ...]
    internal_addresses: tuple[str, ...] = unknown("the kinds of addresses were not told apart")  # InternalIP
    cni_address: str | None = unknown("the CNI's annotation was not read")  # what flannel or Calico publishes
    pod_cidrs: tuple[str, ...] = unknown("the Node's Pod networks were not kept")
    # Pods that may run on this Node only (a DaemonSet's, or by hostname) and that the scheduler refuses to put there
    unscheduled: tuple[Pod, ...] = unknown("the Pods without a Node were not listed")
    budgets: tuple[Budget, ...] = NOT_COUNTED  # those that cover one of its Pods
    # Who last wrote spec.unschedulable (managedFields): a field manager, e.g. kubectl-cordon; empty: nobody known
    unschedulable_by: str = unknown("the writer of spec.unschedulable was not kept")

    def condition(self, kind: str) -> Condition | None:
        """The condition of that type, or None."""
        return next((c for c in self.conditions if c.type == kind), None)


@section(frozen=True)
class Turn(Evidence):
    """A Node whose Ready changed lately, or that is not well: what tells one node's trouble from that of many."""

    name: str
    ready: str  # True, False, Unknown
    since: datetime | None  # the last transition of Ready
    renewed: datetime | None  # of its Lease
    created: datetime | None


@section(frozen=True)
class Fleet(Evidence):
    """All Nodes by what their Ready condition says, sorted names; a Node is in exactly one of the first three."""

    ready: tuple[str, ...]
    not_ready: tuple[str, ...]  # False: a live kubelet says so
    silent: tuple[str, ...]  # Unknown: the controller says so
    unschedulable: tuple[str, ...]
    expired_leases: tuple[str, ...]  # renewTime + duration is before the API server's clock
    controller_manager: Lease | None = NOT_ASKED  # None: it has none
    turns: tuple[Turn, ...] = NOT_KEPT_OF_OTHERS  # the newest first, so many at most
    control_plane: tuple[str, ...] = NOT_KEPT_OF_OTHERS
    tainted: tuple[str, ...] = NOT_KEPT_OF_OTHERS  # with a taint that keeps Pods away: NoSchedule or NoExecute
    in_hand: tuple[str, ...] = NOT_KEPT_OF_OTHERS  # Nodes that runs of ours hold a slot of the lock for

    @property
    def names(self) -> tuple[str, ...]:
        """All Nodes."""
        return tuple(sorted((*self.ready, *self.not_ready, *self.silent)))

    @property
    def able(self) -> tuple[str, ...]:
        """Nodes that can take Pods now: Ready, with a valid Lease, schedulable, without a taint."""
        return tuple(sorted({*self.ready} - {*self.unavailable, *self.tainted}))

    @property
    def unavailable(self) -> tuple[str, ...]:
        """Nodes that are not Ready, not schedulable or whose Lease has expired, for whatever reason."""
        names = {*self.not_ready, *self.silent, *self.unschedulable, *self.expired_leases}
        return tuple(sorted(names))


@section(frozen=True)
class ClusterEvidence(Evidence):
    """The API's side of one node; ``node`` is None when the API answered and has no such Node."""

    schema: str  # outward.kubelet/cluster/v1
    observed: datetime
    name: str  # of the Node that was asked for
    api: ApiServer
    fleet: Fleet
    node: Node | None
    # Requests that name this Node while the API has no such Node: a join that waits
    orphans: tuple[SigningRequest, ...] = unknown("the CertificateSigningRequests were not listed")


SCHEMA: t.Final = "outward.kubelet/cluster/v1"


def listing(
    observed: datetime,
    api: ApiServer,
    fleet: Fleet,
    nodes: Iterable[Node],
    orphans: Mapping[str, Sequence[SigningRequest]] | None,
) -> JSON:
    """One listing of a fleet as JSON: ``nodes`` is name -> Node, of those that details were asked for."""
    left = {name: to_json(tuple(found)) for name, found in (orphans or {}).items()}
    return {
        "schema": SCHEMA,
        "observed": to_json(observed),
        "api": to_json(api),
        "fleet": to_json(fleet),
        "nodes": {node.name: to_json(node) for node in nodes},
        **({} if orphans is None else {"orphans": left}),
    }


def silent_listing(observed: datetime, api: ApiServer) -> JSON:
    """The listing of an API server that does not answer: all that it alone could tell is unknown."""
    gone = to_json(unknown(f"the API server does not answer the controller: {api.problem}"))
    return {"schema": SCHEMA, "observed": to_json(observed), "api": to_json(api), "fleet": gone, "nodes": gone}


def of_node(data: JSON, name: str) -> ClusterEvidence:
    """The evidence of one Node out of a listing; ``node`` is None when the API answered and has no such Node.

    Raises ``TypeError``, ``ValueError`` or ``KeyError`` for data that is no listing of this schema.
    """
    if data["schema"] != SCHEMA:
        raise ValueError(f"a listing of the schema {data['schema']}, not {SCHEMA}")
    orphans = {"orphans": data["orphans"].get(name, [])} if "orphans" in data else {}
    return from_json(ClusterEvidence, {**data, "name": name, "node": _entry(data, name), **orphans})


def _entry(data: JSON, name: str) -> JSON:
    """What stands for the Node in the listing: its data, nothing, or why nobody can tell."""
    nodes, fleet = data["nodes"], data["fleet"]
    if set(nodes) == {"unknown"} and isinstance(nodes["unknown"], str):
        return nodes
    if name not in nodes and name in (*fleet["ready"], *fleet["not_ready"], *fleet["silent"]):
        return to_json(unknown(f"the listing holds no details of the Node {name}"))
    return nodes.get(name)
