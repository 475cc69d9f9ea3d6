# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Evidence on its way through the pipe from a probe's process: JSON, without looking at a type hint."""

from __future__ import annotations

import json
import typing as t
from datetime import datetime

from .._diagnosis import node, node_pods
from .._diagnosis.evidence import Evidence, Unknown

_KINDS: t.Final[dict[str, type[Evidence]]] = {
    name: kind
    for name, kind in {**vars(node), **vars(node_pods)}.items()
    if isinstance(kind, type) and issubclass(kind, Evidence)
}


def encode(value: t.Any) -> bytes:
    """A value that a probe answers: evidence, unknown, tuples, dictionaries, times, plain values."""
    return json.dumps(_plain(value)).encode()


def decode(data: bytes) -> t.Any:
    """The inverse of :func:`encode` (lists become tuples); raises ``ValueError`` for half an answer."""
    return json.loads(data, object_hook=_object)


def _plain(value: t.Any) -> t.Any:
    if isinstance(value, Unknown):
        return {"?": value.reason}
    if isinstance(value, Evidence):
        return {"=": type(value).__name__, "v": {name: _plain(item) for name, item in vars(value).items()}}
    if isinstance(value, datetime):
        return {"@": value.isoformat()}
    if isinstance(value, (tuple, list)):
        return {"t": [_plain(item) for item in value]}
    if isinstance(value, dict):
        return {"d": [[key, _plain(item)] for key, item in value.items()]}
    return value


def _object(pairs: dict[str, t.Any]) -> t.Any:
    if "?" in pairs:
        return Unknown(pairs["?"])
    if "=" in pairs:
        return _KINDS[pairs["="]](**pairs["v"])
    if "@" in pairs:
        return datetime.fromisoformat(pairs["@"])
    if "t" in pairs:
        return tuple(pairs["t"])
    return dict(pairs["d"]) if "d" in pairs else pairs
