# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Header compression for HTTP/2 (RFC 7541), as far as a client needs it whose table has size 0."""

from __future__ import annotations

import functools
import typing as t

from .errors import ParseError

Header = tuple[str, str]

# RFC 7541 appendix A: the names; of the values only the statuses.
_STATIC_NAMES: t.Final = (
    ":authority :method :method :path :path :scheme :scheme :status :status :status :status :status :status :status "
    "accept-charset accept-encoding accept-language accept-ranges accept access-control-allow-origin age allow "
    "authorization cache-control content-disposition content-encoding content-language content-length "
    "content-location content-range content-type cookie date etag expect expires from host if-match "
    "if-modified-since if-none-match if-range if-unmodified-since last-modified link location max-forwards "
    "proxy-authenticate proxy-authorization range referer refresh retry-after server set-cookie "
    "strict-transport-security transfer-encoding user-agent vary via www-authenticate"
)
_STATIC: t.Final = _STATIC_NAMES.split(" ")
_STATUS: t.Final = {8: "200", 9: "204", 10: "206", 11: "304", 12: "400", 13: "404", 14: "500"}

# RFC 7541 appendix B is a canonical code: the length of each symbol's code (0-9, a-u) is all of it.
_LENGTHS: t.Final = (
    "dnsssssssoussussssssssusssssssss6aacd68baa8b8666555666666678f6ca"
    "d67777777777777777777777878djde6f56565666577666567655677777fbeds"
    "kmkkmmmnmnnnnnonoomnonnnnlmnmnnomlkmmnnlnmmolmnnllmlnmnnkmmmnmmn"
    "qqkjmnmpqqqrrqopjlqrrqrollqqsrrrkoklmllnmmppooqnqrqqrrrrrsrrrrrq"
    "u"
)
_EOS: t.Final = 256
_LONGEST: t.Final = 30


def encode(headers: t.Iterable[Header]) -> bytes:
    """Literal fields that are never indexed and not compressed; names and values shorter than 127 octets."""
    return b"".join(b"\0" + _short(name) + _short(value) for name, value in headers)


def _short(text: str) -> bytes:
    data = text.encode("ascii")
    return bytes((len(data),)) + data


def decode(block: bytes) -> list[Header]:
    """One header block of a server that was told a table size of 0. Raises :class:`ParseError`."""
    headers: list[Header] = []
    at = 0
    while at < len(block):
        first = block[at]
        if first & 0x80:
            index, at = _integer(block, at, 7)
            headers.append((_name(index), _STATUS.get(index, "")))
        elif first & 0xE0 == 0x20:
            size, at = _integer(block, at, 5)
            if size:
                raise ParseError("the server uses a table that it was told not to use")
        else:
            index, at = _integer(block, at, 6 if first & 0x40 else 4)
            name, at = (_name(index), at) if index else _string(block, at)
            value, at = _string(block, at)
            headers.append((name, value))
    return headers


def _name(index: int) -> str:
    if not 1 <= index <= len(_STATIC):
        raise ParseError("a header that is not in the static table")
    return _STATIC[index - 1]


def _integer(block: bytes, at: int, bits: int) -> tuple[int, int]:
    """RFC 7541 section 5.1, at most four octets after the prefix."""
    limit = (1 << bits) - 1
    value = block[at] & limit
    at += 1
    if value < limit:
        return value, at
    for shift in (0, 7, 14, 21):
        if at >= len(block):
            break
        octet = block[at]
        at += 1
        value += (octet & 0x7F) << shift
        if octet < 0x80:
            return value, at
    raise ParseError("an integer that does not end")


def _string(block: bytes, at: int) -> tuple[str, int]:
    if at >= len(block):
        raise ParseError("a header that does not end")
    compressed = block[at] & 0x80
    length, at = _integer(block, at, 7)
    data = block[at : at + length]
    if len(data) != length:
        raise ParseError("a header that does not end")
    return (huffman(data) if compressed else data).decode("utf-8", "replace"), at + length


@functools.lru_cache(maxsize=1)
def _canonical() -> tuple[list[tuple[int, int, int]], list[int]]:
    """For each length of a code: (first code, how many, index of its first symbol); and the symbols in order."""
    order = sorted(range(_EOS + 1), key=lambda symbol: (int(_LENGTHS[symbol], 36), symbol))
    rows: list[tuple[int, int, int]] = []
    code = index = 0
    for length in range(1, _LONGEST + 1):
        code <<= 1
        count = sum(int(mark, 36) == length for mark in _LENGTHS)
        rows.append((code, count, index))
        code += count
        index += count
    return rows, order


def huffman(data: bytes) -> bytes:
    """Decode RFC 7541 section 5.2: padded with fewer than eight ones. Raises :class:`ParseError`."""
    rows, order = _canonical()
    result: list[int] = []
    code = length = 0
    for bit in _bits(data):
        code = code << 1 | bit
        first, count, index = rows[length]
        length += 1
        if code - first < count:
            result.append(order[index + code - first])
            code = length = 0
        elif length == _LONGEST:
            raise ParseError("a code that is none")
    if _EOS in result:
        raise ParseError("the end symbol inside a string")
    if length > 7 or code != (1 << length) - 1:
        raise ParseError("the padding is wrong")
    return bytes(result)


def _bits(data: bytes) -> t.Iterator[int]:
    return (octet >> shift & 1 for octet in data for shift in range(7, -1, -1))
