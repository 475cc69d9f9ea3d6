# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""/proc/self/mountinfo and /etc/fstab -> mounts."""

from __future__ import annotations

import typing as t

from .errors import ParseError
from .procfs import unescape

NETWORK: t.Final = frozenset({"nfs", "nfs4", "cifs", "smb3", "ceph", "9p", "glusterfs", "afs", "lustre"})
# FUSE file systems whose server is another machine; fuse.lxcfs and the like are local.
NETWORK_FUSE: t.Final = frozenset(
    {"fuse.sshfs", "fuse.glusterfs", "fuse.ceph", "fuse.s3fs", "fuse.rclone", "fuse.davfs"}
)
NO_MOUNT: t.Final = frozenset({"none", "swap"})


class MountLine(t.NamedTuple):
    """One line of mountinfo; the device is what was mounted (`/dev/vda1`, `10.0.0.1:/export`)."""

    mount_point: str
    device: str
    kind: str
    read_only: bool  # this mount, or the file system below it


def mountinfo(text: str) -> tuple[MountLine, ...]:
    """All mounts, in the order in which they were made (a later one hides an earlier one)."""
    return tuple(_mount(line) for line in text.splitlines() if line)


def _mount(line: str) -> MountLine:
    before, dash, after = line.partition(" - ")
    left, right = before.split(), after.split()
    if not dash or len(left) < 6 or len(right) < 2:
        raise ParseError("a line of mountinfo that has too few fields")
    options = {*left[5].split(","), *(right[2].split(",") if len(right) > 2 else ())}
    return MountLine(unescape(left[4]), unescape(right[1]), right[0], "ro" in options)


def holding(mounts: t.Sequence[MountLine], path: str) -> MountLine:
    """The mount that *path* (without links) lies on."""
    best: MountLine | None = None
    for mount in mounts:
        prefix = mount.mount_point.rstrip("/") + "/"
        if (path.rstrip("/") + "/").startswith(prefix) and (
            best is None or len(mount.mount_point) >= len(best.mount_point)
        ):
            best = mount
    if best is None:
        raise ParseError(f"no mount holds {path}")
    return best


def is_network(kind: str) -> bool:
    """Whether another machine has to answer for this kind of file system."""
    return kind in NETWORK or kind in NETWORK_FUSE


def missing_of_fstab(fstab: str, mounts: t.Sequence[MountLine]) -> tuple[str, ...]:
    """Mount points of /etc/fstab (fstab(5)) that should be mounted at boot and are not."""
    there = {mount.mount_point for mount in mounts}
    missing: list[str] = []
    for line in fstab.splitlines():
        fields = line.split("#", 1)[0].split() if line.lstrip().startswith("#") else line.split()
        if len(fields) < 3 or fields[1] in NO_MOUNT or fields[2] in NO_MOUNT:
            continue
        options = fields[3].split(",") if len(fields) > 3 else []
        point = unescape(fields[1]).rstrip("/") or "/"
        if point not in there and not {"noauto", "x-systemd.automount"} & set(options):
            missing.append(point)
    return tuple(missing)
