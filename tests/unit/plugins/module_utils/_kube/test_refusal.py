# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""HTTP answers and broken connections in words, with the answers of a real API server (v1.37.2)."""

from __future__ import annotations

import ssl
import typing as t

import pytest
from urllib3 import exceptions as transport

from ansible_collections.outward.kubelet.plugins.module_utils._kube.errors import KubeError, NotThere, Silent
from ansible_collections.outward.kubelet.plugins.module_utils._kube.listing import LEASES, NODES
from ansible_collections.outward.kubelet.plugins.module_utils._kube.poll import NODE
from ansible_collections.outward.kubelet.plugins.module_utils._kube.refusal import Peer, Question, answer, broken

PEER = Peer("https://10.77.0.1:6443", "/home/pi/.kube/config")
FORBIDDEN = (
    '{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"leases.coordination.k8s.io is'
    ' forbidden: User \\"poor\\" cannot list resource \\"leases\\" in API group \\"coordination.k8s.io\\" in the'
    ' namespace \\"kube-node-lease\\"","reason":"Forbidden","details":{"group":"coordination.k8s.io","kind":"leases"},'
    '"code":403}'
)
ANONYMOUS = (
    '{"kind":"Status","message":"nodes is forbidden: User \\"system:anonymous\\" cannot list resource'
    ' \\"nodes\\" in API group \\"\\" at the cluster scope","reason":"Forbidden","code":403}'
)


@pytest.mark.parametrize(
    ("question", "status", "body", "kind", "words"),
    [
        (NODES, 401, '{"message":"Unauthorized"}', KubeError, "refused the credentials of /home/pi/.kube/config"),
        (LEASES, 403, FORBIDDEN, KubeError, "the user poor of /home/pi/.kube/config may not list leases.coordination"),
        (LEASES, 403, FORBIDDEN, KubeError, "bind the Role outward-kubelet-diagnose to it .rbac/diagnose.yml"),
        (LEASES, 403, FORBIDDEN, KubeError, "in the namespace kube-node-lease"),
        (NODES, 403, ANONYMOUS, KubeError, "saw no credentials"),
        (NODES, 403, "<html>no</html>", KubeError, "the user unknown"),
        (NODE, 404, "", NotThere, "no such object"),
        (NODES, 404, "404 page not found", KubeError, "https:// URL of an API server"),
        (NODES, 400, "Client sent an HTTP request to an HTTPS server.", KubeError, "https:// URL"),
        (NODES, 302, "", KubeError, "answers 302"),
        (NODES, 503, '{"message":"etcdserver:\\n leader changed"}', Silent, r"503 to list nodes \(etcdserver: leader"),
        (NODES, 429, "", Silent, "answers 429"),
        (NODES, 410, "", Silent, "answers 410"),
    ],
)
def test_answers(question: Question, status: int, body: str, kind: type[Exception], words: str) -> None:
    error = answer(PEER, question, status, body)
    assert error.__class__ is kind
    with pytest.raises(kind, match=words):
        raise error
    assert getattr(error, "status", status) == status


def refused_certificate(code: int, message: str) -> Exception:
    """As urllib3 hands it on: wrapped once more in an error without a cause."""
    inner = ssl.SSLCertVerificationError(1, f"certificate verify failed: {message}")
    inner.verify_code, inner.verify_message = code, message
    return transport.SSLError(inner)


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (refused_certificate(92, "CA cert does not include key usage extension"), KubeError, "VERIFY_X509_STRICT"),
        (refused_certificate(85, "Missing Authority Key Identifier"), KubeError, "VERIFY_X509_STRICT"),
        (refused_certificate(19, "self-signed certificate in certificate chain"), KubeError, "another cluster"),
        (refused_certificate(10, "certificate has expired"), Silent, "certificate has expired .by the controller"),
        (refused_certificate(9, "certificate is not yet valid"), Silent, "not yet valid"),
        (transport.SSLError(ssl.SSLError(1, "[SSL] PEM lib (_ssl.c:3905)")), KubeError, "cannot be used"),
        (transport.SSLError(ssl.SSLError(1, "[SSL: WRONG_VERSION_NUMBER] wrong")), Silent, "TLS handshake failed"),
        (transport.ProxyError("Unable to connect to proxy", OSError("x")), KubeError, "options host and proxy"),
        (transport.ProtocolError("Connection aborted."), Silent, "closed before the answer"),
        (transport.ConnectTimeoutError(), Silent, "no connection within 5 s"),
        (transport.ReadTimeoutError(t.cast(t.Any, None), "/", "x"), Silent, "no answer in time"),
        (transport.MaxRetryError(t.cast(t.Any, None), "/", transport.ConnectTimeoutError()), Silent, "within 5 s"),
        (transport.HTTPError("pool: something: new"), Silent, "^new$"),
    ],
)
def test_connections_that_broke(error: Exception, kind: type[Exception], words: str) -> None:
    found = broken(PEER, error)
    assert found.__class__ is kind
    with pytest.raises(kind, match=words):
        raise found
