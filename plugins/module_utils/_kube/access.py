# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Asking the API server what we may do, and giving others access: roles, and a token that soon expires."""

from __future__ import annotations

import time
import typing as t
from collections.abc import Iterable
from dataclasses import dataclass

from .connect import JSON, Api
from .errors import KubeError, NotThere
from .listing import REQUESTS
from .refusal import Question
from .rights import NAMESPACE, RBAC, RIGHTS, Role, manifest, named

REVIEW: t.Final = Question(
    "create",
    "selfsubjectaccessreviews.authorization.k8s.io",
    "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
    role="everybody",  # system:basic-user
)
PLURALS: t.Final = {
    "Namespace": "namespaces",
    "ServiceAccount": "serviceaccounts",
    "ClusterRole": "clusterroles",
    "ClusterRoleBinding": "clusterrolebindings",
    "Role": "roles",
    "RoleBinding": "rolebindings",
}
SUBSTANCE: t.Final = ("rules", "subjects", "roleRef")
# The API server learns of new roles and new tokens by watches, within a second.
EFFECT, PAUSE = 10.0, 0.5


@dataclass(frozen=True)
class Token:
    """A bearer token, never shown, and when the API server will refuse it (RFC 3339)."""

    secret: str
    expires: str

    def __repr__(self) -> str:
        return f"Token(expires={self.expires!r})"


def lacking(api: Api, role: Role) -> tuple[Question, ...]:
    """The rights of *role* that whoever we are has not. Raises KubeError and Silent."""
    return tuple(question for question in dict.fromkeys(RIGHTS[role]) if not allowed(api, question))


def allowed(api: Api, question: Question) -> bool:
    """By a SelfSubjectAccessReview for each object that is named: the API server's own word, whatever authorizes."""
    group, resource, subresource = named(question.resource)
    about = {"group": group, "resource": resource, "subresource": subresource, "verb": question.verb}
    return all(
        api.create(REVIEW, _review({**about, "namespace": question.namespace, "name": name}))["status"]["allowed"]
        for name in question.names or ("",)
    )


def _review(attributes: JSON) -> JSON:
    kind = {"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview"}
    return {**kind, "spec": {"resourceAttributes": attributes}}


def ensure(api: Api, role: Role, check: bool) -> list[str]:
    """Make the cluster have the manifest of *role*; ``Kind/name`` of what was (with *check*: would be) made or changed."""
    return [_title(item) for item in manifest(role) if _ensure(api, item, check)]


def _ensure(api: Api, item: JSON, check: bool) -> bool:
    name = item["metadata"]["name"]
    try:
        there = api.ask(_question("get", item), name)
    except NotThere:
        if not check:
            api.create(_question("create", item), item)
        return True
    if all(there.get(part) == item.get(part) for part in SUBSTANCE):
        return False
    if not check:
        api.patch(_question("patch", item), name, {part: item[part] for part in SUBSTANCE if part in item})
    return True


def _question(verb: str, item: JSON) -> Question:
    plural, namespace = PLURALS[item["kind"]], item["metadata"].get("namespace", "")
    core = item["apiVersion"] == "v1"
    root = "/api/v1" if core else f"/apis/{item['apiVersion']}"
    place = f"/namespaces/{namespace}" if namespace else ""
    return Question(verb, plural if core else f"{plural}.{RBAC}", f"{root}{place}/{plural}", namespace, role="admin")


def _title(item: JSON) -> str:
    metadata = item["metadata"]
    return f"{item['kind']}/{metadata['name']}" + (f" in {metadata['namespace']}" if "namespace" in metadata else "")


def mint(api: Api, role: Role, seconds: int) -> Token:
    """A token of the role's ServiceAccount, by the TokenRequest API: nothing of it is stored in the cluster."""
    path = f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts/{role}/token"
    question = Question("create", "serviceaccounts/token", path, NAMESPACE, role="admin")
    kind = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest"}
    status = api.create(question, {**kind, "spec": {"expirationSeconds": seconds}})["status"]
    return Token(status["token"], status["expirationTimestamp"])


def kubeconfig(cluster: JSON, role: Role, token: Token) -> JSON:
    """For whoever has *role*: one cluster, one user, one context."""
    name = f"outward-kubelet-{role}"
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": name, "cluster": cluster}],
        "users": [{"name": name, "user": {"token": token.secret}}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name, "namespace": NAMESPACE}}],
        "current-context": name,
    }


def await_effect(api: Api, role: Role) -> None:
    """Until the API server grants everything; raises KubeError that names what it does not."""
    end = time.monotonic() + EFFECT
    missing: Iterable[Question] = lacking(api, role)
    while missing and time.monotonic() < end:
        time.sleep(PAUSE)
        missing = lacking(api, role)
    if missing:
        names = "; ".join(str(question) for question in missing)
        raise KubeError(f"{api.peer.server} does not grant what the roles say ({names}): does it authorize by RBAC?")


def await_token(api: Api, more: Iterable[Question] = ()) -> None:
    """*api* is asked with a bootstrap token: until it is known, may ask for a certificate, and *more*.

    Raises KubeError and Silent.
    """
    end = time.monotonic() + EFFECT
    needed = (Question("create", REQUESTS.resource, REQUESTS.path, role="bootstrap"), *more)
    while not _may(api, needed):
        if time.monotonic() > end:
            raise KubeError(
                f"{api.peer.server} does not take a new bootstrap token, or does not let it"
                f" {', '.join(map(str, needed))}: is --enable-bootstrap-token-auth set (kubeadm sets it), and is all of"
                " rbac/certificates.yml there?"
            )
        time.sleep(PAUSE)


def _may(api: Api, needed: Iterable[Question]) -> bool:
    try:
        return all(allowed(api, question) for question in needed)
    except KubeError:  # 401: it does not know the token yet, or takes none at all
        return False
