# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Faults of filesystems and devices."""

from __future__ import annotations

import typing as t

from .model import Fault, controller, node, program
from .pods import GONE, event, pod
from .pressure import own_filesystem, shared_again

FAULTS: t.Final[tuple[Fault, ...]] = (
    Fault(
        id="rootfs-read-only",
        inject=(node("echo u > /proc/sysrq-trigger"),),
        holds=node("! touch /var/lib/kubelet/outward 2>/dev/null"),
        # The journal of an emergency remount is not replayed by remounting: only the snapshot is clean.
        undo=(controller('lab reset "$HOST"'),),
        outcome="needs-operator",
    ),
    Fault(
        id="nfs-mount-hung",
        inject=(
            node(
                f"{program('nfs.py', '20490')}\n"
                "sleep 3; mkdir -p /mnt/outward-nfs\n"
                "mount -i -t nfs -o addr=127.0.0.1,vers=3,proto=tcp,port=20490,mountproto=tcp,mountport=20490,nolock,hard "
                "127.0.0.1:/ /mnt/outward-nfs\n"
                "ls /mnt/outward-nfs; systemctl kill -s STOP outward-nfs"
            ),
        ),
        holds=node("! timeout -s KILL 3 stat -f /mnt/outward-nfs"),
        undo=(node("systemctl kill -s CONT outward-nfs; umount /mnt/outward-nfs; systemctl stop outward-nfs"),),
        outcome="needs-operator",
        note="an NFS server that was frozen after the mount",
    ),
    Fault(
        id="data-mount-missing",
        inject=(
            node(
                "keep /etc/fstab\n"
                "echo '/dev/disk/by-label/outward-data /var/lib/containerd ext4 nofail 0 2' >> /etc/fstab"
            ),
        ),
        holds=node("grep -q outward-data /etc/fstab && ! mountpoint -q /var/lib/containerd"),
        undo=(node("back"),),
        outcome="refused",
        note="what a boot without the disk leaves behind: containerd works on the root filesystem",
    ),
    Fault(
        id="data-disk-came-late",
        roots=("data-mount-missing",),
        inject=(
            node(
                f"{own_filesystem('/var/lib/containerd', 'containerd kubelet', '-m 0')}\n"
                "systemctl stop kubelet containerd; echo 1 > /sys/fs/cgroup/kubepods.slice/cgroup.kill\n"
                "pkill -9 -f containerd-shim-runc-v2 || true; sleep 2; umount -a -t overlay; umount /var/lib/containerd\n"
                "keep /etc/fstab\n"
                "echo '/var/lib/outward-containerd.img /var/lib/containerd ext2 loop,nofail 0 0' >> /etc/fstab\n"
                "systemctl start --no-block kubelet"
            ),
        ),
        holds=node("[ $(substate kubelet) = auto-restart ] && ! mountpoint -q /var/lib/containerd"),
        undo=(node(f"back; {shared_again('/var/lib/containerd', 'containerd kubelet')}"),),
        outcome="recovered",
        actions=("mount-data-disk",),
        deadline=120,
        note="a disk that was not there at boot in time: containerd did not start without it (RequiresMountsFor=), and it is there now",
    ),
    Fault(
        id="orphaned-pod-volumes",
        inject=(
            node(
                "orphan=/var/lib/kubelet/pods/00000000-0000-4000-8000-00000000dead/volumes/kubernetes.io~nfs/x\n"
                "mkdir -p $orphan; echo data > $orphan/file"
            ),
        ),
        holds=node("said kubelet 'orphaned pod'"),
        undo=(node("rm -r /var/lib/kubelet/pods/00000000-0000-4000-8000-00000000dead"),),
        outcome="recovered",
        actions=("set-aside-orphaned-pod",),
        deadline=120,
    ),
    Fault(
        id="csi-driver-not-registered",
        inject=(
            pod(
                spec='"volumes": [{"name": "v", "csi": {"driver": "none.outward.test"}}], ',
                container=', "volumeMounts": [{"name": "v", "mountPath": "/v"}]',
            ),
        ),
        holds=event("driver name none.outward.test not found in the list of registered CSI drivers"),
        undo=(GONE,),
        outcome="needs-operator",
        deadline=120,
    ),
)
