# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Faults of the kernel and of the board."""

from __future__ import annotations

import typing as t

from .model import Fault, node


def said_by_kernel(id: str, line: str, throttled: str = "") -> Fault:
    """A line in the kernel's log as the board's drivers write it, and a vcgencmd that agrees (no such board here)."""
    stub = f"printf '#!/bin/sh\\necho throttled={throttled}\\n' > /usr/bin/vcgencmd; chmod 755 /usr/bin/vcgencmd"
    return Fault(
        id=id,
        inject=(node(f"echo '<3>{line}' > /dev/kmsg" + (f"\n{stub}" if throttled else "")),),
        holds=node(f"journalctl -b -k -q --no-pager | grep -qF '{line}'"),
        undo=(node("rm -f /usr/bin/vcgencmd"),),
        outcome="needs-operator",
        note="a synthetic line and a stub: it tests what we read, not the physics",
    )


FAULTS: t.Final[tuple[Fault, ...]] = (
    said_by_kernel("undervoltage", "hwmon hwmon1: Undervoltage detected!", "0x50005"),
    said_by_kernel("thermal-throttle", "thermal thermal_zone0: temperature above the soft limit", "0x80008"),
    said_by_kernel("sd-card-io-errors", "mmc0: error -110 whilst initialising SD card"),
    Fault(
        id="time-sync-absent",
        inject=(node("systemctl disable --now systemd-timesyncd"),),
        holds=node("! systemctl is-active systemd-timesyncd"),
        undo=(node("systemctl enable --now systemd-timesyncd"),),
        outcome="needs-operator",
        note="the clock is still right",
    ),
    Fault(
        id="kernel-panic-reboot",
        inject=(
            node(
                "cat /proc/sys/kernel/random/boot_id > /var/lib/outward-boot; sync; sysctl -w kernel.panic=1\n"
                "systemd-run --on-active=2 sh -c 'echo c > /proc/sysrq-trigger'"
            ),
        ),
        holds=node("[ $(cat /proc/sys/kernel/random/boot_id) != $(cat /var/lib/outward-boot) ] && healthz"),
        undo=(node("rm -f /var/lib/outward-boot"),),
        outcome="needs-operator",
        deadline=300,
    ),
)
