# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""What may be secret in text of a node is taken out before it leaves the node."""

from __future__ import annotations

import re
import typing as t

_GONE: t.Final = "<redacted>"
# Each is linear in the text: no pattern has two unbounded parts that can match the same characters.
# (what a text must contain, in lower case, for the pattern to be worth its time; the pattern; the replacement)
_RULES: t.Final[tuple[tuple[tuple[str, ...], re.Pattern[str], str], ...]] = (
    (
        ("-----begin",),
        re.compile(r"-----BEGIN [A-Z0-9 ]{1,40}-----[^-]*(?:-----END [A-Z0-9 ]{1,40}-----)?"),
        f"{_GONE} PEM",
    ),
    (("eyj",), re.compile(r"\beyJ[A-Za-z0-9_-]{10,}(?:\.[A-Za-z0-9_-]+){0,2}"), _GONE),
    (
        ("bearer", "basic"),
        re.compile(r"\b(bearer|basic)[ =:]+[A-Za-z0-9._~+/=-]{8,}", re.IGNORECASE),
        rf"\1 {_GONE}",
    ),
    (
        ("token", "passw", "passphrase", "authorization", "key", "client"),
        re.compile(
            r"((?:token|passw(?:or)?d|passphrase|authorization|api[_-]?key|access[_-]?key|secret[_-]?key"
            r"|client[_-]?secret)[\"']?[=:] ?[\"']?)(?!Bearer |Basic )[^\s\"',;&}]{3,}",
            re.IGNORECASE,
        ),
        rf"\1{_GONE}",
    ),
    (("",), re.compile(r"\b[a-z0-9]{6}\.[a-z0-9]{16}\b"), f"{_GONE} token"),  # a bootstrap token
    (("://",), re.compile(r"://[^/\s@\"']{1,200}@"), f"://{_GONE}@"),
)
# Certificates and keys in base64; an image digest or a container id has 64 characters.
_SHORTEST_BLOB: t.Final = 60
_BLOB: t.Final = re.compile(r"(?<![A-Za-z0-9+/])(?![0-9a-f]{64}(?![A-Za-z0-9+/]))[A-Za-z0-9+/]{60,}={0,2}")


def redact(text: str) -> str:
    """*text* without keys, tokens, passwords and base64 blobs."""
    lower = text.lower()
    for needles, pattern, replacement in _RULES:
        if any(needle in lower for needle in needles):
            text = pattern.sub(replacement, text)
    if any(len(word) >= _SHORTEST_BLOB for word in text.split()):
        text = _BLOB.sub(_GONE, text)
    return text
