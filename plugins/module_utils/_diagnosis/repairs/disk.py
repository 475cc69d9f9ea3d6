# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Repairs of full filesystems: bytes or inodes are given back in an order from the harmless to the costly, until it is enough.

Never a volume, an image that a container uses, or a file of a person's. What cannot be reached that way is refused before
anything is deleted, and whoever fills the disk is named.
"""

from __future__ import annotations

import re
import typing as t
from collections.abc import Iterator

from ..change import Change, Mounted, Orphan, Space
from ..node import Filesystem, NodeEvidence
from ..repair import LOOPING, Repair, entered
from ..signs import running
from ..thresholds import threshold
from .runtime import answers, no_list

# Of the filesystem: what is left above a threshold, so that the next image does not bring the pressure back.
MARGIN: t.Final = 0.02
ALL: t.Final = ("packages", "backups", "journal", "logs", "long logs", "images")
# Above this part of a disk that is free nobody calls it filling (causes/volumes.py).
CALM: t.Final = 0.2
# journald stops by itself at a tenth of its filesystem (journald.conf(5), SystemMaxUse=).
JOURNAL_SHARE: t.Final = 0.08
# The API keeps DiskPressure for 5 min after it is over (evictionPressureTransitionPeriod), and the kubelet looks each 10 s.
TRANSITION: t.Final = 420


def goals(node: NodeEvidence, limits: dict[str, str]) -> dict[str, tuple[Filesystem, int]]:
    """Mount point -> (the filesystem, bytes that must be available) of those below a threshold of *limits*."""
    found: dict[str, tuple[Filesystem, int]] = {}
    images, kubelet = node.pressure.imagefs, node.pressure.nodefs
    for signal, disk in (("nodefs.available", kubelet), ("imagefs.available", images)):
        limit = limits.get(signal)
        least = threshold(limit, disk.size) if limit else 0.0
        if disk.mount_point in found:
            least = max(least, found[disk.mount_point][1] - MARGIN * disk.size)
        found[disk.mount_point] = (disk, int(least + MARGIN * disk.size))
    return {point: (disk, goal) for point, (disk, goal) in found.items() if disk.available < goal}


def spaces(node: NodeEvidence, limits: dict[str, str]) -> tuple[Change, ...]:
    """One change for each filesystem that is short."""
    return tuple(Space(disk.path, goal, ALL) for disk, goal in goals(node, limits).values())


FREE: t.Final = entered(
    Repair(
        step="free-disk-space",
        words="deletes the package cache, our own old backups, old journals, rotated container logs, the first lines of oversized "
        "ones and unused images, in this order and only until the kubelet's threshold is clear; refuses before it begins when that "
        "is not enough",
        asks=frozenset({"kubelet-files", "pressure"}),
        changes=lambda node: spaces(node, node.kubelet.config.eviction_hard),
        patience=TRANSITION,
    )
)


# Each of them is a file. How many an image has cannot be told before it goes, and the kubelet removes unused images and
# dead containers itself when inodes are short (pkg/kubelet/eviction, reclaimNodeLevelResources).
FILES: t.Final = ("packages", "backups", "journal", "logs")


def inode_goals(node: NodeEvidence, limits: dict[str, str]) -> dict[str, tuple[Filesystem, int]]:
    """Mount point -> (the filesystem, inodes that must be free) of those below a threshold of *limits*."""
    found: dict[str, tuple[Filesystem, int]] = {}
    for signal, disk in (("nodefs.inodesFree", node.pressure.nodefs), ("imagefs.inodesFree", node.pressure.imagefs)):
        limit = limits.get(signal)
        if limit and disk.inodes:
            goal = int(threshold(limit, disk.inodes) + MARGIN * disk.inodes)
            found[disk.mount_point] = (disk, max(goal, found.get(disk.mount_point, (disk, 0))[1]))
    return {point: (disk, goal) for point, (disk, goal) in found.items() if disk.inodes_free < goal}


def inode_spaces(node: NodeEvidence, limits: dict[str, str]) -> tuple[Change, ...]:
    """One change for each filesystem that is short."""
    return tuple(Space(disk.path, goal, FILES, "inodes") for disk, goal in inode_goals(node, limits).values())


INODES: t.Final = entered(
    Repair(
        step="free-inodes",
        words="deletes the package cache, our own old backups, old journals and rotated container logs, in this order and only until "
        "the kubelet's threshold of inodes is clear; refuses before it begins when that is not enough, and names who has them",
        asks=LOOPING | {"kubelet-files", "pressure"},
        changes=lambda node: inode_spaces(node, node.kubelet.config.eviction_hard),
        patience=TRANSITION,
    )
)


def shorter_journal(node: NodeEvidence) -> tuple[Change, ...]:
    """Until the journal takes less than its own default would let it take."""
    disk, taken = node.storage.log_space, node.storage.journal_size
    return (Space(disk.path, int(disk.available + taken - JOURNAL_SHARE * disk.size), ("journal",)),)


def fewer_logs(node: NodeEvidence) -> tuple[Change, ...]:
    """Until the disk is not filling any more."""
    disk = node.storage.log_space
    return (Space(disk.path, int((CALM + MARGIN) * disk.size), ("logs", "long logs")),)


JOURNAL: t.Final = entered(
    Repair(
        step="vacuum-journal",
        words="deletes the oldest archived journals until the journal takes 8 % of its disk",
        asks=frozenset({"storage"}),
        changes=shorter_journal,
        patience=TRANSITION,
    )
)
LOGS: t.Final = entered(
    Repair(
        step="shorten-container-logs",
        words="deletes rotated logs of containers, the oldest first, and then cuts the first lines off oversized ones, until a fifth of "
        "the disk is free; the newest 10 MiB of each log stay",
        asks=frozenset({"pressure", "storage"}),
        changes=fewer_logs,
        patience=TRANSITION,
    )
)


def beside_images(node: NodeEvidence) -> tuple[Change, ...]:
    """Until that disk is not filling any more; the images are the kubelet's own to collect, and it has tried."""
    disk = node.pressure.imagefs
    return (Space(disk.path, int((CALM + MARGIN) * disk.size), ALL[:-1]),)


BESIDE: t.Final = entered(
    Repair(
        step="free-space-beside-images",
        words="deletes the package cache, our own old backups, old journals, rotated container logs and the first lines of oversized "
        "ones on the disk of the images, in this order and only until a fifth of it is free; refuses before it begins when that is not enough",
        asks=frozenset({"kubelet-journal", "pressure"}),
        changes=beside_images,
        patience=TRANSITION,
    )
)
# The kubelet looks for orphans every few seconds, and its words count for 5 min (causes/volumes.py).
ORPHANED: t.Final = r'[Oo]rphaned pod "([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})" found'
HOUSEKEEPING: t.Final = 330


def orphans(node: NodeEvidence) -> tuple[Change, ...]:
    """The Pods that this kubelet names."""
    found = (re.findall(ORPHANED, line.text) for line in node.kubelet.journal.lines if line.current)
    return tuple(
        Orphan(f"{node.profile.root_dir}/pods/{uid}") for uid in sorted({uid for each in found for uid in each})
    )


ORPHANS: t.Final = entered(
    Repair(
        step="set-aside-orphaned-pod",
        words="moves the directory of a Pod that is gone into our backup, when the runtime does not know the Pod and nothing is mounted "
        "there; nothing in it is deleted",
        asks=frozenset({"cri", "kubelet-journal"}),
        changes=orphans,
        refuse=no_list,
        trial=True,
        patience=HOUSEKEEPING,
    )
)


def held(node: NodeEvidence, path: str) -> tuple[str, ...]:
    """The mount points that are missing and that *path* is meant to lie on, the one closest to the root first."""
    return tuple(
        sorted(point for point in node.storage.fstab_missing if f"{path}/".startswith(f"{point.rstrip('/')}/"))
    )


def in_use(node: NodeEvidence) -> Iterator[str]:
    """A mount hides what lies below it; a process that works there would go on in the dark."""
    profile = node.profile
    if running(node.runtime.unit):
        yield f"{node.runtime.unit.name} runs on the wrong filesystem: drain the node and stop it first"
    if held(node, profile.root_dir):
        yield f"{profile.root_dir} is meant to lie there too: the kubelet has to be stopped before, and that is a person's to do"
    if profile.runtime_unit == profile.unit:
        yield f"{profile.unit} holds the kubelet as well (profile {profile.name}): it is not the runtime's alone"


MOUNT: t.Final = entered(
    Repair(
        step="mount-data-disk",
        words="mounts the disk that /etc/fstab has for the runtime's data, when it is there and nothing works below its mount point, and "
        "starts containerd",
        asks=frozenset({"storage", "units"}),
        changes=lambda node: tuple(
            Mounted(point, node.profile.runtime_unit) for point in held(node, node.profile.runtime_root)
        ),
        refuse=in_use,
        shows=answers,
    )
)
