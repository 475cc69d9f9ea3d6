# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What processes are called with, twice a second, into a file of a tmpfs: ``python3 sampler.py PATH``."""

from __future__ import annotations

import sys
import time
from contextlib import suppress
from pathlib import Path


def arguments() -> set[bytes]:
    """Of every process that there is now."""
    found: set[bytes] = set()
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):  # it has ended
            found.add(path.read_bytes().replace(b"\0", b" "))
    return found


def main(target: Path) -> None:
    """Runs until it is stopped; each line once."""
    seen: set[bytes] = set()
    with target.open("ab") as file:
        while True:
            new = arguments() - seen
            seen |= new
            file.writelines(line + b"\n" for line in new)
            file.flush()
            time.sleep(0.5)  # more would be a load of its own on an emulated processor


if __name__ == "__main__":
    main(Path(sys.argv[1]))
