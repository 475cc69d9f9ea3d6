# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Faults of the node's resources."""

from __future__ import annotations

import typing as t

from .model import Fault, controller, node

# Takes locked memory in small bites until the kernel has next to nothing left, and keeps it so.
EATER: t.Final = """
import mmap, time
held = []
def left():
    lines = dict(line.split(":") for line in open("/proc/meminfo"))
    return int(lines["MemAvailable"].split()[0])
while True:
    if left() > 40 * 1024:
        bite = mmap.mmap(-1, 4 * 1024 * 1024)
        for page in range(0, len(bite), 4096):
            bite[page] = 1
        held.append(bite)
    else:
        time.sleep(1)
        for bite in held[:: max(1, len(held) // 16)]:
            bite[0] = 1
"""

FAULTS: t.Final[tuple[Fault, ...]] = (
    Fault(
        id="disk-pressure-nodefs",
        inject=(
            node(
                "set -- $(df -B1 --output=size,avail / | tail -1)\nfallocate -l $(($2 - $1 / 20)) /var/lib/outward-fill"
            ),
        ),
        holds=controller('[ "$(condition DiskPressure)" = True ]'),
        undo=(node("rm -f /var/lib/outward-fill"),),
        outcome="needs-operator",
        note="5 % of the filesystem left; eviction begins below 10 %",
    ),
    Fault(
        id="memory-pressure",
        inject=(
            node(
                f"cat > /run/outward-eater.py <<'PY'{EATER}PY\n"
                "systemd-run --unit=outward-eater -p OOMScoreAdjust=-999 -p LimitMEMLOCK=infinity "
                "python3 /run/outward-eater.py"
            ),
        ),
        holds=node(
            "[ $(awk '/MemAvailable/ {print $2}' /proc/meminfo) -lt 51200 ] && "
            "awk '/full/ {split($2, a, \"=\"); exit !(a[2] >= 1)}' /proc/pressure/memory"
        ),
        undo=(node("systemctl stop outward-eater; rm -f /run/outward-eater.py"),),
        outcome="needs-operator",
        deadline=180,
        note="below the kubelet's own signal where the kernel lets us, and with stalls (PSI) in any case",
    ),
)
