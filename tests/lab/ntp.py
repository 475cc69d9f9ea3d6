# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A time server of one page (RFC 4330), so that a healthy node is synchronised.

Run by its path: `python3 ntp.py ADDRESS`. It tells the host's own clock.
"""

from __future__ import annotations

import socket
import struct
import sys
import time

# NTP counts from 1900, Unix from 1970.
EPOCH = 2_208_988_800
PACKET = struct.Struct("!BBbb11I")
SERVER_V4 = 0b00_100_100


def timestamp(seconds: float) -> tuple[int, int]:
    """Seconds since 1970 as the two words of an NTP timestamp."""
    whole = int(seconds)
    return whole + EPOCH, int((seconds - whole) * 2**32)


def answer(request: bytes, received: float, sent: float) -> bytes:
    """The reply of a stratum 1 server to this request; raises struct.error when it is none."""
    transmit = PACKET.unpack(request[: PACKET.size])[13:15]
    reference, arrival, departure = timestamp(received - 1), timestamp(received), timestamp(sent)
    name = int.from_bytes(b"LAB\0", "big")
    return PACKET.pack(SERVER_V4, 1, 4, -20, 0, 16, name, *reference, *transmit, *arrival, *departure)


def serve(address: str) -> None:
    """Answer for ever."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind((address, 123))
        while True:
            request, client = server.recvfrom(512)
            received = time.time()
            if len(request) >= PACKET.size:
                server.sendto(answer(request, received, time.time()), client)


if __name__ == "__main__":
    serve(sys.argv[1])
