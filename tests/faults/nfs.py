# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An NFS version 3 server with one empty directory (RFC 1813), to be mounted and then frozen.

It runs on the node itself, from one file and the standard library: ``python3 nfs.py PORT``.
"""

from __future__ import annotations

import socketserver
import struct
import sys

HANDLE = b"outward!"
# fattr3 of a directory: type, mode, links, uid, gid, size, used, device, fsid, fileid, three times.
ATTRIBUTES = struct.pack(">5I2Q2I2Q6I", 2, 0o755, 2, 0, 0, 4096, 4096, 0, 0, 1, 1, *(0,) * 6)
AFTER = struct.pack(">I", 1) + ATTRIBUTES
DONE = struct.pack(">I", 0)
MOUNT, NFS = 100005, 100003
ANSWERS: dict[tuple[int, int], bytes] = {
    (MOUNT, 0): b"",
    (MOUNT, 1): DONE + struct.pack(">I", len(HANDLE)) + HANDLE + struct.pack(">II", 1, 1),
    (MOUNT, 3): b"",
    (NFS, 0): b"",
    (NFS, 1): DONE + ATTRIBUTES,
    (NFS, 3): struct.pack(">I", 2) + AFTER,  # LOOKUP: no such file
    (NFS, 4): DONE + AFTER + struct.pack(">I", 0x1F),
    (NFS, 16): DONE + AFTER + bytes(8) + struct.pack(">II", 0, 1),
    (NFS, 17): DONE + AFTER + bytes(8) + struct.pack(">II", 0, 1),
    (NFS, 18): DONE + AFTER + struct.pack(">6QI", *(1 << 30,) * 3, *(1000,) * 3, 0),
    (NFS, 19): DONE + AFTER + struct.pack(">7IQ3I", *(4096,) * 7, 1 << 40, 1, 0, 0x1B),
    (NFS, 20): DONE + AFTER + struct.pack(">6I", 32, 255, 1, 1, 0, 1),
}


def answer(call: bytes) -> bytes:
    """The reply to one RPC call (RFC 5531): accepted with its result, or procedure unavailable."""
    xid, _kind, _rpc, program, _version, procedure = struct.unpack_from(">6I", call)
    result = ANSWERS.get((program, procedure))
    return struct.pack(">6I", xid, 1, 0, 0, 0, 0 if result is not None else 3) + (result or b"")


class Connection(socketserver.StreamRequestHandler):
    """Calls of one client, one record each (a call of ours never needs a second fragment)."""

    def handle(self) -> None:
        """Answer until the client goes."""
        while len(head := self.rfile.read(4)) == 4:
            reply = answer(self.rfile.read(struct.unpack(">I", head)[0] & 0x7FFFFFFF))
            self.wfile.write(struct.pack(">I", 0x80000000 | len(reply)) + reply)


class Server(socketserver.ThreadingTCPServer):
    """On the loopback address only."""

    allow_reuse_address = True
    daemon_threads = True


if __name__ == "__main__":
    Server(("127.0.0.1", int(sys.argv[1])), Connection).serve_forever()
