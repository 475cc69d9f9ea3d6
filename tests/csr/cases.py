# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Requests that a kubelet makes, and requests of people who want to be a node or more; and what is to become of each."""

from __future__ import annotations

import typing as t
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from cryptography import x509 as made

from . import forge

CLIENT: t.Final = "kubernetes.io/kube-apiserver-client-kubelet"
SERVING: t.Final = "kubernetes.io/kubelet-serving"
ADMINS: t.Final = "kubernetes.io/kube-apiserver-client"  # the signer of clients that are no kubelets
LEGACY: t.Final = "kubernetes.io/legacy-unknown"
NODE: t.Final = (("O", "system:nodes"), ("CN", "system:node:{node}"))
OTHER: t.Final = (("O", "system:nodes"), ("CN", "system:node:{other}"))
MASTERS: t.Final = (("O", "system:masters"), ("CN", "system:node:{node}"))
USAGES: t.Final = {CLIENT: ("digital signature", "client auth"), SERVING: ("digital signature", "server auth")}
ADDRESSES: t.Final = ("{node}", "{address}")  # what a kubelet writes into a request for its server
# Who asks: the node (its kubelet's own certificate), another node, ServiceAccounts with and without the right to ask, the
# bootstrap tokens of a group of nobody's, of kubeadm's group for joins and of ours, an admin, and nobody.
Who = t.Literal["node", "neighbour", "account", "visitor", "stranger", "kubeadm", "lent", "admin", "anonymous"]
# What becomes of a request: refused by the API server, left by us, approved by us, said to be in check mode, or approved by
# kube-controller-manager before anybody else can.
End = t.Literal["refused", "left", "approved", "would", "kubernetes"]
Mode = t.Literal["approve", "recover"]
HOUR: t.Final = 3600


@dataclass(frozen=True)
class Ask:
    """One request, or ``count`` of them, each with a key of its own. ``{node}``, ``{address}``, ``{other}`` and
    ``{other_address}`` in its texts are those of the lab.
    """

    end: End = "left"
    words: str = ""  # a regular expression: of the objection, or of the API server's refusal
    who: Who = "node"
    signer: str = SERVING
    subject: tuple[tuple[str, str], ...] = NODE
    names: tuple[str, ...] | None = None  # None: those that a kubelet asks for
    usages: tuple[str, ...] | None = None
    key: str = "EC P-256"
    extensions: tuple[made.ExtensionType, ...] = ()
    spoil: Callable[[str], str] = forge.same
    copy: bool = False  # of the one before: who has read it sends its PKCS#10 once more
    spec: dict[str, t.Any] = field(default_factory=dict)  # what else the sender writes into it
    status: dict[str, t.Any] = field(default_factory=dict)
    age: int = 0  # seconds; the object is put into etcd as it would be by then
    count: int = 1

    @property
    def asked_usages(self) -> tuple[str, ...]:
        """A kubelet's, if it does not say other ones."""
        return self.usages if self.usages is not None else USAGES.get(self.signer, USAGES[CLIENT])

    def text(self, places: dict[str, str]) -> str:
        """The PKCS#10 request in PEM."""
        usual = ADDRESSES if self.signer == SERVING else ()
        names = [name.format(**places) for name in (usual if self.names is None else self.names)]
        subject = [(kind, value.format(**places)) for kind, value in self.subject]
        return self.spoil(forge.pem(subject, names, forge.KEYS[self.key](), self.extensions))


@dataclass(frozen=True)
class Case:
    """Requests, and who is to answer them: ``approve`` is the playbook certificates_approve, ``recover`` the approver that
    works while a node gets a new client certificate. After each of the ``rounds`` it is run once.
    """

    id: str
    kind: str
    rounds: tuple[tuple[Ask, ...], ...]
    mode: Mode = "approve"
    variables: dict[str, t.Any] = field(default_factory=dict)
    check: bool = False
    renewed: bool = False  # recover: the first round is sent with the token of before, and not answered

    @property
    def asks(self) -> tuple[Ask, ...]:
        """All of them, in their order."""
        return tuple(ask for asks in self.rounds for ask in asks)

    @property
    def beside(self) -> bool:
        """Another node's name is in it, so that nobody may judge that one meanwhile."""
        texts = [value for ask in self.asks for dummy, value in ask.subject]
        return any("{other}" in text for text in texts) or any(ask.who == "neighbour" for ask in self.asks)


def one(id: str, kind: str, words: str, **more: t.Any) -> Case:
    """A single request that is to be left."""
    return Case(id, kind, ((Ask(words=words, **more),),))


def refused(id: str, kind: str, words: str, **more: t.Any) -> Case:
    """A single request that the API server does not take."""
    return Case(id, kind, ((Ask("refused", words, **more),),))


def _honest() -> Iterable[Case]:
    yield Case("the node's own, for its server", "honest", ((Ask("approved"),),))
    yield Case("the node's own, for its server, --check", "honest", ((Ask("would"),),), check=True)
    yield Case("the node's own, as a client", "honest", ((Ask("kubernetes", signer=CLIENT),),))
    yield Case("the node's own, in the midst of an account's", "honest", ((HOSTILE, Ask("approved"), HOSTILE),))


HOSTILE: t.Final = Ask("left", "system:serviceaccount:.* asks, not", who="account", count=10)


def _subjects() -> Iterable[Case]:
    name = "only create a node CSR with CN=system:node:{node}"
    about_none = "system:serviceaccount:.* asks, and it is about no host"
    last = (("O", "system:nodes"), ("CN", "kubernetes-admin"), ("CN", "system:node:{node}"))
    yield refused("another node's name", "subject", name, subject=OTHER)
    yield one("another node's name, asked by an account", "subject", about_none, who="account", subject=OTHER)
    yield one(
        "an admin's name before the node's", "subject", "is for the name kubernetes-admin, system:node", subject=last
    )
    yield refused("the node's name in capitals", "subject", name, subject=(NODE[0], ("CN", "System:Node:{node}")))
    yield one(
        "the node's name with a blank, asked by an account",
        "subject",
        about_none,
        who="account",
        subject=(NODE[0], ("CN", "system:node:{node} ")),
    )
    yield one("system:masters", "subject", "is for the groups system:masters, not", subject=MASTERS)
    yield one(
        "system:masters beside system:nodes",
        "subject",
        "is for the groups system:masters, system:nodes",
        subject=(MASTERS[0], *NODE),
    )
    yield one("no group", "subject", "is for the groups none", subject=NODE[1:])
    yield one("one attribute more", "subject", "the attribute 55040b", subject=(*NODE, ("OU", "x")))
    yield one("approved by its own word", "subject", "system:masters", subject=MASTERS, status=APPROVED)
    yield refused("no name at all", "subject", name, subject=())


APPROVED: t.Final = {
    "conditions": [{"type": "Approved", "status": "True", "reason": "OutwardKubeletChecked", "message": "fine"}]
}


def _names() -> Iterable[Case]:
    def more(*names: str) -> tuple[str, ...]:
        return (*ADDRESSES, *names)

    yield one("another host name too", "names", "does not have {other}", names=more("{other}"))
    yield one("the API server's name too", "names", "does not have kubernetes", names=more("kubernetes.default.svc"))
    yield one("a wildcard", "names", r"does not have \*", names=more("*.cluster.local"))
    yield one("another node's address", "names", "does not have {other_address}", names=("{node}", "{other_address}"))
    yield one("another node's address too", "names", "does not have {other_address}", names=more("{other_address}"))
    yield one("the API server's address too", "names", "does not have 10.77.0.1", names=more("10.77.0.1"))
    yield one("localhost too", "names", "does not have 127.0.0.1", names=more("127.0.0.1"))
    yield one("an IPv6 address too", "names", "does not have ::1", names=more("::1"))
    yield one("no address", "names", "it is for no address", names=())
    yield one("an address twice", "names", "in it twice", names=more("::ffff:{address}"))
    yield one("its address as a host name", "names", "DNS for the address {address}", names=("{node}", "DNS:{address}"))
    yield one("a URI too", "names", "the name URI", names=more("URI:https://{address}"))
    yield one("an e-mail address too", "names", "the name email", names=more("email:root@{node}"))
    yield one(
        "more names than can be read", "names", "of more than 8192", names=more(*(f"h{n}.example" for n in range(600)))
    )
    yield Case(
        "an address that the inventory does not have",
        "names",
        ((Ask(words="the inventory does not give it {address}"),),),
        variables={"ansible_host": "10.77.0.99"},
    )
    yield Case(
        "an address that only the inventory has",
        "names",
        ((Ask(words="the Node does not have 10.77.0.98", names=more("10.77.0.98")),),),
        variables={"outward_node_addresses": ["10.77.0.98"]},
    )
    yield one("a CA", "names", "the extension 551d13", extensions=(made.BasicConstraints(ca=True, path_length=None),))


def _signers() -> Iterable[Case]:
    none = "signer .*, which is none that this node asks"
    yield one("the signer of clients", "signer", none, signer=ADMINS)
    yield refused("the signer of clients, system:masters", "signer", "system:masters", signer=ADMINS, subject=MASTERS)
    yield refused("the legacy signer", "signer", "legacy signerName is not allowed", signer=LEGACY)
    yield one("a signer of nobody's", "signer", none, signer="example.com/any")
    yield one(
        "a server's request to the kubelets' client signer", "signer", "usages", signer=CLIENT, usages=USAGES[SERVING]
    )
    yield one("a client with addresses", "signer", "a client has no other names", signer=CLIENT, names=ADDRESSES)
    yield one("a client's request to the serving signer", "signer", "usages are", usages=USAGES[CLIENT])
    yield one("system:masters as a client", "signer", "groups system:masters", signer=CLIENT, subject=MASTERS)


def _usages() -> Iterable[Case]:
    yield one("both usages", "usages", "usages are", usages=(*USAGES[SERVING], "client auth"))
    yield one("to sign certificates", "usages", "usages are .*cert sign", usages=(*USAGES[SERVING], "cert sign"))
    yield one("any usage", "usages", "usages are any", usages=("any",))
    yield refused("a usage twice", "usages", "Duplicate value", usages=(*USAGES[SERVING], "server auth"))
    yield refused("a usage that there is not", "usages", "Unsupported value", usages=(*USAGES[SERVING], "rule"))
    yield refused("no usage", "usages", "usages: Required", usages=())
    yield one("good for a hundred years", "usages", "good for 2147483647 s", spec={"expirationSeconds": 2**31 - 1})


def _keys() -> Iterable[Case]:
    yield one("RSA 1024", "key", "its key is RSA 1024", key="RSA 1024")
    yield one("RSA 2048", "key", "its key is RSA 2048", key="RSA 2048")
    yield one("EC P-384", "key", "its key is EC P-384", key="EC P-384")
    yield one("Ed25519", "key", "its key is another kind", key="Ed25519")


def _askers() -> Iterable[Case]:
    forged = {"username": "system:node:pi-05", "groups": ["system:nodes", "system:authenticated"], "uid": "0"}
    may_not = "cannot create resource"
    yield one("a ServiceAccount", "requestor", "serviceaccount:.* asks, not system:node:{node}", who="account")
    yield one("a ServiceAccount that says it is the node", "requestor", "serviceaccount", who="account", spec=forged)
    yield refused("a ServiceAccount without the right", "requestor", may_not, who="visitor")
    yield refused("nobody", "requestor", "system:anonymous|Unauthorized", who="anonymous")
    yield refused("another node", "requestor", "with CN=system:node:{other}", who="neighbour")
    yield one(
        "another node, to a signer of nobody's",
        "requestor",
        "{other} asks, not",
        who="neighbour",
        signer="example.com/any",
    )
    yield one("a cluster admin", "requestor", "asks, not system:node:{node}", who="admin")
    yield one("a bootstrap token", "requestor", "bootstrap:.* asks, not", who="stranger")
    yield one("a bootstrap token, as a client", "requestor", "bootstrap:.* asks, not", who="stranger", signer=CLIENT)
    yield one("kubeadm's join token, for the server", "requestor", "bootstrap:.* asks, not", who="kubeadm")
    # Not ours to prevent: who holds a token of kubeadm's can become any node, and kube-controller-manager signs it.
    yield Case("kubeadm's join token, as a client", "limit", ((Ask("kubernetes", who="kubeadm", signer=CLIENT),),))
    yield Case("the node, as a client, RSA 1024", "limit", ((Ask("kubernetes", signer=CLIENT, key="RSA 1024"),),))


def _replays() -> Iterable[Case]:
    again = Ask(words="another request has the same key", copy=True)
    yield Case("the same once more, when it was signed", "replay", ((Ask("approved"),), (again,)))
    yield Case("the same at once", "replay", ((replace(again, copy=False), again),))
    yield Case("copied by an account", "replay", ((Ask("approved"), Ask(words="asks, not", who="account", copy=True)),))
    yield Case(
        "copied by an account to a signer of nobody's",
        "replay",
        ((Ask("approved"), Ask(words="asks, not", who="account", signer="example.com/any", copy=True)),),
    )
    yield Case(
        "copied by another node to a signer of nobody's",
        "replay",
        ((Ask("approved"), Ask(words="asks, not", who="neighbour", signer="example.com/any", copy=True)),),
    )
    yield one("of two hours ago", "age", "does not wait for it any more", age=2 * HOUR)
    yield one("of tomorrow", "age", "in the future", age=-24 * HOUR)
    yield Case("of before the one that was approved", "age", ((Ask("approved"),), (Ask(words=NEWER, age=60),)))


NEWER: t.Final = "the newer .* asks for the same"


def _floods() -> Iterable[Case]:
    many = "such requests wait, more than a kubelet makes"
    yield Case("fifty of the node's", "flood", ((Ask(words=f"50 {many}", count=50),),))
    ten = (Ask(words=NEWER, count=9), Ask("approved"))
    yield Case("ten of the node's, one is approved", "flood", (ten,))
    yield Case("ten of the node's, asked twice, one is approved", "flood", (ten, ()))
    yield Case("fifty of an account's beside the node's", "flood", ((replace(HOSTILE, count=50), Ask("approved")),))


def _malformed() -> Iterable[Case]:
    unread = "cannot be read"
    yield refused("no PEM", "malformed", "PEM block type must be", spoil=forge.no_pem)
    yield refused("no DER in it", "malformed", "asn1|malformed|x509", spoil=forge.no_der)
    yield refused("cut off", "malformed", "asn1|malformed|x509", spoil=forge.cut)
    yield refused("changed after it was signed", "malformed", "verification failure|signature", spoil=forge.unsigned)
    yield refused("a block of a certificate", "malformed", "PEM block type must be", spoil=forge.of_a_certificate)
    yield one("a second request behind it", "malformed", unread, spoil=forge.masters_behind)
    yield one("words before it", "malformed", unread, spoil=forge.worded)
    yield one("a header in it", "malformed", unread, spoil=forge.headed)
    yield one("words before it, by an account", "malformed", unread, who="account", spoil=forge.worded)
    yield one(
        "a line of ours in its name",
        "malformed",
        unread,
        names=(*ADDRESSES, f"DNS:x\n{{node}}: outward-hostile-000 ({SERVING}) approved"),
    )


def _bootstrapping() -> Iterable[Case]:
    """While a client certificate is renewed; the token's requests are judged, and nobody else's."""

    def lent(id: str, kind: str, words: str, **more: t.Any) -> Case:
        return Case(id, kind, ((Ask(words=words, **{"who": "lent", "signer": CLIENT, **more}),),), mode="recover")

    own = Ask("approved", who="lent", signer=CLIENT)
    yield Case("the token's own", "honest", ((own,),), mode="recover")
    yield lent("another node's name", "subject", "is for the name system:node:{other}, not", subject=OTHER)
    yield lent("system:masters", "subject", "is for the groups system:masters, not", subject=MASTERS)
    yield lent("system:masters beside system:nodes", "subject", "system:masters", subject=(MASTERS[0], *NODE))
    yield lent("with addresses", "names", "a client has no other names", names=ADDRESSES)
    yield lent("to the serving signer", "signer", "which is none that this node asks", signer=SERVING)
    yield lent("to the signer of clients", "signer", "which is none that this node asks", signer=ADMINS)
    yield lent("both usages", "usages", "usages are", usages=(*USAGES[CLIENT], "server auth"))
    yield lent("good for a hundred years", "usages", "good for", spec={"expirationSeconds": 2**31 - 1})
    yield lent("RSA 1024", "key", "its key is RSA 1024", key="RSA 1024")
    yield lent("a ServiceAccount", "requestor", "asks, not system:bootstrap", who="account")
    yield lent("another bootstrap token", "requestor", "asks, not system:bootstrap", who="stranger")
    yield lent("the node's certificate of before, for its server", "requestor", "asks, not", who="node", signer=SERVING)
    yield lent("of two hours ago", "age", "does not wait for it any more", age=2 * HOUR)
    before = Ask(words="from before its token was made", who="lent", signer=CLIENT, key="EC P-256")
    yield Case("of the token before", "age", ((before,), ()), mode="recover", renewed=True)
    again = replace(own, end="left", words="another request has the same key", copy=True)
    yield Case("the same once more, when it was signed", "replay", ((own,), (again,)), mode="recover")
    yield lent("fifty", "flood", "50 such requests wait", count=50)
    yield Case(
        "ten, one is approved", "flood", ((replace(own, end="left", words=NEWER, count=9), own),), mode="recover"
    )
    yield lent("a second request behind it", "malformed", "cannot be read", spoil=forge.masters_behind)


CASES: t.Final[tuple[Case, ...]] = tuple(
    case
    for part in (
        _honest,
        _subjects,
        _names,
        _signers,
        _usages,
        _keys,
        _askers,
        _replays,
        _floods,
        _malformed,
        _bootstrapping,
    )
    for case in part()
)
