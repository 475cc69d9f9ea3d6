# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Takes memory in small bites until the kernel has MIB left, and keeps it so: ``eater.py MIB``."""

from __future__ import annotations

import mmap
import sys
import time
from pathlib import Path

BITE = 4 * 1024 * 1024
PAGE = 4096


def left() -> int:
    """MemAvailable in KiB."""
    lines = dict(line.split(":") for line in Path("/proc/meminfo").read_text().splitlines())
    return int(lines["MemAvailable"].split()[0])


def main() -> None:
    """Until somebody stops it."""
    floor = int(sys.argv[1]) * 1024
    held: list[mmap.mmap] = []
    while True:
        if left() > floor:
            held.append(mmap.mmap(-1, BITE))
            for page in range(0, BITE, PAGE):
                held[-1][page] = 1
        else:
            time.sleep(1)


if __name__ == "__main__":
    main()
