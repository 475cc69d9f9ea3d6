# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``python -m tests.chaos.events EVENT HOST REPORTS``: bring an event about; the callback calls it in the middle of a run.

Each ends by itself, or is undone by :func:`undo`.
"""

from __future__ import annotations

import contextlib
import subprocess
import sys
import typing as t
from pathlib import Path

from tests.faults.lab import in_lab
from tests.faults.model import Step, controller, node

from .points import Event

CUT_SECONDS: t.Final = 120  # ours give up after a minute of silence
FILL: t.Final = "fill"
SIZE: t.Final = "size=4m"  # of the filesystem that fills up

# The node cuts itself off, a second later so that our own session has ended, and comes back by itself.
CUT: t.Final = f"""cat > /run/chaos-cut <<'CUT'
sleep 1
nft add table inet chaos_cut
nft add chain inet chaos_cut input '{{ type filter hook input priority -300; }}'
nft add rule inet chaos_cut input tcp dport 22 drop
sleep {CUT_SECONDS}
nft delete table inet chaos_cut
CUT
systemd-run --unit=chaos-cut sh /run/chaos-cut"""

BEGIN: t.Final[dict[str, Step]] = {
    "api-server-stopped": controller("lab apiserver stop"),
    "node-rebooted": node("systemd-run --on-active=1 systemctl reboot; sleep 2"),
    "ssh-cut": node(f"{CUT}\nsleep 0.5"),
}
END: t.Final[dict[str, Step]] = {"api-server-stopped": controller("lab apiserver start")}


def begin(event: str, host: str, reports: Path) -> None:
    """Bring *event* about."""
    if event == "report-dir-full":
        fill(reports)
    else:
        in_lab(BEGIN[event], host, 60)


def undo(event: Event, host: str, reports: Path) -> None:
    """Take *event* back, as far as it does not end by itself."""
    (reports / FILL).unlink(missing_ok=True)
    if event in END:
        in_lab(END[event], host, 180)


def fill(directory: Path) -> None:
    """Not a byte is left."""
    for size in (65536, 4096, 1):
        with contextlib.suppress(OSError), (directory / FILL).open("ab", buffering=0) as file:
            while file.write(b"0" * size):
                pass


@contextlib.contextmanager
def small(directory: Path) -> t.Iterator[None]:
    """*directory* on a filesystem of its own that is soon full."""
    directory.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", SIZE, "chaos", str(directory)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(directory)], check=True)


if __name__ == "__main__":
    begin(sys.argv[1], sys.argv[2], Path(sys.argv[3]))
