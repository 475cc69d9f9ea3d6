# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Faults of the node's resources."""

from __future__ import annotations

import typing as t
from pathlib import PurePath

from .model import Fault, controller, node, program

CACHE: t.Final = "/var/cache/apt/archives"


def own_filesystem(directory: str, units: str, options: str) -> str:
    """Lines that move *directory* onto a small filesystem of its own (busybox mke2fs *options*), and start *units* again."""
    image = f"/var/lib/outward-{PurePath(directory).name}.img"
    return (
        f"systemctl stop {units}; truncate -s 400M {image}; busybox mke2fs -F {options} {image}\n"
        f"mkdir -p /run/outward-mount; mount -o loop {image} /run/outward-mount\n"
        f"cp -ax {directory}/. /run/outward-mount; umount /run/outward-mount\n"
        f"mount -o loop {image} {directory}; systemctl start {units}"
    )


def shared_again(directory: str, units: str) -> str:
    """The inverse of :func:`own_filesystem`."""
    image = f"/var/lib/outward-{PurePath(directory).name}.img"
    return f"systemctl stop {units}; umount -l {directory}; rm {image}; systemctl start {units}"


def beside_packages(directory: str) -> str:
    """Lines that put the package cache onto the filesystem of *directory* as well, as one data disk for both has it."""
    return f"mkdir -p {directory}/archives {CACHE}; mount --bind {directory}/archives {CACHE}"


def alone_again(directory: str, units: str) -> str:
    """The inverse of both."""
    return f"umount -l {CACHE}; {shared_again(directory, units)}"


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
        outcome="refused",
        note="5 % of the filesystem left; eviction begins below 10 %. A file of somebody's fills it: nothing is deleted",
    ),
    Fault(
        id="disk-pressure-shared-imagefs",
        roots=("disk-pressure-nodefs",),
        inject=(
            node(
                "set -- $(df -B1 --output=size,avail / | tail -1)\nfallocate -l $(($2 - $1 * 12 / 100)) /var/lib/outward-fill"
            ),
        ),
        holds=controller('[ "$(condition DiskPressure)" = True ]'),
        undo=(node("rm -f /var/lib/outward-fill"),),
        outcome="refused",
        note="12 % left: above nodefs.available, below imagefs.available, and both are one filesystem",
    ),
    Fault(
        id="disk-pressure-package-cache",
        roots=("disk-pressure-nodefs",),
        inject=(
            node(
                "set -- $(df -B1 --output=size,avail / | tail -1); mkdir -p /var/cache/apt/archives\n"
                "fallocate -l $(($2 - $1 / 20)) /var/cache/apt/archives/outward_1_all.deb"
            ),
        ),
        holds=controller('[ "$(condition DiskPressure)" = True ]'),
        undo=(node("rm -f /var/cache/apt/archives/outward_1_all.deb"),),
        outcome="recovered",
        actions=("free-disk-space",),
        note="what nobody misses fills it",
    ),
    Fault(
        id="memory-pressure",
        inject=(node(program("eater.py", "40", "-p OOMScoreAdjust=-999")),),
        holds=node(
            "[ $(awk '/MemAvailable/ {print $2}' /proc/meminfo) -lt 61440 ] && "
            "awk '/full/ {split($2, a, \"=\"); exit !(a[2] >= 1)}' /proc/pressure/memory"
        ),
        undo=(node("systemctl stop outward-eater"),),
        outcome="needs-operator",
        deadline=180,
        # Eating until MemFree + Inactive(file) fell to 75 MiB did not raise the condition in 180 s: what the kernel
        # itself holds counts as available for the kubelet, so its threshold lies below what the kernel can give.
        note="40 MiB left and everything stalls (PSI); the kubelet's own condition stays False",
    ),
    Fault(
        id="disk-pressure-imagefs",
        inject=(
            node(
                f"{own_filesystem('/var/lib/containerd', 'containerd kubelet', '-m 0')}\n"
                "set -- $(df -B1 --output=size,avail /var/lib/containerd | tail -1)\n"
                "head -c $(($2 - $1 / 20)) /dev/zero > /var/lib/containerd/outward-fill"
            ),
        ),
        holds=controller('[ "$(condition DiskPressure)" = True ]'),
        undo=(node(shared_again("/var/lib/containerd", "containerd kubelet")),),
        outcome="refused",
        deadline=120,
        note="images on a filesystem of their own, 5 % of it left",
    ),
    Fault(
        id="disk-pressure-imagefs-package-cache",
        roots=("disk-pressure-imagefs",),
        inject=(
            node(
                f"{own_filesystem('/var/lib/containerd', 'containerd kubelet', '-m 0')}\n"
                f"{beside_packages('/var/lib/containerd')}\n"
                "set -- $(df -B1 --output=size,avail /var/lib/containerd | tail -1)\n"
                f"head -c $(($2 - $1 / 20)) /dev/zero > {CACHE}/outward_1_all.deb"
            ),
        ),
        holds=controller('[ "$(condition DiskPressure)" = True ]'),
        undo=(node(alone_again("/var/lib/containerd", "containerd kubelet")),),
        outcome="recovered",
        actions=("free-disk-space",),
        deadline=120,
        note="images and the package cache on one data disk, and what nobody misses fills it",
    ),
    Fault(
        id="inode-exhaustion",
        inject=(
            node(
                f"{own_filesystem('/var/lib/kubelet', 'kubelet', '-i 262144')}\n"
                "mkdir /var/lib/kubelet/outward; cd /var/lib/kubelet/outward\n"
                # A few are left: without one the kubelet itself cannot make its socket, and says no condition.
                'python3 -c \'import os\nname = 0\nwhile os.statvfs(".").f_favail > 40: name += 1; open(str(name), "x").close()\''
            ),
        ),
        holds=controller('[ "$(condition DiskPressure)" = True ]'),
        undo=(node(shared_again("/var/lib/kubelet", "kubelet")),),
        outcome="needs-operator",
        deadline=120,
        note="hardly an inode is left, with most of the bytes free",
    ),
)
