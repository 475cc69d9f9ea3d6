# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""HTTP answers and broken connections in words; pure but for the kinds of exceptions that it tells apart."""

from __future__ import annotations

import json
import re
import socket
import ssl
import typing as t
from dataclasses import dataclass

from . import library
from .errors import Conflict, KubeError, NotThere, Silent

E = t.TypeVar("E", bound=OSError)
CONNECT_TIMEOUT, READ_TIMEOUT = 5.0, 10.0  # seconds; read: between two packets of an answer
# OpenSSL's verify codes (openssl-verification-options(1)): 9 not yet valid, 10 expired. Those are the cluster's
# trouble, or a clock's; all others mean that the controller was given the wrong thing to check with.
OUT_OF_DATE: t.Final = frozenset({9, 10})
# OpenSSL's words for certificates and keys of ours that it cannot load, before anything was sent.
OUR_FILES: t.Final = ("PEM lib", "NO_CERTIFICATE_OR_CRL_FOUND", "KEY_VALUES_MISMATCH", "NO_START_LINE", "X509 lib")
ONE_OBJECT: t.Final = ("get", "update", "patch", "delete")
OVERLOADED: t.Final = frozenset({408, 410, 429})


@dataclass(frozen=True)
class Question:
    """One kind of request: what RBAC calls it, and the client's method for it."""

    verb: str
    resource: str  # with its group: leases.coordination.k8s.io
    path: str  # of the list, or of that below which the object's name stands
    namespace: str = ""
    role: str = "diagnose"  # the first of our roles that has it (rights.py); everybody: every user; admin: none of ours
    names: tuple[str, ...] = ()  # the only objects that are asked about; empty: any

    def __str__(self) -> str:
        which = f" {', '.join(self.names)}" if self.names else ""
        return f"{self.verb} {self.resource}{which}" + (f" in the namespace {self.namespace}" if self.namespace else "")


@dataclass(frozen=True)
class Peer:
    """Who asks whom: the API server's URL, and where the credentials come from, as a person would say it."""

    server: str
    credentials: str


def answer(peer: Peer, question: Question, status: int, body: str) -> KubeError | Silent | NotThere | Conflict:
    """The exception for an HTTP answer that is no success."""
    if status == 401:
        return KubeError(
            f"the API server {peer.server} refused the credentials of {peer.credentials} (401): they are wrong, revoked"
            " or expired; get new ones (the certificates of a kubeadm admin.conf: kubeadm certs renew admin.conf)"
        )
    if status == 403:
        return _forbidden(peer, question, body)
    if status == 404 and question.verb in ONE_OBJECT:
        return NotThere(f"there is no such object to {question}")
    if status == 409:
        return Conflict(f"somebody else was faster to {question}")
    if status >= 500 or status in OVERLOADED:
        return Silent(f"it answers {status} to {question}{_said(body)}", status)
    return KubeError(
        f"{peer.server} answers {status} to {question}{_said(body)}: is it the https:// URL of an API server?"
    )


def _forbidden(peer: Peer, question: Question, body: str) -> KubeError:
    match = re.search(r'User "([^"]{1,253})"', _message(body))
    user = match.group(1) if match else "unknown"
    if user == "system:anonymous":
        return KubeError(
            f"the API server {peer.server} saw no credentials (403, user {user}): {peer.credentials} holds none, or its"
            " exec plugin gave none; use another kubeconfig, or set api_key"
        )
    if question.role == "admin":
        return KubeError(f"the user {user} of {peer.credentials} may not {question} (403): that takes a cluster admin")
    kind = "Role" if question.namespace else "ClusterRole"
    return KubeError(
        f"the user {user} of {peer.credentials} may not {question} (403): the permission {question.verb} on"
        f" {question.resource} is missing; bind the {kind} outward-kubelet-{question.role} to it"
        f" (rbac/{question.role}.yml)"
    )


def _message(body: str) -> str:
    try:
        status = json.loads(body)
    except ValueError:
        return ""
    return str(status.get("message", "")) if isinstance(status, dict) else ""


def _said(body: str) -> str:
    message = " ".join(_message(body).split())
    return f" ({message[:200]})" if message else ""


def broken(peer: Peer, error: BaseException) -> KubeError | Silent:
    """The exception for a connection that gave no HTTP answer."""
    kinds = library.transport
    if isinstance(error, kinds.MaxRetryError) and error.reason is not None:
        error = error.reason
    handshake = _inside(error, ssl.SSLError)
    if handshake is not None:
        return _tls(peer, handshake)
    if isinstance(error, (kinds.ProxyError, kinds.LocationValueError)):
        return KubeError(f"{peer.server} cannot be asked: {_last(error)}; correct the options host and proxy")
    refused = _inside(error, OSError)
    # Asked first: urllib3 1 derives a refused connection from the time-out.
    if isinstance(error, kinds.NewConnectionError) and refused is not None:
        words = "its name does not resolve: " if isinstance(refused, socket.gaierror) else ""
        return Silent(f"{words}{(refused.strerror or str(refused)).lower()}")
    if isinstance(error, kinds.ConnectTimeoutError):
        return Silent(f"no connection within {CONNECT_TIMEOUT:.0f} s")
    if isinstance(error, kinds.ReadTimeoutError):
        # Also for a TLS handshake that hangs, which is given the time of a connection.
        return Silent(f"no answer in time ({CONNECT_TIMEOUT:.0f} s to connect, {READ_TIMEOUT:.0f} s to answer)")
    if isinstance(error, kinds.ProtocolError):
        return Silent("the connection was closed before the answer was complete")
    return Silent(_last(error))


def _tls(peer: Peer, error: ssl.SSLError) -> KubeError | Silent:
    if not isinstance(error, ssl.SSLCertVerificationError):
        if any(word in str(error) for word in OUR_FILES):
            return KubeError(f"the certificates of {peer.credentials} cannot be used ({_last(error)}): get new ones")
        return Silent(f"the TLS handshake failed: {_last(error)}")
    reason = error.verify_message
    if error.verify_code in OUT_OF_DATE:
        return Silent(f"its certificate cannot be trusted: {reason} (by the controller's clock)")
    # Python 3.13 checks strictly by default (ssl.VERIFY_X509_STRICT), which CAs of old clusters do not stand.
    if any(word in reason.lower() for word in ("key usage", "key identifier", "basic constraints")):
        return KubeError(
            f"this Python checks certificates strictly (ssl.VERIFY_X509_STRICT, the default since 3.13) and refuses the"
            f" CA of {peer.server}: {reason}. Use a controller with Python 3.12 or older, or give the cluster a CA"
            " certificate with the key usage extension"
        )
    return KubeError(
        f"the certificate of {peer.server} is not the one that {peer.credentials} expects: {reason}; is it the"
        " kubeconfig of another cluster, or an older one?"
    )


def _inside(error: BaseException, kind: type[E]) -> E | None:
    """The error of that kind that *error* wraps, in whichever of the ways that the layers between have."""
    seen: list[BaseException] = [error]
    for item in seen:
        if isinstance(item, kind):
            return item
        inner = [item.__cause__, item.__context__, *item.args, getattr(item, "reason", None)]
        seen += [i for i in inner if isinstance(i, BaseException) and i not in seen]
    return None


def _last(error: BaseException) -> str:
    """What the innermost layer said, without the names of Python objects before it."""
    text = " ".join(str(error).split())
    return re.sub(r"^\[Errno -?[0-9]+\] ", "", text.rpartition(": ")[2])[:200] or type(error).__name__
