# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Faults of the kernel and of the board."""

from __future__ import annotations

import typing as t

from .model import Fault, controller, node


def said_by_kernel(id: str, *lines: str) -> Fault:
    """Lines in the kernel's log as the drivers of the board and its disks write them (no such board here)."""
    said = "\n".join(f"echo '<3>{line}' > /dev/kmsg" for line in lines)
    return Fault(
        id=id,
        inject=(node(said),),
        holds=node(f"journalctl -b -k -q --no-pager | grep -qF '{lines[-1]}'"),
        undo=(controller('lab reset "$HOST"'),),
        outcome="needs-operator",
        note="synthetic lines: it tests what we read, not the physics",
    )


FAULTS: t.Final[tuple[Fault, ...]] = (
    said_by_kernel("undervoltage", "hwmon hwmon1: Undervoltage detected!"),
    # drivers/thermal/intel/therm_throt.c: the Pi's firmware says nothing to the kernel, and no other line is real here.
    said_by_kernel(
        "thermal-throttle", "CPU0: Core temperature is above threshold, cpu clock is throttled (total events = 1)"
    ),
    said_by_kernel(
        "sd-card-io-errors",
        "mmcblk0: error -110 transferring data, sector 10372992, nr 8, cmd response 0x900, card status 0xc00",
        "mmcblk0: error -110 transferring data, sector 10373000, nr 8, cmd response 0x900, card status 0xc00",
    ),
    Fault(
        id="time-sync-absent",
        inject=(node("systemctl disable --now systemd-timesyncd"),),
        holds=node("! systemctl is-active systemd-timesyncd"),
        undo=(node("systemctl enable --now systemd-timesyncd"),),
        outcome="healthy",
        kind="quiet",
        note="latent: the clock is still right",
    ),
    Fault(
        id="kernel-modules-missing",
        # br_netfilter is the one that nothing holds; without its modules the kernel cannot load it again.
        inject=(node("rmmod br_netfilter; mv /lib/modules/$(uname -r) /lib/modules/outward.off"),),
        holds=node("[ ! -d /lib/modules/$(uname -r) ] && [ ! -d /proc/sys/net/bridge ]"),
        undo=(node("mv /lib/modules/outward.off /lib/modules/$(uname -r); modprobe br_netfilter"),),
        outcome="needs-operator",
        note="as after an upgrade without a boot",
    ),
    Fault(
        id="kernel-hung-task",
        inject=(
            node(
                "image=/var/lib/outward-frozen.img; truncate -s 64M $image; busybox mke2fs -F $image\n"
                "mkdir -p /mnt/outward-frozen; mount -o loop $image /mnt/outward-frozen\n"
                "sysctl -n kernel.hung_task_timeout_secs > /run/outward-hung; sysctl -w kernel.hung_task_timeout_secs=10\n"
                "fsfreeze -f /mnt/outward-frozen\n"
                "systemd-run --unit=outward-frozen sh -c 'echo x > /mnt/outward-frozen/file'"
            ),
        ),
        holds=node("dmesg | grep -q 'blocked for more than'"),
        undo=(
            node(
                "fsfreeze -u /mnt/outward-frozen; sleep 1; umount /mnt/outward-frozen; rm /var/lib/outward-frozen.img\n"
                "sysctl -w kernel.hung_task_timeout_secs=$(cat /run/outward-hung)"
            ),
        ),
        outcome="needs-operator",
        deadline=120,
        note="a writer to a frozen filesystem",
    ),
    Fault(
        id="reboot-loop",
        inject=(
            node(
                "cat > /usr/local/sbin/outward-boots <<'SCRIPT'\n"
                "#!/bin/sh\n"
                "echo boot >> /var/lib/outward-boots\n"
                "[ $(wc -l < /var/lib/outward-boots) -le 3 ] || exit 0\n"
                "until systemctl is-active kubelet; do sleep 2; done\n"
                "sleep 45; systemctl reboot\n"
                "SCRIPT\n"
                "chmod 755 /usr/local/sbin/outward-boots; rm -f /var/lib/outward-boots\n"
                "printf '[Service]\\nExecStart=/usr/local/sbin/outward-boots\\n[Install]\\nWantedBy=multi-user.target\\n' "
                "> /etc/systemd/system/outward-boots.service\n"
                "systemctl enable outward-boots; systemctl start outward-boots"
            ),
        ),
        holds=node("[ $(wc -l < /var/lib/outward-boots) -ge 4 ] && healthz"),
        undo=(node("systemctl disable --now outward-boots; rm /etc/systemd/system/outward-boots.service"),),
        outcome="needs-operator",
        deadline=900,
        note="three orderly boots",
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
