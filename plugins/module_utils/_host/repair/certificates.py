# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""What the kubelet trusts, from another place on this node. Keys are compared, never told."""

from __future__ import annotations

from collections.abc import Iterator

from ..._diagnosis.change import ClientCa, Content
from ..._parse import kubeconfig, x509
from ..files import read, read_or_none
from .files import content
from .tools import NotPossible, Op, Tools


def client_ca(change: ClientCa, tools: Tools) -> Iterator[Op]:
    """The certificates alone are written, whatever else stands beside them."""
    authority = _authority(change.kubeconfig, tools)
    text = b"".join(x509.to_pem(each.encoded) for each in authority).decode("ascii")
    yield from content(Content(change.path, text), tools)


def _authority(path: str, tools: Tools) -> list[x509.X509]:
    """The CA of a kubeconfig; raises :class:`NotPossible` when it names none that is there, else ``ParseError``."""
    try:
        access = kubeconfig.access(read(tools.path(path)))
    except kubeconfig.Unusable as error:
        raise NotPossible(f"{path} cannot be used: {error}") from error
    data = access.ca_data.decode("ascii", "replace") if access.ca_data is not None else None
    text = data or (read_or_none(tools.path(access.ca_file)) if access.ca_file else None)
    if text is None:
        raise NotPossible(f"{path} holds no CA")
    return x509.certificates(text)
