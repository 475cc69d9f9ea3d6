# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Faults of the node's resources."""

from __future__ import annotations

import typing as t
from pathlib import PurePath

from .model import Fault, Step, controller, node, program
from .pods import GONE, pod

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


# The kubelet evicts no Pod of this priority: what its volume has taken stays, and others are evicted for it.
CRITICAL: t.Final = '"priorityClassName": "system-node-critical", '
DATA: t.Final = "/var/lib/outward-data"
RUNS: t.Final = controller("kubectl wait --for=condition=Ready pod/$POD --timeout=120s")


def filled(path: str, part: int) -> str:
    """Lines that make a file at *path* so large that *part* per cent of the root filesystem are left."""
    return f"set -- $(df -B1 --output=size,avail / | tail -1)\nfallocate -l $(($2 - $1 * {part} / 100)) {path}"


def owned(volume: str) -> tuple[Step, ...]:
    """A Pod that the kubelet does not evict, with this volume (JSON members) at /data."""
    return (
        pod(
            spec=f'{CRITICAL}"volumes": [{{"name": "data", {volume}}}], ',
            container=', "volumeMounts": [{"name": "data", "mountPath": "/data"}]',
        ),
        RUNS,
    )


# A kubelet keeps DiskPressure for 5 min after it is over; disk-pressure-package-cache waits for that, the others are told less.
SOON: t.Final = "setting evictionPressureTransitionPeriod 30s"
# An image of 110 MiB that was pulled and that nobody uses: it has the digest of a registry, and the kubelet lets it be,
# since somebody has told it to keep images for a day (imageMinimumGCAge).
BALLAST: t.Final = """
import hashlib, io, json, os, subprocess, tarfile
LAYER, IMAGE, KIND = "/var/lib/outward-layer", "/var/lib/outward-image", "application/vnd.oci.image."
entry = tarfile.TarInfo("ballast")
entry.size = 110 << 20
with tarfile.open(LAYER, "w") as tar, open("/dev/zero", "rb") as zero:
    tar.addfile(entry, zero)
with open(LAYER, "rb") as file:
    layer = {"digest": "sha256:" + hashlib.file_digest(file, "sha256").hexdigest(), "size": os.path.getsize(LAYER)}
def described(kind, document):
    data = json.dumps(document).encode()
    return {"mediaType": KIND + kind, "digest": "sha256:" + hashlib.sha256(data).hexdigest(), "size": len(data)}, data
rootfs = {"type": "layers", "diff_ids": [layer["digest"]]}
config, text = described("config.v1+json", {"architecture": "amd64", "os": "linux", "config": {}, "rootfs": rootfs})
layers = [{"mediaType": KIND + "layer.v1.tar", **layer}]
manifest, whole = described("manifest.v1+json", {"schemaVersion": 2, "config": config, "layers": layers})
named = {**manifest, "annotations": {"io.containerd.image.name": "registry.test/ballast:1"}}
small = {"oci-layout": b'{"imageLayoutVersion": "1.0.0"}', "blobs/sha256/" + config["digest"][7:]: text,
    "blobs/sha256/" + manifest["digest"][7:]: whole,
    "index.json": json.dumps({"schemaVersion": 2, "manifests": [named]}).encode()}
with tarfile.open(IMAGE, "w") as tar:
    tar.add(LAYER, "blobs/sha256/" + layer["digest"][7:])
    for name, data in small.items():
        entry = tarfile.TarInfo(name)
        entry.size = len(data)
        tar.addfile(entry, io.BytesIO(data))
ctr = ["ctr", "-n", "k8s.io", "images"]
subprocess.run([*ctr, "import", IMAGE], check=True)
subprocess.run([*ctr, "tag", "registry.test/ballast:1", "registry.test/ballast@" + manifest["digest"]], check=True)
os.unlink(LAYER)
os.unlink(IMAGE)
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
                f"{SOON}\n{own_filesystem('/var/lib/containerd', 'containerd kubelet', '-m 0')}\n"
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
        outcome="refused",
        deadline=120,
        note="hardly an inode is left, with most of the bytes free; somebody's files have them: nothing is deleted",
    ),
    Fault(
        id="inode-exhaustion-package-cache",
        roots=("inode-exhaustion",),
        inject=(
            node(
                f"{SOON}\n{own_filesystem('/var/lib/kubelet', 'kubelet', '-i 262144')}\n"
                f"{beside_packages('/var/lib/kubelet')}; cd {CACHE}\n"
                'python3 -c \'import os\nname = 0\nwhile os.statvfs(".").f_favail > 40: name += 1; open(f"{name}.deb", "w").write("x")\''
            ),
        ),
        holds=controller('[ "$(condition DiskPressure)" = True ]'),
        undo=(node(alone_again("/var/lib/kubelet", "kubelet")),),
        outcome="recovered",
        actions=("free-inodes",),
        deadline=120,
        note="the kubelet's directory and the package cache on one filesystem, and what nobody misses has its inodes",
    ),
    Fault(
        id="disk-pressure-unused-image",
        roots=("disk-pressure-nodefs",),
        inject=(
            node(
                f"{SOON}; setting imageMinimumGCAge 24h; restart kubelet\n"
                f"cat > /run/outward-ballast.py <<'PROGRAM'\n{BALLAST}PROGRAM\n"
                f"python3 /run/outward-ballast.py\n{filled('/var/lib/outward-fill', 14)}"
            ),
        ),
        holds=controller('[ "$(condition DiskPressure)" = True ]'),
        undo=(
            node("rm -f /var/lib/outward-fill; ctr -n k8s.io images rm $(ctr -n k8s.io images ls -q name~=ballast)"),
            node("back; restart kubelet"),
        ),
        outcome="recovered",
        actions=("free-disk-space",),
        deadline=180,
        note="14 % of the filesystem left, and an image that nobody uses and that the kubelet was told to keep for a day",
    ),
    Fault(
        id="container-log-unrotated",
        roots=("container-log-growth",),
        inject=(
            node(f"{SOON}; setting containerLogMaxSize 2Gi; restart kubelet"),
            pod(spec=CRITICAL),
            RUNS,
            node(
                "set -- $(df -B1 --output=size,avail / | tail -1) $(newest_log)\n"
                'yes "$(date -u +%FT%T.000000000Z) stdout F a line that nobody has turned over" | head -c $(($2 - $1 / 20)) >> $3'
            ),
        ),
        holds=controller('[ "$(condition DiskPressure)" = True ]'),
        undo=(GONE, node("back; restart kubelet")),
        outcome="recovered",
        actions=("shorten-container-logs",),
        deadline=180,
        note="the log of a Pod that the kubelet may not evict, and that it was told not to rotate",
    ),
    Fault(
        id="disk-pressure-volume",
        roots=("disk-pressure-nodefs",),
        inject=(
            *owned('"emptyDir": {}'),
            node(
                "volume=$(ls -d /var/lib/kubelet/pods/*/volumes/kubernetes.io~empty-dir/data | head -1)\n"
                + filled("$volume/table", 5)
            ),
        ),
        holds=controller('[ "$(condition DiskPressure)" = True ]'),
        undo=(GONE,),
        outcome="refused",
        deadline=120,
        note="the emptyDir of a Pod that the kubelet may not evict: nothing is deleted, and the Pod is named",
    ),
    Fault(
        id="disk-pressure-host-path",
        roots=("disk-pressure-nodefs",),
        inject=(
            *owned(f'"hostPath": {{"path": "{DATA}", "type": "DirectoryOrCreate"}}'),
            node(filled(f"{DATA}/table", 5)),
        ),
        holds=controller('[ "$(condition DiskPressure)" = True ]'),
        undo=(GONE, node(f"rm -r {DATA}")),
        outcome="refused",
        deadline=120,
        note="a directory of the host that a Pod writes to: nothing is deleted, and the Pod is named",
    ),
)
