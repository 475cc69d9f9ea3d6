# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""A CNI configuration (CNI specification 1.0, section 1) -> its network and the plugins it needs."""

from __future__ import annotations

import json
import typing as t

from .errors import ParseError


class Network(t.NamedTuple):
    """The network of one configuration file; `plugins` includes the IPAM plugins."""

    name: str
    plugins: tuple[str, ...]


def network(text: str, is_list: bool) -> Network:
    """*is_list*: of a `.conflist`; raises :class:`ParseError` saying why no runtime can use it."""
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
    if is_list and not isinstance(value.get("name"), str):
        raise ParseError("no name")
    names: list[str] = []
    for entry in entries:
        names += _types(entry)
    return Network(str(value.get("name", "")), tuple(dict.fromkeys(names)))


def _types(entry: t.Any) -> list[str]:
    if not isinstance(entry, dict) or not isinstance(entry.get("type"), str) or not entry["type"]:
        raise ParseError("a plugin without a type")
    ipam = entry.get("ipam")
    inner = ipam.get("type") if isinstance(ipam, dict) else None
    return [entry["type"], *([inner] if isinstance(inner, str) and inner else [])]
