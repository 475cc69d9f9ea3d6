# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""HTTP/2 frames (RFC 9113) and gRPC messages for a client that asks one thing after the other."""

from __future__ import annotations

import re
import struct
import typing as t

from . import hpack
from .errors import ParseError

DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = 0, 1, 3, 4, 6, 7, 8, 9
END_STREAM, ACK, END_HEADERS, PADDED, PRIORITY = 0x1, 0x1, 0x4, 0x8, 0x20
# SETTINGS_MAX_FRAME_SIZE is 16384 unless we say otherwise; a header of a frame has 9 octets.
LARGEST_FRAME: t.Final = 16384
HEAD: t.Final = 9
# The headers of an answer are some hundred octets.
LARGEST_BLOCK: t.Final = 4 * LARGEST_FRAME
# What a node with a thousand Pods answers to ListContainers is below 2 MiB.
WINDOW: t.Final = 8 * 1024 * 1024


class Frame(t.NamedTuple):
    """One frame; the payload is as it came, padding included."""

    kind: int
    flags: int
    stream: int
    payload: bytes


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    """The octets of one frame."""
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def opening() -> bytes:
    """What a client says first: preface, SETTINGS (no header table, no push, wide windows)."""
    settings = struct.pack(">HIHIHI", 0x1, 0, 0x2, 0, 0x4, WINDOW)
    window = frame(WINDOW_UPDATE, 0, 0, struct.pack(">I", WINDOW))
    return b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(SETTINGS, 0, 0, settings) + window


def request(stream: int, path: str, message: bytes) -> bytes:
    """One unary gRPC call over plain HTTP/2."""
    headers = hpack.encode(
        (
            (":method", "POST"),
            (":scheme", "http"),
            (":path", path),
            (":authority", "localhost"),
            ("content-type", "application/grpc"),
            ("te", "trailers"),
        )
    )
    body = struct.pack(">BI", 0, len(message)) + message
    return frame(HEADERS, END_HEADERS, stream, headers) + frame(DATA, END_STREAM, stream, body)


def next_frame(buffer: bytes) -> tuple[Frame, int] | None:
    """The first frame of *buffer* and how many octets it takes; None when it is not complete yet."""
    if len(buffer) < HEAD:
        return None
    length = int.from_bytes(buffer[:3], "big")
    if length > LARGEST_FRAME:
        raise ParseError("a frame that is too large: this is no HTTP/2")
    if len(buffer) < HEAD + length:
        return None
    kind, flags, stream = struct.unpack(">BBI", buffer[3:HEAD])
    return Frame(kind, flags, stream & 0x7FFFFFFF, bytes(buffer[HEAD : HEAD + length])), HEAD + length


def reply_to(received: Frame) -> bytes:
    """What the protocol demands as an answer to a frame of the connection: an acknowledgement, or nothing."""
    if received.kind == SETTINGS and not received.flags & ACK:
        return frame(SETTINGS, ACK, 0)
    if received.kind == PING and not received.flags & ACK:
        return frame(PING, ACK, 0, received.payload)
    return b""


class Reply:
    """What came back on one stream so far."""

    def __init__(self, stream: int) -> None:
        self.stream = stream
        self.body = bytearray()
        self.headers: dict[str, str] = {}
        self.ended = False
        self._block = bytearray()

    def add(self, received: Frame) -> None:
        """Take one frame in; frames of other streams are ignored. Raises :class:`ParseError`."""
        if received.kind == GOAWAY:
            raise ParseError("the server closed the connection")
        if received.stream != self.stream:
            return
        if received.kind == RST_STREAM:
            raise ParseError("the server reset the stream")
        if received.kind == DATA:
            self.body += _unpadded(received)
        elif received.kind in (HEADERS, CONTINUATION):
            self._add_headers(received)
        if received.kind in (DATA, HEADERS) and received.flags & END_STREAM:
            self.ended = True

    def _add_headers(self, received: Frame) -> None:
        payload = _unpadded(received) if received.kind == HEADERS else received.payload
        if received.kind == HEADERS and received.flags & PRIORITY:
            payload = payload[5:]
        self._block += payload
        if len(self._block) > LARGEST_BLOCK:
            raise ParseError("headers that do not end")
        if received.flags & END_HEADERS:
            self.headers.update(hpack.decode(bytes(self._block)))
            self._block.clear()

    def status(self) -> tuple[int, str]:
        """grpc-status and grpc-message (percent-encoded UTF-8), from the trailers."""
        text = self.headers.get("grpc-status", "")
        if not re.fullmatch(r"[0-9]{1,10}", text):
            raise ParseError(f"no grpc-status (HTTP status {self.headers.get(':status', 'unknown')[:3]})")
        return int(text[:3]), _unquote(self.headers.get("grpc-message", ""))

    def message(self) -> bytes:
        """The one message of a unary answer."""
        if len(self.body) < 5 or self.body[0] != 0:
            raise ParseError("no message, or a compressed one")
        length = int.from_bytes(self.body[1:5], "big")
        if len(self.body) != 5 + length:
            raise ParseError("a message of another length than it says")
        return bytes(self.body[5:])


def _unquote(text: str) -> str:
    """Percent-encoded UTF-8; importing urllib for it would cost more than the whole call."""
    data = re.sub(rb"%([0-9A-Fa-f]{2})", lambda match: bytes((int(match.group(1), 16),)), text.encode("utf-8"))
    return data.decode("utf-8", "replace")


def _unpadded(received: Frame) -> bytes:
    if not received.flags & PADDED:
        return received.payload
    if not received.payload or received.payload[0] >= len(received.payload):
        raise ParseError("padding longer than its frame")
    return received.payload[1 : len(received.payload) - received.payload[0]]
