# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Bootstrap tokens: one for one node, for minutes, in a group of that node alone; and where a node finds the cluster.

The name of the Secret follows from the node's name. So a token that a killed run has left is found, and deleted, without
the right to read a single Secret. Its group has no rights of its own: ``rights.BOOTSTRAP`` gives all our tokens
the one to ask for a certificate, and nothing approves it but :mod:`.signing`.
"""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
import string
import time
import typing as t
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from .._diagnosis.signing import OURS, group
from .._diagnosis.signs import instant
from . import library
from .connect import JSON, Api
from .cordon import clock
from .errors import Conflict, KubeError, NotThere
from .refusal import Question

NAMESPACE: t.Final = "kube-system"
SECRETS: t.Final = f"/api/v1/namespaces/{NAMESPACE}/secrets"
CREATE: t.Final = Question("create", "secrets", SECRETS, NAMESPACE, role="certificates")
DELETE: t.Final = Question("delete", "secrets", SECRETS, NAMESPACE, role="certificates")
PUBLIC: t.Final = "kube-public"
CLUSTER_INFO: t.Final = Question(
    "get", "configmaps", f"/api/v1/namespaces/{PUBLIC}/configmaps", PUBLIC, role="certificates", names=("cluster-info",)
)
# What kubeadm join reads with its token (cmd/kubeadm/app/cmd/phases/join and util/config of 1.37).
TO_JOIN: t.Final = (
    Question("get", "nodes", "/api/v1/nodes", role="bootstrap"),
    Question(
        "get",
        "configmaps",
        f"/api/v1/namespaces/{NAMESPACE}/configmaps",
        NAMESPACE,
        role="bootstrap",
        names=("kubeadm-config", "kubelet-config"),
    ),
)
LABELS: t.Final = {"app.kubernetes.io/part-of": "outward.kubelet"}
ALPHABET: t.Final = string.digits + string.ascii_lowercase
SIGNED, PAUSE = 20.0, 0.5  # seconds: the signer learns of a token by a watch
ID, SECRET = 6, 16  # characters (cluster-bootstrap/token/api of Kubernetes 1.37)


@dataclass(frozen=True)
class Token:
    """A bootstrap token; its secret is never shown."""

    id: str
    secret: str = field(repr=False)
    made: datetime  # by the API server's clock
    expires: datetime
    uid: str = ""  # of its Secret

    @property
    def bearer(self) -> str:
        """As it is presented."""
        return f"{self.id}.{self.secret}"


@dataclass(frozen=True)
class Cluster:
    """What a node must know to find the API server and to trust it."""

    server: str
    authority: str  # PEM


def token_id(node: str) -> str:
    """The same for one node always; others' tokens have a chance of one in two thousand million to be it."""
    number = int.from_bytes(hashlib.sha256(f"outward.kubelet {node}".encode()).digest(), "big")
    return "".join(ALPHABET[number // 36**place % 36] for place in range(ID))


def make(api: Api, node: str, seconds: int, *, signing: bool = False) -> Token:
    """A new token for *node*; one of an earlier run is deleted. *signing*: kubeadm is to find the cluster by it.

    Raises Conflict when another run makes one at this moment, KubeError and Silent.
    """
    sweep(api, node)
    now = clock(api)
    token = Token(
        token_id(node),
        "".join(secrets.choice(ALPHABET) for dummy in range(SECRET)),
        now,
        now + timedelta(seconds=seconds),
    )
    return replace(token, uid=api.create(CREATE, body(token, node, signing=signing))["metadata"]["uid"])


def body(token: Token, node: str, *, signing: bool = False) -> JSON:
    """The Secret that is the token (documentation: "Authenticating with bootstrap tokens")."""
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "bootstrap.kubernetes.io/token",
        "metadata": {"name": _name(token.id), "namespace": NAMESPACE, "labels": dict(LABELS)},
        "stringData": {
            "description": f"outward.kubelet: {'the join' if signing else 'a new client certificate'} of {node}",
            "token-id": token.id,
            "token-secret": token.secret,
            "expiration": instant(token.expires),
            "usage-bootstrap-authentication": "true",
            **({"usage-bootstrap-signing": "true"} if signing else {}),
            "auth-extra-groups": f"{OURS},{group(node)}",
        },
    }


def sweep(api: Api, node: str, uid: str = "") -> bool:
    """Delete our token for *node*, with *uid* only the one whose Secret has it; whether it was there.

    Raises KubeError and Silent.
    """
    try:
        api.delete(DELETE, _name(token_id(node)), uid)
    except (NotThere, Conflict):
        return False
    return True


def _name(identity: str) -> str:
    return f"bootstrap-token-{identity}"


def await_signature(api: Api, token: Token) -> None:
    """Until kube-public/cluster-info is signed with *token*, which kubeadm waits for. Raises KubeError and Silent."""
    end = time.monotonic() + SIGNED
    while f"jws-kubeconfig-{token.id}" not in _data(api):
        if time.monotonic() > end:
            raise KubeError(
                f"{PUBLIC}/cluster-info is not signed with a new bootstrap token after {SIGNED:.0f} s: does"
                " kube-controller-manager run, with the controller bootstrapsigner (kubeadm sets it)?"
            )
        time.sleep(PAUSE)


def _data(api: Api) -> JSON:
    try:
        return api.ask(CLUSTER_INFO, CLUSTER_INFO.names[0]).get("data") or {}
    except NotThere as gone:
        raise KubeError(
            f"there is no ConfigMap {PUBLIC}/cluster-info: kubeadm init phase bootstrap-token makes it"
        ) from gone


def cluster(api: Api) -> Cluster:
    """As kubeadm tells it to nodes that join (kube-public/cluster-info), else as the controller reaches it itself.

    Raises KubeError when the controller has not verified whom it asks: a node would trust what anybody may have said.
    """
    own = api.cluster()
    if own.get("insecure-skip-tls-verify") or not own["server"].startswith("https://"):
        raise KubeError(
            f"the certificate of {api.peer.server} is not verified with {api.peer.credentials}: what it says may be"
            " anybody's, so no node is told to trust it; use a kubeconfig with certificate-authority-data"
        )
    try:
        told = _told(api.ask(CLUSTER_INFO, CLUSTER_INFO.names[0]))
    except NotThere:
        told = own
    return _checked(told, api)


def _told(item: JSON) -> JSON:
    try:
        document = library.yaml.safe_load((item.get("data") or {}).get("kubeconfig") or "")
        found = document["clusters"][0]["cluster"]
    except (library.yaml.YAMLError, LookupError, TypeError) as error:
        raise KubeError(f"the ConfigMap {PUBLIC}/cluster-info holds no kubeconfig") from error
    return found if isinstance(found, dict) else {}


def _checked(told: JSON, api: Api) -> Cluster:
    server, data = str(told.get("server") or ""), str(told.get("certificate-authority-data") or "")
    try:
        authority = base64.b64decode(data, validate=True).decode("ascii")
    except ValueError:  # binascii.Error and UnicodeDecodeError
        authority = ""
    if not re.fullmatch(r"https://[^\s/@?#]+/?", server) or "-----BEGIN CERTIFICATE-----" not in authority:
        raise KubeError(
            f"neither {PUBLIC}/cluster-info nor {api.peer.credentials} says where nodes find the API server and by which"
            " CA they know it"
        )
    return Cluster(server, authority)
