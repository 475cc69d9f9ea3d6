# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Mounts, read-only file systems and error counters."""

from __future__ import annotations

import os
import typing as t

from ..._diagnosis.node import Filesystem, Profile
from ..._parse import mounts
from ..files import attempt, names, read, read_or_none
from .pressure import filesystem

Fields = dict[str, t.Any]
PODS: t.Final = "/var/log/pods"
JOURNAL: t.Final = "/var/log/journal"
# Rotation keeps a container below 50 MiB (5 files of 10 MiB): what is larger is worth a name.
LARGE: t.Final = 50 * 1024 * 1024
_MOST_PODS: t.Final = 300


def ask(profile: Profile) -> Fields:
    """Every field of Storage but `network_mounts`."""
    table = mounts.mountinfo(read("/proc/self/mountinfo"))
    return {
        "read_only": attempt(_read_only, profile, table),
        "overlay_root": mounts.holding(table, "/").kind == "overlay",
        "ext4_errors": attempt(_ext4_errors),
        "fstab_missing": mounts.missing_of_fstab(read_or_none("/etc/fstab") or "", table),
        "pod_logs": attempt(_pod_logs, PODS),
        "journal_size": attempt(lambda: sum(_weight(f"{JOURNAL}/{name}") for name in names(JOURNAL))),
        "log_space": attempt(filesystem, "/var/log", table),
    }


def _read_only(profile: Profile, table: t.Sequence[mounts.MountLine]) -> tuple[Filesystem, ...]:
    places = ("/", "/var", profile.root_dir, profile.runtime_root)
    found = [filesystem(place, table) for place in places if os.path.exists(place)]
    return tuple({each.mount_point: each for each in found if each.read_only}.values())


def _ext4_errors() -> dict[str, int]:
    counters = {name: read_or_none(f"/sys/fs/ext4/{name}/errors_count") for name in names("/sys/fs/ext4")}
    return {name: int(text) for name, text in counters.items() if text is not None}


def _pod_logs(place: str) -> dict[str, int]:
    """namespace/pod/container -> bytes on disk, of the large ones (the directories are namespace_pod_uid/container)."""
    found: dict[str, int] = {}
    for pod in names(place)[:_MOST_PODS]:
        for container in names(f"{place}/{pod}"):
            size = _weight(f"{place}/{pod}/{container}")
            if size >= LARGE:
                found["/".join([*pod.split("_")[:2], container])] = size
    return found


def _weight(directory: str) -> int:
    """Bytes that the files of one directory take on the disk; they come and go meanwhile."""
    total = 0
    for name in names(directory):
        try:
            total += os.lstat(f"{directory}/{name}").st_blocks * 512
        except FileNotFoundError:
            continue
    return total


def answers(mount_point: str) -> bool:
    """Ask the file system for its size. An error is an answer too; one that hangs is killed from outside."""
    try:
        os.statvfs(mount_point)
    except OSError:
        return True
    return True
