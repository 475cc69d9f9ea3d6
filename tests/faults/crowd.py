# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Many of what a node has a limited number of, doing nothing: ``python3 crowd.py threads|connections NUMBER``."""

from __future__ import annotations

import socket
import sys
import threading
import time

FOREVER = 1e8


def threads(number: int) -> None:
    """Small ones that sleep."""
    threading.stack_size(64 * 1024)
    for dummy in range(number):
        threading.Thread(target=time.sleep, args=(FOREVER,), daemon=True).start()
    time.sleep(FOREVER)


def connections(number: int) -> None:
    """To ourselves; the kernel tracks an established one for days."""
    with socket.create_server(("127.0.0.1", 20999), backlog=4096) as server:
        held = [socket.create_connection(server.getsockname()) for dummy in range(number)]
        time.sleep(FOREVER)
        del held


if __name__ == "__main__":
    {"threads": threads, "connections": connections}[sys.argv[1]](int(sys.argv[2]))
