# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""A kubeconfig -> where the API server is and what the kubelet shows it; nothing secret comes out of here."""

from __future__ import annotations

import binascii
import re
import typing as t

from .errors import NotThatFormat
from .yaml import load


class Unusable(ValueError):
    """It is certain that no client can use this kubeconfig; the text says why."""


class Access(t.NamedTuple):
    """What the current context of a kubeconfig leads to."""

    server: str
    ca_file: str | None
    ca_data: bytes | None  # PEM
    client_certificate: str | None  # path
    client_key: str | None  # path
    client_data: bytes | None  # PEM of the certificate


def access(text: str) -> Access:
    """Raises :class:`Unusable`, or :class:`ParseError` when this reader cannot tell."""
    try:
        value = load(text)
    except NotThatFormat as error:
        raise Unusable(f"not YAML: {error}") from error
    if value is None:
        raise Unusable("empty")
    if not isinstance(value, dict):
        raise Unusable("no mapping")
    context = _named(value, "contexts", "context", value.get("current-context"))
    cluster = _named(value, "clusters", "cluster", context.get("cluster"))
    user = _named(value, "users", "user", context.get("user"))
    server = cluster.get("server")
    if not isinstance(server, str) or not re.match(r"https?://[^/\s]", server):
        raise Unusable("the cluster has no server")
    return Access(
        server=server,
        ca_file=_text(cluster, "certificate-authority"),
        ca_data=_data(cluster, "certificate-authority-data"),
        client_certificate=_text(user, "client-certificate"),
        client_key=_text(user, "client-key"),
        client_data=_data(user, "client-certificate-data"),
    )


def _named(config: t.Mapping[str, t.Any], group: str, inner: str, name: t.Any) -> dict[str, t.Any]:
    entries = config.get(group)
    for entry in entries if isinstance(entries, list) else ():
        if isinstance(entry, dict) and entry.get("name") == name and isinstance(entry.get(inner), dict):
            found: dict[str, t.Any] = entry[inner]
            return found
    raise Unusable(f"no {inner} of the current context")


def _text(mapping: t.Mapping[str, t.Any], key: str) -> str | None:
    value = mapping.get(key)
    return value if isinstance(value, str) and value else None


def _data(mapping: t.Mapping[str, t.Any], key: str) -> bytes | None:
    text = _text(mapping, key)
    if text is None:
        return None
    try:
        return binascii.a2b_base64(text)
    except ValueError as error:  # binascii.Error, or characters that are not ASCII
        raise Unusable(f"{key} is no base64") from error
