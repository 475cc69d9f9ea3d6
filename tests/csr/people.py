# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who asks for certificates: nodes with their own, ServiceAccounts, bootstrap tokens; and all that was made for them, taken
away again.
"""

from __future__ import annotations

import base64
import contextlib
import datetime
import json
import secrets
import string
import tempfile
import typing as t
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

from tests.lab._kubectl import Object
from tests.lab._lab import Lab
from tests.lab._model import LabError, parse_host
from tests.lab._shell import wait_for, write

from . import forge
from .cases import Who
from .client import Client

NAMESPACE: t.Final = "outward-hostile"
LABELS: t.Final = {"app.kubernetes.io/part-of": NAMESPACE}
STRANGERS: t.Final = f"system:bootstrappers:{NAMESPACE}"
JOINING: t.Final = "system:bootstrappers:kubeadm:default-node-token"
PEM: t.Final = "/var/lib/kubelet/pki/kubelet-client-current.pem"
TOKENS: t.Final[dict[Who, str]] = {"stranger": STRANGERS, "kubeadm": JOINING}
LIFE: t.Final = datetime.timedelta(hours=6)
KNOWN: t.Final = 60.0  # seconds until a token that was just made is taken, and a namespace is gone


@dataclass(frozen=True)
class People:
    """Those who are there, by how the cases call them."""

    clients: dict[Who, Client] = field(repr=False)

    def beside(self, token: str) -> People:
        """With the one to whom this bootstrap token was lent."""
        lent = Client(self.clients["anonymous"].authority, token=token)
        return People({**self.clients, "lent": lent})


@contextlib.contextmanager
def gathered(lab: Lab, host: str, other: str) -> Iterator[People]:
    """Everybody; at the end the API server knows none of those that were made, and what proves them is gone."""
    authority = lab.paths.pki / "ca.crt"
    dismissed(lab)  # what a killed run has left
    wait_for("the namespace of before is gone", lambda: not _namespace(lab), KNOWN)
    with tempfile.TemporaryDirectory(prefix="outward-csr-", dir="/dev/shm") as place:
        try:
            proofs = _certificates(lab, host, other, Path(place))
            tokens = {**_tokens(lab), **_accounts(lab)}
            clients: dict[Who, Client] = {name: Client(authority, path) for name, path in proofs.items()}
            clients |= {name: Client(authority, token=token) for name, token in tokens.items()}
            for name, client in clients.items():
                wait_for(f"the API server knows {name}", client.known, KNOWN)
            yield People({**clients, "anonymous": Client(authority)})
        finally:
            dismissed(lab)


def dismissed(lab: Lab) -> None:
    """Nobody of those that were made is left."""
    chosen = ["-l", f"app.kubernetes.io/part-of={NAMESPACE}", "--ignore-not-found", "--wait=false"]
    lab.kubectl("delete", "clusterrolebindings,namespaces", *chosen)
    lab.kubectl("delete", "secrets", "-n", "kube-system", *chosen)


def _namespace(lab: Lab) -> str:
    return lab.kubectl("get", "namespace", NAMESPACE, "-o", "name", "--ignore-not-found")


def _certificates(lab: Lab, host: str, other: str, place: Path) -> dict[Who, Path]:
    """Certificates with their keys, below *place*."""
    texts: dict[Who, str] = {
        "node": _kubelets(lab, host),
        "neighbour": minted(lab.paths.pki, f"system:node:{other}", "system:nodes"),
        "admin": _of_admin(lab.paths.kubeconfig),
    }
    for name, text in texts.items():
        write(place / f"{name}.pem", text, 0o600)
    return {name: place / f"{name}.pem" for name in texts}


def _kubelets(lab: Lab, host: str) -> str:
    """The certificate and key with which the kubelet of *host* works now; never shown, also when something is wrong."""
    text = lab.guest(parse_host(host)).run(f"cat {PEM}", check=False)
    if "PRIVATE KEY" not in text:
        raise LabError(f"{host}: {PEM} could not be read")
    return text


def minted(pki: Path, user: str, group: str) -> str:
    """A client certificate of the cluster's CA, as one is that was stolen from another machine; with its key."""
    authority = x509.load_pem_x509_certificate((pki / "ca.crt").read_bytes())
    signer = serialization.load_pem_private_key((pki / "ca.key").read_bytes(), None)
    if not isinstance(signer, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
        raise LabError("the lab's CA has a key of another kind")
    own, now = forge.key(), datetime.datetime.now(datetime.UTC)
    subject = [x509.NameAttribute(forge.PARTS[kind], text) for kind, text in (("O", group), ("CN", user))]
    certificate = (
        x509.CertificateBuilder(authority.subject, x509.Name(subject), own.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(minutes=5))
        .not_valid_after(now + LIFE)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
        .sign(signer, hashes.SHA256())
    )
    return _both(certificate, own)


def _both(certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> str:
    form = serialization.PrivateFormat.PKCS8
    text = key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
    return certificate.public_bytes(serialization.Encoding.PEM).decode() + text.decode()


def _of_admin(kubeconfig: Path) -> str:
    """The admin's certificate and key, out of what kubeadm wrote."""
    lines = kubeconfig.read_text(encoding="utf-8").splitlines()
    found = [line.rpartition(": ")[2] for line in lines if line.strip().startswith("client-")]
    return "\n".join(base64.b64decode(text).decode() for text in found)


def _accounts(lab: Lab) -> dict[Who, str]:
    """Two ServiceAccounts: the account may ask for certificates, the visitor may nothing."""
    subjects = [{"kind": "ServiceAccount", "name": "account", "namespace": NAMESPACE}]
    groups = [{"kind": "Group", "name": STRANGERS, "apiGroup": "rbac.authorization.k8s.io"}]
    lab.kubectl.apply(
        [
            _object("v1", "Namespace", NAMESPACE),
            *(_object("v1", "ServiceAccount", name, NAMESPACE) for name in ("account", "visitor")),
            _binding([*subjects, *groups]),
        ]
    )
    return {"account": _token(lab, "account"), "visitor": _token(lab, "visitor")}


def _token(lab: Lab, account: str) -> str:
    return lab.kubectl("create", "token", account, "-n", NAMESPACE, f"--duration={LIFE.seconds}s").strip()


def _tokens(lab: Lab) -> dict[Who, str]:
    """Bootstrap tokens of two groups."""
    found: dict[Who, str] = {}
    for name, group in TOKENS.items():
        identity, secret = _random(6), _random(16)
        lab.kubectl("create", "-f", "-", stdin=json.dumps(bootstrap(identity, secret, group)))
        found[name] = f"{identity}.{secret}"
    return found


def _random(length: int) -> str:
    return "".join(secrets.choice(string.digits + string.ascii_lowercase) for dummy in range(length))


def bootstrap(identity: str, secret: str, group: str) -> Object:
    """The Secret that is a bootstrap token of one group."""
    expires = datetime.datetime.now(datetime.UTC) + LIFE
    text = {
        "token-id": identity,
        "token-secret": secret,
        "expiration": f"{expires:%Y-%m-%dT%H:%M:%SZ}",
        "usage-bootstrap-authentication": "true",
        "auth-extra-groups": group,
    }
    secret_of = _object("v1", "Secret", f"bootstrap-token-{identity}", "kube-system")
    return {**secret_of, "type": "bootstrap.kubernetes.io/token", "stringData": text}


def _binding(subjects: list[Object]) -> Object:
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "system:node-bootstrapper"}
    item = _object("rbac.authorization.k8s.io/v1", "ClusterRoleBinding", NAMESPACE)
    return {**item, "roleRef": reference, "subjects": subjects}


def _object(version: str, kind: str, name: str, namespace: str = "") -> Object:
    place = {"namespace": namespace} if namespace else {}
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name, "labels": dict(LABELS), **place}}
