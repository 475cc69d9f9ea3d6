# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""The wire format of protocol buffers, as far as the CRI's answers need it."""

from __future__ import annotations

import typing as t

from .errors import ParseError

Field = tuple[int, t.Union[int, bytes]]


def fields(message: bytes) -> t.Iterator[Field]:
    """(number, value) of each field: an int for a varint, bytes for all else. Raises :class:`ParseError`."""
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        number, kind = key >> 3, key & 7
        if not number:
            raise ParseError("field number 0")
        if kind == 0:
            value, at = _varint(message, at)
            yield number, value
            continue
        length, at = _length(message, at, kind)
        if at + length > len(message):
            raise ParseError("a field that does not end")
        yield number, message[at : at + length]
        at += length


def _length(message: bytes, at: int, kind: int) -> tuple[int, int]:
    if kind == 2:
        return _varint(message, at)
    if kind in (1, 5):
        return (8 if kind == 1 else 4), at
    raise ParseError("a wire type that is none")


def _varint(message: bytes, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(message):
            break
        octet = message[at]
        at += 1
        value |= (octet & 0x7F) << shift
        if octet < 0x80:
            return value, at
    raise ParseError("a varint that does not end")


def text(message: bytes, number: int) -> str:
    """The last field *number* as a string; empty when it is not there (the default of proto3)."""
    found = [value for key, value in fields(message) if key == number and isinstance(value, bytes)]
    return found[-1].decode("utf-8", "replace") if found else ""


def integer(message: bytes, number: int) -> int:
    """The last field *number* as a number; 0 when it is not there."""
    found = [value for key, value in fields(message) if key == number and isinstance(value, int)]
    return found[-1] if found else 0


def messages(message: bytes, number: int) -> list[bytes]:
    """All fields *number*, each an embedded message."""
    return [value for key, value in fields(message) if key == number and isinstance(value, bytes)]


def latest(message: bytes) -> dict[int, t.Union[int, bytes]]:
    """Number -> the last value of each field, in one pass: for messages that come by the hundred."""
    return dict(fields(message))


def embedded(number: int, message: bytes) -> bytes:
    """A field (below 16) that holds a message, or a string as its octets."""
    length, size = len(message), b""
    while length > 0x7F:
        size += bytes((length & 0x7F | 0x80,))
        length >>= 7
    return bytes((number << 3 | 2,)) + size + bytes((length,)) + message


def enum(number: int, value: int) -> bytes:
    """A field that holds a number below 128; written even when it is 0, so that the message is there."""
    return bytes((number << 3, value))
