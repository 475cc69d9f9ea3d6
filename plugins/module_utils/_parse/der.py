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
    found, end = _at(data, 0)
    if end < len(data):
        raise ParseError("something follows the end of the DER")
    return found


def children(data: bytes) -> list[Element]:
    """The elements in the content of a sequence or set."""
    found: list[Element] = []
    at = 0
    while at < len(data):
        item, at = _at(data, at)
        found.append(item)
    return found


def _at(data: bytes, at: int) -> tuple[Element, int]:
    """The element that begins at *at*, and where it ends."""
    if len(data) < at + 2 or data[at] & 0x1F == 0x1F:
        raise ParseError("no DER")
    length, start = data[at + 1], at + 2
    if length & 0x80:
        octets = length & 0x7F
        if not 1 <= octets <= 4 or len(data) < start + octets:
            raise ParseError("no DER: a length that cannot be")
        length, start = int.from_bytes(data[start : start + octets], "big"), start + octets
    end = start + length
    if end > len(data):
        raise ParseError("DER that does not end")
    return Element(data[at], data[start:end], data[at:end]), end


def sequence(data: bytes, least: int) -> list[Element]:
    """The children of the one sequence that *data* is; at least *least* of them."""
    top = element(data)
    found = children(top.content) if top.tag == SEQUENCE else []
    if len(found) < least:
        raise ParseError("DER of another shape")
    return found
