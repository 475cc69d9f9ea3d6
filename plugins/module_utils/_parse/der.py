# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Distinguished encoding rules (X.690), as far as certificates and keys need them."""

from __future__ import annotations

import typing as t

from .errors import ParseError

INTEGER, BIT_STRING, OCTET_STRING, OID = 0x02, 0x03, 0x04, 0x06
SEQUENCE, SET = 0x30, 0x31


class Element(t.NamedTuple):
    """One element: its tag, its content, and all of it as it is encoded."""

    tag: int
    content: bytes
    encoded: bytes


def element(data: bytes) -> Element:
    """The one element that *data* is. Raises :class:`ParseError` when it is less or more than that."""
    found, rest = _first(data)
    if rest:
        raise ParseError("something follows the end of the DER")
    return found


def children(data: bytes) -> list[Element]:
    """The elements in the content of a sequence or set."""
    found: list[Element] = []
    while data:
        item, data = _first(data)
        found.append(item)
    return found


def _first(data: bytes) -> tuple[Element, bytes]:
    if len(data) < 2 or data[0] & 0x1F == 0x1F:
        raise ParseError("no DER")
    length, start = data[1], 2
    if length & 0x80:
        octets = length & 0x7F
        if not 1 <= octets <= 4 or len(data) < 2 + octets:
            raise ParseError("no DER: a length that cannot be")
        length, start = int.from_bytes(data[2 : 2 + octets], "big"), 2 + octets
    end = start + length
    if end > len(data):
        raise ParseError("DER that does not end")
    return Element(data[0], data[start:end], data[:end]), data[end:]


def sequence(data: bytes, least: int) -> list[Element]:
    """The children of the one sequence that *data* is; at least *least* of them."""
    top = element(data)
    found = children(top.content) if top.tag == SEQUENCE else []
    if len(found) < least:
        raise ParseError("DER of another shape")
    return found
