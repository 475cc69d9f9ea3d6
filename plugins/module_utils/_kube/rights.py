# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""The rights that each of our roles has: those that the code asks for, and no other. Pure.

A role is what somebody wants to do. Its rights are the questions that the code puts to the API server for it, so that
the manifests below examples/pi-cluster/rbac, the review before anything is touched, and the code cannot part company.
"""

from __future__ import annotations

import typing as t
from collections.abc import Iterable

from .._diagnosis.signing import OURS
from . import bootstrap, cordon, cost, eviction, listing, lock, notice, poll, signing
from .refusal import Question

JSON = t.Any
Role = t.Literal["diagnose", "recover", "certificates"]
ROLES: t.Final[tuple[Role, ...]] = t.get_args(Role)
NAMESPACE: t.Final = "outward-kubelet"  # of the ServiceAccounts
RBAC: t.Final = "rbac.authorization.k8s.io"
LABELS: t.Final = bootstrap.LABELS

READING: t.Final = (
    listing.NODES,
    poll.NODE,
    listing.PODS,
    listing.EVENTS,
    listing.LEASES,
    poll.LEASE,
    lock.LIST,
    listing.REQUESTS,
    cost.BUDGETS,
    cost.VOLUMES,
)
WRITING: t.Final = (lock.GET, lock.CREATE, lock.PATCH, cordon.PATCH, notice.EVENT, eviction.EVICT)
# A bootstrap token is a Secret of kube-system, and RBAC cannot tell it from another one: it may be made and deleted there,
# and none may be read. Nothing is evicted for a certificate.
SIGNING: t.Final = (
    signing.APPROVE,
    signing.SIGNERS,
    bootstrap.CREATE,
    bootstrap.DELETE,
    bootstrap.CLUSTER_INFO,
)
RIGHTS: t.Final[dict[Role, tuple[Question, ...]]] = {
    "diagnose": READING,
    "recover": READING + WRITING,
    "certificates": READING + tuple(right for right in WRITING if right is not eviction.EVICT) + SIGNING,
}


def named(resource: str) -> tuple[str, str, str]:
    """Group, resource and subresource of ``pods/eviction`` or ``leases.coordination.k8s.io``."""
    whole, dummy, subresource = resource.partition("/")
    name, dummy, group = whole.partition(".")
    return group, name, subresource


def rules(questions: Iterable[Question]) -> list[JSON]:
    """The rules of one role: verbs that go with the same resource and names are together."""
    found: dict[tuple[str, str, tuple[str, ...]], list[str]] = {}
    for question in questions:
        group, name, subresource = named(question.resource)
        key = (group, f"{name}/{subresource}" if subresource else name, question.names)
        verbs = found.setdefault(key, [])
        if question.verb not in verbs:
            verbs.append(question.verb)
    return [
        {
            "apiGroups": [group],
            "resources": [name],
            **({"resourceNames": list(names)} if names else {}),
            "verbs": sorted(verbs),
        }
        for (group, name, names), verbs in found.items()
    ]


def manifest(role: Role, without: Question | None = None) -> list[JSON]:
    """Namespace, ServiceAccount, and roles with their bindings, in the order in which they can be made.

    What is asked for in one namespace only is given there only. *without*: all but this right, to try what happens.
    """
    granted = [question for question in RIGHTS[role] if question != without]
    places = dict.fromkeys(sorted(question.namespace for question in granted))
    return [
        _object("v1", "Namespace", {"name": NAMESPACE}),
        _object("v1", "ServiceAccount", {"name": role, "namespace": NAMESPACE}),
        *(
            item
            for place in places
            for item in _bound(role, place, [question for question in granted if question.namespace == place])
        ),
        *(_bootstrap() if role == "certificates" else ()),
    ]


def _bootstrap() -> list[JSON]:
    """Our bootstrap tokens may ask for a certificate, and read what kubeadm join reads; nobody answers them unseen."""
    reference = {"apiGroup": RBAC, "kind": "ClusterRole", "name": "system:node-bootstrapper"}
    subject = {"apiGroup": RBAC, "kind": "Group", "name": OURS}
    metadata = {"name": "outward-kubelet-bootstrap"}
    found = [_object(f"{RBAC}/v1", "ClusterRoleBinding", metadata, roleRef=reference, subjects=[subject])]
    for question in bootstrap.TO_JOIN:
        found += _given("join", question.namespace, [question], subject)
    return found


def _bound(role: Role, namespace: str, granted: list[Question]) -> list[JSON]:
    return _given(role, namespace, granted, {"kind": "ServiceAccount", "name": role, "namespace": NAMESPACE})


def _given(name: str, namespace: str, granted: list[Question], subject: JSON) -> list[JSON]:
    kind = "Role" if namespace else "ClusterRole"
    metadata = {"name": f"outward-kubelet-{name}", **({"namespace": namespace} if namespace else {})}
    reference = {"apiGroup": RBAC, "kind": kind, "name": metadata["name"]}
    return [
        _object(f"{RBAC}/v1", kind, metadata, rules=rules(granted)),
        _object(f"{RBAC}/v1", f"{kind}Binding", metadata, roleRef=reference, subjects=[subject]),
    ]


def _object(version: str, kind: str, metadata: JSON, **substance: JSON) -> JSON:
    return {"apiVersion": version, "kind": kind, "metadata": {**metadata, "labels": dict(LABELS)}, **substance}


def complaint(credentials: str, role: Role, missing: Iterable[Question]) -> str:
    """One sentence for all rights that are missing, and how an admin gives them."""
    lacked = [str(question) for question in missing]
    return (
        f"{credentials} lacks {len(lacked)} of the rights that {role} needs: {'; '.join(lacked)}. Nothing was touched."
        f" An admin gives them with kubectl apply -f rbac/{role}.yml (in examples/pi-cluster), or makes a kubeconfig with"
        f" exactly these rights with the playbook outward.kubelet.cluster_access (outward_access={role})"
    )
