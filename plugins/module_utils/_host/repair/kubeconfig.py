# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""The kubelet's kubeconfig: where the API server is. What is written is tried before, from this node, with the node's own CA."""

from __future__ import annotations

import base64
import re
import typing as t
from collections.abc import Iterator

from ..._diagnosis.change import ApiServer, Content, Lines, NodeKubeconfig
from ..._parse import kubeconfig, x509
from ..files import read, read_or_none
from .certificates import end
from .files import content, lines
from .tools import NotPossible, Op, Tools

# No character that YAML or a shell would read as more than itself.
ADDRESS: t.Final = re.compile(r"https://(?:\[[0-9A-Fa-f:.]{2,60}\]|[0-9A-Za-z.-]{1,253})(?::[0-9]{1,5})?")
ITSELF: t.Final = re.compile(r"https://(?:localhost\b|127\.|\[::1\])")
NAME: t.Final = re.compile(r"https://([0-9A-Za-z.-]*[A-Za-z][0-9A-Za-z.-]*)(?::[0-9]{1,5})?/?")
SERVER: t.Final = r"^(\s{1,40}server\s{0,10}:\s{0,10})\S.*$"
# As kubeadm writes it (kubeconfig.CreateWithToken and what the kubelet's bootstrap makes of it); keys stay where they are.
TEXT: t.Final = """apiVersion: v1
clusters:
- cluster:
    certificate-authority-data: {ca}
    server: {server}
  name: kubernetes
contexts:
- context:
    cluster: kubernetes
    user: {name}
  name: {name}@kubernetes
current-context: {name}@kubernetes
kind: Config
preferences: {{}}
users:
- name: {name}
  user:
    client-certificate: {client}
    client-key: {client}
"""


def api_server(change: ApiServer, tools: Tools) -> Iterator[Op]:
    """One line; with several clusters in the file it is not ours to say which of them has moved."""
    text = read(tools.path(change.path))
    found = [line for line in text.splitlines() if re.match(SERVER, line)]
    if len(found) != 1:
        raise NotPossible(
            f"{change.path} has {len(found)} lines that name a server: which of them is wrong cannot be told"
        )
    try:
        access = kubeconfig.access(text)
    except kubeconfig.Unusable as error:
        raise NotPossible(f"{change.path} cannot be used: {error}") from error
    server = _answering(access, tools)
    _not_the_clusters_name(access, server, tools)
    yield from lines(Lines(change.path, SERVER, rf"\g<1>{server}", needed=True), tools)


def made_anew(change: NodeKubeconfig, tools: Tools) -> Iterator[Op]:
    """Of what lies on the node; no key is read but to see that it is the certificate's."""
    authority = read_or_none(tools.path(change.ca_file))
    if authority is None:
        raise NotPossible(f"{change.ca_file} is not there: the cluster's CA has to come from another node")
    known = x509.certificates(authority)
    if end(tools.path(change.client), change.name, change.now, known) is None:
        raise NotPossible(
            f"{change.client} is no certificate for {change.name} with its key, signed by the CA in {change.ca_file} and valid now"
        )
    ca = b"".join(x509.to_pem(each.encoded) for each in known)
    server = _answering(kubeconfig.Access("", None, ca, change.client, change.client, None), tools)
    data = base64.b64encode(ca).decode("ascii")
    text = TEXT.format(ca=data, server=server, name=change.name, client=change.client)
    yield from content(Content(change.path, text, 0o600), tools)


def _not_the_clusters_name(access: kubeconfig.Access, server: str, tools: Tools) -> None:
    """A name in the API server's certificate is how nodes are meant to reach it: often one for several control planes."""
    named = NAME.fullmatch(access.server)
    if not named:
        return
    name = named.group(1)
    answer = tools.reach(access._replace(server=server), name)
    if answer.outcome == "ok":
        raise NotPossible(
            f"the API server's certificate is for {name} too, so nodes are meant to use that name: let this node resolve it"
        )
    if answer.outcome != "tls":
        raise NotPossible(f"whether {name} is a name of this cluster's cannot be told: {answer.detail}")


def _answering(access: kubeconfig.Access, tools: Tools) -> str:
    """The controller's address, when the API server is ready there for this node too."""
    server = tools.server.rstrip("/")
    if not server:
        raise NotPossible("at which address the controller reaches the API server is not known")
    if not ADDRESS.fullmatch(server):
        raise NotPossible(f"the controller reaches the API server at {server}, which is no plain https address")
    if ITSELF.match(server):
        raise NotPossible(f"the controller reaches the API server at {server}, which on this node is the node itself")
    answer = tools.reach(access._replace(server=server))
    if answer.outcome != "ok":
        raise NotPossible(
            f"{server}, where the controller reaches the API server, does not serve this node: {answer.detail}"
        )
    return server
