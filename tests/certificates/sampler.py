# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What processes are called with, twice a second, into a file of a tmpfs: ``python3 sampler.py PATH``."""

from __future__ import annotations

import sys
import time
from contextlib import suppress
from pathlib import Path

# What was just forked is not yet what it becomes, so it is read again; all are, now and then, for one that becomes it late.
READS, LATE = 3, 20


def arguments(read: dict[str, int]) -> set[bytes]:
    """Of every process that is new; *read*: how often each was read, kept from one look to the next."""
    there = {path.name for path in Path("/proc").iterdir() if path.name.isdigit()}
    for gone in read.keys() - there:
        del read[gone]
    found: set[bytes] = set()
    for name in there:
        read[name] = read.get(name, 0) + 1
        if read[name] <= READS or read[name] % LATE == 0:
            with suppress(OSError):  # it has ended
                found.add(Path(f"/proc/{name}/cmdline").read_bytes().replace(b"\0", b" "))
    return found


def main(target: Path) -> None:
    """Runs until it is stopped; each line once."""
    seen: set[bytes] = set()
    read: dict[str, int] = {}
    with target.open("ab") as file:
        while True:
            new = arguments(read) - seen
            seen |= new
            file.writelines(line + b"\n" for line in new)
            file.flush()
            time.sleep(0.5)  # more would be a load of its own on an emulated processor


if __name__ == "__main__":
    main(Path(sys.argv[1]))
