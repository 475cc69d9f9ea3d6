# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""A CNI configuration (CNI specification 1.0, section 1) -> its network and the plugins it needs."""

from __future__ import annotations

import base64
import json
import re
import typing as t

from .errors import ParseError

LOOPBACK: t.Final = "cni-loopback"  # containerd makes it besides the Pods' network


class Network(t.NamedTuple):
    """The network of one configuration file; `plugins` includes the IPAM plugins."""

    name: str
    plugins: tuple[str, ...]


def network(text: str, is_list: bool) -> Network:
    """*is_list*: of a `.conflist`; raises :class:`ParseError` saying why no runtime can use it."""
    name, entries = _entries(text, is_list)
    if is_list and not isinstance(name, str):
        raise ParseError("no name")
    names: list[str] = []
    for entry in entries:
        names += _types(entry)
    return Network(str(name or ""), tuple(dict.fromkeys(names)))


class Cached(t.NamedTuple):
    """What libcni keeps of one Pod's network: its configuration list."""

    network: Network
    text: str


def cached(text: str) -> Cached:
    """A file of libcni's cache (libcni/api.go, cachedInfo); raises :class:`ParseError` for what no runtime could use."""
    try:
        value = json.loads(text)
        config = base64.b64decode(value["config"], validate=True).decode("utf-8")
    except (ValueError, RecursionError, KeyError, TypeError) as error:
        raise ParseError("nothing that libcni keeps") from error
    found = network(config, True)
    if not re.fullmatch(r"\w[\w.-]{0,200}", found.name) or found.name == LOOPBACK:
        raise ParseError("the network of no Pod")
    return Cached(found, config)


def bridges(text: str, is_list: bool) -> tuple[str, ...]:
    """The links that its plugins put Pods on: `bridge` of the plugin bridge, flannel's through its `delegate`."""
    found: list[str] = []
    for entry in _entries(text, is_list)[1]:
        plugin = entry if isinstance(entry, dict) else {}
        delegate = plugin.get("delegate")
        inner = delegate if plugin.get("type") == "flannel" and isinstance(delegate, dict) else plugin
        if plugin.get("type") in ("bridge", "flannel"):
            found.append(str(inner.get("bridge") or "cni0"))
    return tuple(found)


def _entries(text: str, is_list: bool) -> tuple[t.Any, list[t.Any]]:
    """The name, and the plugins."""
    if not text.strip():
        raise ParseError("empty")
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ParseError("not JSON") from error
    if not isinstance(value, dict):
        raise ParseError("no JSON object")
    entries = value.get("plugins") if is_list else [value]
    if not isinstance(entries, list) or not entries:
        raise ParseError("no plugins")
    return value.get("name"), entries


def _types(entry: t.Any) -> list[str]:
    if not isinstance(entry, dict) or not isinstance(entry.get("type"), str) or not entry["type"]:
        raise ParseError("a plugin without a type")
    ipam = entry.get("ipam")
    inner = ipam.get("type") if isinstance(ipam, dict) else None
    return [entry["type"], *([inner] if isinstance(inner, str) and inner else [])]
